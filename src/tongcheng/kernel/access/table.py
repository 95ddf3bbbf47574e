"""The dated table of authority (权限表): role x agency x action, and nothing that is not in it.

It is data of the region pack. An agency is a member, by its id; a version holds from its local day
until the next one's. Whoever is signed in may also do what a visitor may.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date
from typing import Annotated, Final, Literal

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.plain_yaml import YamlFault
from tongcheng.kernel.plain_yaml import parse as parse_yaml
from tongcheng.kernel.words import Words

VISITOR_ROLE: Final = "visitor"
ADMINISTRATOR_ROLE: Final = "administrator"
"""Who manages accounts (账号管理): shown no personal data, so the role goes with no other."""

TABLE_FILE: Final = "authority.yaml"

RoleId = Annotated[str, msgspec.Meta(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=32)]


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One role (岗位): its name, and what whoever has it does."""

    id: RoleId
    name: Words
    does: Words


class TableRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one role may do in some agencies."""

    role: str
    agencies: tuple[str, ...]
    actions: tuple[str, ...]


class TableVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table as it holds from a local day on."""

    from_on: date
    rows: tuple[TableRow, ...]


class AuthorityTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every version of the table, oldest first. `status` says whether an agency has adopted it."""

    status: Literal["proposal", "adopted"]
    roles: tuple[Role, ...]
    versions: tuple[TableVersion, ...]

    def may(self, role: str, agency: str, action: str, on: date) -> bool:
        """Tell whether a role may do an action in an agency on a local day."""
        return action in self.actions(role, agency, on)

    def actions(self, role: str, agency: str, on: date) -> frozenset[str]:
        """Return what a role may do in an agency on a local day; before the first version none."""
        version = self.version(on)
        if version is None or role not in {each.id for each in self.roles}:
            return frozenset()
        return frozenset(
            action
            for row in version.rows
            if row.role in {role, VISITOR_ROLE} and agency in row.agencies
            for action in row.actions
        )

    def roles_for(self, action: str, agency: str, on: date) -> tuple[Role, ...]:
        """Return the roles that may do an action, in the table's order."""
        return tuple(role for role in self.roles if self.may(role.id, agency, action, on))

    def version(self, on: date) -> TableVersion | None:
        """Return the version that holds on a local day."""
        begun = [version for version in self.versions if version.from_on <= on]
        return begun[-1] if begun else None

    def role(self, role_id: str) -> Role:
        """Return a role that people can have; refuses ROLE_UNKNOWN, the visitor's too."""
        for role in self.staff_roles:
            if role.id == role_id:
                return role
        raise Refused("ROLE_UNKNOWN", role=ascii(role_id[:64]))

    @property
    def staff_roles(self) -> tuple[Role, ...]:
        """The roles that an account can have."""
        return tuple(role for role in self.roles if role.id != VISITOR_ROLE)


def parse(text: str, *, agencies: Collection[str], actions: Collection[str]) -> AuthorityTable:
    """Read a table; refuses AUTHORITY_MALFORMED, saying where.

    `agencies` are the region's members; `actions` what a node with its services can do.
    """
    try:
        table = msgspec.convert(parse_yaml(text), AuthorityTable, strict=False)
    except (YamlFault, msgspec.ValidationError) as fault:
        raise Refused("AUTHORITY_MALFORMED", where=str(fault)) from None
    for fault_found in _faults(table, frozenset(agencies), frozenset(actions)):
        raise Refused("AUTHORITY_MALFORMED", where=fault_found)
    return table


def _faults(
    table: AuthorityTable, agencies: frozenset[str], actions: frozenset[str]
) -> Iterator[str]:
    """Yield what contradicts itself, or names what there is not."""
    roles = [role.id for role in table.roles]
    yield from (f"roles: {each} stands twice" for each in _twice(roles))
    yield from (
        f"roles: {needed} is missing"
        for needed in (VISITOR_ROLE, ADMINISTRATOR_ROLE)
        if needed not in roles
    )
    days = [version.from_on for version in table.versions]
    if days != sorted(set(days)):
        yield "versions: not in the order of their days, or two of one day"
    if not days:
        yield "versions: none"
    for version in table.versions:
        for number, row in enumerate(version.rows, 1):
            where = f"version {version.from_on}, row {number} ({row.role})"
            yield from (f"{where}: {fault}" for fault in _row_faults(row, roles, agencies, actions))


def _row_faults(
    row: TableRow, roles: list[str], agencies: frozenset[str], actions: frozenset[str]
) -> Iterator[str]:
    if row.role not in roles:
        yield "no such role"
    for what, given, known in (
        ("agency", row.agencies, agencies),
        ("action", row.actions, actions),
    ):
        yield from (f"no such {what}: {each}" for each in given if each not in known)
        yield from (f"{what} {each} stands twice" for each in _twice(given))
        if not given:
            yield f"no {what}"


def _twice(given: Collection[str]) -> list[str]:
    return [each for each, times in Counter(given).items() if times > 1]
