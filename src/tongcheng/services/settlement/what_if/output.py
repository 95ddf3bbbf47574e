"""The rows of a what-if, claim by claim: what funds and the person bear under both rules.

Rows come in the order in which they were judged: where the persons of a file lie together, persons
in the order of the file.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.arrays import Results
from tongcheng.services.settlement.batch.codes import CODES
from tongcheng.services.settlement.what_if.loops import pay


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
_CODES: Final = pa.array(CODES, pa.string())


def rows_of(claim_id: pa.Array, row: NDArray[np.int64], old: Results, new: Results) -> pa.Table:
    """Return the rows of a batch that was judged twice."""
    funds = np.empty((2, len(row)), np.int64)
    person = np.empty((2, len(row)), np.int64)
    gone: list[NDArray[np.bool_] | None] = []
    for side, each in enumerate((old, new)):
        pay(each.amounts, funds[side], person[side])
        gone.append(each.code != 0 if each.code.any() else None)
    both = gone[0] if gone[1] is None else gone[1] if gone[0] is None else gone[0] | gone[1]
    columns: list[Any] = [
        claim_id,
        pa.array(row),
        *(pa.array(values, mask=mask) for values, mask in zip(funds, gone, strict=True)),
        *(pa.array(values, mask=mask) for values, mask in zip(person, gone, strict=True)),
        pa.array(person[1] - person[0], mask=both),
        *(_code(each.code) for each in (old, new)),
    ]
    return pa.Table.from_arrays(columns, schema=schema_of(claim_id.type))


def _code(code: NDArray[np.int16]) -> pa.Array:
    """Return codes as words, empty where a row was judged."""
    places = pa.array(code.astype(np.int8), mask=code == 0)
    return pa.DictionaryArray.from_arrays(places, _CODES, safe=False)


def schema_of(claim_id: pa.DataType) -> pa.Schema:
    """Return the schema of the file; a claim's id is of the type that it has in the input."""
    codes = pa.dictionary(pa.int8(), pa.string())
    kinds = [claim_id, *[pa.int64()] * (len(OUTPUT_COLUMNS) - 3), codes, codes]
    names = [each.name for each in OUTPUT_COLUMNS]
    return pa.schema(list(zip(names, kinds, strict=True)))
