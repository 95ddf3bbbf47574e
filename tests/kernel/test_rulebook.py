"""Rule books: reading without guesses, origins, versions, differences."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongcheng.kernel import rulebook
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import (
    Change,
    Problem,
    RuleBook,
    RuleValue,
    Shelf,
    check,
    diff,
    parse,
    rule_values,
)

BOOK = """
book_id: demo
kind: benefit
title: {zh: 演示, en: demonstration}
admdvs: "110000"
scheme: 310
effective: {from: 2024-01-01, to: 2024-12-31, source: law, confidence: high}
sources:
  law: {what: a made-up law, where: nowhere}
rules:
  cap: {value: 012, source: law, confidence: low, remark: "no"}
  rows:
    - amount: {value: null, source: [law], confidence: own}
"""


def test_scalars_are_the_text_that_was_typed() -> None:
    """012 stays 012, 0.85 is no float, no is not false, a date is no date; null is unknown."""
    text = (
        "a: 012\nb: 0.85\nc: no\nd: 2026-01-01\ne: null\nf: 'null'\ng: ''\nh: [1, {i: ~x}]\nj: 1e3"
    )

    assert rulebook.read(text) == {
        "a": "012",
        "b": "0.85",
        "c": "no",
        "d": "2026-01-01",
        "e": None,
        "f": "null",
        "g": "",
        "h": ["1", {"i": "~x"}],
        "j": "1e3",
    }


NOT_PLAIN = [
    ("a: 1\nb: 2\na: 3", "RULE_BOOK_DUPLICATE_KEY", 3),
    ("a: {b: 1, b: 2}", "RULE_BOOK_DUPLICATE_KEY", 1),
    ("a: &x 1", "RULE_BOOK_ANCHOR", 1),
    ("a: *x", "RULE_BOOK_ANCHOR", 1),
    ("a: 1\nb: !!int 2", "RULE_BOOK_TAG", 2),
    ("a: !x {}", "RULE_BOOK_TAG", 1),
    ("a: 1\nb:", "RULE_BOOK_EMPTY_VALUE", 2),
    ("a: ~", "RULE_BOOK_EMPTY_VALUE", 1),
    ("A: 1", "RULE_BOOK_KEY", 1),
    ("a-b: 1", "RULE_BOOK_KEY", 1),
    ("[1]: 1", "RULE_BOOK_KEY", 1),
    ("null: 1", "RULE_BOOK_KEY", 1),
    ("<<: {a: 1}", "RULE_BOOK_KEY", 1),
    ("a: " + "[" * 30 + "]" * 30, "RULE_BOOK_DEPTH", 1),
    ("- 1", "RULE_BOOK_YAML", 1),
    ("", "RULE_BOOK_YAML", 1),
    ("a: 1\n---\nb: 2", "RULE_BOOK_YAML", 2),
    ("a: [1", "RULE_BOOK_YAML", 1),
    ("a: \x07", "RULE_BOOK_YAML", 1),
]


@pytest.mark.parametrize(("text", "code", "line"), NOT_PLAIN)
def test_what_is_not_plain_is_refused(text: str, code: str, line: int) -> None:
    """Each feature of YAML that lets two readers see two things has its own code and line."""
    with pytest.raises(Refused) as refused:
        rulebook.read(text)

    assert (refused.value.code, refused.value.facts["line"]) == (code, line)


def test_too_large_a_file_is_refused_before_it_is_read() -> None:
    """Size is bounded first, whatever the content."""
    with pytest.raises(Refused, match="RULE_BOOK_TOO_LARGE"):
        rulebook.read("a" * (rulebook.TEXT_CHARACTERS_MAX + 1))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab:{}[],&*!|>-~'\"\n #0é\t%@`", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text raises anything but a refusal."""
    try:
        rulebook.read(text)
    except Refused as refused:
        assert refused.code.startswith("RULE_BOOK_")  # noqa: PT017 - either way is right


def test_layout_does_not_change_the_digest() -> None:
    """Comments, order of keys, quotes and flow style are layout; a value is the book."""
    lines = BOOK.strip().splitlines()
    shuffled = "\n".join([*lines[1:5], lines[0] + "  # the same", *lines[5:]])

    assert parse(shuffled).digest == parse(BOOK).digest
    assert parse(BOOK.replace("scheme: 310", "scheme: '310'")).digest == parse(BOOK).digest
    assert parse(BOOK.replace("012", "12")).digest != parse(BOOK).digest


def test_a_file_is_always_a_draft() -> None:
    """Adoption is a signed record; a file that claims it is a draft, and `check` says so."""
    book = parse(BOOK + "status: adopted\n")

    assert book.status == "draft"
    assert check(book) == [Problem("status", "STATUS_CLAIMED", "adopted")]


MISSHAPEN = [
    ("kind: benefit\n", "", "RULE_BOOK_FIELD", "kind"),
    ("kind: benefit", "kind: benefit\nextra: 1", "RULE_BOOK_FIELD", "extra"),
    ("kind: benefit", "kind: [benefit]", "RULE_BOOK_FIELD", "kind"),
    (", en: demonstration", "", "RULE_BOOK_FIELD", "title.en"),
    ("2024-01-01", "null", "RULE_BOOK_DATE", "effective.from"),
    ("2024-01-01", "2024-1-1", "RULE_BOOK_DATE", "effective.from"),
    ("2024-12-31", "2024-02-30", "RULE_BOOK_DATE", "effective.to"),
    ("2024-12-31", "2023-12-31", "RULE_BOOK_DATE", "effective.to"),
    (", to: 2024-12-31", "", "RULE_BOOK_FIELD", "effective.to"),
    ("where: nowhere", "wheer: nowhere", "RULE_BOOK_FIELD", "sources"),
]


@pytest.mark.parametrize(("old", "new", "code", "field"), MISSHAPEN)
def test_misshapen_book_is_refused(old: str, new: str, code: str, field: str) -> None:
    """A missing, unknown or wrong field is named."""
    assert old in BOOK

    with pytest.raises(Refused) as refused:
        parse(BOOK.replace(old, new, 1))

    assert (refused.value.code, refused.value.facts["field"]) == (code, field)


PROBLEMS = [
    ("source: law, confidence: low", "confidence: low", "rules.cap", "SOURCE_MISSING"),
    ("source: [law]", "source: []", "rules.rows[0].amount", "SOURCE_MISSING"),
    ("source: [law]", "source: [law, lore]", "rules.rows[0].amount", "SOURCE_UNKNOWN"),
    ("confidence: low", "confidence: sure", "rules.cap", "CONFIDENCE_UNKNOWN"),
    (", confidence: high", "", "effective", "CONFIDENCE_UNKNOWN"),
    ("sources:\n", "sources:\n  lore: {what: hearsay}\n", "sources.lore", "SOURCE_UNUSED"),
    (
        'remark: "no"',
        "conflicts: [{value: 13, source: lore}]",
        "rules.cap.conflicts[0]",
        "SOURCE_UNKNOWN",
    ),
]


@pytest.mark.parametrize(("old", "new", "path", "code"), PROBLEMS)
def test_check_finds_numbers_without_origin(old: str, new: str, path: str, code: str) -> None:
    """Every number says where it is from and how sure we are; the dates too."""
    assert old in BOOK
    assert check(parse(BOOK)) == []

    problems = check(parse(BOOK.replace(old, new, 1)))

    assert [(problem.path, problem.code) for problem in problems] == [(path, code)]


def test_unknown_value_is_refused_when_needed() -> None:
    """A null is unknown: it is kept, marked doubtful, and never replaced by a default."""
    values = dict(rule_values(parse(BOOK)))

    unknown = values["rules.rows[0].amount"]

    assert unknown.doubtful
    with pytest.raises(Refused) as refused:
        unknown.need("rules.rows[0].amount", "demo")
    assert refused.value.facts == {"rule": "rules.rows[0].amount", "book": "demo"}
    assert values["rules.cap"].need("rules.cap", "demo") == "012"


DOUBTS = [("high", 0, False), ("medium", 0, False), ("low", 0, True), ("own", 0, True)]


@pytest.mark.parametrize(("confidence", "conflicts", "doubtful"), [*DOUBTS, ("high", 1, True)])
def test_doubtful_figures(confidence: str, conflicts: int, *, doubtful: bool) -> None:
    """Low confidence, own knowledge and contradicting sources are marked wherever shown."""
    text = f"confidence: {confidence}" + ", conflicts: [{value: 1, source: law}]" * conflicts
    value: RuleValue = dict(rule_values(parse(BOOK.replace("confidence: low", text))))["rules.cap"]

    assert value.doubtful is doubtful


def test_diff_names_each_changed_leaf() -> None:
    """What changes between versions is listed leaf by leaf, unknown apart from absent."""
    after = BOOK.replace("012", "15").replace(', remark: "no"', "").replace("[law]", "law")

    changes = diff(parse(BOOK), parse(after.replace("value: null", "value: 7")))

    assert changes == [
        Change("rules.cap.value", "012", "15"),
        Change("rules.cap.remark", "no", None),
        Change("rules.rows[0].amount.value", "null", "7"),
        Change("rules.rows[0].amount.source[0]", "law", None),
        Change("rules.rows[0].amount.source", None, "law"),
    ]
    assert diff(parse(BOOK), parse(BOOK)) == []


def _version(begins: str, ends: str) -> RuleBook:
    return parse(BOOK.replace("2024-01-01, to: 2024-12-31", f"{begins}, to: {ends}"))


def test_shelf_picks_the_version_by_date() -> None:
    """Both ends of a version are inclusive; a day without a version has none."""
    old, new = _version("2024-01-01", "2024-12-31"), _version("2025-02-01", "null")
    shelf = Shelf([new, old], allow_drafts=True)

    assert shelf.at("demo", date(2024, 1, 1)) == old
    assert shelf.at("demo", date(2024, 12, 31)) == old
    assert shelf.at("demo", date(2099, 1, 1)) == new
    assert list(shelf) == [old, new]
    for book_id, on in (("demo", date(2025, 1, 1)), ("other", date(2024, 1, 1))):
        with pytest.raises(Refused, match="RULE_BOOK_MISSING"):
            shelf.at(book_id, on)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("2024-01-01", "null"), ("2025-01-01", "null")),
        (("2024-01-01", "2024-12-31"), ("2024-12-31", "null")),
        (("2024-01-01", "2024-12-31"), ("2024-01-01", "2024-01-01")),
    ],
)
def test_overlapping_versions_are_refused(first: tuple[str, str], second: tuple[str, str]) -> None:
    """Two versions on one day would give one bill two results."""
    with pytest.raises(Refused, match="RULE_BOOK_OVERLAP"):
        Shelf([_version(*first), _version(*second)])


def test_only_a_record_makes_a_book_adopted() -> None:
    """Without a record of adoption the shelf hands out nothing, unless drafts are allowed."""
    book = parse(BOOK)
    on = date(2024, 5, 1)

    with pytest.raises(Refused, match="RULE_BOOK_DRAFT"):
        Shelf([book]).at("demo", on)
    assert Shelf([book], allow_drafts=True).at("demo", on).status == "draft"
    assert Shelf([book], adopted={book.digest: None}).at("demo", on).status == "adopted"
