"""People with accounts (账号): a sign-in name, roles for a time, and a password's digest.

Each change of an account is a leaf of the journal (kind `authority`), with the account as it is
from then on and who changed it; the digest of its password lies in a table of its own and is told
to nobody. Nobody changes roles or state of an account of their own.
"""

import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Final, Literal

import msgspec

from tongcheng.kernel import audit, canonical, journal
from tongcheng.kernel.access.table import ADMINISTRATOR_ROLE, AuthorityTable
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.officers import AUTHORITY_KIND
from tongcheng.kernel.store import Reading, Records, Transaction

State = Literal["open", "locked", "closed"]
Change = Literal["add", "roles", "password", "password_reset", "lock", "unlock", "close"]

NAME_CHARACTERS_MAX: Final = 64
OPERATOR: Final = "operator"
"""Who works at the node's machine with its keys: the actor of commands."""

LEAF_PREFIX: Final = "staff/"


class RoleTerm(msgspec.Struct, frozen=True):
    """One role from a local day on, to a local day inclusive, or until it is taken away."""

    role: str
    from_on: date
    to_on: date | None = None

    def holds(self, on: date) -> bool:
        """Tell whether the role is held on a local day."""
        return self.from_on <= on and (self.to_on is None or on <= self.to_on)


class StaffRow(msgspec.Struct, frozen=True):
    """One account as it is now; `change_no` counts its changes, and ends older sessions.

    `roles` are RoleTerms as canonical JSON. `sample` marks a made-up person of a demonstration.
    `must_change`: somebody else gave the password, so it opens nothing but its own change.
    """

    account_id: str
    sign_in_name: str
    display_name: str
    roles: str
    state: str
    sample: bool
    must_change: bool
    made_at: int
    changed_at: int
    change_no: int

    @property
    def terms(self) -> tuple[RoleTerm, ...]:
        """The roles with their times."""
        return msgspec.json.decode(self.roles, type=tuple[RoleTerm, ...])

    @property
    def actor(self) -> str:
        """How the audit calls whoever has this account."""
        return actor_of(self.account_id)

    def roles_on(self, on: date) -> tuple[str, ...]:
        """Return the roles held on a local day."""
        return tuple(term.role for term in self.terms if term.holds(on))


class StaffPasswordRow(msgspec.Struct, frozen=True):
    """An account's digest, the wrong tries since the last right one, and until when it waits."""

    account_id: str
    digest: str
    wrong_tries: int
    waits_until_at: int


STAFF = Records("staff", StaffRow, key=("account_id",), indexes=(("sign_in_name",),))
STAFF_PASSWORDS = Records("staff_passwords", StaffPasswordRow, key=("account_id",))


class NewAccount(msgspec.Struct, frozen=True):
    """Who gets an account; `password` is a digest."""

    sign_in_name: str
    display_name: str
    terms: tuple[RoleTerm, ...]
    password: str
    sample: bool = False
    must_change: bool = False


def actor_of(account_id: str) -> str:
    """Return how the audit calls whoever has an account."""
    return f"account/{account_id}"


def sign_in_name_of(typed: str) -> str:
    """Return a name as it is compared: width, case and spaces around it make no other name."""
    return unicodedata.normalize("NFKC", typed[: NAME_CHARACTERS_MAX * 2]).strip().casefold()


def by_name(reading: Reading, typed: str) -> StaffRow | None:
    """Return the account of a sign-in name, or None."""
    rows = reading.select(STAFF, sign_in_name=sign_in_name_of(typed))
    return rows[0] if rows else None


def need(reading: Reading, account_id: str) -> StaffRow:
    """Return an account; refuses ACCOUNT_UNKNOWN."""
    row = reading.get(STAFF, account_id)
    if row is None:
        raise Refused("ACCOUNT_UNKNOWN", account=ascii(account_id[:64]))
    return row


def add(tx: Transaction, table: AuthorityTable, actor: str, new: NewAccount) -> StaffRow:
    """Make an account.

    Raises:
        Refused: ACCOUNT_NAME, ACCOUNT_NAME_TAKEN, and what `set_roles` refuses.
    """
    name = sign_in_name_of(new.sign_in_name)
    _check_name(name)
    _check_name(new.display_name)
    if by_name(tx, name) is not None:
        raise Refused("ACCOUNT_NAME_TAKEN", name=name)
    row = StaffRow(
        account_id=tx.new_id(),
        sign_in_name=name,
        display_name=new.display_name,
        roles=_roles_text(table, new.terms),
        state="open",
        sample=new.sample,
        must_change=new.must_change,
        made_at=tx.now_at,
        changed_at=tx.now_at,
        change_no=0,
    )
    tx.put(STAFF_PASSWORDS, StaffPasswordRow(row.account_id, new.password, 0, 0))
    return _keep(tx, row, actor, "add")


def set_roles(
    tx: Transaction,
    table: AuthorityTable,
    actor: str,
    account_id: str,
    terms: Sequence[RoleTerm],
) -> StaffRow:
    """Give an account these roles instead of those it has; its sessions end.

    Raises:
        Refused: ACCOUNT_UNKNOWN, ACCOUNT_CLOSED, ACCOUNT_OWN, ROLE_UNKNOWN, ROLE_PERIOD,
            ROLES_APART.
    """
    row = _others(tx, actor, account_id)
    changed = msgspec.structs.replace(row, roles=_roles_text(table, terms))
    return _keep(tx, changed, actor, "roles")


def set_password(
    tx: Transaction, actor: str, account_id: str, digest: str, *, must_change: bool
) -> StaffRow:
    """Give an account another password, and let it wait no more; its sessions end.

    Refuses ACCOUNT_UNKNOWN and ACCOUNT_CLOSED.
    """
    row = _open_or_locked(tx, account_id)
    tx.put(STAFF_PASSWORDS, StaffPasswordRow(account_id, digest, 0, 0))
    what: Change = "password" if actor == row.actor else "password_reset"
    return _keep(tx, msgspec.structs.replace(row, must_change=must_change), actor, what)


def has_digest(reading: Reading, row: StaffRow, digest: str | None) -> bool:
    """Tell whether an account's password is still the one that a digest was made of."""
    known = reading.get(STAFF_PASSWORDS, row.account_id)
    return known is not None and known.digest == digest


def rehash(tx: Transaction, account_id: str, digest: str) -> None:
    """Keep the same password under today's parameters; nothing that anybody would notice."""
    row = tx.need(STAFF_PASSWORDS, account_id)
    tx.put(STAFF_PASSWORDS, msgspec.structs.replace(row, digest=digest))


def lock(tx: Transaction, actor: str, account_id: str) -> StaffRow:
    """Lock an account until somebody unlocks it. Refuses as `set_roles` does."""
    row = _others(tx, actor, account_id)
    return _keep(tx, msgspec.structs.replace(row, state="locked"), actor, "lock")


def unlock(tx: Transaction, actor: str, account_id: str) -> StaffRow:
    """Open a locked account, and one that waits after wrong tries. Refuses as `set_roles` does."""
    row = _others(tx, actor, account_id)
    known = tx.need(STAFF_PASSWORDS, account_id)
    tx.put(STAFF_PASSWORDS, msgspec.structs.replace(known, wrong_tries=0, waits_until_at=0))
    return _keep(tx, msgspec.structs.replace(row, state="open"), actor, "unlock")


def close(tx: Transaction, actor: str, account_id: str) -> StaffRow:
    """Close an account for ever; its name stays taken. Refuses as `set_roles` does."""
    row = _others(tx, actor, account_id)
    return _keep(tx, msgspec.structs.replace(row, state="closed"), actor, "close")


def leaf_id(row: StaffRow) -> str:
    """Return the id of the journal's entry about an account's last change."""
    return f"{LEAF_PREFIX}{row.account_id}/{row.change_no}"


def content_of(row: StaffRow, actor: str, what: Change) -> bytes:
    """Return what the journal keeps of a change: the account from then on, and by whom."""
    return canonical.encode({"account": msgspec.to_builtins(row), "by": actor, "what": what})


def _keep(tx: Transaction, row: StaffRow, actor: str, what: Change) -> StaffRow:
    kept = msgspec.structs.replace(row, change_no=row.change_no + 1, changed_at=tx.now_at)
    tx.put(STAFF, kept)
    journal.append(tx, AUTHORITY_KIND, leaf_id(kept), content_of(kept, actor, what))
    audit.note(tx, audit.Entry(actor, f"account.{what}", row.account_id))
    return kept


def _others(tx: Transaction, actor: str, account_id: str) -> StaffRow:
    if actor == actor_of(account_id):
        raise Refused("ACCOUNT_OWN")
    return _open_or_locked(tx, account_id)


def _open_or_locked(tx: Transaction, account_id: str) -> StaffRow:
    row = need(tx, account_id)
    if row.state == "closed":
        raise Refused("ACCOUNT_CLOSED", name=row.sign_in_name)
    return row


def _check_name(name: str) -> None:
    if not name.isprintable() or not 0 < len(name) <= NAME_CHARACTERS_MAX or name != name.strip():
        raise Refused("ACCOUNT_NAME", name=ascii(name[:NAME_CHARACTERS_MAX]))


def _roles_text(table: AuthorityTable, terms: Sequence[RoleTerm]) -> str:
    for term in terms:
        table.role(term.role)
        if term.to_on is not None and term.to_on < term.from_on:
            raise Refused("ROLE_PERIOD", role=term.role)
    # Who manages accounts sees no personal data, so not by a second role either.
    roles = {term.role for term in terms}
    if ADMINISTRATOR_ROLE in roles and len(roles) > 1:
        raise Refused("ROLES_APART", role=ADMINISTRATOR_ROLE)
    return canonical.encode(msgspec.to_builtins(tuple(terms))).decode()
