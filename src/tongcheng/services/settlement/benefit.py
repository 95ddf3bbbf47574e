"""From a stay's facts to a decision: which book, which year, which amounts.

Reads books and accumulators, computes with the engine, writes nothing: the same function serves
the decision, the estimate before it, and whoever recomputes it years later.
"""

from datetime import date

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.store import Reading
from tongcheng.services.settlement import engine, purses
from tongcheng.services.settlement.model import (
    AccumulatorTotals,
    Announced,
    BenefitResult,
    FundPayment,
    StayFacts,
)
from tongcheng.services.settlement.rules import Layer, PersonType
from tongcheng.services.settlement.store import ENTRIES, YEARS, PersonRow
from tongcheng.services.settlement.tables import BenefitTables, compile_benefit

BENEFIT_KIND = "benefit"
BOOKS_COMPILED_MAX = 256


def day(text: str) -> date:
    """Read a day of the wire; the pattern was checked, the day may still not exist."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("DATE_MALFORMED", given=text) from None


def book_for(home: Home, person: PersonRow, on: date) -> RuleBook:
    """Return the benefit rule book of a person's own area and scheme on a day.

    An area without a book is refused by name; it is never given its neighbour's.
    """
    area = home.region.area_of(person.admdvs, "settlement")
    for book in home.shelf:
        if book.kind != BENEFIT_KIND or book.scheme != person.scheme:
            continue
        if home.region.area_of(book.admdvs, "settlement").id == area.id:
            return home.shelf.at(book.book_id, on)
    raise Refused("AREA_WITHOUT_RULE_BOOK", area=area.id, scheme=person.scheme)


_COMPILED: dict[tuple[str, str], BenefitTables] = {}


def tables_of(book: RuleBook) -> BenefitTables:
    """Return a book's compiled tables; a book is compiled once."""
    key = (book.digest, book.status)
    if key not in _COMPILED:
        assert len(_COMPILED) < BOOKS_COMPILED_MAX, "a node knows a bounded number of books"
        _COMPILED[key] = compile_benefit(book)
    return _COMPILED[key]


def year_of_stay(home: Home, person: PersonRow, facts: StayFacts) -> int:
    """Return the calendar year whose accumulators a stay uses, by the book's `year_of`."""
    admitted, discharged = day(facts.admitted_on), day(facts.discharged_on)
    if discharged < admitted:
        raise Refused("STAY_DATES", admitted=facts.admitted_on, discharged=facts.discharged_on)
    if admitted.year == discharged.year:
        return discharged.year
    book = book_for(home, person, discharged)
    year_of = tables_of(book).year_of
    if year_of == "discharge":
        return discharged.year
    if year_of == "admission":
        return admitted.year
    if year_of == "split":
        raise Refused("CROSS_YEAR_NOT_OFFERED", stay=facts.stay_id)
    raise Refused("RULE_UNKNOWN", rule="rules.period.year_of", book=book.book_id)


def year_totals(reading: Reading, person_key: str, area_id: str, year: int) -> AccumulatorTotals:
    """Return what a person has used in a year, and how many entries of each origin say so."""
    row = reading.get(YEARS, person_key, area_id, year)
    origins: dict[str, int] = {}
    for entry in reading.select(ENTRIES, person_key=person_key, area_id=area_id, year=year):
        origins[entry.origin] = origins.get(entry.origin, 0) + 1
    if row is None:
        return AccumulatorTotals(year, 0, 0, 0, 0, origins)
    return AccumulatorTotals(
        year=year,
        pool_paid_fen=row.pool_paid_fen,
        large_paid_fen=row.large_paid_fen,
        deductible_paid_fen=row.deductible_paid_fen,
        admissions=row.admissions,
        origins=origins,
    )


def decide(
    home: Home, person: PersonRow, facts: StayFacts, before: AccumulatorTotals
) -> BenefitResult:
    """Compute the amounts of one settlement; refuses by name what the book cannot decide."""
    if not facts.totals.adds_up():
        raise Refused("TOTALS_DO_NOT_ADD_UP", total_fen=facts.totals.total_fen)
    book = book_for(home, person, day(facts.discharged_on))
    tables = tables_of(book)
    bill = engine.Bill(
        in_scope_fen=facts.totals.in_scope_fen,
        total_fen=facts.totals.total_fen,
        person_type=msgspec.convert(person.person_type, PersonType),
        hospital_level=facts.hospital_level,
        admission_number=before.admissions + 1,
    )
    used = engine.Accumulators(
        pool_paid_fen=before.pool_paid_fen,
        large_paid_fen=before.large_paid_fen,
        deductible_paid_fen=before.deductible_paid_fen,
        admissions=before.admissions,
    )
    benefit = engine.settle(tables, bill, used)
    area = home.region.area_of(person.admdvs, "settlement")
    layers = {term.fund: term.layer for term in tables.funds}
    funds = [
        _payment(purses.purse_id(area.id, person.scheme, fund), fund, layers[fund], fen)
        for fund, fen in benefit.funds
    ]
    person_fen = benefit.personal_total_fen
    assert person_fen is not None, "the bill's total was given"
    return BenefitResult(
        person_type=person.person_type,
        admission_number=bill.admission_number,
        funds=funds,
        announced=[Announced(fund=fund, paid_at=when) for fund, when in benefit.announced],
        hospital_fen=0,
        person_fen=person_fen,
        account_fen=0,
        deductible_fen=benefit.deductible_fen,
        pool_self_fen=benefit.pool_self_fen,
        large_self_fen=benefit.large_self_fen,
        rounding_residual_fen=benefit.rounding_residual_fen,
        before=before,
        book_id=book.book_id,
        book_digest=book.digest,
        book_status=book.status,
        trace=list(benefit.trace),
    )


def _payment(purse: str, fund: str, layer: Layer, amount_fen: int) -> FundPayment:
    assert layer != "announced", "what is only announced is not in the bill"
    return FundPayment(fund=fund, layer=layer, purse=purse, amount_fen=amount_fen)
