"""`tongcheng settlement catalogue …`: import a place's catalogue, compare two of them.

Exit codes: 0 done, 1 refused, 2 the command was not understood.
"""

import time
from pathlib import Path
from typing import BinaryIO

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from tongcheng.cli import options
from tongcheng.cli.counted import counted
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.node import files
from tongcheng.node.bulk import run_each
from tongcheng.node.offline import read_snapshot
from tongcheng.services.settlement import catalogue_store
from tongcheng.services.settlement.catalogue import PRICE_DIGITS, RATIO_DIGITS, Catalogue, parse
from tongcheng.services.settlement.catalogue_diff import (
    FIELDS,
    KINDS,
    Difference,
    FieldChange,
    counts,
    diff,
)
from tongcheng.services.settlement.catalogue_store import FILE_BYTES_MAX, Importing

QUIET_S = 1
"""What is done sooner needs no progress."""
SHOWN_MAX = 200
WIDTH = 160
DECIMALS = {"price_ceiling": PRICE_DIGITS, "first_self_pay": RATIO_DIGITS}


@click.group()
def catalogue() -> None:
    """Import the catalogue of a place, and see what differs between two."""


@catalogue.command("import")
@click.argument("file", type=options.EXISTING_FILE)
@options.data
@click.option("--name", help="The name that institutions are bound to [the name of the file].")
@options.passphrase_file
def import_(file: Path, folder: Path, name: str | None, passphrase_file: Path | None) -> None:
    """Check FILE as a whole, then keep it in a node that is not running; all or nothing.

    It decides about lines from the day on that its header says (`# effective: YYYY-MM-DD`), about
    all days without one; lines that were split before stay as they are.
    """
    started = time.monotonic()
    directory = files.node_directory(folder)
    importing = Importing(read(file), name or file.name)
    passphrase = files.read_passphrase(passphrase_file)
    with Progress(transient=True, disable=not Console().is_terminal) as progress:
        task = progress.add_task(importing.name, total=importing.steps, visible=False)
        for _ in run_each(directory, importing.commands(), passphrase=passphrase):
            late = time.monotonic() - started > QUIET_S
            progress.update(task, advance=1, visible=late)
    if importing.known:
        click.echo(f"{importing.name}: these bytes were imported last, nothing was done")
        return
    seconds = time.monotonic() - started
    effective = importing.header.effective_from
    since = "all days" if effective == effective.min else f"days from {effective.isoformat()}"
    items = counted(importing.items, "item", "items")
    click.echo(f"{importing.name}: {items}, for {since}, in {seconds:.1f} s")
    click.echo(f"digest {importing.digest}")


@catalogue.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--data", "folder", type=options.FOLDER, help="A node, to name catalogues of it.")
@options.passphrase_file
@options.as_json
def diff_(
    old: str, new: str, folder: Path | None, passphrase_file: Path | None, *, as_json: bool
) -> None:
    """List the items that NEW adds, ends or changes, with the days from which it does.

    OLD and NEW are files, or with --data names (or digests) of catalogues in the node.
    """
    started = time.monotonic()
    passphrase = files.read_passphrase(passphrase_file)
    before, after = (_find(each, folder, passphrase) for each in (old, new))
    found = diff(before, after)
    if as_json:
        content = {
            "old": before.digest,
            "new": after.digest,
            "counts": counts(found),
            "differences": found,
        }
        click.echo(msgspec.json.encode(content).decode())
        return
    _print(found)
    seconds = time.monotonic() - started
    click.echo(f"{len(before.items)} and {len(after.items)} items compared in {seconds:.1f} s")


def read(path: Path) -> bytes:
    """Read a file of a bounded size; refuses CATALOGUE_TOO_LARGE and FILE_MISSING."""
    try:
        with path.open("rb") as file:
            return _bounded(file)
    except OSError as fault:
        raise Refused("FILE_MISSING", file=str(path), fault=fault.strerror or "?") from None


def _bounded(file: BinaryIO) -> bytes:
    raw = file.read(FILE_BYTES_MAX + 1)
    if len(raw) > FILE_BYTES_MAX:
        raise Refused("CATALOGUE_TOO_LARGE", most=FILE_BYTES_MAX)
    return raw


def _find(name: str, folder: Path | None, passphrase: bytes | None) -> Catalogue:
    """Return a catalogue by its file, else by its name or digest in the node."""
    path = Path(name)
    if path.is_file():
        return parse(read(path))
    if folder is None:
        message = f"there is no file {name!r}; with --data it may be a catalogue of a node"
        raise click.UsageError(message)

    def question(snapshot: Snapshot, home: Home) -> Catalogue:
        kept = catalogue_store.imports(snapshot, name)
        raw = home.datasets.get(name)
        if kept or raw is None:
            raw = catalogue_store.content(snapshot, kept[0].digest if kept else name)
        return parse(raw)

    return read_snapshot(files.node_directory(folder), question, passphrase=passphrase)


def _print(found: list[Difference]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    if found:
        table = Table(box=None, pad_edge=False)
        for title in ("item", "name", "", "from", "to", "what"):
            table.add_column(title, overflow="fold")
        for one in found[:SHOWN_MAX]:
            days = (one.from_on.isoformat(), "" if one.to_on is None else one.to_on.isoformat())
            what = "; ".join(map(_said, one.fields))
            table.add_row(escape(one.code), escape(one.name), one.kind, *days, escape(what))
        console.print(table)
    if len(found) > SHOWN_MAX:
        console.print(f"… and {len(found) - SHOWN_MAX} more; --json lists all")
    count = counts(found)
    console.print(", ".join(f"{count[kind]} {kind}" for kind in KINDS))
    fields = [f"{count[field]} {field}" for field in FIELDS if count[field]]
    if fields:
        console.print(f"of these: {', '.join(fields)}")


def _said(change: FieldChange) -> str:
    before, after = (_value(change.field, each) for each in (change.before, change.after))
    return f"{change.field} {before} → {after}"


def _value(field: str, value: str | int | None) -> str:
    if value is None:
        return "none" if field == "price_ceiling" else "unknown"
    if isinstance(value, str):
        return value
    whole, rest = divmod(value, 10 ** DECIMALS[field])
    return f"{whole}.{rest:0{DECIMALS[field]}d}".rstrip("0").rstrip(".")
