"""What past settlements would have come to if another version of a rule book had been in force.

Each person's year is gone through in the order in which it was committed, twice. Once as it was:
every stored decision must follow again from its own book and from what had been used before it;
one that does not is a finding. And once with the edited book instead of its own for the days that
it covers, carrying anew what the person has used, voids and openings included: so a change early
in the year shows what follows from it later. Stored facts are taken as they are: who was insured
how, how the stay counted as filed, which year it belonged to.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement import accumulators
from tongcheng.services.settlement.benefit import day
from tongcheng.services.settlement.bill import Accumulators, Bill, admission_number
from tongcheng.services.settlement.books import overlay_of, tables_of
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.model import BenefitResult, StayFacts
from tongcheng.services.settlement.outcome import Benefit, accumulate
from tongcheng.services.settlement.rules import AT_HOME, PersonType
from tongcheng.services.settlement.store import DecisionRow, EntryRow
from tongcheng.services.settlement.tables import NO_CUT, BenefitTables, Cut

Kind = Literal["direct", "consequence"]
Fault = Literal["decision_missing", "book_unknown", "before_differs", "amounts_differ", "refused"]
NOTHING: Final = Accumulators()


class Past(msgspec.Struct, frozen=True):
    """A decision as it is stored, its facts and result decoded."""

    row: DecisionRow
    facts: StayFacts
    result: BenefitResult


class Event(msgspec.Struct, frozen=True):
    """One entry of a person's year; `past` is the decision that it settles or takes back.

    An opening has none; any other entry without one is a finding.
    """

    entry: EntryRow
    past: Past | None


class Amounts(msgspec.Struct, frozen=True):
    """What a settlement comes to, in fen.

    `funds` pay at discharge; `announced` would pay later, None where that is not known.
    """

    deductible_fen: int
    person_fen: int
    funds: dict[str, int]
    announced: dict[str, int | None]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement that would differ.

    `direct`: by the edited rule itself; `consequence`: only because the year before it would have
    been another. `after` is None where it would have been refused, with `refused` as the code. A
    `voided` one was taken back and changes nothing in the end.
    """

    decision_no: int
    settlement_id: str
    visited_member: str
    person_key: str
    year: int
    ended_on: str
    person_type: str
    hospital_level: int
    kind: Kind
    voided: bool
    before: Amounts
    after: Amounts | None
    refused: str | None = None


class NotReproduced(msgspec.Struct, frozen=True):
    """A stored decision that does not follow again from its own book."""

    decision_no: int
    settlement_id: str
    fault: Fault


class Replayed(msgspec.Struct):
    """What came of some years: counts, and decisions that could not be reproduced.

    `under_book` are decisions that the edited book would have decided.
    """

    decisions: int = 0
    under_book: int = 0
    not_reproduced: list[NotReproduced] = []


class Replay:
    """Replays years under one edited book, and tells of each settlement that would change.

    `find` returns a book that the node knows by its digest. Changes are told and not kept, so that
    a long history needs no more memory than a short one.
    """

    def __init__(
        self,
        edited: RuleBook,
        find: Callable[[str], RuleBook | None],
        tell: Callable[[Change], None],
    ) -> None:
        self._edited = edited
        self._tell = tell
        self._tables = compile_benefit(edited)
        self._find = find
        self.found = Replayed()

    def year(self, events: Sequence[Event]) -> None:
        """Replay one person's year, its entries in the order in which they were made."""
        was, now = NOTHING, NOTHING
        moved: dict[tuple[str, str], Accumulators] = {}
        taken_back = {
            _key(event.past)
            for event in events
            if event.past is not None and event.entry.origin == "void"
        }
        for event in events:
            entry, past = _moved_by(event.entry), event.past
            if past is None:
                now = _plus(now, entry)
                if event.entry.origin == "settlement":
                    self._find_fault(event.entry, "decision_missing")
            elif event.entry.origin == "void":
                now = _plus(now, moved[_key(past)], sign=-1)
            else:
                voided = _key(past) in taken_back
                moved[_key(past)] = self._settlement(past, was, now, voided=voided)
                now = _plus(now, moved[_key(past)])
            was = _plus(was, entry)

    def _settlement(
        self, past: Past, was: Accumulators, now: Accumulators, *, voided: bool
    ) -> Accumulators:
        """Replay one settlement and return what it would have used of the year."""
        self.found.decisions += 1
        self._reproduce(past, was)
        result, stored = past.result, _stored(past)
        tables = self._own(past)
        edited = self._edited
        if result.book_id == edited.book_id and edited.covers(day(past.facts.period_to_on)):
            self.found.under_book += 1
            tables = self._tables
        if tables is None:
            return _used(past)
        after, refused, benefit = self._settled(past, tables, now)
        if after != stored:
            same, _, _ = self._settled(past, tables, was)
            self._tell(
                Change(
                    decision_no=past.row.decision_no,
                    settlement_id=past.row.settlement_id,
                    visited_member=past.row.visited_member,
                    person_key=past.row.person_key,
                    year=past.row.year,
                    ended_on=past.facts.period_to_on,
                    person_type=result.person_type,
                    hospital_level=past.facts.hospital_level,
                    kind="consequence" if same == stored else "direct",
                    voided=voided,
                    before=stored,
                    after=after,
                    refused=refused,
                )
            )
        return NOTHING if benefit is None else accumulate(NOTHING, benefit)

    def _settled(
        self, past: Past, tables: BenefitTables, before: Accumulators
    ) -> tuple[Amounts | None, str | None, Benefit | None]:
        """Return the amounts, or the code of the refusal."""
        try:
            benefit = settle(tables, _bill(past, before), before, self._cut(past))
        except Refused as refused:
            return None, refused.code, None
        return _amounts(benefit), None, benefit

    def _own(self, past: Past) -> BenefitTables | None:
        book = self._find(past.result.book_digest)
        return None if book is None else tables_of(book)

    def _cut(self, past: Past) -> Cut:
        """Return what the stay's filing took off, by the book that said so then."""
        if past.result.filing in AT_HOME or past.result.overlay_digest is None:
            return NO_CUT
        book = self._find(past.result.overlay_digest)
        return NO_CUT if book is None else overlay_of(book).cut(past.result.filing)

    def _reproduce(self, past: Past, was: Accumulators) -> None:
        """Look whether a stored decision follows again from its own book and year."""
        fault: Fault | None = None
        tables = self._own(past)
        stated = {name: getattr(past.result.before, name) for name in NOTHING.__struct_fields__}
        if tables is None:
            fault = "book_unknown"
        elif Accumulators(**stated) != was:
            fault = "before_differs"
        else:
            again, _, benefit = self._settled(past, tables, was)
            if benefit is None:
                fault = "refused"
            elif again != _stored(past) or accumulate(NOTHING, benefit) != _used(past):
                fault = "amounts_differ"
        if fault is not None:
            self._find_fault(
                accumulators.of_decision(past.row, past.result, back=False, at=0), fault
            )

    def _find_fault(self, entry: EntryRow, fault: Fault) -> None:
        found = NotReproduced(entry.decision_no, entry.subject_id, fault)
        self.found.not_reproduced.append(found)


def _key(past: Past) -> tuple[str, str]:
    return past.row.visited_member, past.row.settlement_id


def _bill(past: Past, before: Accumulators) -> Bill:
    """Return the case as it was put to the engine, its admission counted anew."""
    facts, result = past.facts, past.result
    return Bill(
        in_scope_fen=facts.totals.in_scope_fen,
        total_fen=facts.totals.total_fen,
        person_type=msgspec.convert(result.person_type, PersonType),
        hospital_level=facts.hospital_level,
        admission_number=admission_number(before.admissions, result.period_number),
        hospital_subtype=facts.hospital_subtype,
        tier=result.tier,
        category=result.category,
        filing=result.filing,
        period_number=result.period_number,
    )


def _amounts(benefit: Benefit) -> Amounts:
    assert benefit.personal_total_fen is not None, "the bill's total was given"
    return Amounts(
        deductible_fen=benefit.deductible_fen,
        person_fen=benefit.personal_total_fen,
        funds=dict(benefit.funds),
        announced={each.fund: each.amount_fen for each in benefit.announced},
    )


def _stored(past: Past) -> Amounts:
    result = past.result
    return Amounts(
        deductible_fen=result.deductible_fen,
        person_fen=result.person_fen,
        funds={each.fund: each.amount_fen for each in result.funds},
        announced={each.fund: each.expected_fen for each in result.announced},
    )


def _used(past: Past) -> Accumulators:
    """Return what a stored decision used of the year."""
    return _moved_by(accumulators.of_decision(past.row, past.result, back=False, at=0))


def _moved_by(entry: EntryRow) -> Accumulators:
    return Accumulators(
        pool_paid_fen=entry.pool_fen,
        large_paid_fen=entry.large_fen,
        deductible_paid_fen=entry.deductible_fen,
        admissions=entry.admissions,
        burden_fen=entry.burden_fen,
        catastrophic_paid_fen=entry.catastrophic_fen,
        assistance_paid_fen=entry.assistance_fen,
    )


def _plus(one: Accumulators, other: Accumulators, sign: int = 1) -> Accumulators:
    names = one.__struct_fields__
    sums = {name: getattr(one, name) + sign * getattr(other, name) for name in names}
    return Accumulators(**sums)
