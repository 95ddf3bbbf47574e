"""Where a neighbour's bundle is got from over HTTP: bounded in bytes and time, steered by nobody.

As the exchange's transport has it: nothing from the environment steers it (no proxy, no .netrc),
an https server must be vouched for by the public authorities, and no redirect is followed, because
a member lives where the accord says. An answer may take its time only while it comes.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import httpx

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import (
    POST_TIMEOUT_MS,
    PeerRefused,
    Unreachable,
    accepted,
)

BYTES_A_SECOND_MIN: Final = 32_768
"""Slower is not worth waiting for: streets of China would take more than half a day."""

PROBLEM_BYTES_MAX: Final = 65_536
_SHOWN_MAX: Final = 80
_REDIRECTS: Final = range(300, 400)


class BrokenOff(Refused):
    """Nothing was found wrong with what is fetched: it did not come, and may come another time."""


class HttpSource:
    """A member's node, asked for its published files; an async context.

    `tls` says whom an https server must be vouched for by: without it, by the public authorities.
    """

    def __init__(
        self,
        address: str,
        *,
        timeout_ms: int = POST_TIMEOUT_MS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(address)
        # An address may have a password in it: nobody is shown that.
        self._shown = parts.netloc.rpartition("@")[2] or ascii(address)[1:-1][:_SHOWN_MAX]
        self._address = address
        self._timeout_s = timeout_ms / 1_000
        self._client = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            verify=tls or httpx.create_ssl_context(trust_env=False),
            timeout=None,  # noqa: S113 each answer as a whole is timed below
            # A small answer could unpack into a large one.
            headers={"accept-encoding": "identity", "user-agent": "tongcheng"},
        )

    async def __aenter__(self) -> Self:
        """Begin to ask."""
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _fault: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def get(self, path: str, bytes_max: int, into: Callable[[bytes], object]) -> None:
        """Hand what lies at a path to `into`, part by part.

        Raises:
            BrokenOff: BUNDLE_UNREACHABLE, BUNDLE_SLOW, BUNDLE_REDIRECTED, BUNDLE_ANSWER.
            Refused: BUNDLE_LONG for more bytes than `bytes_max`; and as `into`.
        """
        loop = asyncio.get_running_loop()
        begins = loop.time()
        received = 0
        try:
            async with (
                asyncio.timeout(self._timeout_s) as patience,
                self._client.stream("GET", self._address + path) as answer,
            ):
                if answer.status_code != HTTPStatus.OK:
                    await self._refuse(answer)
                async for part in answer.aiter_raw():
                    received += len(part)
                    if received > bytes_max:
                        raise Refused("BUNDLE_LONG", server=self._shown, path=path, most=bytes_max)
                    into(part)
                    earned_s = received / BYTES_A_SECOND_MIN
                    patience.reschedule(begins + self._timeout_s + earned_s)
        except TimeoutError:
            seconds = int(loop.time() - begins)
            raise BrokenOff(
                "BUNDLE_SLOW", server=self._shown, path=path, bytes=received, seconds=seconds
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as fault:
            raise BrokenOff(
                "BUNDLE_UNREACHABLE", server=self._shown, fault=type(fault).__name__
            ) from None

    async def _refuse(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status in _REDIRECTS:
            raise BrokenOff("BUNDLE_REDIRECTED", server=self._shown, status=status)
        body = bytearray()
        async for part in answer.aiter_raw():
            body += part
            if len(body) > PROBLEM_BYTES_MAX:
                break
        try:
            accepted(self._shown, status, bytes(body))
            said = ""
        except PeerRefused as refused:
            said = refused.code
        except Unreachable as fault:
            said = fault.detail
        # A stranger's words: shown short, and without what moves a terminal.
        shown = ascii(said)[1:-1][:_SHOWN_MAX]
        raise BrokenOff("BUNDLE_ANSWER", server=self._shown, status=status, said=shown)
