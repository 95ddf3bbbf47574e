"""What the parts of a run share: how large it is, and telling how far it is."""

import os
import sys

from benchmarks.row import Direction, Row

QUICK = "TONGCHENG_BENCH_QUICK"
"""Set in the environment of benchmarks that should be done in a few seconds."""


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
