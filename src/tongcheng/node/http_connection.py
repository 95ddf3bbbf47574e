"""One connection to a peer's web server: a post, its whole answer, then the next post.

HTTP/1.1 as RFC 9112 has it, read by httptools. A connection serves one post at a time; what is
wrong with it ends it, and whoever waits is told by an exception.
"""

import asyncio
import base64
import functools
from typing import NamedTuple, cast
from urllib.parse import quote, unquote, urlsplit

import httptools

HEAD_BYTES_MAX = 65_536
INFORMATIONAL = range(100, 200)
_PORTS = {"http": 80, "https": 443}
_PATH_SAFE = "/%:@!$&'()*+,;=~"


class Place(NamedTuple):
    """Where a post goes: a server, and the head of every request to one path of it."""

    host: str
    port: int
    tls: bool
    head: bytes


class AnswerTooLong(Exception):
    """The answer has more bytes than its reader allows."""


class AnswerBroken(Exception):
    """The connection ended, or spoke no HTTP, before the answer was whole."""


@functools.lru_cache(maxsize=1_024)
def place_of(url: str) -> Place:
    """Return where a URL leads; raises ValueError for what is no address of a web server."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(url)
    host = parts.hostname.encode("idna").decode()
    port = parts.port or _PORTS[parts.scheme]
    shown = f"[{host}]" if ":" in host else host
    lines = [
        f"POST {quote(parts.path or '/', safe=_PATH_SAFE)} HTTP/1.1",
        f"host: {shown}" if port == _PORTS[parts.scheme] else f"host: {shown}:{port}",
        "content-type: application/json",
        "accept-encoding: identity",  # a small answer could unpack into a large one
        "user-agent: tongcheng",
    ]
    if parts.username is not None:
        given = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"authorization: Basic {base64.b64encode(given.encode()).decode()}")
    head = "\r\n".join(lines) + "\r\ncontent-length: "
    return Place(host, port, parts.scheme == "https", head.encode("ascii"))


class Connection(asyncio.Protocol):
    """One connection; `is_open` says whether another post may go over it.

    `idle_since` is the loop's time of its last answer.
    """

    def __init__(self) -> None:
        self.is_open = False
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._bytes_max = 0
        self._received = 0
        self._in_body = False
        self._has_length = False

    async def post(self, place: Place, body: bytes, bytes_max: int) -> tuple[int, bytes]:
        """Post once; return the status and the body of the answer, of at most `bytes_max`.

        Raises AnswerTooLong or AnswerBroken. A caller that stops waiting must `close`.
        """
        assert self._waiting is None, "one post at a time"
        assert self._transport is not None, "an open connection has its transport"
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        self._bytes_max = bytes_max
        self._received = 0
        self._transport.write(b"%b%d\r\n\r\n%b" % (place.head, len(body), body))
        try:
            return await self._waiting
        finally:
            self._waiting = None
            self.idle_since = loop.time()

    def close(self) -> None:
        """End the connection at once; what is under way gets no answer."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    # what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        # uvloop's is one in all but its class.
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Read on; more than the answer may have, or no HTTP, ends the connection."""
        self._received += len(data)
        if self._waiting is None or self._waiting.done():
            self.close()  # Nobody asked for this.
            return
        # Chunks have heads of their own, at most as long as a sensible server's chunks.
        if self._received > HEAD_BYTES_MAX + 2 * self._bytes_max:
            self._fail(AnswerTooLong())
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as fault:
            self._fail(AnswerBroken(type(fault).__name__))

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side is gone; an answer without a length ends here, by RFC 9112, 6.3."""
        self.is_open = False
        if self._in_body and not self._has_length and exc is None:
            self._answer()
        self._fail(AnswerBroken("closed" if exc is None else type(exc).__name__))

    # what httptools tells

    def on_message_begin(self) -> None:
        """Begin a head; of a second answer to one post nothing is read, and nothing after it."""
        if self._waiting is None or self._waiting.done():
            self.close()
        self._body.clear()
        self._in_body = self._has_length = False

    def on_header(self, name: bytes, _value: bytes) -> None:
        """Note whether the answer says where it ends."""
        self._has_length |= name.lower() in {b"content-length", b"transfer-encoding"}

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_body = True

    def on_body(self, part: bytes) -> None:
        """Keep a part of the body, up to the limit."""
        self._body += part
        if len(self._body) > self._bytes_max:
            self._fail(AnswerTooLong())

    def on_message_complete(self) -> None:
        """The answer is whole, unless it only says that the answer is to come (1xx)."""
        if self._parser.get_status_code() not in INFORMATIONAL:
            self.is_open = self.is_open and self._parser.should_keep_alive()
            self._answer()

    def _answer(self) -> None:
        self._in_body = False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result((self._parser.get_status_code(), bytes(self._body)))

    def _fail(self, fault: Exception) -> None:
        self.close()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(fault)
