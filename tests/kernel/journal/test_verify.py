"""A byte changed in any stored value is found, and named by table and key."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.kernel.region_of_nodes import Region, populated
from tests.toy import MEMBERS, NOW_AT, PINGS, TOY, ring_of, toy_node
from tongcheng.kernel import canonical, journal, merkle
from tongcheng.kernel.adoption import ACCORDS
from tongcheng.kernel.audit import AUDIT, AUDIT_HEAD
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import CHANNELS, SENT, TAKEN
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal.checkpoint import CHECKPOINTS
from tongcheng.kernel.journal.verify import Report, verify, witnessed
from tongcheng.kernel.journal.witness import CONFLICTS, HEARD, WITNESSED, ConflictRow
from tongcheng.kernel.ledger import ACCOUNTS, HOLDS, TRANSFERS
from tongcheng.kernel.service import Finding, Service
from tongcheng.kernel.store import Database, Records, Snapshot
from tongcheng.kernel.store.records import DECLARED, MAC_COLUMN, show_key

FIRST, SECOND, _ = MEMBERS
MAC_KEY = ring_of(FIRST).mac_key
NEVER_FILLED = {"journal_conflicts"}
"""A row there is a finding by itself."""

OURS = (
    "accords", "audit", "credentials", "exchange_", "journal_", "ledger_", "toy_", "writer_lease",
)  # fmt: skip
"""The kernel's tables by the beginning of their names, and the toy service's."""

SCENE = {name for name in DECLARED if name.startswith(OURS) and name not in NEVER_FILLED}
COLUMNS = [
    (records.name, column.name)
    for records in DECLARED.values()
    if records.name in SCENE
    for column in records.table.columns
]


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A region that has exchanged, kept books and co-signed, and is closed; never changed."""
    return populated(tmp_path_factory.mktemp("region"))


@pytest.fixture
def folder(region: Path, tmp_path: Path) -> Path:
    """A copy of the first node's folder, to damage."""
    shutil.copytree(region / FIRST, tmp_path / FIRST)
    return tmp_path / FIRST


def _verify(folder: Path, *services: Service, **options: Any) -> Report:
    node = toy_node(folder, FIRST, None, ManualClock(NOW_AT))  # type: ignore[arg-type]
    try:
        return verify(node.database, node.home, services or (TOY,), **options)
    finally:
        node.database.close()


def _sql(folder: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(folder / "node.sqlite", isolation_level=None)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def _places(report: Report) -> list[tuple[str, str]]:
    return [(one.table, one.key) for one in report.findings]


def _changed(value: Any) -> Any:
    """Return the value with one byte or one digit of it changed."""
    if value is None:
        return 1
    if isinstance(value, int):
        return value ^ 2
    if isinstance(value, bytes):
        return bytes((value[0] ^ 1,)) + value[1:] if value else b"x"
    return value[:-1] + ("x" if value[-1:] != "x" else "y")


# the untouched node


@pytest.mark.parametrize("member", MEMBERS)
def test_sound_node_has_no_findings(region: Path, member: str) -> None:
    """Every check passes on what real nodes wrote, and the co-signatures of both peers count."""
    node = toy_node(region / member, member, None, ManualClock(NOW_AT))  # type: ignore[arg-type]

    report = verify(node.database, node.home, (TOY,))

    assert report.findings == []
    assert report.skipped == []
    assert (report.cosigned, report.witnesses) == (report.leaves, 2)
    assert report.leaves > 0


def test_scene_has_a_row_everywhere(region: Path) -> None:
    """The test below changes a value in every table; an empty table would test nothing."""
    counts = {name: len(_sql(region / FIRST, DECLARED[name].sql_select)) for name in SCENE}

    assert [name for name, count in counts.items() if count == 0] == []
    assert len(COLUMNS) > 100


# one byte


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_changed_value_is_named(folder: Path, table: str, column: str) -> None:
    """One stored value is changed by plain SQL: verification names that table and that row only."""
    records = DECLARED[table]
    where = " AND ".join(f"{name} = ?" for name in records.key)
    stored = _sql(folder, records.sql_select)[-1]
    changed = list(stored)
    position = [*records.fields, MAC_COLUMN].index(column)
    value = _changed(stored[position])
    if records.key_in(stored) != records.key_in(
        [*stored[:position], value, *stored[position + 1 :]]
    ):
        taken = {records.key_in(row) for row in _sql(folder, records.sql_select)}
        while records.key_in([*stored[:position], value, *stored[position + 1 :]]) in taken:
            value = value + 64 if isinstance(value, int) else value + type(value)()
    changed[position] = value

    statement = f"UPDATE {table} SET {column} = ? WHERE {where}"  # noqa: S608
    _sql(folder, statement, value, *records.key_in(stored))

    report = _verify(folder)

    assert _places(report) == [(table, show_key(records.key_in(changed)))]


def test_text_that_is_no_utf8_is_named(folder: Path) -> None:
    """A flipped bit can make text undecodable; that is a finding like any other, not a crash."""
    _sql(folder, "UPDATE toy_pings SET what = CAST(x'ff' AS TEXT) WHERE number = 2")

    assert _places(_verify(folder)) == [("toy_pings", "2")]


def test_every_damage_is_reported(folder: Path) -> None:
    """Verification goes on after the first finding, and says which checks it left out."""
    _sql(folder, "UPDATE toy_pings SET n = n + 1")
    _sql(folder, "UPDATE ledger_accounts SET debited_fen = debited_fen + 1")

    report = _verify(folder)

    assert {table for table, _ in _places(report)} == {"toy_pings", "ledger_accounts"}
    assert len(report.findings) == 6
    assert report.skipped == ["ledger"]


def test_flipped_bytes_of_the_file(folder: Path) -> None:
    """A byte flipped in the file gives findings or one refusal, or nothing stored is different."""
    path = folder / "node.sqlite"
    sound = path.read_bytes()
    before = _dump(path)
    found = 0
    for offset in range(0, len(sound), len(sound) // 120):
        damaged = bytearray(sound)
        damaged[offset] ^= 0x10
        path.write_bytes(damaged)
        is_found = bool(_outcome(folder))
        found += is_found
        assert is_found or _dump(path) == before, f"byte {offset} changed what is stored"

    assert found > 0


def _outcome(folder: Path) -> list[str]:
    """Return what verification says about a file: findings, or the one refusal it may give."""
    try:
        return [one.table for one in _verify(folder).findings]
    except Refused as refusal:
        return [{"STORE_UNREADABLE": "u", "STORE_FOREIGN": "f", "STORE_VERSION": "v"}[refusal.code]]


def _dump(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


# rows and schema


PROVABLE: tuple[Records[Any], ...] = (
    ACCORDS, ACCOUNTS, AUDIT, AUDIT_HEAD, CHANNELS, HOLDS, SENT, TAKEN, TRANSFERS,
    journal.JOURNAL_CONTENTS, journal.JOURNAL_HEAD, journal.JOURNAL_LEAVES,
)  # fmt: skip


@pytest.mark.parametrize("records", PROVABLE, ids=lambda one: one.name)
def test_missing_row_is_named(folder: Path, records: Records[Any]) -> None:
    """A row taken out whole leaves no broken code behind, but a gap that other rows prove."""
    first = _sql(folder, f"{records.sql_select} ORDER BY {', '.join(records.key)}")[0]
    where = " AND ".join(f"{name} = ?" for name in records.key)
    statement = f"DELETE FROM {records.name} WHERE {where}"  # noqa: S608
    _sql(folder, statement, *records.key_in(first))

    places = _places(_verify(folder))

    tables = {table for table, _ in places}
    assert records.name in tables
    if records.name not in {"exchange_sent", "exchange_taken"}:
        assert (records.name, show_key(records.key_in(first))) in places


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("CREATE TABLE extra (x)", ("(schema)", "extra")),
        ("ALTER TABLE toy_pings ADD COLUMN extra TEXT", ("(schema)", "toy_pings")),
        ("DROP INDEX audit_by_subject", ("(schema)", "audit_by_subject")),
        ("CREATE TRIGGER t AFTER INSERT ON audit BEGIN SELECT 1; END", ("(schema)", "t")),
    ],
)
def test_changed_schema_is_named(folder: Path, statement: str, place: tuple[str, str]) -> None:
    """Tables, columns, indexes and triggers that this software did not make are findings."""
    _sql(folder, statement)

    assert _places(_verify(folder)) == [place]


def test_missing_table_is_named(folder: Path) -> None:
    """A dropped table is one finding of the schema and one of its rows."""
    _sql(folder, "DROP TABLE toy_pings")

    assert set(_places(_verify(folder))) == {("(schema)", "toy_pings"), ("toy_pings", "-")}


# with the node's own keys


def _forge(folder: Path, records: Records[Any], position: int = 0, **changes: Any) -> str:
    """Rewrite one row with a right code, as somebody with the node's keys could; return its key."""
    order = ", ".join(records.key)
    stored = _sql(folder, f"{records.sql_select} ORDER BY {order}")[position]
    row = msgspec.structs.replace(records.decode(stored, MAC_KEY), **changes)
    _sql(folder, records.sql_put, *records.encode(row, MAC_KEY))
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

    report = _verify(folder)

    assert (records.name, key) in _places(report)


def test_sealed_audit_cannot_be_rewritten(folder: Path) -> None:
    """An entry that a seal in the journal covers cannot change, whoever has the keys."""
    _forge(folder, AUDIT, detail="never happened")

    assert _places(_verify(folder)) == [("audit", "1 to 3")]


def test_content_of_another_leaf_is_named(folder: Path) -> None:
    """Contents cannot be swapped: each is sealed to its own leaf."""
    sealed = _sql(folder, "SELECT sealed FROM journal_contents ORDER BY kind, content_id")
    key = _forge(folder, journal.JOURNAL_CONTENTS, sealed=sealed[1][0])

    assert ("journal_contents", key) in _places(_verify(folder))


def test_journal_rewritten_from_the_start_is_caught(folder: Path) -> None:
    """Whoever rewrites a leaf and the head with the keys still lacks the peers' signatures."""
    rows = _sql(folder, f"{journal.JOURNAL_LEAVES.sql_select} ORDER BY leaf_index")
    row = journal.JOURNAL_LEAVES.decode(rows[-1], MAC_KEY)
    _forge(folder, journal.JOURNAL_LEAVES, -1, kind=row.kind, at=row.at + 1)
    sound = _verify(folder)
    digest = b"\1" * 32
    forged = journal.leaf_input(row.kind, row.content_id, digest)
    _forge(folder, journal.JOURNAL_LEAVES, -1, digest=digest, leaf_hash=merkle.leaf_hash(forged))

    places = _places(_verify(folder))

    assert sound.findings == [], "the instant of a leaf is not in the tree"
    assert {table for table, _ in places} >= {"journal_contents", "journal_checkpoints"}


# what peers have seen


def test_database_set_back_is_caught_by_a_peer(region: Path, tmp_path: Path) -> None:
    """An older copy of the whole file is sound by itself; a peer's checkpoint says what is lost."""
    older = populated_short(tmp_path)
    note = _witnessed_by(region / SECOND)[FIRST]

    alone = _verify(older)
    report = _verify(older, peer_notes=[note])

    assert alone.findings == []
    assert _places(report) == [("journal_head", "journal")]
    assert "16 leaves" in report.findings[0].problem
    assert _verify(region / FIRST, peer_notes=[note]).findings == []


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
    _sql(folder, CONFLICTS.sql_put, *CONFLICTS.encode(row, MAC_KEY))

    assert _places(_verify(folder)) == [("journal_conflicts", "hebei-hsb")]


# services


def _service(hook: Callable[[Snapshot, Home], Iterator[Finding]]) -> Service:
    return Service(name="hooked", tables=(PINGS,), verify=(hook,))


def test_services_add_their_own_checks(folder: Path) -> None:
    """What a service finds is in the report beside the kernel's."""
    found = Finding(table="toy_pings", key="1", problem="unlikely")

    assert _verify(folder, _service(lambda _s, _h: iter([found]))).findings == [found]


def test_service_check_waits_for_sound_rows(folder: Path) -> None:
    """A hook never computes on a damaged row; the report says that it was left out."""
    _sql(folder, "UPDATE toy_pings SET n = 7 WHERE number = 1")

    report = _verify(folder, _service(lambda _s, _h: iter([])))

    assert _places(report) == [("toy_pings", "1")]
    assert report.skipped == ["hooked"]


def test_failing_check_is_a_finding(folder: Path) -> None:
    """A hook that trips over what it reads is reported by name, not as a traceback."""

    def trips(_snapshot: Snapshot, _home: Home) -> Iterator[Finding]:
        yield from ()
        message = "a row is not there"
        raise AssertionError(message)

    report = _verify(folder, _service(trips))

    assert _places(report) == [("(hooked)", "-")]
    assert "a row is not there" in report.findings[0].problem


# files that are no database


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "STORE_FOREIGN"),
        (b"not a database at all" * 100, "STORE_UNREADABLE"),
        (b"SQLite format 3\0" + b"\0" * 100, "STORE_UNREADABLE"),
    ],
)
def test_malformed_file_is_refused(folder: Path, content: bytes, code: str) -> None:
    """What is no database is one message that names the file."""
    (folder / "node.sqlite").write_bytes(content)

    with pytest.raises(Refused) as refused:
        _verify(folder)

    assert refused.value.code == code
    assert refused.value.facts["file"] == "node.sqlite"


@pytest.mark.parametrize("percent", [1, 10, 50, 90, 99])
def test_truncated_file_is_found(folder: Path, percent: int) -> None:
    """A file cut short is refused or reported, wherever the cut is."""
    path = folder / "node.sqlite"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * percent // 100])

    assert _outcome(folder)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A folder without a database is a message; none is created."""
    with pytest.raises(Refused) as refused:
        _verify(tmp_path)

    assert refused.value.code == "STORE_UNREADABLE"
    assert not (tmp_path / "node.sqlite").exists()


def test_other_keys_are_refused(folder: Path) -> None:
    """With another node's keys no row would fit; that is said once, not once a row."""
    home = toy_node(folder, SECOND, None, ManualClock(NOW_AT)).home  # type: ignore[arg-type]

    with pytest.raises(Refused) as refused:
        verify(Database(folder / "node.sqlite", home.ring.mac_key), home)

    assert refused.value.code == "STORE_OTHER_KEYS"


def test_other_version_is_refused(folder: Path) -> None:
    """A schema of another version is not judged by this one's rules."""
    _sql(folder, "PRAGMA user_version = 99")

    with pytest.raises(Refused) as refused:
        _verify(folder)

    assert refused.value.code == "STORE_VERSION"


def test_progress_is_told(folder: Path) -> None:
    """Whoever waits is told the stage, and how much of it there is."""
    stages: list[tuple[str, int, int]] = []

    _verify(folder, progress=lambda stage, done, total: stages.append((stage, done, total)))

    assert ("journal_leaves", 0, 16) in stages
    assert {stage for stage, _, _ in stages} >= {"audit", "ledger", "exchange_taken"}


def test_transfer_content_is_canonical(folder: Path) -> None:
    """What the journal keeps of a transfer can be read by anyone who has the protocol."""
    node = toy_node(folder, FIRST, None, ManualClock(NOW_AT))  # type: ignore[arg-type]
    with node.database.snapshot() as snapshot:
        leaves = snapshot.select(journal.JOURNAL_LEAVES, kind="transfer")
        raw = journal.content(snapshot, node.home.ring, "transfer", leaves[0].content_id)

    assert raw is not None
    decoded = canonical.decode(raw)
    assert isinstance(decoded, dict)
    assert decoded["amount_fen"] == 4_369_463
