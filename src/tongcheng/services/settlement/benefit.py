"""From a stay's facts to a decision: which book, which year, which amounts.

Reads books and accumulators, computes with the engine, writes nothing: the same function serves
the decision, the estimate before it, and whoever recomputes it years later.
"""

from collections.abc import Callable, Sequence
from datetime import date

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.store import Reading
from tongcheng.services.settlement import engine, purses
from tongcheng.services.settlement.bill import Accumulators, Bill, admission_number
from tongcheng.services.settlement.books import (
    benefit_book_id,
    overlay_book,
    overlay_of,
    tables_of,
)
from tongcheng.services.settlement.model import (
    AccumulatorTotals,
    Announced,
    BenefitResult,
    FundPayment,
    StayFacts,
)
from tongcheng.services.settlement.overlay import Overlay
from tongcheng.services.settlement.rules import Category, Filing, Layer, PersonType, Tier
from tongcheng.services.settlement.store import (
    ENTRIES,
    FILINGS,
    YEARS,
    DecisionRow,
    FilingRow,
    PersonRow,
)
from tongcheng.services.settlement.tables import NO_CUT, Cut, RuleRef


def day(text: str) -> date:
    """Read a day of the wire; the pattern was checked, the day may still not exist."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("DATE_MALFORMED", given=text) from None


def book_for(home: Home, person: PersonRow, on: date) -> RuleBook:
    """Return the benefit rule book of a person's own area and scheme on a day.

    Refuses as `books.benefit_book_id` and `Shelf.at`.
    """
    name = benefit_book_id(home.shelf, home.region, person.admdvs, person.scheme)
    return home.shelf.at(name, on)


def year_of_stay(home: Home, person: PersonRow, facts: StayFacts) -> int:
    """Return the calendar year whose accumulators a period of a stay uses, by `year_of`."""
    admitted, begins, ends = (
        day(each) for each in (facts.admitted_on, facts.period_from_on, facts.period_to_on)
    )
    if not admitted <= begins <= ends or (
        facts.discharged_on is not None and day(facts.discharged_on) < ends
    ):
        raise Refused("STAY_DATES", admitted=facts.admitted_on, discharged=facts.period_to_on)
    if admitted.year == ends.year:
        return ends.year
    book = book_for(home, person, ends)
    year_of = tables_of(book).year_of
    if year_of == "discharge":
        return ends.year
    if year_of == "admission":
        return admitted.year
    if year_of == "split":
        if begins.year != ends.year:
            raise Refused("PERIOD_CROSSES_YEAR", stay=facts.stay_id, last=f"{begins.year}-12-31")
        return ends.year
    raise Refused("RULE_UNKNOWN", rule="rules.period.year_of", book=book.book_id)


class Filed(msgspec.Struct, frozen=True):
    """How a stay counts as filed (备案), by which rule, what it costs, and the book that says so.

    `overlay_digest` is None in a region without a book on stays elsewhere: there nothing is cut.
    `on_draft` tells whether that book is a draft.
    """

    filing: Filing
    rule: RuleRef | None
    cut: Cut
    overlay_digest: str | None
    on_draft: bool


def filed_between(
    home: Home, on: date, insured: str, visited: str, filing_of: Callable[[Overlay], Filing]
) -> Filed:
    """Return how a stay that ends on a day counts between two divisions.

    `filing_of` says how it was filed; it is asked only where the region has not agreed that every
    stay counts as filed (视同备案). Refuses RULE_BOOK_MISSING, RULE_BOOK_DRAFT, RULE_BOOKS_RIVAL.
    """
    book = overlay_book(home.shelf, on)
    if book is None or insured == visited:
        return Filed("local", None, NO_CUT, None, on_draft=False)
    terms, on_draft = overlay_of(book), book.status == "draft"
    deemed = terms.deemed_between(insured, visited)
    if deemed is not None:
        return Filed("deemed", deemed, NO_CUT, book.digest, on_draft)
    filing = filing_of(terms)
    cut = terms.cut(filing)
    return Filed(filing, cut.ref, cut, book.digest, on_draft)


def filed(home: Home, person: PersonRow, facts: StayFacts, filings: Sequence[FilingRow]) -> Filed:
    """Return how a stay counts as filed.

    First what the region has agreed, then a filing made for the place, also one made after the
    admission but before this settlement, then an emergency rescue; else it is not filed.
    """
    valid = [
        row
        for row in filings
        if facts.institution_admdvs.startswith(row.place)
        and row.from_on <= facts.period_to_on
        and (row.to_on is None or row.to_on >= facts.admitted_on)
    ]

    def filing_of(terms: Overlay) -> Filing:
        if valid:
            latest = max(valid, key=lambda row: row.number)
            made: Filing = msgspec.convert(latest.filing, Filing)
            return made
        return "emergency" if facts.emergency and terms.emergency_filed else "other"

    on, insured = day(facts.period_to_on), person.admdvs
    return filed_between(home, on, insured, facts.institution_admdvs, filing_of)


def filed_by(reading: Reading, home: Home, person: PersonRow, facts: StayFacts) -> Filed:
    """Return how a stay counts as filed by what this node keeps of the person."""
    return filed(home, person, facts, reading.select(FILINGS, person_key=person.person_key))


def period_of_year(standing: Sequence[DecisionRow], year: int) -> int:
    """Return the number of the next settlement period of a stay in a year, from 1.

    `standing` are the decisions on the stay that stand.
    """
    return sum(row.year == year for row in standing) + 1


def year_totals(reading: Reading, person_key: str, area_id: str, year: int) -> AccumulatorTotals:
    """Return what a person has used in a year, and how many entries of each origin say so."""
    row = reading.get(YEARS, person_key, area_id, year)
    origins: dict[str, int] = {}
    for entry in reading.select(ENTRIES, person_key=person_key, area_id=area_id, year=year):
        origins[entry.origin] = origins.get(entry.origin, 0) + 1
    if row is None:
        return AccumulatorTotals(year, 0, 0, 0, 0, 0, 0, 0, origins)
    return AccumulatorTotals(
        year=year,
        pool_paid_fen=row.pool_paid_fen,
        large_paid_fen=row.large_paid_fen,
        deductible_paid_fen=row.deductible_paid_fen,
        admissions=row.admissions,
        burden_fen=row.burden_fen,
        catastrophic_paid_fen=row.catastrophic_paid_fen,
        assistance_paid_fen=row.assistance_paid_fen,
        origins=origins,
    )


def bill_of(
    person: PersonRow, facts: StayFacts, before: AccumulatorTotals, how: Filed, period: int
) -> Bill:
    """Return the case as the engine is asked about it."""
    return Bill(
        in_scope_fen=facts.totals.in_scope_fen,
        total_fen=facts.totals.total_fen,
        person_type=msgspec.convert(person.person_type, PersonType),
        hospital_level=facts.hospital_level,
        admission_number=admission_number(before.admissions, period),
        hospital_subtype=facts.hospital_subtype,
        tier=msgspec.convert(person.tier, Tier | None),
        category=msgspec.convert(person.category, Category),
        filing=how.filing,
        period_number=period,
    )


def used_before(before: AccumulatorTotals) -> Accumulators:
    """Return a year's totals as the engine takes them."""
    return Accumulators(
        **{field: getattr(before, field) for field in Accumulators.__struct_fields__}
    )


def decide(
    home: Home,
    person: PersonRow,
    facts: StayFacts,
    before: AccumulatorTotals,
    how: Filed,
    period: int = 1,
) -> BenefitResult:
    """Compute the amounts of one settlement; refuses by name what the book cannot decide.

    `how` is how the stay counts as filed, `period` the number of its settlement period in the year.
    """
    if not facts.totals.adds_up():
        raise Refused("TOTALS_DO_NOT_ADD_UP", total_fen=facts.totals.total_fen)
    book = book_for(home, person, day(facts.period_to_on))
    bill = bill_of(person, facts, before, how, period)
    benefit = engine.settle(tables_of(book), bill, used_before(before), how.cut)
    area = home.region.area_of(person.admdvs, "settlement")
    layers = {term.fund: term.layer for term in tables_of(book).funds}
    person_fen = benefit.personal_total_fen
    assert person_fen is not None, "the bill's total was given"
    return BenefitResult(
        person_type=person.person_type,
        tier=bill.tier,
        category=bill.category,
        filing=how.filing,
        filing_rule=how.rule,
        admission_number=bill.admission_number,
        period_number=period,
        funds=[
            _payment(purses.purse_id(area.id, person.scheme, fund), fund, layers[fund], fen)
            for fund, fen in benefit.funds
        ],
        announced=[
            Announced(fund=each.fund, paid_at=each.paid_at, expected_fen=each.amount_fen)
            for each in benefit.announced
        ],
        hospital_fen=0,
        person_fen=person_fen,
        account_fen=0,
        deductible_fen=benefit.deductible_fen,
        pool_self_fen=benefit.pool_self_fen,
        large_self_fen=benefit.large_self_fen,
        burden_fen=benefit.burden_fen,
        rounding_residual_fen=benefit.rounding_residual_fen,
        before=before,
        book_id=book.book_id,
        book_digest=book.digest,
        book_status="draft" if how.on_draft else book.status,
        overlay_digest=how.overlay_digest,
        trace=list(benefit.trace),
    )


def _payment(purse: str, fund: str, layer: Layer, amount_fen: int) -> FundPayment:
    assert layer != "announced", "what is only announced is not in the bill"
    return FundPayment(fund=fund, layer=layer, purse=purse, amount_fen=amount_fen)
