"""`tongcheng mobility matrix`: how long from every place to every place, over a window.

Exit codes: 0 written, 1 refused, 2 the command was not understood, 143 SIGTERM ended it.
"""

import os
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from tongcheng.cli import options
from tongcheng.cli.claims_run import one_way, result_console, running
from tongcheng.cli.mobility_extra import extra_needed
from tongcheng.cli.mobility_study import question_of, study_of, study_options


class Done(msgspec.Struct):
    """What a run came to, for a machine."""

    out: str
    method: str
    places: int
    stops: int
    connections: int
    instants: int
    reached_pairs: int
    assumed: dict[str, str | int]
    reading_s: float
    scanning_s: float


@click.command()
@study_options
@click.option("--out", type=options.FILE, required=True, help="The result: .parquet or .csv.")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=lambda: os.cpu_count() or 1,
    show_default="one a core",
    help="How many places are computed at a time, without --workers and --scheduler.",
)
@options.workers
@options.scheduler
@options.as_json
def matrix(
    out: Path, threads: int, workers: int | None, scheduler: str | None, *,
    arrive: bool, as_json: bool, **study: Any,
) -> None:  # fmt: skip
    """Compute how long it takes from every place to every place, over a window of departures.

    A row of --out is a pair that is connected: seconds of each percentile over the window's
    instants, of the best-timed journey, how many departures are worth knowing, and the share of
    instants within --cut. The file says how it was made: who has the same files makes the same
    bytes. docs/mobility.md defines every figure.
    """
    with extra_needed():
        from tongcheng.services.mobility.study.matrix import Hands, write_matrix
        from tongcheng.services.mobility.study.preparing import prepare
    one_way(workers, scheduler)
    question = question_of(study)
    hands = Hands(threads, workers, scheduler)
    started = time.monotonic()
    ready = prepare(study_of(study), threads=threads)
    reading_s = time.monotonic() - started
    with running(out) as progress:
        written = write_matrix(
            out, ready, question, deadlines=arrive, hands=hands, progress=progress
        )
    done = Done(
        out=str(out),
        method=written.method.digest,
        places=len(ready.places.ids),
        stops=len(ready.timetable.stops.ids),
        connections=len(ready.timetable.connections.trip),
        instants=question.window.instants,
        reached_pairs=written.pairs,
        assumed=ready.assumed,
        reading_s=round(reading_s, 3),
        scanning_s=round(time.monotonic() - started - reading_s, 3),
    )
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
        return
    console = result_console()
    console.print(f"{done.places} places, {done.stops} stops, {done.connections} connections")
    console.print(f"on foot: {ready.assumed['walked']}")
    console.print(
        f"{done.reached_pairs} pairs connected, over {done.instants} instants:"
        f" read in {reading_s:.1f} s, computed in {done.scanning_s:.1f} s"
    )
    console.print(f"{done.out}; method {done.method}")
