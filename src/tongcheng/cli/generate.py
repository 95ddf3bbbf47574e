"""`tongcheng settlement generate`: write a file of made-up claims.

Exit codes: 0 written, 1 refused, 2 the command was not understood.
"""

import time
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from tongcheng.cli import options
from tongcheng.cli.claims_books import (
    areas_for,
    extra_needed,
    read_books,
    region_option,
    rulebook_option,
    told,
)

QUIET_S = 1
"""What is done sooner needs no progress."""
MILLION = 1_000_000


@click.command()
@click.option("--claims", "count", type=click.IntRange(min=1), required=True, help="How many rows.")
@click.option("--seed", type=click.IntRange(min=0), required=True, help="The same seed, the same.")
@click.option("--out", type=options.FILE, required=True, help="The file: .parquet or .csv.")
@rulebook_option
@region_option
@click.option(
    "--year",
    type=click.IntRange(2000, 2100),
    help="The year; else the first in which the newest version of every book holds.",
)
@click.option(
    "--flaws",
    type=click.FloatRange(0, 1),
    default=0,
    show_default=True,
    help="The share of settlements that can not be judged, for trying that out.",
)
def generate(
    count: int, seed: int, out: Path, rulebooks: tuple[Path, ...], pack: str, year: int | None,
    flaws: float,
) -> None:  # fmt: skip
    """Write made-up claims of a region's year: the same for a seed on every machine.

    Persons, hospitals and places are those that the rule books can judge. More claims of one seed
    begin with the fewer. Every row says that it is synthetic; docs/claims.md says what is drawn.
    """
    with extra_needed():
        from tongcheng.services.settlement.batch.plan import plan_of
        from tongcheng.services.settlement.batch.synthetic import Region
        from tongcheng.services.settlement.batch.synthetic_books import places_of, year_of
        from tongcheng.services.settlement.batch.synthetic_file import write_synthetic
    books = read_books(rulebooks, pack)
    plan = plan_of(books, areas_for(pack, books))
    year = year or year_of(plan)
    places = places_of(plan, year)
    started = time.monotonic()
    shown = Console(stderr=True)
    with Progress(console=shown, transient=True, disable=not shown.is_terminal) as progress:
        task = progress.add_task(out.name, total=count, visible=False)

        def tell(rows: int) -> None:
            late = time.monotonic() - started > QUIET_S
            progress.update(task, advance=rows, visible=late)

        write_synthetic(
            out,
            Region(places, year),
            seed=seed,
            claims=count,
            flaws=round(flaws * MILLION),
            told=tell,
        )
    seconds = time.monotonic() - started
    click.echo(told(rulebooks, pack))
    left = len(plan.places) - len(places)
    if left:
        click.echo(f"{left} books are not known well enough in {year}, and left out")
    click.echo(f"{count} synthetic claims of {year}, seed {seed}, in {seconds:.1f} s: {out}")
