"""Writes travel times between places, block by block: a row for each pair that is connected.

A pair that is reached by none of the percentiles and at no instant has no row: of a large region
that is most of them, and a missing row says the same.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from tongcheng.services.mobility.numbers import UNREACHED, Int32, UInt16
from tongcheng.services.mobility.output.files import TableFile, open_table
from tongcheng.services.mobility.output.method import Method
from tongcheng.services.mobility.scan.model import Block, Question

_WORD = pa.dictionary(pa.int32(), pa.string())


def matrix_schema(percentiles: Sequence[int]) -> pa.Schema:
    """Return the columns of a matrix.

    `p50_s` are the seconds of a percentile and `best_s` of the best-timed journey, null where there
    is none; `departures` how many are worth knowing, and `share` of the instants (0 to 1) those
    whose journey is within the question's cut.
    """
    fields = [pa.field("origin_id", _WORD), pa.field("destination_id", _WORD)]
    fields += [pa.field(f"p{percent:02}_s", pa.uint16()) for percent in percentiles]
    fields += [pa.field("best_s", pa.uint16()), pa.field("departures", pa.uint16())]
    return pa.schema([*fields, pa.field("share", pa.float64())])


class Reached(NamedTuple):
    """The pairs of a block that are connected, a column each; `row` and `column` number places.

    `first` and `rows` are those of the block. `times` has a row for each percentile.
    """

    first: int
    rows: int
    row: Int32
    column: Int32
    times: UInt16
    least: UInt16
    within: UInt16
    usable: UInt16


def reached_of(block: Block) -> Reached:
    """Return the connected pairs of a block: of a large region a small part of it."""
    reached = (block.times != UNREACHED).any(axis=0) | (block.least != UNREACHED)
    row, column = np.nonzero(reached)
    return Reached(
        first=block.first,
        rows=len(block.least),
        row=(row + block.first).astype(np.int32),
        column=column.astype(np.int32),
        times=block.times[:, row, column],
        least=block.least[row, column],
        within=block.within[row, column],
        usable=block.usable[row, column],
    )


class MatrixFile:
    """A matrix being written; `ids` are those of rows and columns, which `turned` exchanges."""

    def __init__(
        self,
        file: TableFile,
        question: Question,
        ids: tuple[Sequence[str], Sequence[str]],
        *,
        turned: bool,
    ) -> None:
        self._file, self._question, self._turned = file, question, turned
        self._ids = [pa.array(each, pa.string()) for each in ids]
        self._rows = 0

    def add(self, block: Reached) -> None:
        """Add the pairs of the block that comes next."""
        assert block.first == self._rows, "blocks come in the order of their rows"
        self._rows += block.rows
        words = [
            pa.DictionaryArray.from_arrays(pa.array(places), ids)
            for places, ids in zip((block.row, block.column), self._ids, strict=True)
        ]
        columns = [
            *(reversed(words) if self._turned else words),
            *(_seconds(times) for times in (*block.times, block.least)),
            pa.array(block.usable, pa.uint16()),
            pa.array(block.within / self._question.window.instants, pa.float64()),
        ]
        schema = matrix_schema(self._question.percentiles)
        self._file.add(pa.Table.from_arrays(columns, schema=schema))


@contextmanager
def open_matrix(
    path: Path,
    question: Question,
    ids: tuple[Sequence[str], Sequence[str]],
    method: Method,
    *,
    turned: bool = False,
) -> Iterator[MatrixFile]:
    """Open a file for all blocks of a question; refuses as `open_table`.

    `ids` are those of the blocks' rows and columns: origins and destinations, or for deadlines,
    when the blocks are `turned`, destinations and origins.
    """
    with open_table(path, matrix_schema(question.percentiles), method) as file:
        yield MatrixFile(file, question, ids, turned=turned)


def _seconds(values: UInt16) -> pa.Array:
    return pa.array(values, pa.uint16(), mask=values == UNREACHED)
