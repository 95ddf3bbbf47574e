"""What settlement's own rows must agree on: computed anew and compared, for `journal verify`.

Storage and journal are checked before; here the rows are sound one by one, and the question is
whether they tell one story: entries and years, decisions and envelopes, amounts and ledger, stays
and settlements.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from tongcheng.kernel import canonical, journal
from tongcheng.kernel.envelope import Envelope
from tongcheng.kernel.exchange.tables import ACT_SENT, ACT_TAKEN, TAKEN
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal import JOURNAL_LEAVES
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.ledger import HOLDS, TRANSFERS, TransferRow
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Records, Snapshot
from tongcheng.kernel.store.records import show_key
from tongcheng.services.settlement import accumulators, bills, periods, purses
from tongcheng.services.settlement.accumulators import ENTRY_KIND
from tongcheng.services.settlement.booking.model import ORIGINS as HOME_ORIGINS
from tongcheng.services.settlement.catalogue_store import check_imports
from tongcheng.services.settlement.filings import check_filings
from tongcheng.services.settlement.model import (
    SETTLED,
    BenefitResult,
    FundPayment,
    ScopeTotals,
    SettleBody,
    StayFacts,
)
from tongcheng.services.settlement.statement_model import root_of
from tongcheng.services.settlement.statements import (
    STATEMENT_KIND,
    STATEMENTS,
    content_id,
    content_of,
    month_lines,
)
from tongcheng.services.settlement.store import (
    CLAIMS,
    DECISION_HEAD,
    DECISIONS,
    ENTRIES,
    STAYS,
    YEARS,
    ClaimRow,
    DecisionRow,
    EntryRow,
    StayRow,
    YearRow,
)

Moved = dict[tuple[str, str], int]
"""By purse and accounting month."""

IN_FORCE: Final[dict[tuple[str, bool], frozenset[str]]] = {
    ("pending", True): frozenset({"settling"}),
    ("pending", False): frozenset({"admitted_settling", "discharged_settling"}),
    ("settled", True): frozenset({"settled"}),
}
"""(state, final) of the settlement that a stay names → the states that the stay can be in."""


def _finding(records: Records[Any], row: msgspec.Struct, problem: str) -> Finding:
    return Finding(records.name, show_key(records.key_of(row)), problem)


# years and entries


def years(snapshot: Snapshot, _home: Home) -> Iterator[Finding]:
    """Rebuild every person's year from its entries, with the arithmetic that wrote it."""
    rebuilt: dict[tuple[str, str, int], YearRow] = {}
    for entry in snapshot.select(ENTRIES):
        key = (entry.person_key, entry.area_id, entry.year)
        before = rebuilt.get(key) or YearRow(*key, 0, 0, 0, 0, 0, 0, 0, 0)
        rebuilt[key] = accumulators.add(before, entry)
        if entry.entry_no != rebuilt[key].entries:
            yield _finding(ENTRIES, entry, "the entry's number leaves a gap")
    stored = {(row.person_key, row.area_id, row.year): row for row in snapshot.select(YEARS)}
    for key in sorted(rebuilt.keys() | stored.keys()):
        if rebuilt.get(key) != stored.get(key):
            shown = show_key(key)
            yield Finding(YEARS.name, shown, "the year is not the sum of its entries")


def entries(snapshot: Snapshot, home: Home) -> Iterator[Finding]:
    """Compare every entry with its journal content, and the journal with the entries."""
    kept = [entry for entry in snapshot.select(ENTRIES) if entry.origin not in HOME_ORIGINS]
    for entry in kept:
        content_id = accumulators.content_id(entry)
        content = journal.content(snapshot, home.ring, ENTRY_KIND, content_id)
        if content is None:
            # A content may be erased after retention; its leaf never is.
            if journal.leaf_of(snapshot, ENTRY_KIND, content_id) is None:
                yield _finding(ENTRIES, entry, "the entry has no leaf in the journal")
        elif content != canonical.encode(entry):
            yield _finding(ENTRIES, entry, "the entry differs from the journal")
    known = {accumulators.content_id(entry) for entry in kept}
    column = JOURNAL_LEAVES.c.content_id
    statement = sa.select(column).where(JOURNAL_LEAVES.c.kind == ENTRY_KIND).order_by(column)
    for (content_id,) in snapshot.query(statement):
        if content_id not in known:
            yield Finding(ENTRIES.name, content_id, "the journal knows an entry that is not here")


# the insured side


def decisions(snapshot: Snapshot, home: Home) -> Iterator[Finding]:
    """Compare decisions with their entries, their envelopes, the ledger and their count."""
    rows = snapshot.select(DECISIONS)
    by_number = _entries_by_number(snapshot)
    for row in rows:
        result = canonical.decode_as(row.result, BenefitResult)
        yield from _decision_sums(row, result)
        found = by_number.pop(row.decision_no, [])
        if [_bare(entry) for entry in found] != _expected_entries(row, result):
            yield _finding(DECISIONS, row, "the entries of the year are not this decision's")
        yield from _decision_envelopes(snapshot, home.ring, row)
        yield from _decision_money(snapshot, row, result)
    for number in sorted(by_number):
        key = accumulators.content_id(by_number[number][0])
        yield Finding(ENTRIES.name, key, "the entry names a decision that does not exist")
    yield from _decision_count(snapshot, rows)


def _entries_by_number(snapshot: Snapshot) -> dict[int, list[EntryRow]]:
    """Return the entries that decisions made, by decision, in the order they were made."""
    found: dict[int, list[EntryRow]] = {}
    for entry in sorted(snapshot.select(ENTRIES), key=lambda one: one.entry_no):
        if entry.origin not in {"opening", *HOME_ORIGINS}:
            found.setdefault(entry.decision_no, []).append(entry)
    return found


def _bare(entry: EntryRow) -> EntryRow:
    """Return an entry without its place and time: what the decision says of it."""
    return msgspec.structs.replace(entry, entry_no=0, at=0)


def _expected_entries(row: DecisionRow, result: BenefitResult) -> list[EntryRow]:
    ways = (False,) if row.state == "settled" else (False, True)
    return [accumulators.of_decision(row, result, back=back, at=0) for back in ways]


def _decision_sums(row: DecisionRow, result: BenefitResult) -> Iterator[Finding]:
    parts = result.fund_fen + result.hospital_fen + result.person_fen
    if (row.fund_fen, row.person_fen, row.total_fen) != (
        result.fund_fen,
        result.person_fen,
        parts,
    ):
        yield _finding(DECISIONS, row, "the amounts do not add up to the stored result")


def _decision_envelopes(snapshot: Snapshot, ring: KeyRing, row: DecisionRow) -> Iterator[Finding]:
    """Compare the stored facts and result with what came and what was answered."""
    asked = _content(snapshot, ring, ACT_TAKEN, row.settle_id)
    if asked is not None:
        if canonical.encode(asked.body["facts"]) != row.facts:
            yield _finding(DECISIONS, row, "the facts differ from the envelope that asked")
        facts = canonical.convert(asked.body, SettleBody).facts
        if (facts.stay_id, facts.period) != (row.stay_id, row.period):
            yield _finding(DECISIONS, row, "stay or period differ from the envelope that asked")
    taken = snapshot.get(TAKEN, row.settle_id)
    if taken is None or taken.answer_id is None:
        yield _finding(DECISIONS, row, "no envelope asked for this decision, or none answered it")
        return
    answer = _content(snapshot, ring, ACT_SENT, taken.answer_id)
    if answer is None:
        return
    said = (answer.type, answer.body["decision_no"], answer.body["month"])
    if said != (SETTLED, row.decision_no, row.month):
        yield _finding(DECISIONS, row, "number or month differ from the answer that was sent")
    if canonical.encode(answer.body["result"]) != row.result:
        yield _finding(DECISIONS, row, "the result differs from the answer that was sent")


def _decision_money(
    snapshot: Snapshot, row: DecisionRow, result: BenefitResult
) -> Iterator[Finding]:
    prefix = purses.due_to(row.visited_member, "")
    moved = _moved(snapshot, row.settlement_id, prefix, debit_is_more=False)
    if moved != _owed(result.funds, row.month, row.void_month):
        yield _finding(DECISIONS, row, "the ledger does not owe what was decided")


def _decision_count(snapshot: Snapshot, rows: list[DecisionRow]) -> Iterator[Finding]:
    head = snapshot.get(DECISION_HEAD, "decisions")
    count = 0 if head is None else head.count
    numbers = Counter(row.decision_no for row in rows)
    if numbers != Counter(range(1, count + 1)):
        yield Finding(
            DECISION_HEAD.name,
            "decisions",
            f"{count} decisions were counted, and they are not the {len(rows)} stored",
        )


# the visited side


def claims(snapshot: Snapshot, home: Home) -> Iterator[Finding]:
    """Compare claims with their envelopes and with the ledger."""
    for row in snapshot.select(CLAIMS):
        if snapshot.get(STAYS, row.stay_id) is None:
            yield _finding(CLAIMS, row, "its stay is not there")
        yield from _claim_envelopes(snapshot, home.ring, row)
        result = canonical.decode_as(row.result, BenefitResult) if row.result else None
        if result is not None:
            parts = (result.fund_fen, result.hospital_fen, result.person_fen)
            if parts != (row.fund_fen, row.hospital_fen, row.person_fen):
                yield _finding(CLAIMS, row, "the amounts are not those of the stored result")
            if sum(parts) != row.total_fen:
                yield _finding(CLAIMS, row, "the amounts do not add up to the bill")
        prefix = purses.due_from(row.insured_member, "")
        moved = _moved(snapshot, row.settlement_id, prefix, debit_is_more=True)
        funds = () if result is None else result.funds
        if moved != _owed(funds, row.month or "", row.void_month):
            yield _finding(CLAIMS, row, "the ledger is not owed what was settled")
        yield from _claim_holds(snapshot, row)


def _claim_envelopes(snapshot: Snapshot, ring: KeyRing, row: ClaimRow) -> Iterator[Finding]:
    asked = _content(snapshot, ring, ACT_SENT, row.settle_id)
    if asked is not None:
        body = canonical.convert(asked.body, SettleBody)
        if body.settlement_id != row.settlement_id:
            yield _finding(CLAIMS, row, "the envelope that asked is about another settlement")
        if _asked_for(body.facts) != _claimed(row):
            yield _finding(CLAIMS, row, "the claim differs from the envelope that asked")
    if not row.result:
        return
    if row.answer_id is None:
        yield _finding(CLAIMS, row, "the result has no answer that it came from")
        return
    answer = _content(snapshot, ring, ACT_TAKEN, row.answer_id)
    if answer is None:
        return
    if canonical.encode(answer.body["result"]) != row.result:
        yield _finding(CLAIMS, row, "the result differs from the answer that came")
    if (answer.body["decision_no"], answer.body["month"]) != (row.decision_no, row.month):
        yield _finding(CLAIMS, row, "number or month differ from the answer that came")


def _asked_for(facts: StayFacts) -> tuple[object, ...]:
    """Return what a claim must say of the facts that it was asked with."""
    days = (facts.period_from_on, facts.period_to_on, facts.final)
    place = (facts.institution_id, facts.insured_admdvs, facts.scheme)
    return (facts.stay_id, facts.period, *days, *place, facts.totals)


def _claimed(row: ClaimRow) -> tuple[object, ...]:
    parts = (row.self_paid_fen, row.over_ceiling_fen, row.first_self_pay_fen)
    totals = ScopeTotals(row.total_fen, *parts, row.in_scope_fen)
    days = (row.period_from_on, row.period_to_on, row.final)
    place = (row.institution_id, row.admdvs, row.scheme)
    return (row.stay_id, row.period, *days, *place, totals)


def _claim_holds(snapshot: Snapshot, row: ClaimRow) -> Iterator[Finding]:
    """A hold waits exactly as long as the insured side's answer to the settle.

    Where that answer could not be booked here, and the void was refused, people have to settle it.
    """
    if row.state == "disputed" and not row.result:
        return
    holds = snapshot.select(HOLDS, subject_id=row.settlement_id)
    waits = any(hold.closed_by is None for hold in holds)
    if holds and waits != (row.state in {"pending", "cancelling"}):
        problem = "a hold is open after the answer" if waits else "no hold is open while it waits"
        yield _finding(CLAIMS, row, problem)


def stays(snapshot: Snapshot, home: Home) -> Iterator[Finding]:
    """Compare every stay with its settlements in force, and the other way round."""
    for stay in snapshot.select(STAYS):
        claims = periods.in_force(snapshot, stay.stay_id)
        yield from _stay_named(snapshot, stay)
        yield from _stay_periods(stay, claims)
        lines = bills.active_lines(snapshot, stay.stay_id)
        taken = periods.lines_of(lines, claims, home.region.zone)
        for claim in claims:
            if sum(line.total_fen for line in taken[claim.period]) != claim.total_fen:
                yield _finding(CLAIMS, claim, "the lines of its period do not come to its total")


def _stay_named(snapshot: Snapshot, stay: StayRow) -> Iterator[Finding]:
    """Compare a stay with the settlement that it names: under way, or that of the last period."""
    claim = None if stay.claim_id is None else snapshot.get(CLAIMS, stay.claim_id)
    if stay.claim_id is None:
        if any(stay.state in states for states in IN_FORCE.values()):
            yield _finding(STAYS, stay, f"the stay is {stay.state} without a settlement")
    elif claim is None or claim.stay_id != stay.stay_id:
        yield _finding(STAYS, stay, "the settlement in force is not this stay's")
    elif stay.state not in IN_FORCE.get((claim.state, claim.final), frozenset()):
        yield _finding(STAYS, stay, f"the stay is {stay.state}, its settlement {claim.state}")


def _stay_periods(stay: StayRow, claims: list[ClaimRow]) -> Iterator[Finding]:
    """Check that a stay's settlements are its periods: counted from 1, abutting, one open."""
    if [claim.period for claim in claims] != list(range(1, len(claims) + 1)):
        yield _finding(STAYS, stay, "the settlements in force are not its periods in order")
    for before, after in pairwise(claims):
        next_day = date.fromisoformat(before.period_to_on) + timedelta(days=1)
        if before.final or next_day.isoformat() != after.period_from_on:
            yield _finding(CLAIMS, after, "the period does not begin after the one before")
    for claim in claims:
        is_open = claim.state == "pending" or claim.final
        if is_open and claim.settlement_id != stay.claim_id:
            problem = f"the settlement is {claim.state}, but no stay's in force"
            yield _finding(CLAIMS, claim, problem)
    settled = sum(1 for claim in claims if claim.settlement_id != stay.claim_id)
    if stay.period != settled + 1:
        yield _finding(STAYS, stay, f"period {stay.period} is open after {settled} settled ones")


def statements(snapshot: Snapshot, home: Home) -> Iterator[Finding]:
    """Compare statements with the journal, and agreed months with what the ledger holds now."""
    agreed = {content_id(row) for row in snapshot.select(STATEMENTS) if row.state == "agreed"}
    column = JOURNAL_LEAVES.c.content_id
    statement = sa.select(column).where(JOURNAL_LEAVES.c.kind == STATEMENT_KIND).order_by(column)
    for (leaf,) in snapshot.query(statement):
        if leaf.endswith("/agreed") and leaf not in agreed:
            yield Finding(STATEMENTS.name, leaf, "the journal knows an agreement that is not here")
    for row in snapshot.select(STATEMENTS):
        kept = journal.content(snapshot, home.ring, STATEMENT_KIND, content_id(row))
        if kept is not None and kept != content_of(row):
            yield _finding(STATEMENTS, row, "the statement differs from the journal")
        if row.state != "agreed":
            continue
        is_ours = row.visited_member == home.member_id
        prefix = (
            purses.due_from(row.insured_member, "")
            if is_ours
            else purses.due_to(row.visited_member, "")
        )
        lines = month_lines(snapshot, prefix, row.month, debit_is_more=is_ours)
        if root_of(lines) != row.root:
            yield _finding(STATEMENTS, row, "the ledger is not what was agreed for the month")


# both


def _content(snapshot: Snapshot, ring: KeyRing, kind: str, envelope_id: str) -> Envelope | None:
    """Return an envelope from the journal; None when its content was erased."""
    raw = journal.content(snapshot, ring, kind, envelope_id)
    return None if raw is None else canonical.decode_as(raw, Envelope)


def _moved(snapshot: Snapshot, subject_id: str, prefix: str, *, debit_is_more: bool) -> Moved:
    """Return what a settlement comes to by purse on the accounts that begin so."""
    moved: Moved = {}
    rows: list[TransferRow] = snapshot.select(TRANSFERS, subject_id=subject_id)
    for row in rows:
        on_debit, on_credit = (
            account.startswith(prefix) for account in (row.debit_account, row.credit_account)
        )
        if row.kind == "hold" or not (on_debit or on_credit):
            continue
        sign = 1 if on_debit == debit_is_more else -1
        key = (row.purse, row.month)
        moved[key] = moved.get(key, 0) + sign * row.amount_fen
    return {key: amount_fen for key, amount_fen in moved.items() if amount_fen}


def _owed(funds: Iterable[FundPayment], month: str, void_month: str | None) -> Moved:
    """Return what funds come to: in their month, and back in the month of a void."""
    owed: Moved = {}
    for one in funds:
        for booked, sign in ((month, 1), (void_month, -1)):
            if booked is not None:
                key = (one.purse, booked)
                owed[key] = owed.get(key, 0) + sign * one.amount_fen
    return {key: amount_fen for key, amount_fen in owed.items() if amount_fen}


VERIFY = (years, entries, decisions, claims, stays, statements, check_imports, check_filings)
"""What settlement registers with the node, beside what is booked in bulk."""
