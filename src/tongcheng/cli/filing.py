"""`tongcheng settlement filing …`: filings for treatment elsewhere that this node's member keeps.

The id number is asked for, never given on the command line, where other programs could see it.
"""

from datetime import datetime
from pathlib import Path

import click
import msgspec

from tongcheng.cli import options
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.node import files
from tongcheng.node.offline import read_snapshot, run_command
from tongcheng.services.settlement import filings
from tongcheng.services.settlement.rules import Filing
from tongcheng.services.settlement.store import FilingRow

DAY = click.DateTime(["%Y-%m-%d"])
id_number = click.option(
    "--id-number",
    prompt="id number",
    hide_input=True,
    help="Asked for when left out, or read from standard input.",
)


@click.group()
def filing() -> None:
    """Keep and list filings (备案) of persons insured here for treatment elsewhere."""


@filing.command()
@click.argument("kind", type=click.Choice(filings.KINDS))
@click.option("--place", required=True, help="Division prefix of the place, as 12 for Tianjin.")
@click.option("--from", "from_on", type=DAY, required=True, help="First day.")
@click.option("--to", "to_on", type=DAY, help="Last day [open].")
@id_number
@options.data
@options.passphrase_file
def add(
    kind: Filing,
    place: str,
    from_on: datetime,
    to_on: datetime | None,
    id_number: str,
    folder: Path,
    passphrase_file: Path | None,
) -> None:
    """Keep a filing of KIND; the node must not be running. It decides stays settled from now on."""
    last = None if to_on is None else to_on.date().isoformat()

    def command(tx: Transaction) -> FilingRow:
        person_key = filings.person_of(tx, tx.home, id_number)
        first = from_on.date().isoformat()
        return filings.add(tx, person_key, kind, place, first, last)

    passphrase = files.read_passphrase(passphrase_file)
    row = run_command(files.node_directory(folder), command, passphrase=passphrase)
    click.echo(_told(row))


@filing.command("list")
@id_number
@options.data
@options.passphrase_file
@options.as_json
def list_(id_number: str, folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """List a person's filings, the latest last; the node may be running."""

    def question(snapshot: Snapshot, home: Home) -> list[FilingRow]:
        return filings.of_person(snapshot, filings.person_of(snapshot, home, id_number))

    passphrase = files.read_passphrase(passphrase_file)
    rows = read_snapshot(files.node_directory(folder), question, passphrase=passphrase)
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    for row in rows:
        click.echo(_told(row))
    click.echo("1 filing" if len(rows) == 1 else f"{len(rows)} filings")


def _told(row: FilingRow) -> str:
    last = row.to_on or "open"
    return f"{row.number}: {row.filing}, for {row.place}, {row.from_on} – {last}"
