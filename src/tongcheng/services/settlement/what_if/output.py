"""The rows of a what-if, claim by claim: what funds and the person bear under both rules.

Rows come in the order in which they were judged: where the persons of a file lie together, persons
in the order of the file.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.codes import CODES
from tongcheng.services.settlement.what_if.loops import pay
from tongcheng.services.settlement.what_if.sums import Paired


class OutputColumn(NamedTuple):
    """One column of the file: its name and what it says."""

    name: str
    about: str


OUTPUT_COLUMNS: Final = (
    OutputColumn("claim_id", "The event's id, as the input has it."),
    OutputColumn("row", "The row's place in the input, from 0."),
    OutputColumn("old_fund_fen", "What all funds pay at discharge under the old rules."),
    OutputColumn("new_fund_fen", "The same under the new rules."),
    OutputColumn("old_person_fen", "What the person bears in scope under the old rules."),
    OutputColumn("new_person_fen", "The same under the new rules."),
    OutputColumn("difference_fen", "What the person would bear more; negative: less."),
    OutputColumn("old_code", "Why the row is not judged under the old rules; empty where it is."),
    OutputColumn("new_code", "The same under the new rules."),
)
"""Amounts are empty where the row is not judged under that rule, negative in a void."""
FEN_COLUMNS: Final = sum(each.name.endswith("_fen") for each in OUTPUT_COLUMNS)
_CODES: Final = pa.array(CODES, pa.string())


def rows_of(claim_id: pa.Array, row: NDArray[np.int64], paired: Paired) -> pa.Table:
    """Return the rows of a batch that was judged twice."""
    fen = np.empty((FEN_COLUMNS, len(row)), np.int64)
    pay((paired.old, paired.new), paired.concerned, fen)
    codes = (paired.old_code, paired.new_code)
    old, new = (_there(code == 0) for code in codes)
    both = _there((codes[0] == 0) & (codes[1] == 0))
    columns: list[Any] = [
        claim_id,
        pa.array(row),
        *(_column(pa.int64(), *each) for each in zip(fen, (old, new, old, new, both), strict=True)),
        *(_code(code) for code in codes),
    ]
    return pa.Table.from_arrays(columns, schema=schema_of(claim_id.type))


def _code(code: NDArray[np.int16]) -> pa.Array:
    """Return codes as words, empty where a row was judged."""
    places = _column(pa.int8(), code.astype(np.int8), _there(code != 0))
    return pa.DictionaryArray.from_arrays(places, _CODES, safe=False)


def _there(rows: NDArray[np.bool_]) -> pa.Buffer | None:
    """Return as Arrow's bits in which rows something stands, None where in all."""
    return None if rows.all() else pa.py_buffer(np.packbits(rows, bitorder="little"))


def _column(kind: pa.DataType, values: NDArray[Any], there: pa.Buffer | None) -> pa.Array:
    """Return values as they lie in memory; given a mask Arrow copies them one by one."""
    return pa.Array.from_buffers(kind, len(values), [there, pa.py_buffer(values)])


def schema_of(claim_id: pa.DataType) -> pa.Schema:
    """Return the schema of the file; a claim's id is of the type that it has in the input."""
    codes = pa.dictionary(pa.int8(), pa.string())
    kinds = [claim_id, *[pa.int64()] * (1 + FEN_COLUMNS), codes, codes]
    names = [each.name for each in OUTPUT_COLUMNS]
    return pa.schema(list(zip(names, kinds, strict=True)))
