"""`tongcheng account …`: the people who work on a node's console, managed at its machine.

The first administrator is made here; from then on accounts are managed on the console.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from tongcheng.cli import options
from tongcheng.kernel import region
from tongcheng.kernel.access import accounts, passwords
from tongcheng.kernel.access.accounts import OPERATOR, NewAccount, RoleTerm, StaffRow
from tongcheng.kernel.access.table import AuthorityTable
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.entropy import SystemEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Command, Snapshot, Transaction
from tongcheng.node import files
from tongcheng.node.authority import load_table
from tongcheng.node.offline import read_snapshot, run_command

DAY = click.DateTime(["%Y-%m-%d"])

name_argument = click.argument("name")
password_file = click.option(
    "--password-file", type=options.FILE, help="A file with the password [asked for]."
)


class Shown(msgspec.Struct, frozen=True):
    """An account as `--json` writes it; instants are UTC ms."""

    account_id: str
    name: str
    display_name: str
    state: str
    roles: tuple[RoleTerm, ...]
    must_change: bool
    made_at: int
    changed_at: int


@click.group()
def account() -> None:
    """Give people accounts on a node's console, with roles of the region's table."""


@account.command()
@name_argument
@options.data
@click.option("--display", required=True, help="The person's name, as colleagues know it.")
@click.option("--role", multiple=True, required=True, help="A role; may be repeated.")
@click.option("--to", "ends", type=DAY, help="Last local day of the roles [until taken away].")
@password_file
@options.passphrase_file
@options.as_json
def add(
    name: str,
    folder: Path,
    display: str,
    role: tuple[str, ...],
    ends: datetime | None,
    password_file: Path | None,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make the account NAME, its roles from today on; the node must not be running.

    The password is changed at the first sign-in.
    """
    directory = files.node_directory(folder)
    table, digest = _table(directory), _digest(password_file, name)

    def command(tx: Transaction) -> StaffRow:
        terms = _terms(tx, role, None, ends)
        new = NewAccount(name, display, terms, digest, must_change=True)
        return accounts.add(tx, table, OPERATOR, new)

    _say(_run(directory, command, passphrase_file), "made", as_json=as_json)


@account.command("roles")
@name_argument
@options.data
@click.option("--role", multiple=True, help="A role; without any, all are taken away.")
@click.option("--from", "begins", type=DAY, help="First local day of the roles [today].")
@click.option("--to", "ends", type=DAY, help="Last local day of the roles [until taken away].")
@options.passphrase_file
@options.as_json
def roles_(
    name: str,
    folder: Path,
    role: tuple[str, ...],
    begins: datetime | None,
    ends: datetime | None,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Give NAME these roles instead of those it has; its sessions end."""
    directory = files.node_directory(folder)
    table = _table(directory)

    def command(tx: Transaction) -> StaffRow:
        terms = _terms(tx, role, begins, ends)
        return accounts.set_roles(tx, table, OPERATOR, _need(tx, name).account_id, terms)

    _say(_run(directory, command, passphrase_file), "given its roles", as_json=as_json)


@account.command()
@name_argument
@options.data
@password_file
@options.passphrase_file
@options.as_json
def password(
    name: str,
    folder: Path,
    password_file: Path | None,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Give NAME another password, to be changed at the next sign-in; its sessions end."""
    digest = _digest(password_file, name)

    def command(tx: Transaction) -> StaffRow:
        account_id = _need(tx, name).account_id
        return accounts.set_password(tx, OPERATOR, account_id, digest, must_change=True)

    row = _run(files.node_directory(folder), command, passphrase_file)
    _say(row, "given a password", as_json=as_json)


@account.command()
@name_argument
@options.data
@options.passphrase_file
@options.as_json
def lock(name: str, folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Lock NAME until somebody unlocks it."""
    row = _run(files.node_directory(folder), _change(accounts.lock, name), passphrase_file)
    _say(row, "locked", as_json=as_json)


@account.command()
@name_argument
@options.data
@options.passphrase_file
@options.as_json
def unlock(name: str, folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Open NAME again, locked or waiting after wrong passwords."""
    row = _run(files.node_directory(folder), _change(accounts.unlock, name), passphrase_file)
    _say(row, "unlocked", as_json=as_json)


@account.command()
@name_argument
@options.data
@options.passphrase_file
@options.as_json
def close(name: str, folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Close NAME for ever; nobody else gets the name."""
    row = _run(files.node_directory(folder), _change(accounts.close, name), passphrase_file)
    _say(row, "closed", as_json=as_json)


@account.command("list")
@options.data
@options.passphrase_file
@options.as_json
def list_(folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """List every account there ever was, with its roles."""

    def question(snapshot: Snapshot, home: Home) -> tuple[list[StaffRow], date]:
        on = local_date(SystemClock().now(), home.region.zone)
        return snapshot.select(accounts.STAFF), on

    passphrase = files.read_passphrase(passphrase_file)
    rows, on = read_snapshot(files.node_directory(folder), question, passphrase=passphrase)
    if as_json:
        click.echo(msgspec.json.encode([_shown(row) for row in rows]).decode())
        return
    for row in sorted(rows, key=lambda each: each.sign_in_name):
        now = ", ".join(row.roles_on(on)) or "no role today"
        click.echo(f"{row.sign_in_name}  {row.display_name}: {row.state}, {now}")


def _table(directory: Path) -> AuthorityTable:
    name = files.read_settings(directory).region
    return load_table(files.pack_folder(name), region.load(name))


def _digest(path: Path | None, name: str) -> str:
    """Return the digest of a password from a file or the terminal; never from an argument."""
    if path is not None:
        given = files.read_bytes(path).removesuffix(b"\n").decode("utf-8", "replace")
    else:
        given = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    passwords.check(given, accounts.sign_in_name_of(name))
    return passwords.digest(given, SystemEntropy())


def _terms(
    tx: Transaction, roles: tuple[str, ...], begins: datetime | None, ends: datetime | None
) -> tuple[RoleTerm, ...]:
    from_on = local_date(tx.now_at, tx.home.region.zone) if begins is None else begins.date()
    return tuple(RoleTerm(role, from_on, None if ends is None else ends.date()) for role in roles)


def _change(change: Any, name: str) -> Command:
    return lambda tx: change(tx, OPERATOR, _need(tx, name).account_id)


def _need(tx: Transaction, name: str) -> StaffRow:
    row = accounts.by_name(tx, name)
    if row is None:
        raise Refused("ACCOUNT_UNKNOWN", account=ascii(name[:64]))
    return row


def _run(directory: Path, command: Command, passphrase_file: Path | None) -> StaffRow:
    row: StaffRow = run_command(
        directory, command, passphrase=files.read_passphrase(passphrase_file)
    )
    return row


def _shown(row: StaffRow) -> Shown:
    return Shown(
        row.account_id,
        row.sign_in_name,
        row.display_name,
        row.state,
        row.terms,
        row.must_change,
        row.made_at,
        row.changed_at,
    )


def _say(row: StaffRow, what: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(_shown(row)).decode())
    else:
        click.echo(f"{row.sign_in_name} ({row.display_name}) {what}")
