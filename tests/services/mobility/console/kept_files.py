"""Files that the small region's node keeps: put into its folder, and published as its bundle."""

import io
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.testing import TestClient

from tests.services.mobility.bundle.stage import digest
from tongcheng.kernel.home import Home
from tongcheng.services.mobility.bundle import records
from tongcheng.services.mobility.bundle.checking import Reading, checked
from tongcheng.services.mobility.bundle.files import FileStore
from tongcheng.services.mobility.bundle.keeping import adding
from tongcheng.services.mobility.bundle.model import Entry


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
