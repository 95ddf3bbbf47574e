"""`tongcheng simulate-nation`: many seeds of the simulator, added up.

Exit codes: 0 every seed is sound, 1 one is not or is missing, 2 the command was not understood or
the file of results cannot be used.
"""

import asyncio
import os
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from tongcheng.cli import options
from tongcheng.simulation.nation import crew, results, sources, table
from tongcheng.simulation.nation.crew import SourcesChanged
from tongcheng.simulation.nation.plans import plans
from tongcheng.simulation.nation.results import Finished, Header, Results, ResultsUnusable
from tongcheng.simulation.nation.totals import Totals, add_up
from tongcheng.simulation.region import Plan

SETTLEMENTS = 1_000_000
STAYS_PER_SEED = 6_000
"""Starting a process and building its region is then a twentieth of a seed's work."""
RATE_OVER_S = 600


class Unusable(click.ClickException):
    """The file of results cannot be used, or code was changed under the run: exit code 2."""

    exit_code = 2


@click.command("simulate-nation")
@click.option(
    "--settlements",
    type=click.IntRange(min=1),
    default=SETTLEMENTS,
    show_default=True,
    help="How many stays to bring to an end, at least.",
)
@click.option(
    "--results",
    "path",
    type=options.FILE,
    default=Path("nation.jsonl"),
    show_default=True,
    help="The file in which every finished seed is a line.",
)
@click.option("--first-seed", type=int, default=1, show_default=True, help="The first seed.")
@click.option(
    "--stays-per-seed",
    type=click.IntRange(min=1),
    default=STAYS_PER_SEED,
    show_default=True,
    help="A seed has from a half to three halves of so many stays.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=lambda: os.cpu_count() or 1,
    show_default="one a core",
    help="How many seeds run at a time.",
)
@click.option("--anew", is_flag=True, help="Begin the file of results anew.")
@click.option("--show", is_flag=True, help="Run nothing: say what the file of results holds.")
@click.option("--json", "form", flag_value="json", help="Write JSON for a machine.")
@click.option("--markdown", "form", flag_value="markdown", help="Write a section of a page.")
def simulate_nation(
    *,
    settlements: int,
    path: Path,
    first_seed: int,
    stays_per_seed: int,
    workers: int,
    anew: bool,
    show: bool,
    form: str | None,
) -> None:
    """Simulate as many seeds as bring a nation's settlements, and add up what they found.

    Stopped by Ctrl-C or a power cut, the same command goes on where it was: seeds that are in the
    file of results do not run again. Results of other code or other rule books are refused. Exit
    codes: 0 every seed is sound; 1 one is not, or is missing; 2 the command was not understood, or
    the file of results cannot be used.
    """
    try:
        if show:
            header, finished = results.read(path)
            planned = plans(header.first_seed, settlements, header.stays_per_seed)
            failed: dict[int, str] = {}
        else:
            header = Header(
                sources=sources.digest(), first_seed=first_seed, stays_per_seed=stays_per_seed
            )
            planned = plans(first_seed, settlements, stays_per_seed)
            with Results(path, header, anew=anew) as kept:
                failed = _run(kept, planned, workers)
                finished = list(kept.finished.values())
    except ResultsUnusable as fault:
        raise Unusable(str(fault)) from fault
    except SourcesChanged:
        raise Unusable(CHANGED) from None
    ran = {one.report.seed for one in finished}
    missing = sum(plan.seed not in ran and plan.seed not in failed for plan in planned)
    totals = add_up(finished, failed, missing)
    _say(header, finished, totals, form)
    if not totals.sound:
        raise SystemExit(1)


CHANGED = "code or rule books were changed while the run went on; --anew starts it with these"


def _say(header: Header, finished: list[Finished], totals: Totals, form: str | None) -> None:
    if form == "json":
        click.echo(table.to_json(totals))
    elif form == "markdown":
        click.echo(table.to_markdown(header, finished, totals))
    else:
        click.echo(table.to_text(totals))


def _run(kept: Results, planned: list[Plan], workers: int) -> dict[int, str]:
    """Run what is not in the file yet; a bar on a terminal, silence into a pipe."""
    left = [plan for plan in planned if plan.seed not in kept.finished]
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    bar = Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        speed_estimate_period=RATE_OVER_S,
    )
    with bar:
        task = bar.add_task(
            "stays",
            total=sum(plan.settlements for plan in planned),
            completed=sum(one.report.stays for one in kept.finished.values()),
            rate="",
        )
        follower = Follower(bar, task, kept)
        return asyncio.run(
            crew.run(left, kept.header.sources, workers, follower.step, follower.end)
        )


class Follower:
    """Moves the bar: what finished seeds had, and how far those are that run."""

    def __init__(self, bar: Progress, task: TaskID, kept: Results) -> None:
        self._bar = bar
        self._task = task
        self._kept = kept
        self._running: dict[int, int] = {}

    def step(self, seed: int, done: int) -> None:
        """A seed has so many stays done."""
        self._running[seed] = done
        self._move()

    def end(self, finished: Finished) -> None:
        """A seed is finished: keep it before anything else."""
        self._kept.add(finished)
        self._running.pop(finished.report.seed, None)
        self._move()

    def _move(self) -> None:
        stays = sum(one.report.stays for one in self._kept.finished.values())
        speed = self._bar.tasks[self._task].speed
        self._bar.update(
            self._task,
            completed=stays + sum(self._running.values()),
            rate="" if speed is None else f"{speed:,.0f}/s",
        )
