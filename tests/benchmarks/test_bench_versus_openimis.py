"""The comparison with openIMIS is by what was measured, and says what was not."""

from benchmarks.bench_versus_openimis import compared
from benchmarks.row import Row

SETTLING = Row("settling", "one call", 420.0, "/s", 324.0)


def test_ours_is_the_figure_of_the_same_run() -> None:
    """Beside the quickest that it was; the note says that it was not started here."""
    row = compared([Row("engine", "claims", 9e6, "/s"), SETTLING])

    assert (row.figure, row.target, row.ratio, row.holds) == (420.0, 1_050.0, 20.0, False)
    assert row.note == (
        "the reference was measured earlier, not in this run;"
        " × 60 of its slowest, 7/s; × 20 instead of 50"
    )
    assert compared([SETTLING._replace(figure=1_050.0)]).holds is True


def test_without_ours_nothing_is_kept() -> None:
    """A comparison with nothing is not one."""
    assert compared([]).holds is False
    assert compared([SETTLING._replace(figure=float("nan"))]).note.startswith("not measured: ")
