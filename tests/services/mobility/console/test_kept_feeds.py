"""The map of a node that keeps feeds: they stand in the place of the region's own trains."""

import io
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.services.mobility.bundle.stage import digest, feed_bytes
from tests.services.mobility.console.small_pack import app_in
from tongcheng.kernel.home import Home
from tongcheng.services.mobility.bundle import records
from tongcheng.services.mobility.bundle.checking import Reading, checked
from tongcheng.services.mobility.bundle.files import FileStore
from tongcheng.services.mobility.bundle.keeping import adding
from tongcheng.services.mobility.bundle.model import Entry

PLACE = "place=%E7%94%B2"


def _kept(folder: Path, home: Home, **changes: Any) -> Entry:
    """Put a feed of one morning train into the node's folder; return its entry."""
    home.folder = folder
    raw = feed_bytes(folder)
    found = checked(folder / "made.zip", Reading("feed", "metro", "gtfs", "detect"))
    for content in (raw, found.report_raw):
        FileStore.of(home).put(io.BytesIO(content), digest(content), len(content))
    plain: dict[str, Any] = {
        "kind": "feed",
        "id": "metro",
        "sha256": digest(raw),
        "bytes": len(raw),
        "name": "metro.zip",
        "form": "gtfs",
        "datum": "detect",
        "valid_from": found.valid_from,
        "valid_to": found.valid_to,
        "report_sha256": digest(found.report_raw),
        "report_bytes": len(found.report_raw),
        "verdict": found.verdict,
        "source": "The operator",
        "licence": "CC0-1.0",
        "attribution": "",
        "modelled": False,
    }
    return Entry(**{**plain, **changes})


def _publish(client: TestClient[Litestar], entry: Entry) -> None:
    node = client.app.state.node
    client.blocking_portal.call(node.run, partial(records.publish, change=adding(entry)))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient[Litestar]]:
    """A client of a node whose region is ready, and that keeps nothing yet."""
    with app_in(tmp_path) as app, TestClient(app) as opened:
        until = time.monotonic() + 120
        while "geo-still" not in opened.get("/en/mobility").text:
            assert time.monotonic() < until, "the region is prepared"
            time.sleep(0.05)
        yield opened


def test_kept_feeds_replace_the_regions_trains(
    client: TestClient[Litestar], tmp_path: Path
) -> None:
    """The page says whose they are, the method has their digest; the modelled people stay."""
    before = client.get(f"/en/mobility?{PLACE}").text
    entry = _kept(tmp_path, client.app.state.node.home)
    _publish(client, entry)
    after = client.get(f"/en/mobility?{PLACE}").text
    method = client.get(f"/en/mobility/reach.geojson?{PLACE}").json()["method"]
    feeds = [(each["id"], each["digest"]) for each in method["sources"] if each["kind"] == "feed"]

    assert "typical figures" in before
    assert "Timetables: " not in before
    assert "typical figures" not in after
    assert "Timetables: The operator (CC0-1.0)." in after
    assert feeds == [("metro", entry.sha256)]
    assert method["parameters"]["credits"] == "The operator (CC0-1.0)"
    assert "modelled" in str(method["parameters"]["people"])
    assert "trains" not in method["parameters"]


def test_the_bundle_is_public_beside_the_console(
    client: TestClient[Litestar], tmp_path: Path
) -> None:
    """The map asks who reads it; what is published asks nobody."""
    entry = _kept(tmp_path, client.app.state.node.home)
    _publish(client, entry)
    manifest = client.get("/mobility/bundle").json()["manifest"]
    file = client.get(f"/mobility/files/{entry.sha256}")

    assert [each["id"] for each in manifest["entries"]] == ["metro"]
    assert digest(file.content) == entry.sha256


def test_feeds_without_a_common_day_are_told_and_no_map_is_drawn(
    client: TestClient[Litestar], tmp_path: Path
) -> None:
    """Timetables of two eras do not mix in silence; their spans are named."""
    home = client.app.state.node.home
    _publish(client, _kept(tmp_path, home))
    _publish(
        client, _kept(tmp_path, home, id="old", valid_from="2016-01-01", valid_to="2016-02-01")
    )
    page = client.get(f"/en/mobility?{PLACE}")

    assert page.status_code == 422
    assert "old 2016-01-01 – 2016-02-01" in page.text
    assert "geo-still" not in page.text
