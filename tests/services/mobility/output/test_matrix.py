"""A matrix has a row for each connected pair, in order, whatever the blocks."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.services.mobility.output.test_method import METHOD
from tongcheng.services.mobility.numbers import UNREACHED
from tongcheng.services.mobility.output.matrix import open_matrix, reached_of
from tongcheng.services.mobility.scan.model import Block, Question, Window

QUESTION = Question(Window(25_200, 60, 4), 7_200, (5, 50))
TIMES = np.array(
    [[[60, UNREACHED, 90], [UNREACHED] * 3], [[80, UNREACHED, UNREACHED], [UNREACHED] * 3]],
    np.uint16,
)
LEAST = np.array([[50, UNREACHED, 70], [UNREACHED, 40, UNREACHED]], np.uint16)
WITHIN = np.array([[4, 0, 1], [0, 2, 0]], np.uint16)
USABLE = np.array([[3, 0, 1], [0, 1, 0]], np.uint16)
IDS = (["x:1", "x:2"], ["y:1", "y:2", "y:3"])


def written(path: Path, cut: list[slice], *, turned: bool = False) -> bytes:
    """Write the table in blocks of rows."""
    with open_matrix(path, QUESTION, IDS, METHOD, turned=turned) as file:
        for each in cut:
            cells = TIMES[:, each], LEAST[each], WITHIN[each], USABLE[each]
            file.add(reached_of(Block(each.start, *cells)))
    return path.read_bytes()


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_blocks_change_no_byte(suffix: str, tmp_path: Path) -> None:
    """One block, or a row at a time."""
    whole = written(tmp_path / f"a{suffix}", [slice(0, 2)])

    assert whole == written(tmp_path / f"b{suffix}", [slice(0, 1), slice(1, 2)])


def test_a_row_says_what_the_kernel_said(tmp_path: Path) -> None:
    """Null where a percentile has no journey; no row where nothing has."""
    path = tmp_path / "a.parquet"
    written(path, [slice(0, 2)])
    rows = [tuple(row.values()) for row in pq.read_table(path).to_pylist()]

    assert pq.read_schema(path).names == [
        "origin_id", "destination_id", "p05_s", "p50_s", "best_s", "departures", "share",
    ]  # fmt: skip
    assert rows == [
        ("x:1", "y:1", 60, 80, 50, 3, 1.0),
        ("x:1", "y:3", 90, None, 70, 1, 0.25),
        ("x:2", "y:2", None, None, 40, 1, 0.5),
    ]


def test_blocks_for_deadlines_are_turned(tmp_path: Path) -> None:
    """Their rows are destinations."""
    path = tmp_path / "a.parquet"
    written(path, [slice(0, 2)], turned=True)
    pairs = [(row["origin_id"], row["destination_id"]) for row in pq.read_table(path).to_pylist()]

    assert pairs == [("y:1", "x:1"), ("y:3", "x:1"), ("y:2", "x:2")]
