"""`tongcheng rulebook …`: check rule books, read one as a table, compare two versions.

Exit codes: 0 nothing wrong, 1 problems found, 2 the command was not understood.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import tongcheng
from tongcheng.cli import options
from tongcheng.cli.counted import counted
from tongcheng.kernel import rulebook as books
from tongcheng.kernel.errors import Catalogue, Refused
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import Problem, RuleBook, RuleValue
from tongcheng.services.settlement import management, overlay, rules
from tongcheng.services.settlement.compiler import check_benefit

PACKAGE = Path(tongcheng.__file__).parent
DOUBTFUL = "doubtful"
SHAPES: Mapping[str, Callable[[RuleBook], list[Problem]]] = {
    rules.KIND: check_benefit,
    management.KIND: management.check_management,
    overlay.KIND: overlay.check_overlay,
}
"""Kind of a book → what else is checked of it."""
_GIVE_WAY = frozenset({"remark", "file", "before", "after"})
_STEP = re.compile(r"([a-z0-9_]+)(?:\[(\d+)\])?")


class Checked(msgspec.Struct):
    """What `check` says of one file; no book when it could not be read."""

    file: str
    book_id: str | None
    digest: str | None
    figures: int
    doubtful: int
    problems: list[Problem]


class Figure(msgspec.Struct):
    """One figure of a book as `show` lists it."""

    path: str
    value: str | None
    sources: tuple[str, ...]
    confidence: str
    clause: str | None
    remark: str | None
    conflicts: tuple[books.Conflict, ...]
    doubtful: bool


@click.group()
def rulebook() -> None:
    """Check, read, compare and adopt rule books: dated figures, each with its source."""


@rulebook.command()
@click.argument("files", nargs=-1, type=options.EXISTING_FILE)
@options.as_json
def check(files: tuple[Path, ...], *, as_json: bool) -> None:
    """Check FILES: origins, shape, sums, overlapping versions. Without FILES, those shipped."""
    results = _check_all(files or tuple(_shipped()))
    if as_json:
        click.echo(msgspec.json.encode(results).decode())
    else:
        _print_checked(results)
    if any(result.problems for result in results):
        raise SystemExit(1)


@rulebook.command()
@click.argument("book", metavar="FILE|ID")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day whose version is meant.")
@options.as_json
def show(book: str, on: datetime | None, *, as_json: bool) -> None:
    """Show every figure of a book with its source and confidence, doubtful ones marked."""
    found = find_book(book, on)
    if as_json:
        document = {
            "book_id": found.book_id,
            "digest": found.digest,
            "status": found.status,
            "figures": [_figure(path, value) for path, value in books.rule_values(found)],
        }
        click.echo(msgspec.json.encode(document).decode())
        return
    _print_book(found)


@rulebook.command()
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@options.as_json
def diff(before: str, after: str, *, as_json: bool) -> None:
    """List every leaf in which AFTER differs from BEFORE. Differences are not problems.

    Each is a file, or the id of a shipped book, also with a day (`ID@2025-06-29`).
    """
    changes = books.diff(find_book(before), find_book(after))
    if as_json:
        click.echo(msgspec.json.encode(changes).decode())
        return
    table = _table("figure", "before", "after")
    for change in changes:
        table.add_row(*(_cell(text) for text in (change.path, change.before, change.after)))
    console = Console()
    console.print(table)
    console.print(counted(len(changes), "difference", "differences"))


def _shipped() -> Iterator[Path]:
    return iter(sorted((PACKAGE / "regions").glob("*/rulebooks/*.yaml")))


def _words(refused: Refused) -> str:
    catalogue = Catalogue.load(
        PACKAGE / "kernel" / "errors.yaml", PACKAGE / "services" / "settlement" / "errors.yaml"
    )
    words = catalogue.render(refused, "en")
    return f"{words.what} {words.do}"


def _parse(path: Path) -> RuleBook:
    try:
        return books.parse(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise Refused("RULE_BOOK_YAML", line=1, fault="not UTF-8") from None


def read_book(path: Path) -> RuleBook:
    """Read a file that must be a rule book, or end with exit code 1."""
    try:
        return _parse(path)
    except Refused as refused:
        message = f"{path.name}: [{refused.code}] {_words(refused)}"
        raise click.ClickException(message) from None


def find_book(name: str, on: datetime | None = None) -> RuleBook:
    """Read a file, or find a shipped book by its id: on that day, else its last version.

    The day may stand in the name: `beijing-employee-inpatient@2025-06-29`.
    """
    if Path(name).is_file():
        return read_book(Path(name))
    name, _, stated = name.partition("@")
    if stated:
        try:
            on = datetime.strptime(stated, "%Y-%m-%d")  # noqa: DTZ007 - a day of the region
        except ValueError:
            message = f"{stated!r} is no day, as 2025-06-29"
            raise click.UsageError(message) from None
    versions = [book for book in map(read_book, _shipped()) if book.book_id == name]
    if on is not None:
        versions = [book for book in versions if book.covers(on.date())]
    if not versions:
        day = "" if on is None else f" on {on.date().isoformat()}"
        message = f"no file and no shipped rule book is called {name!r}{day}"
        raise click.UsageError(message)
    return max(versions, key=lambda book: book.effective_from)


def problems_of(book: RuleBook) -> list[Problem]:
    """Return what is wrong with a book by itself: its origins, and the shape of its kind."""
    shape = SHAPES.get(book.kind)
    return books.check(book) + ([] if shape is None else shape(book))


def _check_all(files: Iterable[Path]) -> list[Checked]:
    results = []
    read: list[RuleBook] = []
    for path in files:
        try:
            book = _parse(path)
        except Refused as refused:
            problems = [Problem("", refused.code, _words(refused))]
            results.append(Checked(path.name, None, None, 0, 0, problems))
            continue
        problems = problems_of(book)
        try:
            books.Shelf([*read, book])
            read.append(book)
        except Refused as refused:
            problems.append(Problem("effective", refused.code, _words(refused)))
        values = [value for _, value in books.rule_values(book)]
        doubtful = sum(value.doubtful for value in values)
        results.append(
            Checked(path.name, book.book_id, book.digest, len(values), doubtful, problems)
        )
    return results


def _print_checked(results: list[Checked]) -> None:
    console = Console()
    table = _table("file", "digest", "figures", DOUBTFUL, "problems")
    for one in results:
        digest = (one.digest or "")[:12]
        counts = (str(one.figures), str(one.doubtful), str(len(one.problems)))
        table.add_row(_cell(one.file), digest, *counts)
    console.print(table)
    for one in results:
        for problem in one.problems:
            place = f"{one.file} {problem.path}".strip()
            console.print(f"{escape(place)}: {problem.code} {escape(problem.detail)}".rstrip())


def _figure(path: str, value: RuleValue) -> Figure:
    return Figure(
        path,
        value.value,
        value.source_keys,
        value.confidence,
        value.clause,
        value.remark,
        value.conflicts,
        value.doubtful,
    )


def _print_book(book: RuleBook) -> None:
    console = Console()
    console.print(f"{escape(book.title['zh'])} · {escape(book.title['en'])}", style="bold")
    ends = book.effective_to.isoformat() if book.effective_to else "until further notice"
    console.print(f"{book.book_id}, {book.effective_from.isoformat()} – {ends}, {book.status}")
    console.print(f"digest {book.digest}")
    table = _table("figure", "value", "source, confidence", "remark")
    for path, value in books.rule_values(book):
        also = [f"{other.value} by {other.source}" for other in value.conflicts]
        remark = "; ".join(
            [*(text for text in (value.clause, value.remark) if text), *(f"but {a}" for a in also)]
        )
        confidence = f"{value.confidence}, {DOUBTFUL}" if value.doubtful else value.confidence
        figure = (path.removeprefix("rules."), applies_to(book, path))
        table.add_row(
            _cell("\n".join(filter(None, figure))),
            _cell("unknown" if value.value is None else value.value),
            _cell(f"{', '.join(value.source_keys)}\n{confidence}"),
            _cell(remark),
            style="yellow" if value.doubtful else None,
        )
    console.print(table)
    for key, source in book.sources.items():
        where = f" ({source.where})" if source.where else ""
        console.print(f"{escape(key)}: {escape(source.what)}{escape(where)}")


def applies_to(book: RuleBook, path: str) -> str:
    """Say what the rows that hold a figure are about: "levels 3", "persons retired"."""
    words: list[str] = []
    node: Plain = book.document
    for name, index in _STEP.findall(path):
        if isinstance(node, dict):
            node = node[name]
        if index and isinstance(node, list):
            node = node[int(index)]
            words += _selectors(node)
    return "; ".join(words)


def _selectors(row: Plain) -> list[str]:
    if not isinstance(row, dict):
        return []
    lists = {key: value if isinstance(value, list) else [value] for key, value in row.items()}
    return [
        f"{key} {', '.join(str(item) for item in items)}"
        for key, items in lists.items()
        if all(isinstance(item, str) for item in items)
    ]


def _table(*columns: str) -> Table:
    """Return a table whose cells are folded, never cut: a cut figure is a wrong one.

    The longest texts, remarks and names of files, give way first.
    """
    table = Table(show_lines=True)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column not in _GIVE_WAY)
    return table


def _cell(text: str | None) -> str:
    return "" if text is None else escape(text)
