"""Verification names a delegation or an access that differs from the journal, code or no code."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.kernel.access.people import TABLE, Office, term
from tests.kernel.access.test_grants import offer
from tests.kernel.access.test_reviews import REASON, STAY, WORDS
from tongcheng.kernel import journal
from tongcheng.kernel.access import grants, reviews
from tongcheng.kernel.access.grants import DELEGATIONS, LEAF_KIND
from tongcheng.kernel.access.reviews import EMERGENCIES, REVIEWS, Glass
from tongcheng.kernel.journal.checks.grants import GRANTED
from tongcheng.kernel.journal.checks.view import View
from tongcheng.kernel.store import Transaction


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """A store with a delegation that stands, one that was ended, and two accesses."""
    office = Office(tmp_path)
    boss, temp = office.hire("boss"), office.hire("temp")
    judge = office.hire("judge", term("auditor"))

    def command(tx: Transaction) -> None:
        grants.give(tx, TABLE, boss, offer(temp))
        ended = grants.give(tx, TABLE, boss, offer(temp))
        grants.end(tx, temp, ended.delegation_id)
        reviews.break_glass(tx, boss, Glass(STAY, "s1", REASON))
        judged = reviews.break_glass(tx, boss, Glass(STAY, "s2", REASON))
        reviews.decide(tx, judge, judged.emergency_id, "object", WORDS)

    office.run(command)
    yield office
    office.database.close()


def _found(office: Office) -> list[str]:
    with office.database.snapshot() as snapshot:
        view = View(snapshot, office.home, lambda *_: None)
        return [finding.table for finding in GRANTED.run(view)]


def _lend_more(tx: Transaction) -> None:
    row = tx.select(DELEGATIONS)[0]
    tx.put(DELEGATIONS, msgspec.structs.replace(row, actions='["audit.read"]'))


def _live_again(tx: Transaction) -> None:
    row = next(row for row in tx.select(DELEGATIONS) if row.ended_at)
    tx.put(DELEGATIONS, msgspec.structs.replace(row, ended_at=None, ended_by=None))


def _longer(tx: Transaction) -> None:
    row = tx.select(EMERGENCIES)[0]
    tx.put(EMERGENCIES, msgspec.structs.replace(row, to_at=row.to_at + 1))


def _acquit(tx: Transaction) -> None:
    row = next(row for row in tx.select(REVIEWS) if row.state != "open")
    tx.put(REVIEWS, msgspec.structs.replace(row, state="justified"))


def _later(tx: Transaction) -> None:
    row = next(row for row in tx.select(REVIEWS) if row.state == "open")
    tx.put(REVIEWS, msgspec.structs.replace(row, due_at=row.due_at + 1))


def _from_nowhere(tx: Transaction) -> None:
    journal.append(tx, LEAF_KIND, "delegation/none/1", b"{}")


def test_an_honest_store_has_no_findings(office: Office) -> None:
    """Standing, ended, open and decided: each row is as its leaf says."""
    assert _found(office) == []


@pytest.mark.parametrize(
    ("change", "tables"),
    [
        (_lend_more, ["delegations"]),
        (_live_again, ["journal_leaves"]),
        (_longer, ["emergencies"]),
        (_acquit, ["emergency_reviews"]),
        (_later, ["emergencies"]),
        (_from_nowhere, ["journal_leaves"]),
    ],
)
def test_what_was_changed_is_named(
    office: Office, change: Callable[[Transaction], None], tables: list[str]
) -> None:
    """Also by somebody with the node's keys, whose rows carry right codes."""
    office.run(change)

    assert _found(office) == tables
