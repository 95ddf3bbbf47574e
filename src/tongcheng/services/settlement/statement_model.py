"""The monthly statement between two members: what crosses, and how two of them are compared.

Pure. A statement lists what every settlement came to in one month, purse by purse, gross: what was
settled and what was taken back are never set off. It crosses in pages, because an envelope has a
limit; the last page is answered by an agreement, which closes the month, or by every difference.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Final, Literal

import msgspec

from tongcheng.kernel import canonical, merkle
from tongcheng.kernel.money import FEN_MAX
from tongcheng.services.settlement.model import Count, Digest, Id, Month, Name

STATEMENT: Final = "settlement.statement/1"
STATEMENT_PAGE_TAKEN: Final = "settlement.statement_page_taken/1"
STATEMENT_AGREED: Final = "settlement.statement_agreed/1"
STATEMENT_DISPUTED: Final = "settlement.statement_disputed/1"

PAGE_LINES: Final = 500
"""Lines of one page: far below what an envelope may hold, with the longest ids there can be."""
PAGES_MAX: Final = 10_000
FINDINGS_MAX: Final = 500
"""Differences that a dispute lists; `count` says how many there are."""

Sum = Annotated[int, msgspec.Meta(ge=0, le=FEN_MAX)]
Net = Annotated[int, msgspec.Meta(ge=-FEN_MAX, le=FEN_MAX)]
Kind = Literal["only_visited", "only_insured", "amount", "timing"]


class StatementLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """What one settlement came to in one purse and month; both amounts gross (fen, ≥ 0)."""

    settlement_id: Id
    purse: Name
    settled_fen: Sum
    voided_fen: Sum

    @property
    def net_fen(self) -> int:
        """Return what the month owes for this settlement."""
        return self.settled_fen - self.voided_fen


class PurseSum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One purse's month: the gross sums of its lines, and how many there are."""

    purse: Name
    settled_fen: Sum
    voided_fen: Sum
    count: Count


class StatementHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is the same on every page.

    `root` is the RFC 6962 root over the canonical bytes of all lines, in order. `taken_seq` is
    the last act of the insured member that the visited one had taken when it drew up the lines:
    what was decided later is under way and no difference.
    """

    statement_id: Id
    month: Month
    pages: Annotated[int, msgspec.Meta(ge=1, le=PAGES_MAX)]
    line_count: Annotated[int, msgspec.Meta(ge=0, le=PAGES_MAX * PAGE_LINES)]
    root: Digest
    purses: list[PurseSum]
    taken_seq: Annotated[int, msgspec.Meta(ge=0)]


class StatementBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One page of a statement, from 1."""

    head: StatementHead
    page: Count
    lines: Annotated[list[StatementLine], msgspec.Meta(max_length=PAGE_LINES)]


class PageTakenBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page that is not the last has been taken; nothing is decided yet."""

    statement_id: Id
    page: Count


class StatementAgreedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The insured side's books say the same: the month is closed between the two members."""

    statement_id: Id
    month: Month
    root: Digest


class StatementFinding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One difference; amounts are net.

    `timing`: the insured side has the same under another month, or its answer was under way.
    """

    settlement_id: Id
    purse: Name
    kind: Kind
    visited_fen: Net
    insured_fen: Net


class StatementDisputedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The books differ: every difference, or the first of them; the month stays open."""

    statement_id: Id
    month: Month
    count: Count
    findings: Annotated[list[StatementFinding], msgspec.Meta(min_length=1, max_length=FINDINGS_MAX)]


def pages_of(lines: Sequence[StatementLine]) -> list[list[StatementLine]]:
    """Cut the lines into pages; a month without lines has one empty page."""
    cuts = range(0, max(1, len(lines)), PAGE_LINES)
    return [list(lines[start : start + PAGE_LINES]) for start in cuts]


def root_of(lines: Iterable[StatementLine]) -> str:
    """Return the root (hex) that binds the lines."""
    return merkle.root([merkle.leaf_hash(canonical.encode(line)) for line in lines]).hex()


def sums_of(lines: Iterable[StatementLine]) -> list[PurseSum]:
    """Return each purse's gross sums, in the order of their names."""
    sums: dict[str, PurseSum] = {}
    for line in lines:
        before = sums.get(line.purse)
        sums[line.purse] = PurseSum(
            purse=line.purse,
            settled_fen=line.settled_fen + (0 if before is None else before.settled_fen),
            voided_fen=line.voided_fen + (0 if before is None else before.voided_fen),
            count=1 + (0 if before is None else before.count),
        )
    return [sums[purse] for purse in sorted(sums)]


def is_whole(head: StatementHead, lines: Sequence[StatementLine]) -> bool:
    """Tell whether all pages together are what the head says: count, order, root and sums."""
    keys = [(line.settlement_id, line.purse) for line in lines]
    return (
        len(lines) == head.line_count
        and keys == sorted(set(keys))
        and root_of(lines) == head.root
        and sums_of(lines) == head.purses
    )


def compare_lines(
    visited: Iterable[StatementLine],
    insured: Iterable[StatementLine],
    *,
    elsewhere: Mapping[tuple[str, str], Collection[int]],
    under_way: Collection[str],
) -> list[StatementFinding]:
    """Return every line on which the two sides differ, in the order of the lines.

    `elsewhere` gives the net amounts that the insured side booked for a line's settlement and
    purse in other months; `under_way` are settlements whose latest answer the visited side had not
    taken yet.
    """
    mine = {(line.settlement_id, line.purse): line for line in visited}
    theirs = {(line.settlement_id, line.purse): line for line in insured}
    found = []
    for key in sorted(mine.keys() | theirs.keys()):
        one, other = mine.get(key), theirs.get(key)
        if one == other:
            continue
        visited_fen = 0 if one is None else one.net_fen
        insured_fen = 0 if other is None else other.net_fen
        moved = visited_fen - insured_fen in elsewhere.get(key, ())
        if key[0] in under_way or moved:
            kind: Kind = "timing"
        elif one is None:
            kind = "only_insured"
        else:
            kind = "only_visited" if other is None else "amount"
        found.append(StatementFinding(*key, kind, visited_fen, insured_fen))
    return found
