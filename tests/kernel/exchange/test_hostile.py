"""A peer that is broken or lies, a disk that is full, a damaged row: what each may hold up.

Each test is a fault that once stopped more than what it touched, or could have.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from tests import toy
from tests.toy import MEMBERS, NOW_AT, send_pings
from tests.virtual_time import LoopClock, run
from tongcheng.kernel.envelope import Envelope, Opened, open_batch
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange import exchange as exchanges
from tongcheng.kernel.exchange.tables import CHANNELS, TAKEN, TROUBLES
from tongcheng.kernel.exchange.transport import CATCH_UP_PATH, INBOX_PATH, Unreachable
from tongcheng.node.core import Node

BEIJING, TIANJIN, _ = MEMBERS
WAITED_S = 120
"""Longer than the longest pause of a link, several times."""


class Wire:
    """Brings bytes between the nodes; what a node's bug raises is its 500, as over HTTP."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.posts = 0
        self.cut = False
        self.instead: Callable[[str], bytes] | None = None

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Hand the bytes over, or answer with what the test says `instead`."""
        del timeout_ms
        self.posts += 1
        if self.cut or address not in self.nodes:
            raise Unreachable(address, "cut")
        if self.instead is not None:
            return 200, self.instead(address)
        exchange = self.nodes[address].exchange
        lanes: dict[str, Callable[[bytes], Awaitable[bytes]]] = {
            INBOX_PATH: exchange.receive,
            CATCH_UP_PATH: exchange.catch_up,
        }
        if path not in lanes:
            return 404, b"{}"
        try:
            return 200, await lanes[path](body)
        except Refused as refusal:
            return 409, msgspec.json.encode({"code": refusal.code, "facts": refusal.facts})
        except AssertionError:
            return 500, b'{"code":"INTERNAL_FAULT","facts":{}}'


@asynccontextmanager
async def two(folder: Path) -> AsyncIterator[tuple[Wire, Node, Node]]:
    """Run Beijing and Tianjin on virtual time, both caught up."""
    wire = Wire()
    try:
        for member_id in (BEIJING, TIANJIN):
            node = toy.toy_node(folder / member_id, member_id, wire, LoopClock(NOW_AT))
            node.open()
            wire.nodes[member_id] = node
            await node.adopt(toy.toy_accord().encoded())
        await asyncio.sleep(1)
        yield wire, wire.nodes[BEIJING], wire.nodes[TIANJIN]
    finally:
        for node in wire.nodes.values():
            await node.stop()


def _of(node: Node, what: str) -> list[int]:
    return [n for kind, n in toy.noted(node) if kind == what]


def _from_tianjin(node: Node, *sent: Envelope, **changes: Any) -> bytes:
    return toy.batch(*sent, sent_at=node.clock.now(), **changes)


def test_link_survives_a_full_disk(tmp_path: Path) -> None:
    """The note of the trouble cannot be stored either; when there is room the acts go out."""

    async def main() -> None:
        async with two(tmp_path) as (_, beijing, _tianjin):
            await send_pings(beijing, TIANJIN, 5)
            full = sqlite3.OperationalError("database or disk is full")
            with patch.object(beijing.database, "persist", side_effect=full):
                await asyncio.sleep(WAITED_S)
            await asyncio.sleep(WAITED_S)

            assert _of(beijing, "pong") == [10]

    run(main())


def test_link_survives_a_bug_that_an_answer_trips(tmp_path: Path) -> None:
    """What trips a bug is kept as trouble and tried again; the link does not end in silence."""

    async def main() -> None:
        async with two(tmp_path) as (_, beijing, tianjin):
            faults: list[dict[str, Any]] = []
            asyncio.get_running_loop().set_exception_handler(lambda _, given: faults.append(given))
            await send_pings(beijing, TIANJIN, 13)
            await send_pings(tianjin, BEIJING, 7)
            await asyncio.sleep(WAITED_S)
            trouble = await tianjin.read(lambda s: s.get(TROUBLES, BEIJING))

            assert _of(beijing, "ping") == [7]
            assert trouble is not None
            assert (trouble.code, trouble.detail) == ("INTERNAL_FAULT", "AssertionError")
            assert faults
            assert all("link to beijing-hsb" in given["message"] for given in faults)

    run(main())


def test_peer_that_acknowledges_nothing_is_not_posted_to_without_pause(tmp_path: Path) -> None:
    """A peer that answers well and takes nothing would else be asked as fast as the wire goes."""

    async def main() -> None:
        async with two(tmp_path) as (wire, beijing, _tianjin):
            wire.instead = lambda _: _from_tianjin(beijing)
            wire.posts = 0
            await send_pings(beijing, TIANJIN, 5)
            await asyncio.sleep(WAITED_S)

            assert 5 < wire.posts < 40

    run(main())


def test_catch_up_brings_answers_that_were_acknowledged_and_then_lost(tmp_path: Path) -> None:
    """A node set back to before an answer gets it again at its start, though nothing new is sent.

    Set back to before an act of its own it would be refused by name, see `test_laws`.
    """

    async def main() -> None:
        async with two(tmp_path) as (wire, beijing, tianjin):
            wire.cut = True
            await send_pings(beijing, TIANJIN, 5, 6)
            saved = tmp_path / "saved.sqlite"
            with sqlite3.connect(beijing.database.path) as now, sqlite3.connect(saved) as then:
                now.backup(then)
            wire.cut = False
            await asyncio.sleep(WAITED_S)
            answered = await tianjin.read(lambda s: s.get(CHANNELS, TIANJIN, BEIJING))
            assert answered is not None
            assert answered.acknowledged_seq == 2
            await beijing.stop()
            for file in (tmp_path / BEIJING).glob("node.sqlite*"):
                file.unlink()
            saved.rename(beijing.database.path)
            fresh = toy.toy_node(tmp_path / BEIJING, BEIJING, wire, LoopClock(NOW_AT), seed="2")
            fresh.open()
            wire.nodes[BEIJING] = fresh
            fresh.start()
            await asyncio.sleep(WAITED_S)

            assert _of(fresh, "pong") == [10, 12]

    run(main())


def test_request_that_claims_to_be_an_answer_is_refused(tmp_path: Path) -> None:
    """`reply_to` is the sender's to write: on a request it is refused, and trips no assertion."""

    async def main() -> None:
        async with two(tmp_path) as (_, beijing, _tianjin):
            spoof = toy.ping(5, seq=1, reply_to=toy.ping(1, seq=9).id)
            await beijing.exchange.receive(_from_tianjin(beijing, spoof))
            row = await beijing.read(lambda s: s.get(TAKEN, spoof.id))

            assert row is not None
            assert (row.outcome, row.refusal_code) == ("refused", "REPLY_TO_UNKNOWN")
            assert _of(beijing, "ping") == []

    run(main())


def test_envelope_under_an_id_of_ours_is_refused(tmp_path: Path) -> None:
    """Transfers are numbered from the envelope's id: a peer's must not collide with ours."""

    async def main() -> None:
        async with two(tmp_path) as (_, beijing, tianjin):
            [ours] = await send_pings(beijing, TIANJIN, 5)
            await asyncio.sleep(WAITED_S)
            channel = await beijing.read(lambda s: s.get(CHANNELS, TIANJIN, BEIJING))
            assert channel is not None, "acts have arrived on it"
            theirs = toy.ping(6, seq=channel.next_seq, id=ours)
            with pytest.raises(Refused) as refused:
                await beijing.exchange.receive(_from_tianjin(beijing, theirs))

            assert refused.value.code == "ENVELOPE_ID_REUSED"
            assert _of(tianjin, "ping") == [5]

    run(main())


def test_damaged_row_refuses_the_act_that_reads_it_and_no_other(tmp_path: Path) -> None:
    """One damaged row is not an outage of everything that waits behind the act that met it."""

    async def main() -> None:
        async with two(tmp_path) as (_, beijing, tianjin):
            await send_pings(beijing, TIANJIN, 5)
            await asyncio.sleep(WAITED_S)
            _damage(tianjin, "UPDATE toy_ping_head SET count = 9")
            await send_pings(beijing, TIANJIN, 6)
            await asyncio.sleep(WAITED_S)
            with tianjin.database.snapshot() as snapshot:
                rows = snapshot.select(TAKEN, src=BEIJING)
            channel = await beijing.read(lambda s: s.get(CHANNELS, BEIJING, TIANJIN))

            codes = {row.refusal_code for row in rows if row.type == "toy.ping/1"}
            assert codes == {None, "STORED_VALUE_DAMAGED"}
            assert _of(beijing, "refused") == [6]
            assert channel is not None
            assert channel.acknowledged_seq == channel.next_seq - 1

    run(main())


def _damage(node: Node, statement: str) -> None:
    with sqlite3.connect(node.database.path, timeout=5) as other:
        other.execute(statement)
    other.close()


def test_parked_acts_are_applied_by_number_whatever_the_clock_did(tmp_path: Path) -> None:
    """A clock that stepped back must not swap parked acts: a void would precede its settle."""

    async def main() -> None:
        async with two(tmp_path) as (_, beijing, _tianjin):
            pings = [toy.ping(n, seq=n) for n in (1, 2)]
            act = beijing.registry.acts.pop("toy.ping/1")
            await beijing.exchange.receive(_from_tianjin(beijing, *pings))

            def set_back(tx: Any) -> None:
                row = tx.get(TAKEN, pings[1].id)
                tx.put(TAKEN, msgspec.structs.replace(row, taken_at=row.taken_at - 3_600_000))

            await beijing.run(set_back)
            beijing.registry.acts["toy.ping/1"] = act
            await beijing.unpark()

            assert _of(beijing, "ping") == [1, 2]

    run(main())


def test_one_waiter_that_gives_up_leaves_the_others_waiting(tmp_path: Path) -> None:
    """Two messages of a hospital may wait for one answer; each is woken by it."""

    async def main() -> None:
        async with two(tmp_path) as (wire, beijing, _tianjin):
            wire.cut = True
            [ping] = await send_pings(beijing, TIANJIN, 5)
            short = asyncio.create_task(beijing.exchange.wait_answer(ping, 1_000))
            long = asyncio.create_task(beijing.exchange.wait_answer(ping, 10**9))
            await asyncio.sleep(2)
            wire.cut = False

            assert not await short
            assert await asyncio.wait_for(long, WAITED_S)

    run(main())


def test_peer_that_asks_without_end_is_put_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Questions are remembered against replay, so many of a peer, until their time is over.

    Clocks may differ by as much as the accord allows, so it is over only that much later.
    """
    monkeypatch.setattr(exchanges, "ASKS_REMEMBERED_MAX", 2)

    async def main() -> None:
        async with two(tmp_path) as (_, beijing, _tianjin):
            now_at = beijing.clock.now()
            question: dict[str, Any] = {"type": "toy.sum/1", "not_after": now_at + 60_000}

            async def ask(number: int) -> bytes:
                asked = toy.ping(number, seq=0, **question)
                return await beijing.exchange.answer_ask(_from_tianjin(beijing, asked))

            await ask(1)
            await ask(2)
            with pytest.raises(Refused) as refused:
                await ask(4)

            assert refused.value.code == "OVERLOADED"
            await asyncio.sleep(61 + beijing.home.accord.limits.clock_skew_ms / 1_000)
            question["not_after"] = beijing.clock.now() + 60_000
            await ask(5)

    run(main())


LONG = "x" * 100_000


@pytest.mark.parametrize("field", ["src", "dst", "kid", "root"])
def test_strangers_long_names_are_not_quoted(field: str) -> None:
    """Nothing is verified yet when a statement is refused, and the refusal goes into the log."""
    statement = {
        "version": 1,
        "src": TIANJIN,
        "dst": BEIJING,
        "kid": "k",
        "root": "",
        "count": 0,
        "acknowledged": 0,
        "sent_at": NOW_AT,
        field: LONG,
        **({} if field != "kid" else {LONG: 1}),
    }
    raw = msgspec.json.encode({"statement": statement, "signature": "", "envelopes": []})

    with pytest.raises(Refused) as refused:
        _open(raw)

    assert len(str(refused.value)) < 1_000


def _open(raw: bytes) -> Opened:
    accord = toy.toy_accord().accord
    return open_batch(raw, accord, member_id=BEIJING, now_at=NOW_AT, lane="act")


@pytest.mark.parametrize("field", ["type", "accord", "reply_to", "case"])
def test_long_names_of_an_envelope_are_refused(field: str) -> None:
    """They are quoted in refusals, stored in indexes and shown on pages."""
    with pytest.raises(Refused) as refused:
        _open(toy.batch(toy.ping(1, seq=1, **{field: LONG})))

    assert refused.value.code == "SCHEMA_MISMATCH"
    assert len(str(refused.value)) < 1_000


def test_refusal_of_a_huge_unknown_field_fits_into_an_envelope(tmp_path: Path) -> None:
    """The refusal quotes the field's name; quoted whole it would not fit and block the channel."""

    async def main() -> None:
        async with two(tmp_path) as (_, beijing, _tianjin):
            huge = toy.ping(1, seq=1, body={"n": 1, "x" * 261_700: 2})
            await beijing.exchange.receive(_from_tianjin(beijing, huge))
            row = await beijing.read(lambda s: s.get(TAKEN, huge.id))

            assert row is not None
            assert row.refusal_code == "SCHEMA_MISMATCH"

    run(main())
