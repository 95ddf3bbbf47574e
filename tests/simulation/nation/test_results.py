"""The file of results: a seed is in it whole or not at all, and runs are never mixed."""

from pathlib import Path

import msgspec
import pytest

from tests.simulation.nation.toys import HEADER, finished, lines
from tongcheng.simulation.nation.results import (
    NoResults,
    OtherRun,
    Results,
    ResultsInUse,
    read,
)


def _written(path: Path, *seeds: int) -> None:
    with Results(path, HEADER) as kept:
        for seed in seeds:
            kept.add(finished(seed))


def test_what_was_added_is_read(tmp_path: Path) -> None:
    """Header and ends come back as they went in."""
    path = tmp_path / "deep" / "nation.jsonl"

    _written(path, 1, 3)

    assert read(path) == (HEADER, [finished(1), finished(3)])


def test_a_run_goes_on(tmp_path: Path) -> None:
    """Seeds that are there are known; new ones are appended."""
    path = tmp_path / "nation.jsonl"
    _written(path, 1)

    with Results(path, HEADER) as kept:
        assert set(kept.finished) == {1}
        kept.add(finished(2))

    assert [one.report.seed for one in read(path)[1]] == [1, 2]


@pytest.mark.parametrize("cut", [1, 50, 400])
def test_a_line_that_was_cut_off_is_no_seed(tmp_path: Path, cut: int) -> None:
    """Whatever a power cut left of the last line; the seed runs again."""
    path = tmp_path / "nation.jsonl"
    _written(path, 1, 2)
    path.write_bytes(path.read_bytes()[:-cut])

    assert [one.report.seed for one in read(path)[1]] == [1]
    _written(path, 2)

    assert [one.report.seed for one in read(path)[1]] == [1, 2]
    assert len(lines(path)) == 3


def test_a_header_that_was_cut_off_begins_anew(tmp_path: Path) -> None:
    """Killed in the first write."""
    path = tmp_path / "nation.jsonl"
    _written(path)
    path.write_bytes(path.read_bytes()[:40])

    _written(path, 1)

    assert [one.report.seed for one in read(path)[1]] == [1]


@pytest.mark.parametrize(
    "change", [{"sources": "b" * 64}, {"first_seed": 2}, {"stays_per_seed": 5}, {"python": "3.9"}]
)
def test_results_of_another_run_are_refused_or_begun_anew(
    tmp_path: Path, change: dict[str, object]
) -> None:
    """Other code, other books, other seeds: the words name what differs."""
    path = tmp_path / "nation.jsonl"
    _written(path, 1)
    other = msgspec.structs.replace(HEADER, **change)

    with pytest.raises(OtherRun, match=next(iter(change))):
        Results(path, other)
    with Results(path, other, anew=True) as kept:
        assert kept.finished == {}
    assert read(path) == (other, [])


@pytest.mark.parametrize("anew", [True, False])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, *, anew: bool) -> None:
    """A slip in a name costs nobody a file."""
    path = tmp_path / "thesis.txt"
    path.write_bytes(b"Chapter one")

    with pytest.raises(NoResults):
        Results(path, HEADER, anew=anew)
    with pytest.raises(NoResults):
        read(path)

    assert path.read_bytes() == b"Chapter one"


def test_a_damaged_line_in_the_middle_is_refused(tmp_path: Path) -> None:
    """That is no crash's doing; nothing is counted from such a file."""
    path = tmp_path / "nation.jsonl"
    _written(path, 1, 2)
    first, second, third = lines(path)
    path.write_bytes(b"\n".join([first, second[:100], third]) + b"\n")

    with pytest.raises(NoResults):
        Results(path, HEADER)


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    """The second is told that there is a first."""
    path = tmp_path / "nation.jsonl"
    with Results(path, HEADER), pytest.raises(ResultsInUse):
        Results(path, HEADER)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Not a traceback."""
    with pytest.raises(NoResults, match="No such file"):
        read(tmp_path / "nation.jsonl")
