"""`tongcheng mobility feed publish` and `take`: bundles from one node to another.

Exit codes: 0 done, 1 refused, 2 the command was not understood.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tongcheng.cli import options
from tongcheng.cli.counted import counted
from tongcheng.cli.mobility_extra import extra_needed
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.node import files
from tongcheng.node.offline import opened, read_snapshot

if TYPE_CHECKING:
    from tongcheng.services.mobility.bundle.model import SignedManifest


@click.command()
@options.data
@click.option("--out", type=options.FILE, required=True, help="The bundle: a ZIP archive.")
@options.passphrase_file
def publish(folder: Path, out: Path, passphrase_file: Path | None) -> None:
    """Write this node's newest bundle to a file: signed manifest, feeds and all the rest.

    The node may be running. The same version makes the same bytes. Whoever has the accord can
    check it; nothing in it is secret, and how it gets to the others does not matter.
    """
    from tongcheng.services.mobility.bundle import records
    from tongcheng.services.mobility.bundle.archive import write_archive
    from tongcheng.services.mobility.bundle.files import FileStore
    from tongcheng.services.mobility.bundle.model import SignedManifest

    def question(snapshot: Snapshot, home: Home) -> tuple[SignedManifest, FileStore]:
        return records.own_document(snapshot, home), FileStore.of(home)

    passphrase = files.read_passphrase(passphrase_file)
    document, store = read_snapshot(files.node_directory(folder), question, passphrase=passphrase)
    write_archive(out, document, store)
    manifest = document.manifest
    entries = counted(len(manifest.entries), "file", "files")
    click.echo(f"{out}: {entries}, version {manifest.version}, {manifest.digest()}")


@click.command()
@click.argument("file", type=options.FILE, required=False)
@options.data
@click.option("--from", "member_id", metavar="MEMBER", help="Get it from this member's node.")
@options.passphrase_file
def take(
    file: Path | None, folder: Path, member_id: str | None, passphrase_file: Path | None
) -> None:
    """Take another member's bundle, from FILE or --from its node: whole or not at all.

    The node must not be running; files are fetched while it is, and kept for the next time. The
    signature must be the member's by the accord in force, every byte must be signed for, and every
    file is read as studies read it. It is kept under its member, never instead of what is the
    node's own.
    """
    if (file is None) == (member_id is None):
        message = "name either a FILE or a member (--from)"
        raise click.UsageError(message)
    with extra_needed():
        from tongcheng.services.mobility.bundle import keeping
        from tongcheng.services.mobility.bundle.files import FileStore
    passphrase = files.read_passphrase(passphrase_file)
    directory = files.node_directory(folder)
    if member_id is not None:
        document, is_new = _take_from(directory, passphrase, member_id)
    else:
        assert file is not None, "checked above"
        with opened(directory, passphrase=passphrase) as stopped:
            document, is_new = keeping.take(FileStore.of(stopped.home), stopped.run, file)
    manifest = document.manifest
    what = counted(len(manifest.entries), "file", "files") if is_new else "taken before"
    click.echo(f"{manifest.member_id}: version {manifest.version}, {what}, {manifest.digest()}")


def _take_from(
    directory: Path, passphrase: bytes | None, member_id: str
) -> "tuple[SignedManifest, bool]":
    """Fetch a bundle beside the running node, and adopt it in the stopped one."""
    from tongcheng.cli.claims_run import running
    from tongcheng.services.mobility.bundle import fetching, records
    from tongcheng.services.mobility.bundle.files import FileStore
    from tongcheng.services.mobility.bundle.source import HttpSource

    def question(_snapshot: Snapshot, home: Home) -> tuple[FileStore, str]:
        return FileStore.of(home), fetching.address_of(home, member_id)

    def check(document: "SignedManifest") -> None:
        now_at = SystemClock().now()
        read_snapshot(
            directory,
            lambda snapshot, home: records.check_next(snapshot, home, document, now_at),
            passphrase=passphrase,
        )

    store, address = read_snapshot(directory, question, passphrase=passphrase)

    async def fetched(apart: FileStore, told: fetching.Told) -> fetching.Came:
        async with HttpSource(address) as source:
            return await fetching.fetch(store, apart, member_id, source.get, check, told)

    with store.apart() as apart:
        with running(Path(member_id)) as told:
            came = asyncio.run(fetched(apart, told))
        click.echo(f"{member_id}: {counted(len(came.apart), 'file', 'files')} fetched", err=True)
        with opened(directory, passphrase=passphrase) as stopped:
            is_new = fetching.adopt(store, apart, stopped.run, came)
    return came.document, is_new
