"""The transport against a server that misbehaves: whatever it does, there is an end."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tongcheng.kernel.exchange.transport import Unreachable
from tongcheng.node.http_transport import HttpTransport

LIMIT = 1_000


class _Misbehaving(BaseHTTPRequestHandler):
    """Answers as the path says."""

    protocol_version = "HTTP/1.1"
    release = threading.Event()

    def do_POST(self) -> None:
        """Answer a post."""
        body = self.rfile.read(int(self.headers["content-length"]))
        match self.path:
            case "/echo":
                self._answer(200, body)
            case "/refuse":
                self._answer(409, b'{"code":"X"}')
            case "/long":
                self._answer(200, b"x" * (LIMIT + 1))
            case "/redirect":
                self._answer(307, b"", location="/echo")
            case "/cut":
                self.send_response(200)
                self.send_header("content-length", "50")
                self.end_headers()
                self.close_connection = True
            case "/silent":
                self.release.wait(5)
                self.close_connection = True

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server on a port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Misbehaving)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    _Misbehaving.release.set()
    server.shutdown()
    server.server_close()
    thread.join()


def _post(address: str, path: str, timeout_ms: int = 3_000) -> tuple[int, bytes]:
    async def main() -> tuple[int, bytes]:
        transport = HttpTransport(lambda: LIMIT)
        try:
            return await transport.post(address, path, b"body", timeout_ms=timeout_ms)
        finally:
            await transport.close()

    return asyncio.run(main())


def test_answer_comes_back_with_its_status(address: str) -> None:
    """A refusal is an answer: the exchange reads its code."""
    assert _post(address, "/echo") == (200, b"body")
    assert _post(address, "/refuse") == (409, b'{"code":"X"}')


def test_redirect_is_not_followed(address: str) -> None:
    """A peer lives where the accord says; what it points to was signed by nobody."""
    assert _post(address, "/redirect")[0] == 307


@pytest.mark.parametrize("path", ["/long", "/cut", "/silent"])
def test_bad_answer_is_no_answer(address: str, path: str) -> None:
    """Too long, cut short, or none within the time: the peer may or may not have got it."""
    with pytest.raises(Unreachable):
        _post(address, path, timeout_ms=300 if path == "/silent" else 3_000)


@pytest.mark.parametrize(
    "wrong", ["http://127.0.0.1:1", "gopher://127.0.0.1", "nonsense", "http://[::1"]
)
def test_wrong_address_is_unreachable(wrong: str) -> None:
    """An address that nobody answers at, or that is none, is the same to the exchange."""
    with pytest.raises(Unreachable):
        _post(wrong, "/echo")


def test_environment_does_not_steer(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy named in the environment would read what is meant for the peer."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    assert _post(address, "/echo") == (200, b"body")
