"""Rows handed on in a file: whole under its name or not at all, and gone when they are taken."""

from pathlib import Path

import pyarrow as pa
import pytest

from tongcheng.services.settlement.batch.handing import handing_on, taken_over

TABLES = [pa.table({"a": [1, 2]}), pa.table({"a": [3]})]


def _hand_on(path: Path, tables: list[pa.Table]) -> None:
    with handing_on(path, TABLES[0].schema) as hand_on:
        for table in tables:
            hand_on(table)


@pytest.mark.parametrize("tables", [TABLES, []])
def test_rows_come_back_as_they_went(tmp_path: Path, tables: list[pa.Table]) -> None:
    """In the same tables; a part without rows hands on none. Done twice, it is there once."""
    for _ in range(2):
        _hand_on(tmp_path / "part", tables)
    assert [each.name for each in tmp_path.iterdir()] == ["part"]

    assert list(taken_over(tmp_path / "part")) == tables
    assert list(tmp_path.iterdir()) == []


def test_half_a_part_has_no_name(tmp_path: Path) -> None:
    """Who dies while he writes leaves nothing that could be taken for a part."""
    with pytest.raises(KeyboardInterrupt):
        _die(tmp_path / "part")
    assert not (tmp_path / "part").exists()


def _die(path: Path) -> None:
    with handing_on(path, TABLES[0].schema) as hand_on:
        hand_on(TABLES[0])
        raise KeyboardInterrupt
