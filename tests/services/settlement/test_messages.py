"""A hospital's messages: kept once, compared, reversed; the rules without any interface."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.services.settlement.two_cities import FIRST_HOSPITAL, two_cities
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Transaction
from tongcheng.services.settlement import messages
from tongcheng.services.settlement.messages import MessageKey

KEY = MessageKey(FIRST_HOSPITAL, "2304", "m1")
CALLER = Caller(FIRST_HOSPITAL, "his")

Step = tuple[Callable[[Transaction], Any], object]


def _keep(answer: bytes, digest: str = "d", key: MessageKey = KEY) -> Callable[..., bytes]:
    return lambda tx: messages.once(tx, key, digest, lambda _tx: answer)


def _reverse(msgid: str = "m1", infno: str = "2304") -> Callable[..., str]:
    return lambda tx: messages.reverse(tx, CALLER, infno, msgid)


def _begin(tx: Transaction) -> str:
    messages.begin(tx, KEY, "d", "no such settlement")
    return "begun"


def _finish(tx: Transaction) -> bytes:
    return messages.finish(tx, KEY, "d", "no such settlement", b"final")


OTHER_INFNO = MessageKey(FIRST_HOSPITAL, "2305", "m1")
OTHER_PLACE = MessageKey("H99999999999", "2304", "m1")

STORIES: dict[str, list[Step]] = {
    "the same again": [(_keep(b"one"), b"one"), (_keep(b"two"), b"one")],
    "another content": [(_keep(b"one"), b"one"), (_keep(b"one", "other"), "MSGID_REUSED")],
    "another transaction": [(_keep(b"one"), b"one"), (_keep(b"2", "x", OTHER_INFNO), b"2")],
    "another hospital": [(_keep(b"one"), b"one"), (_keep(b"2", "x", OTHER_PLACE), b"2")],
    "reversed before it came": [(_reverse(), "unseen"), (_keep(b"one"), "MESSAGE_REVERSED")],
    "reversed after it was done": [
        (_keep(b"one"), b"one"),
        (_reverse(), "cancelled"),
        (_keep(b"one"), "MESSAGE_REVERSED"),
    ],
    "reversed twice": [(_reverse(), "unseen"), (_reverse(), "again")],
    "reversed while under way": [
        (_begin, "begun"),
        (_reverse(), "cancelled"),
        (_finish, "MESSAGE_REVERSED"),
    ],
    "finished once": [(_begin, "begun"), (_finish, b"final"), (_keep(b"x"), b"final")],
    "what cannot be reversed": [(_reverse(infno="2301"), "REVERSAL_NOT_OFFERED")],
}


@pytest.mark.parametrize("name", STORIES)
def test_stories(tmp_path: Path, name: str) -> None:
    """Each step of a story, one commit after the other, ends as the table says."""

    async def work() -> list[object]:
        found: list[object] = []
        async with two_cities(tmp_path) as cities:
            for command, _ in STORIES[name]:
                try:
                    found.append(await cities.tianjin.run(command))
                except Refused as refused:
                    found.append(refused.code)
        return found

    assert asyncio.run(work()) == [expected for _, expected in STORIES[name]]


def test_a_refused_effect_keeps_nothing(tmp_path: Path) -> None:
    """When the work is refused the message may come again and be done."""

    def refuse(_tx: Transaction) -> bytes:
        raise Refused("STAY_UNKNOWN", stay="x")

    async def work() -> bytes:
        async with two_cities(tmp_path) as cities:
            with pytest.raises(Refused):
                await cities.tianjin.run(lambda tx: messages.once(tx, KEY, "d", refuse))
            answer: bytes = await cities.tianjin.run(_keep(b"done"))
            return answer

    assert asyncio.run(work()) == b"done"
