"""`tongcheng mobility feed check`: read feeds as they will be used, and report on each.

Exit codes: 0 nothing was left out, 1 something was or a feed was refused, 2 the command was not
understood.
"""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tongcheng.cli import faults, options
from tongcheng.cli.mobility_extra import extra_needed
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.texts import Texts

if TYPE_CHECKING:
    from tongcheng.services.mobility.feed.datum import Asked, Reference

_FEED_ID_CHARACTERS = 32
_ANY = click.Path(path_type=Path)


@click.command()
@click.argument("feeds", metavar="FILE...", nargs=-1, required=True, type=_ANY)
@click.option(
    "--datum",
    "asked",
    type=click.Choice(["detect", "wgs84", "gcj02"]),
    default="detect",
    show_default=True,
    help="What the feed's places are in; GCJ-02 is made WGS-84.",
)
@click.option(
    "--reference",
    type=options.EXISTING_FILE,
    help="A CSV of places known in WGS-84 (name, lon, lat), to tell the datum by.",
)
@options.as_json
def check(
    feeds: tuple[Path, ...], asked: "Asked", reference: Path | None, *, as_json: bool
) -> None:
    """Read GTFS feeds as they will be used, and report all that is wrong with them.

    FILE is an archive or a directory. Each finding has a code, its file and column, how often, and
    the first lines; what it says was left out or repaired is so in everything computed from the
    feed. docs/mobility-feeds.md lists the findings.
    """
    with extra_needed():
        from tongcheng.services.mobility.feed.references import read_references

        references = () if reference is None else read_references(reference)
        outcomes = [_outcome(each, asked, references) for each in feeds]
    if as_json:
        click.echo(msgspec.json.encode([content for content, _, _ in outcomes]).decode())
    else:
        click.echo("\n\n".join(text for _, text, _ in outcomes))
    if not all(is_fine for _, _, is_fine in outcomes):
        raise SystemExit(1)


def _outcome(
    path: Path, asked: "Asked", references: "tuple[Reference, ...]"
) -> tuple[dict[str, Any], str, bool]:
    """Return what to say of one feed, to a machine and to a person, and whether it is whole."""
    from tongcheng.services.mobility.feed.reading import read_feed
    from tongcheng.services.mobility.feed.report import words
    from tongcheng.services.mobility.service import TEXTS_PATH

    started = time.monotonic()
    try:
        report = read_feed(path, feed_id_of(path), asked=asked, references=references).report
    except Refused as refused:
        content = {"file": str(path), "refused": refused.code, "facts": refused.facts}
        return content, f"{path}\n{faults.message(refused)}", False
    seconds = time.monotonic() - started
    lines = [f"{path} ({seconds:.1f} s)", *words(report, Texts.load(TEXTS_PATH), faults.language())]
    content = {"file": str(path), "report": msgspec.to_builtins(report)}
    return content, "\n".join(lines), report.verdict != "incomplete"


def feed_id_of(path: Path) -> str:
    """Return the id that a file's name makes: its lower-case letters and digits, hyphens between.

    A name without any of them makes `feed`.
    """
    name = re.sub(r"(\.gtfs)?\.zip$", "", path.name.lower())
    words = re.findall(r"[a-z0-9]+", name)
    return "-".join(words)[:_FEED_ID_CHARACTERS].rstrip("-") or "feed"
