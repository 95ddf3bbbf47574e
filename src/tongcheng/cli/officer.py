"""`tongcheng officer …`: the persons who sign for a member, each with a key of their own.

`key` is run by the officer, on the officer's own machine; the others by the node's operator.
"""

from datetime import datetime
from pathlib import Path

import click
import msgspec

from tongcheng.cli import options
from tongcheng.kernel import officers
from tongcheng.kernel.calendar import local_text, parse_local
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.entropy import SystemEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.keys import (
    DEFAULT_SUITE,
    KEY_BYTES,
    SigningKey,
    load_signing_key,
    save_signing_key,
    suite,
)
from tongcheng.kernel.officers import OfficerRow
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.node import files
from tongcheng.node.offline import read_snapshot, run_command

CARD_SUFFIX = ".card.json"
DAY = click.DateTime(["%Y-%m-%d"])

key_passphrase_file = click.option(
    "--passphrase-file",
    type=options.FILE,
    help="A file with the passphrase of the officer's key [asked for].",
)


@click.group()
def officer() -> None:
    """Make an officer's key; appoint, dismiss and list a node's officers."""


@officer.command()
@click.argument("file", type=options.FILE)
@click.option("--name", required=True, help="The officer's name, as others know it.")
@click.option("--member", required=True, help="The member whose officer it is.")
@click.option("-o", "--output", type=options.FILE, help="The card to write [FILE.card.json].")
@key_passphrase_file
def key(
    file: Path, name: str, member: str, output: Path | None, passphrase_file: Path | None
) -> None:
    """Make an officer's own key in FILE, under a passphrase, and the card to hand to the operator.

    The key never leaves its file, and the file never goes to the node.
    """
    for folder in file.resolve().parents:
        if (folder / files.SETTINGS_FILE).exists():
            raise Refused("OFFICER_KEY_IN_NODE", folder=str(folder))
    made = SigningKey(suite(DEFAULT_SUITE), SystemEntropy().bytes(KEY_BYTES))
    card = officers.make_card(made, member, name)
    save_signing_key(file, made, _passphrase(passphrase_file, confirm=True))
    written = output or file.with_name(file.name + CARD_SUFFIX)
    files.write_file(written, card.encoded() + b"\n")
    click.echo(f"{made.kid}: key in {file}, card in {written}")


@officer.command()
@click.argument("card", type=options.FILE)
@options.data
@click.option("--from", "begins", type=DAY, help="First local day in office [now].")
@click.option("--to", "ends", type=DAY, help="Last local day in office [until dismissed].")
@options.passphrase_file
def appoint(
    card: Path,
    folder: Path,
    begins: datetime | None,
    ends: datetime | None,
    passphrase_file: Path | None,
) -> None:
    """Appoint the holder of the key that CARD names; the node must not be running.

    Be sure that the card came from the person it names: read the key's name back to them.
    """
    read = officers.read_card(files.read_bytes(card).removesuffix(b"\n"))

    def command(tx: Transaction) -> OfficerRow:
        zone = tx.home.region.zone
        from_at = tx.now_at if begins is None else parse_local(f"{begins:%Y-%m-%d} 00:00:00", zone)
        to_at = None if ends is None else parse_local(f"{ends:%Y-%m-%d} 23:59:59", zone) + 1_000
        return officers.appoint(tx, read, from_at, to_at)

    passphrase = files.read_passphrase(passphrase_file)
    row = run_command(files.node_directory(folder), command, passphrase=passphrase)
    click.echo(f"{row.name} appointed with {row.kid}")


@officer.command()
@click.argument("kid")
@options.data
@options.passphrase_file
def dismiss(kid: str, folder: Path, passphrase_file: Path | None) -> None:
    """End the appointment of the key KID now; what it adopted before stands."""
    row: OfficerRow = run_command(
        files.node_directory(folder),
        lambda tx: officers.dismiss(tx, kid),
        passphrase=files.read_passphrase(passphrase_file),
    )
    click.echo(f"{row.name} dismissed; {row.kid} signs no more")


@officer.command("list")
@options.data
@options.passphrase_file
@options.as_json
def list_(folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """List every officer that was ever appointed, and who is in office now."""

    def question(snapshot: Snapshot, home: Home) -> tuple[list[OfficerRow], str]:
        return snapshot.select(officers.OFFICERS), home.region.zone

    passphrase = files.read_passphrase(passphrase_file)
    rows, zone = read_snapshot(files.node_directory(folder), question, passphrase=passphrase)
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    now_at = SystemClock().now()
    for row in rows:
        state = "in office" if row.valid(now_at) else "not in office"
        click.echo(f"{row.kid}  {row.name}: {state}, {_times(row, zone)}")


def _times(row: OfficerRow, zone: str) -> str:
    until = "" if row.to_at is None else f" until {local_text(row.to_at, zone)}"
    dismissed = "" if row.revoked_at is None else f", dismissed {local_text(row.revoked_at, zone)}"
    return f"from {local_text(row.from_at, zone)}{until}{dismissed}"


def read_key(path: Path, passphrase_file: Path | None) -> SigningKey:
    """Read an officer's key; the passphrase is asked for when no file gives it."""
    return load_signing_key(path, _passphrase(passphrase_file, confirm=False))


def _passphrase(path: Path | None, *, confirm: bool) -> bytes:
    if path is not None:
        return files.read_bytes(path).removesuffix(b"\n")
    typed: str = click.prompt(
        "Passphrase of the officer's key", hide_input=True, confirmation_prompt=confirm, err=True
    )
    return typed.encode()
