"""The way to an agency's own benefit system: one JSON question posted, one JSON answer."""

from http import HTTPStatus
from urllib.parse import urlsplit

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import Transport, Unreachable

TIMEOUT_MS = 5_000
"""Shorter than a peer waits for the answer to its post."""


class HttpAgency:
    """Posts to one address; whatever is not an answer is silence (AGENCY_SILENT)."""

    def __init__(self, transport: Transport, url: str, timeout_ms: int = TIMEOUT_MS) -> None:
        parts = urlsplit(url)
        self._transport = transport
        self._address = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path
        self._timeout_ms = timeout_ms

    async def ask(self, question: bytes) -> bytes:
        """Return the body of an answer with status 200."""
        try:
            status, answer = await self._transport.post(
                self._address, self._path, question, timeout_ms=self._timeout_ms
            )
        except Unreachable as fault:
            # Without the address: peers are told this, and it may have a password in it.
            raise Refused("AGENCY_SILENT", detail=fault.detail) from fault
        if status != HTTPStatus.OK:
            raise Refused("AGENCY_SILENT", detail=f"status {status}")
        return answer
