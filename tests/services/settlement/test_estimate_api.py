"""The estimate over REST: asked of the insured side for one person, explained, and kept nowhere."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import httpx

from tests.services.settlement.two_cities import (
    FIRST_HOSPITAL,
    INSURED,
    OTHER_HOSPITAL,
    TwoCities,
    id_number,
    stored_digest,
    two_cities,
)
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console

Ask = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]


def _on_nodes(folder: Path, work: Callable[[TwoCities, str, Ask], Awaitable[None]]) -> None:
    async def story() -> None:
        async with two_cities(folder) as cities:
            found = await cities.desk.identify(cities.caller, id_number(0))
            app = create_app(cities.tianjin, make_console(cities.tianjin), run_node=False)

            async def ask(by: str = FIRST_HOSPITAL, **body: Any) -> tuple[int, dict[str, Any]]:
                transport = httpx.ASGITransport(cast("Any", app))
                token = {"Authorization": f"Bearer {cities.tokens[by]}"}
                async with httpx.AsyncClient(
                    transport=transport, base_url="http://127.0.0.1", headers=token
                ) as client:
                    answer = await client.post("/api/settlement/v1/estimates", json=body)
                return answer.status_code, answer.json()

            await work(cities, found.patient.person_id, ask)

    asyncio.run(story())


def test_an_amount_is_enough(tmp_path: Path) -> None:
    """What the person would bear, why, and at other levels; the insured side stores nothing."""

    async def work(cities: TwoCities, person: str, ask: Ask) -> None:
        before = stored_digest(cities.wire.nodes[INSURED], "settlement")
        status, made = await ask(
            person_id=person, in_scope_fen=2_000_000, total_fen=2_500_000, language="zh"
        )

        assert status == 200, made
        # 1,300 yuan first, then 9 % of 18,700, and 5,000 that nobody covers.
        assert made["benefit"]["person_fen"] == 130_000 + 168_300 + 500_000
        assert made["scope"]["amount_fen"] == made["payers"]["amount_fen"] == 2_500_000
        assert made["payers"]["text"] == "总费用"
        levels = {each["hospital_level"]: each for each in made["other_levels"]}
        assert levels[0]["refusal_code"] == "RULE_UNKNOWN"
        assert levels[1]["person_fen"] == 130_000 + 112_200 + 500_000
        assert sorted(levels) == [0, 1, 2]
        assert stored_digest(cities.wire.nodes[INSURED], "settlement") == before

    _on_nodes(tmp_path, work)


def test_expected_lines_are_split_by_the_catalogue(tmp_path: Path) -> None:
    """The same lines estimated, then uploaded and settled, come to the same."""

    async def work(cities: TwoCities, person: str, ask: Ask) -> None:
        lines = [
            {
                "line_id": one.line_id,
                "item_code": one.item_code,
                "hospital_code": one.hospital_code,
                "quantity": "30",
                "unit_price": "123.45",
                "amount_fen": one.amount_fen,
                "charged_at": one.charged_at,
            }
            for one in cities.bill()
        ]
        status, made = await ask(person_id=person, lines=lines)
        claim = await cities.settled(0)

        assert status == 200, made
        assert made["benefit"]["totals"]["total_fen"] == claim.total_fen
        assert made["benefit"]["person_fen"] == claim.person_fen

    _on_nodes(tmp_path, work)


def test_what_can_not_be_estimated_is_refused_by_name(tmp_path: Path) -> None:
    """No amount, a total below it, a wrong line, a stranger, an insured side that is silent."""

    async def work(cities: TwoCities, person: str, ask: Ask) -> None:
        wrong = {
            "line_id": "L1",
            "item_code": "NO-SUCH",
            "hospital_code": "h",
            "quantity": "1",
            "unit_price": "1",
            "amount_fen": 100,
            "charged_at": cities.clock.now(),
        }
        asked: list[tuple[dict[str, Any], str]] = [
            ({}, "ESTIMATE_WITHOUT_AMOUNT"),
            ({"in_scope_fen": 2, "total_fen": 1}, "TOTALS_DO_NOT_ADD_UP"),
            ({"lines": [wrong]}, "CATALOGUE_ITEM_UNKNOWN"),
            ({"in_scope_fen": 1, "by": OTHER_HOSPITAL}, "PERSON_NOT_IDENTIFIED"),
        ]
        for body, code in asked:
            _, problem = await ask(person_id=person, **body)
            assert problem["code"] == code
        cities.wire.cut = True
        _, problem = await ask(person_id=person, in_scope_fen=1)
        assert problem["code"] == "INSURED_SIDE_SILENT"

    _on_nodes(tmp_path, work)
