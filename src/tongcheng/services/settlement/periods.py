"""The settlement periods of a stay, on the visited side: which days, which lines (中途结算).

A long stay is settled in periods of whole local days that abut. A period in the middle takes the
lines charged up to the end of its last day that no earlier period has taken; the last one takes
the rest and ends with the discharge. What was charged in a settled period and came later belongs
to the open one, and so does a refund of a settled line.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Reading
from tongcheng.services.settlement import bills
from tongcheng.services.settlement.kept_lines import LineRow
from tongcheng.services.settlement.model import ScopeTotals
from tongcheng.services.settlement.store import CLAIMS, ClaimRow, StayRow

IN_FORCE = frozenset({"pending", "settled"})
"""States of a claim that keep its period's lines."""


class Period(msgspec.Struct, frozen=True):
    """What is to be settled now: days inclusive, and the lines in order of arrival."""

    number: int
    from_on: date
    to_on: date
    final: bool
    lines: list[LineRow]
    last_line: int
    totals: ScopeTotals
    catalogue_digest: str


def in_force(reading: Reading, stay_id: str) -> list[ClaimRow]:
    """Return the settlements of a stay that stand or are under way, by period."""
    rows = [row for row in reading.select(CLAIMS, stay_id=stay_id) if row.state in IN_FORCE]
    return sorted(rows, key=lambda row: row.period)


def later_than(reading: Reading, claim: ClaimRow) -> list[ClaimRow]:
    """Return what stands of a stay after one of its settlements: it must be voided first."""
    return [row for row in in_force(reading, claim.stay_id) if row.period > claim.period]


def asked_before(claims: Sequence[ClaimRow], through_on: str | None) -> ClaimRow | None:
    """Return the settlement of the same period, whatever message asked for it."""
    for claim in claims:
        if claim.final == (through_on is None) and through_on in {None, claim.period_to_on}:
            return claim
    return None


def settled_through(reading: Reading, stay_id: str) -> date | None:
    """Return the last day that a settlement in force covers."""
    claims = in_force(reading, stay_id)
    return date.fromisoformat(claims[-1].period_to_on) if claims else None


def lines_of(
    lines: Sequence[LineRow], claims: Sequence[ClaimRow], zone: str
) -> dict[int, list[LineRow]]:
    """Return which line belongs to which settled period; period 0 is the open one.

    A line belongs to the first period that had ended by its day when the line was there already.
    """
    found: dict[int, list[LineRow]] = {0: [], **{claim.period: [] for claim in claims}}
    for line in lines:
        on = local_date(line.charged_at, zone).isoformat()
        taken = (
            claim.period
            for claim in claims
            if line.number <= claim.last_line and (claim.final or on <= claim.period_to_on)
        )
        found[next(taken, 0)].append(line)
    return found


def open_lines(reading: Reading, zone: str, stay_id: str) -> list[LineRow]:
    """Return the lines that no settlement in force has taken."""
    lines = bills.active_lines(reading, stay_id)
    return lines_of(lines, in_force(reading, stay_id), zone)[0]


def open_period(
    reading: Reading, zone: str, stay: StayRow, through_on: str | None, now_at: int
) -> Period:
    """Return what would be settled now: through a day in the middle of the stay, or the rest."""
    claims = in_force(reading, stay.stay_id)
    lines = bills.active_lines(reading, stay.stay_id)
    return period_of(zone, stay, claims, lines, through_on, now_at)


def period_of(
    zone: str,
    stay: StayRow,
    claims: Sequence[ClaimRow],
    lines: list[LineRow],
    through_on: str | None,
    now_at: int,
) -> Period:
    """Return the open period of a stay with these settlements in force and these lines."""
    from_on = local_date(stay.admitted_at, zone)
    if claims:
        from_on = date.fromisoformat(claims[-1].period_to_on) + timedelta(days=1)
    chosen = lines_of(lines, claims, zone)[0] if claims else lines
    if through_on is None:
        if stay.discharged_at is None:
            raise Refused("STAY_NOT_DISCHARGED", stay=stay.stay_id)
        to_on = local_date(stay.discharged_at, zone)
    else:
        to_on = _last_day(stay, zone, through_on, from_on, now_at)
        chosen = [line for line in chosen if local_date(line.charged_at, zone) <= to_on]
    # The end of a stay is told to the insured side even when its last period cost nothing.
    if not chosen and not (claims and through_on is None):
        raise Refused("BILL_EMPTY", stay=stay.stay_id)
    return Period(
        number=len(claims) + 1,
        from_on=from_on,
        to_on=to_on,
        final=through_on is None,
        lines=chosen,
        last_line=max((line.number for line in lines), default=0),
        totals=_totals(stay, chosen, has_settled=bool(claims)),
        catalogue_digest=bills.catalogue_digest(chosen or lines),
    )


def _last_day(stay: StayRow, zone: str, through_on: str, from_on: date, now_at: int) -> date:
    """Return the last day of a period in the middle: over, and before the day of discharge."""
    try:
        to_on = date.fromisoformat(through_on)
    except ValueError:
        raise Refused("DATE_MALFORMED", given=through_on) from None
    until = local_date(now_at, zone)
    if stay.discharged_at is not None:
        until = min(until, local_date(stay.discharged_at, zone))
    if not from_on <= to_on < until:
        raise Refused(
            "PERIOD_DAY",
            given=through_on,
            first=from_on.isoformat(),
            before=until.isoformat(),
        )
    return to_on


def _totals(stay: StayRow, lines: list[LineRow], *, has_settled: bool) -> ScopeTotals:
    try:
        return bills.totals_of(lines)
    except Refused:
        if has_settled and sum(line.total_fen for line in lines) <= 0:
            raise Refused("PERIOD_NEGATIVE", stay=stay.stay_id) from None
        raise


def unnamed_day(reading: Reading, zone: str, stay: StayRow, stated_total_fen: int) -> str:
    """Return the day through which a message settles that names none: the last day charged.

    A repetition finds nothing open, or something else than it states: it means the period that
    was asked for last, if that came to the same.
    """
    lines = open_lines(reading, zone, stay.stay_id)
    claims = in_force(reading, stay.stay_id)
    is_open = sum(line.total_fen for line in lines) == stated_total_fen
    stated_before = {claim.total_fen + claim.stated_difference_fen for claim in claims[-1:]}
    if claims and (not lines or (stated_total_fen in stated_before and not is_open)):
        return claims[-1].period_to_on
    if not lines:
        raise Refused("BILL_EMPTY", stay=stay.stay_id)
    return max(local_date(line.charged_at, zone) for line in lines).isoformat()
