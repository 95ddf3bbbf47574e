"""`tongcheng simulate`: the whole region in one process, under faults that a seed decides."""

import time
from typing import get_args

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tongcheng.simulation import report as reports
from tongcheng.simulation.faults import ProfileName
from tongcheng.simulation.region import Plan
from tongcheng.simulation.region import simulate as run
from tongcheng.simulation.report import Report


@click.command()
@click.option("--seed", type=int, required=True, help="Decides everything; any integer.")
@click.option(
    "--settlements",
    type=click.IntRange(min=1),
    default=2_000,
    show_default=True,
    help="How many stays to bring to an end.",
)
@click.option(
    "--faults",
    type=click.Choice(get_args(ProfileName)),
    default="usual",
    show_default=True,
    help="How much goes wrong.",
)
@click.option(
    "--whole-share",
    type=click.FloatRange(0, 1),
    help="The share of stays that come whole, in one call; else every way as it is drawn.",
)
@click.option(
    "--under-way",
    type=click.IntRange(min=1),
    help="How many stays are under way at one moment; else 24, 100 or 400, as the seed says.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON for a machine.")
def simulate(
    *,
    seed: int,
    settlements: int,
    faults: ProfileName,
    whole_share: float | None,
    under_way: int | None,
    as_json: bool,
) -> None:
    """Settle stays between three cities while messages get lost, nodes die and disks fill up.

    The same seed and options give the same report, byte for byte. Exit codes: 0
    nothing was lost, doubled or one-sided and every invariant holds; 1 otherwise; 2 the command was
    not understood.
    """
    began = time.monotonic()
    found = _with_progress(Plan(seed, settlements, faults, whole_share, under_way))
    click.echo(reports.to_json(found) if as_json else reports.to_text(found))
    click.echo(f"{time.monotonic() - began:.1f} s", err=True)
    if not found.sound:
        raise SystemExit(1)


def _with_progress(plan: Plan) -> Report:
    """Run with a bar on a terminal, in silence into a pipe."""
    console = Console(stderr=True)
    if not console.is_terminal:
        return run(plan)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("stays", total=plan.settlements)
        return run(plan, lambda done, _total: bar.update(task, completed=done))
