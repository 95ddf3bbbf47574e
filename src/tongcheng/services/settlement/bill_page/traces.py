"""Who has read a person's data (谁看过我的信息), from this node's audit to the person's page.

A reader is shown as the person knows them: a hospital or an agency by name, somebody who works at
the agency by their role, never by their own name. What the other city's node keeps of its reads
stands in its own audit. A delegate sees what concerns this stay, not which hospitals looked up the
person elsewhere.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from tongcheng.kernel.access.accounts import STAFF
from tongcheng.kernel.access.reviews import EMERGENCIES, REVIEWS
from tongcheng.kernel.access.table import AuthorityTable
from tongcheng.kernel.audit import AuditRow
from tongcheng.kernel.audit_reading import about
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.cases.tables import CASES
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.kernel.words import Words
from tongcheng.services.settlement.bill_page.links import Reader
from tongcheng.services.settlement.claims import leaf_names
from tongcheng.services.settlement.line_query import LINE_QUERY
from tongcheng.services.settlement.reads import READS
from tongcheng.services.settlement.store import CLAIMS, INSTITUTIONS

SHOWN: Final = 20
"""The last ones, on the page and on paper; all are counted."""

OWN: Final = frozenset({"bill.line.read", "bill.open", "bill.read"})
OTHERS: Final[Mapping[str, str]] = {
    **{action: key for action, key in READS.items() if action not in OWN},
    "journal.entry.read": "settlement.reads.entry",
}


class Trace(msgspec.Struct, frozen=True):
    """One read by somebody else: when (UTC ms), who, in which roles, what, and by what right.

    `right` is "own", "lent" or how the review of an emergency access stands.
    """

    at: int
    who: Words
    roles: tuple[Words, ...]
    what_key: str
    right: str


class Traces(msgspec.Struct, frozen=True):
    """The last reads by others, how many there are, and how often the bill itself was opened."""

    shown: tuple[Trace, ...]
    count: int
    own_count: int
    own_last_at: int | None


def traces_of(
    snapshot: Snapshot, home: Home, table: AuthorityTable | None, reader: Reader, now_at: int
) -> Traces:
    """Return who has read what this bill is about, as this node's audit has it."""
    subjects = _subjects(snapshot, reader)
    rows, count = about(snapshot, subjects, OTHERS, SHOWN)
    own, own_count = about(snapshot, subjects, OWN, 1)
    shown = tuple(_trace(snapshot, home, table, row, now_at) for row in rows)
    return Traces(shown, count, own_count, own[0].at if own else None)


def _subjects(snapshot: Snapshot, reader: Reader) -> set[str]:
    """Return every number under which the audit can have a read of this stay or person."""
    link = reader.link
    claims = [row.settlement_id for row in snapshot.select(CLAIMS, stay_id=link.stay_id)]
    # An entry of the journal that is no envelope is read under its own name, not under a stay's.
    leaves = (name for claim in claims for name in leaf_names(claim))
    cases = snapshot.select(CASES, kind=LINE_QUERY.name, subject=link.stay_id)
    found = {link.stay_id, *claims, *leaves, *(row.case_id for row in cases)}
    return found if link.delegate_id is not None else {*found, link.person_id}


def _trace(
    snapshot: Snapshot, home: Home, table: AuthorityTable | None, row: AuditRow, now_at: int
) -> Trace:
    account, lent, rest = row.actor.partition(" for ")
    account, emergency, emergency_id = (account if lent else row.actor).partition(" in emergency/")
    who = _who(snapshot, home, account)
    roles = _roles(snapshot, home, account, row.at)
    right = "lent" if rest else "own"
    if emergency:
        opened = snapshot.get(EMERGENCIES, emergency_id)
        roles = roles if opened is None else tuple(opened.roles.split())
        right = _review(snapshot, emergency_id, now_at)
    return Trace(row.at, who, _named(table, roles), OTHERS[row.action], right)


def _who(snapshot: Snapshot, home: Home, actor: str) -> Words:
    """Return a hospital or an agency by its name; whoever else is here works at the agency."""
    hospital = snapshot.get(INSTITUTIONS, actor)
    if hospital is not None:
        return Words(hospital.name_zh, hospital.name_en)
    member_id = actor if actor in {one.id for one in home.region.members} else home.member_id
    return home.region.member(member_id).name


def _roles(snapshot: Snapshot, home: Home, actor: str, at: int) -> tuple[str, ...]:
    row = snapshot.get(STAFF, actor.removeprefix("account/"))
    return () if row is None else row.roles_on(local_date(at, home.region.zone))


def _named(table: AuthorityTable | None, roles: tuple[str, ...]) -> tuple[Words, ...]:
    if table is None:
        return ()
    names = {role.id: role.name for role in table.roles}
    return tuple(names.get(role, Words(role, role)) for role in roles)


def _review(snapshot: Snapshot, emergency_id: str, now_at: int) -> str:
    """Return how the review of an emergency access stands."""
    review = snapshot.get(REVIEWS, emergency_id)
    if review is None or (review.state == "open" and now_at < review.due_at):
        return "open"
    return "overdue" if review.state == "open" else review.state
