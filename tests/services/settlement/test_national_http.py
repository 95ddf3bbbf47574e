"""The gateway over HTTP: always 200, whoever calls with whatever."""

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State

from tests.services.settlement.hospital import Hospital
from tests.services.settlement.two_cities import FIRST_HOSPITAL, TwoCities, two_cities
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.node.limits import RefusalLimiter
from tongcheng.services.settlement.national import BODY_BYTES_MAX, NOWHERE, route_of
from tongcheng.services.settlement.national_fields import profile_of

PER_TRANSACTION = {
    "name": "other",
    "path": "/other",
    "per_transaction": "Y",
    "header": "x-credential",
    "scheme": "N",
    "encoding": "gb18030",
    "infcode": "string",
    "sign_in_required": "N",
}


def _http(app: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(cast("Any", app))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


def _app(cities: TwoCities) -> Litestar:
    node = cities.tianjin
    return create_app(node, make_console(node, synthetic=True), run_node=False)


def test_the_baseline_gateway(tmp_path: Path) -> None:
    """One path for all transactions, a bearer token, JSON in UTF-8."""

    async def work() -> None:
        async with two_cities(tmp_path) as cities, _http(_app(cities)) as http:
            hospital = Hospital(cities)
            message = hospital.envelope("9001", {"signIn": {"opter_no": "1", "ip": "10.0.0.1"}})
            headers = {"Authorization": f"Bearer {cities.tokens[FIRST_HOSPITAL]}"}
            answer = await http.post("/national/baseline", json=message, headers=headers)

            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json; charset=utf-8"
            assert answer.json()["infcode"] == 0

    asyncio.run(work())


@pytest.mark.parametrize(
    ("header", "body", "code"),
    [
        ({}, b"{}", "CREDENTIAL_MISSING"),
        ({"Authorization": "Basic x"}, b"{}", "CREDENTIAL_MISSING"),
        ({"Authorization": "Bearer tc_00"}, b"{}", "CREDENTIAL_UNKNOWN"),
        ({}, b" " * (BODY_BYTES_MAX + 1), "NATIONAL_TOO_LARGE"),
    ],
)
def test_strangers_get_200_too(
    tmp_path: Path, header: dict[str, str], body: bytes, code: str
) -> None:
    """Real clients take any other status as "reverse it", so a refusal is a document as well."""

    async def work() -> None:
        async with two_cities(tmp_path) as cities, _http(_app(cities)) as http:
            answer = await http.post("/national/baseline", content=body, headers=header)
            found = answer.json()

            assert answer.status_code == 200
            assert (found["infcode"], found["output"]) == (-1, None)
            assert found["err_msg"].startswith(f"[{code}] ")
            assert found["inf_refmsgid"].startswith(NOWHERE)

    asyncio.run(work())


def test_guessing_credentials_is_slowed(tmp_path: Path) -> None:
    """After some wrong credentials from one address, even the right one waits."""

    async def work() -> None:
        async with two_cities(tmp_path) as cities, _http(_app(cities)) as http:
            for _ in range(60):
                await http.post("/national/baseline", headers={"Authorization": "Bearer x"})
            right = {"Authorization": f"Bearer {cities.tokens[FIRST_HOSPITAL]}"}
            answer = await http.post("/national/baseline", content=b"{}", headers=right)

            assert answer.json()["err_msg"].startswith("[TOO_MANY_REFUSALS] ")

    asyncio.run(work())


def test_one_path_for_each_transaction(tmp_path: Path) -> None:
    """A second profile is a data entry: other path, header, encoding and infcode."""

    async def work() -> None:
        async with two_cities(tmp_path) as cities:
            profile = profile_of(PER_TRANSACTION)
            hospital = Hospital(cities, profile=profile)
            node = cities.tianjin
            state = {
                "node": node,
                "console": make_console(node),
                "refusals": RefusalLimiter(node.clock),
            }
            app = Litestar([route_of(profile)], state=State(state), openapi_config=None)
            message = hospital.envelope("9001", {"signIn": {"opter_no": "1", "ip": "10.0.0.1"}})
            headers = {"X-Credential": cities.tokens[FIRST_HOSPITAL]}
            async with _http(app) as http:
                raw = hospital.encode(message)
                right = await http.post("/other/9001", content=raw, headers=headers)
                wrong = await http.post("/other/9002", content=raw, headers=headers)

            assert json.loads(right.content.decode("gb18030"))["infcode"] == "0"
            assert "[NATIONAL_PATH]" in wrong.content.decode("gb18030")

    asyncio.run(work())
