"""`tongcheng mobility circle --port`: from every county to the region's port."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
from rich.table import Table

from tongcheng.cli.claims_run import result_console, running
from tongcheng.cli.mobility_asking import MINUTE_S, Asked, asked_of, is_own
from tongcheng.cli.mobility_counts import show_assumed
from tongcheng.cli.mobility_extra import extra_needed
from tongcheng.cli.mobility_study import question_of
from tongcheng.kernel.canonical import Json

if TYPE_CHECKING:
    from tongcheng.services.mobility.output.method import Method
    from tongcheng.services.mobility.scan.model import Question
    from tongcheng.services.mobility.study.hinterland import Inland

NEAREST_MAX: Final = 20
SHAPES: Final = ".geojson"
RAIL: Final = "one place of a division; the way there and the terminals are not in it"


class County(msgspec.Struct):
    """A county's seconds to the port; None is not known, or too far."""

    area_id: str
    name: str
    people: int
    road_s: int | None
    rail_s: int | None
    rail_from: str | None
    rail_basis: str | None


class Done(msgspec.Struct):
    """What came of it, for a machine."""

    out: str
    method: str
    port: str
    assumed: dict[str, str | int]
    counties: list[County]


def circle_port(out: Path, given: dict[str, Any], *, as_json: bool) -> None:
    """Write every county's time to the port, and show the nearest."""
    with extra_needed():
        from tongcheng.services.mobility.measures.parameters import LONGEST_S
        from tongcheng.services.mobility.output.files import write_table
        from tongcheng.services.mobility.study import asking, hinterland, region
        from tongcheng.services.mobility.study.reach import road_ready
    if is_own(given):
        message = "--port is of a region's facts; files of one's own have none"
        raise click.UsageError(message)
    asked = asked_of(given)
    found, base = asked.region, asked.world.base
    assert found is not None, "no files of one's own were given"
    if found.port is None:
        message = f"the region {given['pack']} has no port"
        raise click.UsageError(message)
    assert base.roads is not None, "a region has roads"
    points = road_ready(
        hinterland.county_places(found.facts),
        base.roads,
        region.DRIVE,
        region.sources_of(found, base),
    )
    question = question_of(given)._replace(longest_s=LONGEST_S)
    told: dict[str, Json] = {"port": found.port.port_id, "rail": RAIL}
    with running(out):
        by_road = hinterland.gate_seconds(points, found.port)
        rows = hinterland.hinterland(found.facts, found.port, by_road, base.day)
        if out.suffix.lower() == SHAPES:
            method = _draw(out, asked, question, told, given["minutes"])
        else:
            method = asking.asked_method(
                "hinterland", points, question, deadlines=True, parameters=told
            )
            write_table(out, hinterland.inland_table(rows), method)
    counties = [_county(each) for each in rows]
    done = Done(str(out), method.digest, found.port.name.zh, points.assumed, counties)
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
        return
    _show(done)


def _draw(
    out: Path, asked: Asked, question: "Question", told: dict[str, Json], minutes: tuple[int, ...]
) -> "Method":
    """Write shapes of the cells within each time of the port by road."""
    from tongcheng.services.mobility.isochrones import isochrones
    from tongcheng.services.mobility.output.features import write_isochrones
    from tongcheng.services.mobility.study import asking, hinterland, region

    found, world = asked.region, asked.world
    assert found is not None, "a region was found above"
    assert found.port is not None, "and its port"
    roads = region.roads_of(found, world.base)
    seconds = hinterland.gate_seconds(roads, found.port)
    cells = asking.cells_of(world.places, 1)  # a grid of the region's own: no hexagon is needed
    bands = isochrones(seconds, world.people, cells, minutes, regime="road to the port")
    method = asking.asked_method(
        "hinterland", roads, question, deadlines=True,
        parameters={**told, "minutes": list(minutes)},
    )  # fmt: skip
    write_isochrones(out, bands, method)
    return method


def _county(row: "Inland") -> County:
    rail = row.rail
    if rail is None:
        return County(row.area_id, row.name, row.people, row.road_s, None, None, None)
    return County(
        row.area_id, row.name, row.people, row.road_s, rail.seconds, rail.place, rail.basis
    )


def _show(done: Done) -> None:
    console = result_console()
    console.print(f"to {done.port}")
    table = Table(box=None, pad_edge=False)
    table.add_column("county")
    table.add_column("by road, min", justify="right")
    table.add_column("by rail, min", justify="right")
    table.add_column("from, resting on")
    known = [each for each in done.counties if each.road_s is not None]
    known.sort(key=lambda each: (each.road_s or 0, each.area_id))
    for each in known[:NEAREST_MAX]:
        rail = "" if each.rail_s is None else str(each.rail_s // MINUTE_S)
        by = f"{each.rail_from}, {each.rail_basis}" if each.rail_from else ""
        table.add_row(each.name, str((each.road_s or 0) // MINUTE_S), rail, by)
    console.print(table)
    left = len(done.counties) - min(len(known), NEAREST_MAX)
    if left:
        console.print(f"and {left} counties more")
    show_assumed(console, done.assumed)
    console.print(f"rail: {RAIL}")
    console.print(f"{done.out}; method {done.method}")
