"""What commands that ask from places share: their options, and what is asked, of whom."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

from tongcheng.cli import options
from tongcheng.cli.mobility_extra import extra_needed
from tongcheng.cli.mobility_study import (
    FEEDS,
    NODE,
    QUESTION,
    WALKED,
    Clock,
    feeds_of,
    question_of,
    study_of,
)
from tongcheng.kernel import region as packs
from tongcheng.node import given

if TYPE_CHECKING:
    from tongcheng.services.mobility.places.model import Places
    from tongcheng.services.mobility.scan.model import Question
    from tongcheng.services.mobility.study.asking import World
    from tongcheng.services.mobility.study.reach import Spot
    from tongcheng.services.mobility.study.region import Region

MINUTE_S: Final = 60
SHOWN_MAX: Final = 40
_LON, _LAT = 180, 90
_Command = TypeVar("_Command", bound=Callable[..., Any])

by_mode = click.option(
    "--by",
    "mode",
    type=click.Choice(["transit", "car"]),
    help="By the day's trains, or by car on the region's trunk roads, without congestion.",
)
threads = click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="How many places are computed at a time.",
)


class Minutes(click.ParamType[tuple[int, ...]]):
    """Whole minutes that ascend, with commas between."""

    name = "minutes"

    def convert(
        self,
        value: str | tuple[int, ...],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[int, ...]:
        """Return the minutes."""
        if isinstance(value, tuple):
            return value
        parts = value.split(",")
        if not all(each.isascii() and each.isdigit() for each in parts):
            self.fail(f"{value!r} is no list of minutes like 30,60", param, ctx)
        return tuple(int(each) for each in parts)


minutes = click.option(
    "--minutes",
    type=Minutes(),
    default="30,60",
    show_default=True,
    help="The times that count, ascending, with commas between.",
)


class Asked(NamedTuple):
    """What can be asked, and the region that it is of, None for files of one's own."""

    world: "World"
    region: "Region | None"


def asking_options(window: tuple[str, str, int], *, toward: bool) -> Callable[[_Command], _Command]:
    """Return what adds the options of a study or a region, and of a question, to a command."""
    first, until, step_s = window
    added = (
        *FEEDS,
        click.option(
            "--places", "places_file", type=options.FILE,
            help="The places of a study; without them it is a region's modelled people.",
        ),
        *NODE,
        click.option(
            "--region", "pack", default="jingjinji", show_default=True,
            help="The region pack whose facts, modelled people and roads are asked.",
        ),
        click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day that holds."),
        click.option(
            "--to-stations", "feeder", type=click.Choice(["ride", "walk"]), default="ride",
            show_default=True,
            help="Of a region: by bicycle or bus at 12 km/h, as no timetable is known; or on foot.",
        ),
        *WALKED,
        click.option("--from", "first_s", type=Clock(), default=first, show_default=True,
                     help="The first instant of the window."),
        click.option("--until", "until_s", type=Clock(), default=until, show_default=True,
                     help="Instants are before this one."),
        click.option("--every", "step_s", type=click.IntRange(1, 3_600), default=step_s,
                     show_default=True, help="Seconds between two instants."),
        click.option("--toward/--outward", "arrive", default=toward, show_default=True,
                     help="Who reaches the place by each instant, or what it reaches from each."),
        *QUESTION,
    )  # fmt: skip

    def add(command: _Command) -> _Command:
        for option in reversed(added):
            command = option(command)
        return command

    return add


def question_within(minutes: tuple[int, ...], given_options: dict[str, Any]) -> "Question":
    """Return the question; minutes beyond its longest journey, not looked for, are a mistake."""
    question = question_of(given_options)
    if max(minutes) * MINUTE_S > question.longest_s:
        message = "--minutes goes beyond --longest, and longer journeys are not looked for"
        raise click.UsageError(message)
    return question


def is_own(given_options: dict[str, Any]) -> bool:
    """Say whether files or a node's feeds are asked, and not a region's facts."""
    return bool(given_options["feeds"]) or any(
        given_options[each] is not None for each in ("places_file", "folder")
    )


def asked_of(given_options: dict[str, Any], on: date | None = None) -> Asked:
    """Read what is asked; `on` is the day where none is given. Refuses as the readers do."""
    with extra_needed():
        from tongcheng.services.mobility.study import asking
    if given_options["day"] is None and (on is None or is_own(given_options)):
        message = "--on is needed: the day whose trains and roads are asked"
        raise click.UsageError(message)
    if given_options["places_file"] is None:
        day = on if given_options["day"] is None else given_options["day"].date()
        assert day is not None, "a day was asked for above"
        return _of_region(given_options, day)
    if given_options.get("mode") == "car":
        message = "--by car needs the roads of a region's facts; a study has none"
        raise click.UsageError(message)
    return Asked(asking.world_of_study(study_of(given_options)), None)


def _of_region(given_options: dict[str, Any], day: date) -> Asked:
    """Read a region's facts, and the feeds that replace its trains where some are given."""
    from tongcheng.services.mobility.study import asking, region

    own = is_own(given_options)
    if given_options["streets"] is not None or (given_options["processes"] and not own):
        message = "--streets needs --places, and --processes --feed; a region has its own"
        raise click.UsageError(message)
    found = region_of(given_options["pack"])
    said: tuple[tuple[str, str], ...] = ()
    if own:
        feeds, processes, said = feeds_of(given_options)
        base = region.base_of_feeds(found, day, feeds, processes)
    else:
        base = region.base_on(found, day)
    feeder = region.WALK if given_options["feeder"] == "walk" else region.RIDE
    walk_s_max = given_options["walk"] * MINUTE_S
    return Asked(asking.world_of_region(found, base, feeder, walk_s_max, said=said), found)


def region_of(pack: str) -> "Region":
    """Return a pack's geography; refuses REGION_UNKNOWN, REGION_MALFORMED and as `region.load`."""
    with extra_needed():
        from tongcheng.services.mobility.study import region
    zone = packs.load(pack).zone
    return region.load(given.pack_folder(pack) / region.GEOGRAPHY, zone)


def spot_of(asked: Asked, word: str) -> tuple[str, "Spot"]:
    """Return the place that a word means: degrees, or a name; refuses an unknown one by name."""
    from tongcheng.services.mobility.study.reach import Spot

    degrees = _degrees(word)
    if degrees is not None:
        return word, Spot(*degrees)
    if asked.region is not None:
        from tongcheng.services.mobility.console.gazetteer import find, named_places

        named = find(named_places(asked.region.facts), word)
        return named.name.zh, named.spot
    return _own_place(asked.world.places, word)


def _own_place(places: "Places", word: str) -> tuple[str, "Spot"]:
    from tongcheng.services.mobility.study.reach import Spot

    for row, names in enumerate(zip(places.ids, places.names, strict=True)):
        if word in names:
            return word, Spot(float(places.points.lon[row]), float(places.points.lat[row]))
    message = f"no place of --places has the id or name {word[:SHOWN_MAX]}"
    raise click.UsageError(message)


def _degrees(word: str) -> tuple[float, float] | None:
    try:
        lon, lat = (float(each) for each in word.split(","))
    except ValueError:
        return None
    if not (abs(lon) <= _LON and abs(lat) <= _LAT):  # so is what is no number
        message = f"{word} is no longitude and latitude of WGS-84"
        raise click.UsageError(message)
    return lon, lat
