"""`tongcheng mobility feed publish` and `take`: bundles from one node to another, as files.

Exit codes: 0 done, 1 refused, 2 the command was not understood.
"""

from pathlib import Path

import click

from tongcheng.cli import options
from tongcheng.cli.counted import counted
from tongcheng.cli.mobility_extra import extra_needed
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.node import files
from tongcheng.node.offline import opened, read_snapshot


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
@click.argument("file", type=options.FILE)
@options.data
@options.passphrase_file
def take(file: Path, folder: Path, passphrase_file: Path | None) -> None:
    """Take the bundle in FILE from another member of the accord, whole or not at all.

    The node must not be running. The signature must be the member's by the accord in force, every
    byte must be signed for, and every file is read as studies read it. It is kept under its
    member, never instead of what is the node's own.
    """
    with extra_needed():
        from tongcheng.services.mobility.bundle import keeping
        from tongcheng.services.mobility.bundle.files import FileStore
    passphrase = files.read_passphrase(passphrase_file)
    with opened(files.node_directory(folder), passphrase=passphrase) as stopped:
        document, is_new = keeping.take(FileStore.of(stopped.home), stopped.run, file)
    manifest = document.manifest
    what = counted(len(manifest.entries), "file", "files") if is_new else "taken before"
    click.echo(f"{manifest.member_id}: version {manifest.version}, {what}, {manifest.digest()}")
