"""What the ledger's pages show: our own books now, and beside them what the mirror last showed."""

from collections import Counter
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from tongcheng.kernel.home import Home
from tongcheng.kernel.ledger import ACCOUNTS, AccountRow
from tongcheng.kernel.ledger_totals import TOTALS
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement import statements
from tongcheng.services.settlement.mirror import own, store
from tongcheng.services.settlement.mirror.model import PurseSum
from tongcheng.services.settlement.mirror.own import Books
from tongcheng.services.settlement.mirror.seen import Seen
from tongcheng.services.settlement.purse_names import PurseName, PurseNames
from tongcheng.services.settlement.reconcile import RowFinding
from tongcheng.services.settlement.statements import month_at

FINDINGS_SHOWN = 50


class Line(msgspec.Struct, frozen=True):
    """One purse's month: our figure now; what the peer said, None where nothing was heard.

    `told_fen`, `in_flight_fen` and `difference_fen` are of the last look; `since_fen` is by how
    much our figure has moved since. `held_fen` is reserved for settlements under way, in any month.
    """

    name: PurseName
    month: str
    is_visited: bool
    mine: PurseSum
    held_fen: int
    told_fen: int | None = None
    in_flight_fen: int | None = None
    difference_fen: int | None = None
    since_fen: int = 0


class Side(msgspec.Struct, frozen=True):
    """One direction of a pair: the stays in one side's hospitals of the other side's persons."""

    books: Books
    state: str
    seen_at: int | None
    silent_since_at: int | None
    open_count: int
    findings: tuple[RowFinding, ...]
    agrees: bool
    lines: tuple[Line, ...]
    closed: bool

    @property
    def gross_fen(self) -> int:
        """What was settled in the month, less nothing."""
        return sum(line.mine.settled_fen for line in self.lines)

    @property
    def voided_fen(self) -> int:
        """What was taken back in the month."""
        return sum(line.mine.voided_fen for line in self.lines)

    @property
    def owed_fen(self) -> int:
        """What the month comes to, less what was taken back: below zero in a month of voids."""
        return self.gross_fen - self.voided_fen

    @property
    def in_flight(self) -> tuple[RowFinding, ...]:
        """The settlements whose answer is under way."""
        return tuple(row for row in self.findings if row.kind == "in_flight")

    @property
    def differences(self) -> tuple[RowFinding, ...]:
        """The settlements on which the sides contradict each other."""
        return tuple(row for row in self.findings if row.kind != "in_flight")


class Pair(msgspec.Struct, frozen=True):
    """Both directions with one peer: what it owes us, and what we owe it."""

    peer: str
    owed_to_us: Side
    owed_by_us: Side

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both."""
        return self.owed_to_us, self.owed_by_us


class LedgerPage(msgspec.Struct, frozen=True):
    """The ledger of one month; `months` are all that something was booked in, latest first.

    `trial_fen` is the sum of all balances, of `accounts` accounts: zero, or verification fails.
    """

    month: str
    months: tuple[str, ...]
    over: bool
    pairs: tuple[Pair, ...]
    trial_fen: int
    accounts: int


def ledger_page(snapshot: Snapshot, home: Home, month: str | None, now_at: int) -> LedgerPage:
    """Return the books of a month (None: this one, or the last in which something was booked)."""
    months = booked_months(snapshot)
    this_month = month_at(now_at, home.region.zone)
    chosen = month or (months[0] if months else this_month)
    names = PurseNames(home)
    peers = home.accord.peers(home.member_id) if home.accord_in_force is not None else []
    balances = sa.select(
        sa.func.coalesce(sa.func.sum(ACCOUNTS.c.debited_fen - ACCOUNTS.c.credited_fen), 0),
        sa.func.count(),
    )
    trial_fen, accounts = snapshot.query(balances)[0]
    return LedgerPage(
        month=chosen,
        months=tuple(months),
        over=chosen < this_month,
        pairs=tuple(_pair(snapshot, home.member_id, peer, chosen, names) for peer in peers),
        trial_fen=trial_fen,
        accounts=accounts,
    )


def booked_months(snapshot: Snapshot) -> list[str]:
    """Return the months in which something was booked, latest first."""
    query = sa.select(TOTALS.c.month).distinct().order_by(TOTALS.c.month.desc())
    return [month for (month,) in snapshot.query(query)]


def _pair(snapshot: Snapshot, member_id: str, peer: str, month: str, names: PurseNames) -> Pair:
    here, there = (
        side_of(snapshot, own.books_of(member_id, peer, visited), month, names)
        for visited in (member_id, peer)
    )
    return Pair(peer, owed_to_us=here, owed_by_us=there)


def side_of(snapshot: Snapshot, books: Books, month: str, names: PurseNames) -> Side:
    """Return one direction of a pair in a month."""
    row = store.last(snapshot, books)
    seen = store.seen_in(row)
    held = {account.purse: account for account in own.accounts(snapshot, books)}
    mine = {one.purse: one for one in own.sums(snapshot, books, month, month)}
    told = {one.purse for one in seen.purses if one.month == month} if seen is not None else set()
    return Side(
        books=books,
        state="never" if row is None else row.state,
        seen_at=None if row is None else row.seen_at,
        silent_since_at=None if row is None else row.silent_since_at,
        open_count=0 if seen is None else seen.open_count,
        findings=() if seen is None else seen.findings,
        agrees=seen is not None and seen.agrees,
        closed=statements.is_closed(snapshot, books.visited, books.insured, month),
        lines=tuple(
            _line(
                names.of(purse),
                books,
                mine.get(purse) or blank(purse, month),
                held[purse].debit_held_fen if books.is_visited and purse in held else 0,
                seen,
            )
            for purse in sorted(mine.keys() | told | _holding(held.values()))
        ),
    )


def _holding(accounts: Iterable[AccountRow]) -> set[str]:
    return {one.purse for one in accounts if one.debit_held_fen or one.credit_held_fen}


def blank(purse: str, month: str) -> PurseSum:
    """Return the sums of a purse that nothing has moved."""
    return PurseSum(purse, month, 0, 0, "", 0, 0, "")


def _line(name: PurseName, books: Books, mine: PurseSum, held_fen: int, seen: Seen | None) -> Line:
    line = Line(name, mine.month, books.is_visited, mine, held_fen)
    if seen is None:
        return line
    key = (mine.purse, mine.month)
    shown = next((one for one in seen.purses if (one.purse, one.month) == key), None)
    if shown is None:
        return msgspec.structs.replace(
            line, told_fen=0, in_flight_fen=0, difference_fen=0, since_fen=mine.net_fen
        )
    then_fen = 0 if shown.mine is None else shown.mine.net_fen
    return msgspec.structs.replace(
        line,
        told_fen=0 if shown.theirs is None else shown.theirs.net_fen,
        in_flight_fen=shown.in_flight_fen,
        difference_fen=shown.difference_fen(is_visited=books.is_visited),
        since_fen=mine.net_fen - then_fen,
    )


def counts(page: LedgerPage) -> Counter[str]:
    """Count what the title of the page is about, over all pairs."""
    found: Counter[str] = Counter()
    for pair in page.pairs:
        for side in pair.sides:
            found["unknown"] += side.state not in {"seen", "silent"}
            found["differ"] += side.seen_at is not None and not side.agrees
            found["one_sided"] += len(side.differences)
            found["open"] += max(len(side.in_flight), side.open_count)
    return found
