"""`tongcheng settlement what-if`: judge the same claims under two sets of rules, and compare.

Exit codes: 0 done (rows that are not judged are listed with their codes), 1 no row was judged
under both, or something was refused, 2 the command was not understood, 143 SIGTERM ended it.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tongcheng.cli import options
from tongcheng.cli.claims_books import areas_for, extra_needed, read_books
from tongcheng.cli.claims_run import one_way, result_console, running
from tongcheng.cli.counted import counted
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import format_yuan

if TYPE_CHECKING:
    from tongcheng.services.settlement.what_if.answer import Answer, Group
    from tongcheng.services.settlement.what_if.work import WhatIf

BOOKS = click.Path(exists=True, path_type=Path)
TITLES = {
    "insured_area": "insured in",
    "visited_area": "treated in",
    "scheme": "scheme",
    "age": "age from",
    "hospital_level": "hospital level",
    "person_type": "person",
}
ORDERS = {
    "sequence": "their sequence (rows without one: the last day of the period)",
    "ended_on": "event time: the last day of the period, then the order of the file",
}
PAYERS = {
    "pool_fen": "pool",
    "large_fen": "large amounts",
    "catastrophic_fen": "catastrophic",
    "assistance_fen": "assistance",
    "person_in_scope_fen": "persons, in scope",
    "catastrophic_expected_fen": "catastrophic, announced",
    "assistance_expected_fen": "assistance, announced",
}


class _Done(msgspec.Struct, frozen=True):
    """What is written for a machine; amounts are int fen."""

    claims: str
    out: str | None
    backend: str
    seconds: float
    answer: "Answer"


@click.command("what-if")
@click.option(
    "--claims", "claims_file", type=options.EXISTING_FILE, required=True, help="The claims."
)
@click.option(
    "--old",
    type=BOOKS,
    multiple=True,
    help="A rule book, or a directory of them, in place of the region pack's; may be repeated.",
)
@click.option(
    "--new",
    type=BOOKS,
    multiple=True,
    required=True,
    help="A version that stands in for the old ones of its book on the days that it covers, or a"
    " book of another id that is added; also a directory. May be repeated.",
)
@click.option(
    "--region",
    "pack",
    default="jingjinji",
    show_default=True,
    help="The region pack whose areas, and without --old whose books, apply; `none` for areas"
    " that are those of the books alone.",
)
@click.option("--out", type=options.FILE, help="Both results claim by claim: .parquet or .csv.")
@click.option("--causes", is_flag=True, help="Tell direct changes from consequences; half as fast.")
@options.workers
@options.scheduler
@options.as_json
def what_if(  # noqa: PLR0913 one for each option
    claims_file: Path, old: tuple[Path, ...], new: tuple[Path, ...], pack: str, out: Path | None,
    workers: int | None, scheduler: str | None, *, causes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Judge every claim of a file under the old and under the new rules: who gains, who loses.

    What each person has used of the year is carried anew under either. Says what it costs by fund,
    city, scheme, age, hospital level, kind of person and decile; rows that are not judged under
    both are in no sum and are listed by code. Draft books are applied, and said to be drafts.
    docs/what-if.md explains each figure.
    """
    with extra_needed():
        from tongcheng.services.settlement.what_if.versions import replaced
        from tongcheng.services.settlement.what_if.work import Rules, WhatIf
    one_way(workers, scheduler)
    if out is not None and out.exists() and out.samefile(claims_file):
        raise Refused("CLAIMS_OUT", file=str(out), fault="it is the file of claims")
    before = read_books(old, pack)
    after = replaced(before, read_books(new, pack))
    rules = Rules(tuple(before), tuple(after), areas_for(pack, [*before, *after]))
    done = _run(WhatIf(rules, claims_file, out, causes), workers, scheduler)
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
    else:
        _print(done)
    if done.answer.rows and not any(done.answer.judged.values()):
        raise SystemExit(1)


def _run(asked: "WhatIf", workers: int | None, scheduler: str | None) -> _Done:
    with extra_needed():
        from tongcheng.services.settlement.batch.run import warm
        from tongcheng.services.settlement.what_if.work import what_if as answer_of
    backend = warm()
    started = time.monotonic()
    with running(asked.claims) as progress:
        found = answer_of(asked, workers=workers, scheduler=scheduler, progress=progress)
    seconds = round(time.monotonic() - started, 3)
    out = None if asked.out is None else str(asked.out)
    return _Done(str(asked.claims), out, backend, seconds, found)


def _print(done: _Done) -> None:
    console = result_console()
    answer = done.answer
    for title, books in (("old", answer.old_books), ("new", answer.new_books)):
        for book in books:
            days = f"{book.effective_from} – {book.effective_to or 'until further notice'}"
            console.print(f"{title}: {escape(book.book_id)} {book.digest[:12]}, {days}")
    if answer.drafts:
        names = ", ".join(sorted({book.book_id for book in answer.drafts}))
        console.print(f"DRAFT, nobody's law yet: {escape(names)}")
    console.print(f"events of one person in the order of {ORDERS[answer.order]}")
    _print_whole(console, answer)
    for name, title in TITLES.items():
        _print_groups(console, title, answer.groups[name])
    _print_deciles(console, answer)
    _print_bands(console, answer)
    _print_rows(console, done)


def _print_whole(console: Console, answer: "Answer") -> None:
    whole = answer.all
    console.print(
        f"{counted(whole.settlements, 'settlement', 'settlements')} stand, "
        f"{whole.changed} would change"
        + (
            f": {whole.direct} directly, {whole.changed - whole.direct} only as a consequence."
            if answer.causes
            else " (--causes tells direct changes from consequences)."
        )
    )
    console.print(
        f"Of {counted(whole.persons, 'person', 'persons')} {whole.gaining} would bear less, "
        f"{format_yuan(whole.gained_fen)} yuan in all; {whole.losing} more, "
        f"{format_yuan(whole.lost_fen)}; {whole.even} the same."
    )
    table = _table("who pays, yuan", "old", "new", "difference")
    for each in (*whole.amounts, *answer.announced):
        amounts = (format_yuan(each.old_fen), format_yuan(each.new_fen))
        table.add_row(PAYERS[each.payer], *amounts, _signed(each.difference_fen))
    amounts = (format_yuan(whole.old_fund_fen), format_yuan(whole.new_fund_fen))
    table.add_row("all funds at discharge", *amounts, _signed(whole.cost_fen))
    console.print(table, soft_wrap=False)


def _print_groups(console: Console, title: str, groups: "tuple[Group, ...]") -> None:
    columns = ("settlements", "change", "persons", "gain", "lose", "funds old", "funds cost more")
    table = _table(title, *columns)
    for group in groups:
        counts = (group.settlements, group.changed, group.persons, group.gaining, group.losing)
        funds = (format_yuan(group.old_fund_fen), _signed(group.cost_fen))
        table.add_row(group.key or "not known", *map(str, counts), *funds)
    console.print(table, soft_wrap=False)


def _print_deciles(console: Console, answer: "Answer") -> None:
    console.print(
        "Tenths of the persons by what they bore in scope under the old rules, least first"
        " (claims say nothing of income):"
    )
    table = _table("tenth", "persons", "bore, yuan", "gain", "lose", "would bear more")
    for each in answer.deciles:
        counts = (str(each.gaining), str(each.losing))
        difference = each.new_person_fen - each.old_person_fen
        borne = format_yuan(each.old_person_fen)
        table.add_row(str(each.number), str(each.persons), borne, *counts, _signed(difference))
    console.print(table, soft_wrap=False)


def _print_bands(console: Console, answer: "Answer") -> None:
    table = _table("a person would bear, yuan", "persons", "in all")
    for each in answer.bands:
        if each.persons:
            first, last = (
                "…" if fen is None else format_yuan(fen) for fen in (each.from_fen, each.to_fen)
            )
            words = "the same" if first == last else f"{first} to {last} more"
            table.add_row(words, str(each.persons), _signed(each.difference_fen))
    console.print(table, soft_wrap=False)


def _print_rows(console: Console, done: _Done) -> None:
    answer = done.answer
    if answer.not_judged:
        table = _table("not judged, in no sum", "under the old", "under the new", "rows")
        for each in answer.not_judged:
            table.add_row(each.event, each.old_code, each.new_code, str(each.rows))
        console.print(table, soft_wrap=False)
    events = ", ".join(f"{count} {word}" for word, count in answer.judged.items())
    computed = "compiled" if done.backend == "numba" else "pure Python: numba is not installed"
    out = "" if done.out is None else f"; {done.out}"
    console.print(f"{answer.rows} rows; judged under both: {events}")
    console.print(f"{done.seconds:.1f} s ({computed}){out}")


def _table(word: str, *numbers: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(word, overflow="fold")
    for title in numbers:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def _signed(fen: int) -> str:
    return f"+{format_yuan(fen)}" if fen > 0 else format_yuan(fen)
