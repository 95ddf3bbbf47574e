"""The columns of a file that is audited: from one record to one row (docs/audit.md).

An amount is exact decimal yuan as text, or int fen in a column whose name ends in `_fen`. A number
with a binary fraction is not money and is refused.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import FEN_MAX, parse_yuan
from tongcheng.services.settlement.audit_model import FIGURES, Row, Unjudged
from tongcheng.services.settlement.bill import Accumulators, Bill, admission_number
from tongcheng.services.settlement.rules import (
    CATEGORIES,
    FILINGS,
    PERSON_TYPES,
    SUBTYPES,
    TIERS,
)

T = TypeVar("T")
Record = Mapping[str, object]
BookOf = Callable[[str, str], str]
"""(division, scheme) → the id of the benefit book that holds there; refuses where none does."""

PLAIN: Final = (
    "settlement_id",
    "person_id",
    "settled_on",
    "decided_order",
    "book",
    "admdvs",
    "scheme",
    "person_type",
    "tier",
    "category",
    "hospital_level",
    "hospital_subtype",
    "filing",
    "admission_number",
    "period_number",
    "opening_admissions",
    "voids",
)
OPENINGS: Final = {
    "opening_pool_paid": "pool_paid_fen",
    "opening_large_paid": "large_paid_fen",
    "opening_deductible_paid": "deductible_paid_fen",
    "opening_burden": "burden_fen",
    "opening_catastrophic_paid": "catastrophic_paid_fen",
    "opening_assistance_paid": "assistance_paid_fen",
}
"""A column → the accumulator that it is. A column that is left out is nothing used."""
AMOUNTS: Final = ("in_scope", "total", *OPENINGS, *FIGURES)
REQUIRED: Final = ("settlement_id", "person_id", "settled_on", "person_type", "hospital_level")
TEXT_CHARACTERS_MAX: Final = 128


def check_columns(columns: list[str]) -> None:
    """Refuse a file (AUDIT_COLUMNS) that lacks what every row needs, or names what we do not know.

    A column that nobody reads would be a misspelt one: a figure that is silently not compared.
    """
    known = {*PLAIN, *AMOUNTS, *(f"{name}_fen" for name in AMOUNTS)}
    has = set(columns)
    either = (
        ("book", *(["book"] if {"admdvs", "scheme"} <= has else [])),
        ("in_scope", "in_scope_fen"),
        ("admission_number", "opening_admissions"),
    )
    missing = [name for name in REQUIRED if name not in has]
    missing += [names[0] for names in either[1:] if not has & set(names)]
    if "book" not in has and not {"admdvs", "scheme"} <= has:
        missing.append("book")
    if not has & {*FIGURES, *(f"{name}_fen" for name in FIGURES)}:
        missing.append("pool")
    twice = [name for name in AMOUNTS if {name, f"{name}_fen"} <= has]
    twice += sorted({name for name in columns if columns.count(name) > 1})
    for fault, names in (
        ("missing", missing),
        ("unknown", sorted(has - known)),
        ("given twice", twice),
    ):
        if names:
            columns_said = shown(", ".join(names))
            raise Refused("AUDIT_COLUMNS", columns=columns_said, fault=fault)


def read_row(line: int, record: Record, book_of: BookOf) -> Row | Unjudged:
    """Return the row that a record is, or why it is none: its first fault, by code and column."""
    try:
        return _row(line, record, book_of)
    except Refused as refused:
        given = record.get("settlement_id")
        name = shown(str(given)) if given is not None else ""
        facts = {
            key: shown(value) if isinstance(value, str) else value
            for key, value in refused.facts.items()
        }
        return Unjudged(line=line, settlement_id=name, code=refused.code, facts=facts)


def shown(text: str) -> str:
    """Return what a file says as it may be repeated: short, and nothing that steers a terminal."""
    part = text[:TEXT_CHARACTERS_MAX]
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in part)


def _row(line: int, record: Record, book_of: BookOf) -> Row:
    book_id = _text(record, "book")
    if book_id is None:
        book_id = book_of(_need(record, "admdvs"), _need(record, "scheme"))
    before, number = _before(record)
    in_scope, level = _amount(record, "in_scope"), _number(record, "hospital_level")
    for column, value in (("in_scope", in_scope), ("hospital_level", level)):
        if value is None:
            raise Refused("AUDIT_VALUE", column=column, value="")
    assert in_scope is not None, "refused above"
    assert level is not None, "refused above"
    bill = Bill(
        in_scope_fen=in_scope,
        total_fen=_amount(record, "total"),
        person_type=_choice(record, "person_type", PERSON_TYPES, None),
        hospital_level=level,
        admission_number=number,
        hospital_subtype=_choice(record, "hospital_subtype", (*SUBTYPES, None), None),
        tier=_choice(record, "tier", (*TIERS, None), None),
        category=_choice(record, "category", CATEGORIES, "general"),
        filing=_choice(record, "filing", FILINGS, "local"),
        period_number=_number(record, "period_number") or 1,
    )
    given = ((name, _amount(record, name)) for name in FIGURES)
    theirs = {name: fen for name, fen in given if fen is not None}
    if not theirs:
        raise Refused("AUDIT_VALUE", column="pool", value="")
    return Row(
        line=line,
        settlement_id=_need(record, "settlement_id"),
        person_id=_need(record, "person_id"),
        settled_on=_day(record, "settled_on"),
        order=_number(record, "decided_order"),
        book_id=book_id,
        bill=bill,
        before=before,
        theirs=theirs,
        voids=_text(record, "voids"),
    )


def _before(record: Record) -> tuple[Accumulators, int]:
    """Return the opening accumulators and the number of the admission, each from the other."""
    admissions, number = _number(record, "opening_admissions"), _number(record, "admission_number")
    if admissions is None:
        admissions = 0 if number is None else max(0, number - 1)
    if number is None:
        number = admission_number(admissions, _number(record, "period_number") or 1)
    used = {field: _amount(record, name) or 0 for name, field in OPENINGS.items()}
    return Accumulators(admissions=admissions, **used), number


def _text(record: Record, column: str) -> str | None:
    value = record.get(column)
    if value is None or value == "":
        return None
    text = str(value)
    if len(text) > TEXT_CHARACTERS_MAX or not text.isprintable():
        raise Refused("AUDIT_VALUE", column=column, value=text[:TEXT_CHARACTERS_MAX])
    return text


def _need(record: Record, column: str) -> str:
    text = _text(record, column)
    if text is None:
        raise Refused("AUDIT_VALUE", column=column, value="")
    return text


def _choice(record: Record, column: str, known: tuple[T, ...], default: T | None) -> T:
    text = _text(record, column)
    wanted = default if text is None else text
    for each in known:
        if each == wanted:
            return each
    raise Refused("AUDIT_VALUE", column=column, value=text or "")


def _number(record: Record, column: str) -> int | None:
    """Return a count; text of up to 18 figures, or an integer."""
    value = record.get(column)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = str(value)
    if isinstance(value, str) and text.isascii() and text.isdigit() and len(text) < len("1" * 19):
        return int(text)
    raise Refused("AUDIT_VALUE", column=column, value=text[:TEXT_CHARACTERS_MAX])


def _amount(record: Record, column: str) -> int | None:
    """Return fen: from `column` as yuan, or from `column_fen` as a whole number."""
    value = record.get(column)
    if value is not None and value != "":
        try:
            if isinstance(value, str | Decimal):
                return parse_yuan(str(value))
        except Refused:
            pass
        raise Refused("AUDIT_VALUE", column=column, value=str(value)[:TEXT_CHARACTERS_MAX])
    column = f"{column}_fen"
    value = record.get(column)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        digits = value.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) < len(str(FEN_MAX)):
            return int(value)
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) <= FEN_MAX:
        return value
    raise Refused("AUDIT_VALUE", column=column, value=str(value)[:TEXT_CHARACTERS_MAX])


def _day(record: Record, column: str) -> date:
    value = record.get(column)
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise Refused("AUDIT_VALUE", column=column, value=str(value)[:32]) from None
