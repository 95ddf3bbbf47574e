"""Rule books as policies: tables as the engine has them, every figure with its origin and doubt."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.settlement import samples_books
from tests.services.settlement.books import rule_books
from tests.web import site
from tongcheng.kernel.rulebook import RuleBook, rule_values
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.policy import build, diff_view, pages, view
from tongcheng.services.settlement.policy.disputes import case_for
from tongcheng.services.settlement.policy.grids import Place, together
from tongcheng.services.settlement.policy.links import anchor
from tongcheng.services.settlement.policy.model import Figure, Grid, Policy
from tongcheng.services.settlement.policy.view import Version
from tongcheng.services.settlement.policy.words import said
from tongcheng.services.settlement.rules import SUBTYPES, TIERS
from tongcheng.web import LANGUAGES, Language, Page

TOOLS = site.toolkit()
IDS = [f"{book.book_id} {book.effective_from}" for book in samples_books.BOOKS]
RAW_PATH = re.compile(r"\brules[.\[]|\]\.|[a-z]_[a-z]+\b")


def _page(language: Language = "en") -> Page:
    return Page(TOOLS, language, f"/{language}/rulebooks")


def _book(book_id: str) -> RuleBook:
    return pages.find(samples_books.versions(), book_id, samples_books.TODAY).book


def _policy(book: RuleBook, language: Language = "en") -> Policy:
    return build.policy(TOOLS.voices[language], book, lambda refused: refused.code)


def _html(book: RuleBook, language: Language) -> str:
    version = Version(book, None)
    return str(view.book(_page(language), (version,), version).content)


def _cells(grid: Grid) -> list[list[str]]:
    """Return a table as rows of texts: a doubt's sign after its figure, what was stated before."""

    def shown(figure: Figure) -> str:
        stated = f"{figure.stated}>" if figure.stated else ""
        return f"{stated}{figure.text}{''.join(mark.sign for mark in figure.marks)}"

    return [
        [" ".join(word for word in (group.title, row.head) if word), *map(shown, row.cells)]
        for group in grid.groups
        for row in group.rows
    ]


# Every shipped book


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("book", samples_books.BOOKS, ids=IDS)
def test_every_figure_stands_once_with_its_origin(book: RuleBook, language: Language) -> None:
    """Each figure has its place, every link within the page leads somewhere, none leads away."""
    html = _html(book, language)
    ids = re.findall(r'\bid="([^"]+)"', html)
    links = re.findall(r'\bhref="([^"]*)"', html)

    assert len(ids) == len(set(ids))
    assert [path for path, _ in rule_values(book) if anchor(path) not in ids] == []
    assert [link for link in links if link.startswith("#") and link[1:] not in ids] == []
    assert [link for link in links if "//" in link] == []
    assert [link for link in re.findall(r'\bsrc="([^"]*)"', html) if "//" in link] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("book", samples_books.BOOKS, ids=IDS)
def test_a_policy_speaks_in_words(book: RuleBook, language: Language) -> None:
    """No path and no code word stands in what we say; remarks are the book's own words."""
    shown = _policy(book, language)
    texts = [
        *(line.label for section in shown.sections for line in section.lines),
        *(line.figure.text for section in shown.sections for line in section.lines),
        *(each.name for section in shown.sections for each in section.origins),
        *(each.value for section in shown.sections for each in section.origins),
        *(
            text
            for each in shown.sections
            for grid in each.grids
            for row in _cells(grid)
            for text in row
        ),
        *(text for each in shown.disputes for text in (each.title, each.case, each.verdict)),
    ]

    assert shown.fault == ""
    assert not any(section.key == "rest" for section in shown.sections)
    assert [text for text in texts if RAW_PATH.search(text)] == []
    if language == "zh":
        names = [each.name for section in shown.sections for each in section.origins]
        assert [name for name in names if re.search(r"[A-Za-z]", name)] == []


@pytest.mark.parametrize("book", samples_books.BOOKS, ids=IDS)
def test_every_doubtful_figure_is_marked(book: RuleBook) -> None:
    """A figure has a mark if and only if it is doubtful, with its sign and its word."""
    shown = _policy(book)
    origins = [each for section in shown.sections for each in section.origins]
    origins += [each for one in shown.disputes if one.section for each in one.section.origins]
    doubtful = {path for path, value in rule_values(book) if value.doubtful}

    assert {each.path for each in origins if each.marks} == doubtful
    assert all(mark.sign and mark.text for each in origins for mark in each.marks)


# Tables

BEIJING_BANDS = """
Up to ¥30,000 | 85% | 85%>91%
¥30,000 to ¥40,000 | 90% | 90%>94%
Beyond ¥40,000 | 95% | 95%>97%
"""
TIANJIN_TIERS = """
primary hospitals, low tier | 75%
primary hospitals, middle tier | unknown≠?
primary hospitals, high tier | 85%
secondary hospitals, low tier | 70%
secondary hospitals, middle tier | unknown≠?
secondary hospitals, high tier | 80%
tertiary hospitals, low tier | 65%
tertiary hospitals, middle tier | unknown≠?
tertiary hospitals, high tier | 75%
"""
SHIJIAZHUANG_FIRST = """
primary hospitals | ¥100△ | ¥100△ | unknown? | unknown?△
secondary hospitals | ¥500△ | ¥500>¥400△ | unknown? | unknown?△
tertiary hospitals (provincial) | ¥900△ | ¥900>¥800△ | unknown? | unknown?△
tertiary hospitals (municipal) | ¥600△ | ¥600>¥500△ | unknown? | unknown?△
"""


def _table(text: str) -> list[list[str]]:
    return [line.split(" | ") for line in text.strip().splitlines()]


def _grid(book_id: str, key: str) -> Grid:
    sections = {section.key: section for section in _policy(_book(book_id)).sections}
    return sections[key].grids[0]


def test_bands_show_what_is_stated_and_what_results() -> None:
    """Beijing's tertiary hospitals: 85 % is 91 % for a retiree, who bears 60 % of the rest."""
    rows = _cells(_grid("beijing-employee-inpatient", "bands"))

    expected = [[f"tertiary hospitals {row[0].lower()}", *row[1:]] for row in _table(BEIJING_BANDS)]
    assert rows[-3:] == expected


def test_a_row_speaks_of_exactly_its_cells() -> None:
    """Tianjin's tiers: primary low and tertiary high share 75 % and stay two rows."""
    assert _cells(_grid("tianjin-resident-inpatient", "bands")) == _table(TIANJIN_TIERS)


def test_deductibles_by_hospital_admission_and_person() -> None:
    """Shijiazhuang lets retirees off 100, and does not say what a later admission bears."""
    grid = _grid("hebei-shijiazhuang-employee-inpatient", "deductible")

    assert _cells(grid) == _table(SHIJIAZHUANG_FIRST)
    assert grid.columns[1:3] == ("first admission (in work)", "first admission (retired)")


def test_hospitals_that_the_book_does_not_mention_are_named() -> None:
    """Langfang says nothing of a district's tertiary hospital; a stay there is refused."""
    sections = {
        each.key: each for each in _policy(_book("hebei-langfang-resident-inpatient")).sections
    }

    assert sections["bands"].said[1] == (
        "These rules say nothing of: tertiary hospitals (district, other). A stay there is refused."
    )


@given(
    st.lists(
        st.tuples(
            st.builds(Place, st.integers(0, 3), st.sampled_from(SUBTYPES), st.sampled_from(TIERS)),
            st.sampled_from("ab"),
        ),
        unique_by=lambda each: each[0],
    )
)
def test_places_that_share_a_name_are_all_that_it_names(found: list[tuple[Place, str]]) -> None:
    """Every place is in one group of its like; a group is its hospitals times its tiers."""
    groups = together(found)

    assert sorted((place, what) for what, places in groups for place in places) == sorted(found)
    for _, places in groups:
        hospitals = {place[:2] for place in places}
        tiers = {place.tier for place in places}
        assert len(places) == len(hospitals) * len(tiers)


# Disputes

DISPUTES = """
book                         number verdict
beijing-employee-inpatient   1      In these examples the difference is up to ¥28,988.95.
tianjin-employee-inpatient   1      In these examples the difference is up to ¥2,665.00.
tianjin-resident-inpatient   1      One of the two does not know the figure
tianjin-resident-inpatient   4      In these examples the difference is up to ¥4,800.00.
"""


@pytest.mark.parametrize("row", DISPUTES.strip().splitlines()[1:])
def test_disputes_are_said_in_yuan(row: str) -> None:
    """What a disagreement comes to; where one side does not know, that there is nothing to say."""
    book_id, number, verdict = row.split(maxsplit=2)

    dispute = _policy(_book(book_id)).disputes[int(number) - 1]

    assert dispute.verdict.startswith(verdict)


def test_a_dispute_has_both_values_and_their_sources() -> None:
    """The pool's cap of Beijing: 100,000 by source 4, 500,000 by source 3, on three bills."""
    (dispute,) = _policy(_book("beijing-employee-inpatient")).disputes

    assert (dispute.here, dispute.here_sources) == ("¥100,000", (4,))
    assert (dispute.there, dispute.there_sources) == ("¥500,000", (3,))
    assert dispute.case == "tertiary hospitals, in work, first admission"
    assert [(each.bill, each.here, each.there, each.differs) for each in dispute.examples] == [
        ("¥20,000", "4,105.00", "4,105.00", "0.00"),
        ("¥100,000", "9,605.00", "9,605.00", "0.00"),
        ("¥400,000", "53,593.95", "24,605.00", "−28,988.95"),
    ]


CASES = """
book  path case
beijing-employee  rules.large[1].cap retired 3 - - general local 1
tianjin-resident  rules.bands[4].steps[0].ratio resident 2 - middle general local 1
tianjin-resident  rules.catastrophic.terms[1].deductible resident 3 - low poor local 1
shijiazhuang-employee  rules.deductible.rows[3].amount active 3 provincial - general local 1
shijiazhuang-employee  rules.deductible.rows[4].amount active 3 provincial - general local 2
shijiazhuang-resident  rules.filing[0].ratio resident 3 provincial - general referral 1
"""


@pytest.mark.parametrize("row", CASES.strip().splitlines()[1:])
def test_examples_are_bills_that_the_figure_is_about(row: str) -> None:
    """Level, subtype, person, tier, category, filing and admission follow the figure's row."""
    area, path, *expected = row.split()
    book = next(each for each in samples_books.BOOKS if f"{area}-inpatient" in each.book_id)

    found = case_for(book, compile_benefit(book), path)

    assert ["-" if each is None else str(each) for each in found] == expected


# Values in words

VALUES = """
rules.pool_cap                              100000      ¥100,000
rules.pool_cap                              100000.5    ¥100,000.50
rules.catastrophic.terms[0].cap             none        no_limit
rules.period.further_periods                none        nothing
rules.bands[0].steps[0].ratio               0.855       85.5%
rules.adjustments[0].add_points             0.055       5.5_points
rules.adjustments[0].personal_share_times   0.60        ×_60%
rules.period.days_most                      90          90_days
rules.line_query.hospital_answer_days       5           5_days
rules.reference.first_self_pay_class_b      0.10        10%
rules.pool_cap                              much        much
rules.pool_cap                              null        unknown
"""


@pytest.mark.parametrize("row", VALUES.strip().splitlines())
def test_values_in_words(row: str) -> None:
    """Money, shares, points, days and words; what is none of them as it is written."""
    path, value, expected = row.split()

    found = said(TOOLS.voices["en"], path, None if value == "null" else value)

    assert found == expected.replace("_", " ")


# Any book

FEW = settings(max_examples=25, deadline=None)


@FEW
@given(rule_books(), st.sampled_from(LANGUAGES))
def test_any_book_is_shown(book: RuleBook, language: Language) -> None:
    """Whatever compiles has a page in both languages, with a place for every figure."""
    html = _html(book, language)

    assert [path for path, _ in rule_values(book) if f'id="{anchor(path)}"' not in html] == []


@FEW
@given(rule_books(), rule_books(), st.sampled_from(LANGUAGES))
def test_any_two_books_are_compared(before: RuleBook, after: RuleBook, language: Language) -> None:
    """Every difference of two versions is shown, whatever it is."""
    answer = diff_view.diff(_page(language), Version(before, None), Version(after, None))

    assert answer.status_code == 200


def test_a_book_that_does_not_compile_still_shows_its_figures() -> None:
    """The page says why nothing can be computed, and keeps every figure with its origin."""
    html = _html(samples_books.broken(), "en")

    assert "Nothing can be computed by this book" in html
    assert 'id="rules-pool_cap"' in html
    assert re.search(r"Value\">\s*much", html)
