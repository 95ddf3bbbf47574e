"""A byte changed in any stored value is found, and named by table and key."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.journal.damage import FIRST, SECOND, places, sql, verified
from tests.toy import MEMBERS, NOW_AT, PINGS, TOY, Nowhere, toy_node
from tongcheng.kernel import canonical, journal
from tongcheng.kernel.adoption import ACCORDS
from tongcheng.kernel.audit import AUDIT, AUDIT_HEAD
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import CHANNELS, SENT, TAKEN
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal.verify import verify
from tongcheng.kernel.ledger import ACCOUNTS, HOLDS, TRANSFERS
from tongcheng.kernel.officers import OFFICERS
from tongcheng.kernel.rulebook_record import ADOPTIONS, RULE_BOOKS
from tongcheng.kernel.service import Finding, Service
from tongcheng.kernel.store import Database, Records, Snapshot
from tongcheng.kernel.store.records import DECLARED, MAC_COLUMN, show_key

NEVER_FILLED = {"journal_conflicts"}
"""A row there is a finding by itself."""

OURS = (
    "accords", "audit", "credentials", "exchange_", "journal_", "ledger_", "officers", "rulebook",
    "toy_", "writer_lease",
)  # fmt: skip
"""The kernel's tables by the beginning of their names, and the toy service's."""

SCENE = {name for name in DECLARED if name.startswith(OURS) and name not in NEVER_FILLED}
COLUMNS = [
    (records.name, column.name)
    for records in DECLARED.values()
    if records.name in SCENE
    for column in records.table.columns
]


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
def test_sound_node_has_no_findings(lived: Path, member: str) -> None:
    """Every check passes on what real nodes wrote, and the co-signatures of both peers count."""
    node = toy_node(lived / member, member, Nowhere(), ManualClock(NOW_AT))

    report = verify(node.database, node.home, (TOY,))

    assert report.findings == []
    assert report.skipped == []
    assert (report.cosigned, report.witnesses) == (report.leaves, 2)
    assert report.leaves > 0


def test_scene_has_a_row_everywhere(lived: Path) -> None:
    """The test below changes a value in every table; an empty table would test nothing."""
    counts = {name: len(sql(lived / FIRST, DECLARED[name].sql_select)) for name in SCENE}

    assert [name for name, count in counts.items() if count == 0] == []
    assert len(COLUMNS) > 100


# one byte


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_changed_value_is_named(folder: Path, table: str, column: str) -> None:
    """One stored value is changed by plain SQL: verification names that table and that row only."""
    records = DECLARED[table]
    where = " AND ".join(f"{name} = ?" for name in records.key)
    stored = sql(folder, records.sql_select)[-1]
    changed = list(stored)
    position = [*records.fields, MAC_COLUMN].index(column)
    value = _changed(stored[position])
    if records.key_in(stored) != records.key_in(
        [*stored[:position], value, *stored[position + 1 :]]
    ):
        taken = {records.key_in(row) for row in sql(folder, records.sql_select)}
        while records.key_in([*stored[:position], value, *stored[position + 1 :]]) in taken:
            value = value + 64 if isinstance(value, int) else value + type(value)()
    changed[position] = value

    statement = f"UPDATE {table} SET {column} = ? WHERE {where}"  # noqa: S608
    sql(folder, statement, value, *records.key_in(stored))

    report = verified(folder)

    assert places(report) == [(table, show_key(records.key_in(changed)))]


def test_text_that_is_no_utf8_is_named(folder: Path) -> None:
    """A flipped bit can make text undecodable; that is a finding like any other, not a crash."""
    sql(folder, "UPDATE toy_pings SET what = CAST(x'ff' AS TEXT) WHERE number = 2")

    assert places(verified(folder)) == [("toy_pings", "2")]


def test_every_damage_is_reported(folder: Path) -> None:
    """Verification goes on after the first finding, and says which checks it left out."""
    sql(folder, "UPDATE toy_pings SET n = n + 1")
    sql(folder, "UPDATE ledger_accounts SET debited_fen = debited_fen + 1")

    report = verified(folder)

    assert {table for table, _ in places(report)} == {"toy_pings", "ledger_accounts"}
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
        return [one.table for one in verified(folder).findings]
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
    ACCORDS, ACCOUNTS, ADOPTIONS, AUDIT, AUDIT_HEAD, CHANNELS, HOLDS, OFFICERS, RULE_BOOKS, SENT,
    TAKEN, TRANSFERS,
    journal.JOURNAL_CONTENTS, journal.JOURNAL_HEAD, journal.JOURNAL_LEAVES,
)  # fmt: skip


@pytest.mark.parametrize("records", PROVABLE, ids=lambda one: one.name)
def test_missing_row_is_named(folder: Path, records: Records[Any]) -> None:
    """A row taken out whole leaves no broken code behind, but a gap that other rows prove."""
    first = sql(folder, f"{records.sql_select} ORDER BY {', '.join(records.key)}")[0]
    where = " AND ".join(f"{name} = ?" for name in records.key)
    statement = f"DELETE FROM {records.name} WHERE {where}"  # noqa: S608
    sql(folder, statement, *records.key_in(first))

    found = places(verified(folder))

    tables = {table for table, _ in found}
    assert records.name in tables
    if records.name not in {"exchange_sent", "exchange_taken"}:
        assert (records.name, show_key(records.key_in(first))) in found


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("CREATE TABLE extra (x)", ("(schema)", "extra")),
        ("ALTER TABLE toy_pings ADD COLUMN extra TEXT", ("(schema)", "toy_pings")),
        ("DROP INDEX audit_by_subject_at", ("(schema)", "audit_by_subject_at")),
        ("CREATE TRIGGER t AFTER INSERT ON audit BEGIN SELECT 1; END", ("(schema)", "t")),
    ],
)
def test_changed_schema_is_named(folder: Path, statement: str, place: tuple[str, str]) -> None:
    """Tables, columns, indexes and triggers that this software did not make are findings."""
    sql(folder, statement)

    assert places(verified(folder)) == [place]


def test_missing_table_is_named(folder: Path) -> None:
    """A dropped table is one finding of the schema and one of its rows."""
    sql(folder, "DROP TABLE toy_pings")

    assert set(places(verified(folder))) == {("(schema)", "toy_pings"), ("toy_pings", "-")}


# services


def _service(hook: Callable[[Snapshot, Home], Iterator[Finding]]) -> Service:
    return Service(name="hooked", tables=(PINGS,), verify=(hook,))


def test_services_add_their_own_checks(folder: Path) -> None:
    """What a service finds is in the report beside the kernel's."""
    found = Finding(table="toy_pings", key="1", problem="unlikely")

    assert verified(folder, _service(lambda _s, _h: iter([found]))).findings == [found]


def test_service_check_waits_for_sound_rows(folder: Path) -> None:
    """A hook never computes on a damaged row; the report says that it was left out."""
    sql(folder, "UPDATE toy_pings SET n = 7 WHERE number = 1")

    report = verified(folder, _service(lambda _s, _h: iter([])))

    assert places(report) == [("toy_pings", "1")]
    assert report.skipped == ["hooked"]


def test_failing_check_is_a_finding(folder: Path) -> None:
    """A hook that trips over what it reads is reported by name, not as a traceback."""

    def trips(_snapshot: Snapshot, _home: Home) -> Iterator[Finding]:
        yield from ()
        message = "a row is not there"
        raise AssertionError(message)

    report = verified(folder, _service(trips))

    assert places(report) == [("(hooked)", "-")]
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
        verified(folder)

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
        verified(tmp_path)

    assert refused.value.code == "STORE_UNREADABLE"
    assert not (tmp_path / "node.sqlite").exists()


def test_other_keys_are_refused(folder: Path) -> None:
    """With another node's keys no row would fit; that is said once, not once a row."""
    home = toy_node(folder, SECOND, Nowhere(), ManualClock(NOW_AT)).home

    with pytest.raises(Refused) as refused:
        verify(Database(folder / "node.sqlite", home.ring.mac_key), home)

    assert refused.value.code == "STORE_OTHER_KEYS"


def test_other_version_is_refused(folder: Path) -> None:
    """A schema of another version is not judged by this one's rules."""
    sql(folder, "PRAGMA user_version = 99")

    with pytest.raises(Refused) as refused:
        verified(folder)

    assert refused.value.code == "STORE_VERSION"


def test_progress_is_told(folder: Path) -> None:
    """Whoever waits is told the stage, and how much of it there is."""
    stages: list[tuple[str, int, int]] = []

    verified(folder, progress=lambda stage, done, total: stages.append((stage, done, total)))

    assert ("journal_leaves", 0, 22) in stages
    assert {stage for stage, _, _ in stages} >= {"audit", "ledger", "exchange_taken"}


def test_transfer_content_is_canonical(folder: Path) -> None:
    """What the journal keeps of a transfer can be read by anyone who has the protocol."""
    node = toy_node(folder, FIRST, Nowhere(), ManualClock(NOW_AT))
    with node.database.snapshot() as snapshot:
        leaves = snapshot.select(journal.JOURNAL_LEAVES, kind="transfer")
        raw = journal.content(snapshot, node.home.ring, "transfer", leaves[0].content_id)

    assert raw is not None
    decoded = canonical.decode(raw)
    assert isinstance(decoded, dict)
    assert decoded["amount_fen"] == 4_369_463
