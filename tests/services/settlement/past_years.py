"""Made-up years of one person, decided under a book, as a node would have committed them.

Amounts and persons are synthetic.
"""

from typing import Any, Literal

import msgspec
from hypothesis import strategies as st

from tongcheng.kernel import canonical
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement import accumulators
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.books import tables_of
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.model import (
    AccumulatorTotals,
    Announced,
    BenefitResult,
    FundPayment,
    ScopeTotals,
    StayFacts,
)
from tongcheng.services.settlement.replay import Event, Past
from tongcheng.services.settlement.rules import PersonType
from tongcheng.services.settlement.store import DecisionRow, EntryRow
from tongcheng.services.settlement.tables import NO_CUT

Move = tuple[Literal["opening", "stay", "void", "home", "home_void"], int]
"""An opening or a booked claim at home of so many fen from the pool, a stay of so many fen, or the
void of the n-th stay or of the n-th claim at home."""
MOVES = st.lists(
    st.tuples(st.just("opening"), st.integers(0, 12_000_00))
    | st.tuples(st.just("stay"), st.integers(0, 40_000_00))
    | st.tuples(st.just("void"), st.integers(0, 5))
    | st.tuples(st.just("home"), st.integers(0, 12_000_00))
    | st.tuples(st.just("home_void"), st.integers(0, 2)),
    max_size=8,
)


def facts_of(in_scope: int, ended_on: str) -> StayFacts:
    """Return the facts of a synthetic stay, all of it in scope."""
    return StayFacts(
        stay_id="S",
        period=1,
        period_from_on=ended_on,
        period_to_on=ended_on,
        final=True,
        person_id="P",
        scheme="310",
        insured_admdvs="999999",
        institution_id="H",
        institution_admdvs="999998",
        hospital_level=3,
        hospital_subtype=None,
        emergency=False,
        admitted_on=ended_on,
        discharged_on=ended_on,
        totals=ScopeTotals(in_scope, 0, 0, 0, in_scope),
        catalogue="0" * 64,
        lines_root="0" * 64,
        line_count=1,
    )


def decided(
    book: RuleBook, number: int, in_scope: int, before: Accumulators, ended_on: str
) -> Past:
    """Return the decision that a book gives on a stay, as a node stores it."""
    person: PersonType = "active"
    facts = facts_of(in_scope, ended_on)
    bill = Bill(
        in_scope_fen=in_scope,
        total_fen=in_scope,
        person_type=person,
        hospital_level=3,
        admission_number=before.admissions + 1,
        filing="deemed",
    )
    benefit = settle(tables_of(book), bill, before, NO_CUT)
    layers: dict[str, Any] = {term.fund: term.layer for term in tables_of(book).funds}
    person_fen = benefit.personal_total_fen
    assert person_fen is not None
    result = BenefitResult(
        person_type=person,
        tier=None,
        category="general",
        filing="deemed",
        filing_rule=None,
        admission_number=bill.admission_number,
        period_number=1,
        funds=[FundPayment(fund, layers[fund], f"x/{fund}", fen) for fund, fen in benefit.funds],
        announced=[
            Announced(each.fund, each.paid_at, each.amount_fen) for each in benefit.announced
        ],
        hospital_fen=0,
        person_fen=person_fen,
        account_fen=0,
        deductible_fen=benefit.deductible_fen,
        pool_self_fen=benefit.pool_self_fen,
        large_self_fen=benefit.large_self_fen,
        burden_fen=benefit.burden_fen,
        rounding_residual_fen=benefit.rounding_residual_fen,
        before=AccumulatorTotals(2026, origins={}, **msgspec.structs.asdict(before)),
        book_id=book.book_id,
        book_digest=book.digest,
        book_status="draft",
        overlay_digest=None,
        trace=list(benefit.trace),
    )
    return Past(row_of(number, facts, result), facts, result)


def row_of(number: int, facts: StayFacts, result: BenefitResult) -> DecisionRow:
    """Return a decision's row."""
    return DecisionRow(
        visited_member="away",
        settlement_id=f"T{number}",
        decision_no=number,
        state="settled",
        stay_id=f"S{number}",
        period=1,
        person_key="K",
        area_id="home",
        year=2026,
        month="2026-01",
        void_month=None,
        settle_id=f"E{number}",
        void_id=None,
        total_fen=facts.totals.total_fen,
        fund_fen=result.fund_fen,
        person_fen=result.person_fen,
        facts=canonical.encode(facts),
        result=canonical.encode(result),
        decided_at=0,
    )


def opening(pool_fen: int) -> EntryRow:
    """Return an imported opening of a year, in which the pool has paid."""
    return EntryRow("K", "home", 2026, 0, "opening", "core", 0, pool_fen, 0, 0, 0, 0, 0, 0, 0)


def at_home(claims: list[int], kind: Literal["home", "home_void"], value: int) -> EntryRow | None:
    """Return a claim booked at home, which is added to `claims`, or the void of the n-th of them.

    None where there is none, or its void was booked before.
    """
    if kind == "home":
        claims.append(value)
        return EntryRow("K", "home", 2026, 0, kind, f"{len(claims)}", 0, value, 0, 7, 1, 9, 0, 0, 0)
    if not 0 <= value < len(claims) or claims[value] < 0:
        return None
    fen, claims[value] = claims[value], -1
    return EntryRow("K", "home", 2026, 0, kind, f"{value + 1}", 0, -fen, 0, -7, -1, -9, 0, 0, 0)


def history(book: RuleBook, moves: list[Move], ended_on: str = "2026-03-01") -> list[Event]:
    """Return a person's year as a node would have committed it under a book."""
    used, events, stays, claims = Accumulators(), list[Event](), list[Past](), list[int]()
    gone: set[int] = set()
    for kind, value in moves:
        entry: EntryRow | None
        past: Past | None
        if kind == "opening":
            entry, past = opening(value), None
        elif kind in {"home", "home_void"}:
            entry, past = at_home(claims, kind, value), None
            if entry is None:
                continue
        elif kind == "stay":
            past = decided(book, len(stays) + 1, value, used, ended_on)
            stays.append(past)
            entry = accumulators.of_decision(past.row, past.result, back=False, at=0)
        else:
            if not 0 <= value < len(stays) or value in gone:
                continue
            gone.add(value)
            past = stays[value]
            entry = accumulators.of_decision(past.row, past.result, back=True, at=0)
        events.append(Event(entry, past))
        names = {
            "pool_paid_fen": entry.pool_fen,
            "large_paid_fen": entry.large_fen,
            "deductible_paid_fen": entry.deductible_fen,
            "admissions": entry.admissions,
            "burden_fen": entry.burden_fen,
        }
        used = Accumulators(**{name: getattr(used, name) + fen for name, fen in names.items()})
    return events
