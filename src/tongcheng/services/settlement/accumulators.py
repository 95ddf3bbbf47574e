"""A person's year: what was used, entry by entry, each with its origin (年度累计).

Accumulators are per person, calendar year and pooling area and change in this node's commit
order. They are only true if what happened elsewhere reaches them too, so every entry says where
it came from: an import from the agency's own system, a settlement of ours, or its void.
"""

import msgspec

from tongcheng.kernel import canonical, journal
from tongcheng.kernel.store import Transaction
from tongcheng.services.settlement.bill import Accumulators
from tongcheng.services.settlement.model import BenefitResult
from tongcheng.services.settlement.store import (
    ENTRIES,
    PERSONS,
    YEARS,
    DecisionRow,
    EntryRow,
    YearRow,
)

ENTRY_KIND = "settlement_entry"


def import_opening(
    tx: Transaction, person_key: str, year: int, used: Accumulators, reference: str
) -> None:
    """Book what a person had used before this node began to count, from the agency's records."""
    person = tx.need(PERSONS, person_key)
    area = tx.home.region.area_of(person.admdvs, "settlement")
    entry = EntryRow(
        person_key=person_key,
        area_id=area.id,
        year=year,
        entry_no=0,
        origin="opening",
        subject_id=reference,
        decision_no=0,
        pool_fen=used.pool_paid_fen,
        large_fen=used.large_paid_fen,
        deductible_fen=used.deductible_paid_fen,
        admissions=used.admissions,
        burden_fen=used.burden_fen,
        catastrophic_fen=used.catastrophic_paid_fen,
        assistance_fen=used.assistance_paid_fen,
        at=tx.now_at,
    )
    move(tx, entry)


def of_decision(row: DecisionRow, result: BenefitResult, *, back: bool, at: int) -> EntryRow:
    """Return the change of the year that a settlement makes, or its exact negative for a void.

    Not numbered yet: `move` gives it its `entry_no`.
    """
    sign = -1 if back else 1
    paid = {payment.layer: payment.amount_fen for payment in result.funds}
    return EntryRow(
        person_key=row.person_key,
        area_id=row.area_id,
        year=row.year,
        entry_no=0,
        origin="void" if back else "settlement",
        subject_id=row.settlement_id,
        decision_no=row.decision_no,
        pool_fen=sign * paid["pool"],
        large_fen=sign * paid.get("large", 0),
        deductible_fen=sign * result.deductible_fen,
        admissions=sign if result.period_number == 1 else 0,
        burden_fen=sign * result.burden_fen,
        catastrophic_fen=sign * paid.get("catastrophic", 0),
        assistance_fen=sign * paid.get("assistance", 0),
        at=at,
    )


def move(tx: Transaction, entry: EntryRow) -> None:
    """Add one entry, numbered, to a person's year and to the journal."""
    key = (entry.person_key, entry.area_id, entry.year)
    before = tx.get(YEARS, *key) or YearRow(*key, 0, 0, 0, 0, 0, 0, 0, 0)
    after = add(before, entry)
    numbered = msgspec.structs.replace(entry, entry_no=after.entries)
    tx.add(ENTRIES, numbered)
    tx.put(YEARS, after)
    journal.append(tx, ENTRY_KIND, content_id(numbered), canonical.encode(numbered))


def content_id(entry: EntryRow) -> str:
    """Return the id of an entry's leaf in the journal."""
    return f"{entry.person_key}/{entry.area_id}/{entry.year}/{entry.entry_no}"


def add(before: YearRow, entry: EntryRow) -> YearRow:
    """Return a person's year after one entry: the one arithmetic, for writing and verifying."""
    return msgspec.structs.replace(
        before,
        pool_paid_fen=before.pool_paid_fen + entry.pool_fen,
        large_paid_fen=before.large_paid_fen + entry.large_fen,
        deductible_paid_fen=before.deductible_paid_fen + entry.deductible_fen,
        admissions=before.admissions + entry.admissions,
        burden_fen=before.burden_fen + entry.burden_fen,
        catastrophic_paid_fen=before.catastrophic_paid_fen + entry.catastrophic_fen,
        assistance_paid_fen=before.assistance_paid_fen + entry.assistance_fen,
        entries=before.entries + 1,
    )
