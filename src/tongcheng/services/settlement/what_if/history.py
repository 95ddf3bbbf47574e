"""A node's own history as events: what it decided, in the order in which it was committed.

Stored facts are taken as they are, as in `replay`: who was insured how, how the stay counted as
filed, which year it belonged to. Each person's year is told by its entries; what no decision of
this node made (an opening, a claim at home) moves the year as it did, and is given back as it was.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.batch.arrays import (
    NONE,
    OPENING,
    SETTLE,
    VOID,
    Events,
)
from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS
from tongcheng.services.settlement.batch.plan import EPOCH
from tongcheng.services.settlement.bill import Accumulators
from tongcheng.services.settlement.booking.model import HOME, HOME_VOID
from tongcheng.services.settlement.replay import Event, Past
from tongcheng.services.settlement.rules import (
    CATEGORIES,
    FILINGS,
    PERSON_TYPES,
    SUBTYPES,
    TIERS,
)
from tongcheng.services.settlement.store import EntryRow
from tongcheng.services.settlement.what_if.joint import Joint
from tongcheng.services.settlement.what_if.judging import Judged

DEDUCTIBLE: Final = RESULT_AMOUNTS.index("deductible_fen")
BURDEN: Final = RESULT_AMOUNTS.index("burden_fen")
PERSON: Final = RESULT_AMOUNTS.index("person_in_scope_fen")


class History(NamedTuple):
    """Events of some persons; `pasts` are the decisions of settled rows, by row.

    `left_out` are entries of years that can not be told as events: one is of a decision that is not
    there, takes back a claim that is not, or something else than the claim moved.
    """

    events: Events
    pasts: dict[int, Past]
    left_out: int


def history(joint: Joint, years: Iterable[list[Event]]) -> History:
    """Return years as events, those of one person following one another."""
    told = _Told(joint)
    for events in years:
        told.year(events)
    return told.history()


class _Told:
    """Rows being gathered."""

    def __init__(self, joint: Joint) -> None:
        self._joint = joint
        self._rows: list[dict[str, int]] = []
        self._openings: list[list[int]] = []
        self._pasts: dict[int, Past] = {}
        self._persons: dict[str, int] = {}
        self._left_out = 0

    def year(self, events: list[Event]) -> None:
        """Add one person's year."""
        if not _can_be_told(events):
            self._left_out += len(events)
            return
        told: dict[tuple[str, str], int] = {}
        for event in events:
            number, key = len(self._rows), _key(event)
            if event.entry.origin in _TAKING_BACK:
                row = self._rows[told[key]] | {"kind": VOID, "reverses": told[key]}
            elif event.past is None:
                row = self._opening(event.entry)
            else:
                self._pasts[number] = event.past
                row = self._settlement(event.entry, event.past)
            told.setdefault(key, number)
            self._rows.append(row)

    def _person(self, entry: EntryRow) -> int:
        return self._persons.setdefault(entry.person_key, len(self._persons))

    def _opening(self, entry: EntryRow) -> dict[str, int]:
        new_year = _day(f"{entry.year:04d}-01-01")
        self._openings.append(list(_moved(entry)))
        return dict.fromkeys(_BLANK, NONE) | {
            "person": self._person(entry),
            "kind": OPENING,
            "place": self._joint.place_in(entry.area_id),
            "admitted_on": new_year,
            "period_from_on": new_year,
            "ended_on": new_year,
            "opening": len(self._openings) - 1,
        }

    def _settlement(self, entry: EntryRow, past: Past) -> dict[str, int]:
        facts, result = past.facts, past.result
        try:
            place = self._joint.place_of(facts.insured_admdvs, facts.scheme)
        except Refused:
            place = NONE
        return {
            "person": self._person(entry),
            "kind": SETTLE,
            "reverses": NONE,
            "place": place,
            "pair": self._joint.filed_pair_of(facts.institution_admdvs),
            "admitted_on": _day(facts.admitted_on),
            "period_from_on": _day(facts.period_from_on),
            "ended_on": _day(facts.period_to_on),
            "person_type": _word(PERSON_TYPES, result.person_type),
            "tier": _word(TIERS, result.tier),
            "category": _word(CATEGORIES, result.category),
            "hospital_level": facts.hospital_level,
            "hospital_subtype": _word(SUBTYPES, facts.hospital_subtype),
            "filing": _word(FILINGS, result.filing),
            "period_number": result.period_number,
            "in_scope_fen": facts.totals.in_scope_fen,
            "total_fen": facts.totals.total_fen,
            "fault": 0,
            "opening": NONE,
        }

    def history(self) -> History:
        """Return what was gathered."""
        columns = {
            name: np.array([row[name] for row in self._rows], kind) for name, kind in _KINDS.items()
        }
        columns["fault"][:] = 0
        used = len(Accumulators.__struct_fields__)
        openings = np.array(self._openings, np.int64).reshape(-1, used)
        return History(Events(**columns, opening_fen=openings), self._pasts, self._left_out)


_KINDS: Final = {
    "person": np.int64,
    "kind": np.int8,
    "reverses": np.int64,
    "place": np.int16,
    "pair": np.int32,
    "admitted_on": np.int32,
    "period_from_on": np.int32,
    "ended_on": np.int32,
    "person_type": np.int8,
    "tier": np.int8,
    "category": np.int8,
    "hospital_level": np.int8,
    "hospital_subtype": np.int8,
    "filing": np.int8,
    "period_number": np.int32,
    "in_scope_fen": np.int64,
    "total_fen": np.int64,
    "fault": np.int16,
    "opening": np.int64,
}
_BLANK: Final = tuple(_KINDS)
_TAKING_BACK: Final = frozenset({"void", HOME_VOID})


def _can_be_told(events: list[Event]) -> bool:
    """Say whether every entry of a year has its decision, or moves it as one event can."""
    at_home: dict[str, tuple[int, ...]] = {}
    for event in events:
        entry, moved = event.entry, _moved(event.entry)
        if event.past is not None:
            continue
        if entry.origin == HOME_VOID:
            if at_home.pop(entry.subject_id, ()) != tuple(-fen for fen in moved):
                return False
        elif entry.origin in {"settlement", "void"} or min(moved) < 0:
            return False
        elif entry.origin == HOME:
            at_home[entry.subject_id] = moved
    return True


def _key(event: Event) -> tuple[str, str]:
    """Return what an entry and the void of it have in common."""
    if event.past is None:
        return HOME, event.entry.subject_id
    return event.past.row.visited_member, event.past.row.settlement_id


def _moved(entry: EntryRow) -> tuple[int, ...]:
    """Return what an entry moves, in the order of the table of openings."""
    return (
        entry.pool_fen,
        entry.large_fen,
        entry.deductible_fen,
        entry.admissions,
        entry.burden_fen,
        entry.catastrophic_fen,
        entry.assistance_fen,
    )


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH


def _word(known: tuple[str, ...], word: str | None) -> int:
    return known.index(word) if word in known else NONE


def not_reproduced(found: History, judged: Judged) -> int:
    """Count decisions that do not follow again, under the old rules, from the books of today."""
    return sum(_differs(judged, row, past) for row, past in found.pasts.items())


def _differs(judged: Judged, row: int, past: Past) -> bool:
    if judged.old.code[row]:
        return True
    result, facts = past.result, past.facts
    amounts = judged.old.amounts[row]
    outside = facts.totals.total_fen - facts.totals.in_scope_fen
    return (
        int(amounts[DEDUCTIBLE]) != result.deductible_fen
        or int(amounts[BURDEN]) != result.burden_fen
        or int(amounts[PERSON]) + outside != result.person_fen + result.hospital_fen
        or int(judged.old.year[row]) != past.row.year
    )
