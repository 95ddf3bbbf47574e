"""Golden cases: settlements whose result is known, run through the engine and compared to the fen.

Kinds, which are counted apart because they prove different things:

* `policy`: inputs and result published, and the result follows from the rule text.
* `derived`: computed by us from a quoted rule text, never published; they guard against change.
* `formula`: a published example under a rule of its own; not run yet, and reported as skipped.
* `message`: a real interface message; the equations between its fields are checked.

A published figure that no derivation gives is listed under `unexplained`: it is printed beside
ours and never asserted. This module computes only; it is handed text and a shelf of rule books.
"""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Final, Literal

import msgspec

from tongcheng.kernel import rulebook
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import format_yuan, parse_yuan
from tongcheng.kernel.rulebook import Shelf
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.outcome import Benefit
from tongcheng.services.settlement.rules import (
    Category,
    Filing,
    Level,
    PersonType,
    Subtype,
    Tier,
)

Kind = Literal["policy", "derived", "formula", "message"]
KINDS: Final[tuple[Kind, ...]] = ("policy", "derived", "formula", "message")

_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
EXPECTED: Final = "expected_"
"""Before the name of a fund: what it is to pay later (`expected_catastrophic`)."""
_FIGURES: Final = {
    "deductible": "deductible_fen",
    "pool": "pool_fen",
    "pool_self": "pool_self_fen",
    "large": "large_fen",
    "large_self": "large_self_fen",
    "burden": "burden_fen",
    "catastrophic": "catastrophic_fen",
    "assistance": "assistance_fen",
    "person_in_scope": "person_in_scope_fen",
    "person_total": "personal_total_fen",
    "personal_total": "personal_total_fen",
    "rounding_residual": "rounding_residual_fen",
}


class Unexplained(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published figure in yuan, and what we computed when the case was typed."""

    published: str
    ours: str


class Hospital(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the stay was: level 1 to 3, and a subtype where a rule book asks for one."""

    level: Level
    subtype: Subtype | None = None


class Before(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Yuan used this year before the case: what funds have paid, what the person has borne."""

    pool: str = "0"
    large: str = "0"
    deductible: str = "0"
    burden: str = "0"
    catastrophic: str = "0"
    assistance: str = "0"
    admissions: str | None = None


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One case as it is typed: all amounts are text in yuan."""

    id: str
    kind: Kind
    title: str
    source: str
    book: str | None = None
    inline_book: dict[str, object] | None = None
    settled_on: str | None = None
    person: PersonType | None = None
    hospital: Hospital | None = None
    admission: str = "1"
    in_scope: str | None = None
    total: str | None = None
    tier: Tier | None = None
    category: Category = "general"
    filing: Filing = "local"
    period: str = "1"
    before: Before = Before()
    overrides: dict[str, str | None] | None = None
    expect: dict[str, str] = {}
    unexplained: dict[str, Unexplained] = {}
    note: str | None = None
    fields: dict[str, str] = {}
    equations: tuple[str, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """What became of a case.

    `lines` say each difference, each unexplained figure, and a rounding residual that is not 0.
    """

    case_id: str
    kind: Kind
    title: str
    status: Literal["passed", "failed", "skipped"]
    lines: tuple[str, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cases: tuple[Case, ...]


def read_cases(text: str) -> tuple[Case, ...]:
    """Read a file of cases; refuses GOLDEN_FORM, and RULE_BOOK_… for YAML that is not plain."""
    try:
        cases = msgspec.convert(rulebook.read(text), _File).cases
    except msgspec.ValidationError as fault:
        what, _, where = str(fault).partition(" - at ")
        raise Refused("GOLDEN_FORM", where=where.strip("`") or "$", fault=what) from None
    repeated = [key for key, count in Counter(case.id for case in cases).items() if count > 1]
    if repeated:
        raise Refused("GOLDEN_FORM", where="id", fault=f"{repeated[0]} stands twice")
    return cases


def run(cases: Iterable[Case], shelf: Shelf) -> list[Outcome]:
    """Run every case; a refusal is a failed case, never an exception."""
    return [run_case(case, shelf) for case in cases]


def run_case(case: Case, shelf: Shelf) -> Outcome:
    """Run one case against the rule book in force on its day."""
    unsupported = case.kind == "formula" or case.inline_book is not None
    if unsupported or case.overrides is not None:
        line = "not run yet: a rule book of its own, or overridden rule values"
        return Outcome(case.id, case.kind, case.title, "skipped", (line,))
    try:
        wrong, notes = _message(case) if case.kind == "message" else _policy(case, shelf)
    except Refused as refused:
        wrong, notes = [str(refused)], []
    status: Literal["passed", "failed"] = "failed" if wrong else "passed"
    return Outcome(case.id, case.kind, case.title, status, (*wrong, *notes))


def summary(outcomes: Iterable[Outcome]) -> dict[str, dict[str, int]]:
    """Count by kind: {kind: {passed, failed, skipped}}, kinds in their documented order."""
    counts = Counter((outcome.kind, outcome.status) for outcome in outcomes)
    return {
        kind: {status: counts[kind, status] for status in ("passed", "failed", "skipped")}
        for kind in KINDS
    }


def _policy(case: Case, shelf: Shelf) -> tuple[list[str], list[str]]:
    benefit = _settled(case, shelf)
    wrong = []
    for figure, expected in case.expect.items():
        ours = _figure(benefit, figure)
        if ours is None or ours != parse_yuan(expected):
            wrong.append(f"{figure}: ours {_yuan(ours)}, expected {expected}")
    if not case.expect:
        wrong.append("expects nothing")
    notes = [
        f"{figure}: ours {_yuan(_figure(benefit, figure))}, published {value.published} "
        "(unexplained)"
        for figure, value in case.unexplained.items()
    ]
    if benefit.rounding_residual_fen:
        residual = format_yuan(benefit.rounding_residual_fen)
        notes.append(f"rounding_residual: {residual}, by which the shown parts miss the whole")
    return wrong, notes


def _settled(case: Case, shelf: Shelf) -> Benefit:
    needed = (case.book, case.settled_on, case.person, case.hospital, case.in_scope)
    book, settled_on, person, hospital, in_scope = needed
    if not book or not settled_on or not person or not hospital or not in_scope:
        names = ("book", "settled_on", "person", "hospital", "in_scope")
        missing = next(name for name, value in zip(names, needed, strict=True) if not value)
        raise Refused("GOLDEN_FORM", where=case.id, fault=f"{missing} is missing")
    try:
        on = date.fromisoformat(settled_on)
        admission, period = int(case.admission), int(case.period)
    except ValueError as fault:
        raise Refused("GOLDEN_FORM", where=case.id, fault=str(fault)) from None
    bill = Bill(
        in_scope_fen=parse_yuan(in_scope),
        total_fen=None if case.total is None else parse_yuan(case.total),
        person_type=person,
        hospital_level=int(hospital.level),
        admission_number=admission,
        hospital_subtype=hospital.subtype,
        tier=case.tier,
        category=case.category,
        filing=case.filing,
        period_number=period,
    )
    used = case.before
    before = Accumulators(
        pool_paid_fen=parse_yuan(used.pool),
        large_paid_fen=parse_yuan(used.large),
        deductible_paid_fen=parse_yuan(used.deductible),
        admissions=admission - 1,
        burden_fen=parse_yuan(used.burden),
        catastrophic_paid_fen=parse_yuan(used.catastrophic),
        assistance_paid_fen=parse_yuan(used.assistance),
    )
    return settle(compile_benefit(shelf.at(book, on)), bill, before)


def _figure(benefit: Benefit, figure: str) -> int | None:
    if figure.startswith(EXPECTED):
        fund = figure.removeprefix(EXPECTED)
        return next((each.amount_fen for each in benefit.announced if each.fund == fund), None)
    if figure not in _FIGURES:
        raise Refused("GOLDEN_FORM", where=figure, fault="no such figure")
    value: int | None = getattr(benefit, _FIGURES[figure])
    return value


def _yuan(fen: int | None) -> str:
    return "unknown" if fen is None else format_yuan(fen)


def _message(case: Case) -> tuple[list[str], list[str]]:
    """Check equations of the form `a = b + c * d`; fields are exact decimals."""
    values = {}
    for name, text in case.fields.items():
        if not _DECIMAL.fullmatch(text):
            raise Refused("GOLDEN_FORM", where=f"{case.id}.{name}", fault=f"{text} is no decimal")
        values[name] = Fraction(text)
    wrong = [] if case.equations else ["states no equation"]
    for equation in case.equations:
        sides = equation.split("=")
        if len(sides) != 2:  # noqa: PLR2004 - an equation has two sides
            raise Refused("GOLDEN_FORM", where=case.id, fault=equation)
        left, right = (_sum(side, values, case.id) for side in sides)
        if left != right:
            wrong.append(f"{equation}: {_decimal(left)} is not {_decimal(right)}")
    return wrong, []


def _sum(side: str, values: dict[str, Fraction], case_id: str) -> Fraction:
    total = Fraction(0)
    for term in side.split("+"):
        product = Fraction(1)
        for name in term.split("*"):
            if name.strip() not in values:
                raise Refused("GOLDEN_FORM", where=case_id, fault=f"no field {name.strip()!r}")
            product *= values[name.strip()]
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
