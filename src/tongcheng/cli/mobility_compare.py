"""`tongcheng mobility compare`: before and after a scenario, seen from places and from everywhere.

Exit codes: 0 written, 1 refused, or a journey became longer that could not, 2 the command was not
understood, 143 SIGTERM ended it.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import msgspec

from tongcheng.cli import options
from tongcheng.cli.claims_run import result_console, running
from tongcheng.cli.mobility_asking import (
    MINUTE_S,
    Asked,
    asked_of,
    asking_options,
    by_mode,
    is_own,
    minutes,
    question_within,
    spot_of,
    threads,
)
from tongcheng.cli.mobility_compared import (
    Done,
    Points,
    Seconds,
    cities_of,
    monotony_of,
    seen_of,
    show,
    unequal_of,
)
from tongcheng.cli.mobility_counts import show_assumed
from tongcheng.cli.mobility_extra import extra_needed
from tongcheng.cli.mobility_reach import HEXAGON_M
from tongcheng.cli.mobility_scenario_check import read_file
from tongcheng.kernel.canonical import Json
from tongcheng.node import given as files

if TYPE_CHECKING:
    from tongcheng.services.mobility.output.method import Method
    from tongcheng.services.mobility.scan.model import Question
    from tongcheng.services.mobility.scenario.model import Scenario
    from tongcheng.services.mobility.study.asking import World
    from tongcheng.services.mobility.study.compare import Side
    from tongcheng.services.mobility.study.compared_files import SeenFrom
    from tongcheng.services.mobility.study.reach import Spot


@click.command()
@click.option(
    "--scenario",
    "named",
    metavar="ID|FILE",
    required=True,
    help="A scenario of the region, or a file of one's own: docs/mobility-scenarios.md.",
)
@click.option(
    "--at", metavar="LON,LAT|NAME", help="The place to look from; else those of the scenario."
)
@by_mode
@minutes
@asking_options(("06:00", "22:00", 300), toward=True)
@threads
@click.option(
    "--hexagon",
    type=click.IntRange(1, 100_000),
    default=HEXAGON_M,
    show_default=True,
    help="Metres of the hexagons that stand for places that are of no grid.",
)
@click.option(
    "--out",
    type=options.FILE,
    required=True,
    help="People by place and area: .csv or .parquet; or shapes: .geojson.",
)
@click.option(
    "--points",
    "points_out",
    type=options.FILE,
    help="Also write the people within the time of every county's point (or place).",
)
@click.option("--seen-only", is_flag=True, help="Leave out the counties' points (or places).")
@options.as_json
def compare(
    named: str, out: Path, points_out: Path | None, *, seen_only: bool, as_json: bool, **given: Any
) -> None:  # fmt: skip
    """Compare before and after a scenario: who gains, from its places and from every county.

    The window is the whole day: how few trains a line has, and not at which minute each goes, is
    what fact tables know. Where a scenario only adds, nobody's journey may become longer; every
    pair of a county's point and a cell is looked at, and one that did is told by name.
    """
    started = time.monotonic()
    scenario = _scenario(named, given)
    given["mode"] = given["mode"] or scenario.mode
    asked = asked_of(given, None if is_own(given) else scenario.base_on)
    world = asked.world
    task = _Task(
        scenario,
        world,
        question_within(given["minutes"], given),
        _spots(asked, scenario, given["at"]),
        world.make(world.base, given["mode"]),
        given,
    )
    reading_s = time.monotonic() - started
    with running(out) as progress:
        done, after = _map(task, out)
        map_s = time.monotonic() - started - reading_s
        if not seen_only:
            done.points = _points(task, after, points_out, progress)
    points_s = time.monotonic() - started - reading_s - map_s
    done.took_s = Seconds(*(round(each, 3) for each in (reading_s, map_s, points_s)))
    _say(done, as_json=as_json)


class _Task(NamedTuple):
    """What is compared: the base is ready to be asked, and what it is compared with is not."""

    scenario: "Scenario"
    world: "World"
    question: "Question"
    spots: "list[tuple[str, Spot]]"
    before: "Side"
    given: dict[str, Any]

    @property
    def within_s(self) -> tuple[int, ...]:
        """The times that count."""
        return tuple(each * MINUTE_S for each in self.given["minutes"])

    def method(self, measure: str, after: "Side") -> "Method":
        """Say how an answer was made."""
        from tongcheng.services.mobility.study import asking

        places: list[Json] = [f"{name}: {spot.lon:.6f},{spot.lat:.6f}" for name, spot in self.spots]
        return asking.asked_method(
            measure, after, self.question, deadlines=self.given["arrive"], scenario=self.scenario,
            parameters={"minutes": list(self.given["minutes"]), "places": places},
        )  # fmt: skip


def _map(task: _Task, out: Path) -> "tuple[Done, Side]":
    """Apply the scenario and write what is seen from its places; return the side after, too."""
    from tongcheng.services.mobility.scenario.applying import applied, keeps_all
    from tongcheng.services.mobility.study import asking, compared_files

    scenario, world, given = task.scenario, task.world, task.given
    after = world.make(applied(world.base, scenario), given["mode"])
    seen = [_seen(task, after, name, spot) for name, spot in task.spots]
    method = task.method("gain", after)
    compared_files.write_gains(
        out,
        seen,
        given["minutes"],
        task.within_s,
        world.people,
        lambda: asking.cells_of(world.places, given["hexagon"]),
        method,
    )
    done = Done(
        out=str(out),
        method=method.digest,
        scenario=scenario.scenario_id,
        title=scenario.title.en,
        limits="" if scenario.limits is None else scenario.limits.en,
        mode=given["mode"],
        day=str(after.assumed.get("facts_on", world.base.day.isoformat())),
        minutes=given["minutes"],
        keeps_all=keeps_all(world.base, scenario),
        seen=[seen_of(each.name, each.spot.lon, each.spot.lat, each.rows) for each in seen],
        points=None,
        assumed=after.assumed,
        took_s=Seconds(0, 0, 0),
    )
    return done, after


def _seen(task: _Task, after: "Side", name: str, spot: "Spot") -> "SeenFrom":
    from tongcheng.services.mobility.study.compare import ask, gains
    from tongcheng.services.mobility.study.compared_files import SeenFrom

    deadlines = task.given["arrive"]
    old, new = (
        ask(side, spot, task.question, deadlines=deadlines) for side in (task.before, after)
    )
    rows = gains(old, new, task.world.people, task.world.areas, task.within_s)
    return SeenFrom(name, spot, old, new, rows)


def _points(
    task: _Task, after: "Side", points_out: Path | None, progress: Callable[[int, int], None]
) -> Points:
    """Ask every point before and after, and write their figures if that is wanted."""
    from tongcheng.services.mobility.output.files import write_table
    from tongcheng.services.mobility.study import asking, compare, compared_files

    world, given = task.world, task.given
    within_s = task.within_s[-1]
    change = compare.compare_points(
        (task.before, after), world.points.points, world.people, task.question, within_s,
        deadlines=given["arrive"], threads=given["threads"], progress=progress,
    )  # fmt: skip
    people = asking.people_at_points(world)
    if points_out is not None:
        table = compared_files.points_table(world.points, people, change, within_s)
        write_table(points_out, table, task.method("people within, of points", after))
    means = {
        regime: compare.means(
            world.point_areas, people, change.before[regime], change.after[regime]
        )
        for regime in change.before
    }
    points, cells = asking.names_of(world.points), asking.names_of(world.places)
    names = (cells, points) if given["arrive"] else (points, cells)
    return Points(
        len(world.points.ids),
        given["minutes"][-1],
        cities_of(means),
        {
            regime: monotony_of(found, names, turned=given["arrive"])
            for regime, found in change.monotone.items()
        },
        {name: unequal_of(each) for name, each in compare.unequal(change, people).items()},
    )


def _say(done: Done, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
    else:
        console = result_console()
        show(console, done)
        show_assumed(console, done.assumed)
        console.print(f"map in {done.took_s.map:.1f} s, points in {done.took_s.points:.1f} s")
        console.print(f"{done.out}; method {done.method}")
    found = [] if done.points is None else list(done.points.monotone.values())
    if done.keeps_all and any(each.slower for each in found):
        raise SystemExit(1)


def _scenario(named: str, given: dict[str, Any]) -> "Scenario":
    """Return the region's scenario of that id, or the one in a file."""
    with extra_needed():
        from tongcheng.services.mobility.study import region
    if not named.endswith((".yaml", ".yml")):
        shipped = files.pack_folder(given["pack"]) / region.GEOGRAPHY / region.SCENARIOS
        path = shipped / f"{named}.yaml"
        if not path.is_file() or path.parent != shipped:
            known = ", ".join(sorted(each.stem for each in shipped.glob("*.yaml"))) or "none"
            message = f"the region has no scenario {named}; it has: {known}"
            raise click.UsageError(message)
    else:
        path = Path(named)
    return read_file(path)


def _spots(asked: Asked, scenario: "Scenario", at: str | None) -> "list[tuple[str, Spot]]":
    from tongcheng.services.mobility.study.reach import Spot

    if at is not None:
        return [spot_of(asked, at)]
    if not scenario.seen_from:
        message = f"the scenario {scenario.scenario_id} names no place to look from: --at"
        raise click.UsageError(message)
    return [(each.name.zh, Spot(each.lon, each.lat)) for each in scenario.seen_from]
