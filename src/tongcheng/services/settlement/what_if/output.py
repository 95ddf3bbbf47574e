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
from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS
from tongcheng.services.settlement.what_if.measures import FUNDS, PERSON_AT


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
_FUNDS_AT: Final = [RESULT_AMOUNTS.index(name) for name in FUNDS]
_CODES: Final = pa.array(CODES, pa.string())


def rows_of(claim_id: pa.Array, row: NDArray[np.int64], old: Results, new: Results) -> pa.Table:
    """Return the rows of a batch that was judged twice."""
    sides: list[tuple[pa.Array, pa.Array]] = []
    for each in (old, new):
        gone = each.code != 0 if each.code.any() else None
        funds = each.amounts[:, _FUNDS_AT[0]].copy()
        for at in _FUNDS_AT[1:]:
            funds += each.amounts[:, at]
        sides.append((pa.array(funds, mask=gone), pa.array(each.amounts[:, PERSON_AT], mask=gone)))
    both = (old.code != 0) | (new.code != 0)
    difference = new.amounts[:, PERSON_AT] - old.amounts[:, PERSON_AT]
    columns: list[Any] = [
        claim_id,
        pa.array(row),
        sides[0][0],
        sides[1][0],
        sides[0][1],
        sides[1][1],
        pa.array(difference, mask=both if both.any() else None),
        *(_code(each.code) for each in (old, new)),
    ]
    return pa.Table.from_arrays(columns, schema=schema_of(claim_id.type))


def _code(code: NDArray[np.int16]) -> pa.Array:
    """Return codes as words, empty where a row was judged."""
    judged = code == 0
    return pa.DictionaryArray.from_arrays(pa.array(code.astype(np.int8), mask=judged), _CODES)


def schema_of(claim_id: pa.DataType) -> pa.Schema:
    """Return the schema of the file; a claim's id is of the type that it has in the input."""
    codes = pa.dictionary(pa.int8(), pa.string())
    kinds = [claim_id, *[pa.int64()] * (len(OUTPUT_COLUMNS) - 3), codes, codes]
    names = [each.name for each in OUTPUT_COLUMNS]
    return pa.schema(list(zip(names, kinds, strict=True)))
