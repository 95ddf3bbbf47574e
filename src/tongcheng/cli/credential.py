"""`tongcheng credential …`: who of the hospitals may call this node."""

from datetime import datetime
from pathlib import Path

import click

from tongcheng.cli import options
from tongcheng.kernel import authority, calendar
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Transaction
from tongcheng.node import files
from tongcheng.node.offline import run_command

INSTITUTION = click.option(
    "--institution", required=True, help="The code of the institution it is bound to."
)


@click.group()
def credential() -> None:
    """Issue and revoke the credentials of hospital systems."""


@credential.command()
@options.data
@INSTITUTION
@click.option("--name", default="", help="Which system will use it, for the operator's eyes.")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="First local day on which it is void."
)
@options.passphrase_file
def issue(
    folder: Path,
    institution: str,
    name: str,
    until: datetime | None,
    passphrase_file: Path | None,
) -> None:
    """Issue a credential and print its token, once; the node keeps only a digest of it."""

    def command(tx: Transaction) -> str:
        to_at = None if until is None else _midnight(until, tx.home)
        return authority.issue(tx, institution, name, to_at)

    directory = files.node_directory(folder)
    passphrase = files.read_passphrase(passphrase_file)
    click.echo(run_command(directory, command, passphrase=passphrase))


@credential.command()
@options.data
@INSTITUTION
@options.passphrase_file
def revoke(folder: Path, institution: str, passphrase_file: Path | None) -> None:
    """End every credential of an institution now."""
    directory = files.node_directory(folder)
    passphrase = files.read_passphrase(passphrase_file)
    ended = run_command(
        directory, lambda tx: authority.revoke(tx, institution), passphrase=passphrase
    )
    click.echo(f"{ended} ended")


def _midnight(day: datetime, home: Home) -> int:
    return calendar.parse_local(f"{day:%Y-%m-%d} 00:00:00", home.region.zone)
