"""Rows, their columns and their codes."""

import hmac
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.store.stage import OTHERS, THINGS, Stage, ThingRow, thing
from tongcheng.kernel.store import StoredValueDamaged
from tongcheng.kernel.store.records import MAC_BYTES, keyed_mac, show_key

KEY = b"k" * 32

ROWS = st.builds(
    ThingRow,
    thing_id=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    number=st.integers(-(2**63), 2**63 - 1),
    flag=st.booleans(),
    blob=st.binary(max_size=20),
    note=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)


@given(ROWS)
def test_rows_round_trip(row: ThingRow) -> None:
    """Every value of every column type comes back from the store as it went in."""
    with sqlite3.connect(":memory:") as connection:
        connection.execute(
            "CREATE TABLE store_things (thing_id TEXT PRIMARY KEY, number INTEGER NOT NULL, "
            "flag INTEGER NOT NULL, blob BLOB NOT NULL, note TEXT, row_mac BLOB NOT NULL) STRICT"
        )
        connection.execute(THINGS.sql_put, THINGS.encode(row, KEY))
        stored = connection.execute(THINGS.sql_get, (row.thing_id,)).fetchone()
    connection.close()

    found = THINGS.decode(stored, KEY)

    assert found == row
    assert isinstance(found.flag, bool)


@given(ROWS, ROWS)
def test_codes_tell_rows_apart(one: ThingRow, other: ThingRow) -> None:
    """Two rows that differ anywhere have different codes; the same row always has the same."""
    codes = [THINGS.encode(row, KEY)[-1] for row in (one, other, one)]

    assert codes[0] == codes[2]
    assert (codes[0] == codes[1]) == (one == other)
    assert isinstance(codes[0], bytes)
    assert len(codes[0]) == MAC_BYTES


def test_values_cannot_move_between_columns_tables_or_keys() -> None:
    """The code covers the table's name, each value with its type, and the node's key."""
    stored = THINGS.encode(thing("a", 1, "b"), KEY)

    for damaged in (
        ("b", *stored[1:]),
        (stored[0], "1", *stored[2:]),
        (*stored[:3], "\0\xff", *stored[4:]),
        (*stored[:4], None, stored[5]),
        (*stored[:5], b""),
        (*stored[:5], None),
    ):
        with pytest.raises(StoredValueDamaged):
            THINGS.decode(damaged, KEY)
    assert not THINGS.is_intact(stored, b"o" * 32)
    assert not OTHERS.is_intact(stored, KEY)


def test_keys_are_shown_to_people() -> None:
    """Bytes are shown as hex, parts separated, nothing hidden."""
    assert show_key(("beijing-hsb", 7)) == "beijing-hsb/7"
    assert show_key((b"\1\xff",)) == "01ff"


def test_tables_are_strict_and_clustered(tmp_path: Path) -> None:
    """A column takes its own type only; what has no row number is stored in key order."""
    stage = Stage(tmp_path)
    with pytest.raises(sqlite3.IntegrityError):
        stage.database.writing.execute(
            "INSERT INTO store_things VALUES ('a', 'text', 0, x'00', NULL, x'00')"
        )
    [(sql,)] = stage.database.writing.execute(
        "SELECT sql FROM sqlite_master WHERE name = 'ledger_transfers'"
    ).fetchall()
    stage.database.close()

    assert "WITHOUT ROWID" in sql
    assert "STRICT" in sql


@given(st.binary(max_size=64), st.binary(max_size=300))
def test_codes_are_hmac_sha256(key: bytes, message: bytes) -> None:
    """The quicker way is RFC 2104's, to the byte."""
    assert keyed_mac(key)(message) == hmac.digest(key, message, "sha256")[:MAC_BYTES]
