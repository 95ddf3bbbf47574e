"""`tongcheng mobility feed list`: what a node keeps, of whom, and which days it is for."""

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tongcheng.cli import options
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.node import files
from tongcheng.node.offline import read_snapshot
from tongcheng.services.mobility.bundle import model, records
from tongcheng.services.mobility.bundle.eras import common_days
from tongcheng.services.mobility.bundle.model import Entry, SignedManifest

WIDTH = 160


class Listed(msgspec.Struct):
    """The newest bundle of one member, as a node keeps it; instants are UTC ms."""

    member_id: str
    own: bool
    version: int
    digest: str
    signed_at: int
    kid: str
    kept_at: int
    entries: tuple[Entry, ...]


class Listing(msgspec.Struct):
    """What a node keeps. `common_days` are the first and last on which all feeds run.

    With `mixed_eras` there is no such day: the feeds can not be on one map.
    """

    bundles: list[Listed]
    common_days: tuple[str, str] | None
    mixed_eras: bool


@click.command("list")
@options.data
@options.passphrase_file
@options.as_json
def list_(folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """List what a node keeps: its own bundle and those of others, with the days they run.

    Feeds that have no day in common are of mixed eras, and are marked so.
    """
    passphrase = files.read_passphrase(passphrase_file)
    listing = read_snapshot(files.node_directory(folder), _listing, passphrase=passphrase)
    if as_json:
        click.echo(msgspec.json.encode(listing).decode())
    else:
        _print(listing)


def _listing(snapshot: Snapshot, home: Home) -> Listing:
    bundles = [_listed(row, document, home) for row, document in records.kept_documents(snapshot)]
    feeds = [entry for one in bundles for entry in one.entries if entry.kind == "feed"]
    common = common_days(feeds)
    return Listing(bundles, common, mixed_eras=bool(feeds) and common is None)


def _listed(row: records.BundleRow, document: SignedManifest, home: Home) -> Listed:
    manifest = document.manifest
    return Listed(
        member_id=manifest.member_id,
        own=manifest.member_id == home.member_id,
        version=manifest.version,
        digest=manifest.digest(),
        signed_at=manifest.signed_at,
        kid=document.kid,
        kept_at=row.kept_at,
        entries=manifest.entries,
    )


def _print(listing: Listing) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    if not listing.bundles:
        console.print("nothing is kept yet; `tongcheng mobility feed add` adds a file")
    for one in listing.bundles:
        whose = "own" if one.own else f"taken {_utc(one.kept_at)}"
        signed = f"signed {_utc(one.signed_at)} by {one.kid}"
        console.print(f"{escape(one.member_id)} ({whose}): version {one.version}, {signed}")
        table = Table(box=None, pad_edge=False)
        for title in ("", "id", "from", "to", "verdict", "source", "licence", "sha256"):
            table.add_column(title, overflow="fold")
        for entry in one.entries:
            table.add_row(*_row(entry))
        console.print(table)
    if listing.mixed_eras:
        console.print("MIXED ERAS: on no day do all feeds run; name those to use with --feed")
    elif listing.common_days is not None:
        first, last = listing.common_days
        console.print(f"all feeds run from {first} to {last}")


def _row(entry: Entry) -> tuple[str, ...]:
    source = f"{entry.source} (modelled)" if entry.modelled else entry.source
    return (
        entry.kind,
        entry.id,
        entry.valid_from or "",
        entry.valid_to or "",
        entry.verdict,
        escape(source),
        escape(entry.licence),
        entry.sha256[: model.SHOWN_DIGITS],
    )


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
