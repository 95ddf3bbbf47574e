"""Made-up people with accounts on a store of their own, for tests of access."""

from datetime import date
from pathlib import Path
from typing import Any

from tests.kernel.store.stage import Stage
from tongcheng.kernel import region
from tongcheng.kernel.access import accounts, passwords
from tongcheng.kernel.access.accounts import NewAccount, RoleTerm, StaffRow
from tongcheng.kernel.access.actions import KERNEL_ACTIONS
from tongcheng.kernel.access.table import TABLE_FILE, AuthorityTable, parse
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Command, Snapshot
from tongcheng.node.services import SERVICES

TODAY = date(2026, 11, 22)
ADMIN = "account/admin"
PASSWORD = "four made up words"  # noqa: S105 nobody's
DIGEST = passwords.digest(PASSWORD, SeededEntropy("people"))
"""Made once: hashing is slow by design."""


def table() -> AuthorityTable:
    """Return the shipped table, checked against what the shipped services can do."""
    pack = region.load("jingjinji")
    path = region.PACKS_DIR / pack.id / TABLE_FILE
    of_services = (action for service in SERVICES for action in service.actions)
    return parse(
        path.read_text("utf-8"),
        agencies=[member.id for member in pack.members],
        actions=[action.name for action in (*KERNEL_ACTIONS, *of_services)],
    )


TABLE = table()


def term(role: str, from_on: date = TODAY, to_on: date | None = None) -> RoleTerm:
    """Return a role for a time."""
    return RoleTerm(role, from_on, to_on)


class Office(Stage):
    """A store whose commands answer or refuse."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.now_at = self.clock.now()

    def run(self, command: Command) -> Any:
        """Run one command; raise its refusal."""
        outcome = self.writer.run([command])[0]
        if outcome.error is not None:
            raise outcome.error
        return outcome.answer

    def code(self, command: Command) -> str | None:
        """Run one command; return the code of its refusal, or None."""
        try:
            self.run(command)
        except Refused as refusal:
            return refusal.code
        return None

    def hire(self, name: str, *terms: RoleTerm, **changes: Any) -> StaffRow:
        """Give somebody an account; a clerk's unless terms say otherwise."""
        fields = {"password": DIGEST, "terms": terms or (term("clerk"),), **changes}
        new = NewAccount(sign_in_name=name, display_name=f"测试{name}", **fields)
        row: StaffRow = self.run(lambda tx: accounts.add(tx, TABLE, ADMIN, new))
        return row

    def read(self, question: Any) -> Any:
        """Answer a question from what is committed."""
        with self.database.snapshot() as snapshot:
            asked: Snapshot = snapshot
            return question(asked)
