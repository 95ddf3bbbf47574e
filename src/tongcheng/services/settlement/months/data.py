"""What the month pages show: purses, stays, hospitals, days and statements of one month."""

from datetime import date, timedelta

import msgspec
import sqlalchemy as sa

from tongcheng.kernel import ledger_totals
from tongcheng.kernel.home import Home
from tongcheng.kernel.ledger_totals import TOTALS
from tongcheng.kernel.store import Snapshot
from tongcheng.kernel.words import Words
from tongcheng.services.settlement import purses
from tongcheng.services.settlement.ledger.data import Side, booked_months, side_of
from tongcheng.services.settlement.mirror import own
from tongcheng.services.settlement.mirror.own import Books
from tongcheng.services.settlement.purse_names import PurseNames
from tongcheng.services.settlement.statements import STATEMENTS, StatementRow, month_at
from tongcheng.services.settlement.stays_data import hospital_of
from tongcheng.services.settlement.store import CLAIMS, DECISIONS


class Day(msgspec.Struct, frozen=True):
    """What was settled on one day, both ways (fen), whatever was taken back."""

    on: str
    owed_to_us_fen: int = 0
    owed_by_us_fen: int = 0


class Hospital(msgspec.Struct, frozen=True):
    """What one of our hospitals settled for persons of one member."""

    institution_id: str
    name: Words
    insured_member: str
    stays: int
    total_fen: int
    fund_fen: int


class Direction(msgspec.Struct, frozen=True):
    """One direction of a pair in the month: its ledger, its stays, its statement."""

    side: Side
    stays: int
    voids: int
    statement: StatementRow | None

    @property
    def agreed(self) -> bool:
        """Tell whether both members have put their name to the month."""
        return self.side.closed


class MonthPage(msgspec.Struct, frozen=True):
    """One month. `net` are purses that the accord lets the members offset; none is, by default."""

    month: str
    over: bool
    directions: tuple[Direction, ...]
    hospitals: tuple[Hospital, ...]
    days: tuple[Day, ...]
    net: tuple[tuple[str, str], ...]

    def owed_fen(self, *, to_us: bool) -> int:
        """Return what is owed in one direction, with every peer, less what was taken back."""
        return sum(one.side.owed_fen for one in self.directions if is_to_us(one) == to_us)

    def voided_fen(self, *, to_us: bool) -> int:
        """Return what was taken back in one direction."""
        return sum(one.side.voided_fen for one in self.directions if is_to_us(one) == to_us)

    @property
    def provisional(self) -> bool:
        """Tell whether a figure of the month may still change."""
        booked = [one for one in self.directions if one.side.lines]
        return not self.over or not all(one.agreed for one in booked)


class MonthLine(msgspec.Struct, frozen=True):
    """One month in the list: sums with all peers, and how many statements are agreed.

    What is owed is less `voided_fen`, which was taken back in either direction.
    """

    month: str
    over: bool
    owed_to_us_fen: int
    owed_by_us_fen: int
    voided_fen: int
    agreed: int
    statements: int


def is_to_us(direction: Direction) -> bool:
    """Tell whether the direction is what a peer owes us."""
    return direction.side.books.is_visited


def month_page(snapshot: Snapshot, home: Home, month: str, now_at: int) -> MonthPage:
    """Return one month with every peer of the accord."""
    names, me = PurseNames(home), home.member_id
    accord = home.accord_in_force
    pairs = [] if accord is None else [(peer, v) for peer in accord.peers(me) for v in (me, peer)]
    all_books = [own.books_of(me, peer, visited) for peer, visited in pairs]
    return MonthPage(
        month=month,
        over=month < month_at(now_at, home.region.zone),
        directions=tuple(_direction(snapshot, books, month, names) for books in all_books),
        hospitals=tuple(_hospitals(snapshot, month)),
        days=tuple(_days(snapshot, all_books, month)),
        net=()
        if accord is None
        else tuple((one.scheme, one.fund) for one in accord.purses if one.net),
    )


def _direction(snapshot: Snapshot, books: Books, month: str, names: PurseNames) -> Direction:
    rows = snapshot.select(
        STATEMENTS, visited_member=books.visited, insured_member=books.insured, month=month
    )
    return Direction(
        side=side_of(snapshot, books, month, names),
        stays=_count(snapshot, books, "month", month),
        voids=_count(snapshot, books, "void_month", month),
        statement=rows[-1] if rows else None,
    )


def _count(snapshot: Snapshot, books: Books, field: str, month: str) -> int:
    """Count settlements by an index, on whichever side this node is."""
    records = CLAIMS if books.is_visited else DECISIONS
    other = CLAIMS.c.insured_member if books.is_visited else DECISIONS.c.visited_member
    query = sa.select(sa.func.count()).where(records.c[field] == month, other == books.peer)
    return int(snapshot.query(query)[0][0])


def _hospitals(snapshot: Snapshot, month: str) -> list[Hospital]:
    table = CLAIMS.c
    query = (
        sa.select(
            table.institution_id,
            table.insured_member,
            sa.func.count(),
            sa.func.sum(table.total_fen),
            sa.func.sum(table.fund_fen),
        )
        .where(table.month == month)
        .group_by(table.insured_member, table.institution_id)
    )
    found = [
        Hospital(institution, hospital_of(snapshot, institution), member, *sums)
        for institution, member, *sums in snapshot.query(query)
    ]
    return sorted(found, key=lambda one: (-one.fund_fen, one.institution_id, one.insured_member))


def _days(snapshot: Snapshot, all_books: list[Books], month: str) -> list[Day]:
    """Return every day of the month, and others on which something was booked in it."""
    sums: dict[str, list[int]] = {on: [0, 0] for on in _calendar(month)}
    for books in all_books:
        for account in own.accounts(snapshot, books):
            for row in ledger_totals.of_account(snapshot, account.account_id, month):
                day = sums.setdefault(row.moved_on, [0, 0])
                settled = row.debited_fen if books.is_visited else row.credited_fen
                day[0 if books.is_visited else 1] += settled
    return [Day(on, *sums[on]) for on in sorted(sums)]


def _calendar(month: str) -> list[str]:
    first = date.fromisoformat(f"{month}-01")
    days = (first + timedelta(days=number) for number in range(31))
    return [day.isoformat() for day in days if day.isoformat().startswith(month)]


def month_lines(snapshot: Snapshot, home: Home, now_at: int) -> list[MonthLine]:
    """Return every month in which something was booked, latest first."""
    this_month = month_at(now_at, home.region.zone)
    ours, theirs = purses.due_from("", "").rstrip("/"), purses.due_to("", "").rstrip("/")
    table = TOTALS.c
    query = sa.select(
        table.month,
        table.account_id,
        sa.func.sum(table.debited_fen),
        sa.func.sum(table.credited_fen),
    ).group_by(table.month, table.account_id)
    sums = {month: [0, 0, 0] for month in booked_months(snapshot)}
    for month, account_id, debited_fen, credited_fen in snapshot.query(query):
        side = account_id.partition("/")[0]
        if side == ours:
            sums[month][0] += debited_fen - credited_fen
            sums[month][2] += credited_fen
        elif side == theirs:
            sums[month][1] += credited_fen - debited_fen
            sums[month][2] += debited_fen
    rows = snapshot.select(STATEMENTS)
    drawn = {(one.month, one.visited_member, one.insured_member) for one in rows}
    agreed = {
        (one.month, one.visited_member, one.insured_member) for one in rows if one.state == "agreed"
    }
    return [
        MonthLine(
            month=month,
            over=month < this_month,
            owed_to_us_fen=to_us_fen,
            owed_by_us_fen=by_us_fen,
            voided_fen=voided_fen,
            agreed=sum(1 for one in agreed if one[0] == month),
            statements=sum(1 for one in drawn if one[0] == month),
        )
        for month, (to_us_fen, by_us_fen, voided_fen) in sums.items()
    ]
