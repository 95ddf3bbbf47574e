"""Stays elsewhere: what a way of filing takes off, by the region's book and by the place's own."""

from typing import Any

import msgspec
import pytest

from tests.services.settlement.books import (
    REGION,
    figure,
    flat_rules,
    made_up,
    simple_rules,
)
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import parse_yuan
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook, check, parse
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.overlay import check_overlay, compile_overlay
from tongcheng.services.settlement.tables import NO_CUT, UNKNOWN, Cut, RuleRef


def _region(**changes: Plain) -> RuleBook:
    """Return a made-up book of a region of two cities, 11 and 12, that has an agreement."""
    rules: dict[str, Plain] = {
        "filing": [
            {"filings": ["long_stay"], "cut": figure("0")},
            {"filings": ["referral", "emergency"], "cut": figure("0.10")},
            {"filings": ["other"], "cut": figure("0.20")},
        ],
        "emergency_filed": figure("yes"),
        "deemed": [{"between": ["11", "12"], "filed": figure("yes")}],
    }
    return made_up({**rules, **changes}, kind="cross_region")


DEEMED = """
insured visited deemed
110000  120000  yes
120101  110102  yes
110000  110105  yes
110000  130100  no
310000  320500  no
211000  112000  no
"""


@pytest.mark.parametrize("row", DEEMED.strip().splitlines()[1:])
def test_deemed_filed_between_members_of_an_agreement(row: str) -> None:
    """Both divisions must be of the agreement; a prefix is read from the first digit."""
    insured, visited, deemed = row.split()
    book = _region()

    rule = compile_overlay(book).deemed_between(insured, visited)

    assert rule == (RuleRef(book.digest, "rules.deemed[0].filed") if deemed == "yes" else None)


@pytest.mark.parametrize("word", ["no", None])
def test_what_is_not_agreed_grants_nothing(word: str | None) -> None:
    """Neither a no nor an unknown makes a stay count as filed."""
    deemed: Plain = [{"between": ["11", "12"], "filed": figure(word)}]
    overlay = compile_overlay(_region(deemed=deemed, emergency_filed=figure(word)))

    assert overlay.deemed_between("110000", "120000") is None
    assert not overlay.emergency_filed


def test_cuts_of_a_region() -> None:
    """Each way of filing has its cut and its rule; one that the book leaves out is unknown."""
    book = _region()
    overlay = compile_overlay(book)

    found = {filing: overlay.cut(filing) for filing in ("long_stay", "referral", "other", "local")}

    rule = "rules.filing[{}].cut".format
    assert found == {
        "long_stay": Cut(0, RuleRef(book.digest, rule(0)), book.book_id),
        "referral": Cut(1000, RuleRef(book.digest, rule(1)), book.book_id),
        "other": Cut(2000, RuleRef(book.digest, rule(2)), book.book_id),
        "local": Cut(UNKNOWN, RuleRef(book.digest, "rules.filing"), book.book_id),
    }
    assert overlay.emergency_filed


def test_unknown_cut_stays_unknown() -> None:
    """A cut that no source gives is not nothing."""
    filing: Plain = [{"filings": ["other"], "cut": figure(None)}]

    assert compile_overlay(_region(filing=filing)).cut("other").points == UNKNOWN


TWICE: Plain = [{"filings": ["other", "other"], "cut": figure("0.1")}]
UNSOUND: list[tuple[dict[str, Any], str, str]] = [
    ({"filing": TWICE}, "RULE_BOOK_SCHEMA", "rules.filing[0].cut"),
    (
        {"filing": [{"filings": ["other"], "cut": figure("1.1")}]},
        "RULE_BOOK_NUMBER",
        "rules.filing[0].cut",
    ),
    (
        {"filing": [{"filings": ["other"], "cut": figure("-0.1")}]},
        "RULE_BOOK_NUMBER",
        "rules.filing[0].cut",
    ),
    (
        {"filing": [{"filings": ["other"], "cut": figure("a tenth")}]},
        "RULE_BOOK_NUMBER",
        "rules.filing[0].cut",
    ),
    (
        {"filing": [{"filings": ["unfiled"], "cut": figure("0")}]},
        "RULE_BOOK_SCHEMA",
        "rules.filing[0].filings[0]",
    ),
    ({"emergency_filed": figure("maybe")}, "RULE_BOOK_SCHEMA", "rules.emergency_filed"),
    (
        {"deemed": [{"between": ["11"], "filed": figure("true")}]},
        "RULE_BOOK_SCHEMA",
        "rules.deemed[0].filed",
    ),
    ({"extra": []}, "RULE_BOOK_SCHEMA", "rules"),
]


@pytest.mark.parametrize(("changes", "code", "path"), UNSOUND)
def test_unsound_book_is_refused(changes: dict[str, Any], code: str, path: str) -> None:
    """A fault is named with its path, by the compiler and by the check of a book."""
    book = _region(**changes)

    with pytest.raises(Refused) as refused:
        compile_overlay(book)

    assert (refused.value.code, refused.value.facts["path"]) == (code, path)
    assert [(fault.code, fault.path) for fault in check_overlay(book)] == [(code, path)]


def test_other_kinds_are_refused() -> None:
    """A benefit book is not read as a region's."""
    with pytest.raises(Refused, match="RULE_BOOK_KIND"):
        compile_overlay(made_up(simple_rules()))


def test_shipped_books_are_sound() -> None:
    """Every version of the region's book has an origin for each figure, and compiles."""
    texts = [path.read_text("utf-8") for path in (REGION / "rulebooks").glob("*.yaml")]
    books = [book for book in map(parse, texts) if book.kind == "cross_region"]

    assert books
    for book in books:
        assert (check(book), check_overlay(book)) == ([], [])


OWN: list[Any] = [
    {"filings": ["referral"], "ratio": figure("0.5"), "deductible": figure("20")},
    {"filings": ["emergency"], "cut": figure("0.05")},
    {"filings": ["long_stay"], "deductible": figure("20")},
]
_TEN = Cut(1000, RuleRef("region", "rules.filing[1].cut"))
_NOBODY_KNOWS = Cut(UNKNOWN, RuleRef("region", "rules.filing[1].cut"))
# The book's ratio is 0.85 and it has no deductible; of 100 yuan the pool pays:
CUTS: list[tuple[list[Any], str, Cut, str, str]] = [
    ([], "local", NO_CUT, "0", "85"),
    ([], "local", _TEN, "0", "85"),
    ([], "deemed", _TEN, "0", "85"),
    ([], "referral", _TEN, "0", "75"),
    ([], "long_stay", msgspec.structs.replace(_TEN, points=0), "0", "85"),
    ([], "other", msgspec.structs.replace(_TEN, points=2000), "0", "65"),
    ([], "other", msgspec.structs.replace(_TEN, points=9000), "0", "0"),
    ([], "referral", NO_CUT, "filing.referral", ""),
    ([], "referral", _NOBODY_KNOWS, "rules.filing[1].cut", ""),
    (OWN, "local", NO_CUT, "0", "85"),
    (OWN, "deemed", _TEN, "0", "85"),
    (OWN, "referral", _TEN, "20", "40"),
    (OWN, "referral", NO_CUT, "20", "40"),
    (OWN, "emergency", _TEN, "0", "80"),
    (OWN, "emergency", _NOBODY_KNOWS, "0", "80"),
    (OWN, "long_stay", _TEN, "20", "60"),
    (OWN, "other", _TEN, "0", "75"),
    ([{"filings": ["other"], "cut": figure(None)}], "other", _TEN, "rules.filing[0].cut", ""),
    ([{"filings": ["other"], "ratio": figure(None)}], "other", _TEN, "rules.filing[0].ratio", ""),
]


@pytest.mark.parametrize(("own", "filing", "cut", "deductible", "pool"), CUTS)
def test_filing_lowers_the_ratio(
    own: list[Any], filing: str, cut: Cut, deductible: str, pool: str
) -> None:
    """A cut is subtracted: 0.85 less 10 points is 0.75, not 0.765; own terms go before it.

    Where the row has no pool, the case is refused for the rule that is named instead.
    """
    tables = compile_benefit(made_up(flat_rules("0.85", filing=own)))
    bill = _bill(filing)

    try:
        benefit = settle(tables, bill, Accumulators(), cut)
        found: tuple[Any, ...] = (benefit.deductible_fen, benefit.pool_fen)
    except Refused as refused:
        found = (refused.facts["rule"],)

    expected = (parse_yuan(deductible), parse_yuan(pool)) if pool else (deductible,)
    assert found == expected


def test_cut_is_named_in_the_trace() -> None:
    """Every band's row names what changed its ratio: the adjustment, then the region's cut."""
    tables = compile_benefit(made_up(simple_rules()))
    bill = _bill("referral", in_scope_fen=200_000, person_type="retired")

    benefit = settle(tables, bill, Accumulators(), _TEN)

    times = RuleRef(tables.digest, "rules.adjustments[0].personal_share_times")
    assert [row.modified_by for row in benefit.trace] == [(), *[(times, _TEN.ref)] * 2]


def _bill(filing: Any, **changes: Any) -> Bill:
    bill = Bill(
        in_scope_fen=10_000,
        total_fen=None,
        person_type="active",
        hospital_level=3,
        admission_number=1,
        filing=filing,
    )
    return msgspec.structs.replace(bill, **changes)
