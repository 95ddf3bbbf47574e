"""What each node's file holds when everything is over, read as rows."""

from collections import Counter
from pathlib import Path

import msgspec

from tongcheng.kernel.exchange.tables import CHANNELS, SENT, TAKEN, ChannelRow, SentRow, TakenRow
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
from tongcheng.kernel.store import Database, Reading
from tongcheng.node.services import SERVICES
from tongcheng.services.settlement.life import CLAIM_TRANSITIONS
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
    stays: dict[str, StayRow]
    lines: dict[str, int]
    claims: dict[str, ClaimRow]
    persons: dict[str, PersonRow]
    decisions: list[DecisionRow]
    entries: list[EntryRow]
    years: list[YearRow]
    accounts: list[AccountRow]
    transfers: list[TransferRow]
    holds: list[HoldRow]
    channels: list[ChannelRow]
    sent: list[SentRow]
    taken: dict[str, TakenRow]
    sides_here: dict[str, Side]
    sides_there: dict[str, Side]
    problems: list[str]

    @property
    def member_id(self) -> str:
        """Whose books these are."""
        return self.home.member_id


def read(home: Home, path: Path, peers: list[str], now_at: int) -> Books:
    """Read and verify one member's file, with the production code for both."""
    database = Database(path, home.ring.mac_key, synchronous="OFF")
    try:
        found = verify.verify(database, home, SERVICES)
        with database.snapshot() as snapshot:
            return Books(
                home=home,
                stays={row.stay_id: row for row in snapshot.select(STAYS)},
                lines=Counter(row.stay_id for row in snapshot.select(LINES)),
                claims={row.settlement_id: row for row in snapshot.select(CLAIMS)},
                persons={row.person_key: row for row in snapshot.select(PERSONS)},
                decisions=snapshot.select(DECISIONS),
                entries=snapshot.select(ENTRIES),
                years=snapshot.select(YEARS),
                accounts=snapshot.select(ACCOUNTS),
                transfers=snapshot.select(TRANSFERS),
                holds=snapshot.select(HOLDS),
                channels=snapshot.select(CHANNELS),
                sent=snapshot.select(SENT),
                taken={row.envelope_id: row for row in snapshot.select(TAKEN)},
                sides_here={peer: visited_side(snapshot, peer, now_at) for peer in peers},
                sides_there={peer: insured_side(snapshot, peer, now_at) for peer in peers},
                problems=[
                    *(f"{one.table} {one.key}: {one.problem}" for one in found.findings),
                    *(f"not verified: {name}" for name in found.skipped),
                ],
            )
    finally:
        database.close()


def is_quiet(reading: Reading, member_id: str) -> bool:
    """Tell whether every act of this node has been acknowledged, and answered if it asks."""
    for channel in reading.select(CHANNELS, src=member_id):
        if channel.acknowledged_seq != channel.next_seq - 1:
            return False
    return not any(reading.select(CLAIMS, state=state) for state in sorted(UNDECIDED))
