"""`tongcheng journal …`: verify what nodes have stored, prove one entry, check such a proof.

Exit codes: 0 everything holds, 1 something does not, 2 the command was not understood.
"""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tongcheng.cli import options
from tongcheng.cli.faults import message
from tongcheng.kernel import accord as accords
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal.proof import check_proof
from tongcheng.kernel.journal.proof import prove as prove_entry
from tongcheng.kernel.journal.verify import Report
from tongcheng.kernel.journal.verify import verify as verify_database
from tongcheng.kernel.journal.witness import WITNESSED
from tongcheng.kernel.ledger import TransferContent
from tongcheng.kernel.money import format_yuan
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Snapshot, StoredValueDamaged
from tongcheng.node import files
from tongcheng.node.core import DATABASE_NAME, open_database
from tongcheng.node.offline import read_snapshot
from tongcheng.node.services import SERVICES

SHOWN_MAX = 50


@click.group()
def journal() -> None:
    """Verify what nodes have stored, prove one entry, check such a proof."""


@journal.command()
@options.nodes
@options.passphrase_file
@options.as_json
def verify(folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Check every stored value, the journal's tree and signatures, evidence, balances, audit.

    The nodes may be running. With several nodes each journal is also held against what the others
    have witnessed of it. Exit code 1 when anything is wrong; table and key are named.
    """
    passphrase = files.read_passphrase(passphrase_file)
    directories = files.node_directories(folder)
    witnessed = [note for each in directories for note in _witnessed(each, passphrase)]
    console = Console(highlight=False, stderr=as_json)
    reports: dict[str, Report] = {}
    with _progress(console) as progress:
        for directory in directories:
            reports[directory.name] = _verify(directory, passphrase, witnessed, progress)
    if as_json:
        click.echo(msgspec.json.encode(reports).decode())
    else:
        _print(console, reports)
    if any(report.findings for report in reports.values()):
        raise SystemExit(1)


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _witnessed(directory: Path, passphrase: bytes | None) -> list[str]:
    """Return the checkpoints of others that this node has witnessed, if it can be read at all."""

    def question(snapshot: Snapshot, _home: Home) -> list[str]:
        return [row.note for row in snapshot.select(WITNESSED)]

    try:
        return read_snapshot(directory, question, passphrase=passphrase)
    except (Refused, StoredValueDamaged):
        # What is wrong with it is reported when this node's own turn comes.
        return []


def _verify(
    directory: Path, passphrase: bytes | None, witnessed: list[str], progress: Progress
) -> Report:
    """Verify one node; one that cannot be read at all is a report with that as its finding."""
    task = progress.add_task(directory.name)

    def tell(stage: str, done: int, total: int) -> None:
        progress.update(task, description=f"{directory.name}: {stage} {done}/{total}")

    member_id = directory.name
    try:
        home = files.open_home(directory, passphrase=passphrase)
        member_id = home.member_id
        own = [text for text in witnessed if _is_of(text, member_id)]
        database = open_database(directory, home.ring.mac_key)
        try:
            return verify_database(database, home, SERVICES, progress=tell, peer_notes=own)
        finally:
            database.close()
    except Refused as refusal:
        problem = " ".join((message(refusal) or str(refusal)).split("\n"))
        unread = Finding(table="(storage)", key=DATABASE_NAME, problem=problem)
        return Report(member_id=member_id, findings=[unread])
    finally:
        progress.remove_task(task)


def _is_of(text: str, member_id: str) -> bool:
    return notes.parse(text).checkpoint.origin.rpartition("/")[2] == member_id


def _print(console: Console, reports: dict[str, Report]) -> None:
    table = Table("node", box=None, pad_edge=False)
    for title in ("rows", "leaves", "co-signed", "by", "transfers", "findings"):
        table.add_column(title, justify="right")
    for report in reports.values():
        figures = (
            report.rows,
            report.leaves,
            report.cosigned,
            report.witnesses,
            report.transfers,
            len(report.findings),
        )
        table.add_row(report.member_id, *(f"{figure:,}" for figure in figures))
    console.print(table)
    for report in reports.values():
        _print_findings(console, report)
    total = sum(len(report.findings) for report in reports.values())
    console.print(f"{total} findings" if total else "everything holds")


def _print_findings(console: Console, report: Report) -> None:
    for one in report.findings[:SHOWN_MAX]:
        place = f"{report.member_id}: table {one.table}, key {one.key}: {one.problem}"
        console.print(escape(place), soft_wrap=True)
    if len(report.findings) > SHOWN_MAX:
        rest = len(report.findings) - SHOWN_MAX
        console.print(f"{report.member_id}: and {rest} more; --json lists all")
    if report.skipped:
        names = ", ".join(report.skipped)
        console.print(f"{report.member_id}: not carried out because of the above: {names}")
    tail = report.leaves - report.cosigned
    if tail and not report.findings:
        console.print(f"{report.member_id}: the last {tail} leaves are co-signed by nobody yet")


@journal.command()
@click.argument("name", metavar="ID")
@options.data
@options.passphrase_file
@click.option("-o", "--output", type=options.FILE, help="The file to write [standard output].")
def prove(name: str, folder: Path, passphrase_file: Path | None, output: Path | None) -> None:
    """Write the proof of one entry: an envelope's ID, or KIND/ID of any entry.

    The document holds the entry's content. Whoever has it and the accord can check it offline. Of a
    transfer that was made together with others it shows that one alone.
    """
    passphrase = files.read_passphrase(passphrase_file)
    document = read_snapshot(
        files.node_directory(folder),
        lambda snapshot, home: prove_entry(snapshot, home, name),
        passphrase=passphrase,
    )
    raw = msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
    if output is None:
        click.echo(raw.decode(), nl=False)
    else:
        files.write_file(output, raw)


@journal.command()
@click.argument("proof", type=options.FILE)
@click.option(
    "--accord",
    "accord_files",
    type=options.FILE,
    multiple=True,
    required=True,
    help="The signed accord; once for each version that keys of the proof stood in.",
)
@options.as_json
def check(proof: Path, accord_files: tuple[Path, ...], *, as_json: bool) -> None:
    """Check the proof in the file PROOF against the accord, without any database."""
    read = [files.read_bytes(path).removesuffix(b"\n") for path in accord_files]
    known = [accords.parse(raw).accord for raw in read]
    try:
        document = msgspec.json.decode(files.read_bytes(proof))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("PROOF_BROKEN", part="form: not JSON") from None
    proved = check_proof(document, known)
    if as_json:
        click.echo(msgspec.json.encode(proved).decode())
        return
    click.echo(f"the journal of {proved.member_id} holds this entry")
    if proved.transfer is not None:
        click.echo(_in_words(proved.transfer))
    if proved.sender_id is not None:
        click.echo(f"the act was signed by {proved.sender_id}")
    vouched = ", ".join(proved.witnesses) or "no other member"
    click.echo(f"its checkpoint is co-signed by {vouched}")


def _in_words(transfer: TransferContent) -> str:
    said = (
        f"transfer {transfer.transfer_id}: {format_yuan(transfer.amount_fen)} yuan, "
        f"debit {transfer.debit_account}, credit {transfer.credit_account}, "
        f"kind {transfer.kind}, month {transfer.month}, purse {transfer.purse}"
    )
    # The names are whatever the journal's owner has signed: none of them begins another line.
    return ascii(said)[1:-1]
