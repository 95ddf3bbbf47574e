"""`tongcheng mobility circle --at`: the people within some times of a place, by county."""

import time
from pathlib import Path
from typing import Any

import click
import msgspec

from tongcheng.cli.claims_run import result_console, running
from tongcheng.cli.mobility_asking import MINUTE_S, asked_of, question_within, spot_of
from tongcheng.cli.mobility_counts import Counted, show_counts
from tongcheng.cli.mobility_extra import extra_needed


class Done(msgspec.Struct):
    """What came of it, for a machine."""

    out: str
    method: str
    place: str
    lon: float
    lat: float
    assumed: dict[str, str | int]
    counted: Counted
    reading_s: float
    asking_s: float


def circle_at(at: str, out: Path, given: dict[str, Any], *, as_json: bool) -> None:
    """Write the table of one place, and show the most of it."""
    with extra_needed():
        from tongcheng.services.mobility.output.files import write_table
        from tongcheng.services.mobility.study import asking, circle
        from tongcheng.services.mobility.study.compare import ask
    question, minutes, arrive = (
        question_within(given["minutes"], given),
        given["minutes"],
        given["arrive"],
    )
    started = time.monotonic()
    asked = asked_of(given)
    name, spot = spot_of(asked, at)
    world = asked.world
    side = world.make(world.base, "car" if given["mode"] == "car" else "transit")
    reading_s = time.monotonic() - started
    within_s = [each * MINUTE_S for each in minutes]
    with running(out):
        answer = ask(side, spot, question, deadlines=arrive)
        counts = circle.circle(answer, world.people, world.areas, within_s)
        method = asking.asked_method(
            "circle", side, question, deadlines=arrive, spot=spot,
            parameters={"minutes": list(minutes)},
        )  # fmt: skip
        write_table(out, circle.count_table(counts, within_s), method)
    done = Done(
        str(out), method.digest, name, spot.lon, spot.lat, side.assumed,
        Counted.of(counts, minutes), round(reading_s, 3),
        round(time.monotonic() - started - reading_s, 3),
    )  # fmt: skip
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
        return
    console = result_console()
    direction = "who reaches" if arrive else "who is reached from"
    console.print(f"{direction} {name} ({spot.lon:.4f}, {spot.lat:.4f})")
    show_counts(console, done.counted, side.assumed)
    console.print(f"{done.out}; method {done.method}")
