"""From the store to the desk: by index only, because the page asks again every few seconds."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from tongcheng.kernel import canonical, cases
from tongcheng.kernel.calendar import HOUR_MS, local_date
from tongcheng.kernel.errors import Catalogue, Refused
from tongcheng.kernel.exchange.acts import RefusedBody
from tongcheng.kernel.exchange.tables import REFUSED, TAKEN
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement import ages
from tongcheng.services.settlement.desk_page import waiting
from tongcheng.services.settlement.desk_page.model import (
    Ages,
    DeskPage,
    DueCases,
    Flow,
    Refusals,
    Sums,
    Unsettled,
)
from tongcheng.services.settlement.desk_page.one_sided import one_sided
from tongcheng.services.settlement.model import SETTLE
from tongcheng.services.settlement.stays_counts import GOES_ON, WITH_CLAIM
from tongcheng.services.settlement.stays_data import day_of, hospital_of
from tongcheng.services.settlement.store import CLAIMS, DECISIONS, STAYS

WAITING_ROWS = 50
UNSETTLED_ROWS = 10
REFUSED_MAX = 500
HOURS = 24


def desk_page(
    snapshot: Snapshot,
    home: Home,
    errors: Catalogue,
    language: str,
    now_at: int,
    *,
    with_cases: bool,
    live: bool,
) -> DeskPage:
    """Return the desk at `now_at`."""
    today = local_date(now_at, home.region.zone)
    found_ages, held_fen = _ages(snapshot, now_at)
    unsettled, unsettled_count = _unsettled(snapshot, home)
    flows, hours = _settled_today(snapshot, home, today)
    return DeskPage(
        now_at=now_at,
        today=today,
        ages=found_ages,
        held_fen=held_fen,
        waiting=waiting.rows(snapshot, home, now_at, WAITING_ROWS),
        unsettled=unsettled,
        unsettled_count=unsettled_count,
        undone_count=_undone(snapshot),
        flows=flows,
        hours=hours,
        refusals=_refusals(snapshot, home, errors, language, today),
        disputed=_count(snapshot, CLAIMS.c.state == "disputed"),
        cases=_cases(snapshot, now_at) if with_cases else None,
        one_sided=one_sided(snapshot, home),
        live=live,
    )


def _count(snapshot: Snapshot, condition: sa.ColumnElement[bool]) -> int:
    return int(snapshot.query(sa.select(sa.func.count()).where(condition))[0][0])


def _ages(snapshot: Snapshot, now_at: int) -> tuple[Ages, int]:
    """Count what waits by age, and sum what is held for it (fen)."""
    since = CLAIMS.c.changed_at
    slow, long = now_at - ages.SLOW_MS, now_at - ages.LONG_MS
    counted = (
        sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)
        for condition in (since > slow, sa.and_(since <= slow, since > long), since <= long)
    )
    held = sa.func.coalesce(sa.func.sum(waiting.HELD), 0)
    statement = sa.select(*counted, held).where(CLAIMS.c.state.in_(waiting.WAITING_STATES))
    fresh, middle, old, held_fen = snapshot.query(statement)[0]
    return Ages(int(fresh), int(middle), int(old)), int(held_fen)


def _unsettled(snapshot: Snapshot, home: Home) -> tuple[tuple[Unsettled, ...], int]:
    """Return the stays that were left longest ago without a settlement, and how many there are."""
    left = (STAYS.c.state == "discharged", GOES_ON)
    counted = sa.select(sa.func.count()).select_from(WITH_CLAIM).where(*left)
    statement = sa.select(STAYS.table).select_from(WITH_CLAIM).where(*left)
    ordered = statement.order_by(STAYS.c.discharged_at, STAYS.c.stay_id).limit(UNSETTLED_ROWS)
    rows = tuple(
        Unsettled(
            stay_id=stay.stay_id,
            discharged_at=stay.discharged_at or stay.changed_at,
            hospital=hospital_of(snapshot, stay.institution_id),
            insured_member=stay.insured_member,
            insured_area=home.region.area_of(stay.admdvs, "settlement").name,
        )
        for stay in snapshot.fetch(STAYS, ordered)
    )
    return rows, int(snapshot.query(counted)[0][0])


def _undone(snapshot: Snapshot) -> int:
    """Count who left, and whose last settlement was refused or taken back."""
    undone = CLAIMS.c.state.in_(("refused", "voided"))
    left = sa.select(sa.func.count()).select_from(WITH_CLAIM).where(STAYS.c.state == "discharged")
    return int(snapshot.query(left.where(undone))[0][0])


def _settled_today(
    snapshot: Snapshot, home: Home, today: date
) -> tuple[tuple[Flow, ...], tuple[int, ...]]:
    """Return what was settled today by place of treatment and of insurance, and by the hour."""
    begins_at, ends_at = day_of(home, today)
    hours = [0] * HOURS
    found: dict[tuple[str, str, str], Sums] = {}
    here = _by_hour(CLAIMS.c, CLAIMS.c.changed_at, begins_at, ends_at, CLAIMS.c.admdvs)
    for admdvs, hour, *sums in snapshot.query(here):
        area = home.region.area_of(admdvs, "settlement")
        insured = home.region.member_of(admdvs, "settlement").id
        _add(found, hours, (home.member_id, insured, area.id), hour, sums)
    places = (DECISIONS.c.visited_member, DECISIONS.c.area_id)
    there = _by_hour(DECISIONS.c, DECISIONS.c.decided_at, begins_at, ends_at, *places)
    for visited, area_id, hour, *sums in snapshot.query(there):
        _add(found, hours, (visited, home.member_id, area_id), hour, sums)
    flows = [
        Flow(visited, insured, home.region.area(area_id).name, sums)
        for (visited, insured, area_id), sums in found.items()
    ]
    return tuple(sorted(flows, key=lambda flow: -flow.sums.count)), tuple(hours)


def _by_hour(
    columns: Any, at: sa.Column[int], begins_at: int, ends_at: int, *places: sa.Column[str]
) -> sa.Select[Any]:
    """Return the sums of what was settled between two instants, by place and hour."""
    hour = ((at - begins_at) / sa.literal(HOUR_MS, sa.Integer)).cast(sa.Integer)
    amounts = (columns.total_fen, columns.fund_fen, columns.person_fen)
    settled = sa.and_(columns.state == "settled", at >= begins_at, at < ends_at)
    sums = (sa.func.sum(each) for each in amounts)
    by: list[Any] = [*places, hour.label("hour")]
    return sa.select(*by, sa.func.count(), *sums).where(settled).group_by(*by)


def _add(
    found: dict[tuple[str, str, str], Sums],
    hours: list[int],
    place: tuple[str, str, str],
    hour: int,
    sums: list[int],
) -> None:
    more = Sums(*(int(each) for each in sums))
    found[place] = found.get(place, Sums()).plus(more)
    hours[min(hour, HOURS - 1)] += more.count


def _refusals(
    snapshot: Snapshot, home: Home, errors: Catalogue, language: str, today: date
) -> tuple[Refusals, ...]:
    """Return what was refused today, by reason: by them to our hospitals, and by us to theirs."""
    begins_at, _ = day_of(home, today)
    theirs = sa.select(CLAIMS.c.refusal).where(
        CLAIMS.c.state == "refused", CLAIMS.c.changed_at >= begins_at
    )
    ours = sa.select(TAKEN.c.refusal_code).where(
        TAKEN.c.outcome == REFUSED, TAKEN.c.taken_at >= begins_at, TAKEN.c.type == SETTLE
    )
    bodies = [
        canonical.decode_as(raw, RefusedBody)
        for (raw,) in snapshot.query(theirs.limit(REFUSED_MAX))
    ]
    found: dict[tuple[str, bool], list[RefusedBody]] = {}
    for body in bodies:
        found.setdefault((body.code, False), []).append(body)
    for (code,) in snapshot.query(ours.limit(REFUSED_MAX)):
        found.setdefault((str(code), True), []).append(RefusedBody(code=str(code), facts={}))
    return tuple(
        _reason(errors, language, same[0], ours=is_ours, count=len(same))
        for (_, is_ours), same in sorted(found.items(), key=lambda each: -len(each[1]))
    )


def _reason(
    errors: Catalogue, language: str, one: RefusedBody, *, ours: bool, count: int
) -> Refusals:
    """Return a reason in the catalogue's words; a peer's code may be unknown here."""
    if one.code not in errors.codes():
        return Refusals(one.code, ours, count, "", "")
    try:
        said = errors.render(Refused(one.code, **one.facts), language)
    except AssertionError:
        return Refusals(one.code, ours, count, "", "")
    return Refusals(one.code, ours, count, said.what, said.do)


def _cases(snapshot: Snapshot, now_at: int) -> DueCases:
    found, late, _ = cases.count_open(snapshot, now_at)
    return DueCases(found, late)
