"""As whom somebody uses one page: for themselves, in a colleague's place, or in an emergency."""

import msgspec

from tongcheng.kernel.access import grants, reviews
from tongcheng.kernel.access.accounts import StaffRow
from tongcheng.kernel.access.reader import Reader
from tongcheng.kernel.access.table import AuthorityTable
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Reading


class Use(msgspec.Struct, frozen=True):
    """What one request does: its action, and the one subject that its address names, or ""."""

    action: str
    subject: str = ""


def own_actions(
    home: Home, table: AuthorityTable, account: StaffRow, now_at: int
) -> frozenset[str]:  # fmt: skip
    """Return what an account may do by its own roles at an instant (UTC ms)."""
    on = local_date(now_at, home.region.zone)
    by_role = (table.actions(role, home.member_id, on) for role in account.roles_on(on))
    return frozenset().union(*by_role)


def acting(
    reading: Reading,
    home: Home,
    table: AuthorityTable,
    account: StaffRow,
    reader: Reader,
    use: Use,
    now_at: int,
) -> Reader:
    """Return the reader as this request's page and the audit are to see them.

    One's own role goes before a delegation, a delegation before an emergency: the least that lets
    them in is what is noted. Whoever nothing lets in is returned as they are.
    """
    own = own_actions(home, table, account, now_at)
    if reader.must_change or use.action in own:
        return reader
    for lent in grants.lent_to(reading, home, table, account, now_at):
        if lent.action == use.action:
            return msgspec.structs.replace(reader, actor=grants.actor_for(account, lent))
    row = None
    # Worth what the role is worth, as a delegation is: gone with the right to break the glass.
    if use.subject and grants.BREAKS_GLASS in own:
        row = reviews.live(reading, account, use.action, use.subject, now_at)
    if row is None:
        return reader
    actions = reader.actions | {use.action}
    return msgspec.structs.replace(reader, actor=row.actor, actions=actions, closes_at=row.to_at)
