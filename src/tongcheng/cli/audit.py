"""`tongcheng settlement audit FILE`: hold settlements computed elsewhere against the rule books.

Exit codes: 0 every row that could be judged is equal, 1 rows differ, none could be judged or the
file was refused, 2 the command was not understood.
"""

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from tongcheng.cli import options
from tongcheng.cli.audit_files import DiskMemory, source
from tongcheng.cli.audit_words import CAUSE_WORDS, LABELS
from tongcheng.cli.faults import language
from tongcheng.kernel import region, rulebook
from tongcheng.kernel.money import format_yuan
from tongcheng.node import files
from tongcheng.services.settlement.audit import Auditor, Tally
from tongcheng.services.settlement.audit_books import Books
from tongcheng.services.settlement.audit_model import Cause, Cited, Finding, Unjudged

QUIET_S = 1
"""What is done sooner needs no progress."""
OUT_COLUMNS = (
    "line",
    "settlement_id",
    "settled_on",
    "book",
    "book_digest",
    "causes",
    "facts",
    "figure",
    "theirs",
    "ours",
    "more",
    "rules",
)


class Sum(msgspec.Struct):
    """What one cause comes to: how often, and how much too much or too little the funds paid."""

    rows: int = 0
    over_fen: int = 0
    under_fen: int = 0

    def add(self, more_fen: int) -> None:
        """Count one row."""
        self.rows += 1
        self.over_fen += max(0, more_fen)
        self.under_fen += max(0, -more_fen)


@click.command()
@click.argument("file", type=options.EXISTING_FILE)
@click.option(
    "--rulebook",
    "rulebooks",
    type=options.EXISTING_FILE,
    multiple=True,
    help="A rule book beside those of the region pack; may be given several times.",
)
@click.option(
    "--region",
    "pack",
    default="jingjinji",
    show_default=True,
    help="The region pack whose books apply.",
)
@click.option(
    "--complete",
    is_flag=True,
    help="FILE holds all that its persons used: an opening that is too high differs too.",
)
@click.option("--out", type=options.FILE, help="Write every difference to this CSV file too.")
@options.as_json
def audit(
    file: Path, rulebooks: tuple[Path, ...], pack: str, out: Path | None, *, complete: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Compute every settlement in FILE anew, and list every fen of difference with its cause.

    FILE is CSV or Parquet, one settlement a row, with what the person had used before;
    docs/audit.md lists the columns. A cause is named only if it gives all figures of the row
    exactly; where several do, all are named; where none does, the row is unexplained. With --json
    each finding is one line of JSON, the last line the summary.
    """
    started = time.monotonic()
    folder = files.pack_folder(pack)
    shelf = files.read_shelf(folder, allow_drafts=True)
    more = [rulebook.parse(files.read_bytes(path).decode("utf-8")) for path in rulebooks]
    books = Books(rulebook.Shelf([*shelf, *more], allow_drafts=True), region.load(pack))
    sums: dict[str, Sum] = {}
    with DiskMemory() as memory, _table(out) as table:
        auditor = Auditor(books, memory, complete=complete)
        for found in _found(file, auditor, books, started):
            key = found.cause_keys if isinstance(found, Finding) else found.code
            fen = found.fund_more_fen if isinstance(found, Finding) else 0
            sums.setdefault(key, Sum()).add(fen)
            if table is not None:
                csv.writer(table).writerows(_lines(found))
            if as_json:
                kind = "finding" if isinstance(found, Finding) else "unjudged"
                click.echo(msgspec.json.encode({kind: found}).decode())
            else:
                _print(found)
    _summary(auditor.tally, sums, time.monotonic() - started, as_json=as_json)
    if auditor.tally.differing or auditor.tally.unjudged == auditor.tally.rows:
        raise SystemExit(1)


def _found(
    file: Path, auditor: Auditor, books: Books, started: float
) -> Iterator[Finding | Unjudged]:
    with Progress(
        console=Console(stderr=True), transient=True, disable=not Console().is_terminal
    ) as progress:
        task = progress.add_task(file.name, total=1, visible=False)

        def tell(share: float) -> None:
            late = time.monotonic() - started > QUIET_S
            progress.update(task, completed=share, visible=late)

        for batch in source(file).batches(books.book_of, tell):
            yield from auditor.batch(batch)


@contextmanager
def _table(out: Path | None) -> Iterator[TextIO | None]:
    if out is None:
        yield None
        return
    with out.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(OUT_COLUMNS)
        yield file


def _lines(found: Finding | Unjudged) -> Iterator[tuple[object, ...]]:
    """Yield the lines of --out: one for each figure, amounts in yuan."""
    if isinstance(found, Unjudged):
        told = " ".join(f"{name}={value}" for name, value in found.facts.items())
        yield (found.line, found.settlement_id, "", "", "", found.code, told, *[""] * 5)
        return
    facts = "; ".join(_facts(cause) for cause in found.causes if cause.facts)
    rules = "; ".join(_rule(rule) for rule in _rules(found))
    for each in found.differences:
        yield (
            found.line, found.settlement_id, found.settled_on.isoformat(), found.book_id,
            found.book_digest or "", found.cause_keys, facts, each.figure,
            format_yuan(each.theirs_fen), format_yuan(each.ours_fen), format_yuan(each.more_fen),
            rules,
        )  # fmt: skip


def _print(found: Finding | Unjudged) -> None:
    words = LABELS[language()]
    if isinstance(found, Unjudged):
        told = " ".join(f"{name}={value}" for name, value in found.facts.items())
        click.echo(f"{words['line']} {found.line}  {found.settlement_id}  [{found.code}] {told}")
        return
    on = found.settled_on.isoformat()
    click.echo(f"{words['line']} {found.line}  {found.settlement_id}  {on}  {found.book_id}")
    for each in found.differences:
        amounts = (
            f"{words['theirs']} {format_yuan(each.theirs_fen)}, "
            f"{words['ours']} {format_yuan(each.ours_fen)}, {_signed(each.more_fen)}"
        )
        click.echo(f"    {each.figure}: {amounts}")
    for cause in found.causes:
        told = f" ({_facts(cause)})" if cause.facts else ""
        click.echo(f"    {cause.key}{told}: {CAUSE_WORDS[cause.key][language()]}")
    for rule in _rules(found):
        click.echo(f"    {words['rule']} {_rule(rule)}")


def _rules(found: Finding) -> list[Cited]:
    """Return the rules that the causes name, else those that our figures rest on."""
    named = [rule for cause in found.causes for rule in cause.rules]
    return list(dict.fromkeys(named or found.rules))


def _rule(rule: Cited) -> str:
    origin = ", ".join(each for each in (rule.clause, *rule.sources, rule.confidence) if each)
    return f"{rule.book_id} {rule.path} = {rule.value} ({origin})"


def _facts(cause: Cause) -> str:
    return ", ".join(
        f"{name} {format_yuan(int(value))}" if name.endswith("_fen") else f"{name} {value}"
        for name, value in cause.facts.items()
    )


def _signed(fen: int) -> str:
    return f"+{format_yuan(fen)}" if fen > 0 else format_yuan(fen)


def _summary(tally: Tally, sums: dict[str, Sum], seconds: float, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode({"tally": tally, "causes": sums}).decode())
        return
    words = LABELS[language()]
    if sums:
        click.echo(words["summary"])
    for key, each in sorted(sums.items(), key=lambda item: -item[1].rows):
        over, under = format_yuan(each.over_fen), format_yuan(each.under_fen)
        click.echo(f"{each.rows:>8}  +{over:<14} -{under:<14} {key}")
    if tally.higher:
        click.echo(words["higher"].format(count=tally.higher))
    click.echo(words["drafts"])
    click.echo(
        words["verdict"].format(
            rows=tally.rows,
            equal=tally.equal,
            differing=tally.differing,
            unjudged=tally.unjudged,
            seconds=f"{seconds:.1f}",
        )
    )
