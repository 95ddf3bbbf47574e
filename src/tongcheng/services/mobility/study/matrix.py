"""Travel times between all places of a study, written as they come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tongcheng.services.mobility.numbers import UNREACHED
from tongcheng.services.mobility.output.matrix import open_matrix
from tongcheng.services.mobility.output.method import Method
from tongcheng.services.mobility.scan.model import Question
from tongcheng.services.mobility.scan.run import backward, forward
from tongcheng.services.mobility.study.methods import method_of
from tongcheng.services.mobility.study.model import Ready


class Written(NamedTuple):
    """What a matrix was written as, and how many pairs some instant connects."""

    method: Method
    pairs: int


def write_matrix(
    path: Path,
    ready: Ready,
    question: Question,
    *,
    deadlines: bool,
    threads: int,
    progress: Callable[[int, int], None],
) -> Written:
    """Write a row for every connected pair; `progress` is told origins done, of how many.

    Raises:
        Refused: MOBILITY_EXTRA where numba is not installed, MOBILITY_OUT as `open_table`.
    """
    method = method_of("travel times", "docs/mobility.md", ready, question, deadlines=deadlines)
    scan = backward if deadlines else forward
    ids = ready.places.ids
    pairs = 0
    with open_matrix(path, question, (ids, ids), method, turned=deadlines) as file:
        for block in scan(ready.timetable, ready.ways, question, threads=threads):
            file.add(block)
            pairs += int(np.count_nonzero(block.least != UNREACHED))
            progress(block.first + len(block.least), len(ids))
    return Written(method, pairs)
