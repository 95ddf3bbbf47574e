"""The comparison with openIMIS is by what was measured, and says what was not."""

from benchmarks.bench_versus_openimis import LIKES, compared
from benchmarks.row import Row

BOOKING, SETTLING = LIKES
BOOKED = Row("booking", "claims booked", 10_500.0, "claims/s", 25_000.0)
SETTLED = Row("settling", "one call", 420.0, "/s", 324.0)
ROWS = [Row("engine", "claims", 9e6, "/s"), BOOKED, SETTLED]


def test_a_claim_at_one_node_is_the_like() -> None:
    """Beside the quickest that it was; the note says that it was not started here."""
    row = compared(ROWS, BOOKING)

    assert (row.figure, row.target, row.ratio, row.holds) == (10_500.0, 1_050.0, 500.0, True)
    assert row.note == (
        "the reference was measured earlier, not in this run; × 1,500 of its slowest, 7/s"
    )


def test_a_settlement_on_two_nodes_says_what_it_does_besides() -> None:
    """It is held against the same figure, and is missed by as much as it is."""
    row = compared(ROWS, SETTLING)

    assert (row.figure, row.target, row.ratio, row.holds) == (420.0, 1_050.0, 20.0, False)
    assert "two nodes" in row.note


def test_without_ours_nothing_is_kept() -> None:
    """A comparison with nothing is not one."""
    assert compared([], SETTLING).holds is False
    absent = SETTLED._replace(figure=float("nan"))
    assert compared([absent], SETTLING).note.startswith("not measured: ")
