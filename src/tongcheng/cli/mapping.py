"""`tongcheng settlement mapping …`: the table of a hospital's own codes.

Exit codes: 0 done, 1 refused, 2 the command was not understood.
"""

import io
from pathlib import Path

import click

from tongcheng.cli import options
from tongcheng.cli.catalogue import read
from tongcheng.cli.counted import counted
from tongcheng.node import files
from tongcheng.node.bulk import run_each
from tongcheng.services.settlement import mapping as mappings


@click.group()
def mapping() -> None:
    """Import what a hospital's own codes stand for."""


@mapping.command("import")
@click.argument("file", type=options.EXISTING_FILE)
@click.option("--institution", required=True, help="The code of the institution.")
@options.data
@click.option(
    "--strict/--lenient",
    default=None,
    help="Refuse lines whose code is not in the table, or let them be [as it was].",
)
@options.passphrase_file
def import_(
    file: Path, institution: str, folder: Path, passphrase_file: Path | None, *, strict: bool | None
) -> None:
    """Check FILE as a whole, then add its rows to the table; the node must not be running.

    CSV in UTF-8 with the columns hospital_code,med_list_codg,from,to. A row of the same code and
    first day replaces the one before; so a mapping is ended.
    """
    rows = mappings.parse(io.BytesIO(read(file)))
    passphrase = files.read_passphrase(passphrase_file)
    directory = files.node_directory(folder)
    command = [lambda tx: mappings.put(tx, institution, rows, strict=strict)]
    for count in run_each(directory, command, passphrase=passphrase):
        click.echo(f"{institution}: {counted(count, 'row', 'rows')}")
