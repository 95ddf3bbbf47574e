"""What the journal keeps of one commit of booked claims, column by column (pure)."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.arrays import NONE, VOID, Events, Results
from tongcheng.services.settlement.batch.columns import EVENTS, RESULT_AMOUNTS
from tongcheng.services.settlement.batch.plan import Plan
from tongcheng.services.settlement.batch.trace_columns import (
    FILING,
    MARK_COLUMNS,
    TRACE_COLUMNS,
)
from tongcheng.services.settlement.booking.model import HOME, HOME_VOID, Lot
from tongcheng.services.settlement.booking.prepare import Prepared
from tongcheng.services.settlement.rules import CATEGORIES, FILINGS, PERSON_TYPES, SUBTYPES, TIERS
from tongcheng.services.settlement.store import EntryRow

_WORDS: Final = {
    "event": EVENTS,
    "person_type": PERSON_TYPES,
    "tier": TIERS,
    "category": CATEGORIES,
    "hospital_subtype": SUBTYPES,
    "filing": FILINGS,
}
_NUMBERS: Final = (
    "admitted_on",
    "period_from_on",
    "ended_on",
    "hospital_level",
    "period_number",
    "in_scope_fen",
    "total_fen",
)


class Judged(NamedTuple):
    """The booked rows of a commit: what they are among the prepared ones, and what came of them.

    `at` is where a row is in `events` and `results`; `entries` are those that the rows made.
    """

    rows: NDArray[np.int64]
    at: NDArray[np.int64]
    events: Events
    results: Results
    entries: Sequence[EntryRow]


def content_of(plan: Plan, judged: Judged, prepared: Prepared, taken_back: list[str]) -> Lot:
    """Return the content of the leaf."""
    rows, events, results = judged.at, judged.events, judged.results
    own = judged.rows.tolist()
    # A void names no place: it is its claim's.
    claim = np.where(events.reverses[rows] == NONE, rows, events.reverses[rows])
    numbers = {name: getattr(events, name)[rows] for name in _NUMBERS}
    numbers |= {name: getattr(events, "kind" if name == "event" else name)[rows] for name in _WORDS}
    numbers |= {name: results.amounts[rows, at] for at, name in enumerate(RESULT_AMOUNTS)}
    for columns, values in ((TRACE_COLUMNS, results.trace), (MARK_COLUMNS, results.marks)):
        numbers |= {column.name: values[rows, at] for at, column in enumerate(columns)}
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
            **{name: list(words) for name, words in _WORDS.items()},
            "origin": [HOME, HOME_VOID],
        },
        texts=texts,
        numbers={name: _packed(values) for name, values in numbers.items()},
        taken_back=taken_back,
    )


def _packed(values: NDArray[Any]) -> str:
    return values.astype("<i8").tobytes().hex()
