"""Laws of a year: settlements and voids one after another, of several persons and versions."""

from datetime import date
from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.services.settlement import naive
from tests.services.settlement.books import CUTS, Question, bills, rule_books
from tests.services.settlement.laws import LAW, ask, assert_same, by_hand
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook, Shelf
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.outcome import Benefit, accumulate, reverse
from tongcheng.services.settlement.rules import Cover, read_rules
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN, BenefitTables, CoverLayer, Cut

# What happens in a year: a bill, or the void (by its place) of a settlement that still stands.
Event = tuple[Bill, Cut] | int


@st.composite
def years(draw: st.DrawFn, book: RuleBook) -> list[Event]:
    """Any year of one person under one book."""
    return draw(st.lists(st.tuples(bills(book), CUTS) | st.integers(0, 5), max_size=8))


class Year:
    """A year as it is kept: totals that every settlement and every void moves."""

    def __init__(self) -> None:
        self.totals = Accumulators()
        self.standing: list[tuple[Benefit, dict[str, Fraction | None] | str]] = []

    def question(self, bill: Bill, cut: Cut) -> Question:
        """Return a bill as the next of this year."""
        first = bill.period_number == 1
        number = self.totals.admissions + 1 if first else max(1, self.totals.admissions)
        return Question(msgspec.structs.replace(bill, admission_number=number), self.totals, cut)

    def happen(self, book: RuleBook, tables: BenefitTables, event: Event) -> Benefit | str | None:
        """Settle or void, by the engine and by hand, and hold the one against the other."""
        if isinstance(event, int):
            if event < len(self.standing):
                benefit, _ = self.standing.pop(event)
                self.totals = accumulate(self.totals, reverse(benefit))
            return None
        question = self.question(*event)
        found, expected = ask(tables, question), by_hand(book, question)
        if found == "ACCUMULATORS_INVALID":
            assert max(msgspec.structs.astuple(self.totals)) > AMOUNT_MAX_FEN
            return found
        assert_same(found, expected)
        if not isinstance(found, str):
            self.standing.append((found, expected))
            self.totals = accumulate(self.totals, found)
        return found

    def added_up(self) -> dict[str, int]:
        """Return the totals of what still stands, added up anew."""
        names = {
            "pool_paid_fen": "pool_fen",
            "large_paid_fen": "large_fen",
            "deductible_paid_fen": "deductible_fen",
            "admissions": "admissions",
            "burden_fen": "burden_fen",
            "catastrophic_paid_fen": "catastrophic_fen",
            "assistance_paid_fen": "assistance_fen",
        }
        stays: list[Any] = [figures for _, figures in self.standing]
        return {total: sum(stay[name] for stay in stays) for total, name in names.items()}


@LAW
@given(st.data())
def test_a_year_equals_the_naive_year(data: st.DataObject) -> None:
    """Settlements and voids in any order: each amount, and the totals of what still stands."""
    book = data.draw(rule_books(unknown=1, covered=data.draw(st.booleans())))
    tables, year = compile_benefit(book), Year()

    for event in data.draw(years(book)):
        year.happen(book, tables, event)
        assert msgspec.structs.asdict(year.totals) == year.added_up()


@LAW
@given(st.data())
def test_versions_and_persons_in_one_batch(data: st.DataObject) -> None:
    """Events of two persons, each by the version of its day, in any order between the two.

    One pass over all of them with every version compiled once gives each person the same year as
    taking the person's events one at a time, with the version read and compiled for each.
    """
    last, first = "2025-06-30", "2025-07-01"
    effective: list[Plain] = [{"from": "2025-01-01", "to": last}, {"from": first, "to": None}]
    books = [data.draw(rule_books(unknown=0, effective=each)) for each in effective]
    shelf = Shelf(books, allow_drafts=True)
    days = st.sampled_from([date.fromisoformat(day) for day in ("2025-01-01", last, first)])
    event = days.flatmap(
        lambda day: st.tuples(
            st.integers(0, 1),
            st.just(day),
            bills(shelf.at("synthetic", day)),
            CUTS,
        )
    )
    batch = data.draw(st.lists(event, max_size=6))

    compiled = {book.digest: compile_benefit(book) for book in books}
    persons, together = (Year(), Year()), []
    for who, day, bill, cut in batch:
        book = shelf.at("synthetic", day)
        together.append((who, persons[who].happen(book, compiled[book.digest], (bill, cut))))

    for person in (0, 1):
        alone = Year()
        one_by_one = [
            alone.happen(book, compile_benefit(book), (bill, cut))
            for who, day, bill, cut in batch
            if who == person
            for book in [books[day >= date.fromisoformat(first)]]
        ]
        assert one_by_one == [found for who, found in together if who == person]


@LAW
@given(st.data())
def test_covers_of_a_year_add_up(data: st.DataObject) -> None:
    """Stay by stay a cover pays what the year's burden gives at once, but half a fen for each."""
    book = data.draw(rule_books(unknown=0, covered=True))
    tables, year, stays = compile_benefit(book), Year(), 0
    category = data.draw(st.sampled_from(["general", "poor"]))
    for bill, cut in data.draw(st.lists(st.tuples(bills(book), CUTS), max_size=8)):
        mine = msgspec.structs.replace(bill, category=category)
        stays += isinstance(year.happen(book, tables, (mine, cut)), Benefit)

    rules, used = read_rules(book), year.totals
    bill = data.draw(bills(book))
    mine = msgspec.structs.replace(bill, category=category)
    left = used.burden_fen
    covers: tuple[tuple[CoverLayer, Cover | None, int], ...] = (
        ("catastrophic", rules.catastrophic, used.catastrophic_paid_fen),
        ("assistance", rules.assistance, used.assistance_paid_fen),
    )
    for layer, cover, paid in covers:
        terms = naive.terms_for(cover, mine)
        if terms is not None and tables.term(layer) is not None:
            at_once = naive.cover_pays(terms, Fraction(0), naive.yuan(left), Fraction(0)) * 100
            assert abs(paid - at_once) <= Fraction(stays, 2)
            left -= paid
