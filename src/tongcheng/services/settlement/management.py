"""The rules of the visited place for its hospitals (就医地管理): books of `visited_management`.

One book per jurisdiction, `{jurisdiction}-visited-management`: what the agency there expects of
hospitals that treat persons insured elsewhere. It decides no benefit.
"""

from datetime import date
from functools import partial
from typing import Final

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.money import parse_yuan
from tongcheng.kernel.rulebook import Problem, RuleBook, RuleValue

KIND: Final = "visited_management"
DAYS_MAX: Final = 366
"""A term of more than a year is a slip of the pen."""


class LineQueryRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long each side has when a person does not recognise a line of the bill.

    `hospital_answer_days` and `agency_decision_days` are working days of the region,
    `person_reply_days` calendar days; the day of the hand-over does not count.
    """

    hospital_answer_days: RuleValue
    person_reply_days: RuleValue
    agency_decision_days: RuleValue


_LINE_QUERY_RULES: Final = LineQueryRules.__struct_fields__


class ManagementRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The `rules` of a book of kind `visited_management`.

    `uploaded_differs_most` is by how much, in yuan, the total that a hospital states may differ
    from the sum of the lines it uploaded.
    """

    line_query: LineQueryRules
    uploaded_differs_most: RuleValue | None = None


def book_at(home: Home, on: date) -> RuleBook:
    """Return the book of this node's own jurisdiction on a day.

    Raises:
        Refused: RULE_BOOK_MISSING; RULE_BOOK_DRAFT if it is a draft and none is allowed.
    """
    jurisdiction = home.region.member(home.member_id).jurisdiction
    return home.shelf.at(f"{jurisdiction}-visited-management", on)


def read_rules(book: RuleBook) -> ManagementRules:
    """Read a book's `rules` by the schema; refuses RULE_BOOK_KIND and RULE_BOOK_SCHEMA."""
    if book.kind != KIND:
        raise Refused("RULE_BOOK_KIND", book=book.book_id, kind=book.kind, expected=KIND)
    try:
        return msgspec.convert(book.document["rules"], ManagementRules)
    except msgspec.ValidationError as fault:
        what, _, where = str(fault).partition(" - at ")
        path = "rules" + where.strip("`").removeprefix("$")
        raise Refused("RULE_BOOK_SCHEMA", book=book.book_id, path=path, fault=what) from None


def line_query_days(home: Home, rule: str, on: date) -> int:
    """Return one of the numbers of days of `LineQueryRules` as it stands on a day.

    Refuses what `book_at` and `read_rules` refuse, and RULE_UNKNOWN for a value that nobody knows.
    """
    book = book_at(home, on)
    return _days(book, read_rules(book).line_query, rule)


def tolerance_fen(home: Home, on: date) -> int:
    """Return by how much a stated total may differ from the uploaded lines on a day, in fen.

    Without a book that may be used, or without the rule in it, not at all. Refuses RULE_UNKNOWN
    for a value that nobody knows, and RULE_BOOK_SCHEMA for one that is no amount.
    """
    try:
        book = book_at(home, on)
    except Refused as none:
        if none.code not in {"RULE_BOOK_MISSING", "RULE_BOOK_DRAFT"}:
            raise
        return 0
    return _tolerance(book, read_rules(book).uploaded_differs_most)


def _tolerance(book: RuleBook, value: RuleValue | None) -> int:
    if value is None:
        return 0
    path = "rules.uploaded_differs_most"
    text = value.need(path, book.book_id)
    try:
        amount_fen = parse_yuan(text)
    except Refused:
        amount_fen = -1
    if amount_fen < 0:
        fault = f"not an amount in yuan: {text[:40]!a}"
        raise Refused("RULE_BOOK_SCHEMA", book=book.book_id, path=path, fault=fault)
    return amount_fen


def _days(book: RuleBook, rules: LineQueryRules, rule: str) -> int:
    value: RuleValue = getattr(rules, rule)
    path = f"rules.line_query.{rule}"
    text = value.need(path, book.book_id)
    count = int(text) if text.isascii() and text.isdigit() and len(text) <= len("366") else 0
    if not 0 < count <= DAYS_MAX:
        fault = f"not a number of days from 1 to {DAYS_MAX}: {text[:40]!a}"
        raise Refused("RULE_BOOK_SCHEMA", book=book.book_id, path=path, fault=fault)
    return count


def check_management(book: RuleBook) -> list[Problem]:
    """List what reading the book would refuse, as problems; an unknown value is none."""
    found: list[Problem] = []
    try:
        rules = read_rules(book)
    except Refused as refused:
        return [Problem(str(refused.facts["path"]), refused.code, str(refused.facts["fault"]))]
    checks = [partial(_days, book, rules.line_query, rule) for rule in _LINE_QUERY_RULES]
    for check in (*checks, partial(_tolerance, book, rules.uploaded_differs_most)):
        try:
            check()
        except Refused as refused:
            if refused.code != "RULE_UNKNOWN":
                path, fault = (str(refused.facts[name]) for name in ("path", "fault"))
                found.append(Problem(path, refused.code, fault))
    return found
