"""Cases over REST: a hospital sees and answers its own, page by page, and gets receipts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from tests.services.settlement.two_cities import (
    FIRST_HOSPITAL,
    ITEMS,
    OTHER_HOSPITAL,
    TwoCities,
    two_cities,
)
from tongcheng.kernel.audit import AUDIT
from tongcheng.kernel.cases import Handed
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.services.settlement import line_query
from tongcheng.services.settlement.api_caller import PATH
from tongcheng.services.settlement.store import StayRow

QUESTION = "这一天我没有做过这项检查。"
ANSWER = {"action": "explained", "text": "当日 9 时完成，报告已出。"}


class Client:
    """A hospital's system that calls the visited node over HTTP."""

    def __init__(self, cities: TwoCities, http: httpx.AsyncClient, institution: str) -> None:
        self.cities = cities
        self._http = http
        self.headers = {"Authorization": f"Bearer {cities.tokens[institution]}"}

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Call one operation."""
        return await self._http.request(method, PATH + path, json=body, headers=self.headers)

    async def asked(self, lines: int = 1) -> list[str]:
        """Have the person of a new stay ask about its first lines; return the cases."""
        stay, _ = await self.cities.discharged()
        return [await self._asked_about(stay, f"L{n}") for n in range(1, lines + 1)]

    async def _asked_about(self, stay: StayRow, line_id: str) -> str:
        person, stay_id = stay.person_id, stay.stay_id
        handed: Handed = await self.cities.tianjin.run(
            lambda tx: line_query.open_query(tx, person, stay_id, line_id, QUESTION)
        )
        return handed.case.case_id


@asynccontextmanager
async def _clients(folder: Path) -> AsyncIterator[tuple[Client, Client]]:
    async with two_cities(folder) as cities:
        node = cities.tianjin
        app = create_app(node, make_console(node, synthetic=True), run_node=False)
        transport = httpx.ASGITransport(cast("Any", app))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            yield Client(cities, http, FIRST_HOSPITAL), Client(cities, http, OTHER_HOSPITAL)


def _run(folder: Path, work: Callable[[Client, Client], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        async with _clients(folder) as clients:
            await work(*clients)

    asyncio.run(all_of_it())


def test_from_the_list_to_the_receipt(tmp_path: Path) -> None:
    """List, read, answer, and the same answer again: one receipt; then it is the person's turn."""

    async def work(client: Client, _other: Client) -> None:
        (case_id,) = await client.asked()
        listed = (await client.call("GET", "/cases")).json()
        shown = (await client.call("GET", f"/cases/{case_id}")).json()
        first = await client.call("POST", f"/cases/{case_id}/answer", ANSWER)
        again = await client.call("POST", f"/cases/{case_id}/answer", ANSWER)
        after = (await client.call("GET", f"/cases/{case_id}")).json()

        assert listed == {"cases": [shown["case"]], "next_after": None}
        assert shown["case"]["owner"] == "hospital"
        assert (shown["case"]["line_id"], shown["case"]["overdue"]) == ("L1", False)
        assert [step["text"] for step in shown["steps"]] == [QUESTION]
        assert first.status_code == 200
        assert again.json() == first.json() == after["steps"][1]["receipt"]
        assert after["case"]["owner"] == "person"
        assert [step["text"] for step in after["steps"]] == [QUESTION, ANSWER["text"]]

    _run(tmp_path, work)


def test_another_hospital_s_case_does_not_exist(tmp_path: Path) -> None:
    """It is answered as one that never was, in the same words, and its list is empty."""

    async def work(client: Client, other: Client) -> None:
        (case_id,) = await client.asked()
        for method, path, body in (
            ("GET", "/cases/{}", None),
            ("POST", "/cases/{}/answer", ANSWER),
        ):
            theirs = await other.call(method, path.format(case_id), body)
            nobody_s = await other.call(method, path.format("0" * len(case_id)), body)

            assert theirs.status_code == nobody_s.status_code == 404
            assert theirs.json()["code"] == "CASE_UNKNOWN"
            assert theirs.text.replace(case_id, "") == nobody_s.text.replace("0" * 26, "")
        assert (await other.call("GET", "/cases")).json()["cases"] == []

    _run(tmp_path, work)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"action": "accepted", "text": "x"}, 400, "REQUEST_MALFORMED"),
        ({"action": "explained", "text": ""}, 422, "CASE_WORDS"),
        ({"action": "explained", "text": "x" * 501}, 400, "REQUEST_MALFORMED"),
        ({"action": "explained"}, 400, "REQUEST_MALFORMED"),
    ],
)
def test_answers_that_are_none(tmp_path: Path, body: Any, status: int, code: str) -> None:
    """The person's action, no words, too many words: refused, and the case waits on."""

    async def work(client: Client, _other: Client) -> None:
        (case_id,) = await client.asked()
        refused = await client.call("POST", f"/cases/{case_id}/answer", body)
        shown = (await client.call("GET", f"/cases/{case_id}")).json()

        assert (refused.status_code, refused.json()["code"]) == (status, code)
        assert (shown["case"]["state"], len(shown["steps"])) == ("asked", 1)

    _run(tmp_path, work)


def test_an_overdue_case_says_so(tmp_path: Path) -> None:
    """From the first instant after its deadline; it stands in the list until it is answered."""

    async def work(client: Client, _other: Client) -> None:
        (case_id,) = await client.asked()
        due_at = (await client.call("GET", "/cases")).json()["cases"][0]["due_at"]
        client.cities.clock.advance(due_at - client.cities.clock.now())
        late = (await client.call("GET", "/cases")).json()["cases"]

        assert [(one["case_id"], one["overdue"]) for one in late] == [(case_id, True)]

    _run(tmp_path, work)


def test_the_list_goes_on_after_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of two: every case once, and the cursor of the last page is null."""
    monkeypatch.setattr("tongcheng.services.settlement.api_cases.PAGE_CASES", 2)

    async def work(client: Client, _other: Client) -> None:
        # All are due at one instant, so their ids decide.
        asked = sorted(await client.asked(len(ITEMS)))
        first = (await client.call("GET", "/cases")).json()
        second = (await client.call("GET", f"/cases?after={first['next_after']}")).json()

        pages = [[one["case_id"] for one in page["cases"]] for page in (first, second)]
        assert pages == [asked[:2], asked[2:]]
        assert second["next_after"] is None

    _run(tmp_path, work)


def test_reading_is_audited(tmp_path: Path) -> None:
    """Who read which case stands in the audit; nobody without a credential reads anything."""

    async def work(client: Client, _other: Client) -> None:
        (case_id,) = await client.asked()
        await client.call("GET", "/cases")
        await client.call("GET", f"/cases/{case_id}")
        rows = await client.cities.tianjin.read(lambda s: s.select(AUDIT))
        client.headers = {}
        stranger = await client.call("GET", "/cases")

        read = [(row.actor, row.action, row.subject) for row in rows if "read" in row.action]
        assert read == [
            (FIRST_HOSPITAL, "cases.read", FIRST_HOSPITAL),
            (FIRST_HOSPITAL, "case.read", case_id),
        ]
        assert stranger.status_code == 401

    _run(tmp_path, work)
