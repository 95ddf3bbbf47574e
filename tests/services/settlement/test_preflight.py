"""Pre-flight checks: each finding once, in a table a clerk can read, and all of them at once."""

import ast
from datetime import date, timedelta

import msgspec
import pytest

from tests.tidy import ROOT, codes_refused
from tongcheng.services.settlement.catalogue import COLUMNS, parse
from tongcheng.services.settlement.lines import Line, amount_of
from tongcheng.services.settlement.model import ScopeTotals
from tongcheng.services.settlement.preflight import (
    CODES,
    LONG_STAY_DAYS,
    Asked,
    BillCheck,
    Finding,
    StayCheck,
    check_bill,
    check_habits,
    check_lines,
    check_stay,
    first_error,
)

CATALOGUE = parse(
    "# catalogue: c\n# admdvs: 120000\n# source: synthetic\n"
    + ",".join(COLUMNS)
    + """
A,class A,A,,0,drug,2026-01-01,
B?,unknown ratio,B,,,drug,2024-01-01,
"""
)
ON = date(2026, 3, 1)
PIECE, YUAN = 10_000, 1_000_000


def _asked(
    line_id: str = "1",
    item: str = "A",
    quantity: int = PIECE,
    original: str | None = None,
    on: date = ON,
    at: int = 0,
) -> Asked:
    line = Line(
        line_id=line_id,
        item_code=item,
        quantity=quantity,
        unit_price=YUAN,
        amount_fen=amount_of(quantity, YUAN),
        occurred_on=on,
        original_id=original,
    )
    return Asked(line=line, charged_at=at, doctor_code="D1", department_code="A01")


def _wrong(asked: Asked, **changes: int) -> Asked:
    return msgspec.structs.replace(asked, line=msgspec.structs.replace(asked.line, **changes))


def _found(findings: list[Finding]) -> list[str]:
    return [f"{one.severity} {one.code} {one.line_id or ''}".strip() for one in findings]


LINES = [
    ([_asked()], []),
    ([_asked(), _asked()], ["error LINE_DUPLICATE 1"]),
    ([_asked(item="Z")], ["error CATALOGUE_ITEM_UNKNOWN 1"]),
    ([_asked(on=date(2025, 12, 31))], ["error CATALOGUE_ITEM_UNKNOWN 1"]),
    ([_asked(item="B?")], ["error RULE_UNKNOWN 1"]),
    ([_wrong(_asked(), amount_fen=99)], ["error LINE_AMOUNT_MISMATCH 1"]),
    ([_wrong(_asked(), quantity=0)], ["error LINE_QUANTITY_ZERO 1"]),
    ([_wrong(_asked(), unit_price=-1)], ["error LINE_PRICE_NEGATIVE 1"]),
    ([_asked(quantity=-PIECE)], ["error LINE_ORIGINAL_MISSING 1"]),
    ([_asked(quantity=-PIECE, original="9")], ["error LINE_ORIGINAL_UNKNOWN 1"]),
    (
        [_asked(), _asked("2", quantity=-2 * PIECE, original="1")],
        ["error LINE_REFUND_TOO_LARGE 2"],
    ),
    (
        [_asked(), _asked("2", item="B?", quantity=-PIECE, original="1")],
        ["error LINE_REFUND_MISMATCH 2"],
    ),
    # All at once, and what is right among them passes.
    (
        [
            _asked("1", item="Z"),
            _asked("2"),
            _asked("3", item="B?"),
            _wrong(_asked("4"), quantity=0),
        ],
        ["error CATALOGUE_ITEM_UNKNOWN 1", "error RULE_UNKNOWN 3", "error LINE_QUANTITY_ZERO 4"],
    ),
    # A refund of a line that has a fault itself, and the refund of that refund, are not blamed.
    (
        [
            _asked("1", item="Z"),
            _asked("2", item="Z", quantity=-PIECE, original="1"),
            _asked("3", item="Z", quantity=-PIECE, original="2"),
        ],
        ["error CATALOGUE_ITEM_UNKNOWN 1"],
    ),
]


@pytest.mark.parametrize(("asked", "expected"), LINES)
def test_lines(asked: list[Asked], expected: list[str]) -> None:
    """The faults of all lines, each under the code that would refuse it."""
    found, _ = check_lines(CATALOGUE, asked)

    assert _found(found) == expected


def test_what_is_right_is_split_besides() -> None:
    """The totals of a bill are there when every line could be split, and only then are whole."""
    _, done = check_lines(CATALOGUE, [_asked("1", item="Z"), _asked("2"), _asked("3")])

    assert [one.line.line_id for one in done] == ["2", "3"]


HABITS = [
    ([_asked("1"), _asked("2", at=1)], []),
    ([_asked("1"), _asked("2")], ["warning LINE_LIKELY_DUPLICATE 2"]),
    ([_asked("1"), _asked("2", item="B?")], []),
    ([_asked("1"), _asked("2", quantity=2 * PIECE)], []),
    ([_asked("1"), _wrong(_asked("2"), unit_price=YUAN + 1)], []),
    # Taken back whole and charged anew is how a correction looks; taken back in part is not.
    ([_asked("1"), _asked("2", quantity=-PIECE, original="1"), _asked("3")], []),
    (
        [
            _asked("1", quantity=2 * PIECE),
            _asked("2", quantity=-PIECE, original="1"),
            _asked("3", quantity=2 * PIECE),
        ],
        ["warning LINE_LIKELY_DUPLICATE 3"],
    ),
    ([_asked("1"), _asked("2"), _asked("3")], ["warning LINE_LIKELY_DUPLICATE 2", "3"]),
    ([msgspec.structs.replace(_asked(), doctor_code="")], ["warning DOCTOR_CODE_MISSING"]),
    ([msgspec.structs.replace(_asked(), department_code="")], ["warning DEPARTMENT_CODE_MISSING"]),
]


@pytest.mark.parametrize(("asked", "expected"), HABITS)
def test_habits(asked: list[Asked], expected: list[str]) -> None:
    """What would pass and is probably not meant."""
    found = _found(check_habits(asked))

    assert [said.endswith(want) for said, want in zip(found, expected, strict=True)] == (
        [True] * len(expected)
    )


def test_many_lines_without_a_doctor_are_one_finding() -> None:
    """A system that sends no codes at all is told once, with how many and which first."""
    asked = [msgspec.structs.replace(_asked(str(at)), doctor_code="") for at in range(7)]
    (found,) = [one for one in check_habits(asked) if one.code == "DOCTOR_CODE_MISSING"]

    assert found.facts == {"count": 7, "lines": "0, 1, 2, 3, 4, …"}


DAYS = date(2026, 2, 20), date(2026, 3, 10)
STAY = StayCheck(stay_id="s", admitted_on=DAYS[0], discharged_on=DAYS[1], today=date(2026, 3, 11))
LONG = timedelta(days=LONG_STAY_DAYS)
STAYS: list[tuple[dict[str, object], list[str]]] = [
    ({}, []),
    ({"discharged_on": None}, ["error STAY_NOT_DISCHARGED"]),
    ({"discharged_on": None, "final": False}, []),
    ({"discharged_on": date(2026, 2, 19)}, ["error DISCHARGE_BEFORE_ADMISSION"]),
    ({"discharged_on": date(2026, 3, 12)}, ["error DATE_IN_FUTURE"]),
    ({"today": date(2026, 2, 19), "discharged_on": None, "final": False}, ["error DATE_IN_FUTURE"]),
    ({"admitted_on": date(2025, 12, 31)}, ["warning STAY_CROSSES_YEAR"]),
    ({"admitted_on": date(2026, 1, 1)}, []),
    ({"today": date(2026, 5, 22), "discharged_on": DAYS[0] + LONG}, []),
    (
        {"today": date(2026, 5, 30), "discharged_on": DAYS[0] + LONG + timedelta(days=1)},
        ["warning STAY_LONG"],
    ),
    ({"scheme_given": "310", "scheme_known": "310"}, []),
    ({"scheme_given": "310", "scheme_known": "390"}, ["error SCHEME_DIFFERS"]),
    ({"scheme_given": "310"}, []),
    (
        {"person_type_given": "active", "person_type_known": "retired"},
        ["warning PERSON_TYPE_DIFFERS"],
    ),
    ({"filing": "valid"}, []),
    ({"filing": "missing"}, ["warning FILING_MISSING"]),
    ({"filing": "expired"}, ["warning FILING_EXPIRED"]),
]


@pytest.mark.parametrize(("changes", "expected"), STAYS)
def test_stay(changes: dict[str, object], expected: list[str]) -> None:
    """Days, insurance and filing of a stay."""
    assert _found(check_stay(msgspec.structs.replace(STAY, **changes))) == expected


OUTSIDE = [
    (date(2026, 2, 19), PIECE, ["warning LINE_OUTSIDE_STAY 1"]),
    (date(2026, 2, 20), PIECE, []),
    (date(2026, 3, 10), PIECE, []),
    (date(2026, 3, 11), PIECE, ["warning LINE_OUTSIDE_STAY 1"]),
    (date(2026, 3, 11), -PIECE, []),
]


@pytest.mark.parametrize(("on", "quantity", "expected"), OUTSIDE)
def test_lines_outside_the_stay(on: date, quantity: int, expected: list[str]) -> None:
    """Both days of the stay belong to it; a refund comes when it comes."""
    assert _found(check_stay(STAY, [_asked(on=on, quantity=quantity).line])) == expected


FOUND = ScopeTotals(10_000, 1_000, 500, 1_500, 7_000)
BILLS = [
    (BillCheck(total_fen=10_000), []),
    (BillCheck(total_fen=10_001), ["error UPLOADED_DIFFERS"]),
    (BillCheck(total_fen=10_005, tolerance_fen=5), ["warning STATED_WITHIN_TOLERANCE"]),
    (BillCheck(total_fen=9_994, tolerance_fen=5), ["error UPLOADED_DIFFERS"]),
    (BillCheck(total_fen=10_000, split=FOUND), []),
    (
        BillCheck(total_fen=10_000, split=ScopeTotals(10_000, 1_001, 499, 1_500, 7_000)),
        ["error SPLIT_DIFFERS"],
    ),
]


@pytest.mark.parametrize(("bill", "expected"), BILLS)
def test_bill(bill: BillCheck, expected: list[str]) -> None:
    """What is billed against what the lines come to."""
    assert _found(check_bill(bill, FOUND)) == expected


def test_first_error() -> None:
    """The first error is what would refuse the bill; warnings alone refuse nothing."""
    warned = check_habits([_asked("1"), _asked("2")])
    wrong = check_bill(BillCheck(total_fen=1), FOUND)
    refused = first_error([*warned, *wrong])

    assert first_error(warned) is None
    assert refused is not None
    assert (refused.code, refused.facts) == (wrong[0].code, wrong[0].facts)


FROM = ("preflight", "lines", "catalogue", "mapping", "checks")
ELSEWHERE = {"CATALOGUE_FORM", "FILE_ENCODING", "INSTITUTION_UNKNOWN", "MAPPING_FORM"}
ELSEWHERE |= {"MAPPING_OVERLAP"}


def test_every_code_is_listed() -> None:
    """What the checks can say is in CODES, and CODES lists nothing that they never say."""
    folder = ROOT / "src" / "tongcheng" / "services" / "settlement"
    trees = [ast.parse((folder / f"{name}.py").read_text("utf-8")) for name in (*FROM, "bills")]
    said = set().union(*map(codes_refused, trees))
    bills = codes_refused(trees[-1]) - {"BILL_OUT_OF_RANGE"}

    assert said - ELSEWHERE - bills | {"LINE_DUPLICATE"} == set(CODES)
