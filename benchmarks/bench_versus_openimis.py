"""One claim at a time beside openIMIS 1.11, the open system that many countries run.

openIMIS is not started here: its modules are packages, but the server that joins them and the
database that it begins with are not. Its figure is from an earlier measurement on a machine like
this one (two cores, PostgreSQL): 7 to 21 claims a second, 70 queries a claim. Ours is the row of
`bench_settling` in the same run, which does more: two nodes, signed both ways, and kept on both.
"""

import math
from collections.abc import Sequence

from benchmarks.row import Row
from benchmarks.runs import not_measured, rows_before

AREA = "versus openIMIS"
SETTLING = "settling"
SLOWEST, QUICKEST = 7.0, 21.0
"""Claims a second of openIMIS 1.11, as measured earlier."""
TIMES = 50
WHAT = "settlements a second, one claim at a time"
EARLIER = "the reference was measured earlier, not in this run"


def compared(rows: Sequence[Row]) -> Row:
    """Return the row: beside the quickest that openIMIS was, by what settling gave in this run."""
    ours = next((row for row in rows if row.area == SETTLING and row.unit == "/s"), None)
    if ours is None or math.isnan(ours.figure):
        why = f"needs the rows of {SETTLING} of the same run"
        return not_measured(AREA, WHAT, "/s", TIMES * QUICKEST, why)
    slow = f"× {ours.figure / SLOWEST:.0f} of its slowest, {SLOWEST:.0f}/s"
    missed = f"; × {ours.figure / QUICKEST:.0f} instead of {TIMES}"
    return Row(
        AREA,
        f"{WHAT}: {ours.what}",
        ours.figure,
        "/s",
        TIMES * QUICKEST,
        reference="openIMIS 1.11 at its quickest",
        reference_figure=QUICKEST,
        note=f"{EARLIER}; {slow}{missed if ours.figure < TIMES * QUICKEST else ''}",
    )


def measure() -> list[Row]:
    """Return the row of the table of all benchmarks."""
    return [compared(rows_before())]


def main() -> None:
    """Say that there is nothing to measure alone."""
    print(compared([]).note)


if __name__ == "__main__":
    main()
