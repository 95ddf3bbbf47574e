"""Golden cases: settlements whose result is known, run through the engine and compared to the fen.

Kinds, which are counted apart because they prove different things:

* `policy`: inputs and result published, and the result follows from the rule text.
* `derived`: computed by us from a quoted rule text, never published; they guard against change.
* `formula`: a published worked example under a rule of its own, which the case brings with it.
* `message`: a real interface message; the equations between its fields are checked.

A published figure that no derivation gives is listed under `unexplained`: it is printed beside
ours and never asserted. `golden_form` says how a case is written. This module computes only; it is
handed text and a shelf of rule books.
"""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Final, Literal

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import format_yuan, parse_scaled, parse_yuan
from tongcheng.kernel.rulebook import RuleBook, Shelf
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.books import overlay_book, overlay_of, tables_of
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.golden_form import (
    EXPECTED,
    FIGURES,
    KINDS,
    REFUSED,
    UNREADABLE,
    Before,
    Broken,
    Case,
    Computed,
    Hospital,
    LevelWord,
    Message,
    Number,
    Unexplained,
    form,
    kind_of,
    who,
    whole,
)
from tongcheng.services.settlement.golden_inline import book_of
from tongcheng.services.settlement.golden_names import overridden
from tongcheng.services.settlement.golden_shapes import Ground, figure
from tongcheng.services.settlement.outcome import Benefit
from tongcheng.services.settlement.rules import AT_HOME
from tongcheng.services.settlement.rules import KIND as BENEFIT
from tongcheng.services.settlement.tables import NO_CUT, BenefitTables, Cut, RuleRef

Status = Literal["passed", "failed", "skipped"]
STATUSES: Final[tuple[Status, ...]] = ("passed", "failed", "skipped")
CUTS: Final = frozenset({"cut", "filing_cut", "ratio_cut", "ratio_cut_points"})
"""Everyday names of what a filing takes off, which no benefit book holds."""
_INLINE_LEVEL: Final = 3
_RATIO_DIGITS: Final = 4
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_CODE = re.compile(r"[A-Z][A-Z0-9_]*")


class Outcome(msgspec.Struct, frozen=True):
    """What became of a case.

    `lines` say each difference, each unexplained figure, and a rounding residual that is not 0.
    `skipped` is a case that asserts nothing and only shows an unexplained figure.
    """

    case_id: str
    kind: str
    title: str
    status: Status
    lines: tuple[str, ...]


def run(cases: Iterable[Case | Broken], shelf: Shelf) -> list[Outcome]:
    """Run every case; a refusal is a failed case, never an exception."""
    return [run_case(case, shelf) for case in cases]


def run_case(case: Case | Broken, shelf: Shelf) -> Outcome:
    """Run one case against the rule book that it brings, or the one in force on its day."""
    if isinstance(case, Broken):
        return Outcome(case.id, case.kind, case.title, "failed", (_said(case.fault),))
    try:
        wrong, notes = _message(case) if isinstance(case, Message) else _computed(case, shelf)
    except Refused as refused:
        wrong, notes = [_said(refused)], []
    status: Status = "failed" if wrong else "passed"
    if not wrong and isinstance(case, Computed) and not case.expect:
        status = "skipped"
    return Outcome(str(case.id), kind_of(case), case.title, status, (*wrong, *notes))


def summary(outcomes: Iterable[Outcome]) -> dict[str, dict[str, int]]:
    """Count by kind: {kind: {passed, failed, skipped}}, kinds in their documented order."""
    counts = Counter((outcome.kind, outcome.status) for outcome in outcomes)
    kinds = [*KINDS, *([UNREADABLE] if counts[UNREADABLE, "failed"] else [])]
    return {kind: {status: counts[kind, status] for status in STATUSES} for kind in kinds}


def _said(refused: Refused) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in refused.facts.items())
    return f"{refused.code}: {facts}"


def _computed(case: Computed, shelf: Shelf) -> tuple[list[str], list[str]]:
    expect = case.expect or {}
    if REFUSED in expect:
        return _refused(case, shelf), []
    benefit = _settled(case, shelf)
    wrong = []
    for name, expected in expect.items():
        ours = _figure(benefit, name, str(case.id))
        if ours != (None if expected is None else parse_yuan(str(expected))):
            shown = "unknown" if expected is None else expected
            wrong.append(f"{name}: ours {_yuan(ours)}, expected {shown}")
    unexplained = case.unexplained or {}
    if not expect and not unexplained:
        wrong.append("expects nothing")
    notes = []
    for name, value in unexplained.items():
        published = value.published if isinstance(value, Unexplained) else value
        ours = _figure(benefit, name, str(case.id))
        notes.append(f"{name}: ours {_yuan(ours)}, published {published} (unexplained)")
    if benefit.rounding_residual_fen:
        residual = format_yuan(benefit.rounding_residual_fen)
        notes.append(f"rounding_residual: {residual}, by which the shown parts miss the whole")
    return wrong, notes


def _refused(case: Computed, shelf: Shelf) -> list[str]:
    """Return what is wrong with a case that expects a refusal, and nothing else."""
    code = str((case.expect or {})[REFUSED])
    if len(case.expect or {}) > 1 or not _CODE.fullmatch(code):
        raise form(
            where=f"{case.id}.expect", fault="refused stands alone, with the code of a refusal"
        )
    try:
        _settled(case, shelf)
    except Refused as refused:
        wrong = refused.code != code
        return [f"refused: ours {_said(refused)}, expected {code}"] if wrong else []
    return [f"refused: ours settled, expected {code}"]


def _settled(case: Computed, shelf: Shelf) -> Benefit:
    person, hospital = who(case), _hospital(case)
    number = whole(case.admission, f"{case.id}.admission")
    ground = Ground(
        case_id=str(case.id),
        who=person,
        level=int(hospital.level),
        subtype=hospital.subtype,
        number=number,
        on=_day(case),
    )
    overrides = dict(case.overrides or {})
    cuts = [overrides.pop(name) for name in CUTS & overrides.keys()]
    tables = _tables(case, shelf, overrides, ground)
    bill = Bill(
        in_scope_fen=parse_yuan(str(case.in_scope)),
        total_fen=None if case.total is None else parse_yuan(str(case.total)),
        person_type=person.type,
        hospital_level=ground.level,
        admission_number=number,
        hospital_subtype=hospital.subtype,
        tier=person.tier,
        category=person.category,
        filing=case.filing,
        period_number=whole(case.period, f"{case.id}.period"),
    )
    return settle(tables, bill, _before(case, number), _cut(case, shelf, cuts, ground))


def _hospital(case: Computed) -> Hospital:
    if isinstance(case.hospital, Hospital):
        return case.hospital
    if case.hospital is not None:
        return Hospital(level=case.hospital)
    if case.inline_book is None:
        raise form(str(case.id), "hospital is missing")
    return Hospital(level=msgspec.convert(_INLINE_LEVEL, LevelWord))


def _day(case: Computed) -> date | None:
    if case.settled_on is None:
        return None
    try:
        return date.fromisoformat(case.settled_on)
    except ValueError as fault:
        raise form(where=f"{case.id}.settled_on", fault=str(fault)) from None


def _before(case: Computed, number: int) -> Accumulators:
    used = case.before or Before()
    yuan = {
        name: 0 if (value := getattr(used, name)) is None else parse_yuan(str(value))
        for name in ("pool", "large", "deductible", "burden", "catastrophic", "assistance")
    }
    settled = used.admissions
    return Accumulators(
        pool_paid_fen=yuan["pool"],
        large_paid_fen=yuan["large"],
        deductible_paid_fen=yuan["deductible"],
        admissions=number - 1 if settled is None else whole(settled, f"{case.id}.before"),
        burden_fen=yuan["burden"],
        catastrophic_paid_fen=yuan["catastrophic"],
        assistance_paid_fen=yuan["assistance"],
    )


def _tables(
    case: Computed, shelf: Shelf, overrides: dict[str, object], ground: Ground
) -> BenefitTables:
    """Return the tables of the book that the case brings or names, with its overrides."""
    if (case.book is None) == (case.inline_book is None):
        raise form(str(case.id), "book, or inline_book, is missing, or both are given")
    if case.inline_book is not None:
        book = book_of(case.inline_book, ground)
    else:
        book = _named(shelf, str(case.book), ground)
        if not overrides:
            return tables_of(book)
    if overrides:
        book = overridden(book, msgspec.convert(overrides, dict[str, object]), ground)
    return compile_benefit(book)


def _named(shelf: Shelf, name: str, ground: Ground) -> RuleBook:
    """Return the book of that name in force on the day of the case.

    A name that leaves the scheme out (`hebei-langfang-inpatient`) means the one of the person.
    """
    if ground.on is None:
        raise form(ground.case_id, "settled_on is missing")
    known = {book.book_id for book in shelf if book.kind == BENEFIT}
    if name in known:
        return shelf.at(name, ground.on)
    parts = _parts(name)
    scheme = "employee" if ground.who.type in {"active", "retired"} else "resident"
    found = [each for each in known if parts <= _parts(each)]
    if len(found) > 1:
        found = [each for each in found if parts | {scheme} <= _parts(each)]
    if len(found) != 1:
        raise form(
            where=f"{ground.case_id}.book", fault=f"{name} is none of {', '.join(sorted(known))}"
        )
    return shelf.at(found[0], ground.on)


def _parts(name: str) -> set[str]:
    return set(re.split(r"[-_ ]+", name.lower())) - {"inpatient"}


def _cut(case: Computed, shelf: Shelf, given: list[object], ground: Ground) -> Cut:
    """Return what the case's filing takes off: as it says itself, else by the region's book."""
    where = f"{case.id}.overrides"
    if given and (case.filing in AT_HOME or len(given) > 1):
        raise form(where, "one cut, for a filing by which something is cut")
    if given:
        value = figure(msgspec.convert(given[0], str | None), where)["value"]
        points = -1 if value is None else parse_scaled(str(value), _RATIO_DIGITS)
        return Cut(points, RuleRef(str(case.id), "overrides.cut"))
    if case.filing in AT_HOME or ground.on is None:
        return NO_CUT
    book = overlay_book(shelf, ground.on)
    return NO_CUT if book is None else overlay_of(book).cut(case.filing)


def _figure(benefit: Benefit, name: str, case_id: str) -> int | None:
    if name.startswith(EXPECTED):
        fund = name.removeprefix(EXPECTED)
        return next((each.amount_fen for each in benefit.announced if each.fund == fund), None)
    if name not in FIGURES:
        raise form(
            where=f"{case_id}.{name}", fault=f"no such figure; there are {', '.join(FIGURES)}"
        )
    value: int | None = getattr(benefit, FIGURES[name])
    return value


def _yuan(fen: int | None) -> str:
    return "unknown" if fen is None else format_yuan(fen)


def _message(case: Message) -> tuple[list[str], list[str]]:
    """Check equations of the form `a = b + c * d`; fields and literals are exact decimals."""
    values = {
        name: _exact(number, f"{case.id}.{name}")
        for name, number in case.fields.items()
        if number is not None
    }
    wrong = [] if case.equations else ["states no equation"]
    for equation in case.equations:
        sides = equation.split("=")
        if len(sides) != 2:  # noqa: PLR2004 - an equation has two sides
            raise form(str(case.id), equation)
        left, right = (_sum(side, values, str(case.id)) for side in sides)
        if left != right:
            wrong.append(f"{equation}: {_decimal(left)} is not {_decimal(right)}")
    return wrong, []


def _exact(number: Number, where: str) -> Fraction:
    if not _DECIMAL.fullmatch(str(number)):
        raise form(where, f"{number} is no decimal")
    return Fraction(str(number))


def _sum(side: str, values: dict[str, Fraction], case_id: str) -> Fraction:
    total = Fraction(0)
    for term in side.split("+"):
        product = Fraction(1)
        for part in term.split("*"):
            name = part.strip()
            if name not in values and not _DECIMAL.fullmatch(name):
                raise form(case_id, f"no field {name!r}")
            product *= values[name] if name in values else Fraction(name)
        total += product
    return total


def _decimal(value: Fraction) -> str:
    """Write an exact decimal; sums and products of decimals always are one."""
    digits = 0
    while (value * 10**digits).denominator != 1:
        digits += 1
    scaled = abs(value * 10**digits).numerator
    text = str(scaled).rjust(digits + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)
