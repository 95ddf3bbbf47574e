"""Files that the small region's node keeps: put into its folder, and published as its bundle."""

import io
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar
from litestar.testing import TestClient

from tests.services.mobility.bundle.stage import digest
from tests.services.mobility.console.small_pack import app_in
from tongcheng.kernel.home import Home
from tongcheng.services.mobility.bundle import records
from tongcheng.services.mobility.bundle.checking import Reading, checked
from tongcheng.services.mobility.bundle.files import FileStore
from tongcheng.services.mobility.bundle.keeping import adding
from tongcheng.services.mobility.bundle.model import Entry

PLACE = "place=%E7%94%B2"
ZONES = b"""id,lon,lat,county,pop
z1,117.000,39.000,100001,40
z2,117.012,39.000,100071,7
z3,117.003,39.001,,5
z4,117.004,39.002,elsewhere,3
z5,117.900,39.900,200001,1000
"""
"""Around Alpha station: a county, a zone without a point, one unnamed, one of no table; and far."""
NEAR = 55
ZONES_NAME = "tianjin-hsb/zones"
CHOSEN = f"{PLACE}&people=tianjin-hsb%2Fzones"


def places_entry(folder: Path, home: Home, raw: bytes, **changes: Any) -> Entry:
    """Put a file of places into the node's folder; return its entry. CSV unless `form` says so."""
    home.folder = folder
    entry_id, form = changes.get("id", "zones"), changes.get("form", "csv")
    path = folder / f"{entry_id}.{form}"
    path.write_bytes(raw)
    found = checked(path, Reading("places", entry_id, form, None))
    for content in (raw, found.report_raw):
        FileStore.of(home).put(io.BytesIO(content), digest(content), len(content))
    plain: dict[str, Any] = {
        "kind": "places",
        "id": entry_id,
        "sha256": digest(raw),
        "bytes": len(raw),
        "name": path.name,
        "form": form,
        "datum": None,
        "valid_from": None,
        "valid_to": None,
        "report_sha256": digest(found.report_raw),
        "report_bytes": len(found.report_raw),
        "verdict": found.verdict,
        "source": "Census of Alpha",
        "licence": "CC0-1.0",
        "attribution": "",
        "modelled": False,
    }
    return Entry(**{**plain, **changes})


def publish(client: TestClient[Litestar], entry: Entry) -> None:
    """Publish the node's next version, with this entry."""
    node = client.app.state.node
    client.blocking_portal.call(node.run, lambda tx: records.publish(tx, change=adding(entry)))


def keep(client: TestClient[Litestar], folder: Path, raw: bytes = ZONES, **changes: Any) -> None:
    """Put a file of places into the node's folder and publish it, as `places_entry` has it."""
    publish(client, places_entry(folder, client.app.state.node.home, raw, **changes))


@contextmanager
def ready_client(folder: Path) -> Iterator[TestClient[Litestar]]:
    """Give a client of a node whose region is ready, and that keeps nothing yet."""
    with app_in(folder) as app, TestClient(app) as opened:
        until = time.monotonic() + 120
        while "geo-still" not in opened.get("/en/mobility").text:
            assert time.monotonic() < until, "the region is prepared"
            time.sleep(0.05)
        yield opened


def title_of(answer: httpx.Response) -> str:
    """Return the headline of a page that opened."""
    assert answer.status_code == 200, answer.text[:2000]
    found = re.search(r"<h1>(.*?)</h1>", answer.text)
    assert found is not None
    return found.group(1)
