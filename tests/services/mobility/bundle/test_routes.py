"""A node's bundle over HTTP: what is published, nothing else, and not without bounds."""

import asyncio
import io
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from litestar import Litestar
from litestar.testing import TestClient
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests import toy
from tests.services.mobility.bundle.stage import OWNER, Sender, digest, lay_out
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import KeyRing
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.node.core import Node, open_database
from tongcheng.node.files import open_home
from tongcheng.node.limits import DOWNLOADS_OF_ONE_MAX, REFUSALS_MAX
from tongcheng.node.offline import opened
from tongcheng.services.mobility.bundle import records, routes
from tongcheng.services.mobility.bundle.files import FileStore, exactly
from tongcheng.services.mobility.bundle.keeping import adding, removing
from tongcheng.services.mobility.bundle.model import SignedManifest, read

MANIFEST, FILES = "/mobility/bundle", "/mobility/files"
CHECKS = [content_type_conformance, response_schema_conformance, status_code_conformance]
PARTS = ("method", "url", "headers", "params")


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Sender:
    """Two nodes under an accord; the owner has published a feed, then another in its place."""
    folder = tmp_path_factory.mktemp("region")
    lay_out(folder)
    sender = Sender(folder)
    first, first_files = sender.entry(id="old")
    second, second_files = sender.entry(raw=b"not read here")
    with opened(folder / OWNER) as stopped:
        store = FileStore.of(stopped.home)
        for name, raw in {**first_files, **second_files}.items():
            store.put(io.BytesIO(raw), name, len(raw))
        for change in (adding(first), adding(second), removing("old")):
            stopped.run(partial(records.publish, change=change))
    return sender


@pytest.fixture
def folder(sender: Sender, tmp_path: Path) -> Path:
    """A copy of the owner's node."""
    shutil.copytree(sender.folder / OWNER, tmp_path / OWNER)
    return tmp_path / OWNER


def _app(folder: Path) -> Litestar:
    home = open_home(folder)
    database = open_database(folder, home.ring.mac_key)
    node = Node(home, database, SystemClock(), toy.Nowhere(), threaded=True)
    return create_app(node, make_console(node))


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient[Litestar]]:
    """The running node; its console is closed."""
    with TestClient(_app(folder)) as opened_client:
        yield opened_client


def _published(client: TestClient[Litestar]) -> SignedManifest:
    return read(client.get(MANIFEST).content)


def test_the_signed_manifest_and_its_files_are_given(
    client: TestClient[Litestar], folder: Path
) -> None:
    """The bytes that the journal has; each file under its digest, and nothing twice."""
    answer = client.get(MANIFEST)
    document = read(answer.content)

    assert answer.content == _row(folder)
    assert (document.manifest.member_id, document.manifest.version) == (OWNER, 3)
    assert len(document.manifest.files()) == 2
    for name, size in document.manifest.files().items():
        one = client.get(f"{FILES}/{name}")
        tag = one.headers["etag"]
        again = client.get(f"{FILES}/{name}", headers={"if-none-match": f'"x", W/{tag}'})
        assert (digest(one.content), len(one.content)) == (name, size)
        assert (again.status_code, again.content) == (304, b"")
        assert "immutable" in one.headers["cache-control"]
        assert one.headers["content-type"] == "application/octet-stream"
        assert int(one.headers["content-length"]) == size
    tag = answer.headers["etag"]
    assert client.get(MANIFEST, headers={"if-none-match": tag}).status_code == 304
    assert answer.headers["cache-control"] == "no-cache"


def _row(folder: Path) -> bytes:
    """Return the document of the newest version, as the store has it."""
    database = open_database(folder, open_home(folder).ring.mac_key)
    try:
        with database.snapshot() as snapshot:
            return snapshot.select(records.BUNDLES)[-1].document
    finally:
        database.close()


def test_a_node_without_a_bundle_says_so(sender: Sender, tmp_path: Path) -> None:
    """As a problem document with its code, for the manifest and for any file."""
    shutil.copytree(sender.folder / "tianjin-hsb", tmp_path / "t")
    with TestClient(_app(tmp_path / "t")) as client:
        answers = [client.get(MANIFEST), client.get(f"{FILES}/{'0' * 64}")]

    for answer in answers:
        assert answer.status_code == 404
        assert answer.json()["code"] == "BUNDLE_NONE"
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_changed_key_signs_the_same_version(folder: Path) -> None:
    """What the old key signed would be refused: the manifest is signed with the key of today."""
    ring = KeyRing.create(open_home(folder).entropy)
    home = open_home(folder)
    database = open_database(folder, home.ring.mac_key)
    with database.snapshot() as snapshot:
        before = records.own_document(snapshot, home)
        home.ring = ring
        after = records.own_document(snapshot, home)
    database.close()

    assert after.manifest == before.manifest
    assert (before.kid, after.kid) == (open_home(folder).ring.signing.kid, ring.signing.kid)


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("0" * 64, 404, "BUNDLE_FILE_UNKNOWN"),
        ("F" * 64, 400, "REQUEST_MALFORMED"),
        ("0" * 64 + "%0A", 400, "REQUEST_MALFORMED"),
        ("0" * 63, 400, "REQUEST_MALFORMED"),
        ("node.toml", 400, "REQUEST_MALFORMED"),
        ("..", 404, "PATH_UNKNOWN"),
        ("..%2Fnode.toml", 404, "PATH_UNKNOWN"),
        ("%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404, "PATH_UNKNOWN"),
        ("%00", 400, "REQUEST_MALFORMED"),
    ],
)
def test_nothing_else_of_the_disk_is_given(
    client: TestClient[Litestar], name: str, status: int, code: str
) -> None:
    """A name is a digest of the bundle's, or nothing."""
    answer = client.get(f"{FILES}/{name}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_files_of_older_versions_and_of_others_are_not_given(
    client: TestClient[Litestar], folder: Path, sender: Sender
) -> None:
    """They lie in the folder still; what is published is the newest version."""
    old, other = digest(sender.feed), digest(b"somebody else's")
    store = FileStore(folder / "mobility")
    store.put(io.BytesIO(b"somebody else's"), other, 15)

    assert store.problem(old, len(sender.feed)) is None
    for name in (old, other):
        answer = client.get(f"{FILES}/{name}")
        assert (answer.status_code, answer.json()["code"]) == (404, "BUNDLE_FILE_UNKNOWN")
        assert answer.json()["facts"]["version"] == 3


def test_a_lost_file_is_named(client: TestClient[Litestar], folder: Path) -> None:
    """By its digest: its member can add it again; and it is no download under way."""
    name = next(iter(_published(client).manifest.files()))
    (folder / "mobility" / name).unlink()
    answers = [client.get(f"{FILES}/{name}") for _ in range(DOWNLOADS_OF_ONE_MAX + 1)]

    assert {each.json()["code"] for each in answers} == {"BUNDLE_FILE_MISSING"}


def test_the_last_block_waits_for_the_digest() -> None:
    """So a damaged file never arrives with all its bytes."""
    raw = b"a" * (1 << 20) + b"b" * 5
    whole = list(routes.held_back(exactly(io.BytesIO(raw), digest(raw), len(raw))))
    sent: list[bytes] = []
    with pytest.raises(Refused, match="BUNDLE_FILE"):
        sent.extend(routes.held_back(exactly(io.BytesIO(raw), digest(b""), len(raw))))

    assert b"".join(whole) == raw
    assert b"".join(sent) in {b"", raw[: 1 << 20]}


def test_who_asks_for_what_is_not_there_is_braked(client: TestClient[Litestar]) -> None:
    """After its share an address waits; the exchange's refusals are counted apart."""
    codes = [client.get(f"{FILES}/{'0' * 64}").json()["code"] for _ in range(REFUSALS_MAX + 1)]
    name = next(iter(_published(client).manifest.files()))
    stopped = client.get(f"{FILES}/{name}")

    assert codes == ["BUNDLE_FILE_UNKNOWN"] * REFUSALS_MAX + ["TOO_MANY_REFUSALS"]
    assert stopped.status_code == 429
    assert int(stopped.headers["retry-after"]) > 0
    client.app.state.refusals.check("testclient")


def test_downloads_end_and_make_room(client: TestClient[Litestar]) -> None:
    """One after the other there may be any number of them."""
    name = next(iter(_published(client).manifest.files()))
    answers = [client.get(f"{FILES}/{name}") for _ in range(2 * DOWNLOADS_OF_ONE_MAX)]

    assert {each.status_code for each in answers} == {200}


async def _ask(app: Litestar, path: str, sent: list[Any], *, reads: bool) -> None:
    """Ask as a client that reads all, or nothing after the head, without end."""
    hangs = asyncio.Event()

    async def receive() -> Any:
        if sent and sent[0] == "asked":
            await hangs.wait()
        sent.insert(0, "asked")
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not reads and message["body"]:
            await hangs.wait()

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "client": ("192.0.2.7", 5),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
        "root_path": "",
    }
    await app(scope, receive, send)


def test_who_does_not_read_is_let_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While some hang, one more is told to wait; after their time there is room again."""
    monkeypatch.setattr(routes, "BLOCK_WITHIN_S", 0.5)
    app = _app(folder)
    node: Node = app.state.node

    async def main() -> tuple[list[Any], list[Any]]:
        node.open()
        found = await node.read(lambda s: records.own_document(s, node.home))
        path = f"{FILES}/{next(iter(found.manifest.files()))}"
        hanging = [
            asyncio.create_task(_ask(app, path, [], reads=False))
            for _ in range(DOWNLOADS_OF_ONE_MAX)
        ]
        await asyncio.sleep(0.2)
        refused: list[Any] = []
        await _ask(app, path, refused, reads=True)
        await asyncio.wait_for(asyncio.gather(*hanging), 5)
        after: list[Any] = []
        asking = asyncio.create_task(_ask(app, path, after, reads=True))
        await asyncio.sleep(0.2)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await node.stop()
        return refused, after

    refused, after = asyncio.run(main())
    (told,) = (each for each in refused if each["type"] == "http.response.start")
    (given_,) = (each for each in after[1:] if each["type"] == "http.response.start")

    assert (told["status"], given_["status"]) == (429, 200)
    assert (b"retry-after", b"10") in told["headers"]


def test_the_interface_is_as_described(client: TestClient[Litestar]) -> None:
    """Every answer has a described status, media type and shape; refusals are problems."""
    document = client.get("/api/openapi.json").json()
    described: Any = schemathesis.openapi.from_dict(document)
    seen = set()
    for found in described.include(path_regex="^/mobility/").get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @settings(
            max_examples=6,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        def check(case: schemathesis.Case[Any]) -> None:
            made = case.as_transport_kwargs(base_url="http://testserver.local")
            sent = {name: each for name, each in made.items() if name in PARTS and each}
            response = client.request(**sent)
            seen.add((case.method, case.path))

            assert response.status_code < 500
            case.validate_response(response, checks=CHECKS)

        check()
    named = {path: each for path, each in document["paths"].items() if path.startswith("/mob")}

    assert seen == {("GET", MANIFEST), ("GET", f"{FILES}/{{sha256}}")}
    for item in named.values():
        assert item["get"]["description"]
        assert "application/problem+json" in item["get"]["responses"]["default"]["content"]
