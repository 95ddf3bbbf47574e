"""Bringing bytes to a peer over HTTP: connections kept, every answer bounded.

Nothing from the environment steers it (no proxy, no .netrc), and it follows no redirect: a peer
lives where the accord says. A general client (httpx) was measured to cost more than everything else
that a settlement does: it looks at each of its connections at each of a post's steps.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable

import httpx

from tongcheng.kernel.accord import Limits
from tongcheng.kernel.exchange.transport import Unreachable
from tongcheng.node.http_connection import (
    AnswerBroken,
    AnswerTooLong,
    Connection,
    Place,
    place_of,
)

CONNECTIONS_MAX = 64
"""To one server; what comes besides waits for one of them."""

KEEP_ALIVE_S = 60
"""How long a connection that nobody uses is used again; a node's server keeps it longer."""


def _default_answer_bytes() -> int:
    return Limits().batch_bytes


class _Server:
    """The connections to one server: those that rest, the one used last at the end."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(CONNECTIONS_MAX)
        self.idle: deque[Connection] = deque()

    def take_idle(self, now: float) -> Connection | None:
        """Return a connection that rests and is still good, and let go of those that are not."""
        while self.idle and self.idle[0].idle_since + KEEP_ALIVE_S < now:
            self.idle.popleft().close()
        while self.idle:
            connection = self.idle.pop()
            if connection.is_open:
                return connection
        return None


class HttpTransport:
    """The exchange's transport in production; `close` it when its loop ends.

    `answer_bytes_max` is asked for every answer, because a new accord may change the limit. `tls`
    says whom an https server must be vouched for by: without it, by the public authorities.
    """

    def __init__(
        self,
        answer_bytes_max: Callable[[], int] = _default_answer_bytes,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._answer_bytes_max = answer_bytes_max
        self._tls = tls
        self._servers: dict[tuple[str, int, bool], _Server] = {}

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Post once; Unreachable when no whole answer of a lawful size comes within the time."""
        limit = self._answer_bytes_max()
        try:
            place = place_of(address + path)
            async with asyncio.timeout(timeout_ms / 1_000):
                return await self._post(place, body, limit)
        except TimeoutError:
            raise Unreachable(address, f"no answer within {timeout_ms} ms") from None
        except AnswerTooLong:
            raise Unreachable(address, f"its answer is longer than {limit} bytes") from None
        except AnswerBroken as fault:
            raise Unreachable(address, f"its answer broke off: {fault}") from fault
        except (OSError, ValueError) as fault:
            raise Unreachable(address, type(fault).__name__) from fault

    async def _post(self, place: Place, body: bytes, limit: int) -> tuple[int, bytes]:
        server = self._servers.setdefault((place.host, place.port, place.tls), _Server())
        async with server.free:
            loop = asyncio.get_running_loop()
            connection = server.take_idle(loop.time()) or await self._connect(loop, place)
            try:
                answered = await connection.post(place, body, limit)
            except BaseException:
                connection.close()
                raise
            if connection.is_open:
                server.idle.append(connection)
            else:
                connection.close()
            return answered

    async def _connect(self, loop: asyncio.AbstractEventLoop, place: Place) -> Connection:
        if place.tls and self._tls is None:
            self._tls = httpx.create_ssl_context(trust_env=False)
        _, connection = await loop.create_connection(
            Connection, place.host, place.port, ssl=self._tls if place.tls else None
        )
        return connection

    async def close(self) -> None:
        """Close every connection that rests."""
        for server in self._servers.values():
            while server.idle:
                server.idle.pop().close()
