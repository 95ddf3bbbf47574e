"""Travel times between all places of a study, written as they come, whoever computes them.

Threads of this process take blocks of rows; workers, elsewhere, are sent the scan once and then
numbers of rows, and send back the pairs that are connected. Either way the rows come in order, and
a few of them wait at a time: memory does not grow with the square of the places.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from tongcheng.kernel.spread import spread_with
from tongcheng.services.mobility.numbers import UNREACHED
from tongcheng.services.mobility.output.matrix import Reached, open_matrix, reached_of
from tongcheng.services.mobility.output.method import Method
from tongcheng.services.mobility.scan.model import Question
from tongcheng.services.mobility.scan.run import ROWS, Scan, blocks, warm
from tongcheng.services.mobility.study.methods import method_of
from tongcheng.services.mobility.study.model import Ready

PART_ROWS: Final = 64
"""Rows that a worker is given at a time: some hundred milliseconds of work, beside which the way
there and back costs little; and few enough that a small study is shared too."""


class Written(NamedTuple):
    """What a matrix was written as, and how many pairs some instant connects."""

    method: Method
    pairs: int


class Hands(NamedTuple):
    """Who computes: `threads` here; else so many `workers` here, or those of a Dask `scheduler`."""

    threads: int = 1
    workers: int | None = None
    scheduler: str | None = None


def write_matrix(
    path: Path,
    ready: Ready,
    question: Question,
    *,
    deadlines: bool,
    hands: Hands,
    progress: Callable[[int, int], None],
) -> Written:
    """Write a row for every connected pair; `progress` is told origins done, of how many.

    The bytes follow from study and question alone, whoever computes, and whichever worker dies.

    Raises:
        Refused: MOBILITY_EXTRA where numba is not installed, MOBILITY_OUT as `open_table`; and as
            `kernel.spread.spread`.
    """
    method = method_of("travel times", "docs/mobility.md", ready, question, deadlines=deadlines)
    ids = ready.places.ids
    pairs = 0
    with (
        open_matrix(path, question, (ids, ids), method, turned=deadlines) as file,
        closing(_reached(ready, question, hands, deadlines=deadlines)) as found,
    ):
        for block in found:
            file.add(block)
            pairs += int(np.count_nonzero(block.least != UNREACHED))
            progress(block.first + block.rows, len(ids))
    return Written(method, pairs)


def _reached(
    ready: Ready, question: Question, hands: Hands, *, deadlines: bool
) -> Generator[Reached, None, None]:
    network = ready.networks.mirrored if deadlines else ready.networks.ahead
    if hands.workers is None and hands.scheduler is None:
        yield from map(reached_of, blocks(network, ready.ways, question, threads=hands.threads))
        return
    warm()  # what is compiled is kept, so workers of this machine find it
    scan = Scan(network, ready.ways, question)
    rows = range(scan.origins)
    parts = [rows[first : first + PART_ROWS] for first in range(0, len(rows), PART_ROWS)]
    with closing(
        spread_with(scan, do_part, parts, workers=hands.workers, scheduler=hands.scheduler)
    ) as done:
        for each in done:
            yield from each


def do_part(scan: Scan, part: range) -> list[Reached]:
    """Return the connected pairs of some rows, block by block."""
    return [
        reached_of(scan.block(first, min(ROWS, part.stop - first)))
        for first in range(part.start, part.stop, ROWS)
    ]
