"""Answers to a statement, and to what it closed, that say something else than was asked."""

from pathlib import Path

import msgspec
import pytest

from tests.services.settlement.test_hostile import forge
from tests.services.settlement.test_statement_model import POOL
from tests.services.settlement.test_statements import state, to_day
from tests.services.settlement.two_cities import INSURED, running
from tongcheng.kernel import canonical
from tongcheng.kernel.exchange.tables import SENT
from tongcheng.services.settlement import statement_model as model
from tongcheng.services.settlement import statements, visited
from tongcheng.services.settlement.model import SETTLED, SettledBody
from tongcheng.services.settlement.statements import STATEMENTS

DISPUTE = {"settlement_id": "s", "purse": POOL, "kind": "amount"}
WRONG_ANSWERS: dict[str, tuple[str, dict[str, object], str]] = {
    "a dispute about another month": (
        model.STATEMENT_DISPUTED,
        {"month": "2026-10", "count": 1},
        "STATEMENT_DIFFERS",
    ),
    "fewer differences than it lists": (
        model.STATEMENT_DISPUTED,
        {"month": "2026-11", "count": 1, "twice": True},
        "STATEMENT_DIFFERS",
    ),
    "a page that was not sent": (
        model.STATEMENT_PAGE_TAKEN,
        {"page": 2},
        "STATEMENT_PAGE",
    ),
}


@pytest.mark.parametrize("name", WRONG_ANSWERS)
def test_an_answer_about_something_else_changes_nothing(tmp_path: Path, name: str) -> None:
    """What the insured side says must be about this month and these pages."""
    kind, change, code = WRONG_ANSWERS[name]
    with running(tmp_path) as city:
        cities = city.cities
        to_day(cities, "2026-12-05")
        cities.wire.cut = True
        row = city.run(
            cities.tianjin.run(lambda tx: statements.open_statement(tx, INSURED, "2026-11"))
        )
        body: dict[str, object] = {"statement_id": row.statement_id, **change}
        if kind == model.STATEMENT_DISPUTED:
            one = {**DISPUTE, "visited_fen": 1, "insured_fen": 2}
            body["findings"] = [one] * (2 if body.pop("twice", False) else 1)
        sent = city.run(cities.tianjin.read(lambda s: s.select(SENT, case_id=row.statement_id)))
        found = city.run(forge(cities.beijing, cities.tianjin, kind, body, sent[0].envelope_id))
        rows = city.run(cities.tianjin.read(lambda s: s.select(STATEMENTS)))

    assert found == code
    assert rows == [row]


def test_a_settlement_in_a_month_that_is_agreed_is_refused(tmp_path: Path) -> None:
    """November was agreed before the stay was asked for: what is booked there was never listed."""
    with running(tmp_path) as city:
        cities = city.cities
        to_day(cities, "2026-12-01")
        here, there = city.run(state(cities))
        stay, total_fen = city.run(cities.discharged())
        _, _, result = city.run(cities.desk.estimate(cities.caller, stay.stay_id, total_fen))
        cities.wire.cut = True
        claim = city.run(
            cities.tianjin.run(
                lambda tx: visited.start_settlement(tx, cities.caller, stay.stay_id, total_fen)
            )
        )
        answer = SettledBody(claim.settlement_id, 1, "2026-11", result)
        body = msgspec.json.decode(canonical.encode(answer))
        found = city.run(forge(cities.beijing, cities.tianjin, SETTLED, body, claim.settle_id))
        after = city.run(cities.desk.claim(cities.caller, claim.settlement_id))

    assert (here.state, there.state) == ("agreed", "agreed")
    assert (found, after.state) == ("SETTLED_MONTH", "pending")
