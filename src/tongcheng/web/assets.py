"""Style sheets, scripts and the mark: small files, held in memory, kept by browsers for a year.

The address of an asset contains a digest of its bytes, so a new version is a new address.
"""

import functools
import gzip
import hashlib
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

STATIC_DIR = Path(__file__).parent / "static"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
YEAR_S = 31_536_000


class Asset(msgspec.Struct, frozen=True):
    """One file as it is served; `packed` is its gzip form."""

    url: str
    media_type: str
    body: bytes
    packed: bytes


@functools.cache
def _asset(name: str, body: bytes) -> Asset:
    """Return an asset; packed once for all the nodes of a process."""
    url = f"/assets/{hashlib.sha256(body).hexdigest()[:16]}/{name}"
    media_type = MEDIA_TYPES[Path(name).suffix]
    return Asset(url, media_type, body, gzip.compress(body, mtime=0))


class Assets:
    """All assets of a node, by name ("console.css", "vendor/htmx.min.js")."""

    def __init__(self) -> None:
        self._by_name: dict[str, Asset] = {}
        self._by_url: dict[str, Asset] = {}

    @classmethod
    def load(cls, *folders: Path) -> "Assets":
        """Read every file of a known type below the folders."""
        assets = cls()
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if path.suffix in MEDIA_TYPES:
                    assets.add(path.relative_to(folder).as_posix(), path.read_bytes())
        return assets

    def add(self, name: str, body: bytes) -> None:
        """Add one asset under a name that no other has."""
        assert name not in self._by_name, f"two assets are named {name}"
        asset = _asset(name, body)
        self._by_name[name] = self._by_url[asset.url] = asset

    def url(self, name: str) -> str:
        """Return the address of an asset; a name nobody added is our bug."""
        assert name in self._by_name, f"no asset is named {name}"
        return self._by_name[name].url

    def names(self) -> tuple[str, ...]:
        """Return all names, sorted."""
        return tuple(sorted(self._by_name))

    def handler(self) -> HTTPRouteHandler:
        """Return the route that serves them."""

        @get("/assets/{address:path}", include_in_schema=False, sync_to_thread=False)
        def asset(request: Request[Any, Any, State], address: FromPath[str]) -> Response[bytes]:
            return self.answer(f"/assets{address}", request.headers.get("accept-encoding", ""))

        return asset

    def answer(self, url: str, accept_encoding: str) -> Response[bytes]:
        """Answer a request for an address; raises NotFoundException."""
        found = self._by_url.get(url)
        if found is None:
            raise NotFoundException
        headers = {
            "Cache-Control": f"public, max-age={YEAR_S}, immutable",
            "Vary": "Accept-Encoding",
        }
        body = found.body
        if "gzip" in accept_encoding and len(found.packed) < len(body):
            headers["Content-Encoding"] = "gzip"
            body = found.packed
        return Response(body, media_type=found.media_type, headers=headers)
