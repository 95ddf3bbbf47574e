"""How much a stranger may cost us: bytes of a body, refusals a minute, downloads at one time."""

import contextlib
import functools
import ipaddress
from collections import Counter, OrderedDict, deque
from typing import Any, cast

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import InternalServerException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.types import HTTPReceiveMessage

from tongcheng.kernel.clock import Clock
from tongcheng.kernel.errors import Refused

REFUSALS_MAX = 60
"""Refused posts a minute from one address: an honest peer backs off long before."""

WINDOW_MS = 60_000
ADDRESSES_MAX = 10_000
BODY_BYTES_MAX = 1_048_576
"""Of everything that is not an exchange batch: the longest is a stay with its fee lines."""

LENGTH_DIGITS_MAX = 18
"""A longer Content-Length is nonsense; the bytes themselves are counted in any case."""

NETWORK_BITS = 64
"""Of an IPv6 address: who has one has the whole network, and could take another for each try."""

DOWNLOADS_MAX = 16
DOWNLOADS_OF_ONE_MAX = 4
"""Of large files under way, of all addresses and of one: neighbours may share a proxy's."""

DOWNLOAD_AGAIN_S = 10

FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-real-ip")


class RefusalLimiter:
    """Counts refused posts by the address they came from, never by the member they claim to be.

    Otherwise a stranger could lock out a member by posting nonsense in its name.
    """

    def __init__(self, clock: Clock, refusals_max: int = REFUSALS_MAX) -> None:
        self._clock = clock
        self._refusals_max = refusals_max
        self._refused: OrderedDict[str, deque[int]] = OrderedDict()

    def check(self, address: str) -> None:
        """Refuse TOO_MANY_REFUSALS when the address has had its share of this minute."""
        address = _payer(address)
        times = self._refused.get(address)
        if times is None:
            return
        now_at = self._clock.now()
        while times and times[0] <= now_at - WINDOW_MS:
            times.popleft()
        if not times:
            del self._refused[address]
        elif len(times) >= self._refusals_max:
            wait_s = max(1, -(-(times[0] + WINDOW_MS - now_at) // 1_000))
            raise Refused("TOO_MANY_REFUSALS", limit=self._refusals_max, retry_after_s=wait_s)

    def note(self, address: str) -> None:
        """Count one refusal; of too many addresses the longest silent is forgotten."""
        address = _payer(address)
        times = self._refused.setdefault(address, deque(maxlen=self._refusals_max))
        times.append(self._clock.now())
        self._refused.move_to_end(address)
        if len(self._refused) > ADDRESSES_MAX:
            self._refused.popitem(last=False)

    def forgive(self, address: str) -> None:
        """Take one refusal back that was noted before its outcome was known.

        Whoever notes only afterwards lets a hundred requests through that come at one moment.
        """
        times = self._refused.get(_payer(address))
        if times:
            times.pop()


class DownloadLimiter:
    """Counts the downloads of large files that are under way: each holds a file and a connection.

    `refusals` are apart from the exchange's: who asks for files that are not there must not lock
    out a member's node behind the same address.
    """

    def __init__(self, clock: Clock) -> None:
        self.refusals = RefusalLimiter(clock)
        self._under_way: Counter[str] = Counter()

    def begin(self, address: str) -> None:
        """Refuse TOO_MANY_DOWNLOADS for one more than may be; every other one has to `end`."""
        address = _payer(address)
        of_one, of_all = self._under_way[address], self._under_way.total()
        if of_one >= DOWNLOADS_OF_ONE_MAX or of_all >= DOWNLOADS_MAX:
            raise Refused(
                "TOO_MANY_DOWNLOADS", limit=DOWNLOADS_OF_ONE_MAX, retry_after_s=DOWNLOAD_AGAIN_S
            )
        self._under_way[address] += 1

    def end(self, address: str) -> None:
        """Count a download as over, however it ended."""
        address = _payer(address)
        self._under_way[address] -= 1
        if not self._under_way[address]:
            del self._under_way[address]


def _payer(address: str) -> str:
    """Return under what an address is counted: an IPv6 one under its network (RFC 4291, 2.5.4)."""
    if ":" not in address:
        return address
    try:
        host = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    mapped = host.ipv4_mapped
    if mapped is not None:
        return str(mapped)
    return str(ipaddress.IPv6Network((int(host) >> NETWORK_BITS << NETWORK_BITS, NETWORK_BITS)))


def remote_address(request: Request[Any, Any, State]) -> str:
    """Return the address the connection came from, or what a proxy on this machine says of it."""
    return request.client.host if request.client is not None else ""


def was_forwarded(request: Request[Any, Any, State]) -> bool:
    """Tell whether a proxy passed the request on: then the connection's address is the proxy's."""
    return any(name in request.headers for name in FORWARDED)


class BoundedRequest(Request[Any, Any, State]):
    """A request whose body is a caller's text: whatever is wrong with it is no fault of ours."""

    async def body(self) -> bytes:
        """Read the body; refuses REQUEST_MALFORMED when the caller hangs up before its end."""
        try:
            return await super().body()
        except InternalServerException:
            raise Refused("REQUEST_MALFORMED", detail="the request ended early") from None

    async def json(self) -> Any:
        """Read the body as JSON; refuses what the decoder does not name: nesting, not UTF-8.

        What a handler takes as a Struct is read as one, in one step: the bodies are long bills.
        Whatever is wrong with one is found, and named, the long way.
        """
        shape = _body_struct(self.route_handler)
        if shape is not None:
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return msgspec.json.decode(await self.body(), type=shape, strict=False)
        try:
            return await super().json()
        except RecursionError:
            raise Refused("REQUEST_MALFORMED", detail="the body is nested too deep") from None
        except UnicodeDecodeError:
            raise Refused("REQUEST_MALFORMED", detail="the body is not UTF-8") from None


@functools.lru_cache(maxsize=1_024)
def _body_struct(handler: BaseRouteHandler) -> type[msgspec.Struct] | None:
    """Return the Struct that a handler takes its body as, None for anything else."""
    field = handler.parsed_data_field if isinstance(handler, HTTPRouteHandler) else None
    shape = None if field is None else field.annotation
    return shape if isinstance(shape, type) and issubclass(shape, msgspec.Struct) else None


async def read_body(request: Request[Any, Any, State], bytes_max: int) -> bytes:
    """Read a body of at most so many bytes, and stop reading where it exceeds them."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and len(announced) <= LENGTH_DIGITS_MAX and int(announced) > bytes_max:
        raise Refused("BATCH_TOO_LARGE", bytes=int(announced), limit=bytes_max)
    body = bytearray()
    while True:
        event = cast("HTTPReceiveMessage", await request.receive())
        if event["type"] == "http.disconnect":
            # Nobody will read the answer.
            raise Refused("BATCH_MALFORMED", detail="the request ended early")
        body += event["body"]
        if len(body) > bytes_max:
            raise Refused("BATCH_TOO_LARGE", bytes=len(body), limit=bytes_max)
        if not event.get("more_body", False):
            return bytes(body)
