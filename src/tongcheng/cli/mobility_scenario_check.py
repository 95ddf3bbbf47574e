"""`tongcheng mobility scenario check`: what a scenario changes, or what is wrong with it.

Exit codes: 0 all can be used, 1 one was refused, 2 the command was not understood.
"""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import msgspec

from tongcheng.cli import faults, options
from tongcheng.cli.mobility_extra import extra_needed
from tongcheng.cli.mobility_feed_check import feed_id_of
from tongcheng.cli.mobility_study import UTF8_BYTES, book_of
from tongcheng.kernel import region, rulebook
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.texts import Texts
from tongcheng.node import given

if TYPE_CHECKING:
    from tongcheng.services.mobility.facts.model import Facts
    from tongcheng.services.mobility.scenario.model import Base, Scenario
    from tongcheng.services.mobility.timetable.process_book import Processes

GEOGRAPHY = "geography"
PROCESSES = "processes.yaml"


class Asked(NamedTuple):
    """What a scenario is applied to: the feeds given, or the fact tables of a region pack."""

    pack: str
    feeds: tuple[Path, ...]
    processes: tuple[Path, ...]
    on: date | None


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=options.FILE)
@click.option(
    "--region",
    "pack",
    default="jingjinji",
    show_default=True,
    help="The region pack whose fact tables are the base.",
)
@click.option(
    "--feed",
    "feeds",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A GTFS feed that is the base instead. May be repeated; needs --on.",
)
@click.option(
    "--processes",
    multiple=True,
    type=options.EXISTING_FILE,
    help="With --feed: a rule book of what entering and leaving stations takes.",
)
@click.option(
    "--on", type=click.DateTime(["%Y-%m-%d"]), help="The day of the base [the scenario's own]."
)
@click.option("--form", is_flag=True, help="Check the form alone, and apply to nothing.")
@options.as_json
def check(files: tuple[Path, ...], *, form: bool, as_json: bool, **asked: Any) -> None:  # fmt: skip
    """Read scenarios, apply each to its base, and say what it changes.

    docs/mobility-scenarios.md is the form. A fault is told with its line. The base is the day that
    the scenario names, of the region's fact tables; nothing is written.
    """
    on: datetime | None = asked.pop("on")
    wanted = Asked(**asked, on=None if on is None else on.date())
    if wanted.feeds and wanted.on is None and not form:
        message = "--feed needs --on, the day whose timetable holds"
        raise click.UsageError(message)
    if wanted.processes and not wanted.feeds:
        message = "--processes goes with --feed; fact tables bring their own"
        raise click.UsageError(message)
    with extra_needed():
        outcomes = [_outcome(path, wanted, form=form) for path in files]
    if as_json:
        click.echo(msgspec.json.encode([content for content, _ in outcomes]).decode())
    else:
        click.echo("\n\n".join(text for _, text in outcomes))
    if any("refused" in content for content, _ in outcomes):
        raise SystemExit(1)


def read_file(path: Path) -> "Scenario":
    """Read a scenario's file; refuses FILE_MISSING and SCENARIO_DOCUMENT."""
    from tongcheng.services.mobility.scenario.reading import CHARACTERS_MAX, read_scenario

    raw = given.read_at_most(path, CHARACTERS_MAX * UTF8_BYTES)
    if len(raw) > CHARACTERS_MAX * UTF8_BYTES:
        raise Refused("SCENARIO_DOCUMENT", file=path.name, line=1, fault="too long")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        raise Refused("SCENARIO_DOCUMENT", file=path.name, line=line, fault="not UTF-8") from None
    return read_scenario(path.name, text)


def _outcome(path: Path, wanted: Asked, *, form: bool) -> tuple[dict[str, Any], str]:
    """Return what to say of one file, to a machine and to a person."""
    from tongcheng.services.mobility.scenario.describing import described
    from tongcheng.services.mobility.service import TEXTS_PATH

    texts, language = Texts.load(TEXTS_PATH), faults.language()
    try:
        scenario = read_file(path)
        changes = described(scenario, texts, language)
        effect = {} if form else _effect(scenario, wanted)
    except Refused as refused:
        fault = {"file": str(path), "refused": refused.code, "facts": refused.facts}
        return fault, f"{path}\n{faults.message(refused)}"
    content: dict[str, Any] = {
        "file": str(path),
        "scenario_id": scenario.scenario_id,
        "title": {"zh": scenario.title.zh, "en": scenario.title.en},
        "digest": scenario.digest,
        "mode": scenario.mode,
        "only_adds": scenario.only_adds,
        "changes": [
            {"line": line, "words": words}
            for line, words in zip(scenario.lines, changes, strict=True)
        ],
        **effect,
    }
    return content, "\n".join(_lines(path, content, language))


def _effect(scenario: "Scenario", wanted: Asked) -> dict[str, Any]:
    """Return how much there is before and after, and what a map of it must say."""
    from tongcheng.services.mobility.scenario import era
    from tongcheng.services.mobility.scenario.applying import applied, keeps_all
    from tongcheng.services.mobility.scenario.describing import size_of
    from tongcheng.services.mobility.service import TEXTS_PATH

    base = _base(scenario, wanted)
    after = applied(base, scenario)
    mark = era.mark_of(after)
    texts = Texts.load(TEXTS_PATH)
    return {
        "day": base.day.isoformat(),
        "before": size_of(base)._asdict(),
        "after": size_of(after)._asdict(),
        "keeps_all": keeps_all(base, scenario),
        "mark": None if mark is None else era.words(mark, texts, faults.language()),
    }


def _base(scenario: "Scenario", wanted: Asked) -> "Base":
    from tongcheng.services.mobility.feed.reading import read_feed
    from tongcheng.services.mobility.scenario.base import base_of_facts
    from tongcheng.services.mobility.scenario.era import refuse_mixed
    from tongcheng.services.mobility.scenario.model import Base
    from tongcheng.services.mobility.timetable.process_book import NO_PROCESSES, Processes

    if not wanted.feeds:
        facts, processes = _tables(wanted.pack)
        on = wanted.on or scenario.base_on
        if on is None:
            message = f"{scenario.file} names no base day: --on"
            raise click.UsageError(message)
        return base_of_facts(facts, on, processes)
    assert wanted.on is not None, "feeds come with a day"
    feeds = tuple(read_feed(path, feed_id_of(path)).feed for path in wanted.feeds)
    refuse_mixed(feeds)
    books = tuple(book_of(path) for path in wanted.processes)
    # As studies read them: what a book does not know is refused, not taken for no time at all.
    return Base(wanted.on, feeds, Processes(books) if books else NO_PROCESSES)


def _tables(pack: str) -> "tuple[Facts, Processes]":
    """Return a region's fact tables and station processes, without all else that it brings."""
    from tongcheng.services.mobility.facts import folder
    from tongcheng.services.mobility.timetable.process_book import Processes

    tables = given.pack_folder(pack) / GEOGRAPHY
    facts = folder.load(tables, region.load(pack).zone)
    book = rulebook.parse(given.read_bytes(tables / PROCESSES).decode("utf-8"))
    return facts, Processes((book,))


def _lines(path: Path, content: dict[str, Any], language: str) -> list[str]:
    lines = [f"{path}: {content['title'][language]} ({content['scenario_id']}, {content['mode']})"]
    lines += [f"  {each['line']:>4}: {each['words']}" for each in content["changes"]]
    if "day" not in content:
        return lines
    before, after = content["before"], content["after"]
    counts = [f"{name} {before[name]} → {after[name]}" for name in before]
    lines.append(f"  {content['day']}: {', '.join(counts)}")
    if content["keeps_all"]:
        lines.append("  only adds: no journey takes longer")
    if content["mark"] is not None:
        lines.append(f"  {content['mark']}")
    return lines
