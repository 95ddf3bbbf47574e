"""What somebody may do now: by the table for their roles, and by what was lent to them."""

from tongcheng.kernel.access import grants
from tongcheng.kernel.access.accounts import StaffRow
from tongcheng.kernel.access.acting import own_actions
from tongcheng.kernel.access.reader import VISITOR_ACTOR, Reader
from tongcheng.kernel.access.sessions import SignedIn, form_token_of
from tongcheng.kernel.access.table import VISITOR_ROLE, AuthorityTable
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Reading

BEFORE_CHANGE_ACTIONS = frozenset({"account.own", "account.sign_in"})
"""To change a password that somebody else gave, and to sign out: all that it opens."""


def allowances(
    reading: Reading, home: Home, table: AuthorityTable, account: StaffRow, now_at: int
) -> frozenset[str]:
    """Return the names of what an account may do at an instant (UTC ms), in the region's day."""
    lent = grants.lent_to(reading, home, table, account, now_at)
    return own_actions(home, table, account, now_at).union(one.action for one in lent)


def visitor(home: Home, table: AuthorityTable, now_at: int) -> Reader:
    """Return whoever has not signed in."""
    on = local_date(now_at, home.region.zone)
    return Reader(VISITOR_ACTOR, table.actions(VISITOR_ROLE, home.member_id, on))


def reader(
    reading: Reading,
    home: Home,
    table: AuthorityTable,
    signed_in: SignedIn,
    secret: str,
    now_at: int,
) -> Reader:
    """Return whoever has signed in, with what they may do now."""
    account = signed_in.account
    actions = allowances(reading, home, table, account, now_at)
    if account.must_change:
        actions = BEFORE_CHANGE_ACTIONS & actions
    held = account.roles_on(local_date(now_at, home.region.zone))
    return Reader(
        actor=account.actor,
        actions=actions,
        name=account.display_name,
        roles=tuple(role.name for role in table.roles if role.id in held),
        account_id=account.account_id,
        form_token=form_token_of(secret),
        must_change=account.must_change,
    )
