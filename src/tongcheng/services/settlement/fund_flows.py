"""What flows between places for settlements that stand, as this node alone knows it.

A node knows the settlements of hospitals here and those it decided for people insured here, so
every flow has this node's place at one end. Sums are read from indexes and hold no person.
"""

from typing import Any, NamedTuple

import sqlalchemy as sa

from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Records, Snapshot
from tongcheng.services.settlement.store import CLAIMS, DECISIONS, STAYS

WAITING_STATES = ("pending", "cancelling", "voiding")
"""States of a claim whose answer from the other side is not here yet."""

LATEST = 1_000
"""How many of the latest settlements the median is taken of."""


Ends = tuple[str, str]
"""The place whose funds pay, and the place whose hospitals are paid."""


class Sums(NamedTuple):
    """How many settlements, and what the funds pay for them."""

    settlements: int
    fund_fen: int


def fund_flows(snapshot: Snapshot, home: Home) -> dict[Ends, Sums]:
    """Return the flows of all settlements that stand."""
    region = home.region
    own = region.member(home.member_id).jurisdiction
    flows: dict[Ends, Sums] = {}
    for admdvs, *sums in snapshot.query(_settled(CLAIMS, CLAIMS.c.admdvs)):
        insured = region.member_of(admdvs, "settlement").jurisdiction
        _add(flows, (insured, own), Sums(*sums))
    for member_id, *sums in snapshot.query(_settled(DECISIONS, DECISIONS.c.visited_member)):
        _add(flows, (own, region.member(member_id).jurisdiction), Sums(*sums))
    return flows


def _settled(records: Records[Any], end: sa.ColumnElement[str]) -> sa.Select[Any]:
    columns: tuple[sa.ColumnElement[Any], ...] = (
        end,
        sa.func.count(),
        sa.func.sum(records.c.fund_fen),
    )
    return sa.select(*columns).where(records.c.state == "settled").group_by(end)


def _add(flows: dict[Ends, Sums], ends: Ends, more: Sums) -> None:
    before = flows.get(ends, Sums(0, 0))
    flows[ends] = Sums(before.settlements + more.settlements, before.fund_fen + more.fund_fen)


def waiting(snapshot: Snapshot) -> int:
    """Return how many settlements asked for here wait for the other side's answer."""
    asked = sa.select(sa.func.count()).where(CLAIMS.c.state.in_(WAITING_STATES))
    return int(snapshot.query(asked)[0][0])


def median_duration_ms(snapshot: Snapshot) -> int | None:
    """Return how long a settlement took from a hospital's request to its own commit here.

    The lower median of the latest that stand; None without any.
    """
    took = CLAIMS.c.changed_at - CLAIMS.c.opened_at
    latest = (
        sa.select(took)
        .where(CLAIMS.c.state == "settled")
        .order_by(CLAIMS.c.changed_at.desc())
        .limit(LATEST)
    )
    durations = sorted(int(row[0]) for row in snapshot.query(latest))
    return durations[(len(durations) - 1) // 2] if durations else None


def stay_id_of(snapshot: Snapshot, institution_id: str, inpatient_no: str) -> str | None:
    """Return a stay in a hospital here by the hospital's own number, or None."""
    found = sa.select(STAYS.c.stay_id).where(
        STAYS.c.institution_id == institution_id, STAYS.c.inpatient_no == inpatient_no
    )
    rows = snapshot.query(found.order_by(STAYS.c.opened_at).limit(1))
    return str(rows[0][0]) if rows else None
