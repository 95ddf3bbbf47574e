"""Looking for one stay among very many: by index on both sides, never through the whole list."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.settlement import two_cities
from tests.services.settlement.two_cities import INSURED, VISITED, Running
from tongcheng.services.settlement.stays_data import stay_rows
from tongcheng.services.settlement.views import StaysQuery


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Two cities on a loop that runs only while the test lets it."""
    with two_cities.running(tmp_path) as started:
        yield started


@pytest.mark.parametrize("member", [VISITED, INSURED])
def test_what_is_named_is_found_without_reading_the_others(running: Running, member: str) -> None:
    """By the stay's id or the settlement's, and no statement goes through a whole table."""
    claim = running.run(running.cities.settled(0))
    running.run(running.cities.settled(1))
    running.run(running.cities.quiet())
    node = running.cities.wire.nodes[member]
    asked: list[str] = []

    with node.database.snapshot() as snapshot:
        snapshot.raw.set_trace_callback(asked.append)
        for name in (claim.stay_id, claim.settlement_id):
            rows = stay_rows(snapshot, node.home, StaysQuery(found=name), 51)
            assert [row.stay_id for row in rows] == [claim.stay_id]
        snapshot.raw.set_trace_callback(None)
        plans = [
            str(row[3])
            for sql in asked
            for row in snapshot.raw.execute(f"EXPLAIN QUERY PLAN {sql}")
        ]

    scanned = [step for step in plans if step.startswith("SCAN settlement_")]
    assert plans
    assert [step for step in scanned if "institutions" not in step] == []
