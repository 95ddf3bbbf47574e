"""What the holder of a node's own keys rewrites, others' signatures and the sums contradict."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.kernel.journal.damage import FIRST, MAC_KEY, SECOND, places, sql, verified
from tests.kernel.region_of_nodes import Region
from tests.officers import NAMES, book, signed
from tests.toy import ring_of
from tongcheng.kernel import journal, merkle
from tongcheng.kernel.adoption import ACCORDS
from tongcheng.kernel.audit import AUDIT, AUDIT_HEAD
from tongcheng.kernel.exchange.tables import CHANNELS, SENT, TAKEN
from tongcheng.kernel.journal.checkpoint import CHECKPOINTS
from tongcheng.kernel.journal.verify import witnessed
from tongcheng.kernel.journal.witness import CONFLICTS, HEARD, WITNESSED, ConflictRow
from tongcheng.kernel.ledger import ACCOUNTS, HOLDS, TRANSFERS
from tongcheng.kernel.officers import OFFICERS
from tongcheng.kernel.rulebook_record import ADOPTIONS, RULE_BOOKS
from tongcheng.kernel.store import Database, Records
from tongcheng.kernel.store.records import show_key

# with the node's own keys


def _forge(folder: Path, records: Records[Any], position: int = 0, **changes: Any) -> str:
    """Rewrite one row with a right code, as somebody with the node's keys could; return its key."""
    order = ", ".join(records.key)
    stored = sql(folder, f"{records.sql_select} ORDER BY {order}")[position]
    row = msgspec.structs.replace(records.decode(stored, MAC_KEY), **changes)
    sql(folder, records.sql_put, *records.encode(row, MAC_KEY))
    return show_key(records.key_of(row))


FORGERIES: list[tuple[Records[Any], dict[str, Any]]] = [
    (ACCOUNTS, {"debited_fen": 1}),
    (ACCOUNTS, {"version": 99}),
    (ACCOUNTS, {"debit_held_fen": 0}),
    (TRANSFERS, {"amount_fen": 4_369_467}),
    (TRANSFERS, {"month": "2026-12"}),
    (HOLDS, {"closed_by": b"0" * 16}),
    (SENT, {"digest": "0" * 64}),
    (SENT, {"type": "toy.other/1"}),
    (SENT, {"answer_id": "019aab00-0000-7000-8000-0000000000ff"}),
    (TAKEN, {"digest": "0" * 64}),
    (TAKEN, {"outcome": "applied", "signature": b"\0" * 64}),
    (TAKEN, {"batch_index": 1}),
    (TAKEN, {"statement": b"nonsense"}),
    (TAKEN, {"taken_at": 0}),
    (CHANNELS, {"next_seq": 3}),
    (AUDIT_HEAD, {"count": 2}),
    (AUDIT_HEAD, {"sealed": 1}),
    (ACCORDS, {"digest": "0" * 64}),
    (OFFICERS, {"name": "测试丁"}),
    (OFFICERS, {"revoked_at": 1}),
    (ADOPTIONS, {"digest": "0" * 64}),
    (ADOPTIONS, {"adopted_at": 1}),
    (ADOPTIONS, {"document": signed(book(), *NAMES).encoded()}),
    (RULE_BOOKS, {"book_id": "other"}),
    (RULE_BOOKS, {"document": b"{}"}),
    (journal.JOURNAL_HEAD, {"size": 3}),
    (journal.JOURNAL_HEAD, {"root": b"\0" * 32}),
    (journal.JOURNAL_LEAVES, {"leaf_hash": b"\0" * 32}),
    (CHECKPOINTS, {"root": b"\0" * 32}),
    (WITNESSED, {"size": 7}),
    (HEARD, {"size": 7}),
]


@pytest.mark.parametrize(
    ("records", "changes"), FORGERIES, ids=lambda one: getattr(one, "name", str(one))
)
def test_forged_row_contradicts_the_rest(
    folder: Path, records: Records[Any], changes: dict[str, Any]
) -> None:
    """A row rewritten with the node's own keys is named: journal, peers and sums contradict it."""
    key = _forge(folder, records, **changes)

    report = verified(folder)

    assert (records.name, key) in places(report)


def test_sealed_audit_cannot_be_rewritten(folder: Path) -> None:
    """An entry that a seal in the journal covers cannot change, whoever has the keys."""
    _forge(folder, AUDIT, detail="never happened")

    assert places(verified(folder)) == [("audit", "1 to 3")]


def test_content_of_another_leaf_is_named(folder: Path) -> None:
    """Contents cannot be swapped: each is sealed to its own leaf."""
    sealed = sql(folder, "SELECT sealed FROM journal_contents ORDER BY kind, content_id")
    key = _forge(folder, journal.JOURNAL_CONTENTS, sealed=sealed[1][0])

    assert ("journal_contents", key) in places(verified(folder))


def test_journal_rewritten_from_the_start_is_caught(folder: Path) -> None:
    """Whoever rewrites a leaf and the head with the keys still lacks the peers' signatures."""
    rows = sql(folder, f"{journal.JOURNAL_LEAVES.sql_select} ORDER BY leaf_index")
    row = journal.JOURNAL_LEAVES.decode(rows[-1], MAC_KEY)
    _forge(folder, journal.JOURNAL_LEAVES, -1, kind=row.kind, at=row.at + 1)
    sound = verified(folder)
    digest = b"\1" * 32
    forged = journal.leaf_input(row.kind, row.content_id, digest)
    _forge(folder, journal.JOURNAL_LEAVES, -1, digest=digest, leaf_hash=merkle.leaf_hash(forged))

    found = places(verified(folder))

    assert sound.findings == [], "the instant of a leaf is not in the tree"
    assert {table for table, _ in found} >= {"journal_contents", "journal_checkpoints"}


# what peers have seen


def test_database_set_back_is_caught_by_a_peer(lived: Path, tmp_path: Path) -> None:
    """An older copy of the whole file is sound by itself; a peer's checkpoint says what is lost."""
    older = populated_short(tmp_path)
    note = _witnessed_by(lived / SECOND)[FIRST]

    alone = verified(older)
    report = verified(older, peer_notes=[note])

    assert alone.findings == []
    assert places(report) == [("journal_head", "journal")]
    assert "22 leaves" in report.findings[0].problem
    assert verified(lived / FIRST, peer_notes=[note]).findings == []


def populated_short(folder: Path) -> Path:
    """Return the same node as it stood right after adopting the accord."""

    async def short() -> None:
        region = Region(folder)
        await region.open()
        await region.close()

    asyncio.run(short())
    return folder / FIRST


def _witnessed_by(folder: Path) -> dict[str, str]:
    database = Database(folder / "node.sqlite", ring_of(SECOND).mac_key)
    with database.snapshot() as snapshot:
        return witnessed(snapshot)


def test_conflict_is_reported_until_it_is_dealt_with(folder: Path) -> None:
    """Two contradicting checkpoints of a peer make every verification fail."""
    row = ConflictRow("hebei-hsb", "CHECKPOINT_SPLIT_VIEW", SECOND, "one", "other", 1)
    sql(folder, CONFLICTS.sql_put, *CONFLICTS.encode(row, MAC_KEY))

    assert places(verified(folder)) == [("journal_conflicts", "hebei-hsb")]
