"""The split of lines: tables a clerk can check, and the law that parts add up."""

from datetime import date

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import parse_scaled, parse_yuan
from tongcheng.services.settlement.catalogue import COLUMNS, parse
from tongcheng.services.settlement.lines import (
    Line,
    Split,
    SplitLine,
    Splitter,
    amount_of,
    reasons,
    split_lines,
    totals,
)

CATALOGUE = parse(
    "# catalogue: c\n# admdvs: 120000\n# source: synthetic\n"
    + ",".join(COLUMNS)
    + """
A,class A,A,,0,drug,2024-01-01,
AC,class A with a ceiling,A,10,0,drug,2024-01-01,
B,class B,B,,0.1,drug,2024-01-01,
BC,class B with a ceiling,B,10,0.1,drug,2024-01-01,
B9,ceiling 999999,B,999999,0.1,drug,2024-01-01,
B?,unknown ratio,B,,,drug,2024-01-01,
C,class C,C,,1,drug,2024-01-01,
"""
)
ON = date(2025, 3, 1)

# The first two are real: golden messages M06 and M07.
TABLE = """
item quantity price    | amount self_paid over  first in_scope
A    3        2.00     | 6.00   0         0     0     6.00
C    1        1.50     | 1.50   1.50      0     0     0
A    1        0.004999 | 0      0         0     0     0
A    1        0.005    | 0.01   0         0     0     0.01
A    0.3333   1.999999 | 0.67   0         0     0     0.67
AC   2        10       | 20     0         0     0     20
AC   2        12.50    | 25     0         5     0     20
AC   2        9        | 18     0         0     0     18
B    1        100      | 100    0         0     10    90
B    1        0.05     | 0.05   0         0     0.01  0.04
B    1        0.04     | 0.04   0         0     0     0.04
BC   2        12.50    | 25     0         5     2     18
BC   0.3333   12.345678| 4.11   0         0.78  0.33  3.00
B9   1        999999   | 999999 0         0     99999.90 899999.10
C    2        3        | 6      6         0     0     0
"""


def _line(line_id: str, item: str, quantity: int, price: int, original: str | None = None) -> Line:
    return Line(
        line_id=line_id,
        item_code=item,
        quantity=quantity,
        unit_price=price,
        amount_fen=amount_of(quantity, price),
        occurred_on=ON,
        original_id=original,
    )


def _rows(table: str) -> list[list[str]]:
    return [row.replace("|", " ").split() for row in table.strip().splitlines()[1:]]


@pytest.mark.parametrize("row", _rows(TABLE), ids=" ".join)
def test_split_of_one_line(row: list[str]) -> None:
    """Class C first, then the ceiling, then the first self-paid share; in scope is what is left."""
    item, quantity, price, amount, self_paid, over, first, in_scope = row
    line = _line("1", item, parse_scaled(quantity, 4), parse_scaled(price, 6))

    (done,) = split_lines(CATALOGUE, [line])

    assert line.amount_fen == parse_yuan(amount)
    assert done.split == Split(
        self_paid_fen=parse_yuan(self_paid),
        over_ceiling_fen=parse_yuan(over),
        first_self_pay_fen=parse_yuan(first),
        in_scope_fen=parse_yuan(in_scope),
    )


ONE = _line("1", "BC", 100_000, 12_345_678)

REFUSED = [
    ([msgspec.structs.replace(ONE, amount_fen=ONE.amount_fen + 1)], "LINE_AMOUNT_MISMATCH"),
    ([ONE, ONE], "LINE_DUPLICATE"),
    ([_line("1", "A", 0, 1)], "LINE_QUANTITY_ZERO"),
    ([_line("1", "A", 1, -1)], "LINE_PRICE_NEGATIVE"),
    ([_line("1", "Z", 1, 1)], "CATALOGUE_ITEM_UNKNOWN"),
    ([_line("1", "B?", 10_000, 1_000_000)], "RULE_UNKNOWN"),
    ([ONE, _line("2", "BC", -10_000, 12_345_678)], "LINE_ORIGINAL_MISSING"),
    ([ONE, _line("2", "BC", -10_000, 12_345_678, "9")], "LINE_ORIGINAL_UNKNOWN"),
    ([_line("2", "BC", -10_000, 12_345_678, "1"), ONE], "LINE_ORIGINAL_UNKNOWN"),
    ([ONE, _line("2", "AC", -10_000, 12_345_678, "1")], "LINE_REFUND_MISMATCH"),
    ([ONE, _line("2", "BC", -10_000, 12_345_677, "1")], "LINE_REFUND_MISMATCH"),
    ([ONE, _line("2", "BC", -100_001, 12_345_678, "1")], "LINE_REFUND_TOO_LARGE"),
    (
        [
            ONE,
            _line("2", "BC", -60_000, 12_345_678, "1"),
            _line("3", "BC", -60_000, 12_345_678, "1"),
        ],
        "LINE_REFUND_TOO_LARGE",
    ),
    (
        [
            ONE,
            _line("2", "BC", -10_000, 12_345_678, "1"),
            _line("3", "BC", -10_000, 12_345_678, "2"),
        ],
        "LINE_ORIGINAL_UNKNOWN",
    ),
]


@pytest.mark.parametrize(("lines", "code"), REFUSED)
def test_refused_lines(lines: list[Line], code: str) -> None:
    """Each way a line can be wrong has its own code."""
    with pytest.raises(Refused) as refused:
        split_lines(CATALOGUE, lines)

    assert refused.value.code == code


def test_ten_uploaded_four_returned() -> None:
    """The practice seen in the field: −10 takes the whole line back, +6 charges what was used."""
    lines = [
        ONE,
        _line("2", "BC", -100_000, 12_345_678, "1"),
        _line("3", "BC", 60_000, 12_345_678),
    ]

    first, back, again = split_lines(CATALOGUE, lines)

    assert back.split == Split() - first.split
    assert totals([first, back, again]) == again.split


def test_refund_in_a_later_upload_finds_its_original() -> None:
    """Lines arrive over days; the refund's original may have been split in an earlier upload."""
    earlier = split_lines(CATALOGUE, [ONE])

    (back,) = split_lines(CATALOGUE, [_line("2", "BC", -100_000, 12_345_678, "1")], earlier)

    assert totals([*earlier, back]) == Split()
    with pytest.raises(Refused, match="LINE_REFUND_TOO_LARGE"):
        split_lines(CATALOGUE, [_line("3", "BC", -1, 12_345_678, "1")], [*earlier, back])


def test_last_refund_gives_back_what_is_left() -> None:
    """Three times 0.333 is 1.00; after 0.33 and 0.33 the last third is 0.34."""
    lines = [
        _line("1", "A", 30_000, 333_000),
        _line("2", "A", -10_000, 333_000, "1"),
        _line("3", "A", -10_000, 333_000, "1"),
    ]
    last = _line("4", "A", -10_000, 333_000, "1")

    with pytest.raises(Refused, match="LINE_AMOUNT_MISMATCH"):
        split_lines(CATALOGUE, [*lines, last])
    done = split_lines(CATALOGUE, [*lines, msgspec.structs.replace(last, amount_fen=-34)])

    assert totals(done) == Split()


@settings(max_examples=300, deadline=None)
@given(
    item=st.sampled_from(["A", "AC", "B", "BC", "B9", "C"]),
    quantity=st.integers(1, 10**8),
    price=st.integers(0, 10**9),
    refunds=st.lists(st.integers(1, 10**8), max_size=4),
)
def test_parts_always_add_up(item: str, quantity: int, price: int, refunds: list[int]) -> None:
    """After any refunds the parts are those of what remains; a whole refund leaves nothing."""
    done: tuple[SplitLine, ...] = split_lines(CATALOGUE, [_line("0", item, quantity, price)])
    left = quantity
    for number, part in enumerate(refunds, 1):
        refund = _line(str(number), item, -min(part, left), price, "0")
        if part >= left:
            refund = msgspec.structs.replace(refund, amount_fen=-totals(done).total_fen)
        try:
            done += split_lines(CATALOGUE, [refund], done)
        except Refused as refused:
            if refused.code != "LINE_REFUND_TOO_LARGE" and left:
                raise
            continue
        left -= min(part, left)

    total = totals(done)

    assert total.total_fen == sum(line.line.amount_fen for line in done)
    parts = [
        total.self_paid_fen,
        total.over_ceiling_fen,
        total.first_self_pay_fen,
        total.in_scope_fen,
    ]
    assert all(part >= 0 for part in parts)
    if left == 0:
        assert total == Split()


# item, quantity, price → the reasons of the parts, as a bill says them
REASONS = [
    ("A", 1, 10, [("in_scope", 1_000)]),
    ("C", 1, 10, [("class_c", 1_000)]),
    ("B", 1, 10, [("first_self_pay", 100), ("in_scope", 900)]),
    ("BC", 1, 12, [("over_ceiling", 200), ("first_self_pay", 100), ("in_scope", 900)]),
    ("AC", 1, 0, []),
]


@pytest.mark.parametrize(("item", "quantity", "price", "expected"), REASONS)
def test_reasons(item: str, quantity: int, price: int, expected: list[tuple[str, int]]) -> None:
    """Each part that is not zero has its reason, with the ceiling or the share that made it."""
    line = _line("1", item, quantity * 10_000, price * 1_000_000)
    (done,) = split_lines(CATALOGUE, [line])

    parts = reasons(done.item, done.split)

    assert [(part.reason, part.amount_fen) for part in parts] == expected
    assert sum(part.amount_fen for part in parts) == line.amount_fen
    said = {part.reason: (part.ceiling_e6, part.ratio_bp) for part in parts}
    assert said.get("over_ceiling", (10_000_000, None)) == (10_000_000, None)
    assert said.get("first_self_pay", (None, 1_000)) == (None, 1_000)


def test_reasons_of_a_refund_are_its_originals() -> None:
    """What is taken back has the same reasons, with negative amounts."""
    back = msgspec.structs.replace(
        _line("2", "BC", -100_000, 12_345_678, "1"), amount_fen=-ONE.amount_fen
    )
    first, second = split_lines(CATALOGUE, [ONE, back])

    there, back_again = (reasons(one.item, one.split) for one in (first, second))

    assert [part.reason for part in there] == [part.reason for part in back_again]
    assert [part.amount_fen for part in there] == [-part.amount_fen for part in back_again]


LINES = st.lists(
    st.tuples(
        st.sampled_from(["A", "AC", "B", "BC", "B9", "C"]),
        st.integers(1, 10**6),
        st.integers(0, 10**8),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=100, deadline=None)
@given(drawn=LINES, data=st.data())
def test_order_of_independent_lines_does_not_matter(
    drawn: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    """A line's split depends on its own refunds and on no other line, in one upload or in many."""
    lines = [_line(str(at), *given) for at, given in enumerate(drawn)]
    shuffled = data.draw(st.permutations(lines))
    expected = {one.line.line_id: one.split for one in split_lines(CATALOGUE, lines)}
    one_by_one: tuple[SplitLine, ...] = ()
    for line in shuffled:
        one_by_one += split_lines(CATALOGUE, [line], one_by_one)

    assert {one.line.line_id: one.split for one in split_lines(CATALOGUE, shuffled)} == expected
    assert {one.line.line_id: one.split for one in one_by_one} == expected


@settings(max_examples=100, deadline=None)
@given(drawn=LINES)
def test_refund_of_everything_is_the_exact_negative(drawn: list[tuple[str, int, int]]) -> None:
    """Every line taken back whole leaves a bill of zero in each part, in whatever order."""
    lines = [_line(str(at), *given) for at, given in enumerate(drawn)]
    backs = [
        msgspec.structs.replace(
            line,
            line_id=f"{line.line_id}-",
            quantity=-line.quantity,
            amount_fen=-line.amount_fen,
            original_id=line.line_id,
        )
        for line in reversed(lines)
    ]
    done = split_lines(CATALOGUE, [*lines, *backs])
    charged = {one.line.line_id: one.split for one in done if one.line.quantity > 0}

    assert totals(done) == Split()
    for one in done:
        if one.line.original_id is not None:
            assert one.split == Split() - charged[one.line.original_id]


def test_a_refused_line_leaves_no_trace() -> None:
    """The next line is split as if the refused one had never come; its number is free again."""
    splitter = Splitter(CATALOGUE)
    splitter.split(ONE)
    for wrong in (
        msgspec.structs.replace(_line("2", "A", 10_000, 1_000_000), amount_fen=1),
        _line("2", "BC", -100_001, 12_345_678, "1"),
    ):
        with pytest.raises(Refused):
            splitter.split(wrong)

    assert splitter.split(_line("2", "A", 10_000, 1_000_000)).split == Split(in_scope_fen=100)
