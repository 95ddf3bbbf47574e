"""`tongcheng settlement reconcile`: compare the members' books of the same stays.

Exit codes: 0 equal apart from what is in flight, 1 not, 2 the command was not understood.
"""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tongcheng.cli import options
from tongcheng.cli.books import Reconciled, reconcile_nodes
from tongcheng.kernel.money import format_yuan
from tongcheng.node import files
from tongcheng.services.settlement.reconcile import Comparison, RowFinding

KINDS = {
    "only_here": "only at the visited side",
    "only_there": "only at the insured side",
    "amount": "amounts differ",
    "state": "states differ",
    "in_flight": "in flight",
}
HOUR_S, MINUTE_S = 3_600, 60
PIPE_COLUMNS = 160
"""A file or a pipe has no width of its own: wide enough that no cell is folded."""


@click.command()
@options.nodes
@options.passphrase_file
@options.as_json
def reconcile(folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Compare due_from with due_to, purse by purse and month by month, and every settlement.

    The nodes may be running. With one node alone, its claims are compared with the insured side's
    signed answers. What is in flight is listed and is no difference.
    """
    passphrase = files.read_passphrase(passphrase_file)
    found = reconcile_nodes(files.node_directories(folder), passphrase=passphrase)
    if as_json:
        click.echo(msgspec.json.encode(as_data(found)).decode())
    else:
        _print(found)
    if not found.mirrored:
        raise SystemExit(1)


def as_data(found: Reconciled) -> dict[str, object]:
    """Return the result for a machine; amounts are int fen, ages milliseconds."""
    pairs = [
        {
            **msgspec.structs.asdict(pair),
            "mirrored": pair.mirrored,
            "purses": [
                {**msgspec.structs.asdict(line), "difference_fen": line.difference_fen}
                for line in pair.purses
            ],
        }
        for pair in found.pairs
    ]
    return {"mirrored": found.mirrored, "pairs": pairs, "unread": found.unread}


def _print(found: Reconciled) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    if any(pair.purses for pair in found.pairs):
        console.print(_purses(found), soft_wrap=False)
    for pair in found.pairs:
        for row in pair.findings:
            console.print(f"{_name(pair)}: {_row(row)}")
    for visited, insured in found.unread:
        console.print(f"{visited} → {insured}: not read, the node of {visited} is not here")
    for pair in found.pairs:
        if pair.source == "answers":
            console.print(
                f"{_name(pair)}: the books of {pair.insured_member} were not read; compared "
                f"with its signed answers in our journal"
            )
    console.print(_verdict(found))


def _purses(found: Reconciled) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("visited → insured", "purse", "month"):
        table.add_column(title, overflow="fold")
    for title in ("due from", "due to", "in flight", "difference"):
        table.add_column(title, justify="right", no_wrap=True)
    for pair in found.pairs:
        for line in pair.purses:
            amounts = (
                line.due_from_fen,
                line.due_to_fen,
                line.in_flight_fen,
                line.difference_fen,
            )
            cells = (format_yuan(each) for each in amounts)
            table.add_row(_name(pair), line.purse, line.month, *cells)
    return table


def _name(pair: Comparison) -> str:
    return f"{pair.visited_member} → {pair.insured_member}"


def _row(row: RowFinding) -> str:
    states = f"{row.here_state or '-'} / {row.there_state or '-'}"
    amounts = f"{format_yuan(row.here_fen)} / {format_yuan(row.there_fen)}"
    return f"{KINDS[row.kind]}: {row.settlement_id}, {states}, {amounts}, for {_age(row.age_ms)}"


def _age(age_ms: int) -> str:
    seconds = age_ms // 1_000
    hours, rest = divmod(seconds, HOUR_S)
    minutes, seconds = divmod(rest, MINUTE_S)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


def _verdict(found: Reconciled) -> str:
    equal = sum(pair.equal for pair in found.pairs)
    flying = sum(len(pair.in_flight) for pair in found.pairs)
    wrong = sum(len(pair.differences) for pair in found.pairs)
    purses = sum(1 for pair in found.pairs for line in pair.purses if line.difference_fen)
    verdict = "mirrored to the fen" if found.mirrored else "NOT mirrored"
    return (
        f"{equal} settlements equal, {flying} in flight, {wrong} differ; "
        f"{purses} purses and months differ: {verdict}"
    )
