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
from tongcheng.services.settlement.golden_form import Broken, Case, read_cases

SHELF = Shelf(
    [parse(path.read_text("utf-8")) for path in sorted((REGION / "rulebooks").glob("*.yaml"))],
    allow_drafts=True,
)
CASES = [
    case
    for path in sorted((REGION / "golden").glob("*.yaml"))
    for case in read_cases(path.read_text("utf-8"))
]


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_shipped_case(case: Case | Broken) -> None:
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
    assert counts["derived"]["passed"] >= 58
    assert {each["failed"] + each["skipped"] for each in counts.values()} == {0}


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

EXPECT = "    expect: {pool: 0}\n"

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
    (MESSAGE + "    fields: {a: 1}\n    equations: [a = a = a]", "GOLDEN_FORM"),
    (POLICY.replace("person: active", "person: active_retired") + EXPECT, "both active and"),
    (POLICY.replace("person: active", "person: clerk") + EXPECT, "clerk is no word"),
    (POLICY.replace("    person: active\n", "") + EXPECT, "person is missing"),
    (POLICY.replace('    hospital: {level: "3"}\n', "") + EXPECT, "hospital is missing"),
    (POLICY.replace('    settled_on: "2025-06-29"\n', "") + EXPECT, "settled_on is missing"),
    (POLICY.replace("2025-06-29", "2025-06-31") + EXPECT, "GOLDEN_FORM"),
    (POLICY.replace("beijing-employee-inpatient", "hebei-inpatient") + EXPECT, "is none of"),
    (POLICY + EXPECT + "    inline_book: {ratio: 1}\n", "both are given"),
    (POLICY + "    admission: second\n" + EXPECT, "no whole number"),
    (POLICY + "    expect: {refused: RULE_UNKNOWN}", "ours settled, expected RULE_UNKNOWN"),
    (POLICY + "    expect: {refused: RULE_UNKNOWN, pool: 0}", "refused stands alone"),
    (POLICY + "    overrides: {cut: 0.1}\n" + EXPECT, "one cut"),
]


@pytest.mark.parametrize(("text", "line"), WRONG)
def test_wrong_case_fails_and_says_why(text: str, line: str) -> None:
    """A case that is wrong fails on that figure; it neither passes nor stops the others."""
    (outcome,) = golden.run(read_cases(text), SHELF)

    assert outcome.status == "failed"
    assert line in outcome.lines[0]


def test_message_equation_holds() -> None:
    """Products and sums of exact decimals, negative ones included."""
    text = MESSAGE + '    fields: {a: "-6.10", b: "3", c: "-2.00", d: "-0.1"}\n'
    (outcome,) = golden.run(read_cases(text + "    equations: [a = b * c + d]"), SHELF)

    assert outcome.status == "passed"


def test_case_without_expectation_is_only_shown() -> None:
    """A published figure that nothing derives is printed; the case counts as neither."""
    text = POLICY + "    unexplained: {pool: 12.30}\n"
    (outcome,) = golden.run(read_cases(text), SHELF)

    assert outcome.status == "skipped"
    assert outcome.lines == ("pool: ours 0.00, published 12.30 (unexplained)",)


@pytest.mark.parametrize("text", ["case: []", "cases: []", "cases: [a", POLICY + POLICY[7:]])
def test_malformed_file_is_refused(text: str) -> None:
    """A file that holds no cases, or one twice, is refused whole."""
    with pytest.raises(Refused, match="GOLDEN_FORM"):
        read_cases(text)


@pytest.mark.parametrize(
    ("text", "case_id", "kind", "fault"),
    [
        ("cases: [{id: a}]", "a", "unreadable", "kind"),
        ("cases: [a]", "cases[0]", "unreadable", "object"),
        (HEAD + "    kind: polity", "X1", "unreadable", "polity"),
        (POLICY + "    extra: 1", "X1", "policy", "extra"),
        (POLICY.replace("1300.00", "1e3"), "X1", "policy", "in_scope"),
        (POLICY.replace("1300.00", "012"), "X1", "policy", "in_scope"),
    ],
)
def test_malformed_case_fails_and_leaves_the_others(
    text: str, case_id: str, kind: str, fault: str
) -> None:
    """A case that is not of the format fails by its id, naming what is wrong; others are run."""
    rest = MESSAGE.removeprefix("\ncases:\n").replace("X1", "X2")
    more = (
        "" if text.startswith("cases: [") else rest + "    fields: {a: 1}\n    equations: [a = a]"
    )
    outcomes = golden.run(read_cases(f"{text}\n{more}"), SHELF)

    first = outcomes[0]
    assert (first.case_id, first.kind, first.status) == (case_id, kind, "failed")
    assert fault in first.lines[0]
    assert golden.summary(outcomes)[kind]["failed"] == 1
    assert [each.status for each in outcomes[1:]] == ["passed"] * bool(more)
