"""`journal verify` holds every case against its hand-overs: a damaged or rewritten row is named."""

import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.kernel.cases.office import KIND, SERVICE, office
from tests.kernel.journal.damage import MAC_KEY, places, sql, verified
from tests.toy import MEMBERS
from tongcheng.kernel import cases
from tongcheng.kernel.cases import CASE_LEGS, CASE_PARTIES, CASE_RECEIPTS, CASE_WORDS, CASES
from tongcheng.kernel.cases.kind import CaseKind
from tongcheng.kernel.store import Records
from tongcheng.kernel.store.records import show_key


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node with one closed case and one open one; never changed."""
    folder = tmp_path_factory.mktemp("cases")
    with office(folder) as desk:
        case_id = desk.open().case.case_id
        desk.act(case_id, "answered", "clerk")
        desk.act(case_id, "accepted", "neighbour", "")
        desk.open("fence")
    return folder / MEMBERS[0]


@pytest.fixture
def folder(lived: Path, tmp_path: Path) -> Path:
    """A copy of its folder, to damage."""
    shutil.copytree(lived, tmp_path / MEMBERS[0])
    return tmp_path / MEMBERS[0]


def test_sound_cases_verify(folder: Path) -> None:
    """Four hand-overs, nothing wrong, and the check was not left out."""
    report = verified(folder, SERVICE)

    assert (report.findings, report.skipped, report.leaves) == ([], [], 4)


TABLES = [CASES, CASE_PARTIES, CASE_LEGS, CASE_WORDS, CASE_RECEIPTS]


@pytest.mark.parametrize("records", TABLES, ids=lambda one: one.name)
def test_a_changed_byte_is_named(folder: Path, records: Records[Any]) -> None:
    """Every value of every row, changed behind the node's back, is found by table and key."""
    for field in records.fields:
        if field in records.key:
            continue
        copy = folder.parent / f"{records.name} {field}"
        shutil.copytree(folder, copy / MEMBERS[0])
        row = sql(copy / MEMBERS[0], records.sql_select)[0]
        where = " AND ".join(f"{name} = ?" for name in records.key)
        statement = f"UPDATE {records.name} SET {field} = ? WHERE {where}"  # noqa: S608
        value = row[records.fields.index(field)]
        other = _another(value, _type_of(copy / MEMBERS[0], records, field))
        sql(copy / MEMBERS[0], statement, other, *records.key_in(row))

        found = places(verified(copy / MEMBERS[0], SERVICE))

        assert (records.name, show_key(records.key_in(row))) in found, field


def _another(value: object, column: str) -> object:
    """Return a value that the column can hold and does not."""
    match value:
        case str():
            return "other"
        case bytes():
            return b"other"
        case int():
            return value + 7
    return "x" if column == "TEXT" else 7


def _type_of(folder: Path, records: Records[Any], field: str) -> str:
    rows = sql(folder, "SELECT type FROM pragma_table_info(?) WHERE name = ?", records.name, field)
    return str(rows[0][0])


FORGERIES: list[tuple[Records[Any], int, dict[str, Any]]] = [
    (CASES, 0, {"state": "upheld"}),
    (CASES, 0, {"closed_at": 1}),
    (CASES, 1, {"due_at": 4_000_000_000_000}),
    (CASES, 1, {"handed": 2}),
    (CASES, 1, {"item": "left"}),
    (CASE_PARTIES, 0, {"party": "another town"}),
    (CASE_LEGS, 0, {"done_at": 1}),
    (CASE_LEGS, 1, {"received_at": 1}),
    (CASE_LEGS, 2, {"due_at": None}),
    (CASE_RECEIPTS, 1, {"digest": bytes(32)}),
    (CASE_RECEIPTS, 2, {"action": "complained"}),
    (CASE_RECEIPTS, 0, {"leaf_index": 3}),
    (CASE_WORDS, 0, {"sealed": bytes(64)}),
]


@pytest.mark.parametrize(("records", "position", "changes"), FORGERIES)
def test_a_forged_row_contradicts_the_journal(
    folder: Path, records: Records[Any], position: int, changes: dict[str, Any]
) -> None:
    """A row rewritten with the node's own keys is not what the hand-overs say."""
    order = ", ".join(records.key)
    stored = sql(folder, f"{records.sql_select} ORDER BY {order}")[position]
    row = msgspec.structs.replace(records.decode(stored, MAC_KEY), **changes)
    sql(folder, records.sql_put, *records.encode(row, MAC_KEY))

    assert (records.name, show_key(records.key_of(row))) in places(verified(folder, SERVICE))


@pytest.mark.parametrize("records", TABLES, ids=lambda one: one.name)
def test_a_row_taken_out_is_missed(folder: Path, records: Records[Any]) -> None:
    """A case, leg, receipt or text that is gone is named by what the journal still has."""
    key = records.key_in(sql(folder, records.sql_select)[0])
    where = " AND ".join(f"{name} = ?" for name in records.key)
    sql(folder, f"DELETE FROM {records.name} WHERE {where}", *key)  # noqa: S608

    found = places(verified(folder, SERVICE))

    assert any(re.match(re.escape(str(key[0])), name) for _, name in found)


def test_words_of_another_hand_over(folder: Path) -> None:
    """What was said cannot be put beside another hand-over: it is sealed to its own."""
    rows = [CASE_WORDS.decode(one, MAC_KEY) for one in sql(folder, CASE_WORDS.sql_select)]
    swapped = msgspec.structs.replace(rows[0], sealed=rows[1].sealed)
    sql(folder, CASE_WORDS.sql_put, *CASE_WORDS.encode(swapped, MAC_KEY))

    assert ("case_words", show_key(CASE_WORDS.key_of(swapped))) in places(verified(folder, SERVICE))


def test_a_move_that_no_table_has(folder: Path) -> None:
    """A hand-over that the kind's table does not allow is found, though rows and journal agree."""
    fields = {name: getattr(KIND, name) for name in KIND.__struct_fields__}
    table = {key: state for key, state in KIND.table.items() if key != ("answered", "accepted")}
    may = {action: roles for action, roles in KIND.may.items() if action != "accepted"}
    stricter = CaseKind(**{**fields, "table": table, "may": may})
    report = verified(folder, msgspec.structs.replace(SERVICE, cases=(stricter,)))

    assert [one.problem for one in report.findings] == ["hand-over 3 is no move of the table"]


@pytest.mark.parametrize("number", [1, 2])
def test_contents_erased_after_retention(folder: Path, number: int) -> None:
    """Without its content a hand-over still has leaf and receipt, and nothing is held against it.

    A receipt that names another leaf is still found.
    """
    key = sql(folder, CASES.sql_select)[0][0]
    like = f"{key}/%"
    sql(folder, "DELETE FROM journal_contents WHERE content_id LIKE ?", like)
    sound = verified(folder, SERVICE)
    stored = sql(folder, CASE_RECEIPTS.sql_get, key, number)[0]
    row = msgspec.structs.replace(CASE_RECEIPTS.decode(stored, MAC_KEY), leaf_index=9)
    sql(folder, CASE_RECEIPTS.sql_put, *CASE_RECEIPTS.encode(row, MAC_KEY))

    assert [one for one in sound.findings if one.table.startswith("case")] == []
    assert ("case_receipts", f"{key}/{number}") in places(verified(folder, SERVICE))


def test_the_journal_has_every_hand_over(folder: Path) -> None:
    """The leaves are of one kind, one a hand-over, under the case's id and its number."""
    rows = [CASES.decode(one, MAC_KEY) for one in sql(folder, CASES.sql_select)]
    expected = {f"{row.case_id}/{n}" for row in rows for n in range(1, row.handed + 1)}
    found = sql(folder, "SELECT kind, content_id FROM journal_leaves")

    assert {(cases.HANDOVER_KIND, key) for key in expected} == set(found)
