"""A statement's pages, sums and differences, without a node."""

import msgspec
import pytest

from tongcheng.services.settlement import statement_model as model
from tongcheng.services.settlement.statement_model import StatementHead, StatementLine

POOL = "beijing/310/pool"
SIZES = [0, 1, 100, 101, 2_000]


def line(settlement_id: str, settled_fen: int = 700, voided_fen: int = 0) -> StatementLine:
    """Return a line of the pool."""
    return StatementLine(settlement_id, POOL, settled_fen, voided_fen)


@pytest.mark.parametrize("count", [*SIZES, model.PAGE_LINES, model.PAGE_LINES + 1])
def test_pages_are_all_lines(count: int) -> None:
    """No page is too long, at least one is there, and none loses a line."""
    lines = [line(f"s{number:05d}") for number in range(count)]
    pages = model.pages_of(lines)

    assert [one for page in pages for one in page] == lines
    assert len(pages) == max(1, -(-count // model.PAGE_LINES))


SAME = line("s")
CLASSES: dict[
    str, tuple[StatementLine | None, StatementLine | None, list[int], bool, str | None]
] = {
    "equal": (SAME, SAME, [], False, None),
    "only here": (SAME, None, [], False, "only_visited"),
    "only there": (None, SAME, [], False, "only_insured"),
    "another amount": (SAME, line("s", 701), [], False, "amount"),
    "voided there": (SAME, line("s", 700, 700), [], False, "amount"),
    "in another month there": (SAME, None, [700], False, "timing"),
    "another amount in another month there": (SAME, None, [701], False, "only_visited"),
    "the answer is under way": (None, SAME, [], True, "timing"),
    "the void's answer is under way": (SAME, line("s", 700, 700), [], True, "timing"),
}


@pytest.mark.parametrize("name", CLASSES)
def test_classes_of_differences(name: str) -> None:
    """Every difference has one class, and equal lines none."""
    here, there, elsewhere, is_under_way, kind = CLASSES[name]

    found = model.compare_lines(
        [] if here is None else [here],
        [] if there is None else [there],
        elsewhere={("s", POOL): elsewhere},
        under_way={"s"} if is_under_way else set(),
    )

    assert [one.kind for one in found] == ([] if kind is None else [kind])


def head_of(lines: list[StatementLine], **changes: object) -> StatementHead:
    """Return the head that fits these lines, with changes."""
    head = StatementHead(
        statement_id="st",
        month="2026-11",
        pages=1,
        line_count=len(lines),
        root=model.root_of(lines),
        purses=model.sums_of(lines),
        taken_seq=0,
    )
    changed: StatementHead = msgspec.structs.replace(head, **changes)
    return changed


def test_a_head_binds_its_lines() -> None:
    """A line lost, changed, doubled or out of order does not fit the head."""
    lines = [line("a"), line("b")]
    head = head_of(lines)
    false = [[line("a")], [line("a"), line("b", 701)], [*lines, line("b")], lines[::-1]]

    assert model.is_whole(head, lines)
    assert not any(model.is_whole(head, one) for one in false)
    assert not any(model.is_whole(head_of(one), one) for one in false[2:])
