"""`tongcheng mobility scenario sign`, `verify` and `withdraw`: scenarios as signed documents.

Exit codes: 0 done, 1 refused, 2 the command was not understood.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tongcheng.cli import options
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.node import files, given
from tongcheng.node.offline import read_snapshot, run_command

if TYPE_CHECKING:
    from tongcheng.services.mobility.scenario.kept import Kept

_FILE = click.argument("file", metavar="FILE", type=options.FILE)


@click.command()
@_FILE
@options.data
@click.option("--out", type=options.FILE, help="Also write the signed document.")
@options.passphrase_file
def sign(file: Path, folder: Path, out: Path | None, passphrase_file: Path | None) -> None:
    """Keep the scenario in FILE in a node, signed with its key, as the next version.

    The node must not be running. What the newest version says already is no new version.
    """
    from tongcheng.cli.mobility_scenario_check import read_file
    from tongcheng.services.mobility.scenario.kept import keep

    scenario = read_file(file)

    def command(tx: Transaction) -> "Kept":
        return keep(tx, scenario)

    passphrase = files.read_passphrase(passphrase_file)
    kept: Kept = run_command(files.node_directory(folder), command, passphrase=passphrase)
    if out is not None:
        files.write_file(out, kept.signed.encoded() + b"\n")
    said = kept.signed.scenario
    click.echo(f"{said.scenario_id}: version {said.version}, {said.digest()}, {kept.signed.kid}")


@click.command()
@_FILE
@options.data
@options.passphrase_file
def verify(file: Path, folder: Path, passphrase_file: Path | None) -> None:
    """Check the signed scenario in FILE by a node's own key, or by the accord it has in force.

    The node may be running. Nothing is kept.
    """
    from tongcheng.services.mobility.scenario import signing

    document = signing.read(given.read_bytes(file).removesuffix(b"\n"))
    said = document.scenario

    def question(snapshot: Snapshot, home: Home) -> None:
        del snapshot
        own = home.ring.signing.verify_key()
        if said.member_id == home.member_id and document.kid == own.kid:
            document.check_signed_with(own)
        else:
            document.check_signature(home.accord, SystemClock().now())

    passphrase = files.read_passphrase(passphrase_file)
    read_snapshot(files.node_directory(folder), question, passphrase=passphrase)
    state = "withdrawn" if said.document is None else "good"
    click.echo(f"{said.scenario_id}: version {said.version} by {said.member_id}, {state}")


@click.command()
@click.argument("scenario_id", metavar="ID")
@options.data
@options.passphrase_file
def withdraw(scenario_id: str, folder: Path, passphrase_file: Path | None) -> None:
    """Keep the scenario ID no longer; its versions stay in the journal.

    The node must not be running.
    """
    from tongcheng.services.mobility.scenario.kept import withdraw as withdrawn

    passphrase = files.read_passphrase(passphrase_file)
    run_command(
        files.node_directory(folder),
        lambda tx: withdrawn(tx, scenario_id),
        passphrase=passphrase,
    )
    click.echo(f"{scenario_id}: withdrawn")
