"""Laws of the engine on any book: hypothesis looks for a book or a bill that breaks one."""

import math
from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.settlement import naive
from tests.services.settlement.books import Case, Question, cases, figure, made_up, simple_rules
from tests.services.settlement.laws import FUNDS, LAW, answers, ask, assert_same, by_hand
from tongcheng.kernel import canonical
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.outcome import Benefit, accumulate, reverse
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN, BASIS, NO_LIMIT, Cut


@settings(LAW, max_examples=120)
@given(cases())
def test_equals_the_naive_implementation(case: Case) -> None:
    """Integers and plain fractions agree on every figure and every refusal, for any book."""
    tables = compile_benefit(case.book)

    for question in case.questions:
        assert_same(ask(tables, question), by_hand(case.book, question))


@LAW
@given(cases(unknown=0))
def test_void_is_the_exact_negative(case: Case) -> None:
    """A void mirrors every amount and gives the accumulators back; its void is the original."""
    for question, benefit in answers(case):
        void = reverse(benefit)

        for field in Benefit.__struct_fields__:
            if field.endswith("_fen") and getattr(benefit, field) is not None:
                assert getattr(void, field) == -getattr(benefit, field)
        assert void.funds == tuple((fund, -fen) for fund, fen in benefit.funds)
        assert accumulate(accumulate(question.before, benefit), void) == question.before
        assert reverse(void) == benefit


@LAW
@given(cases(unknown=0))
def test_trace_covers_both_lines_and_can_be_signed(case: Case) -> None:
    """The rows lie end to end on the stay's line and on each cover's, and fit canonical bytes.

    A share of what is in the bill is never negative, and the residual is a fen or two.
    """
    for question, benefit in answers(case):
        rows = [row for row in benefit.trace if row.part not in {"catastrophic", "assistance"}]
        ends = [0, *(row.to_fen for row in rows)]
        assert [row.from_fen for row in rows] == ends[:-1]
        assert ends[-1] == question.bill.in_scope_fen
        for part in ("catastrophic", "assistance"):
            covered = [row for row in benefit.trace if row.part == part]
            joints = [(row.from_fen, row.to_fen) for row in covered]
            assert [end for _, end in joints[:-1]] == [begin for begin, _ in joints[1:]]
        assert min(getattr(benefit, name) for name in (*FUNDS, "person_in_scope_fen")) >= 0
        assert abs(benefit.rounding_residual_fen) <= 2
        raw = canonical.encode(benefit)
        assert canonical.decode_as(raw, Benefit) == benefit


@LAW
@given(cases(), st.integers(0, 300) | st.integers(0, 10**9))
def test_more_in_scope(case: Case, more: int) -> None:
    """Of a larger bill no fund pays less, and no person bears less in scope: to the fen.

    One more fen adds at most one fen to what all funds pay before they round, and the pool's
    payment is whole as soon as the large-amount fund pays; so each rounded sum rises by none or
    one, and so does what is left. What is known for the larger bill is known for the smaller.
    """
    tables = compile_benefit(case.book)
    rising = (*FUNDS, "deductible_fen", "burden_fen", "person_in_scope_fen", "fund_fen")
    for question in case.questions:
        bill = msgspec.structs.replace(question.bill, total_fen=None)
        larger = msgspec.structs.replace(
            bill, in_scope_fen=min(bill.in_scope_fen + more, AMOUNT_MAX_FEN)
        )

        less, greater = (
            ask(tables, Question(each, question.before, question.cut)) for each in (bill, larger)
        )

        if not isinstance(greater, str):
            assert not isinstance(less, str), less
            for name in rising:
                assert getattr(less, name) <= getattr(greater, name), name


@LAW
@given(cases(unknown=0))
def test_never_less_than_the_clauses_give(case: Case) -> None:
    """What the funds pay together is what the clauses give exactly, rounded down, or more.

    Each payment rounds off less than half a fen, of pool and large-amount fund only one. With two
    second covers three payments may round off the same way, and a fen may be missing, never two.
    """
    for question, benefit in answers(case):
        exact = by_hand(case.book, question, rounded=naive.exactly)
        if isinstance(exact, str):  # only without rounding does the burden reach what is unknown
            continue
        allowed = sum((exact[name] or Fraction(0) for name in FUNDS), Fraction(0))
        covers = sum(getattr(benefit, name) > 0 or exact[name] != 0 for name in FUNDS[2:])
        assert 2 * (allowed - benefit.fund_fen) < 1 + covers
        assert benefit.fund_fen >= math.floor(allowed) - (covers == 2)


@LAW
@given(cases(unknown=0))
def test_what_is_used_up_pays_nothing(case: Case) -> None:
    """A fund that has paid its cap in the year, or more by an import, pays no fen beyond it."""
    tables = compile_benefit(case.book)
    for question, _ in answers(case):
        bill = question.bill
        cell = tables.cells[bill.hospital_level, bill.hospital_subtype, bill.person_type, bill.tier]
        caps = {"pool": tables.pool_cap_fen, "large": cell.large.cap_fen if cell.large else 0}
        for layer in ("catastrophic", "assistance"):
            table = tables.covers.get((layer, bill.category))
            caps[layer] = 0 if table is None else table.cap_fen
        limited = {name: cap for name, cap in caps.items() if 0 <= cap < NO_LIMIT}
        used = {f"{name}_paid_fen": cap for name, cap in limited.items()}
        before = msgspec.structs.replace(question.before, **used)

        benefit = ask(tables, Question(bill, before, question.cut))

        if not isinstance(benefit, str):
            assert [getattr(benefit, f"{name}_fen") for name in limited] == [0] * len(limited)


@LAW
@given(cases(unknown=0), st.integers(0, BASIS), st.integers(0, BASIS))
def test_a_larger_cut_never_pays_more(case: Case, one: int, other: int) -> None:
    """The more a filing takes off, the less pool and large fund pay, and the more is borne."""
    tables = compile_benefit(case.book)
    small, large = sorted((one, other))
    for question, _ in answers(case):
        if question.cut.ref is None:
            continue
        low, high = (
            ask(tables, question._replace(cut=Cut(points, question.cut.ref)))
            for points in (small, large)
        )

        if isinstance(low, str) or isinstance(high, str):
            continue  # with another cut a book's unknown figure may be reached
        for name in ("pool_fen", "large_fen"):
            assert getattr(low, name) >= getattr(high, name), name
        for name in ("burden_fen", "person_in_scope_fen"):
            assert getattr(low, name) <= getattr(high, name), name


_points = st.integers(0, BASIS).map(
    lambda points: figure(f"{points // BASIS}.{points % BASIS:04d}")
)


@LAW
@given(
    ratios=st.tuples(_points, _points, _points),
    factor=_points,
    in_scope=st.integers(0, 10**7),
    used=st.integers(0, 10**6 + 1),
)
def test_a_retiree_is_never_worse_off(
    ratios: tuple[Any, Any, Any], factor: Any, in_scope: int, used: int
) -> None:
    """Where a retiree bears a share of a worker's share, and both have one large-amount fund.

    Where a book gives retirees a lower ratio in the large-amount fund, as Beijing's does, a bill
    beyond the pool's cap may well leave a retiree more than a worker.
    """
    steps: list[Any] = [{"to": figure("1000"), "ratio": ratios[0]}, {"ratio": ratios[1]}]
    tables = compile_benefit(
        made_up(
            simple_rules(
                bands=[{"steps": steps}],
                adjustments=[{"persons": ["retired"], "personal_share_times": factor}],
                large=[{"ratio": ratios[2], "cap": figure("9000")}],
            )
        )
    )
    worker, retiree = (
        settle(
            tables,
            Bill(
                in_scope_fen=in_scope,
                total_fen=None,
                person_type=person,
                hospital_level=3,
                admission_number=1,
            ),
            Accumulators(pool_paid_fen=used),
        )
        for person in ("active", "retired")
    )

    assert retiree.person_in_scope_fen <= worker.person_in_scope_fen
    assert retiree.pool_fen >= worker.pool_fen
