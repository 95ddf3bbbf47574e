"""What each node's file holds when everything is over, read as rows."""

import sqlite3
from collections import Counter
from pathlib import Path

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import CHANNELS, SENT, TAKEN, SentRow, TakenRow
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal import verify
from tongcheng.kernel.ledger import (
    ACCOUNTS,
    HOLDS,
    TRANSFERS,
    AccountRow,
    HoldRow,
    TransferRow,
)
from tongcheng.kernel.store import Database, Reading, Snapshot, StoredValueDamaged
from tongcheng.node.services import SERVICES
from tongcheng.services.settlement.life import CLAIM_TRANSITIONS
from tongcheng.services.settlement.mirror import own
from tongcheng.services.settlement.mirror.model import PurseSum
from tongcheng.services.settlement.reconcile import Side
from tongcheng.services.settlement.sides import insured_side, visited_side
from tongcheng.services.settlement.store import (
    CLAIMS,
    DECISIONS,
    ENTRIES,
    LINES,
    PERSONS,
    STAYS,
    YEARS,
    ClaimRow,
    DecisionRow,
    EntryRow,
    PersonRow,
    StayRow,
    YearRow,
)

UNDECIDED = frozenset(state for state, _ in CLAIM_TRANSITIONS) - {"settled"}
"""Claims that still wait for the insured side: pending, cancelling, voiding."""


class Books(msgspec.Struct, frozen=True, eq=False):
    """All rows of one member that the simulation looks at, each read under its MAC."""

    home: Home
    stays: dict[str, StayRow] = {}
    lines: dict[str, int] = {}
    claims: dict[str, ClaimRow] = {}
    persons: dict[str, PersonRow] = {}
    decisions: list[DecisionRow] = []
    entries: list[EntryRow] = []
    years: list[YearRow] = []
    accounts: list[AccountRow] = []
    transfers: list[TransferRow] = []
    holds: list[HoldRow] = []
    sent: list[SentRow] = []
    taken: dict[str, TakenRow] = {}
    sides_here: dict[str, Side] = {}
    sides_there: dict[str, Side] = {}
    sums_here: dict[str, list[PurseSum]] = {}
    sums_there: dict[str, list[PurseSum]] = {}
    problems: list[str] = []

    @property
    def member_id(self) -> str:
        """Whose books these are."""
        return self.home.member_id


def read(home: Home, path: Path, peers: list[str], now_at: int) -> Books:
    """Read and verify one member's file, with the production code for both.

    A file that cannot be read is a member that has nothing, and whose problem is named.
    """
    database = Database(path, home.ring.mac_key, synchronous="OFF")
    try:
        found = verify.verify(database, home, SERVICES)
        problems = [
            *(f"{one.table} {one.key}: {one.problem}" for one in found.findings),
            *(f"not verified: {name}" for name in found.skipped),
        ]
        with database.snapshot() as snapshot:
            return _read(snapshot, home, peers, now_at, problems)
    except (Refused, StoredValueDamaged, sqlite3.Error) as fault:
        return Books(home=home, problems=[f"cannot be read: {fault}"])
    finally:
        database.close()


def _line_counts(reading: Snapshot) -> Counter[str]:
    """Return how many lines are kept of each stay."""
    counts: Counter[str] = Counter()
    for row in reading.select(LINES):
        counts[row.stay_id] += row.count
    return counts


def _read(
    reading: Snapshot, home: Home, peers: list[str], now_at: int, problems: list[str]
) -> Books:
    return Books(
        home=home,
        stays={row.stay_id: row for row in reading.select(STAYS)},
        lines=_line_counts(reading),
        claims={row.settlement_id: row for row in reading.select(CLAIMS)},
        persons={row.person_key: row for row in reading.select(PERSONS)},
        decisions=reading.select(DECISIONS),
        entries=reading.select(ENTRIES),
        years=reading.select(YEARS),
        accounts=reading.select(ACCOUNTS),
        transfers=reading.select(TRANSFERS),
        holds=reading.select(HOLDS),
        sent=reading.select(SENT),
        taken={row.envelope_id: row for row in reading.select(TAKEN)},
        sides_here={peer: visited_side(reading, peer, now_at) for peer in peers},
        sides_there={peer: insured_side(reading, peer, now_at) for peer in peers},
        sums_here={peer: own.sums(reading, _books(home, peer, home.member_id)) for peer in peers},
        sums_there={peer: own.sums(reading, _books(home, peer, peer)) for peer in peers},
        problems=problems,
    )


def _books(home: Home, peer: str, visited: str) -> own.Books:
    return own.books_of(home.member_id, peer, visited)


def is_quiet(reading: Reading, member_id: str) -> bool:
    """Tell whether every act of this node has been acknowledged, and answered if it asks."""
    for channel in reading.select(CHANNELS, src=member_id):
        if channel.acknowledged_seq != channel.next_seq - 1:
            return False
    return not any(reading.select(CLAIMS, state=state) for state in sorted(UNDECIDED))
