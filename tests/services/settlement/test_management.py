"""Rules of the visited place: whose book on which day, and what a number of days may be."""

from datetime import date
from pathlib import Path

import pytest

from tests.services.settlement.books import REGION
from tests.toy import ring_of
from tongcheng.kernel import region, rulebook
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.rulebook import RuleBook, Shelf
from tongcheng.services.settlement import management

ON = date(2026, 11, 22)
BOOKS = sorted(REGION.glob("rulebooks/*-visited-management.yaml"))
TIANJIN = (REGION / "rulebooks" / "tianjin-visited-management.yaml").read_text("utf-8")
ANSWER = 'hospital_answer_days: {value: "5"'


def _book(old: str = "", new: str = "") -> RuleBook:
    assert old in TIANJIN, old
    return rulebook.parse(TIANJIN.replace(old, new))


def _home(*books: RuleBook, member: str = "tianjin-hsb", drafts: bool = True) -> Home:
    shelf = Shelf(books, allow_drafts=drafts)
    return Home(member, ring_of(member), SeededEntropy("rules"), region.load("jingjinji"), shelf)


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_shipped_books(path: Path) -> None:
    """Each jurisdiction has a book that reads; no figure is more than our own proposal."""
    book = rulebook.parse(path.read_text("utf-8"))
    figures = [value for _, value in rulebook.rule_values(book)]

    assert (rulebook.check(book), management.check_management(book)) == ([], [])
    assert figures
    assert all(value.doubtful for value in figures)


def test_there_is_a_book_for_every_jurisdiction() -> None:
    """The book's id is that of the place, so a node finds its own."""
    places = region.load("jingjinji").jurisdictions

    assert [path.stem for path in BOOKS] == sorted(f"{p.id}-visited-management" for p in places)


def test_a_node_goes_by_its_own_jurisdiction() -> None:
    """Tianjin's figure is Tianjin's; Hebei without a book is refused by name."""
    book = _book(ANSWER, 'hospital_answer_days: {value: "7"')

    assert management.line_query_days(_home(book), "hospital_answer_days", ON) == 7
    with pytest.raises(Refused, match="RULE_BOOK_MISSING") as caught:
        management.line_query_days(_home(book, member="hebei-hsb"), "hospital_answer_days", ON)
    assert caught.value.facts["book"] == "hebei-visited-management"


def test_a_draft_is_not_used_where_none_is_allowed() -> None:
    """A node of real offices goes by adopted books alone."""
    with pytest.raises(Refused, match="RULE_BOOK_DRAFT"):
        management.line_query_days(_home(_book(), drafts=False), "hospital_answer_days", ON)


def test_the_version_of_the_day() -> None:
    """The number is that of the day asked for, though a later one is on the shelf."""
    first = _book("  to: null", '  to: "2026-12-31"')
    later = rulebook.parse(
        TIANJIN.replace(ANSWER, 'hospital_answer_days: {value: "3"').replace(
            '"2022-01-01"', '"2027-01-01"'
        )
    )
    home = _home(first, later)

    found = [
        management.line_query_days(home, "hospital_answer_days", day)
        for day in (ON, date(2027, 1, 1))
    ]
    assert found == [5, 3]


def test_an_unknown_number_is_refused() -> None:
    """A null is RULE_UNKNOWN, naming number and book; it is no fault of the file."""
    book = _book(ANSWER, "hospital_answer_days: {value: null")

    with pytest.raises(Refused, match="RULE_UNKNOWN") as caught:
        management.line_query_days(_home(book), "hospital_answer_days", ON)
    assert caught.value.facts["rule"] == "rules.line_query.hospital_answer_days"
    assert management.check_management(book) == []


@pytest.mark.parametrize("days", ["0", "-1", "367", "1.5", "five", "", "٥", "0005"])
def test_a_number_of_days(days: str) -> None:
    """Whole days, one to a year; anything else is named by the check and refused in use."""
    book = _book(ANSWER, f'hospital_answer_days: {{value: "{days}"')

    with pytest.raises(Refused, match="RULE_BOOK_SCHEMA"):
        management.line_query_days(_home(book), "hospital_answer_days", ON)
    assert [one.path for one in management.check_management(book)] == [
        "rules.line_query.hospital_answer_days"
    ]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("kind: visited_management", "kind: benefit", "RULE_BOOK_KIND"),
        ("    hospital_answer_days", "    hospital_answer_weeks", "RULE_BOOK_SCHEMA"),
        ("  line_query:", "  line_question:", "RULE_BOOK_SCHEMA"),
    ],
)
def test_another_shape(old: str, new: str, code: str) -> None:
    """A book of another kind, or with a figure that nobody reads, is refused by name."""
    with pytest.raises(Refused, match=code):
        management.read_rules(_book(old, new))
