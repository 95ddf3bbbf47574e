"""`tongcheng mobility circle`: the people within the hour, by county.

Exit codes: 0 written, 1 refused, 2 the command was not understood, 143 SIGTERM ended it.
"""

from pathlib import Path
from typing import Any, Final, Literal

import click
from click.core import ParameterSource

from tongcheng.cli import options
from tongcheng.cli.mobility_asking import Minutes, asking_options, by_mode, minutes, threads

SCALE_MIN: Final = 30


class Whole(Minutes):
    """Whole numbers that ascend, with commas between."""

    name = "numbers"


@click.command()
@click.option("--at", metavar="LON,LAT|NAME", help="The place, WGS-84 or by name.")
@click.option("--port", is_flag=True, help="Time from every county to the region's port instead.")
@click.option(
    "--measure",
    type=click.Choice(["within", "gravity", "kth", "catchment"]),
    help="What every place of a study reaches instead: docs/mobility-measures.md.",
)
@click.option("--of", metavar="COLUMN", help="Of --measure: opportunities, else the people.")
@click.option(
    "--kth", type=Whole(), default="1", show_default=True, help="Of --measure kth: which closest."
)
@click.option(
    "--scale",
    type=click.IntRange(1, 1_080),
    default=SCALE_MIN,
    show_default=True,
    help="Of --measure gravity: minutes after which 37 % of the weight are left.",
)
@by_mode
@minutes
@asking_options(("07:00", "09:00", 60), toward=True)
@threads
@click.option(
    "--out",
    type=options.FILE,
    required=True,
    help="The table: .parquet or .csv; of --port also shapes: .geojson.",
)
@options.as_json
def circle(
    at: str | None,
    measure: Literal["within", "gravity", "kth", "catchment"] | None,
    out: Path,
    *,
    port: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Count the people within some times of a place by county, in two regimes.

    With --port: how long goods take from every county to the region's port, by road and as far as
    known by rail. With --measure: opportunities within a time, gravity, time to the k-th closest,
    or supply shared among all who reach it (2SFCA), for every place of a study of one's own.
    """
    if [at is not None, port, measure is not None].count(True) != 1:
        message = "one of --at, --port and --measure says what is counted"
        raise click.UsageError(message)
    if at is not None:
        from tongcheng.cli.mobility_circle_at import circle_at

        circle_at(at, out, given, as_json=as_json)
    elif port:
        from tongcheng.cli.mobility_circle_port import circle_port

        circle_port(out, given, as_json=as_json)
    else:
        from tongcheng.cli.mobility_circle_all import circle_all

        assert measure is not None, "one of the three was given"
        said = click.get_current_context().get_parameter_source("arrive")
        if given["arrive"] and said is ParameterSource.COMMANDLINE:
            message = "--measure counts what each place reaches; --toward is of --at"
            raise click.UsageError(message)
        circle_all(measure, out, given, as_json=as_json)
