"""Delegation (委托): somebody lets a colleague act with a part of a role of their own, for days.

A delegation lends actions of one role of the delegator's, so nobody can pass on what was lent to
them: it is no role. It is worth what the role is worth on the day: when the delegator loses the
role, is locked, or the table changes, the delegate loses the actions with them. Every delegation
and every early end is a leaf of the journal, and what is read under one names both accounts.
"""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from tongcheng.kernel import audit, canonical, ids, journal
from tongcheng.kernel.access import reasons
from tongcheng.kernel.access.accounts import StaffRow, actor_of, need
from tongcheng.kernel.access.table import ADMINISTRATOR_ROLE, VISITOR_ROLE, AuthorityTable
from tongcheng.kernel.calendar import DAY_MS, local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.store import Reading, Records, Transaction

DAYS_MAX: Final = 30
"""A leave or an illness; whoever is away for longer has a successor, with a role of their own."""
LIVE_MAX: Final = 20
"""By one delegator at one time, and in 24 hours: more is no absence but a second table."""
BREAKS_GLASS: Final = "access.break_glass"
REVIEWS_IT: Final = "access.review"
NEVER_LENT: Final = ("account.", "access.")
"""Beginnings of actions that are never lent: accounts, delegating, breaking glass, reviewing it."""
LEAF_KIND: Final = "access"
WORDS_DIGEST: Final = "words_digest"
"""In a leaf, the salted digest of what was said: the words themselves lie sealed in their row."""


class DelegationRow(msgspec.Struct, frozen=True):
    """One delegation. Days are local and ISO, the last one inclusive; `actions` canonical JSON.

    `ended_at` (UTC ms) and `ended_by` (an account) only where it ended before its last day.
    """

    delegation_id: str
    delegator_id: str
    delegate_id: str
    role: str
    actions: str
    from_on: str
    to_on: str
    reason: bytes
    made_at: int
    ended_at: int | None
    ended_by: str | None

    @property
    def lent(self) -> frozenset[str]:
        """The names of the actions that it lends."""
        return frozenset(msgspec.json.decode(self.actions, type=list[str]))

    def is_live(self, on: date) -> bool:
        """Tell whether a local day is one of its days and nobody has ended it."""
        day = on.isoformat()
        return self.ended_at is None and self.from_on <= day <= self.to_on

    def is_over(self, on: date) -> bool:
        """Tell whether it lends nothing any more, today or later."""
        return self.ended_at is not None or self.to_on < on.isoformat()


DELEGATIONS = Records(
    "delegations",
    DelegationRow,
    key=("delegation_id",),
    indexes=(("delegate_id",), ("delegator_id",)),
)


class Offer(msgspec.Struct, frozen=True):
    """What somebody wants to lend: to whom, which part of which role, when, and why."""

    delegate_id: str
    role: str
    actions: Collection[str]
    from_on: date
    to_on: date
    reason: str


class Lent(msgspec.Struct, frozen=True):
    """One action that somebody may do today in another's place."""

    action: str
    delegator_id: str


def may_be_lent(action: str) -> bool:
    """Tell whether an action can be delegated at all."""
    return not action.startswith(NEVER_LENT)


def is_judge(
    table: AuthorityTable,
    home: Home,
    delegator: StaffRow,
    delegate: StaffRow,
    days: Collection[date],
) -> bool:
    """Tell whether one may break the glass on some of these days, and the other review it.

    Nothing is lent then: by lending to every reviewer a reader would choose that nobody judges.
    """

    def may(account: StaffRow, action: str) -> bool:
        roles = ((role, on) for on in days for role in account.roles_on(on))
        return any(table.may(role, home.member_id, action, on) for role, on in roles)

    return may(delegator, BREAKS_GLASS) and may(delegate, REVIEWS_IT)


def lendable(table: AuthorityTable, home: Home, role: str, on: date) -> frozenset[str]:
    """Return what of a role can be lent on a local day; what anybody may do needs no lending."""
    everybody = table.actions(VISITOR_ROLE, home.member_id, on)
    return frozenset(filter(may_be_lent, table.actions(role, home.member_id, on) - everybody))


def give(
    tx: Transaction, table: AuthorityTable, delegator: StaffRow, offer: Offer
) -> DelegationRow:  # fmt: skip
    """Lend a colleague a part of a role.

    Raises:
        Refused: in this order ACCOUNT_UNKNOWN, DELEGATION_TO_WHOM (oneself, an account that is not
            open or manages accounts), DELEGATION_PERIOD, DELEGATION_TO_REVIEWER (see `is_judge`),
            DELEGATION_ROLE (not the delegator's), DELEGATION_ACTIONS (none, or not the role's, or
            never lent), REASON_WORDS, DELEGATIONS_TOO_MANY.
    """
    today = local_date(tx.now_at, tx.home.region.zone)
    delegate = need(tx, offer.delegate_id)
    if delegate.account_id == delegator.account_id or not _can_act(delegate, today):
        raise Refused("DELEGATION_TO_WHOM", name=delegate.sign_in_name)
    if not today <= offer.from_on <= offer.to_on < offer.from_on + timedelta(days=DAYS_MAX):
        raise Refused("DELEGATION_PERIOD", days=DAYS_MAX)
    days = [offer.from_on + timedelta(day) for day in range((offer.to_on - offer.from_on).days + 1)]
    if is_judge(table, tx.home, delegator, delegate, days):
        raise Refused("DELEGATION_TO_REVIEWER", name=delegate.display_name)
    if offer.role not in delegator.roles_on(offer.from_on):
        raise Refused("DELEGATION_ROLE", role=ascii(offer.role[:64]))
    actions = frozenset(offer.actions)
    if not actions or not actions <= lendable(table, tx.home, offer.role, offer.from_on):
        raise Refused("DELEGATION_ACTIONS", role=offer.role)
    text = reasons.checked(offer.reason)
    given = tx.select(DELEGATIONS, delegator_id=delegator.account_id)
    # Those of today count when they are over, too: each one makes its delegate's pages read more.
    counted = (not row.is_over(today) or row.made_at > tx.now_at - DAY_MS for row in given)
    if sum(counted) >= LIVE_MAX:
        raise Refused("DELEGATIONS_TOO_MANY", limit=LIVE_MAX)
    return _give(tx, delegator, offer, text)


def _give(tx: Transaction, delegator: StaffRow, offer: Offer, text: str) -> DelegationRow:
    delegation_id = ids.short(tx.new_id())
    reason, digest = reasons.sealed(tx, text, _place(delegation_id))
    row = DelegationRow(
        delegation_id=delegation_id,
        delegator_id=delegator.account_id,
        delegate_id=offer.delegate_id,
        role=offer.role,
        actions=canonical.encode(sorted(offer.actions)).decode(),
        from_on=offer.from_on.isoformat(),
        to_on=offer.to_on.isoformat(),
        reason=reason,
        made_at=tx.now_at,
        ended_at=None,
        ended_by=None,
    )
    tx.add(DELEGATIONS, row)
    content = canonical.encode({**kept(row), WORDS_DIGEST: digest})
    journal.append(tx, LEAF_KIND, f"delegation/{delegation_id}/1", content)
    entry = audit.Entry(delegator.actor, "access.delegate", offer.delegate_id, delegation_id)
    audit.note(tx, entry)
    return row


def end(tx: Transaction, account: StaffRow, delegation_id: str) -> DelegationRow:
    """End a delegation now, by either of the two; again changes nothing.

    Refuses DELEGATION_UNKNOWN, also to anybody else.
    """
    row = tx.get(DELEGATIONS, delegation_id)
    if row is None or account.account_id not in {row.delegator_id, row.delegate_id}:
        raise Refused("DELEGATION_UNKNOWN", delegation=ascii(delegation_id[:64]))
    if row.is_over(local_date(tx.now_at, tx.home.region.zone)):
        return row
    ended = msgspec.structs.replace(row, ended_at=tx.now_at, ended_by=account.account_id)
    tx.put(DELEGATIONS, ended)
    content = canonical.encode(kept(ended))
    journal.append(tx, LEAF_KIND, f"delegation/{delegation_id}/2", content)
    entry = audit.Entry(account.actor, "access.delegate.end", row.delegate_id, delegation_id)
    audit.note(tx, entry)
    return ended


def lent_to(
    reading: Reading, home: Home, table: AuthorityTable, account: StaffRow, now_at: int
) -> tuple[Lent, ...]:
    """Return what an account may do now in somebody's place, by every live delegation to it.

    Each action counts for as long as the delegator is open, holds the role, and the role has it.
    """
    on = local_date(now_at, home.region.zone)
    if not _can_act(account, on):
        return ()
    found = []
    for row in reading.select(DELEGATIONS, delegate_id=account.account_id):
        if not row.is_live(on):
            continue
        delegator = need(reading, row.delegator_id)
        if delegator.state == "open" and row.role in delegator.roles_on(on):
            actions = row.lent & lendable(table, home, row.role, on)
            found += [Lent(action, row.delegator_id) for action in sorted(actions)]
    return tuple(found)


def actor_for(account: StaffRow, lent: Lent) -> str:
    """Return how the audit calls somebody who acts in another's place."""
    return f"{account.actor} for {actor_of(lent.delegator_id)}"


def of_account(reading: Reading, account_id: str) -> tuple[list[DelegationRow], ...]:
    """Return what an account has given and what it was given, the latest first."""
    given = reading.select(DELEGATIONS, delegator_id=account_id)
    received = reading.select(DELEGATIONS, delegate_id=account_id)
    return tuple(sorted(rows, key=lambda row: -row.made_at) for rows in (given, received))


def kept(row: DelegationRow) -> dict[str, Any]:
    """Return what the journal keeps of a delegation: all but its reason."""
    names = (name for name in row.__struct_fields__ if name != "reason")
    return {name: getattr(row, name) for name in names}


def reason_of(ring: KeyRing, row: DelegationRow) -> str:
    """Return why something was delegated; refuses SEALED_DAMAGED."""
    return reasons.opened(ring, row.reason, _place(row.delegation_id))


def _can_act(account: StaffRow, on: date) -> bool:
    """Tell whether an account can act for others: who manages accounts sees no personal data."""
    roles = account.roles_on(on)
    return account.state == "open" and bool(roles) and ADMINISTRATOR_ROLE not in roles


def _place(delegation_id: str) -> str:
    return f"delegations/reason/{delegation_id}"
