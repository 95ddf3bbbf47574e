"""Tables say what they count in the names of their columns, and null where there is nothing."""

from pathlib import Path

import numpy as np
import pytest

from tests.services.mobility.output.test_method import METHOD
from tongcheng.services.mobility.measures.areas import Living
from tongcheng.services.mobility.measures.inequality import inequality
from tongcheng.services.mobility.numbers import UNREACHED
from tongcheng.services.mobility.output.files import write_table
from tongcheng.services.mobility.output.tables import (
    cell_table,
    circle_table,
    gain_table,
    inequality_table,
)

LIVING = Living(np.array([10, 20, 30]), np.array([0, 0, 1], np.int32), 2)
BEFORE = np.array([500, 700, UNREACHED], np.uint16)
AFTER = np.array([700, 500, 800], np.uint16)
IDS, NAMES = ["110101", "120101"], ["东城区", "和平区"]


def test_people_within_by_area() -> None:
    """A column for each time."""
    table = circle_table(IDS, NAMES, LIVING.circle(BEFORE, [600, 900]), [600, 900])

    assert table.column_names == ["area_id", "name", "people", "within_600_s", "within_900_s"]
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        ("110101", "东城区", 30, 10, 30),
        ("120101", "和平区", 30, 0, 0),
    ]


def test_gain_by_area() -> None:
    """Who comes in and who falls out, side by side."""
    table = gain_table(IDS, NAMES, LIVING.gain(BEFORE, AFTER, [600]), [600])

    assert table.drop_columns(["area_id", "name"]).to_pylist() == [
        {"people": 30, "before_600_s": 10, "after_600_s": 20, "gained_600_s": 20, "lost_600_s": 10},
        {"people": 30, "before_600_s": 0, "after_600_s": 0, "gained_600_s": 0, "lost_600_s": 0},
    ]


def test_cells_without_a_journey_are_null() -> None:
    """The mark of no journey is never told as seconds; what is no number is our own fault."""
    table = cell_table(["a", "b", "c"], {"p50_s": BEFORE, "reached": np.array([1.5, 0.0, 2.0])})

    assert table.column("p50_s").to_pylist() == [500, 700, None]
    assert table.column("reached").to_pylist() == [1.5, 0.0, 2.0]
    with pytest.raises(AssertionError, match="is a number"):
        cell_table(["a"], {"reached": np.array([np.nan])})


def test_an_undefined_index_has_its_reason_beside_it(tmp_path: Path) -> None:
    """In the file as in the figure."""
    people = np.array([5, 1])
    rows = {"jobs": inequality(np.array([0, 7]), people), "none": inequality(people, people * 0)}
    table = inequality_table(rows)
    write_table(tmp_path / "indices.csv", table, METHOD)
    first, second = table.to_pylist()

    assert (first["palma"], first["palma_undefined"]) == (None, "POOREST_NOTHING")
    assert (first["gini"], first["gini_undefined"]) == (5 / 6, None)
    assert [second[name] for name in ("people", "mean", "mean_undefined")] == [0, None, "NOBODY"]
    assert "nan" not in (tmp_path / "indices.csv").read_text("utf-8").lower()
