"""`tongcheng settlement statement …`: agree with the other members on a month that is over."""

from datetime import datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tongcheng.cli import options
from tongcheng.cli.counted import counted
from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.money import format_yuan
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.node import files
from tongcheng.node.offline import read_snapshot, run_command
from tongcheng.services.settlement import statements
from tongcheng.services.settlement.statement_model import StatementFinding
from tongcheng.services.settlement.statements import STATEMENTS, StatementRow

COLUMNS = ("node", "visited", "insured", "month", "no", "state", "lines", "settled", "voided")


@click.group()
def statement() -> None:
    """Send a month's statement to the members that owe for it, and see what became of each."""


@statement.command()
@options.data
@click.option(
    "--month", type=click.DateTime(["%Y-%m"]), required=True, help="A month that is over."
)
@click.option("--peer", help="The insured member; all members without it.")
@options.passphrase_file
def send(folder: Path, month: datetime, peer: str | None, passphrase_file: Path | None) -> None:
    """Draw up the statement of a month; it goes out when the node runs.

    The node must be stopped. A month that one member has agreed on, or has a statement of under
    way, is passed over for it when no --peer is named.
    """
    directory = files.node_directory(folder)
    passphrase = files.read_passphrase(passphrase_file)
    text = f"{month:%Y-%m}"

    def command(tx: Transaction) -> list[tuple[str, str]]:
        peers = [peer] if peer else tx.home.accord.peers(tx.home.member_id)
        return [(one, _open(tx, one, text, is_named=peer is not None)) for one in peers]

    for member, outcome in run_command(directory, command, passphrase=passphrase):
        click.echo(f"{member} {text}: {outcome}")


def _open(tx: Transaction, member: str, month: str, *, is_named: bool) -> str:
    try:
        row = statements.open_statement(tx, member, month)
    except Refused as refusal:
        passed = {"STATEMENT_MONTH_CLOSED": "agreed", "STATEMENT_UNDER_WAY": "under way"}
        if is_named or refusal.code not in passed:
            raise
        return passed[refusal.code]
    lines, pages = counted(row.line_count, "line", "lines"), counted(row.pages, "page", "pages")
    return f"{lines} in {pages}, to be sent when the node runs"


@statement.command("list")
@options.nodes
@options.passphrase_file
@options.as_json
def show(folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Show every statement and the differences that the insured side named.

    The nodes may be running. Exit code 1 when a month's last statement is disputed or refused.
    """
    passphrase = files.read_passphrase(passphrase_file)
    found: dict[str, list[StatementRow]] = {}
    for directory in files.node_directories(folder):
        member_id, rows = read_snapshot(directory, _rows, passphrase=passphrase)
        found[member_id] = rows
    if as_json:
        click.echo(msgspec.json.encode(_as_data(found)).decode())
    else:
        _print(found)
    if any(row.state in {"disputed", "refused"} for row in _last(found)):
        raise SystemExit(1)


def _rows(snapshot: Snapshot, home: Home) -> tuple[str, list[StatementRow]]:
    return home.member_id, snapshot.select(STATEMENTS)


def _last(found: dict[str, list[StatementRow]]) -> list[StatementRow]:
    """Return the latest statement of each node, pair and month."""
    last = {
        (node, row.visited_member, row.insured_member, row.month): row
        for node, rows in found.items()
        for row in rows
    }
    return list(last.values())


def _findings(row: StatementRow) -> list[StatementFinding]:
    return canonical.decode_as(row.findings, list[StatementFinding]) if row.findings else []


def _as_data(found: dict[str, list[StatementRow]]) -> dict[str, list[dict[str, object]]]:
    return {
        node: [{**msgspec.structs.asdict(row), "findings": _findings(row)} for row in rows]
        for node, rows in found.items()
    }


def _print(found: dict[str, list[StatementRow]]) -> None:
    table = Table(*COLUMNS)
    for node, rows in found.items():
        for row in rows:
            state = f"{row.state} {row.refusal}".strip()
            pair = (row.visited_member, row.insured_member)
            sums = (format_yuan(row.settled_fen), format_yuan(row.voided_fen))
            table.add_row(
                node, *pair, row.month, str(row.number), state, str(row.line_count), *sums
            )
    console = Console(highlight=False)
    console.print(table)
    for row in _last(found):
        for one in _findings(row):
            amounts = f"{format_yuan(one.visited_fen)} / {format_yuan(one.insured_fen)}"
            console.print(f"{row.month} {one.kind}: {one.settlement_id} {one.purse}, {amounts}")
