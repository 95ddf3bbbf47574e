"""Damaging a toy node's database behind its back, and verifying it afterwards."""

import sqlite3
from pathlib import Path
from typing import Any

from tests.toy import MEMBERS, NOW_AT, TOY, Nowhere, ring_of, toy_node
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.journal.verify import Report, verify
from tongcheng.kernel.service import Service

FIRST, SECOND, THIRD = MEMBERS
MAC_KEY = ring_of(FIRST).mac_key


def verified(folder: Path, *services: Service, **options: Any) -> Report:
    """Return what verification says about the first node's database in the folder."""
    node = toy_node(folder, FIRST, Nowhere(), ManualClock(NOW_AT))
    try:
        return verify(node.database, node.home, services or (TOY,), **options)
    finally:
        node.database.close()


def places(report: Report) -> list[tuple[str, str]]:
    """Return the table and key of each finding."""
    return [(one.table, one.key) for one in report.findings]


def sql(folder: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run one statement on the database file, around the node."""
    connection = sqlite3.connect(folder / "node.sqlite", isolation_level=None)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()
