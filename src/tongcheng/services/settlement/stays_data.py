"""From the store to the list of stays: those in hospitals here, and those decided here."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from tongcheng.kernel.calendar import DAY_MS
from tongcheng.kernel.home import Home
from tongcheng.kernel.region import Area
from tongcheng.kernel.store import Snapshot
from tongcheng.kernel.words import Words
from tongcheng.services.settlement import stays_counts
from tongcheng.services.settlement.decided import facts_of
from tongcheng.services.settlement.stays_counts import (
    GOES_ON,
    OPEN_STATES,
    STATES_AT_REST,
    VIEW_STATES,
    WITH_CLAIM,
    claim_states,
)
from tongcheng.services.settlement.store import (
    CLAIMS,
    DECISIONS,
    INSTITUTIONS,
    STAYS,
    ClaimRow,
    DecisionRow,
)
from tongcheng.services.settlement.store import StayRow as Stay
from tongcheng.services.settlement.views import (
    Choice,
    Position,
    StayRow,
    StaysPage,
    StaysQuery,
    StayState,
)

PAGE_ROWS = 50


def stays_page(snapshot: Snapshot, home: Home, query: StaysQuery, now_at: int) -> StaysPage:
    """Return the list at `now_at`: stays in hospitals here, and stays elsewhere decided here."""
    rows = stay_rows(snapshot, home, query, PAGE_ROWS + 1)
    shown = rows[:PAGE_ROWS]
    return StaysPage(
        rows=tuple(shown),
        counts=stays_counts.counts(snapshot),
        query=query,
        next_before=_position(shown[-1]) if len(rows) > PAGE_ROWS else None,
        hospitals=_hospitals(snapshot),
        areas=tuple(Choice(area.id, area.name) for area in _areas(home)),
        now_at=now_at,
    )


def stay_rows(snapshot: Snapshot, home: Home, query: StaysQuery, limit: int) -> list[StayRow]:
    """Return at most `limit` rows of a list, latest change first."""
    rows = [
        *_visited_rows(snapshot, home, query, limit),
        *_decided_rows(snapshot, home, query, limit),
    ]
    return sorted(rows, key=_position, reverse=True)[:limit]


def _position(row: StayRow) -> Position:
    return row.at, row.stay_id


def _hospitals(snapshot: Snapshot) -> tuple[Choice, ...]:
    found = (
        Choice(row.institution_id, Words(row.name_zh, row.name_en))
        for row in snapshot.select(INSTITUTIONS)
    )
    return tuple(found)


def _areas(home: Home) -> list[Area]:
    return [
        area
        for member in home.region.members
        if "settlement" in member.services
        for area in member.areas
    ]


def day_of(home: Home, on: date) -> tuple[int, int]:
    """Return the first instant of a local day, and the first after it (UTC, ms)."""
    first = datetime.combine(on, time(), ZoneInfo(home.region.zone)).astimezone(UTC)
    begins_at = int(first.timestamp()) * 1000
    return begins_at, begins_at + DAY_MS


def _visited_rows(snapshot: Snapshot, home: Home, query: StaysQuery, limit: int) -> list[StayRow]:
    statement = sa.select(STAYS.table).select_from(WITH_CLAIM).where(*_stands(query.state))
    statement = statement.where(*_since(home, query, STAYS.c.changed_at, STAYS.c.stay_id))
    if query.hospital:
        statement = statement.where(STAYS.c.institution_id == query.hospital)
    if query.area:
        statement = statement.where(_in_area(home, query.area))
    if query.found:
        statement = statement.where(STAYS.c.stay_id.in_(_found(query.found)))
    ordered = statement.order_by(STAYS.c.changed_at.desc(), STAYS.c.stay_id.desc())
    return [
        _visited_row(snapshot, home, stay) for stay in snapshot.fetch(STAYS, ordered.limit(limit))
    ]


def _stands(state: StayState | None) -> list[sa.ColumnElement[bool]]:
    """Return what makes a stay stand as `state`: its own state first, because that is indexed."""
    if state is None:
        return []
    if state in STATES_AT_REST:
        return [STAYS.c.state.in_(STATES_AT_REST[state])]
    if state in OPEN_STATES:
        return [STAYS.c.state == state, GOES_ON]
    is_open = STAYS.c.state.in_(OPEN_STATES)
    return [is_open, CLAIMS.c.state.in_(claim_states(state)), sa.not_(GOES_ON)]


def _since(
    home: Home, query: StaysQuery, at: sa.Column[int], stay_id: sa.Column[str]
) -> list[sa.ColumnElement[bool]]:
    """Return what keeps a list to its day and behind the page before."""
    found: list[sa.ColumnElement[bool]] = []
    if query.on is not None:
        begins_at, ends_at = day_of(home, query.on)
        found += [at >= begins_at, at < ends_at]
    if query.before is not None:
        before_at, before_id = query.before
        found += [at <= before_at, sa.or_(at < before_at, stay_id < before_id)]
    return found


def _in_area(home: Home, area_id: str) -> sa.ColumnElement[bool]:
    """Return what tells that a stay's person is insured in an area: the longest prefix decides."""
    areas = _areas(home)
    own = [prefix for area in areas if area.id == area_id for prefix in area.prefixes]
    nearer = [
        prefix
        for area in areas
        if area.id != area_id
        for prefix in area.prefixes
        if any(prefix.startswith(each) for each in own)
    ]
    inside = sa.or_(sa.false(), *(STAYS.c.admdvs.startswith(each) for each in own))
    return sa.and_(inside, *(sa.not_(STAYS.c.admdvs.startswith(each)) for each in nearer))


def _found(text: str) -> sa.CompoundSelect[tuple[str]]:
    """Return the ids of stays here that a reader names: by their own id or another's."""
    hospitals = sa.select(INSTITUTIONS.c.institution_id)
    return sa.union_all(
        sa.select(STAYS.c.stay_id).where(STAYS.c.stay_id == text),
        sa.select(STAYS.c.stay_id).where(
            STAYS.c.institution_id.in_(hospitals), STAYS.c.inpatient_no == text
        ),
        sa.select(CLAIMS.c.stay_id).where(CLAIMS.c.settlement_id == text),
    )


def _visited_row(snapshot: Snapshot, home: Home, stay: Stay) -> StayRow:
    claim = None if stay.last_claim_id is None else snapshot.get(CLAIMS, stay.last_claim_id)
    goes_on = claim is not None and claim.state == "settled" and stay.period > claim.period
    is_decided = claim is not None and bool(claim.result)
    # After a mid-stay settlement the person is in hospital still; the amounts are its own.
    state = state_of(stay, None if goes_on else claim)
    return StayRow(
        stay_id=stay.stay_id,
        at=stay.changed_at,
        state=state,
        hospital=hospital_of(snapshot, stay.institution_id),
        visited_member=home.member_id,
        insured_member=stay.insured_member,
        insured_area=home.region.area_of(stay.admdvs, "settlement").name,
        total_fen=None if claim is None else claim.total_fen,
        fund_fen=claim.fund_fen if claim is not None and is_decided else None,
        person_fen=claim.person_fen if claim is not None and is_decided else None,
        draft=claim is not None and _by_draft(claim.result),
        waits_since=_waits_since(stay, claim, state),
    )


def _waits_since(stay: Stay, claim: ClaimRow | None, state: StayState) -> int | None:
    """Return since when somebody waits: for the other side's answer, or for the settlement."""
    if state == "discharged":
        return stay.discharged_at
    if claim is None or state not in {"pending", "voiding"}:
        return None
    return claim.changed_at


def state_of(stay: Stay, claim: ClaimRow | None) -> StayState:
    """Return how a stay stands: as its last settlement, or in hospital or not without one."""
    if claim is not None:
        return VIEW_STATES[claim.state]
    return "admitted" if stay.discharged_at is None else "discharged"


def _decided_rows(snapshot: Snapshot, home: Home, query: StaysQuery, limit: int) -> list[StayRow]:
    if query.hospital:
        return []  # those listed for choosing are here; these stays were elsewhere
    at, stay_id = DECISIONS.c.decided_at, DECISIONS.c.stay_id
    statement = sa.select(DECISIONS.table).where(*_since(home, query, at, stay_id))
    if query.state is not None:
        statement = statement.where(DECISIONS.c.state.in_(claim_states(query.state)))
    if query.area:
        statement = statement.where(DECISIONS.c.area_id == query.area)
    if query.found:
        statement = statement.where(_named(home, query.found))
    else:
        # Of a stay there is a handful; in the list's order every decision would be read for it.
        statement = statement.order_by(at.desc(), stay_id.desc())
    found = snapshot.fetch(DECISIONS, statement.limit(limit))
    return [_decided_row(snapshot, home, row) for row in found]


def _named(home: Home, text: str) -> sa.ColumnElement[bool]:
    """Return what tells that a reader names a decision: by its stay or its own id, each indexed."""
    members = [member.id for member in home.region.members]
    own = sa.and_(DECISIONS.c.visited_member.in_(members), DECISIONS.c.settlement_id == text)
    return sa.or_(DECISIONS.c.stay_id == text, own)


def _decided_row(snapshot: Snapshot, home: Home, row: DecisionRow) -> StayRow:
    return StayRow(
        stay_id=row.stay_id,
        at=row.decided_at,
        state=VIEW_STATES[row.state],
        hospital=hospital_of(snapshot, facts_of(row).institution_id),
        visited_member=row.visited_member,
        insured_member=home.member_id,
        insured_area=home.region.area(row.area_id).name,
        total_fen=row.total_fen,
        fund_fen=row.fund_fen,
        person_fen=row.person_fen,
        draft=_by_draft(row.result),
    )


class _Basis(msgspec.Struct):
    """What a list needs of a BenefitResult: a hundred are read at once, each of kilobytes.

    They are our own bytes, checked with their row; their form is not checked once more.
    """

    book_status: str


def _by_draft(result: bytes) -> bool:
    """Tell whether a result, if there is one, follows from a draft rule book."""
    return bool(result) and msgspec.json.decode(result, type=_Basis).book_status == "draft"


def hospital_of(snapshot: Snapshot, institution_id: str) -> Words:
    """Return a hospital's name, or its code where this node knows no more."""
    place = snapshot.get(INSTITUTIONS, institution_id)
    if place is None:
        return Words(institution_id, institution_id)
    return Words(place.name_zh, place.name_en)
