"""Comparing our books with a peer's: its sums first, and only where they differ what is behind.

The visited side is read first in every step, as `reconcile.compare` wants it: what the insured
side decided after that is in flight. A difference is believed when a second look finds the same.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import msgspec

from tongcheng.kernel.exchange.transport import Unreachable
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.service import Reply
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement.mirror import own
from tongcheng.services.settlement.mirror.model import (
    LINES_MAX,
    ROWS_MAX,
    SIDES,
    HeldRow,
    LinesOf,
    PurseSum,
    SidedBody,
    SideLine,
    SidesAsk,
    side_row,
)
from tongcheng.services.settlement.mirror.own import Books
from tongcheng.services.settlement.mirror.seen import FINDINGS_MAX, Seen, confirmed, key_of, seen_of
from tongcheng.services.settlement.reconcile import Comparison, Owed, Side, SideRow, compare

DEADLINE_MS: Final = 5_000
PAGES_MAX: Final = 50
"""So many answers to one question are read: a peer may not keep us asking."""

T = TypeVar("T")
Key = tuple[str, str]


class _Sums(msgspec.Struct, frozen=True):
    """All months of one side, and what waits there."""

    sums: dict[Key, PurseSum]
    waiting: list[SideRow]
    open_count: int


async def look(node: RunningNode, books: Books) -> Seen:
    """Compare all months with the peer; raises Unreachable, or PeerRefused as it decided."""
    first = await _Look(node, books).run()
    if first.agrees:
        return first
    second = await _Look(node, books).run()
    return second if second.agrees else confirmed(first, second)


class _Look:
    """One comparison: what was read and told so far."""

    def __init__(self, node: RunningNode, books: Books) -> None:
        self._node = node
        self._books = books
        self._read_at = node.clock.now()

    async def run(self) -> Seen:
        """Ask as far as needed and compare."""
        mine, theirs = await self._both(self._own_sums, self._told_sums)
        keys = mine.sums.keys() | theirs.sums.keys()
        differing = sorted(key for key in keys if mine.sums.get(key) != theirs.sums.get(key))
        ids = {row.settlement_id for row in (*mine.waiting, *theirs.waiting)}
        for key in differing:
            ids |= await self._differing_ids(key)
        chosen = sorted(ids)[:FINDINGS_MAX]
        comparison = await self._compare(chosen) if chosen else None
        return seen_of(
            self._books,
            mine.sums,
            theirs.sums,
            comparison,
            open_count=max(mine.open_count, theirs.open_count),
            left_out=len(ids) - len(chosen),
        )

    async def _both(
        self,
        read: Callable[[Snapshot], T],
        ask: Callable[[], Coroutine[Any, Any, T]],
    ) -> tuple[T, T]:
        """Return (ours, theirs), the visited side's read first."""
        if self._books.is_visited:
            mine = await self._node.read(read)
            return mine, await ask()
        theirs = await ask()
        return await self._node.read(read), theirs

    async def _ask(self, question: SidesAsk) -> SidedBody:
        answer: SidedBody = await self._node.exchange.ask(
            self._books.peer, Reply(SIDES, question), deadline_ms=DEADLINE_MS
        )
        if answer.visited != self._books.visited:
            raise Unreachable(self._books.peer, "its answer is about other stays")
        return answer

    def _question(self, **what: Any) -> SidesAsk:
        return SidesAsk(visited=self._books.visited, **what)

    # sums

    def _own_sums(self, snapshot: Snapshot) -> _Sums:
        waiting = own.open_ids(snapshot, self._books)
        return _Sums(
            sums={key_of(one): one for one in own.sums(snapshot, self._books)},
            waiting=own.rows(snapshot, self._books, waiting[:ROWS_MAX]),
            open_count=len(waiting),
        )

    async def _told_sums(self) -> _Sums:
        sums: dict[Key, PurseSum] = {}
        rows: list[HeldRow] = []
        open_count, month = 0, None
        for _ in range(PAGES_MAX):
            told = await self._ask(self._question(to_month=month))
            sums |= {key_of(one): one for one in told.sums}
            if month is None:
                rows, open_count = told.rows, told.open_count
            if told.earlier is None or (month is not None and told.earlier >= month):
                return _Sums(sums, [side_row(row) for row in rows], open_count)
            month = told.earlier
        raise Unreachable(self._books.peer, "its sums do not end")

    # lines

    async def _differing_ids(self, key: Key) -> set[str]:
        """Return the settlements that one side has otherwise in a purse's month."""
        mine, theirs = await self._both(
            lambda snapshot: self._own_lines(snapshot, key), lambda: self._told_lines(key)
        )
        ours, told = _by_settlement(mine), _by_settlement(theirs)
        return {one for one in ours.keys() | told.keys() if ours.get(one) != told.get(one)}

    def _own_lines(self, snapshot: Snapshot, key: Key) -> list[SideLine]:
        most = LINES_MAX * PAGES_MAX
        found = own.movements(snapshot, self._books, *key, after=b"", most=most)
        return [own.line_of(self._books, row) for row in found]

    async def _told_lines(self, key: Key) -> list[SideLine]:
        lines: list[SideLine] = []
        after = None
        for _ in range(PAGES_MAX):
            told = await self._ask(self._question(lines=LinesOf(*key, after=after)))
            lines += told.lines
            after = told.next_after
            if after is None:
                break
        return lines

    # settlements

    async def _compare(self, ids: list[str]) -> Comparison:
        """Compare how both sides hold these settlements."""
        mine, theirs = await self._both(
            lambda snapshot: own.rows(snapshot, self._books, ids), lambda: self._told_rows(ids)
        )
        sides = [Side(tuple(rows), _owed_by(rows), self._read_at) for rows in (mine, theirs)]
        here, there = sides if self._books.is_visited else sides[::-1]
        return compare(
            self._books.visited, self._books.insured, here, there, now_at=self._node.clock.now()
        )

    async def _told_rows(self, ids: list[str]) -> list[SideRow]:
        told: dict[str, SideRow] = {}
        for start in range(0, len(ids), ROWS_MAX):
            asked = ids[start : start + ROWS_MAX]
            answer = await self._ask(self._question(settlements=asked))
            rows = [side_row(row) for row in answer.rows if row.settlement_id in asked]
            told |= {row.settlement_id: row for row in rows}
        return list(told.values())


def _by_settlement(lines: list[SideLine]) -> dict[str, list[int]]:
    amounts: dict[str, list[int]] = {}
    for line in lines:
        amounts.setdefault(line.settlement_id, []).append(line.amount_fen)
    return {settlement_id: sorted(found) for settlement_id, found in amounts.items()}


def _owed_by(rows: list[SideRow]) -> tuple[Owed, ...]:
    return tuple(one for row in rows for one in row.owed)
