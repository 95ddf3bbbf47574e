"""The golden cases of the repository, and what the runner says of wrong ones."""

from datetime import date

import pytest

from tests.services.settlement.books import REGION
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import Shelf, parse
from tongcheng.services.settlement import golden
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.engine import settle

SHELF = Shelf(
    [parse(path.read_text("utf-8")) for path in sorted((REGION / "rulebooks").glob("*.yaml"))],
    allow_drafts=True,
)
CASES = [
    case
    for path in sorted((REGION / "golden").glob("*.yaml"))
    for case in golden.read_cases(path.read_text("utf-8"))
]


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_shipped_case(case: golden.Case) -> None:
    """Every shipped case passes to the fen; what is said beside it is no difference."""
    outcome = golden.run_case(case, SHELF)

    beside = [line for line in outcome.lines if "unexplained" in line or "residual" in line]
    assert (outcome.status, outcome.lines) == ("passed", tuple(beside))


def test_g01_in_figures() -> None:
    """The one real settlement: four published figures, the residual, and the total it leaves."""
    bill = Bill(
        in_scope_fen=16_441_181,
        total_fen=18_908_585,
        person_type="retired",
        hospital_level=3,
        admission_number=2,
    )
    tables = compile_benefit(SHELF.at("beijing-employee-inpatient", date(2025, 6, 29)))

    benefit = settle(tables, bill, Accumulators(pool_paid_fen=824_049))

    assert benefit.pool_fen == 9_175_951
    assert benefit.pool_self_fen == 496_267
    assert benefit.large_fen == 5_363_171
    assert benefit.large_self_fen == 1_340_793
    assert benefit.rounding_residual_fen == -1
    assert benefit.person_in_scope_fen == 1_902_059
    assert benefit.personal_total_fen == 4_369_463


def test_unexplained_figure_is_shown_beside_ours() -> None:
    """The published personal total of G01 is 0.04 higher than any derivation: shown, not hidden."""
    case = next(case for case in CASES if case.id == "G01")

    outcome = golden.run_case(case, SHELF)

    assert outcome.lines == (
        "personal_total: ours 43694.63, published 43694.67 (unexplained)",
        "rounding_residual: -0.01, by which the shown parts miss the whole",
    )


def test_kinds_are_counted_apart() -> None:
    """What was published and what we computed ourselves are never one number."""
    counts = golden.summary(golden.run(CASES, SHELF))

    assert counts["policy"] == {"passed": 3, "failed": 0, "skipped": 0}
    assert counts["derived"] == {"passed": 58, "failed": 0, "skipped": 0}


HEAD = """
cases:
  - id: X1
    title: t
    source: s
"""
POLICY = (
    HEAD
    + """
    kind: policy
    book: beijing-employee-inpatient
    settled_on: "2025-06-29"
    person: active
    hospital: {level: "3"}
    in_scope: "1300.00"
"""
)
MESSAGE = HEAD + "    kind: message\n"

WRONG = [
    (POLICY + '    expect: {pool: "0.01"}', "pool: ours 0.00, expected 0.01"),
    (POLICY + "    note: n", "expects nothing"),
    (POLICY + '    expect: {pond: "0"}', "GOLDEN_FORM"),
    (POLICY + '    expect: {person_total: "0"}', "person_total: ours unknown, expected 0"),
    (POLICY.replace("2025-06-29", "2021-12-31") + '    expect: {pool: "0"}', "RULE_BOOK_MISSING"),
    (MESSAGE + '    fields: {a: "1", b: "2"}\n    equations: [a = b]', "a = b: 1 is not 2"),
    (
        MESSAGE + '    fields: {a: "6.01", b: "3", c: "2.00"}\n    equations: [a = b * c + b]',
        "a = b * c + b: 6.01 is not 9",
    ),
    (MESSAGE + '    fields: {a: "1e3"}\n    equations: [a = a]', "GOLDEN_FORM"),
    (MESSAGE + '    fields: {a: "1"}\n    equations: [a = b]', "GOLDEN_FORM"),
    (MESSAGE + '    fields: {a: "1"}', "states no equation"),
]


@pytest.mark.parametrize(("text", "line"), WRONG)
def test_wrong_case_fails_and_says_why(text: str, line: str) -> None:
    """A case that is wrong fails on that figure; it neither passes nor stops the others."""
    (outcome,) = golden.run(golden.read_cases(text), SHELF)

    assert outcome.status == "failed"
    assert line in outcome.lines[0]


def test_message_equation_holds() -> None:
    """Products and sums of exact decimals, negative ones included."""
    text = MESSAGE + '    fields: {a: "-6.10", b: "3", c: "-2.00", d: "-0.1"}\n'
    (outcome,) = golden.run(golden.read_cases(text + "    equations: [a = b * c + d]"), SHELF)

    assert outcome.status == "passed"


def test_formula_is_skipped_by_name() -> None:
    """A kind that is not run yet is neither passed nor failed."""
    (outcome,) = golden.run(golden.read_cases(HEAD + "    kind: formula"), SHELF)

    assert outcome.status == "skipped"


@pytest.mark.parametrize(
    "text", ["cases: [{id: a}]", "case: []", POLICY + "    extra: 1", POLICY + POLICY[7:]]
)
def test_malformed_file_is_refused(text: str) -> None:
    """A file that is not of the format is refused whole."""
    with pytest.raises(Refused, match="GOLDEN_FORM"):
        golden.read_cases(text)
