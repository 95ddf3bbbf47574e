"""What the parts of a run share: how large it is, and telling how far it is."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.row import Direction, Row

QUICK = "TONGCHENG_BENCH_QUICK"
"""Set in the environment of benchmarks that should be done in a few seconds."""


ROWS = "TONGCHENG_BENCH_ROWS"
"""Names the file with the rows of the benchmarks that ran before in the same run."""


def rows_before() -> list[Row]:
    """Return what was measured before in this run, for a row that compares by another's figure."""
    path = os.environ.get(ROWS)
    return [] if path is None else read(Path(path))


def write(rows: Sequence[Row], path: Path) -> None:
    """Write rows to a file."""
    path.write_bytes(msgspec.json.encode([row._asdict() for row in rows]))


def read(path: Path) -> list[Row]:
    """Read rows that `write` wrote; a figure that was not measured comes back as one."""
    rows = msgspec.json.decode(path.read_bytes())
    return [
        Row(**{**row, "figure": float("nan") if row["figure"] is None else row["figure"]})
        for row in rows
    ]


def quick() -> bool:
    """Whether sizes should be small: the figures then say that everything runs, and no more."""
    return os.environ.get(QUICK) == "1"


def tell(said: str) -> None:
    """Say how far a benchmark is, beside the table."""
    print(said, file=sys.stderr, flush=True)


def not_measured(
    area: str, what: str, unit: str, target: float, why: str, direction: Direction = "at least"
) -> Row:
    """Return the row of a promise that could not be measured here: it is not kept."""
    return Row(area, what, float("nan"), unit, target, direction, note=f"not measured: {why}")
