"""No step of a settlement leaves int64, so that a compiled kernel can be held against it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from tests.services.settlement.books import (
    Case,
    Question,
    cases,
    figure,
    flat_rules,
    made_up,
    simple_rules,
)
from tests.services.settlement.laws import LAW, ask, assert_same, by_hand
from tongcheng.kernel.money import format_yuan
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.outcome import Benefit, accumulate, reverse
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN, NO_CUT, UNIT, BenefitTables


class Int64(int):
    """A whole number whose every result must fit int64, as a compiled kernel's would."""


def _checked(name: str) -> Callable[..., Any]:
    compute = getattr(int, name)

    def operator(*operands: int) -> Any:
        result = compute(*operands)
        return result if result is NotImplemented else _int64(result)

    return operator


def _int64(value: Any) -> Any:
    """Return any value with every number in it checked."""
    if isinstance(value, tuple):
        return tuple(_int64(each) for each in value)
    if isinstance(value, dict):
        return {key: _int64(each) for key, each in value.items()}
    if isinstance(value, msgspec.Struct):
        fields = {name: _int64(getattr(value, name)) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **fields)
    if isinstance(value, int) and not isinstance(value, bool):
        assert -(2**63) <= value < 2**63, "int64 overflows"
        return Int64(value)
    return value


for _operation in ("add", "sub", "mul", "floordiv", "mod", "divmod"):
    for _name in (f"__{_operation}__", f"__r{_operation}__"):
        setattr(Int64, _name, _checked(_name))
for _name in ("__neg__", "__abs__"):
    setattr(Int64, _name, _checked(_name))


def test_the_check_itself() -> None:
    """A product beyond int64 is seen on either side, and in a whole table."""
    tables = _int64(compile_benefit(made_up(simple_rules())))

    assert isinstance(tables.pool_cap_fen * UNIT, Int64)
    for overflow in (lambda: Int64(2**62) * 2, lambda: UNIT * (tables.pool_cap_fen * UNIT)):
        with pytest.raises(AssertionError, match="int64 overflows"):
            overflow()


@pytest.mark.parametrize("ratio", ["0.0001", "0.3333", "0.9999", "1"])
@pytest.mark.parametrize("large", ["0.0001", "0.9999", "1"])
@pytest.mark.parametrize("cap_fen", [1, AMOUNT_MAX_FEN // 3, AMOUNT_MAX_FEN])
def test_the_largest_bill(ratio: str, large: str, cap_fen: int) -> None:
    """The largest amount that is allowed, through both caps or neither, as fractions have it."""
    cap = figure(format_yuan(cap_fen))
    row: Plain = {"ratio": figure(large), "cap": cap}
    book = made_up(flat_rules(ratio, pool_cap=cap, large=[row]))
    bill = Bill(
        in_scope_fen=AMOUNT_MAX_FEN,
        total_fen=AMOUNT_MAX_FEN,
        person_type="active",
        hospital_level=3,
        admission_number=1,
    )
    question = Question(bill, Accumulators(), NO_CUT)

    found = _within_int64(compile_benefit(book), question)

    assert_same(found, by_hand(book, question))


def _within_int64(tables: BenefitTables, question: Question) -> Benefit | str:
    """Return the answer, every intermediate number of it, of its void and of the totals checked."""
    bill = question.bill
    key = (bill.hospital_level, bill.hospital_subtype, bill.person_type, bill.tier)
    # The other cells are not looked at, and wrapping each of their numbers takes long.
    one = msgspec.structs.replace(tables, cells={key: tables.cells[key]}, rules=())
    checked = msgspec.structs.replace(_int64(one), rules=tables.rules)
    found = ask(checked, Question(*map(_int64, question)))
    if not isinstance(found, str):
        accumulate(_int64(question.before), reverse(_int64(found)))
    return found


@settings(LAW, max_examples=120)
@given(cases())
def test_no_step_overflows_int64(case: Case) -> None:
    """Any settlement of any book, at any amount allowed."""
    tables = compile_benefit(case.book)
    for question in case.questions:
        assert _within_int64(tables, question) == ask(tables, question)
