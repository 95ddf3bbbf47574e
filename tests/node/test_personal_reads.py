"""Every page that shows personal data says so in the audit before it answers, whichever it is.

The pages are found in the application itself: a new one fails here until it has an example.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from litestar.testing import TestClient

import tongcheng
from tests.services.settlement import two_cities
from tests.services.settlement.two_cities import Running
from tests.signed_in import cookies, signed_in
from tongcheng.kernel.access.actions import KERNEL_ACTIONS
from tongcheng.kernel.audit import AUDIT, KERNEL_READS, AuditRow
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import ACT_SENT, SENT
from tongcheng.kernel.store import Command, Transaction
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.node.core import Node
from tongcheng.node.pages import HANDLERS as NODE_PAGES
from tongcheng.node.services import SERVICES
from tongcheng.services.settlement import bills, line_query
from tongcheng.services.settlement.store import STAYS, ClaimRow
from tongcheng.web.toolkit import ACTION

ACTIONS = (*KERNEL_ACTIONS, *(action for service in SERVICES for action in service.actions))
PERSONAL = {action.name for action in ACTIONS if action.personal}
HANDLERS = (*NODE_PAGES, *(page for service in SERVICES for page in service.pages))
PATHS = sorted(
    path for handler in HANDLERS if handler.opt[ACTION] in PERSONAL for path in handler.paths
)


NOTED = re.compile(r"""(?:Entry|note|note_read)\((?:[\w.]+, )+"([a-z_.]+\.read)\"""")


def _stay(_running: Running, claim: ClaimRow) -> str:
    return claim.stay_id


def _case(running: Running, claim: ClaimRow) -> str:
    """Ask about the stay's first line and return the case."""

    def command(tx: Transaction) -> str:
        line = bills.active_lines(tx, claim.stay_id)[0]
        person_id = tx.need(STAYS, claim.stay_id).person_id
        words = "这一项我没有做过"
        handed = line_query.open_query(tx, person_id, claim.stay_id, line.line_id, words)
        return handed.case.case_id

    case_id: str = running.run(running.cities.tianjin.run(command))
    return case_id


def _envelope(running: Running, _claim: ClaimRow) -> str:
    """Return the first envelope that the hospital's side sent, once a checkpoint covers it."""
    running.run(running.cities.tianjin.checkpoints.round())
    with running.cities.tianjin.database.snapshot() as snapshot:
        return f"{ACT_SENT}/{snapshot.select(SENT)[0].envelope_id}"


EXAMPLES: dict[str, Callable[[Running, ClaimRow], str]] = {
    "/journal/entries/{given:path}": _envelope,
    "/journal/proofs/{given:path}": _envelope,
    "/settlement/cases/{case_id:str}": _case,
    "/settlement/stays/{stay_id:str}": _stay,
}


def _rows(node: Node) -> list[AuditRow]:
    with node.database.snapshot() as snapshot:
        return snapshot.select(AUDIT)


def test_every_page_has_an_example() -> None:
    """A page that shows personal data and is not tried here would be read in silence."""
    assert sorted(EXAMPLES) == PATHS


@pytest.mark.parametrize("path", PATHS)
def test_a_read_is_noted_before_it_is_answered(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One entry more, marked as a personal read; where none can be written, nothing is shown."""
    with two_cities.running(tmp_path) as running:
        claim = running.run(running.cities.settled(0))
        node = running.cities.tianjin
        subject = EXAMPLES[path](running, claim)
        reader = running.run(signed_in(node, "auditor"))
        address = "/zh" + path.partition("{")[0] + subject
        app = create_app(node, make_console(node), pages=True, run_node=False)
        with TestClient(app, cookies=cookies(reader)) as client:
            before = _rows(node)
            answer = client.get(address)
            noted = _rows(node)[len(before) :]

            async def full(_command: Command) -> None:
                raise Refused("STORE_UNAVAILABLE", detail="full")

            monkeypatch.setattr(node, "run", full)
            unnoted = client.get(address)

    assert answer.status_code == 200
    assert [row.actor for row in noted] == [f"account/{reader.account_id}"]
    assert noted[0].action in node.reads
    assert unnoted.status_code == 503
    assert claim.settlement_id not in unnoted.text


def test_every_read_has_words() -> None:
    """What the code writes into the audit as a read stands in the table of reads, and no more."""
    source = Path(tongcheng.__file__).parent
    files = [*source.glob("services/**/*.py"), *source.glob("node/**/*.py")]
    actions = {one for file in files for one in NOTED.findall(file.read_text("utf-8"))}
    known = {action for service in SERVICES for action in service.reads} | set(KERNEL_READS)

    assert actions - known == {"access.reviews.read", "audit.read"}
    assert {one for one in known if one.endswith(".read")} <= actions
