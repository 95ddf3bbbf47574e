"""What a stranger may cost: refusals and downloads counted by address, bodies read once."""

from typing import Annotated

import msgspec
import pytest
from litestar import Litestar, post
from litestar.params import JSONBody
from litestar.testing import TestClient

from tests.toy import NOW_AT
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.errors import Refused
from tongcheng.node import limits
from tongcheng.node.limits import WINDOW_MS, BoundedRequest, DownloadLimiter, RefusalLimiter

JSON = "application/json"


def _is_stopped(limiter: RefusalLimiter, address: str) -> bool:
    try:
        limiter.check(address)
    except Refused as refusal:
        assert refusal.code == "TOO_MANY_REFUSALS"  # noqa: PT017 the only code it may have
        return True
    return False


def test_address_is_stopped_and_let_in_again() -> None:
    """After its share of refusals an address waits until the oldest is a minute old."""
    clock = ManualClock(NOW_AT)
    limiter = RefusalLimiter(clock, refusals_max=2)
    limiter.note("a")
    clock.advance(10_000)
    limiter.note("a")

    assert _is_stopped(limiter, "a")
    assert not _is_stopped(limiter, "b")
    clock.advance(WINDOW_MS - 10_000)
    assert not _is_stopped(limiter, "a")


def test_an_ipv6_network_has_one_share() -> None:
    """Its owner could else take another address for each try; IPv4 in IPv6 is the IPv4 address."""
    limiter = RefusalLimiter(ManualClock(NOW_AT), refusals_max=1)
    limiter.note("2001:db8:1:2::1")
    limiter.note("::ffff:192.0.2.1")

    assert _is_stopped(limiter, "2001:db8:1:2:ffff:ffff:ffff:ffff")
    assert _is_stopped(limiter, "192.0.2.1")
    assert not _is_stopped(limiter, "2001:db8:1:3::1")
    assert not _is_stopped(limiter, "::ffff:192.0.2.2")
    limiter.forgive("2001:db8:1:2::2")
    assert not _is_stopped(limiter, "2001:db8:1:2::1")


def test_downloads_under_way_are_bounded() -> None:
    """By address and of all; each that ends makes room, and a refused one takes none."""
    limiter = DownloadLimiter(ManualClock(NOW_AT))
    addresses = [f"192.0.2.{number}" for number in range(limits.DOWNLOADS_MAX)]
    for _ in range(limits.DOWNLOADS_OF_ONE_MAX):
        limiter.begin(addresses[0])
    for _ in range(2):
        with pytest.raises(Refused, match="TOO_MANY_DOWNLOADS"):
            limiter.begin(addresses[0])
    for address in addresses[limits.DOWNLOADS_OF_ONE_MAX :]:
        limiter.begin(address)
    with pytest.raises(Refused, match="TOO_MANY_DOWNLOADS") as refused:
        limiter.begin("198.51.100.1")
    limiter.end(addresses[-1])
    limiter.begin("198.51.100.1")

    assert refused.value.facts["retry_after_s"] == limits.DOWNLOAD_AGAIN_S
    with pytest.raises(Refused, match="TOO_MANY_DOWNLOADS"):
        limiter.begin("198.51.100.1")


def test_wait_is_said_in_seconds() -> None:
    """The caller is told how long to wait, rounded up, never zero."""
    clock = ManualClock(NOW_AT)
    limiter = RefusalLimiter(clock, refusals_max=1)
    limiter.note("a")
    clock.advance(WINDOW_MS - 1)

    with pytest.raises(Refused) as refused:
        limiter.check("a")
    assert refused.value.facts["retry_after_s"] == 1


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers from ever new addresses push out the longest silent, not the memory."""
    monkeypatch.setattr(limits, "ADDRESSES_MAX", 3)
    limiter = RefusalLimiter(ManualClock(NOW_AT), refusals_max=1)
    for address in "abcd":
        limiter.note(address)

    assert [address for address in "abcd" if _is_stopped(limiter, address)] == ["b", "c", "d"]


class _Bill(msgspec.Struct, forbid_unknown_fields=True):
    """A body like a hospital's, small."""

    total_fen: Annotated[int, msgspec.Meta(ge=0)]
    lines: list[str]
    patient: str | None = None


BODIES = (
    b'{"total_fen":1,"lines":["a"]}',
    b'{"total_fen":"1","lines":[],"patient":"null"}',
    b'{"total_fen":1,"total_fen":2,"lines":[]}',
    b'{"total_fen":-1,"lines":[]}',
    b'{"total_fen":1.5,"lines":[]}',
    b'{"total_fen":1,"lines":[1]}',
    b'{"total_fen":1}',
    b'{"total_fen":1,"lines":[],"more":1}',
    b"",
    b"null",
    b"[]",
    b'{"total_fen":1,"lines":["\xff"]}',
    b'{"total_fen":1,"lines":["\\ud800"]}',
    b'{"total_fen":1,"lines":[]} ',
    b'{"total_fen":1,"lines":[]}x',
)


@pytest.mark.parametrize("body", BODIES, ids=repr)
def test_a_body_is_the_same_read_in_one_step_as_in_two(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Struct is read straight from the bytes: the same value, and the same words for a fault."""

    @post("/bill", status_code=200)
    async def bill(data: JSONBody[_Bill]) -> _Bill:
        return data

    def told() -> tuple[int, object]:
        app = Litestar([bill], request_class=BoundedRequest)
        with TestClient(app, raise_server_exceptions=False) as client:
            answer = client.post("/bill", content=body, headers={"Content-Type": JSON})
            return answer.status_code, answer.json()

    in_one_step = told()
    monkeypatch.setattr(limits, "_body_struct", lambda _handler: None)
    assert in_one_step == told()
