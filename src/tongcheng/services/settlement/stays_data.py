"""From the store to the list of stays: those in hospitals here, and those decided here."""

import sqlalchemy as sa

from tongcheng.kernel import canonical
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.kernel.words import Words
from tongcheng.services.settlement.decided import facts_of
from tongcheng.services.settlement.model import BenefitResult
from tongcheng.services.settlement.store import (
    CLAIMS,
    DECISIONS,
    INSTITUTIONS,
    STAYS,
    ClaimRow,
)
from tongcheng.services.settlement.store import StayRow as Stay
from tongcheng.services.settlement.views import STATES, StayRow, StaysPage, StayState

PAGE_ROWS = 50

VIEW_STATES: dict[str, StayState] = {
    "pending": "pending",
    "settled": "settled",
    "refused": "refused",
    "cancelling": "voided",
    "voiding": "voided",
    "voided": "voided",
    "disputed": "disputed",
}
"""State of a claim or a decision → what a reader is told."""


def stays_page(
    snapshot: Snapshot, home: Home, state: StayState | None, older_than: int | None, *, live: bool
) -> StaysPage:
    """Return the list: stays in hospitals here, and stays elsewhere that were decided here."""
    visited = _visited_rows(snapshot, home, state, older_than)
    decided = _decided_rows(snapshot, home, state, older_than)
    rows = sorted([*visited, *decided], key=lambda row: (row.at, row.stay_id), reverse=True)
    shown = rows[:PAGE_ROWS]
    counts, fund_fen = _counts(snapshot)
    return StaysPage(
        rows=tuple(shown),
        counts=counts,
        fund_fen=fund_fen,
        state=state,
        older_than=shown[-1].at if len(rows) > PAGE_ROWS else None,
        live=live,
    )


_GOES_ON = sa.or_(
    STAYS.c.last_claim_id.is_(None),
    sa.and_(CLAIMS.c.state == "settled", STAYS.c.period > CLAIMS.c.period),
)
"""A stay of which something is left to settle: nothing was yet, or only periods before."""


def _claim_states(state: StayState) -> list[str]:
    return [stored for stored, shown in VIEW_STATES.items() if shown == state]


def _visited_rows(
    snapshot: Snapshot, home: Home, state: StayState | None, older_than: int | None
) -> list[StayRow]:
    joined = STAYS.table.outerjoin(CLAIMS.table, CLAIMS.c.settlement_id == STAYS.c.last_claim_id)
    statement = sa.select(STAYS.table).select_from(joined)
    if state in {"admitted", "discharged"}:
        left = STAYS.c.discharged_at.is_not(None)
        is_so = left if state == "discharged" else sa.not_(left)
        statement = statement.where(_GOES_ON, is_so)
    elif state is not None:
        statement = statement.where(CLAIMS.c.state.in_(_claim_states(state)), sa.not_(_GOES_ON))
    if older_than is not None:
        statement = statement.where(STAYS.c.changed_at < older_than)
    ordered = statement.order_by(STAYS.c.changed_at.desc(), STAYS.c.stay_id.desc())
    stays = snapshot.fetch(STAYS, ordered.limit(PAGE_ROWS + 1))
    return [_visited_row(snapshot, home, stay) for stay in stays]


def _visited_row(snapshot: Snapshot, home: Home, stay: Stay) -> StayRow:
    claim = None if stay.last_claim_id is None else snapshot.get(CLAIMS, stay.last_claim_id)
    goes_on = claim is not None and claim.state == "settled" and stay.period > claim.period
    is_decided = claim is not None and bool(claim.result)
    return StayRow(
        stay_id=stay.stay_id,
        at=stay.changed_at,
        # After a mid-stay settlement the person is in hospital still; the amounts are its own.
        state=state_of(stay, None if goes_on else claim),
        hospital=hospital_of(snapshot, stay.institution_id),
        visited_member=home.member_id,
        insured_member=stay.insured_member,
        insured_area=home.region.area_of(stay.admdvs, "settlement").name,
        total_fen=None if claim is None else claim.total_fen,
        fund_fen=claim.fund_fen if claim is not None and is_decided else None,
        person_fen=claim.person_fen if claim is not None and is_decided else None,
        draft=claim is not None and _by_draft(claim.result),
    )


def state_of(stay: Stay, claim: ClaimRow | None) -> StayState:
    """Return how a stay stands: as its last settlement, or in hospital or not without one."""
    if claim is not None:
        return VIEW_STATES[claim.state]
    return "admitted" if stay.discharged_at is None else "discharged"


def _decided_rows(
    snapshot: Snapshot, home: Home, state: StayState | None, older_than: int | None
) -> list[StayRow]:
    statement = sa.select(DECISIONS.table)
    if state is not None:
        statement = statement.where(DECISIONS.c.state.in_(_claim_states(state)))
    if older_than is not None:
        statement = statement.where(DECISIONS.c.decided_at < older_than)
    ordered = statement.order_by(DECISIONS.c.decided_at.desc(), DECISIONS.c.stay_id.desc())
    return [
        StayRow(
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
        for row in snapshot.fetch(DECISIONS, ordered.limit(PAGE_ROWS + 1))
    ]


def _by_draft(result: bytes) -> bool:
    """Tell whether a result, if there is one, follows from a draft rule book."""
    return bool(result) and canonical.decode_as(result, BenefitResult).book_status == "draft"


def _counts(snapshot: Snapshot) -> tuple[dict[StayState, int], int]:
    """Return how many stays stand in each state, and what the funds paid for settled ones."""
    joined = STAYS.table.outerjoin(CLAIMS.table, CLAIMS.c.settlement_id == STAYS.c.last_claim_id)
    left = STAYS.c.discharged_at.is_not(None).label("has_left")
    goes_on = _GOES_ON.label("goes_on")
    by_claim = (
        sa.select(CLAIMS.c.state, left, goes_on, sa.func.count())
        .select_from(joined)
        .group_by(CLAIMS.c.state, left, goes_on)
    )
    by_decision = sa.select(
        DECISIONS.c.state, sa.func.count(), sa.func.sum(DECISIONS.c.fund_fen)
    ).group_by(DECISIONS.c.state)
    counts: dict[StayState, int] = dict.fromkeys(STATES, 0)
    # Of all periods, not only of each stay's last one.
    stands = sa.select(sa.func.sum(CLAIMS.c.fund_fen)).where(CLAIMS.c.state == "settled")
    fund_fen = snapshot.query(stands)[0][0] or 0
    for stored, has_left, is_open, count in snapshot.query(by_claim):
        unsettled: StayState = "discharged" if has_left else "admitted"
        counts[unsettled if is_open else VIEW_STATES[stored]] += count
    for stored, count, funds in snapshot.query(by_decision):
        counts[VIEW_STATES[stored]] += count
        fund_fen += funds if VIEW_STATES[stored] == "settled" else 0
    return counts, fund_fen


def settled_figures(snapshot: Snapshot) -> tuple[int, int]:
    """Return how many stays are settled and what the funds pay for them (fen)."""
    counts, fund_fen = _counts(snapshot)
    return counts["settled"], fund_fen


def hospital_of(snapshot: Snapshot, institution_id: str) -> Words:
    """Return a hospital's name, or its code where this node knows no more."""
    place = snapshot.get(INSTITUTIONS, institution_id)
    if place is None:
        return Words(institution_id, institution_id)
    return Words(place.name_zh, place.name_en)
