"""One connection: answers in every form of HTTP/1.1, kept while it is good, over TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tongcheng.kernel.exchange.transport import Unreachable
from tongcheng.node.http_connection import HEAD_BYTES_MAX, place_of
from tongcheng.node.http_transport import HttpTransport

LIMIT = 1_000
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH_2 = b"content-length: 2\r\n\r\n"


class Scripted:
    """A server that answers each request with the next of some bytes; b"" hangs up."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.connections = 0
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer on one connection."""
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].split()[0])
                self.requests.append(head + await reader.readexactly(length))
                answer = self.answers.pop(0)
                writer.write(answer.removesuffix(b"<end>"))
                if not answer or answer.endswith(b"<end>"):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(server: Scripted, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve on a port of this machine."""
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{port}"
    finally:
        listening.close()


def posts(
    server: Scripted,
    count: int = 1,
    *,
    client_tls: ssl.SSLContext | None = None,
    server_tls: ssl.SSLContext | None = None,
) -> list[object]:
    """Post so often, one after the other; return the answers, or why there was none."""

    async def main() -> list[object]:
        transport = HttpTransport(lambda: LIMIT, client_tls)
        answers: list[object] = []
        async with serving(server, server_tls) as address:
            for _ in range(count):
                try:
                    answers.append(await transport.post(address, "/p", b"body", timeout_ms=2_000))
                except Unreachable as fault:
                    answers.append(fault)
                await asyncio.sleep(0.01)  # what the server does afterwards is seen
            await transport.close()
        return answers

    return asyncio.run(main())


@pytest.mark.parametrize(
    "answer",
    [
        OK + LENGTH_2 + b"{}",
        OK + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        OK + b"\r\n{}<end>",
        b"HTTP/1.0 200 OK\r\n\r\n{}<end>",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK + LENGTH_2 + b"{}",
    ],
)
def test_whole_answer_is_read(answer: bytes) -> None:
    """By length, in chunks, until the connection ends, or after a word that it is to come."""
    assert posts(Scripted(answer)) == [(200, b"{}")]


@pytest.mark.parametrize(
    "answer",
    [
        OK + LENGTH_2 + b"{<end>",
        OK + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n<end>",
        OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        OK + b"transfer-encoding: chunked\r\n\r\n7d1\r\n" + b"x" * (LIMIT + 1),
        OK + b"x: " + b"x" * (HEAD_BYTES_MAX + 2 * LIMIT),
        OK + b"content-length: 9<end>",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
    ],
)
def test_other_answer_is_none(answer: bytes) -> None:
    """Cut short, too long, ambiguous, no HTTP, nothing: the next post has its own connection."""
    server = Scripted(answer, OK + LENGTH_2 + b"ok")
    first, second = posts(server, 2)

    assert isinstance(first, Unreachable)
    assert second == (200, b"ok")
    assert server.connections == 2


def test_connection_is_kept() -> None:
    """One after the other over one connection, until the server says that it closes it."""
    good, last = OK + LENGTH_2 + b"ok", OK + b"connection: close\r\n" + LENGTH_2 + b"ok<end>"
    server = Scripted(good, last, good, good + b"<end>", good)
    answers = posts(server, 5)

    assert answers == [(200, b"ok")] * 5
    assert server.connections == 3
    assert all(one.endswith(b"\r\n\r\nbody") for one in server.requests)


def test_what_was_not_asked_for_ends_the_connection() -> None:
    """A second answer to one post is never taken for the answer to the next."""
    good = OK + LENGTH_2 + b"ok"
    first, second = posts(Scripted(good + good, OK + LENGTH_2 + b"no"), 2)

    assert first == (200, b"ok")
    assert second == (200, b"no")


@pytest.fixture
def certified(tmp_path: Path) -> Callable[[], tuple[ssl.SSLContext, ssl.SSLContext]]:
    """A server's TLS, and that of a client that trusts its certificate."""

    def make() -> tuple[ssl.SSLContext, ssl.SSLContext]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        form, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        (tmp_path / "key").write_bytes(key.private_bytes(pem, form, clear))
        (tmp_path / "certificate").write_bytes(certificate.public_bytes(pem))
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
        return server, ssl.create_default_context(cafile=tmp_path / "certificate")

    return make


def test_tls(certified: Callable[[], tuple[ssl.SSLContext, ssl.SSLContext]]) -> None:
    """A certificate that the client trusts is spoken with; one that nobody vouches for is not."""
    server, client = certified()
    answer = OK + LENGTH_2 + b"ok"

    assert posts(Scripted(answer), server_tls=server, client_tls=client) == [(200, b"ok")]
    (refused,) = posts(Scripted(answer), server_tls=server)
    assert isinstance(refused, Unreachable)
    assert "SSL" in refused.detail


def test_head_of_a_request() -> None:
    """Host as RFC 9110 has it, the path quoted, a name and password of the address as Basic."""
    assert place_of("https://peer.example/exchange/inbox").head.startswith(
        b"POST /exchange/inbox HTTP/1.1\r\nhost: peer.example\r\n"
    )
    place = place_of("http://a:b%40@[::1]:8480/a b\u4e2d?")
    assert (place.host, place.port, place.tls) == ("::1", 8480, False)
    assert place.head.startswith(b"POST /a%20b%E4%B8%AD HTTP/1.1\r\nhost: [::1]:8480\r\n")
    assert b"\r\nauthorization: Basic YTpiQA==\r\n" in place.head
