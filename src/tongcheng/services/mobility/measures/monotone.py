"""Looks for journeys that take longer after a service was added: there must be none.

Whoever does not board the new service travels as before. So each pair of places that is slower,
or no longer connected, shows a fault of the scenario (a service was taken away besides) or of a
kernel, and is told by name.
"""

from typing import Final, NamedTuple

import numpy as np

from tongcheng.services.mobility.numbers import UNREACHED, UInt16

TOLD_MAX: Final = 100
"""How many offending pairs are told; all are counted."""


class Slower(NamedTuple):
    """A pair of places, by their rows, with seconds before and after."""

    origin: int
    destination: int
    before_s: int
    after_s: int


class Comparison(NamedTuple):
    """Pairs by what became of them, and the first that became slower, by origin and destination.

    `connected` were not reached before; `cut` are not reached after, and are `slower` too.
    `saved_s` and `spent_s` are sums over pairs that are reached before and after.
    """

    pairs: int
    faster: int
    slower: int
    connected: int
    cut: int
    saved_s: int
    spent_s: int
    offending: tuple[Slower, ...]

    @property
    def is_monotone(self) -> bool:
        """Whether nobody's journey became longer."""
        return not self.slower


class Monotone:
    """Takes rows before and after, block by block, in the order of the origins."""

    def __init__(self, told_max: int = TOLD_MAX) -> None:
        self._told_max = told_max
        self._sum = Comparison(0, 0, 0, 0, 0, 0, 0, ())
        self._origins = 0

    def add(self, before: UInt16, after: UInt16) -> None:
        """Take the rows of the origins that come next."""
        assert before.shape == after.shape, "the same pairs before and after"
        assert before.dtype == after.dtype == np.uint16, "seconds in uint16"
        worse, better = after > before, after < before
        known = (before != UNREACHED) & (after != UNREACHED)
        done = self._sum
        self._sum = Comparison(
            done.pairs + before.size,
            done.faster + int(better.sum()),
            done.slower + int(worse.sum()),
            done.connected + int((better & (before == UNREACHED)).sum()),
            done.cut + int((worse & (after == UNREACHED)).sum()),
            done.saved_s + _apart(before, after, better & known),
            done.spent_s + _apart(after, before, worse & known),
            (*done.offending, *self._offending(before, after, worse)),
        )
        self._origins += len(before)

    def result(self) -> Comparison:
        """Return what was found so far."""
        return self._sum

    def _offending(self, before: UInt16, after: UInt16, worse: np.ndarray) -> list[Slower]:
        left = self._told_max - len(self._sum.offending)
        places = np.flatnonzero(worse)[:left].tolist()
        rows = [divmod(place, before.shape[1]) for place in places]
        return [
            Slower(self._origins + row, column, int(before[row, column]), int(after[row, column]))
            for row, column in rows
        ]


def _apart(more: UInt16, less: UInt16, chosen: np.ndarray) -> int:
    return int((more[chosen].astype(np.int64) - less[chosen]).sum())
