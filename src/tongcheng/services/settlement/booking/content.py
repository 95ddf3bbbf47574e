"""What the journal keeps of one commit of booked claims, column by column (pure)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.arrays import UNKNOWN_FEN, Events, Results
from tongcheng.services.settlement.batch.columns import EVENTS, RESULT_AMOUNTS
from tongcheng.services.settlement.batch.plan import Plan
from tongcheng.services.settlement.batch.trace_columns import MARK_COLUMNS, TRACE_COLUMNS
from tongcheng.services.settlement.booking.model import Lot
from tongcheng.services.settlement.booking.prepare import Prepared
from tongcheng.services.settlement.rules import CATEGORIES, FILINGS, PERSON_TYPES, SUBTYPES, TIERS
from tongcheng.services.settlement.store import EntryRow

_WORDS = {
    "event": EVENTS,
    "person_type": PERSON_TYPES,
    "tier": TIERS,
    "category": CATEGORIES,
    "hospital_subtype": SUBTYPES,
    "filing": FILINGS,
}
_NUMBERS = ("admitted_on", "period_from_on", "ended_on", "hospital_level", "period_number")
_FEN = ("in_scope_fen", "total_fen")
_ENTRY = ("person_key", "area_id", "year", "entry_no", "origin")
_LARGE = frozenset({"pool_left"})
"""Columns whose numbers may be beyond 2**53."""


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
    digests = sorted({plan.versions[book].tables.digest for book in np.unique(results.book[rows])})
    place_of = {digest: place for place, digest in enumerate(digests)}
    of_book = [place_of.get(each.tables.digest, -1) for each in plan.versions]
    # A void names neither place nor hospital: they are its claim's.
    claim = np.where(events.reverses[rows] >= 0, events.reverses[rows], rows)
    places = [plan.places[place] for place in events.place[claim].tolist()]
    claims: dict[str, list[Any]] = {
        "claim_id": [prepared.claim_id[row] for row in own],
        "reverses": [prepared.reverses_id[row] for row in own],
        "institution_id": [prepared.institution_id[row] for row in own],
        "area_id": [place.area_id for place in places],
        "scheme": [place.scheme for place in places],
    }
    for name, words in _WORDS.items():
        codes = getattr(events, "kind" if name == "event" else name)[rows]
        claims[name] = np.array([*words, None], object)[codes].tolist()
    for name in (*_NUMBERS, *_FEN):
        claims[name] = _known(getattr(events, name)[rows])
    results_of: dict[str, list[Any]] = {
        name: _known(results.amounts[rows, at]) for at, name in enumerate(RESULT_AMOUNTS)
    }
    for columns, values in ((TRACE_COLUMNS, results.trace), (MARK_COLUMNS, results.marks)):
        for at, column in enumerate(columns):
            numbers = values[rows, at].tolist()
            results_of[column.name] = (
                [str(number) for number in numbers] if column.name in _LARGE else numbers
            )
    results_of["book"] = [of_book[book] for book in results.book[rows].tolist()]
    entries: dict[str, list[Any]] = {
        name: [getattr(entry, name) for entry in judged.entries] for name in _ENTRY
    }
    return Lot(digests, claims, entries, results_of, taken_back)


def _known(fen: NDArray[Any]) -> list[int | None]:
    numbers: list[int | None] = fen.tolist()
    if fen.dtype == np.int64 and (fen == UNKNOWN_FEN).any():
        return [None if number == UNKNOWN_FEN else number for number in numbers]
    return numbers
