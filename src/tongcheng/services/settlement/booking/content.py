"""What the journal keeps of one commit of booked claims, column by column (pure)."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.arrays import NONE, VOID, Events, Results
from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS
from tongcheng.services.settlement.batch.plan import Plan
from tongcheng.services.settlement.batch.trace_columns import (
    FILING,
    MARK_COLUMNS,
    TRACE_COLUMNS,
)
from tongcheng.services.settlement.booking.model import HOME, HOME_VOID, NUMBERS, WORDS, Lot
from tongcheng.services.settlement.booking.prepare import Prepared
from tongcheng.services.settlement.store import EntryRow

_INTEGERS: Final = ("<i1", "<i2", "<i4", "<i8")


class Judged(NamedTuple):
    """The booked rows of a commit: what they are among the prepared ones, and what came of them.

    `at` is where a row is in `events` and `results`; `entries` are those that the rows made.
    """

    rows: NDArray[np.int64]
    at: NDArray[np.int64]
    events: Events
    results: Results
    entries: Sequence[EntryRow]


def content_of(
    plan: Plan,
    judged: Judged,
    prepared: Prepared,
    taken_back: list[str],
    taken_back_by: list[tuple[str, str]],
) -> Lot:
    """Return the content of the leaf."""
    rows, events, results = judged.at, judged.events, judged.results
    own = judged.rows.tolist()
    # A void names no place: it is its claim's.
    claim = np.where(events.reverses[rows] == NONE, rows, events.reverses[rows])
    numbers = {name: getattr(events, name)[rows] for name in NUMBERS}
    numbers |= {name: getattr(events, "kind" if name == "event" else name)[rows] for name in WORDS}
    numbers |= dict(zip(RESULT_AMOUNTS, results.amounts[rows].T, strict=True))
    for columns, values in ((TRACE_COLUMNS, results.trace), (MARK_COLUMNS, results.marks)):
        names = [column.name for column in columns]
        numbers |= dict(zip(names, np.ascontiguousarray(values[rows].T), strict=True))
    # How the stay counted is told beside how it was filed.
    numbers["filed_as"] = results.marks[rows, FILING]
    numbers["filing"] = events.filing[rows]
    numbers |= {"place": events.place[claim], "book": results.book[rows]}
    numbers["year"] = results.year[rows]
    numbers["entry_no"] = np.array([entry.entry_no for entry in judged.entries], np.int64)
    numbers["origin"] = (events.kind[rows] == VOID).astype(np.int64)
    texts = {
        "claim_id": [prepared.claim_id[row] for row in own],
        "reverses": [prepared.reverses_id[row] for row in own],
        "institution_id": [prepared.institution_id[row] for row in own],
        "person_key": [prepared.person_key[row] for row in own],
    }
    return Lot(
        books=[version.tables.digest for version in plan.versions],
        places=[[place.area_id, place.scheme] for place in plan.places],
        words={
            **{name: list(words) for name, words in WORDS.items()},
            "origin": [HOME, HOME_VOID],
        },
        texts=texts,
        numbers={name: packed(values) for name, values in numbers.items()},
        taken_back=taken_back,
        taken_back_by=taken_back_by,
    )


def packed(values: NDArray[Any]) -> str:
    """Return the hex of a column in the narrowest integers that hold it."""
    least, most = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    holding = (kind for kind in _INTEGERS if _holds(kind, least) and _holds(kind, most))
    return values.astype(next(holding)).tobytes().hex()


def _holds(kind: str, number: int) -> bool:
    limits = np.iinfo(kind)
    return bool(limits.min <= number <= limits.max)
