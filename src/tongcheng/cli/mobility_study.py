"""The options by which commands of mobility are told a study and a question, and reading both."""

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

from tongcheng.cli import options
from tongcheng.cli.mobility_extra import extra_needed
from tongcheng.cli.mobility_feed_check import feed_id_of
from tongcheng.cli.mobility_kept import kept_feeds, kept_study
from tongcheng.kernel import rulebook
from tongcheng.kernel.errors import Refused
from tongcheng.node import given

if TYPE_CHECKING:
    from tongcheng.services.mobility.feed.model import Feed
    from tongcheng.services.mobility.places.reading import Format
    from tongcheng.services.mobility.scan.model import Question
    from tongcheng.services.mobility.study.model import Study
    from tongcheng.services.mobility.timetable.process_book import Processes

MINUTE_S: Final = 60
UTF8_BYTES: Final = 4
"""What a character takes at most."""
FORMATS: Final[dict[str, "Format"]] = {
    ".csv": "csv",
    ".geojson": "geojson",
    ".json": "geojson",
    ".parquet": "parquet",
}
_Command = TypeVar("_Command", bound=Callable[..., Any])


class Clock(click.ParamType[int]):
    """A time of day, HH:MM or HH:MM:SS, as seconds after midnight; 24:00 and later is the night."""

    name = "time"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the seconds."""
        if isinstance(value, int):
            return value
        parts = value.split(":")
        shaped = len(parts) in {2, 3} and all(
            each.isascii() and each.isdigit() and len(each) == len("00") for each in parts
        )
        numbers = [int(each) for each in parts] if shaped else []
        if not shaped or max(numbers[1:]) >= MINUTE_S:
            self.fail(f"{value!r} is no time HH:MM", param, ctx)
        return sum(each * unit for each, unit in zip(numbers, (3_600, 60, 1), strict=False))


FEEDS: Final = (
    click.option(
        "--feed",
        "feeds",
        metavar="[ID=]FILE",
        multiple=True,
        help="A GTFS feed; its ID is made of its name unless given. May be repeated.",
    ),
)
NODE: Final = (
    click.option(
        "--data",
        "folder",
        type=options.FOLDER,
        help="A node: --feed, --places, --streets and --processes are then IDs of what it keeps"
        " (or MEMBER/ID), all its feeds and rule books unless named.",
    ),
    options.passphrase_file,
)
WALKED: Final = (
    click.option(
        "--streets",
        type=options.FILE,
        help="An OpenStreetMap extract (.osm.pbf) to walk along; else as the crow flies, and said.",
    ),
    click.option(
        "--processes",
        type=options.FILE,
        multiple=True,
        help="A rule book of what entering and leaving stations takes; else doors stand open.",
    ),
    click.option("--walk", default=20, show_default=True, help="Minutes walked at most, each end."),
)
QUESTION: Final = (
    click.option("--longest", type=click.IntRange(1, 1_080), default=120, show_default=True,
                 help="Minutes of the longest journey."),
    click.option("--cut", type=click.IntRange(1, 1_080), default=60, show_default=True,
                 help="Minutes within which a departure is worth knowing."),
    click.option("--percentile", "percentiles", type=click.IntRange(1, 100), multiple=True,
                 default=(50,), show_default=True, help="A percentile of the window's times."),
    click.option("--rides", "rides_max", type=click.IntRange(0, 16),
                 help="How many vehicles at most; else as many as it takes."),
)  # fmt: skip
_OPTIONS: Final = (
    *FEEDS,
    click.option(
        "--places", "places_file", type=options.FILE, required=True, help="The places."
    ),
    *NODE,
    click.option(
        "--on",
        "day",
        type=click.DateTime(["%Y-%m-%d"]),
        required=True,
        help="The day whose timetable holds.",
    ),
    *WALKED,
    click.option("--from", "first_s", type=Clock(), default="07:00", show_default=True,
                 help="The first instant of the window."),
    click.option("--until", "until_s", type=Clock(), default="09:00", show_default=True,
                 help="Instants are before this one."),
    click.option("--every", "step_s", type=click.IntRange(1, 3_600), default=60, show_default=True,
                 help="Seconds between two instants."),
    click.option("--arrive", is_flag=True, help="Instants are when one must be there."),
    *QUESTION,
)  # fmt: skip


def study_options(command: _Command) -> _Command:
    """Add the options of a study and its question to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def question_of(given_options: dict[str, Any]) -> "Question":
    """Return the question of the options; a window without an instant is not understood."""
    with extra_needed():
        from tongcheng.services.mobility.scan.model import INSTANTS_MAX, Question, Window
    first_s, step_s = given_options["first_s"], given_options["step_s"]
    instants = -(-(given_options["until_s"] - first_s) // step_s)
    if not 1 <= instants <= INSTANTS_MAX:
        message = "--until must be after --from, and not so far that instants can not be counted"
        raise click.UsageError(message)
    return Question(
        window=Window(first_s, step_s, instants),
        longest_s=given_options["longest"] * MINUTE_S,
        percentiles=tuple(sorted(set(given_options["percentiles"]))),
        cut_s=given_options["cut"] * MINUTE_S,
        rides_max=given_options["rides_max"],
    )


def study_of(given_options: dict[str, Any]) -> "Study":
    """Read the files of the options, or what a node keeps; refuses as their readers do."""
    if given_options["folder"] is not None:
        return kept_study(given_options)
    if not given_options["feeds"]:
        message = "--feed is needed, or --data with a node that keeps feeds"
        raise click.UsageError(message)
    with extra_needed():
        from tongcheng.services.mobility.places.table import BYTES_MAX
        from tongcheng.services.mobility.streets.extract import read_ways
        from tongcheng.services.mobility.streets.graph import graph_of
        from tongcheng.services.mobility.study.model import Study
        from tongcheng.services.mobility.timetable.process_book import NO_PROCESSES, Processes
    day: date = given_options["day"].date()
    feeds, books = _timetables(given_options)
    raw = given.read_at_most(given_options["places_file"], BYTES_MAX)
    streets = given_options["streets"]
    return Study(
        feeds=feeds,
        day=day,
        places=_places(given_options["places_file"], raw),
        places_digest=hashlib.sha256(raw).hexdigest(),
        processes=Processes(books) if books else NO_PROCESSES,
        streets=None if streets is None else graph_of(read_ways(streets, "foot"), "foot"),
        walk_s_max=given_options["walk"] * MINUTE_S,
    )


class Timetables(NamedTuple):
    """Feeds, rule books (None: there are none), and what a method says of them, by name."""

    feeds: "tuple[Feed, ...]"
    processes: "Processes | None"
    said: tuple[tuple[str, str], ...]


def feeds_of(given_options: dict[str, Any]) -> "Timetables":
    """Read the feeds of the options, and the rule books if there are any; refuses as `study_of`."""
    with extra_needed():
        from tongcheng.services.mobility.bundle.inputs import said_of
        from tongcheng.services.mobility.timetable.process_book import Processes
    if given_options["folder"] is not None:
        kept = kept_feeds(given_options)
        books = kept.processes.books
        return Timetables(kept.feeds, kept.processes if books else None, said_of(kept.entries))
    feeds, books = _timetables(given_options)
    return Timetables(feeds, Processes(books) if books else None, ())


def _timetables(
    given_options: dict[str, Any],
) -> "tuple[tuple[Feed, ...], tuple[rulebook.RuleBook, ...]]":
    from tongcheng.services.mobility.feed.reading import read_feed

    feeds = tuple(
        read_feed(path, feed_id).feed for feed_id, path in map(_named, given_options["feeds"])
    )
    return feeds, tuple(book_of(path) for path in given_options["processes"])


def _named(word: str) -> tuple[str, Path]:
    feed_id, equals, name = word.partition("=")
    if equals and not Path(word).exists():
        return feed_id, Path(name)
    return feed_id_of(Path(word)), Path(word)


def _places(path: Path, raw: bytes) -> Any:
    from tongcheng.services.mobility.places.reading import read_places

    form = FORMATS.get(path.suffix.lower())
    if form is None:
        message = f"--places is read by its suffix: {', '.join(FORMATS)}"
        raise click.UsageError(message)
    return read_places(raw, form).places


def book_of(path: Path) -> rulebook.RuleBook:
    """Read a rule book; refuses FILE_MISSING and as `rulebook.parse` does."""
    most = rulebook.TEXT_CHARACTERS_MAX * UTF8_BYTES
    raw = given.read_at_most(path, most)
    if len(raw) > most:
        raise Refused("RULE_BOOK_TOO_LARGE", most=rulebook.TEXT_CHARACTERS_MAX)
    try:
        return rulebook.parse(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise Refused("RULE_BOOK_YAML", line=1, fault="not UTF-8") from None
