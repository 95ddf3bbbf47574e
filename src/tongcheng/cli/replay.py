"""`tongcheng rulebook replay`: which past settlements another version of a book would change.

Exit codes: 0 done, 1 stored decisions could not be reproduced, 2 the command was not understood.
"""

import heapq
from functools import partial
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from tongcheng.cli import options
from tongcheng.cli.counted import counted
from tongcheng.cli.rulebook import applies_to, find_book, problems_of
from tongcheng.kernel import rulebook as books
from tongcheng.kernel.home import Home
from tongcheng.kernel.money import format_yuan
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.store import Snapshot
from tongcheng.node import files
from tongcheng.node.offline import read_snapshot
from tongcheng.services.settlement import replay_history
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.replay import Change, Replay, Replayed
from tongcheng.services.settlement.replay_sums import FundSum, Summing, Sums

LISTED_MOST = 20
PIPE_COLUMNS = 140
"""A file or a pipe has no width of its own: wide enough that no cell is folded."""
YEAR_OF = "rules.period.year_of.value"
FAULTS = {
    "decision_missing": "its year counts it, and it is not there",
    "book_unknown": "the rule book that it was decided by is not known here",
    "before_differs": "what had been used before it is not what its result says",
    "amounts_differ": "its own book gives other amounts today",
    "refused": "its own book refuses it today",
}


class Node(msgspec.Struct, frozen=True):
    """One node's replay; `versions` are those of the book on its shelf, with what differs."""

    member_id: str
    found: Replayed
    versions: dict[str, list[books.Change]]


@click.command()
@click.argument("after", metavar="AFTER")
@options.nodes
@click.option("--all", "every", is_flag=True, help="List every settlement that would change.")
@options.passphrase_file
@options.as_json
def replay(
    after: str, folder: Path, passphrase_file: Path | None, *, every: bool, as_json: bool
) -> None:
    """Compute a node's past settlements as if AFTER had been in force, and list what differs.

    AFTER is a file, or the id of a shipped book, also with a day (ID@2025-06-29). It stands in for
    the versions of the same book on the days that it covers; other books stay. What a person had
    used is carried anew through the year, so each change is said to be direct or a consequence of
    an earlier one. Nothing is written; the nodes may be running. Exit code 1 when a stored decision
    does not follow again from its own book.
    """
    book = find_book(after)
    compile_benefit(book)
    passphrase = files.read_passphrase(passphrase_file)
    told = _Told(LISTED_MOST if not (every or as_json) else None)
    nodes = [
        read_snapshot(each, partial(_replayed, book=book, told=told), passphrase=passphrase)
        for each in files.node_directories(folder)
    ]
    changes, sums = told.changes(), told.summing.sums()
    if as_json:
        click.echo(msgspec.json.encode(_as_data(book, nodes, changes, sums)).decode())
    else:
        _print(book, nodes, changes, sums)
    if any(node.found.not_reproduced for node in nodes):
        raise SystemExit(1)


class _Told:
    """Adds up what changes and keeps the changes, or only the `most` that mean most to a person."""

    def __init__(self, most: int | None) -> None:
        self.summing = Summing()
        self._most = most
        self._kept: list[tuple[float, int, Change]] = []
        self._count = 0

    def __call__(self, change: Change) -> None:
        self.summing.add(change)
        self._count += 1
        if self._most is not None and change.voided:
            return
        weighed = (_weight(change), -self._count, change)
        if self._most is None or len(self._kept) < self._most:
            heapq.heappush(self._kept, weighed)
        else:
            heapq.heappushpop(self._kept, weighed)

    def changes(self) -> list[Change]:
        """Return what was kept, in the order in which it was decided."""
        return sorted((each for _, _, each in self._kept), key=lambda each: each.decision_no)


def _weight(change: Change) -> float:
    if change.after is None:
        return float("inf")
    return abs(change.after.person_fen - change.before.person_fen)


def _replayed(snapshot: Snapshot, home: Home, *, book: RuleBook, told: _Told) -> Node:
    replay = Replay(book, home.shelf.find, told)
    shown = Console(stderr=True)
    with Progress(console=shown, transient=True, disable=not shown.is_terminal) as progress:
        total = replay_history.settlements(snapshot)
        task = progress.add_task(escape(home.member_id), total=total)
        for events in replay_history.years(snapshot):
            replay.year(events)
            progress.update(task, completed=replay.found.decisions)
    versions = {
        each.digest: books.diff(each, book) for each in home.shelf if each.book_id == book.book_id
    }
    return Node(home.member_id, replay.found, versions)


def _as_data(
    book: RuleBook, nodes: list[Node], changes: list[Change], sums: Sums
) -> dict[str, object]:
    """Return the result for a machine; all amounts are int fen."""
    return {
        "book_id": book.book_id,
        "digest": book.digest,
        "decisions": sum(node.found.decisions for node in nodes),
        "under_book": sum(node.found.under_book for node in nodes),
        "sums": sums,
        "changes": changes,
        "not_reproduced": {node.member_id: node.found.not_reproduced for node in nodes},
        "versions": {node.member_id: node.versions for node in nodes},
    }


def _print(book: RuleBook, nodes: list[Node], listed: list[Change], sums: Sums) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    ends = book.effective_to.isoformat() if book.effective_to else "until further notice"
    console.print(f"{escape(book.title['zh'])} · {escape(book.title['en'])}", style="bold")
    console.print(f"{book.book_id}, {book.effective_from.isoformat()} – {ends}")
    for problem in problems_of(book):
        console.print(f"{problem.path}: {problem.code} {escape(problem.detail)}".rstrip())
    _print_versions(console, book, nodes)
    decisions = sum(node.found.decisions for node in nodes)
    under = sum(node.found.under_book for node in nodes)
    changed = sums.direct + sums.consequence
    console.print(
        f"{counted(decisions, 'settlement', 'settlements')} replayed, {under} under this book. "
        f"{changed} would change: {sums.direct} directly, {sums.consequence} only as a consequence "
        f"of an earlier change in the person's year."
    )
    if sums.voided:
        console.print(f"{sums.voided} more would have changed, but were voided: left out below.")
    if sums.refused:
        console.print(f"{sums.refused} would have been REFUSED: left out of the sums.")
    if changed:
        _print_sums(console, sums)
        _print_changes(console, listed, changed)
    for node in nodes:
        for each in node.found.not_reproduced:
            console.print(
                f"{node.member_id}: decision {each.decision_no} ({escape(each.settlement_id)}) is "
                f"not reproduced: {FAULTS[each.fault]}"
            )
    missing = sum(len(node.found.not_reproduced) for node in nodes)
    console.print(
        f"{missing} stored decisions do NOT follow from their own books; the sums are in doubt"
        if missing
        else "every stored decision follows again, to the fen, from the book that decided it"
    )


def _print_versions(console: Console, book: RuleBook, nodes: list[Node]) -> None:
    """Show what the book changes, once for each version that it would stand in for."""
    versions = {digest: found for node in nodes for digest, found in node.versions.items()}
    for digest, found in versions.items():
        places = counted(len(found), "place", "places")
        differs = f"which differs in {places}" if found else "which is the same"
        console.print(f"in place of the version {digest[:12]}, {differs}")
        for change in found[:LISTED_MOST]:
            path = change.path.removesuffix(".value").removeprefix("rules.")
            before, after = (
                "-" if text is None else text for text in (change.before, change.after)
            )
            about = applies_to(book, change.path) if change.after is not None else ""
            told = f" ({about})" if about else ""
            console.print(escape(f"  {path}{told}: {before} → {after}"))
        if len(found) > LISTED_MOST:
            console.print(f"  and {len(found) - LISTED_MOST} more: see `tongcheng rulebook diff`")
        if any(change.path == YEAR_OF for change in found):
            console.print("  period.year_of is not replayed: each stay is left in its year")


def _print_sums(console: Console, sums: Sums) -> None:
    table = _table(("who pays for these settlements, yuan",), ("before", "after", "difference"))
    patients = FundSum("patients", sums.persons_before_fen, sums.persons_after_fen)
    for row in (*sums.funds, patients):
        table.add_row(row.fund, *_three(row))
    for row in sums.announced:
        if row.difference_fen:
            table.add_row(f"{row.fund}, announced for later", *_three(row))
    console.print(table, soft_wrap=False)
    console.print(
        f"{counted(sums.gaining, 'person', 'persons')} would pay less, "
        f"{format_yuan(sums.gained_fen)} in all; "
        f"{sums.losing} more, {format_yuan(sums.lost_fen)} in all; {sums.even} the same."
    )
    groups = _table(("person", "hospital level"), ("settlements", "patients pay"))
    for group in sums.groups:
        level, count = str(group.hospital_level), str(group.settlements)
        groups.add_row(group.person_type, level, count, _signed(group.difference_fen))
    console.print(groups, soft_wrap=False)


def _print_changes(console: Console, rows: list[Change], changed: int) -> None:
    columns = ("no", "until", "settlement", "person", "level", "change")
    table = _table(columns, ("patient pays", "would pay", "difference"))
    for each in rows:
        kind = f"{each.kind}, voided" if each.voided else each.kind
        words = (str(each.decision_no), each.ended_on, each.settlement_id)
        after = each.after
        amounts = (
            format_yuan(each.before.person_fen),
            f"refused: {each.refused}" if after is None else format_yuan(after.person_fen),
            "" if after is None else _signed(after.person_fen - each.before.person_fen),
        )
        table.add_row(*words, each.person_type, str(each.hospital_level), kind, *amounts)
    console.print(table, soft_wrap=False)
    if len(rows) < changed:
        console.print(f"the {len(rows)} largest of {changed}; --all lists every one")


def _table(words: tuple[str, ...], amounts: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in words:
        table.add_column(title, overflow="fold")
    for title in amounts:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _three(row: FundSum) -> tuple[str, str, str]:
    return format_yuan(row.before_fen), format_yuan(row.after_fen), _signed(row.difference_fen)


def _signed(fen: int) -> str:
    return f"+{format_yuan(fen)}" if fen > 0 else format_yuan(fen)
