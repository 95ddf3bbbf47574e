"""One claim at a time beside openIMIS 1.11, the open system that many countries run.

openIMIS is not started here: its modules are packages, but the server that joins them and the
database that it begins with are not. Its figure is from an earlier measurement on a machine like
this one (two cores, PostgreSQL): 7 to 21 claims a second, 70 queries a claim. Ours are two rows of
the same run. Claims booked at one node are the like: judged and kept on one server. Settlements
do more: two nodes, 60 lines each, signed both ways, and kept on both.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from benchmarks.row import Row
from benchmarks.runs import not_measured, rows_before

AREA = "versus openIMIS"
SLOWEST, QUICKEST = 7.0, 21.0
"""Claims a second of openIMIS 1.11, as measured earlier."""
TIMES = 50
MORE = "two nodes, signed both ways and kept on both, where openIMIS is one server"
EARLIER = "the reference was measured earlier, not in this run"


class Like(NamedTuple):
    """A row of the same run that is held against it: what it does, and what it does besides."""

    area: str
    unit: str
    what: str
    besides: str


LIKES: Final = (
    Like("booking", "claims/s", "claims judged and kept at one node, a thousand a commit", ""),
    Like("settling", "/s", "settlements across the border, one claim at a time", MORE),
)


def compared(rows: Sequence[Row], like: Like) -> Row:
    """Return the row: beside the quickest that openIMIS was, by what ours gave in this run."""
    ours = next((row for row in rows if (row.area, row.unit) == (like.area, like.unit)), None)
    if ours is None or math.isnan(ours.figure):
        why = f"needs the rows of {like.area} of the same run"
        return not_measured(AREA, like.what, like.unit, TIMES * QUICKEST, why)
    times = f"× {ours.figure / SLOWEST:,.0f} of its slowest, {SLOWEST:.0f}/s"
    return Row(
        AREA,
        like.what,
        ours.figure,
        like.unit,
        TIMES * QUICKEST,
        reference="openIMIS 1.11 at its quickest",
        reference_figure=QUICKEST,
        note="; ".join(filter(None, (EARLIER, times, like.besides))),
    )


def measure() -> list[Row]:
    """Return the rows of the table of all benchmarks."""
    rows = rows_before()
    return [compared(rows, like) for like in LIKES]


def main() -> None:
    """Say that there is nothing to measure alone."""
    print(*(compared([], like).note for like in LIKES), sep="\n")


if __name__ == "__main__":
    main()
