"""`tongcheng mobility feed add`, `remove` and `prune`: what a node keeps and publishes, signed.

Exit codes: 0 done, 1 refused, 2 the command was not understood.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from tongcheng.cli import faults, options
from tongcheng.cli.counted import counted
from tongcheng.cli.mobility_extra import extra_needed
from tongcheng.cli.mobility_feed_check import feed_id_of
from tongcheng.kernel.texts import Texts
from tongcheng.node import files
from tongcheng.node.offline import opened

if TYPE_CHECKING:
    from tongcheng.services.mobility.bundle.checking import Report
    from tongcheng.services.mobility.bundle.keeping import Added
    from tongcheng.services.mobility.bundle.model import EntryKind

_FORMS: Final = {
    "feed": {".zip": "gtfs"},
    "places": {".csv": "csv", ".geojson": "geojson", ".json": "geojson", ".parquet": "parquet"},
    "streets": {".pbf": "osm-pbf"},
    "processes": {".yaml": "yaml", ".yml": "yaml"},
}
"""How a file is read, by what it is and how its name ends."""


@click.command()
@click.argument("file", metavar="[ID=]FILE")
@options.data
@click.option(
    "--kind",
    type=click.Choice(list(_FORMS)),
    default="feed",
    show_default=True,
    help="What it is: a GTFS feed, places, an OpenStreetMap extract, or station processes.",
)
@click.option("--source", required=True, help="Where it comes from, in words.")
@click.option("--licence", required=True, help="Under which licence it may be passed on.")
@click.option("--attribution", default="", help="What maps made of it must say, if anything.")
@click.option("--modelled", is_flag=True, help="A model made these figures; nobody counted them.")
@click.option(
    "--datum",
    type=click.Choice(["detect", "wgs84", "gcj02"]),
    default="detect",
    show_default=True,
    help="What a feed's places are in; GCJ-02 is made WGS-84.",
)
@options.passphrase_file
@options.as_json
def add(
    file: str, folder: Path, kind: "EntryKind", passphrase_file: Path | None, **told: Any
) -> None:
    """Check FILE, keep it in a node that is not running, and publish the node's bundle signed.

    ID is what studies call it, made of the file's name unless given; what had the same ID is
    replaced. What a file's reader refuses is not kept. What was repaired or left out is reported,
    and the report is published with the file. The same file again changes nothing.
    """
    with extra_needed():
        from tongcheng.services.mobility.bundle import keeping
        from tongcheng.services.mobility.bundle.checking import Reading
        from tongcheng.services.mobility.bundle.files import FileStore
    entry_id, path = _named(file, kind)
    form = _FORMS[kind].get(path.suffix.lower())
    if form is None:
        message = f"a file of --kind {kind} ends in {', '.join(_FORMS[kind])}"
        raise click.UsageError(message)
    datum = told["datum"] if kind == "feed" else None
    words = keeping.Told(told["source"], told["licence"], told["attribution"], told["modelled"])
    passphrase = files.read_passphrase(passphrase_file)
    with opened(files.node_directory(folder), passphrase=passphrase) as stopped:
        store = FileStore.of(stopped.home)
        reading = Reading(kind, entry_id, form, datum)
        added = keeping.add(store, stopped.run, path, reading, words)
    if told["as_json"]:
        click.echo(msgspec.json.encode(_content(added)).decode())
        return
    for line in _report_lines(added.checked.report):
        click.echo(line)
    if added.document is None:
        click.echo(f"{entry_id}: kept already, nothing was done")
        return
    manifest = added.document.manifest
    click.echo(f"{entry_id}: kept, {added.entry.sha256}")
    click.echo(f"bundle of {manifest.member_id}: version {manifest.version}, {manifest.digest()}")


@click.command()
@click.argument("entry_id", metavar="ID")
@options.data
@options.passphrase_file
def remove(entry_id: str, folder: Path, passphrase_file: Path | None) -> None:
    """Take ID out of the node's bundle, and publish that.

    Its bytes stay in the node's directory, because results name them, until `prune` deletes them.
    """
    with extra_needed():
        from tongcheng.services.mobility.bundle import keeping, records
    passphrase = files.read_passphrase(passphrase_file)
    with opened(files.node_directory(folder), passphrase=passphrase) as stopped:
        document = stopped.run(lambda tx: records.publish(tx, keeping.removing(entry_id)))
    manifest = document.manifest
    click.echo(f"{entry_id}: removed")
    click.echo(f"bundle of {manifest.member_id}: version {manifest.version}, {manifest.digest()}")


@click.command()
@options.data
@options.passphrase_file
def prune(folder: Path, passphrase_file: Path | None) -> None:
    """Delete files that no newest bundle names: what was removed, replaced, or came in part.

    The node must not be running. Results that were computed with such files name their digests,
    and can not be computed again here.
    """
    with extra_needed():
        from tongcheng.services.mobility.bundle import keeping
        from tongcheng.services.mobility.bundle.files import FileStore
    passphrase = files.read_passphrase(passphrase_file)
    with opened(files.node_directory(folder), passphrase=passphrase) as stopped:
        store = FileStore.of(stopped.home)
        with stopped.database.snapshot() as snapshot:
            count, size = keeping.prune(store, snapshot)
    click.echo(f"deleted {counted(count, 'file', 'files')}, {size:,} bytes")


def _named(word: str, kind: str) -> tuple[str, Path]:
    entry_id, equals, name = word.partition("=")
    if equals and not Path(word).exists():
        return entry_id, Path(name)
    path = Path(word)
    if kind == "feed":
        return feed_id_of(path), path
    # Of `tianjin.osm.pbf` what is before the first dot.
    return feed_id_of(Path(re.sub(r"(?<=.)\..*$", "", path.name))), path


def _content(added: "Added") -> dict[str, object]:
    document = added.document
    return {
        "entry": added.entry,
        "report": added.checked.report,
        "published": None if document is None else document.manifest.version,
        "manifest": None if document is None else document.manifest.digest(),
    }


def _report_lines(report: "Report") -> list[str]:
    """Return what reading the file found, for a terminal."""
    from tongcheng.services.mobility.feed.report import Report as FeedReport
    from tongcheng.services.mobility.feed.report import words
    from tongcheng.services.mobility.places.findings import Report as PlacesReport
    from tongcheng.services.mobility.service import TEXTS_PATH

    texts, language = Texts.load(TEXTS_PATH), faults.language()
    if isinstance(report, FeedReport):
        return words(report, texts, language)
    if not isinstance(report, PlacesReport):
        return [", ".join(f"{name} {value}" for name, value in msgspec.to_builtins(report).items())]
    lines = [f"{report.places} places of {report.rows} rows · sha256 {report.digest}"]
    for each in report.findings:
        severity = texts.get(f"mobility.feed.severity.{each.severity}", language)
        what = texts.get(f"mobility.places.finding.{each.code}", language)
        where = f"{each.column}: " if each.column else ""
        lines.append(f"{severity} {where}{what} × {each.count} [{each.code}]")
    return lines
