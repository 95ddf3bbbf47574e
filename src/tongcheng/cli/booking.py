"""`tongcheng settlement book`: count claims settled at home in the persons' year.

Exit codes: 0 every row is booked now or was before, 1 some are not, 2 not understood.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from tongcheng.cli import options
from tongcheng.cli.claims_books import extra_needed
from tongcheng.cli.counted import counted
from tongcheng.kernel.store import Snapshot
from tongcheng.node import files
from tongcheng.node.offline import Stopped, opened
from tongcheng.web import csv_file

if TYPE_CHECKING:
    from tongcheng.services.settlement.booking.file import Summary
    from tongcheng.services.settlement.booking.prepare import Passed

T = TypeVar("T")


class _Store(Stopped):
    """A stopped node's store, as booking uses it."""

    def read(self, question: Callable[[Snapshot], T]) -> T:
        with self.database.snapshot() as snapshot:
            return question(snapshot)


@click.command()
@click.argument("claims", type=options.EXISTING_FILE)
@click.option("--passed", type=options.FILE, help="Write the rows that are not booked here (CSV).")
@options.data
@options.passphrase_file
@options.as_json
def book(
    claims: Path,
    passed: Path | None,
    folder: Path,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Book CLAIMS settled at home, a thousand a commit; the node must not be running.

    CLAIMS is a file of claims (see docs/claims.md) whose person_id is the id number and which names
    institution_id. Each claim is judged by the node's own books after what its person has used, and
    moves the year, the ledger and the journal. The file may come again: what is booked is passed
    over.
    """
    with extra_needed():
        from tongcheng.services.settlement.booking.file import book_file
    passphrase = files.read_passphrase(passphrase_file)
    began = time.monotonic()
    with (
        opened(files.node_directory(folder), passphrase=passphrase) as stopped,
        _listed(passed) as tell,
        _shown(claims.name) as progress,
    ):
        store = _Store(*stopped)
        gc.freeze()  # what was loaded stays to the end: it need not be searched for cycles
        summary = book_file(claims, stopped.home, store, tell=tell, progress=progress)
    seconds = time.monotonic() - began
    if as_json:
        told = {**summary._asdict(), "seconds": round(seconds, 3)}
        click.echo(msgspec.json.encode(told).decode())
    else:
        _print(summary, seconds)
    if summary.passed:
        raise SystemExit(1)


def _print(summary: "Summary", seconds: float) -> None:
    booked = summary.claims + summary.voids
    click.echo(
        f"{counted(summary.claims, 'claim', 'claims')} and"
        f" {counted(summary.voids, 'void', 'voids')} booked in"
        f" {counted(summary.commits, 'commit', 'commits')}, {booked / seconds:,.0f}/s"
    )
    if summary.already:
        click.echo(f"{counted(summary.already, 'row was', 'rows were')} booked before")
    for code, count in sorted(summary.passed.items()):
        click.echo(f"{counted(count, 'row is', 'rows are')} not booked: {code}")


@contextmanager
def _listed(path: Path | None) -> "Iterator[Callable[[Passed], None]]":
    if path is None:
        yield lambda _passed: None
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(csv_file.lines([("row", "claim_id", "code", "detail")]))
        yield lambda passed: file.writelines([csv_file.lines([passed])])


@contextmanager
def _shown(name: str) -> Iterator[Callable[[int, int], None]]:
    shown = Console(stderr=True)
    with Progress(console=shown, transient=True, disable=not shown.is_terminal) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
