"""Bringing bytes to a peer over HTTP: one client, connections kept, every answer bounded.

Nothing from the environment steers it (no proxy, no .netrc), and it follows no redirect: a peer
lives where the accord says.
"""

import asyncio
from collections.abc import Callable

import httpx

from tongcheng.kernel.accord import Limits
from tongcheng.kernel.exchange.transport import Unreachable

CONNECTIONS_MAX = 64
KEEP_ALIVE_S = 60
HEADERS = {
    "content-type": "application/json",
    "accept-encoding": "identity",  # a small answer could unpack into a large one
    "user-agent": "tongcheng",
}


def _default_answer_bytes() -> int:
    return Limits().batch_bytes


class HttpTransport:
    """The exchange's transport in production; `close` it when its loop ends.

    `answer_bytes_max` is asked for every answer, because a new accord may change the limit.
    """

    def __init__(self, answer_bytes_max: Callable[[], int] = _default_answer_bytes) -> None:
        self._answer_bytes_max = answer_bytes_max
        self._client = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            http2=False,
            headers=HEADERS,
            limits=httpx.Limits(
                max_connections=CONNECTIONS_MAX,
                max_keepalive_connections=CONNECTIONS_MAX,
                keepalive_expiry=KEEP_ALIVE_S,
            ),
        )

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Post once; Unreachable when no whole answer of a lawful size comes within the time."""
        try:
            async with asyncio.timeout(timeout_ms / 1_000):
                return await self._post(address, path, body)
        except TimeoutError:
            raise Unreachable(address, f"no answer within {timeout_ms} ms") from None
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise Unreachable(address, type(fault).__name__) from fault

    async def _post(self, address: str, path: str, body: bytes) -> tuple[int, bytes]:
        # The time of the whole is limited above; httpx limits only each step of it.
        request = self._client.build_request("POST", address + path, content=body, timeout=None)
        response = await self._client.send(request, stream=True)
        try:
            return response.status_code, await self._read(address, response)
        finally:
            await response.aclose()

    async def _read(self, address: str, response: httpx.Response) -> bytes:
        limit = self._answer_bytes_max()
        answer = bytearray()
        async for chunk in response.aiter_raw():
            answer += chunk
            if len(answer) > limit:
                raise Unreachable(address, f"its answer is longer than {limit} bytes")
        return bytes(answer)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()
