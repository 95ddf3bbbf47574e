"""The node's HTTP face apart from the exchange: health, metrics, the description, faults."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from litestar import Litestar, Request, get, post
from litestar.datastructures import State
from litestar.params import JSONBody
from litestar.testing import TestClient

from tests import toy
from tests.toy import MEMBERS, NOW_AT
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import PeerRefused, Unreachable
from tongcheng.kernel.service import Service
from tongcheng.kernel.store import StoredValueDamaged, WriterStopped
from tongcheng.node import app as application
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.node.core import Node
from tongcheng.node.limits import BODY_BYTES_MAX
from tongcheng.web.security import HEADERS

FAULTS: dict[str, tuple[Exception, int, str]] = {
    "refused": (Refused("AMOUNT_MALFORMED", given="x", digits=2), 400, "AMOUNT_MALFORMED"),
    "peer": (
        PeerRefused(MEMBERS[1], "AMOUNT_MALFORMED", given="x", digits=2),
        400,
        "AMOUNT_MALFORMED",
    ),
    "peer-unknown": (PeerRefused(MEMBERS[1], "THEIR_OWN", why=1), 502, "PEER_REFUSED"),
    "peer-facts": (PeerRefused(MEMBERS[1], "AMOUNT_MALFORMED"), 502, "PEER_REFUSED"),
    "peer-hostile": (PeerRefused(MEMBERS[1], "{0.__class__}\n<b>"), 502, "PEER_REFUSED"),
    "away": (Unreachable(MEMBERS[1], "no answer"), 503, "PEER_UNREACHABLE"),
    "stopped": (WriterStopped(), 503, "NODE_STOPPING"),
    "busy": (Refused("STORE_UNAVAILABLE", detail="disk full"), 503, "STORE_UNAVAILABLE"),
    "damaged": (StoredValueDamaged("toy_pings", (7,)), 500, "INTERNAL_FAULT"),
    "bug": (ValueError("110101199003074477"), 500, "INTERNAL_FAULT"),
    "no-words": (Refused("NOBODY_EXPLAINS_THIS"), 500, "INTERNAL_FAULT"),
}


@get("/toy/{name:str}", sync_to_thread=False)
def fail(request: Request[Any, Any, State]) -> None:
    """Fail as the path says."""
    raise FAULTS[request.path_params["name"]][0]


@post("/toy/number", sync_to_thread=False)
def number(data: JSONBody[toy.Ping]) -> toy.Pong:
    """Double a number."""
    return toy.Pong(data.n * 2)


SERVICE = Service(name="http_toy", routes=(fail, number))


def _node(folder: Path) -> Node:
    node = toy.toy_node(folder, MEMBERS[0], toy.Nowhere(), ManualClock(NOW_AT), threaded=True)
    node.services = (toy.TOY, SERVICE)
    return node


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient[Litestar]]:
    """A node with the toy's routes and no accord yet."""
    node = _node(tmp_path)
    with TestClient(create_app(node, make_console(node), metrics="open")) as opened:
        yield opened


def test_health(client: TestClient[Litestar]) -> None:
    """A node without an accord is ready: it must be reachable to be given one."""
    assert client.get("/health/live").json()["status"] == "live"
    assert client.get("/health/ready").json() == {
        "status": "ready",
        "member_id": MEMBERS[0],
        "accord_version": None,
    }


def test_node_that_lost_its_writer_is_not_ready(client: TestClient[Litestar]) -> None:
    """Alive and not ready: traffic goes elsewhere, and callers are told when to come back."""
    client.app.state.node.worker.stop()
    answer = client.get("/health/ready")

    assert client.get("/health/live").status_code == 200
    assert (answer.status_code, answer.json()["code"]) == (503, "NODE_STOPPING")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_a_problem_document(
    client: TestClient[Litestar], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is raised becomes problem details in both languages, never a traceback."""
    _, status, code = FAULTS[name]
    answer = client.get(f"/toy/{name}", headers={"accept-language": "en"})
    problem = answer.json()
    said = capsys.readouterr()

    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == "en"
    assert problem["title"] == problem["what"]["en"] != problem["what"]["zh"]
    assert set(problem["why"]) == set(problem["do"]) == {"zh", "en"}
    assert ("retry-after" in answer.headers) is (status == 503)
    assert ("peer" in name) is (problem["peer"] == MEMBERS[1])
    assert "Traceback" not in answer.text
    assert "110101199003074477" not in answer.text + said.out + said.err
    if status == 500:
        assert problem["facts"]["incident"] in said.out + said.err


def test_type_of_a_problem_leads_to_its_entry(client: TestClient[Litestar]) -> None:
    """RFC 9457: `type` identifies the problem, and may be looked up."""
    problem = client.get("/nowhere").json()
    entry = client.get(problem["type"]).json()

    assert (problem["code"], problem["status"]) == ("PATH_UNKNOWN", 404)
    assert entry["code"] == "PATH_UNKNOWN"
    assert client.get("/api/errors/NO_SUCH").json()["code"] == "ERROR_CODE_UNKNOWN"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"n": 4}', 201, None),
        (b'{"n": "four"}', 400, "REQUEST_MALFORMED"),
        (b'{"m": 4}', 400, "REQUEST_MALFORMED"),
        (b"{", 400, "REQUEST_MALFORMED"),
        (b"", 400, "REQUEST_MALFORMED"),
        (b"[" * 100_000, 400, "REQUEST_MALFORMED"),
        (b'{"n": "\xff"}', 400, "REQUEST_MALFORMED"),
        (b" " * (BODY_BYTES_MAX + 1), 413, "REQUEST_TOO_LARGE"),
    ],
)
def test_requests_are_checked(
    client: TestClient[Litestar], body: bytes, status: int, code: str | None
) -> None:
    """A body is bounded and typed before a handler sees it."""
    answer = client.post("/toy/number", content=body)

    assert answer.status_code == status
    assert answer.json().get("code") == code


def test_other_methods_are_refused(client: TestClient[Litestar]) -> None:
    """An interface says which methods it takes."""
    assert client.get("/exchange/inbox").json()["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("path", ["/health/live", "/nowhere", "/api/openapi.json", "/metrics"])
def test_every_answer_carries_the_policy(client: TestClient[Litestar], path: str) -> None:
    """Security headers are on every answer, a refusal included."""
    headers = client.get(path).headers

    assert {name: headers[name] for name in HEADERS} == HEADERS


def test_interface_is_described(client: TestClient[Litestar]) -> None:
    """OpenAPI 3.1, valid, with the problem document for every operation, naming no other host."""
    answer = client.get("/api/openapi.json")
    document = answer.json()
    schemathesis.openapi.from_dict(document).validate()

    assert document["openapi"].startswith("3.1")
    assert "/toy/number" in document["paths"]
    assert not [path for path in document["paths"] if path.startswith("/exchange")]
    for path in document["paths"].values():
        for operation in path.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]
    assert "://" not in json.dumps(document).replace("https://spec.openapis.org", "")


@pytest.mark.parametrize("path", ["/schema", "/docs", "/api/redoc", "/api/swagger", "/zh", "/"])
def test_nothing_else_is_served(client: TestClient[Litestar], path: str) -> None:
    """No viewer that loads scripts from elsewhere; no page while the console is closed."""
    assert client.get(path).json()["code"] == "PATH_UNKNOWN"


def test_metrics_count_refusals(client: TestClient[Litestar]) -> None:
    """Prometheus text with a counter per code."""
    client.app.state.node.exchange.refusals["MEMBER_UNKNOWN"] += 2
    text = client.get("/metrics").text

    assert 'tongcheng_exchange_refusals_total{code="MEMBER_UNKNOWN"} 2.0' in text
    assert "tongcheng_journal_leaves 0.0" in text


@pytest.mark.parametrize(
    ("setting", "remote", "headers", "status"),
    [
        ("loopback", "127.0.0.1", {}, 200),
        ("loopback", "::1", {}, 200),
        ("loopback", "10.0.0.9", {}, 403),
        ("loopback", "127.0.0.1", {"x-forwarded-for": "10.0.0.9"}, 403),
        ("loopback", "127.0.0.1", {"forwarded": "for=10.0.0.9"}, 403),
        ("loopback", "127.0.0.1", {"x-real-ip": "10.0.0.9"}, 403),
        ("open", "10.0.0.9", {}, 200),
        ("closed", "127.0.0.1", {}, 403),
    ],
)
def test_metrics_are_near_unless_opened(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    setting: Any,
    remote: str,
    headers: dict[str, str],
    status: int,
) -> None:
    """By default only this machine reads them, and what a proxy passes on is not this machine."""
    monkeypatch.setattr(application, "remote_address", lambda _request: remote)
    node = _node(tmp_path)
    with TestClient(create_app(node, make_console(node), metrics=setting)) as client:
        assert client.get("/metrics", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8101", 200),
        ("127.0.0.1", 200),
        ("localhost:8101", 200),
        ("[::1]:8101", 200),
        ("[::1]", 200),
        ("evil.example", 421),
        ("evil.example:8101", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
def test_open_console_answers_to_its_own_name(tmp_path: Path, host: str, status: int) -> None:
    """A web page that points its own name at this machine reads nothing (DNS rebinding)."""
    node = _node(tmp_path)
    with TestClient(create_app(node, make_console(node), local_names_only=True)) as client:
        assert client.get("/health/live", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("address", "host", "status"),
    [
        ("https://console.example", "console.example", 200),
        ("https://console.example", "Console.Example", 200),
        ("https://console.example:8443", "console.example:8443", 200),
        ("https://console.example", "localhost:8101", 200),
        ("https://console.example", "console.example:8443", 421),
        ("https://console.example", "console.example.evil.example", 421),
        ("https://console.example", "evil.example", 421),
        ("http://console.example", "console.example", 421),
    ],
)
def test_behind_tls_a_console_answers_to_its_address_too(
    tmp_path: Path, address: str, host: str, status: int
) -> None:
    """Where a proxy has a certificate of that name; without TLS no name but the machine's own."""
    node = _node(tmp_path)
    console = make_console(node, address=address)
    with TestClient(create_app(node, console, local_names_only=True)) as client:
        assert client.get("/health/live", headers={"host": host}).status_code == status
