"""One row of the table that `make bench` prints: a promise, what was measured, and against what.

Every module `benchmarks.bench_*` has a function `measure()` that returns its rows. A figure and its
reference are measured in one run, in turns, so that a machine that is slow today is slow for both.
"""

import math
from typing import Literal, NamedTuple

Direction = Literal["at least", "at most"]


class Row(NamedTuple):
    """A promise and its measurement.

    `what` says what was done, `figure` how much or how many in `unit`, NaN where it could not be
    measured. `target` bounds the figure in `direction`; None is a row that is told and promises
    nothing. `reference` says what it was paired with and `reference_figure` what that gave in the
    same unit, None where there is nothing to pair with. `note` says why a promise is missed, or
    what is not alike.
    """

    area: str
    what: str
    figure: float
    unit: str
    target: float | None = None
    direction: Direction = "at least"
    reference: str = ""
    reference_figure: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Return figure over reference, None without one."""
        if not self.reference_figure:
            return None
        return self.figure / self.reference_figure

    @property
    def holds(self) -> bool | None:
        """Whether the promise is kept (NaN keeps none), None where nothing is promised."""
        if self.target is None:
            return None
        if self.direction == "at least":
            return self.figure >= self.target
        return self.figure <= self.target

    @property
    def missed_by(self) -> float | None:
        """Return the share of the target that the figure is short of it, or over it.

        None where the promise is kept, where nothing is promised or measured, and for a target of
        zero, which has no shares.
        """
        if self.holds is not False or math.isnan(self.figure) or not self.target:
            return None
        return abs(self.figure - self.target) / self.target
