"""`tongcheng settlement adjudicate`: judge a file of claims by rule books.

Exit codes: 0 done (rows that could not be judged are listed with their code), 1 no row could be
judged, the sample differs from the twin, or a file was refused, 2 the command was not understood,
143 SIGTERM ended it.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.table import Table

from tongcheng.cli import options
from tongcheng.cli.claims_books import (
    areas_for,
    extra_needed,
    read_books,
    region_option,
    rulebook_option,
    told,
)
from tongcheng.cli.claims_run import one_way, result_console, running
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import format_yuan

if TYPE_CHECKING:
    from tongcheng.services.settlement.batch.plan import Plan
    from tongcheng.services.settlement.batch.tally import Checked
    from tongcheng.services.settlement.batch.work import Adjudication, Found


class Done(msgspec.Struct, kw_only=True):
    """What a run came to, for a machine; amounts are int fen."""

    claims: str
    out: str
    rows: int
    judged: int
    events: dict[str, int]
    codes: dict[str, int]
    sums: dict[str, int]
    books: list[dict[str, str | int]]
    draft: bool
    rulebooks: str
    backend: str
    seconds: float
    check: dict[str, object] | None = None


@click.command()
@click.option(
    "--claims", "claims_file", type=options.EXISTING_FILE, required=True, help="The claims."
)
@click.option("--out", type=options.FILE, required=True, help="The results: .parquet or .csv.")
@rulebook_option
@region_option
@click.option("--trace", is_flag=True, help="Write how each amount came about too.")
@click.option(
    "--check",
    "sample",
    type=click.IntRange(min=1),
    help="Compute about so many rows anew, slowly and apart, and say whether they are equal.",
)
@options.workers
@options.scheduler
@options.as_json
def adjudicate(  # noqa: PLR0913 one for each option
    claims_file: Path, out: Path, rulebooks: tuple[Path, ...], pack: str, sample: int | None,
    workers: int | None, scheduler: str | None, *, trace: bool, as_json: bool,
) -> None:  # fmt: skip
    """Judge every claim of a file, Parquet or CSV: who pays what, by the book of its day.

    Claims of one person are judged in their order, each with what the year had used before. Every
    row of the input has one in --out, also one that can not be judged: it has a code. Draft books
    are applied, and said to be drafts. docs/claims.md lists the columns.
    """
    with extra_needed():
        from tongcheng.services.settlement.batch.plan import plan_of
        from tongcheng.services.settlement.batch.work import Adjudication
    one_way(workers, scheduler)
    if out.exists() and out.samefile(claims_file):
        raise Refused("CLAIMS_OUT", file=str(out), fault="it is the file of claims")
    books = tuple(read_books(rulebooks, pack))
    region = areas_for(pack, books)
    asked = Adjudication(
        books=books, region=region, claims=claims_file, out=out, trace=trace, sample=sample
    )
    found, run = _run(asked, workers, scheduler)
    done = _done(asked, plan_of(books, region), found, run)
    done.rulebooks = told(rulebooks, pack)
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
    else:
        _print(done, found.checked)
    differing = found.checked is not None and found.checked.differing
    if (done.rows and not done.judged) or differing:
        raise SystemExit(1)


def _run(
    asked: "Adjudication", workers: int | None, scheduler: str | None
) -> "tuple[Found, tuple[str, float]]":
    """Return what was found, and by what in how many seconds."""
    with extra_needed():
        from tongcheng.services.settlement.batch.run import warm
        from tongcheng.services.settlement.batch.work import adjudicate as found_in
    backend = warm()
    started = time.monotonic()
    with running(asked.claims) as progress:
        found = found_in(asked, workers=workers, scheduler=scheduler, progress=progress)
    return found, (backend, time.monotonic() - started)


def _done(asked: "Adjudication", plan: "Plan", found: "Found", run: tuple[str, float]) -> Done:
    tally, checked = found.tally, found.checked
    books: list[dict[str, str | int]] = [
        {
            "book_id": version.tables.book_id,
            "digest": version.tables.digest,
            "status": version.tables.status,
            "rows": tally.versions.get(at, 0),
        }
        for at, version in enumerate(plan.versions)
    ]
    statuses = [*(each["status"] for each in books), *(each.status for each in plan.overlays)]
    return Done(
        claims=str(asked.claims),
        out=str(asked.out),
        rows=tally.rows,
        judged=tally.judged,
        events=tally.events,
        codes=dict(sorted(tally.codes.items())),
        sums=tally.sums,
        books=books,
        draft="draft" in statuses,
        rulebooks="",
        backend=run[0],
        seconds=round(run[1], 3),
        check=None
        if checked is None
        else {
            "rows": checked.rows,
            "differing": checked.differing,
            "differences": [each._asdict() for each in checked.listed],
        },
    )


def _print(done: Done, checked: "Checked | None") -> None:
    console = result_console()
    console.print(done.rulebooks)
    for title, rows in (
        (
            "fund",
            [(name.removesuffix("_fen"), format_yuan(fen)) for name, fen in done.sums.items()],
        ),
        ("not judged", [(code, str(count)) for code, count in done.codes.items()]),
    ):
        if rows:
            table = Table(title, "yuan" if title == "fund" else "rows", box=None, pad_edge=False)
            table.columns[1].justify = "right"
            for row in rows:
                table.add_row(*row)
            console.print(table, soft_wrap=False)
    if done.draft:
        used = sum(1 for each in done.books if each["status"] == "draft" and each["rows"])
        console.print(f"DRAFT: {used} of the versions that decided are drafts, nobody's law yet")
    each_second = int(done.rows / done.seconds) if done.seconds else done.rows
    events = ", ".join(f"{count} {word}" for word, count in done.events.items())
    unjudged = done.rows - done.judged
    console.print(f"{done.rows} rows ({events}): {done.judged} judged, {unjudged} not")
    if checked is not None:
        for each in checked.listed:
            console.print(f"row {each.row} {each.column}: {each.ours}, the twin {each.twin}")
        verdict = "equal" if not checked.differing else f"{checked.differing} DIFFER"
        console.print(f"{checked.rows} rows computed anew by the twin: {verdict}")
    computed = "compiled" if done.backend == "numba" else "pure Python: numba is not installed"
    console.print(f"{done.seconds:.1f} s, {each_second} rows/s ({computed}); {done.out}")
