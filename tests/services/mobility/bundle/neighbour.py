"""A neighbour's web server that gives a bundle: as it should, or in one of many wrong ways."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.services.mobility.bundle.stage import digest
from tongcheng.services.mobility.bundle.model import SignedManifest


class Quiet(ThreadingHTTPServer):
    """Says nothing where who asked hangs up on a lie."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let be."""


MANIFEST, FILES = "/mobility/bundle", "/mobility/files/"


class Neighbour:
    """Gives a manifest and its files; `lies` says how it answers for some path instead.

    `asked` are the paths that it was asked for, in order.
    """

    def __init__(self, document: SignedManifest, files: dict[str, bytes]) -> None:
        self.bodies = {MANIFEST: document.encoded()}
        self.bodies |= {FILES + name: raw for name, raw in files.items()}
        self.lies: dict[str, str] = {}
        self.asked: list[str] = []
        self.over = threading.Event()

    def path_of(self, raw: bytes) -> str:
        """Return where a file lies."""
        return FILES + digest(raw)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request, truly or not."""
        path = handler.path
        self.asked.append(path)
        body = self.bodies[path]
        lie = self.lies.get(path)
        if lie is None:
            _send(handler, 200, body)
            return
        with suppress(OSError):
            getattr(self, f"_{lie}")(handler, body)

    def _other_bytes(self, handler: Any, body: bytes) -> None:
        _send(handler, 200, body[:-1] + bytes([body[-1] ^ 1]))

    def _shorter(self, handler: Any, body: bytes) -> None:
        _send(handler, 200, body[:-1])

    def _longer(self, handler: Any, body: bytes) -> None:
        _send(handler, 200, body + b"!")

    def _empty(self, handler: Any, _body: bytes) -> None:
        _send(handler, 200, b"")

    def _endless(self, handler: Any, _body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        while not self.over.is_set():
            handler.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

    def _endless_head(self, handler: Any, _body: bytes) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.over.is_set():
            handler.wfile.write(b"x: " + b"y" * 1_000 + b"\r\n")

    def _packed(self, handler: Any, body: bytes) -> None:
        _send(handler, 200, gzip.compress(body), **{"content-encoding": "gzip"})

    def _drop(self, handler: Any, body: bytes) -> None:
        """Give a byte now and then: each comes soon, all of them never."""
        handler.send_response(200)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        for at in range(len(body)):
            handler.wfile.write(body[at : at + 1])
            if self.over.wait(0.05):
                break

    def _silent(self, handler: Any, _body: bytes) -> None:
        self.over.wait(5)
        handler.close_connection = True

    def _cut(self, handler: Any, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        handler.close_connection = True

    def _gibberish(self, handler: Any, _body: bytes) -> None:
        handler.wfile.write(b"\x16\x03\x01 no HTTP at all\r\n\r\n")
        handler.close_connection = True

    def _redirect(self, handler: Any, _body: bytes) -> None:
        _send(handler, 302, b"", location="/elsewhere")

    def _problem(self, handler: Any, _body: bytes) -> None:
        _send(handler, 404, b'{"code":"BUNDLE_NONE\\u001b[2J","facts":{}}')

    def _endless_problem(self, handler: Any, _body: bytes) -> None:
        handler.send_response(500)
        handler.end_headers()
        while not self.over.is_set():
            handler.wfile.write(b"x" * 0x10000)

    @contextmanager
    def serving(self, port: int) -> Iterator[None]:
        """Answer on a port of this machine, in a thread."""
        neighbour = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                """Answer."""
                neighbour.answer(self)

            def log_message(self, *_args: Any) -> None:
                """Say nothing."""

        server = Quiet(("127.0.0.1", port), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.over.set()
            server.shutdown()
            server.server_close()
            thread.join()


def _send(handler: Any, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
