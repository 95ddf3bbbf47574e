"""What is asked of the kernels, and what they answer."""

from __future__ import annotations

from typing import Final, NamedTuple

from tongcheng.services.mobility.links import Links
from tongcheng.services.mobility.numbers import UNREACHED, UInt16

INSTANTS_MAX: Final = UNREACHED - 1
"""Instants are counted in 16 bits where they are reduced."""
PERCENT: Final = 100


class Window(NamedTuple):
    """Instants `first_s + w * step_s`, w from 0 to before `instants`: departures or deadlines."""

    first_s: int
    step_s: int
    instants: int

    @property
    def last_s(self) -> int:
        """The last instant."""
        return self.first_s + (self.instants - 1) * self.step_s


class Question(NamedTuple):
    """What is asked for every pair of places.

    A journey of more than `longest_s` is none. `rides_max` bounds how many vehicles it takes, None
    does not. `percentiles` (1 to 100, ascending) are nearest-rank, of the travel times at the
    instants: an instant without a journey counts as infinitely long. `cut_s` is what `within` and
    `usable` of a block are about, or the longest journey where that is less.
    """

    window: Window
    longest_s: int
    percentiles: tuple[int, ...] = (50,)
    cut_s: int = 3_600
    rides_max: int | None = None

    @property
    def ranks(self) -> tuple[int, ...]:
        """Which of the sorted travel times each percentile is, from 1."""
        return tuple(-(-each * self.window.instants // PERCENT) for each in self.percentiles)


class Ways(NamedTuple):
    """How places hang on stops and on one another, on foot; all seconds whole.

    A row of `access` is an origin, of `egress` a destination: both lead from the place to stops,
    and hold the stop's entering or leaving. `direct` leads from origins to destinations.
    """

    access: Links
    egress: Links
    direct: Links


class Block(NamedTuple):
    """Answers for some origins (rows) and all destinations (columns); for deadlines, turned.

    `first` is the number of the first row. `times[i]` are the seconds of percentile i, `least` of
    the best-timed instant, UNREACHED beyond the longest journey. `within` counts the instants whose
    journey takes at most the cut. `usable` counts the departures that are worth knowing: distinct
    arrivals whose latest instant of departure is within the cut (for deadlines: distinct departures
    whose earliest deadline is); where one can walk within the cut, every instant is.
    """

    first: int
    times: UInt16
    least: UInt16
    within: UInt16
    usable: UInt16


def check(question: Question) -> None:
    """Assert that a question can be asked: its bounds are the caller's to refuse."""
    window = question.window
    assert window.step_s >= 1, "instants are at least a second apart"
    assert 1 <= window.instants <= INSTANTS_MAX, "instants are counted in 16 bits"
    assert window.step_s < UNREACHED, "a step is shorter than the longest time of a table"
    assert 0 <= question.longest_s < UNREACHED, "seconds of a journey have 16 bits"
    assert 0 <= question.cut_s < UNREACHED, "seconds of a cut have 16 bits"
    assert question.rides_max is None or question.rides_max >= 0, "rides are counted"
    ranks = question.ranks
    assert all(1 <= rank <= window.instants for rank in ranks), "percentiles are from 1 to 100"
    assert list(ranks) == sorted(ranks), "percentiles ascend"
