"""`tongcheng mobility reach`: what a place reaches, or who reaches it, as shapes on a map.

Exit codes: 0 written, 1 refused, 2 the command was not understood, 143 SIGTERM ended it.
"""

import time
from pathlib import Path
from typing import Any, Final

import click

from tongcheng.cli import options
from tongcheng.cli.claims_run import running
from tongcheng.cli.mobility_asking import (
    MINUTE_S,
    asked_of,
    asking_options,
    by_mode,
    minutes,
    question_within,
    spot_of,
)
from tongcheng.cli.mobility_counts import Counted, Done, show_asked
from tongcheng.cli.mobility_extra import extra_needed

HEXAGON_M: Final = 500


@click.command()
@click.option("--at", metavar="LON,LAT|NAME", required=True, help="The place, WGS-84 or by name.")
@by_mode
@minutes
@asking_options(("07:00", "09:00", 60), toward=False)
@click.option(
    "--hexagon",
    type=click.IntRange(1, 100_000),
    default=HEXAGON_M,
    show_default=True,
    help="Metres of the hexagons that stand for places that are of no grid.",
)
@click.option(
    "--out", type=options.FILE, required=True, help="The shapes: .geojson, .parquet or .csv."
)
@options.as_json
def reach(
    at: str,
    mode: str | None,
    minutes: tuple[int, ...],
    hexagon: int,
    out: Path,
    *,
    arrive: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Draw what a place reaches within some times, or with --toward who reaches it.

    Of a region's own facts people are modelled, and what is written says so; of feeds and places
    of one's own they are those of the file. There are two regimes: percentiles of the window's
    instants (turn up and go), and the best-timed journey. Times are from door to door.
    """
    with extra_needed():
        from tongcheng.services.mobility.output.features import write_isochrones
        from tongcheng.services.mobility.study import asking, circle
        from tongcheng.services.mobility.study.compare import ask
    question = question_within(minutes, given)
    started = time.monotonic()
    asked = asked_of({**given, "mode": mode})
    name, spot = spot_of(asked, at)
    world = asked.world
    side = world.make(world.base, "car" if mode == "car" else "transit")
    reading_s = time.monotonic() - started
    with running(out):
        answer = ask(side, spot, question, deadlines=arrive)
        cells = asking.cells_of(world.places, hexagon)
        method = asking.asked_method(
            "isochrones", side, question, deadlines=arrive, spot=spot,
            parameters={"minutes": list(minutes), "cell_shape": cells.shape},
        )  # fmt: skip
        write_isochrones(out, circle.bands(answer, world.people, cells, minutes), method)
    within_s = [each * MINUTE_S for each in minutes]
    counts = circle.circle(answer, world.people, world.areas, within_s)
    done = Done(
        str(out), method.digest, name, spot.lon, spot.lat, side.assumed,
        Counted.of(counts, minutes), round(reading_s, 3),
        round(time.monotonic() - started - reading_s, 3),
    )  # fmt: skip
    show_asked(done, "who reaches" if arrive else "what is reached from", as_json=as_json)
