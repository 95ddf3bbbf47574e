"""Periods and statements rebuilt and compared; a void of something else; a void that is refused."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.services.settlement.test_hostile import forge
from tests.services.settlement.test_periods import findings, in_periods
from tests.services.settlement.test_statements import state, to_day
from tests.services.settlement.two_cities import TwoCities, running
from tongcheng.kernel import canonical
from tongcheng.kernel.store import Records, Transaction
from tongcheng.services.settlement import visited
from tongcheng.services.settlement.model import SETTLED, VOID, SettledBody
from tongcheng.services.settlement.statements import STATEMENTS
from tongcheng.services.settlement.store import CLAIMS, DECISIONS


async def _story(cities: TwoCities) -> None:
    """Settle a stay in two periods and agree on the month."""
    await in_periods(cities)
    await cities.quiet()
    to_day(cities, "2026-12-01")
    await state(cities)


def _change(records: Records[Any], **values: object) -> Callable[[Transaction], None]:
    def command(tx: Transaction) -> None:
        row = tx.select(records)[0]
        tx.put(records, msgspec.structs.replace(row, **values))

    return command


LIES: dict[str, tuple[Records[Any], dict[str, object], str]] = {
    "decision's stay": (DECISIONS, {"stay_id": "x"}, "stay or period differ"),
    "decision's period": (DECISIONS, {"period": 7}, "stay or period differ"),
    "claim's first self-pay": (CLAIMS, {"first_self_pay_fen": 1}, "claim differs from the env"),
    "claim's end": (CLAIMS, {"period_to_on": "2026-11-01"}, "claim differs from the envelope"),
    "claim's hospital": (CLAIMS, {"institution_id": "x"}, "claim differs from the envelope"),
    "claim's number": (CLAIMS, {"decision_no": 9}, "number or month differ"),
    "statement's sum": (STATEMENTS, {"settled_fen": 1}, "statement differs from the journal"),
    "statement's state": (STATEMENTS, {"state": "disputed"}, "an agreement that is not here"),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_about_periods_and_statements(tmp_path: Path, lie: str) -> None:
    """Each row that was changed under a sound MAC contradicts another, and is named."""
    records, values, problem = LIES[lie]
    with running(tmp_path) as city:
        city.run(_story(city.cities))
        node = city.cities.beijing if records is DECISIONS else city.cities.tianjin
        before = city.run(findings(node))
        city.run(node.run(_change(records, **values)))
        found = city.run(findings(node))

    assert before == []
    assert any(problem in one.problem for one in found), found


def test_a_settlement_without_its_stay(tmp_path: Path) -> None:
    """A row that is gone leaves no broken MAC behind: what points to it must say so."""
    with running(tmp_path) as city:
        city.run(_story(city.cities))
        node = city.cities.tianjin
        with closing(sqlite3.connect(node.database.path, isolation_level=None)) as raw:
            raw.execute("DELETE FROM settlement_stays")
        found = city.run(findings(node))

    assert {one.problem for one in found} == {"its stay is not there"}


def test_a_void_of_another_envelope_takes_nothing_back(tmp_path: Path) -> None:
    """The id was used by an envelope that stands; the one that is taken back had been refused."""
    with running(tmp_path) as city:
        cities = city.cities
        claim = city.run(cities.settled(0))
        body = {
            "settlement_id": claim.settlement_id,
            "settle_envelope_id": "another",
            "reason": "hospital_cancelled",
        }
        cities.wire.cut = True
        code = city.run(forge(cities.tianjin, cities.beijing, VOID, body, None))
        rows = city.run(cities.beijing.read(lambda s: s.select(DECISIONS)))

    assert code is None
    assert [row.state for row in rows] == ["settled"]


def test_a_hold_that_people_have_to_close_is_no_damage(tmp_path: Path) -> None:
    """The answer could not be booked and the void was refused: the reserve stays, and is sound."""
    with running(tmp_path) as city:
        cities = city.cities
        stay, total_fen = city.run(cities.discharged())
        _, _, result = city.run(cities.desk.estimate(cities.caller, stay.stay_id, total_fen))
        cities.wire.cut = True
        claim = city.run(
            cities.tianjin.run(
                lambda tx: visited.start_settlement(tx, cities.caller, stay.stay_id, total_fen)
            )
        )
        lie = SettledBody(claim.settlement_id, 1, "2026-10", result)
        body = msgspec.json.decode(canonical.encode(lie))
        city.run(forge(cities.beijing, cities.tianjin, SETTLED, body, claim.settle_id))
        gone = city.run(cities.desk.void(cities.caller, claim.settlement_id))
        no = {"code": "NEVER", "facts": {}}
        city.run(forge(cities.beijing, cities.tianjin, "exchange.refused/1", no, gone.void_id))
        after = city.run(cities.desk.claim(cities.caller, claim.settlement_id))
        found = city.run(findings(cities.tianjin))

    assert (after.state, found) == ("disputed", [])
