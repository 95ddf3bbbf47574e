"""A connection that sends no end of a head, or no request at all, is let go."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from litestar import Litestar, Request, post
from litestar.datastructures import State

from tongcheng.node import connection
from tongcheng.node.connection import HEAD_BYTES_MAX, BoundedProtocol
from tongcheng.node.limits import BoundedRequest, read_body

PATIENCE_S = 0.5
HEAD = b"POST /length HTTP/1.1\r\nHost: 127.0.0.1\r\n"
ONE = HEAD + b"Content-Length: 1\r\n\r\n"


@post("/length", status_code=200)
async def length(request: Request[None, None, State]) -> int:
    """Answer how long the body is."""
    return len(await read_body(request, 10_000_000))


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server whose patience is short."""
    usual, connection.REQUEST_WITHIN_S = connection.REQUEST_WITHIN_S, PATIENCE_S
    listening = socket.create_server(("127.0.0.1", 0))
    app = Litestar([length], request_class=BoundedRequest, request_max_body_size=None)
    server = uvicorn.Server(uvicorn.Config(app, http=BoundedProtocol, log_config=None))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()
    listening.close()
    connection.REQUEST_WITHIN_S = usual


def _answer(port: int, *parts: bytes, pause_s: float = 0.0) -> bytes:
    """Send the parts and return what comes until the server closes, or nothing more does."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as caller:
        answer = b""
        try:
            for part in parts:
                caller.sendall(part)
                time.sleep(pause_s)
            caller.settimeout(PATIENCE_S * 4)
            while some := caller.recv(65_536):
                answer += some
        except ConnectionError:
            return b"closed"
        except TimeoutError:
            return answer + b"still open"
    return answer or b"closed"


def test_a_head_without_end(port: int) -> None:
    """Headers are refused beyond the limit, however they are cut, and not kept in memory."""
    for header in (b"X-Long: " + b"x" * 100, b"x" * 4_000 + b": x"):
        many = (HEAD, *(header + b"\r\n" for _ in range(40 * HEAD_BYTES_MAX // len(header))))
        answer = _answer(port, many[0], b"".join(many[1:]))
        assert answer == b"closed" or b" 400 " in answer[:20]


@pytest.mark.parametrize(
    "parts", [(b"",), (b"POST /len",), (HEAD,), (ONE,), (ONE + b"x" + HEAD,)], ids=str
)
def test_a_request_that_does_not_come(port: int, parts: tuple[bytes, ...]) -> None:
    """Nothing, half a head, a head, no body, half of the next request: it is let go in time."""
    assert b"still open" not in _answer(port, *parts)


def test_a_long_body_is_no_long_head(port: int) -> None:
    """A body may be longer than a head, and the next request may follow it at once."""
    size = 3 * HEAD_BYTES_MAX
    whole = HEAD + f"Content-Length: {size}\r\n\r\n".encode() + b"x" * size
    answer = _answer(port, whole * 2)
    assert answer.count(b" 200 ") == 2
    assert answer.count(str(size).encode()) == 2


def test_a_connection_that_waits_between_requests_is_kept(port: int) -> None:
    """The patience is for a request under way; between two of them the keep-alive counts."""
    answer = _answer(port, ONE + b"x", ONE + b"x", pause_s=PATIENCE_S * 2)
    assert answer.count(b" 200 ") == 2
