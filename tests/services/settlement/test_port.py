"""The benefit port: an agency's own system decides, over real HTTP, with our engine beside it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.services.settlement.two_cities import TwoCities, stored_digest, two_cities
from tongcheng.kernel import canonical
from tongcheng.kernel.agency import Decider
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.service import Finding
from tongcheng.node.agency import HttpAgency
from tongcheng.node.core import Node
from tongcheng.node.http_transport import HttpTransport
from tongcheng.services.settlement.model import BenefitResult
from tongcheng.services.settlement.store import CLAIMS, DECISIONS, SHADOWS, YEARS, ShadowRow
from tongcheng.services.settlement.verify import VERIFY

REDIRECT = 307
WAIT_S = 20
"""More than the peer's link backs off before it posts again."""

Answering = Callable[[dict[str, Any]], tuple[int, bytes] | None]


class ToyAgency:
    """An agency's system: pays half of what is in scope, whoever asks; made up."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answering: Answering = half
        self.delay_s = 0.0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request; None hangs up without a word."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split("\r\n")[0])
        question = msgspec.json.decode(await reader.readexactly(length))
        self.asked.append(question)
        await asyncio.sleep(self.delay_s)
        answer = self.answering(question)
        if answer is not None:
            status, body = answer
            lines = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\nconnection: close\r\n"
            lines += "location: http://127.0.0.1:9/\r\n" if status == REDIRECT else ""
            writer.write(lines.encode() + b"\r\n" + body)
        writer.close()
        await writer.wait_closed()


def half(question: dict[str, Any], **changes: object) -> tuple[int, bytes]:
    """Return the answer that pays half, with `changes`."""
    totals = question["stay"]["totals"]
    paid = totals["in_scope_fen"] // 2
    answer = {
        "question_id": question["question_id"],
        "funds": [{"fund": "pool", "layer": "pool", "amount_fen": paid}],
        "deductible_fen": 0,
        "person_fen": totals["total_fen"] - paid,
        "of_its_own": "is let be",
    }
    return 200, msgspec.json.encode(answer | changes)


@asynccontextmanager
async def deciding(
    folder: Path, by: Decider, timeout_ms: int = 2_000
) -> AsyncIterator[tuple[TwoCities, ToyAgency]]:
    """Start two cities; in the insured one the toy agency is asked over HTTP."""
    agency = ToyAgency()
    server = await asyncio.start_server(agency.serve, "127.0.0.1", 0)
    agency.port = server.sockets[0].getsockname()[1]
    transport = HttpTransport(lambda: 100_000)
    try:
        async with two_cities(folder) as cities:
            home = cities.beijing.home
            home.benefit = by
            home.agency = HttpAgency(
                transport, f"http://127.0.0.1:{agency.port}/benefit", timeout_ms
            )
            yield cities, agency
    finally:
        server.close()
        await server.wait_closed()
        await transport.close()


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine."""
    asyncio.run(work)


async def shadows(cities: TwoCities) -> list[ShadowRow]:
    """Return the differences that were kept."""
    return await cities.beijing.read(lambda s: s.select(SHADOWS))


async def found_wrong(node: Node) -> list[Finding]:
    """Return what verification finds wrong in a node."""
    return await node.read(lambda s: [each for check in VERIFY for each in check(s, node.home)])


@pytest.mark.parametrize("by", ["agency", "shadow"])
def test_agency_decides(tmp_path: Path, by: Decider) -> None:
    """Its amounts are settled on both sides, the trace names it; a shadow differs once."""

    async def main() -> None:
        async with deciding(tmp_path, by) as (cities, agency):
            claim = await cities.settled()
            (decision,) = await cities.beijing.read(lambda s: s.select(DECISIONS))
            (year,) = await cities.beijing.read(lambda s: s.select(YEARS))
            kept = await shadows(cities)

            assert await found_wrong(cities.beijing) == []
            assert await found_wrong(cities.tianjin) == []
            result = canonical.decode_as(decision.result, BenefitResult)
            paid = claim.in_scope_fen // 2
            assert (claim.state, result.fund_fen, year.pool_paid_fen) == ("settled", paid, paid)
            assert [(row.rule, row.amount_fen) for row in result.trace] == [("agency", paid)]
            assert result.book_status == "draft", "the book that says it counts as filed is one"
            (asked,) = agency.asked
            assert asked["question_id"] == claim.settle_id
            assert not {"name", "id_number"} & asked["person"].keys()
            assert len(kept) == (1 if by == "shadow" else 0)
            if by == "shadow":
                told = msgspec.json.decode(kept[0].differences, type=list[dict[str, str | int]])
                figures = {each["figure"] for each in told}
                assert {"deductible", "pool", "person_total"} <= figures
                assert kept[0].causes == "unexplained"

    run(main())


def test_equal_shadow_keeps_nothing(tmp_path: Path) -> None:
    """Where our engine decides the same there is no difference to keep."""

    async def main() -> None:
        async with deciding(tmp_path, "engine") as (cities, _):
            ours = canonical.decode_as((await cities.settled()).result, BenefitResult)
        async with deciding(tmp_path / "again", "shadow") as (cities, agency):
            agency.answering = lambda question: half(
                question,
                funds=[
                    {"fund": each.fund, "layer": each.layer, "amount_fen": each.amount_fen}
                    for each in ours.funds
                ],
                deductible_fen=ours.deductible_fen,
                person_fen=ours.person_fen,
            )
            claim = await cities.settled()

            assert claim.fund_fen == ours.fund_fen
            assert await shadows(cities) == []

    run(main())


def _hang_up(_: dict[str, Any]) -> None:
    return None


SILENT: list[tuple[str, Answering, float]] = [
    ("down", _hang_up, 0),
    ("error", lambda _: (500, b""), 0),
    ("late", half, 0.6),
]


async def until(true: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    """Wait until something is so."""
    for _ in range(1_000):
        if await true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(true)


@pytest.mark.parametrize(("name", "silence", "delay_s"), SILENT, ids=[each[0] for each in SILENT])
def test_silence_decides_nothing(
    tmp_path: Path, name: str, silence: Answering, delay_s: float
) -> None:
    """Nothing is stored and no number used up; what is brought again is then decided, once."""
    del name

    async def main() -> None:
        async with deciding(tmp_path, "shadow", timeout_ms=300) as (cities, agency):
            agency.answering, agency.delay_s = silence, delay_s
            stay, total_fen = await cities.discharged()
            before = stored_digest(cities.beijing, "settlement")
            settling = asyncio.create_task(
                cities.desk.settle(cities.caller, stay.stay_id, total_fen)
            )

            async def asked_twice() -> bool:
                return len(agency.asked) > 1

            await until(asked_twice)
            assert stored_digest(cities.beijing, "settlement") == before
            agency.answering, agency.delay_s = half, 0
            async with asyncio.timeout(WAIT_S):
                claim = await settling

            assert claim.state == "settled"
            assert len({each["question_id"] for each in agency.asked}) == 1
            assert len(await shadows(cities)) == 1
            assert len(await cities.beijing.read(lambda s: s.select(DECISIONS))) == 1

    run(main())


def test_answer_lost_on_the_way_back(tmp_path: Path) -> None:
    """The peer brings the act again: the stored answer, and the agency is not asked anew."""

    async def main() -> None:
        async with deciding(tmp_path, "shadow") as (cities, agency):
            stay, total_fen = await cities.discharged()
            cities.wire.deaf = True
            settling = asyncio.create_task(
                cities.desk.settle(cities.caller, stay.stay_id, total_fen)
            )

            async def decided() -> bool:
                return bool(await shadows(cities))

            await until(decided)
            cities.wire.deaf = False
            async with asyncio.timeout(WAIT_S):
                claim = await settling

            assert claim.state == "settled"
            assert len(agency.asked) == len(await shadows(cities)) == 1

    run(main())


WRONG: dict[str, Answering] = {
    "garbage": lambda _: (200, b"\xff{"),
    "nested without end": lambda _: (200, b'{"of_its_own":' + b"[" * 90_000),
    "of another question": lambda asked: half(asked, question_id="another"),
    "binary fractions": lambda asked: half(asked, deductible_fen=1.5),
    "sums do not close": lambda asked: half(asked, person_fen=1),
    "negative": lambda asked: half(asked, person_fen=-1),
    "a fund twice": lambda asked: half(
        asked, funds=[{"fund": "pool", "layer": "pool", "amount_fen": 0}] * 2
    ),
    "one fund in two layers": lambda asked: half(
        asked,
        funds=[
            {"fund": "pool", "layer": layer, "amount_fen": 0 if layer == "pool" else 100}
            for layer in ("pool", "large")
        ],
        person_fen=asked["stay"]["totals"]["total_fen"] - 100,
    ),
    "more than is in scope": lambda asked: half(
        asked,
        funds=[
            {"fund": "pool", "layer": "pool", "amount_fen": asked["stay"]["totals"]["total_fen"]}
        ],
        person_fen=0,
    ),
    "a deductible beyond the burden": lambda asked: half(
        asked, deductible_fen=asked["stay"]["totals"]["total_fen"]
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_bad_answer_is_refused_by_name(tmp_path: Path, name: str) -> None:
    """It decides nothing: the hospital is told, no year moves, nothing is owed."""

    async def main() -> None:
        async with deciding(tmp_path, "agency") as (cities, agency):
            agency.answering = WRONG[name]
            with pytest.raises(Refused, match="AGENCY_ANSWER"):
                await cities.settled()

            assert await cities.beijing.read(lambda s: s.select(DECISIONS)) == []
            assert await cities.beijing.read(lambda s: s.select(YEARS)) == []
            assert await shadows(cities) == []
            (claim,) = await cities.tianjin.read(lambda s: s.select(CLAIMS))
            assert claim.state == "refused"

    run(main())


@pytest.mark.parametrize("way", ["nobody", "elsewhere", "too much"])
def test_a_peer_learns_no_address_of_the_agency(tmp_path: Path, way: str) -> None:
    """Silence is told to peers: not where the system is, nor the password in its address.

    A redirect is silence too, so that no answer leads the node's question to another machine; and
    so is an answer longer than the limit.
    """
    answers: dict[str, Answering] = {
        "nobody": _hang_up,
        "elsewhere": lambda _: (REDIRECT, b""),
        "too much": lambda _: (200, b" " * 200_000),
    }

    async def main() -> None:
        async with deciding(tmp_path, "agency") as (cities, agency):
            del cities
            port = str(agency.port)
            transport = HttpTransport(lambda: 100_000)
            asking = HttpAgency(transport, f"http://officer:word@127.0.0.1:{port}/benefit")
            agency.answering = answers[way]
            with pytest.raises(Refused, match="AGENCY_SILENT") as refused:
                await asking.ask(b"{}")
            await transport.close()

            told = str(refused.value.facts)
            assert (str(REDIRECT) in told) == (way == "elsewhere")
            for kept in ("127.0.0.1", port, "officer", "word", "http:"):
                assert kept not in told

    run(main())


def test_estimate_asks_the_agency_too(tmp_path: Path) -> None:
    """What would be decided now is the agency's answer, and nothing is kept of it."""

    async def main() -> None:
        async with deciding(tmp_path, "shadow") as (cities, agency):
            stay, total_fen = await cities.discharged()
            _, totals, result = await cities.desk.estimate(cities.caller, stay.stay_id, total_fen)

            assert result.fund_fen == totals.in_scope_fen // 2
            assert len(agency.asked) == 1
            assert await shadows(cities) == []
            agency.answering = _hang_up
            with pytest.raises(Exception, match="beijing-hsb"):
                await cities.desk.estimate(cities.caller, stay.stay_id, total_fen)

    run(main())
