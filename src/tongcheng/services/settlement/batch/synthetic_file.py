"""Writes synthetic claims as Parquet or CSV, a row group at a time; the file says what they are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.arrays import NONE, OPENING
from tongcheng.services.settlement.batch.columns import EVENTS
from tongcheng.services.settlement.batch.output import open_output
from tongcheng.services.settlement.batch.synthetic import FLAWS, Block, Region, blocks
from tongcheng.services.settlement.rules import (
    CATEGORIES,
    FILINGS,
    LEVELS,
    PERSON_TYPES,
    SUBTYPES,
    TIERS,
)

ROWS_A_GROUP: Final = 2**20
NOWHERE: Final = "990000"
NO_WORD: Final = "unknown"
_WORDS: Final = {
    "event": EVENTS,
    "person_type": PERSON_TYPES,
    "tier": TIERS,
    "category": CATEGORIES,
    "hospital_level": tuple(map(str, LEVELS)),
    "hospital_subtype": SUBTYPES,
    "filing": FILINGS,
}
_DAYS: Final = ("admitted_on", "period_from_on", "ended_on")
_EMPTY: Final = {
    "reverses",
    "visited_admdvs",
    "tier",
    "hospital_level",
    "hospital_subtype",
    "total_fen",
    "pool_paid_fen",
    "deductible_paid_fen",
    "admissions",
    "burden_fen",
}
"""Columns in which something may be left out."""
_OF_OPENINGS: Final = ("pool_paid_fen", "deductible_paid_fen", "admissions", "burden_fen")


def write_synthetic(
    path: Path,
    region: Region,
    *,
    seed: int,
    claims: int,
    flaws: int = 0,
    told: Callable[[int], None] = lambda _: None,
) -> None:
    """Write so many claims; `told` is told how many rows were written since the last time.

    The file appears under its name when it is whole. Refuses CLAIMS_OUT where it can not.
    """
    first = table(next(blocks(region, seed, 1)), region)
    notes = {"tongcheng.synthetic": "yes", "tongcheng.seed": str(seed)}
    with open_output(path, first.schema, notes) as output:
        pending: list[pa.Table] = []
        rows = 0
        for block in blocks(region, seed, claims, flaws):
            pending.append(table(block, region))
            rows += pending[-1].num_rows
            if rows >= ROWS_A_GROUP:
                output.write(pa.concat_tables(pending))
                told(rows)
                pending, rows = [], 0
        if rows:
            output.write(pa.concat_tables(pending))
            told(rows)


def table(block: Block, region: Region) -> pa.Table:
    """Return rows as an Arrow table; words are numbers of a dictionary."""
    columns: dict[str, pa.Array] = {}
    for name, values in block._asdict().items():
        if name != "flaw":
            columns[name] = _column(name, values, block, region)
    columns["synthetic"] = _dictionary(np.zeros(len(block.flaw), np.int64), ("yes",))
    # A column that is never empty says so: it is read faster.
    fields = [pa.field(name, each.type, name in _EMPTY) for name, each in columns.items()]
    return pa.table(columns, schema=pa.schema(fields))


def _column(name: str, values: NDArray[Any], block: Block, region: Region) -> pa.Array:
    if name in _DAYS:
        return pa.array(values.astype(np.int32)).cast(pa.date32())
    words = _words_of(name, region)
    if words is not None:
        # One more word than there are: what a flaw writes; a level is left out.
        wrong = NONE if name == "hospital_level" else len(words) - 1
        is_wrong = block.flaw == FLAWS.index(name) if name in FLAWS else np.False_
        return _dictionary(np.where(is_wrong, wrong, values), words)
    without = {
        "reverses": values == 0,
        "total_fen": block.event == OPENING,
        **dict.fromkeys(_OF_OPENINGS, block.event != OPENING),
    }
    if name in {"age", "period_number", "sequence"}:
        values = values.astype(np.int32)
    return pa.array(values, mask=without.get(name))


def _words_of(name: str, region: Region) -> tuple[str, ...] | None:
    """Return what the places in a column mean, None for a column of numbers."""
    if name in {"admdvs", "visited_admdvs"}:
        return (*region.divisions, NOWHERE)
    if name == "scheme":
        return tuple(region.schemes)
    words = _WORDS.get(name)
    return (*words, NO_WORD) if words is not None and name == "person_type" else words


def _dictionary(places: NDArray[np.int64], words: tuple[str, ...]) -> pa.Array:
    indices = pa.array(places.astype(np.int16), mask=places < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words))
