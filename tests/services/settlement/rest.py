"""Two hospitals of the visited city that call its REST interface, over two nodes in one process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx

from tests.services.settlement.two_cities import (
    DAY_MS,
    FIRST_HOSPITAL,
    OTHER_HOSPITAL,
    SCHEME,
    TwoCities,
    id_number,
    two_cities,
)
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.services.settlement.api_caller import PATH

Json = dict[str, Any]


class Client:
    """A hospital's system that calls the visited node over HTTP."""

    def __init__(self, cities: TwoCities, http: httpx.AsyncClient, institution: str) -> None:
        self.cities = cities
        self.http = http
        self.headers = {"Authorization": f"Bearer {cities.tokens[institution]}"}

    async def call(self, method: str, path: str, body: Json | None = None, **headers: str) -> Any:
        """Call one operation and return the response."""
        return await self.http.request(
            method, PATH + path, json=body, headers={**self.headers, **headers}
        )

    async def ok(self, method: str, path: str, body: Json | None = None, **headers: str) -> Json:
        """Call one operation that must succeed and return its body."""
        response = await self.call(method, path, body, **headers)
        assert response.status_code == 200, response.text
        found: Json = response.json()
        return found

    async def discharged(self, number: int = 0) -> tuple[str, int]:
        """Bring a stay to its discharge; return its id and total in fen."""
        person = await self.ok("POST", "/persons/identify", {"id_number": id_number(number)})
        now_at = self.cities.clock.now()
        stay = {
            "person_id": person["person_id"],
            "scheme": SCHEME,
            "inpatient_no": f"ZY{number}",
            "admitted_at": now_at - 5 * DAY_MS,
        }
        stay_id = (await self.ok("POST", "/stays", stay))["stay_id"]
        lines = {"lines": self.lines()}
        split = await self.ok("POST", f"/stays/{stay_id}/lines", lines)
        await self.ok("POST", f"/stays/{stay_id}/discharge", {"discharged_at": now_at - 1_000})
        return stay_id, sum(line["amount_fen"] for line in split["lines"])

    def lines(self) -> list[Json]:
        """Return the lines of a bill as the interface takes them."""
        return [
            {
                "line_id": line.line_id,
                "item_code": line.item_code,
                "hospital_code": line.hospital_code,
                "quantity": f"{line.quantity_e4 // 10_000}",
                "unit_price": "123.45",
                "amount_fen": line.amount_fen,
                "charged_at": line.charged_at,
            }
            for line in self.cities.bill()
        ]


@asynccontextmanager
async def clients(folder: Path) -> AsyncIterator[tuple[Client, Client]]:
    """Start two cities, and give the two hospitals of the visited one."""
    async with two_cities(folder) as cities:
        node = cities.tianjin
        app = create_app(node, make_console(node, synthetic=True), run_node=False)
        transport = httpx.ASGITransport(cast("Any", app))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            first = Client(cities, http, FIRST_HOSPITAL)
            yield first, Client(cities, http, OTHER_HOSPITAL)


def on_rest(folder: Path, work: Callable[[Client, Client], Awaitable[None]]) -> None:
    """Run a test's work with two hospitals that call the visited node by REST."""

    async def all_of_it() -> None:
        async with clients(folder) as both:
            await work(*both)

    asyncio.run(all_of_it())
