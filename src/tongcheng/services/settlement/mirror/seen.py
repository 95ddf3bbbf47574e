"""What a look into the mirror has shown: per purse and month both sides, and who differs (pure)."""

from collections.abc import Mapping
from typing import Final

import msgspec

from tongcheng.services.settlement.mirror.model import PurseSum
from tongcheng.services.settlement.mirror.own import Books
from tongcheng.services.settlement.reconcile import Comparison, RowFinding

FINDINGS_MAX: Final = 500

Key = tuple[str, str]


class PurseSeen(msgspec.Struct, frozen=True):
    """One purse's month: our sums and the peer's, None where a side has no such account.

    `in_flight_fen` is what the insured side has decided more than the visited side has heard of.
    """

    purse: str
    month: str
    mine: PurseSum | None
    theirs: PurseSum | None
    in_flight_fen: int

    def difference_fen(self, *, is_visited: bool) -> int:
        """Return what neither the books nor the settlements in flight explain."""
        mine, theirs = _net(self.mine), _net(self.theirs)
        there_more = theirs - mine if is_visited else mine - theirs
        return there_more - self.in_flight_fen


class Seen(msgspec.Struct, frozen=True):
    """One comparison with a peer.

    `findings` are the settlements in flight and those that differ; `left_out` of them were too
    many to list. `open_count` settlements wait for an answer.
    """

    visited: str
    insured: str
    is_visited: bool
    purses: tuple[PurseSeen, ...]
    findings: tuple[RowFinding, ...]
    open_count: int
    left_out: int

    @property
    def differences(self) -> tuple[RowFinding, ...]:
        """Return the settlements on which the sides contradict each other."""
        return tuple(row for row in self.findings if row.kind != "in_flight")

    @property
    def in_flight(self) -> tuple[RowFinding, ...]:
        """Return the settlements whose answer is under way."""
        return tuple(row for row in self.findings if row.kind == "in_flight")

    @property
    def agrees(self) -> bool:
        """Tell whether all is equal to the fen apart from what is in flight."""
        unexplained = any(one.difference_fen(is_visited=self.is_visited) for one in self.purses)
        return not (self.differences or unexplained or self.left_out)


def key_of(one: PurseSum) -> Key:
    """Return the purse and month of sums."""
    return one.purse, one.month


def seen_of(
    books: Books,
    mine: Mapping[Key, PurseSum],
    theirs: Mapping[Key, PurseSum],
    comparison: Comparison | None,
    *,
    open_count: int,
    left_out: int,
) -> Seen:
    """Put the sums of both sides and the settlements between them together."""
    flying = {}
    if comparison is not None:
        flying = {(one.purse, one.month): one.in_flight_fen for one in comparison.purses}
    keys = mine.keys() | theirs.keys()
    return Seen(
        visited=books.visited,
        insured=books.insured,
        is_visited=books.is_visited,
        purses=tuple(
            PurseSeen(*key, mine.get(key), theirs.get(key), flying.get(key, 0))
            for key in sorted(keys)
        ),
        findings=() if comparison is None else comparison.findings,
        open_count=open_count,
        left_out=left_out,
    )


def confirmed(first: Seen, second: Seen) -> Seen:
    """Return a second look, in which only what the first one showed as well is a difference.

    A look asks several times, and settlements go on meanwhile: on a busy line every look finds
    some that one answer has and the other has not. Those are others in each look. What differs
    stays: the same settlement, or the same amount in a purse.
    """
    known = {(row.settlement_id, row.kind) for row in first.differences}
    findings = tuple(
        row
        if (row.settlement_id, row.kind) in known
        else msgspec.structs.replace(row, kind="in_flight")
        for row in second.findings
    )
    looked = msgspec.structs.replace(second, findings=findings)
    if looked.differences:
        return looked
    before = {
        (one.purse, one.month): one.difference_fen(is_visited=first.is_visited)
        for one in first.purses
    }
    return msgspec.structs.replace(
        looked,
        purses=tuple(
            _settled_down(one, before.get((one.purse, one.month), 0), is_visited=looked.is_visited)
            for one in looked.purses
        ),
    )


def _settled_down(one: PurseSeen, before_fen: int, *, is_visited: bool) -> PurseSeen:
    """Return a purse's month with an amount that only this look could not explain in flight."""
    difference_fen = one.difference_fen(is_visited=is_visited)
    if difference_fen == before_fen:
        return one
    return msgspec.structs.replace(one, in_flight_fen=one.in_flight_fen + difference_fen)


def _net(sums: PurseSum | None) -> int:
    return 0 if sums is None else sums.net_fen
