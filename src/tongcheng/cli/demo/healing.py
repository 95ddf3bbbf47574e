"""What waits while lines are cut, and what becomes of it when they are put together again."""

import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Final

import msgspec

from tongcheng.cli.books import Reconciled, reconcile_nodes
from tongcheng.kernel.journal.checks.view import Progress
from tongcheng.node.files import read_settings
from tongcheng.node.line import CutLines, Line, line_between
from tongcheng.services.settlement.reconcile import Comparison, RowFinding

PATIENCE_S: Final = 60.0
LOOK_EVERY_S: Final = 0.3


class LineStanding(msgspec.Struct, frozen=True):
    """One line: since when it is cut (UTC ms), None when it is whole, and what waits over it.

    `oldest_ms` is the age of the settlement that has waited longest.
    """

    first: str
    second: str
    since_at: int | None
    pending: int
    oldest_ms: int


class Standing(msgspec.Struct, frozen=True):
    """Every line of a region; of `compared` settlements `one_sided` stand in one book alone."""

    lines: tuple[LineStanding, ...]
    compared: int
    one_sided: int


class Healed(msgspec.Struct, frozen=True):
    """What became of the settlements that were pending when the lines were put together again."""

    lines: tuple[Line, ...]
    pending_before: int
    pending: int
    compared: int
    one_sided: int
    seconds: float


def standing(directories: Sequence[Path], cut: CutLines) -> Standing:
    """Compare the books of every pair, and say of each line what waits over it."""
    books = reconcile_nodes(directories)
    members = sorted(read_settings(each).member_id for each in directories)
    lines = [line_between(*pair) for pair in combinations(members, 2)]
    return Standing(
        lines=tuple(_of_line(books, line, cut.since(line)) for line in lines),
        compared=_compared(books),
        one_sided=_one_sided(books),
    )


def heal_and_wait(
    directories: Sequence[Path], cut: CutLines, lines: Sequence[Line], told: Progress
) -> Healed:
    """Put lines together and wait, a minute at most, until all that was pending is decided."""
    waiting = _waiting_over(reconcile_nodes(directories), lines)
    cut.heal(lines)
    begun = time.monotonic()
    while True:
        books = reconcile_nodes(directories)
        left = waiting & _waiting_over(books, lines)
        seconds = time.monotonic() - begun
        told("settled", len(waiting) - len(left), len(waiting))
        if not left or seconds > PATIENCE_S:
            return Healed(
                lines=tuple(lines),
                pending_before=len(waiting),
                pending=len(left),
                compared=_compared(books),
                one_sided=_one_sided(books),
                seconds=round(seconds, 1),
            )
        time.sleep(LOOK_EVERY_S)


def _over(books: Reconciled, line: Line) -> list[Comparison]:
    return [
        pair
        for pair in books.pairs
        if line_between(pair.visited_member, pair.insured_member) == line
    ]


def _waiting_over(books: Reconciled, lines: Sequence[Line]) -> set[str]:
    pairs = [pair for line in lines for pair in _over(books, line)]
    return {row.settlement_id for pair in pairs for row in pair.in_flight}


def _of_line(books: Reconciled, line: Line, since_at: int | None) -> LineStanding:
    waiting: list[RowFinding] = [row for pair in _over(books, line) for row in pair.in_flight]
    oldest_ms = max((row.age_ms for row in waiting), default=0)
    return LineStanding(*line, since_at, len(waiting), oldest_ms)


def _compared(books: Reconciled) -> int:
    return sum(pair.equal + len(pair.findings) for pair in books.pairs)


def _one_sided(books: Reconciled) -> int:
    return sum(len(pair.differences) for pair in books.pairs)
