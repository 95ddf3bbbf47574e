"""`tongcheng exchange …`: what waits between the nodes, what does not move, what is parked."""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tongcheng.cli import options
from tongcheng.kernel.calendar import local_text
from tongcheng.kernel.exchange.status import ChannelStatus, channels
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.node import files
from tongcheng.node.offline import read_snapshot

COLUMNS = ("node", "peer", "sent", "waiting", "since", "unanswered", "taken", "parked", "trouble")


@click.group()
def exchange() -> None:
    """See what waits between the nodes, what does not move, what is parked."""


@exchange.command()
@options.nodes
@options.passphrase_file
@options.as_json
def show(folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Show every channel: acts that wait, dead letters with the peer's reason, parked acts.

    The nodes may be running. Exit code 1 when a channel does not move.
    """
    passphrase = files.read_passphrase(passphrase_file)
    found: dict[str, list[ChannelStatus]] = {}
    zone = "UTC"
    for directory in files.node_directories(folder):
        member_id, zone, found_there = read_snapshot(directory, _channels, passphrase=passphrase)
        found[member_id] = found_there
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        Console(highlight=False).print(_table(found, zone))
    if any(one.trouble for of_node in found.values() for one in of_node):
        raise SystemExit(1)


def _channels(snapshot: Snapshot, home: Home) -> tuple[str, str, list[ChannelStatus]]:
    """Return a node's member, its region's zone and the state of its channels."""
    return home.member_id, home.region.zone, channels(snapshot, home)


def _table(found: dict[str, list[ChannelStatus]], zone: str) -> Table:
    table = Table(*COLUMNS)
    for member, of_node in found.items():
        for one in of_node:
            since = one.waiting_since_at
            table.add_row(
                member,
                one.peer,
                str(one.sent_seq),
                str(one.waiting),
                "" if since is None else local_text(since, zone),
                str(one.unanswered),
                str(one.taken_seq),
                str(one.parked),
                "" if one.trouble is None else f"{one.trouble} ×{one.trouble_attempts}",
            )
    return table
