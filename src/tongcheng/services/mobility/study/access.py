"""What every place of a study reaches: the measures of docs/mobility-measures.md, for all places.

Rows of origins come block by block and are never held all at once; supply that is shared walks
them twice. Every measure is taken in every regime: each percentile, and the best-timed journey.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.mobility.measures.catchment import Access, Demand
from tongcheng.services.mobility.measures.decay import Decay
from tongcheng.services.mobility.measures.reach import Collected, Gravity, TimeToKth, Within
from tongcheng.services.mobility.numbers import Int64, UInt16
from tongcheng.services.mobility.scan.model import Question
from tongcheng.services.mobility.scan.run import blocks
from tongcheng.services.mobility.study.circle import BEST
from tongcheng.services.mobility.study.model import Ready


class WithinTimes(NamedTuple):
    """Opportunities within each time."""

    within_s: tuple[int, ...]


class ByGravity(NamedTuple):
    """Opportunities weighed by time."""

    decay: Decay


class ToKth(NamedTuple):
    """Seconds to the k-th closest opportunity, for each k."""

    kth: tuple[int, ...]


class Catchment(NamedTuple):
    """Supply for each person, shared among all who reach it (2SFCA)."""

    decay: Decay


Measured: TypeAlias = WithinTimes | ByGravity | ToKth | Catchment
Progress: TypeAlias = Callable[[int, int], None]


def access(
    ready: Ready,
    question: Question,
    measured: Measured,
    opportunities: Int64,
    people: Int64,
    *,
    threads: int,
    progress: Progress,
) -> dict[str, NDArray[Any]]:
    """Return columns with a figure for each place, named by regime: `p50_within_3600_s`.

    `opportunities` (of Catchment: supply) are at the places, `people` live there. `progress` is
    told origins done, of how many.

    Raises:
        Refused: MOBILITY_EXTRA where numba is not installed; what the measures refuse.
    """
    passes = 2 if isinstance(measured, Catchment) else 1
    rows = _Rows(ready, question, threads, progress, passes)
    if isinstance(measured, WithinTimes):
        found = rows.collected(lambda: Within(opportunities, measured.within_s))
        names = [f"within_{each}_s" for each in measured.within_s]
    elif isinstance(measured, ByGravity):
        horizon_s = question.longest_s
        found = rows.collected(lambda: Gravity(opportunities, measured.decay, horizon_s))
        names = ["gravity"]
    elif isinstance(measured, ToKth):
        found = rows.collected(lambda: TimeToKth(opportunities, measured.kth))
        names = [f"kth_{each}_s" for each in measured.kth]
    else:
        found = rows.shared(opportunities, people, measured.decay)
        names = ["access"]
    return {
        f"{regime}_{name}": figures.reshape(len(figures), -1)[:, at]
        for regime, figures in found.items()
        for at, name in enumerate(names)
    }


class _Rows:
    """The rows of all origins, as often as they are walked."""

    def __init__(
        self, ready: Ready, question: Question, threads: int, progress: Progress, passes: int
    ) -> None:
        self._ready, self._question, self._threads = ready, question, threads
        self._progress, self._of = progress, passes * len(ready.places.ids)
        self._done = 0
        self._regimes = [*(f"p{each:02}" for each in question.percentiles), BEST]

    def collected(self, make: Callable[[], Any]) -> dict[str, NDArray[Any]]:
        """Return the figures of a measure of an origin by its own row."""
        into: dict[str, Collected[Any]] = {each: Collected(make()) for each in self._regimes}
        for _, rows in self._walk():
            for regime, block in rows.items():
                into[regime].add(block)
        return {regime: each.result() for regime, each in into.items()}

    def shared(self, supply: Int64, people: Int64, decay: Decay) -> dict[str, NDArray[Any]]:
        """Return each origin's access to supply that others reach too."""
        horizon_s = self._question.longest_s
        demands = {each: Demand(supply, decay, horizon_s) for each in self._regimes}
        for first, rows in self._walk():
            for regime, block in rows.items():
                demands[regime].add(block, people[first : first + len(block)])
        ratios = {regime: each.ratios() for regime, each in demands.items()}
        steps = {regime: Access(each, decay, horizon_s) for regime, each in ratios.items()}
        parts: dict[str, list[NDArray[Any]]] = {each: [] for each in self._regimes}
        for _, rows in self._walk():
            for regime, block in rows.items():
                parts[regime].append(steps[regime].of(block))
        return {regime: np.concatenate(each) for regime, each in parts.items()}

    def _walk(self) -> Iterator[tuple[int, dict[str, UInt16]]]:
        ready = self._ready
        scanned = blocks(ready.networks.ahead, ready.ways, self._question, threads=self._threads)
        for block in scanned:
            tables = [*block.times, block.least]
            yield block.first, dict(zip(self._regimes, tables, strict=True))
            self._done += len(block.least)
            self._progress(self._done, self._of)
