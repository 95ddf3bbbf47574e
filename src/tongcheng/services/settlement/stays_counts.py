"""How many stays stand in each state: by index, and bounded, because lists ask every few seconds.

An open stay (in hospital, or discharged and not settled) needs its last settlement to say how it
stands; all others say it by their own state.
"""

import sqlalchemy as sa

from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement.store import CLAIMS, DECISIONS, STAYS
from tongcheng.services.settlement.views import STATES, StayState

COUNT_MAX = 100_000
"""Above it a list says "more than": counting a state reads at most so many entries of an index."""

VIEW_STATES: dict[str, StayState] = {
    "pending": "pending",
    "settled": "settled",
    "refused": "refused",
    "cancelling": "voiding",
    "voiding": "voiding",
    "voided": "voided",
    "disputed": "disputed",
}
"""State of a claim or a decision → what a reader is told."""

STATES_AT_REST: dict[StayState, tuple[str, ...]] = {
    "settled": ("settled",),
    "pending": ("settling", "admitted_settling", "discharged_settling"),
}
"""What a reader is told → the states of a stay that say so by themselves."""

OPEN_STATES = ("admitted", "discharged")
"""States of a stay that is to be settled, or settled again; its last settlement says the rest."""

WITH_CLAIM = STAYS.table.outerjoin(CLAIMS.table, CLAIMS.c.settlement_id == STAYS.c.last_claim_id)

GOES_ON = sa.or_(
    STAYS.c.last_claim_id.is_(None),
    sa.and_(CLAIMS.c.state == "settled", STAYS.c.period > CLAIMS.c.period),
)
"""A stay of which something is left to settle: nothing was yet, or only periods before."""


def claim_states(state: StayState) -> list[str]:
    """Return the states of a claim or a decision that a reader is told as `state`."""
    return [stored for stored, shown in VIEW_STATES.items() if shown == state]


def counts(snapshot: Snapshot) -> dict[StayState, int]:
    """Return how many stays stand in each state, each at most about COUNT_MAX."""
    found: dict[StayState, int] = dict.fromkeys(STATES, 0)
    for shown, stored in STATES_AT_REST.items():
        found[shown] += _count(snapshot, sa.select(STAYS.c.state).where(STAYS.c.state.in_(stored)))
    for state, count in _open(snapshot):
        found[state] += count
    for stored_state in ("settled", "voided"):
        decided = sa.select(DECISIONS.c.state).where(DECISIONS.c.state == stored_state)
        found[VIEW_STATES[stored_state]] += _count(snapshot, decided)
    return found


def _count(snapshot: Snapshot, statement: sa.Select[tuple[str]]) -> int:
    bounded = statement.limit(COUNT_MAX).subquery()
    return int(snapshot.query(sa.select(sa.func.count()).select_from(bounded))[0][0])


def _open(snapshot: Snapshot) -> list[tuple[StayState, int]]:
    goes_on = GOES_ON.label("goes_on")
    bounded = (
        sa.select(STAYS.c.state.label("stay"), CLAIMS.c.state.label("claim"), goes_on)
        .select_from(WITH_CLAIM)
        .where(STAYS.c.state.in_(OPEN_STATES))
        .limit(COUNT_MAX)
        .subquery()
    )
    by = (bounded.c.stay, bounded.c.claim, bounded.c.goes_on)
    found: list[tuple[StayState, int]] = []
    for stay, claim, is_open, count in snapshot.query(
        sa.select(*by, sa.func.count()).group_by(*by)
    ):
        found.append((stay if is_open else VIEW_STATES[claim], count))
    return found
