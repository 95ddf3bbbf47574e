"""`journal verify`: everything this node can prove or disprove about its own database.

In order: the file, the schema, the code of every row; then what can be rebuilt: the tree and its
checkpoints, the exchange and its evidence, the ledger, the audit, the accords, the cases, and what
each service adds. A check that rests on a damaged row is left out, and said to be; it would only
repeat the damage in other words. What is not covered (the tail since the last co-signature, the
collusion of all members) stands in docs/protocol/04-journal-checkpoints-proofs.md.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from tongcheng.kernel import tables
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal.checks import rows
from tongcheng.kernel.journal.checks.cases import cases
from tongcheng.kernel.journal.checks.exchange import EXCHANGE
from tongcheng.kernel.journal.checks.grants import GRANTED
from tongcheng.kernel.journal.checks.ledger import LEDGER
from tongcheng.kernel.journal.checks.records import ADOPTED, AUDITED
from tongcheng.kernel.journal.checks.rulebooks import RULEBOOKS
from tongcheng.kernel.journal.checks.staff import ACCOUNTS
from tongcheng.kernel.journal.checks.tree import TREE
from tongcheng.kernel.journal.checks.view import Check, Progress, View
from tongcheng.kernel.journal.witness import WITNESSED
from tongcheng.kernel.service import Finding, Service
from tongcheng.kernel.store import Snapshot, Storage

CHECKS = (TREE, ADOPTED, RULEBOOKS, ACCOUNTS, GRANTED, EXCHANGE, LEDGER, AUDITED)


class Report(msgspec.Struct):
    """What verification found. `skipped` are checks that rest on damaged rows.

    `cosigned` of `leaves` are covered by a checkpoint that `witnesses` peers have co-signed; what
    came after it only this node vouches for.
    """

    member_id: str
    rows: int = 0
    leaves: int = 0
    cosigned: int = 0
    witnesses: int = 0
    transfers: int = 0
    findings: list[Finding] = []
    skipped: list[str] = []


def silent(_stage: str, _done: int, _total: int) -> None:
    """Tell no progress."""


def verify(
    database: Storage,
    home: Home,
    services: Sequence[Service] = (),
    *,
    progress: Progress = silent,
    peer_notes: Sequence[str] = (),
) -> Report:
    """Verify a node's database, opened for reading; a running node is not held up.

    `peer_notes` are checkpoints of this node that peers have witnessed, if their databases are at
    hand. Refuses a file that cannot be read at all, is not ours, or does not fit the keys.
    """
    report = Report(member_id=home.member_id)
    with database.snapshot() as snapshot:
        report.findings.extend(Finding(*flaw) for flaw in database.inspect(snapshot))
        row_check = rows.RowCheck(database, snapshot, progress)
        report.findings.extend(row_check.run())
        report.rows = row_check.checked
        view = View(snapshot, home, progress, tuple(peer_notes))
        kinds = [kind for service in services for kind in service.cases]
        for check in (*CHECKS, cases(kinds), *_of_services(services)):
            if row_check.damaged & {records.name for records in check.tables}:
                report.skipped.append(check.name)
            else:
                _run(check, view, report)
    for name, figure in view.figures.items():
        setattr(report, name, figure)
    return report


def _of_services(services: Sequence[Service]) -> Iterator[Check]:
    """Yield the services' own checks, each resting on its service's tables and the kernel's."""
    for service in services:
        for hook in service.verify:
            resting_on = (*service.tables, *tables.KERNEL_TABLES)
            yield Check(service.name, resting_on, _looked_at_by(hook))


def _looked_at_by(
    hook: Callable[[Snapshot, Home], Iterator[Finding]],
) -> Callable[[View], Iterator[Finding]]:
    def run(view: View) -> Iterator[Finding]:
        return hook(view.snapshot, view.home)

    return run


def _run(check: Check, view: View, report: Report) -> None:
    """Run one check; one that fails on what it reads is a finding, never a traceback."""
    try:
        report.findings.extend(check.run(view))
    except Exception as error:  # noqa: BLE001 damage may break any assumption; the reader is told
        if report.findings:
            report.skipped.append(check.name)
        else:
            problem = f"could not be checked: {type(error).__name__}: {error}"
            report.findings.append(Finding(table=f"({check.name})", key="-", problem=problem))


def witnessed(snapshot: Snapshot) -> dict[str, str]:
    """Return the last checkpoint that this node has witnessed of each peer, as notes."""
    return {row.member_id: row.note for row in snapshot.select(WITNESSED)}
