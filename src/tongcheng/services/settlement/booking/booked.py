"""What is booked already under the ids of some rows, as the entries and the leaves tell it."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

import sqlalchemy as sa

from tongcheng.kernel.journal import JOURNAL_LEAVES
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement.batch.arrays import NONE, Events
from tongcheng.services.settlement.batch.plan import Plan
from tongcheng.services.settlement.booking.model import (
    HOME,
    HOME_VOID,
    LOT_KIND,
    NUMBERS,
    WORDS,
    Lot,
    lot_of,
    subject,
)
from tongcheng.services.settlement.store import ENTRIES

ASKED_AT_ONCE: Final = 500
T = TypeVar("T")
Facts = dict[str, str | int]
"""The columns of a claim that its leaf tells, by name; words as words."""


class Entry(NamedTuple):
    """Whose an entry of a claim or of its void is, and the amount in scope in fen.

    `claim_id` is the row that made it, "" where no leaf tells; `facts` are those of a claim whose
    leaf tells them.
    """

    person_key: str
    in_scope_fen: int
    claim_id: str = ""
    facts: Facts | None = None


Booked = dict[tuple[str, str], Entry]
"""Subject and origin of an entry → the entry."""


def booked(snapshot: Snapshot, ring: KeyRing, claim_ids: list[str]) -> Booked:
    """Return what is booked of claims, and of their voids."""
    found: Booked = {}
    booked_at: set[int] = set()
    of = ENTRIES.c
    # In scope is what pool and large-amount fund pay and what is left for the person.
    in_scope = of.pool_fen + of.large_fen + of.burden_fen
    for some in in_parts([subject(claim_id) for claim_id in claim_ids]):
        asked = sa.select(of.subject_id, of.origin, of.at, of.person_key, in_scope)
        for about, origin, at, *entry in snapshot.query(asked.where(of.subject_id.in_(some))):
            found[about, origin] = Entry(*entry)
            booked_at.add(at)
    for lot in _lots(snapshot, ring, booked_at):
        for key, claim_id, facts in _told(lot, found):
            found[key] = found[key]._replace(claim_id=claim_id, facts=facts)
    return found


def _lots(snapshot: Snapshot, ring: KeyRing, booked_at: set[int]) -> Iterator[Lot]:
    """Return the leaves of the commits of some instants, but those whose content is no more."""
    of = JOURNAL_LEAVES.c
    for some in in_parts(sorted(booked_at)):
        asked = sa.select(of.content_id).where(of.kind == LOT_KIND, of.at.in_(some))
        for (lot_id,) in snapshot.query(asked):
            lot = lot_of(snapshot, ring, lot_id)
            if lot is not None:
                yield lot


def _told(lot: Lot, wanted: Booked) -> Iterator[tuple[tuple[str, str], str, Facts | None]]:
    """Return of each wanted entry of a leaf the row that made it, and a claim's facts."""
    claim_ids, reverses = lot.texts["claim_id"], lot.texts["reverses"]
    origins, numbers = lot.origins(), {name: lot.column(name) for name in (*NUMBERS, *WORDS)}
    places = lot.column("place")
    for at, (claim_id, origin) in enumerate(zip(claim_ids, origins, strict=True)):
        about = (subject(claim_id if origin == HOME else reverses[at]), origin)
        if about not in wanted:
            continue
        facts: Facts = {name: numbers[name][at] for name in NUMBERS}
        facts |= {name: _word(lot.words[name], numbers[name][at]) for name in WORDS}
        facts["admdvs"], facts["scheme"] = lot.places[places[at]]
        facts["institution_id"] = lot.texts["institution_id"][at]
        yield about, claim_id, facts if origin == HOME else None
    for void_id, claim_id in lot.taken_back_by:
        about = (subject(claim_id), HOME_VOID)
        if about in wanted:
            yield about, void_id, None


def facts_of(plan: Plan, events: Events, row: int, institution_id: str) -> Facts:
    """Return the facts of a row as its leaf would tell them."""
    columns = events._asdict() | {"event": events.kind}
    facts: Facts = {name: int(columns[name][row]) for name in NUMBERS}
    facts |= {name: _word(words, int(columns[name][row])) for name, words in WORDS.items()}
    place = plan.places[events.place[row]]
    facts |= {"admdvs": place.area_id, "scheme": place.scheme}
    return facts | {"institution_id": institution_id}


def _word(words: Sequence[str], place: int) -> str:
    return "" if place == NONE else words[place]


def in_parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Return values some at a time, as many as one question names."""
    return (values[at : at + ASKED_AT_ONCE] for at in range(0, len(values), ASKED_AT_ONCE))
