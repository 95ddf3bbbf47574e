"""However a file holds a value, it is that value; what is none marks its row and stops nothing."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.services.settlement.batch.claim_files import (
    Row,
    claim,
    columns_of,
    pool_fen,
    verdicts,
    write_parquet,
)


def _typed(rows: list[Row], **types: Callable[[list[Any]], pa.Array]) -> dict[str, pa.Array]:
    """Return rows as columns, some of them of another type."""
    columns = columns_of(rows)
    for name, make in types.items():
        columns[name] = make([row[name] for row in rows])
    return columns


WAYS: dict[str, dict[str, Callable[[list[Any]], pa.Array]]] = {
    "text": {},
    "dictionaries": {
        name: lambda v: pa.array(v).dictionary_encode()
        for name in ("claim_id", "person_id", "admdvs", "ended_on", "person_type", "in_scope_fen")
    },
    "large text": {
        name: lambda v: pa.array(v, pa.large_string())
        for name in ("claim_id", "person_id", "admdvs", "ended_on", "person_type", "in_scope_fen")
    },
    "views": {
        name: lambda v: pa.array(v, pa.string_view()) for name in ("claim_id", "admdvs", "ended_on")
    },
    "small numbers": {
        "admdvs": lambda v: pa.array([int(each) for each in v], pa.int32()),
        "scheme": lambda v: pa.array([int(each) for each in v], pa.uint16()),
        "hospital_level": lambda v: pa.array([int(each) for each in v], pa.int8()),
        "in_scope_fen": lambda v: pa.array([int(each) for each in v], pa.uint64()),
        "claim_id": lambda v: pa.array([int(each) for each in v], pa.uint64()),
        "person_id": lambda v: pa.array([int(each[1:]) for each in v], pa.int16()),
    },
    "dates": {"ended_on": lambda v: pa.array([date.fromisoformat(each) for each in v])},
    "date64": {
        "ended_on": lambda v: pa.array([date.fromisoformat(each) for each in v], pa.date64())
    },
    "midnights": {
        "ended_on": lambda v: pa.array(
            [datetime.fromisoformat(each) for each in v], pa.timestamp("ns")
        )
    },
    "midnights of a zone": {
        "ended_on": lambda v: pa.array(
            [datetime.fromisoformat(f"{each}T00:00:00+08:00") for each in v],
            pa.timestamp("s", tz="Asia/Shanghai"),
        )
    },
    "decimals": {"in_scope_fen": lambda v: pa.array([Decimal(each) for each in v])},
    "decimals with noughts": {
        "in_scope_fen": lambda v: pa.array([Decimal(f"{each}.00") for each in v])
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_write_a_column(tmp_path: Path, way: str) -> None:
    """However Parquet holds a value that is right, it is the same value."""
    rows = [claim(str(at), f"P{at // 3}", ended_on=f"2025-03-{at + 1:02}") for at in range(9)]
    file = write_parquet(tmp_path / "claims.parquet", _typed(rows, **WAYS[way]), rows_a_group=4)
    text = write_parquet(tmp_path / "text.parquet", columns_of(rows))

    assert verdicts(file) == [""] * len(rows)
    assert pool_fen(file) == pool_fen(text)
    assert len(set(pool_fen(file))) > 1


RUBBISH: dict[str, tuple[pa.Array, str]] = {
    "float": (pa.array([1_000_000.0]), "CLAIM_VALUE in_scope_fen"),
    "truth": (pa.array([True]), "CLAIM_VALUE in_scope_fen"),
    "fraction": (pa.array([Decimal("10000.50")]), "CLAIM_VALUE in_scope_fen"),
    "huge": (pa.array([Decimal(10) ** 30]), "CLAIM_VALUE in_scope_fen"),
    "overflow": (pa.array([2**63], pa.uint64()), "CLAIM_VALUE in_scope_fen"),
    "hexadecimal": (pa.array(["0x1F"]), "CLAIM_VALUE in_scope_fen"),
    "spaces": (pa.array([" 7"]), "CLAIM_VALUE in_scope_fen"),
    "nothing": (pa.nulls(1), "CLAIM_MISSING in_scope_fen"),
    "empty": (pa.array([""]), "CLAIM_MISSING in_scope_fen"),
}


@pytest.mark.parametrize("name", RUBBISH)
def test_amounts_that_are_none(tmp_path: Path, name: str) -> None:
    """What is no whole number of fen is not made one."""
    column, expected = RUBBISH[name]
    columns = {**columns_of([claim("1", "A")]), "in_scope_fen": column}

    assert verdicts(write_parquet(tmp_path / "claims.parquet", columns)) == [expected]


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("claim_id", pa.array([1.5]), "CLAIM_VALUE claim_id"),
        ("claim_id", pa.array(["a\0b"]), "CLAIM_VALUE claim_id"),
        ("person_id", pa.array([b"A"]), "CLAIM_VALUE person_id"),
        ("person_id", pa.array([""]), "CLAIM_MISSING person_id"),
        ("person_type", pa.array(["active\0"]), "CLAIM_VALUE person_type"),
        ("hospital_level", pa.array([3.0]), "CLAIM_VALUE hospital_level"),
        ("hospital_level", pa.array([7]), "CLAIM_VALUE hospital_level"),
        ("ended_on", pa.array([20_000]), "CLAIM_VALUE ended_on"),
        ("ended_on", pa.array([datetime(2025, 3, 10, 8, tzinfo=UTC)]), "CLAIM_VALUE ended_on"),
        ("ended_on", pa.array([2**31 - 1], pa.int32()).cast(pa.date32()), "CLAIM_VALUE ended_on"),
        ("scheme", pa.array(["3\0"]), "AREA_WITHOUT_RULE_BOOK scheme"),
        ("scheme", pa.array([""]), "CLAIM_MISSING scheme"),
        ("admdvs", pa.array(["11\0105"]), "CLAIM_VALUE admdvs"),
    ],
)
def test_values_that_are_none(tmp_path: Path, name: str, column: pa.Array, expected: str) -> None:
    """A value of another kind marks its row, and stops nothing."""
    columns = {**columns_of([claim("1", "A")]), name: column}

    assert verdicts(write_parquet(tmp_path / "claims.parquet", columns)) == [expected]


def test_numbers_and_text_as_ids(tmp_path: Path) -> None:
    """A void may name by text what the file holds as a number."""
    rows = [claim("1", "A"), claim("2", "A", event="void", reverses="1")]
    columns = {**columns_of(rows), "claim_id": pa.array([1, 2])}

    assert verdicts(write_parquet(tmp_path / "claims.parquet", columns)) == ["", ""]
