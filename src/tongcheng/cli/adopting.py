"""`tongcheng rulebook sign`, `adopt`, `shelf`: how a draft becomes the rule on a node.

An officer signs on the officer's own machine, where no node need be; the node's operator adopts.
"""

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from tongcheng.cli import options
from tongcheng.cli.officer import key_passphrase_file, read_key
from tongcheng.cli.replay import replay
from tongcheng.cli.rulebook import find_book, problems_of, read_book, rulebook
from tongcheng.kernel import officers, rulebook_record
from tongcheng.kernel import rulebook_adoption as adoptions
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.rulebook_adoption import Adoption, SignedAdoption
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.node import files
from tongcheng.node.offline import read_snapshot, run_command

__all__ = ["rulebook"]

rulebook.add_command(replay)


class Version(msgspec.Struct, frozen=True):
    """One version on a node's shelf; `officers` are the names of who adopted it."""

    book_id: str
    effective_from: str
    effective_to: str | None
    status: str
    digest: str
    officers: list[str]


@rulebook.command()
@click.argument("book", metavar="FILE|ID")
@click.option("--key", type=options.FILE, required=True, help="The officer's key.")
@click.option("--member", required=True, help="The member that adopts the book.")
@click.option(
    "-o",
    "--output",
    type=options.FILE,
    required=True,
    help="The adoption to write, or to add a signature to.",
)
@click.option(
    "--on", type=click.DateTime(["%Y-%m-%d"]), help="The day whose version is meant [the last]."
)
@click.option(
    "--replaces", metavar="DIGEST", help="The adopted version that ends the day before this one."
)
@click.option("--yes", is_flag=True, help="Sign without being asked.")
@key_passphrase_file
def sign(
    book: str,
    key: Path,
    member: str,
    output: Path,
    on: datetime | None,
    replaces: str | None,
    passphrase_file: Path | None,
    *,
    yes: bool,
) -> None:
    """Sign the adoption of a rule book as an officer, after being shown what is doubtful in it.

    The first officer draws the document up, the second adds a signature to the same file.
    """
    found = find_book(book, on)
    _refuse_faults(found)
    document = _document(output, found, member, replaces)
    adoptions.check_book(document, found)
    _print(found, document)
    if not yes:
        click.confirm("Sign?", abort=True, err=True)
    signed = adoptions.sign(document, member, read_key(key, passphrase_file))
    files.write_file(output, signed.encoded() + b"\n")
    missing = adoptions.SIGNERS_MIN - len(signed.signatures)
    click.echo(f"{output}: still to sign: {missing}" if missing > 0 else f"{output}: signed")


def _document(path: Path, book: RuleBook, member: str, replaces: str | None) -> SignedAdoption:
    """Return the document in the file, or a new one; both officers mean the same replacement."""
    if not path.exists():
        now_at = SystemClock().now()
        return adoptions.draw_up(book, member, made_at=now_at, replaces=replaces)
    document = _read(path)
    if replaces not in {None, document.adoption.replaces}:
        raise Refused("ADOPTION_REPLACES", digest=replaces, book=book.book_id)
    return document


def _read(path: Path) -> SignedAdoption:
    return adoptions.parse(files.read_bytes(path).removesuffix(b"\n"))


def _refuse_faults(book: RuleBook) -> None:
    problems = problems_of(book)
    if problems:
        first = f"{problems[0].path} {problems[0].code}".strip()
        raise Refused("RULE_BOOK_FAULTY", book=book.book_id, problem=first, count=len(problems))


def _print(book: RuleBook, document: SignedAdoption) -> None:
    """Show what an officer must see before signing: all that is signed, and the book's title."""
    said = document.adoption
    click.echo(f"{book.title['zh']} · {book.title['en']}")
    click.echo(f"{said.book_id}, {said.effective_from} – {said.effective_to or 'open'}")
    click.echo(f"digest {said.digest}")
    doubts = said.doubts
    click.echo(
        f"{doubts.figures} figures: {doubts.doubtful} doubtful, of them {doubts.unknown} unknown"
        f" and {doubts.conflicting} in conflict"
    )
    if said.replaces is not None:
        click.echo(f"replaces {said.replaces}, which ends the day before")
    made = datetime.fromtimestamp(said.made_at // 1_000, UTC)
    click.echo(f"adopted by {said.member_id}, drawn up {made:%Y-%m-%d %H:%M:%SZ}")
    click.echo(said.statement)
    for one in document.signatures:
        click.echo(f"signed by {one.kid}")


@rulebook.command()
@click.argument("file", type=options.FILE)
@options.data
@click.option(
    "--book", "brought", type=options.FILE, help="The book itself, when the node does not have it."
)
@options.passphrase_file
def adopt(file: Path, folder: Path, brought: Path | None, passphrase_file: Path | None) -> None:
    """Adopt a rule book by the signed adoption in FILE; the node must not be running.

    Two officers of the node's member must have signed. It counts from the node's next start on;
    what was settled before stands as it is.
    """
    raw = files.read_bytes(file).removesuffix(b"\n")
    book = None if brought is None else read_book(brought)

    def command(tx: Transaction) -> Adoption:
        said = rulebook_record.adopt(tx, raw, book)
        _refuse_faults(rulebook_record.known_book(tx, said.digest))
        return said

    passphrase = files.read_passphrase(passphrase_file)
    said = run_command(files.node_directory(folder), command, passphrase=passphrase)
    click.echo(f"{said.book_id} adopted from {said.effective_from}, digest {said.digest}")


@rulebook.command()
@options.data
@options.passphrase_file
@options.as_json
def shelf(folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """List the versions that a node goes by: from when to when, adopted by whom, or draft."""
    passphrase = files.read_passphrase(passphrase_file)
    found = read_snapshot(files.node_directory(folder), _versions, passphrase=passphrase)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for one in found:
        by = f" by {', '.join(one.officers)}" if one.officers else ""
        click.echo(f"{one.book_id}, {one.effective_from} – {one.effective_to or 'open'}")
        click.echo(f"  {one.status}{by}, digest {one.digest}")


def _versions(snapshot: Snapshot, home: Home) -> list[Version]:
    names = {kid: row.name for kid, row in officers.by_kid(snapshot).items()}
    signers = {
        document.adoption.digest: [names[one.kid] for one in document.signatures]
        for document in rulebook_record.adopted(snapshot)
    }
    return [
        Version(
            book.book_id,
            book.effective_from.isoformat(),
            None if book.effective_to is None else book.effective_to.isoformat(),
            book.status,
            book.digest,
            signers.get(book.digest, []),
        )
        for book in home.shelf
    ]
