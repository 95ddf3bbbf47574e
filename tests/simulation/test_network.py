"""The network's faults: each does what its name says, and a seed decides which messages it hits."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from tongcheng.kernel.exchange.transport import ASK_PATH, INBOX_PATH, Unreachable
from tongcheng.simulation import loop
from tongcheng.simulation.faults import PROFILES, Chance, Profile, Tally
from tongcheng.simulation.network import Network, SimulatedTransport

T = TypeVar("T")

HERE, THERE = "http://here", "http://there"


class Echo:
    """A host that remembers what it got and says it back."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    async def serve(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Answer with the same bytes."""
        assert path
        self.got.append(body)
        return 200, body


def _network(profile: Profile, seed: int = 1) -> tuple[Network, Echo, SimulatedTransport]:
    network = Network(Chance(seed, "network"), profile, Tally())
    echo = Echo()
    network.hosts[THERE] = echo
    return network, echo, SimulatedTransport(network, HERE, lambda: True)


def _run(main: Coroutine[Any, Any, T]) -> T:
    return loop.run(main)


def test_without_faults_the_same_bytes_come_back() -> None:
    """The network that does nothing wrong is the baseline."""
    _, echo, transport = _network(PROFILES["none"])

    answer = _run(transport.post(THERE, INBOX_PATH, b"hello", timeout_ms=1_000))

    assert answer == (200, b"hello")
    assert echo.got == [b"hello"]


def test_a_lost_request_never_arrives() -> None:
    """The sender waits its time out; the peer has seen nothing."""
    _, echo, transport = _network(Profile(request_lost=1))

    with pytest.raises(Unreachable):
        _run(transport.post(THERE, INBOX_PATH, b"hello", timeout_ms=1_000))

    assert echo.got == []


def test_a_lost_reply_is_lost_after_the_peer_has_worked() -> None:
    """The dangerous one: the sender knows nothing, and the peer has done it."""
    _, echo, transport = _network(Profile(reply_lost=1))

    with pytest.raises(Unreachable):
        _run(transport.post(THERE, INBOX_PATH, b"hello", timeout_ms=1_000))

    assert echo.got == [b"hello"]


def test_a_delayed_request_arrives_after_its_sender_has_given_up() -> None:
    """Giving up does not call a message back."""
    network, echo, transport = _network(Profile(delayed=1))

    async def give_up_and_wait() -> int:
        with pytest.raises(Unreachable):
            await transport.post(THERE, INBOX_PATH, b"hello", timeout_ms=100)
        assert echo.got == []
        await network.drain()
        return len(echo.got)

    assert _run(give_up_and_wait()) == 1


def test_a_duplicate_comes_later_and_its_answer_is_not_read() -> None:
    """The same bytes twice, the second at any time."""
    network, echo, transport = _network(Profile(duplicated=1))

    async def post() -> None:
        await transport.post(THERE, INBOX_PATH, b"hello", timeout_ms=1_000)
        await network.drain()

    _run(post())

    assert echo.got == [b"hello", b"hello"]


@pytest.mark.parametrize("path", [INBOX_PATH, ASK_PATH])
def test_a_corrupted_message_differs_in_one_bit(path: str) -> None:
    """One flipped bit; in a question it is one that cannot be text."""
    _, echo, transport = _network(Profile(corrupted=1))
    sent = b"0123456789" * 10

    _run(transport.post(THERE, path, sent, timeout_ms=1_000))

    (got,) = echo.got
    changed = [one ^ other for one, other in zip(got, sent, strict=True) if one != other]
    assert len(changed) == 1
    assert changed[0].bit_count() == 1
    assert (changed[0] == 0x80) or path == INBOX_PATH


def test_a_partition_stops_both_directions_until_it_is_mended() -> None:
    """What is sent into it is lost; afterwards everything passes."""
    network, echo, transport = _network(PROFILES["none"])

    async def around_the_partition() -> None:
        network.cut(HERE, THERE)
        with pytest.raises(Unreachable):
            await transport.post(THERE, INBOX_PATH, b"into", timeout_ms=1_000)
        network.mend(HERE, THERE)
        await transport.post(THERE, INBOX_PATH, b"after", timeout_ms=1_000)

    _run(around_the_partition())

    assert echo.got == [b"after"]


def test_messages_overtake_each_other() -> None:
    """Two messages sent in order arrive in the other order, for some seed of a few."""

    async def order(transport: SimulatedTransport, echo: Echo) -> list[bytes]:
        posts = [
            transport.post(THERE, INBOX_PATH, name, timeout_ms=60_000) for name in (b"1", b"2")
        ]
        await asyncio.gather(*posts)
        return echo.got

    seen = set()
    for seed in range(8):
        _, echo, transport = _network(Profile(delayed=0.5), seed)
        seen.add(tuple(_run(order(transport, echo))))

    assert seen == {(b"1", b"2"), (b"2", b"1")}


def test_the_seed_decides_the_fates() -> None:
    """The same seed gives the same fates; calm draws them too and applies none."""
    heavy = PROFILES["heavy"]
    one, other, third = (Network(Chance(s, "network"), heavy, Tally()) for s in (1, 1, 2))

    fates = [one.fate() for _ in range(200)]

    assert fates == [other.fate() for _ in range(200)]
    assert fates != [third.fate() for _ in range(200)]
    one.calm = True
    assert not any(fate.request_lost or fate.twin_ms for fate in (one.fate() for _ in range(200)))


def test_the_dead_send_nothing() -> None:
    """A task of a killed node that still runs for a moment reaches nobody."""
    network, echo, _ = _network(PROFILES["none"])
    dead = SimulatedTransport(network, HERE, lambda: False)

    with pytest.raises(Unreachable):
        _run(dead.post(THERE, INBOX_PATH, b"ghost", timeout_ms=1_000))

    assert echo.got == []
