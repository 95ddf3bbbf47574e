"""The use cases of a hospital's desk, over two nodes in one process."""

import asyncio
from pathlib import Path

from tests.services.settlement.two_cities import TwoCities, two_cities


def test_one_stay_from_identity_to_settlement(tmp_path: Path) -> None:
    """The estimate is what the settlement pays, and both sides hold the same amounts."""

    async def work() -> None:
        async with two_cities(tmp_path) as cities:
            await _settle_one(cities)

    asyncio.run(work())


async def _settle_one(cities: TwoCities) -> None:
    stay, total_fen = await cities.discharged()
    _, totals, estimate = await cities.desk.estimate(cities.caller, stay.stay_id, total_fen)

    claim = await cities.desk.settle(cities.caller, stay.stay_id, total_fen)

    assert claim.state == "settled"
    assert totals.total_fen == claim.total_fen == claim.fund_fen + claim.person_fen
    assert (claim.fund_fen, claim.person_fen) == (estimate.fund_fen, estimate.person_fen)
