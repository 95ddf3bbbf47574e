"""`tongcheng settlement case …`: what waits for whom, and the agency's own decisions.

Reading what was said and deciding are written into the store, so the node must not be running.
"""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tongcheng.cli import options
from tongcheng.kernel import audit, cases
from tongcheng.kernel.calendar import local_text
from tongcheng.kernel.cases import CaseRow, History
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.node import files
from tongcheng.node.offline import read_snapshot, run_command
from tongcheng.services.settlement import line_query
from tongcheng.services.settlement.line_query import AGENCY, LINE_QUERY, AgencyAction

PAGE_CASES = 500
ACTIONS = tuple(action for action, roles in LINE_QUERY.may.items() if AGENCY in roles)

officer = click.option("--officer", required=True, help="Who acts, as the audit will say it.")


class Listed(msgspec.Struct, frozen=True):
    """One open case as `list` shows it; instants are Unix ms, `why` a code."""

    case_id: str
    stay_id: str
    line_id: str
    state: str
    owner: str | None
    due_at: int | None
    overdue: bool
    why: str | None


@click.group()
def case() -> None:
    """List what persons ask about their bills; read and decide what came to the agency."""


@case.command("list")
@options.data
@click.option("--overdue", is_flag=True, help="Only those whose deadline has passed.")
@options.passphrase_file
@options.as_json
def list_(folder: Path, passphrase_file: Path | None, *, overdue: bool, as_json: bool) -> None:
    """List the open cases, those due first standing first; the node may be running."""
    now_at = SystemClock().now()

    def question(snapshot: Snapshot, home: Home) -> tuple[str, list[CaseRow]]:
        if overdue:
            return home.region.zone, cases.overdue(snapshot, now_at, limit=PAGE_CASES)
        found: list[CaseRow] = []
        after: str | None = None
        while True:
            page = cases.open_cases(snapshot, after=after, limit=PAGE_CASES)
            found += page.cases
            after = page.next_after
            if after is None:
                return home.region.zone, found

    passphrase = files.read_passphrase(passphrase_file)
    zone, rows = read_snapshot(folder, question, passphrase=passphrase)
    listed = [_listed(row, now_at) for row in rows]
    if as_json:
        click.echo(msgspec.json.encode(listed).decode())
        return
    table = Table("case", "stay", "line", "state", "whose turn", "until")
    for one in listed:
        table.add_row(
            one.case_id, one.stay_id, one.line_id, one.state, one.owner, _until(one, zone)
        )
    Console(soft_wrap=True).print(table)
    late = sum(one.overdue for one in listed)
    click.echo(f"{len(listed)} open, {late} overdue")


@case.command()
@click.argument("case_id", metavar="CASE")
@options.data
@officer
@options.passphrase_file
def read(case_id: str, folder: Path, officer: str, passphrase_file: Path | None) -> None:
    """Show a CASE with what was said; the reading is written into the audit."""

    def command(tx: Transaction) -> tuple[str, History, dict[int, str]]:
        line_query.query_of(tx, AGENCY, tx.home.member_id, case_id)
        audit.note(tx, audit.Entry(officer, "case.read", case_id))
        said = line_query.said(tx, tx.home.ring, case_id)
        return tx.home.region.zone, cases.history(tx, case_id), said

    passphrase = files.read_passphrase(passphrase_file)
    zone, found, said = run_command(folder, command, passphrase=passphrase)
    for one in found.receipts:
        at = local_text(one.at, zone)
        click.echo(f"{one.number}  {at}  {one.role}: {one.action}  (leaf {one.leaf_index})")
        if one.number in said:
            # Each line stands apart, so that what was said never looks like a hand-over.
            for line in said[one.number].splitlines():
                click.echo(f"   > {line}")
    now_at = SystemClock().now()
    click.echo(f"{found.case.state}; until {_until(_listed(found.case, now_at), zone) or '-'}")


@case.command()
@click.argument("case_id", metavar="CASE")
@click.argument("action", type=click.Choice(ACTIONS))
@options.data
@officer
@click.option("--text", default="", help="The reasons, for the person and the hospital.")
@options.passphrase_file
def decide(
    case_id: str,
    action: AgencyAction,
    folder: Path,
    officer: str,
    text: str,
    passphrase_file: Path | None,
) -> None:
    """Decide a CASE that came to the agency: the person is right, or the line stands.

    `lapsed` closes one whose person has let the deadline pass after the hospital's answer.
    """
    passphrase = files.read_passphrase(passphrase_file)
    handed = run_command(
        folder,
        lambda tx: line_query.decide(tx, officer, case_id, action, text),
        passphrase=passphrase,
    )
    receipt = handed.receipt
    click.echo(
        f"{case_id}: {handed.case.state}; receipt {receipt.number}, leaf {receipt.leaf_index}, "
        f"digest {receipt.digest.hex()}"
    )


def _listed(row: CaseRow, now_at: int) -> Listed:
    why = cases.undated(row)
    return Listed(
        case_id=row.case_id,
        stay_id=row.subject,
        line_id=row.item,
        state=row.state,
        owner=row.owner_role,
        due_at=row.due_at,
        overdue=cases.is_late(row, now_at),
        why=None if why is None else why.code,
    )


def _until(one: Listed, zone: str) -> str:
    """Return the last day of a turn, with a mark when it is over, or why there is none."""
    if one.due_at is None:
        return one.why or ""
    day = local_text(one.due_at - 1, zone)[:10]
    return f"{day} OVERDUE" if one.overdue else day
