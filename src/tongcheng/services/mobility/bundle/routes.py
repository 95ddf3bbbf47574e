"""This node's bundle over HTTP: the signed manifest, and the files that it names, for anybody.

Public on purpose: what is in a bundle is published. Files are sent as they lie on disk, few at a
time and to nobody who does not read; who takes them checks every byte by the manifest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import IO, Annotated, Any, Final, NamedTuple

import msgspec
import structlog
from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.openapi import ResponseSpec
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse
from litestar.response.streaming import ASGIStreamingResponse, Stream
from litestar.types import Receive, Scope, Send

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.running import RunningNode
from tongcheng.services.mobility.bundle import records
from tongcheng.services.mobility.bundle.files import FileStore, exactly
from tongcheng.services.mobility.bundle.model import (
    ENTRIES_MAX,
    FILES_PATH,
    MANIFEST_PATH,
    Entry,
    Manifest,
    SignedManifest,
)
from tongcheng.services.mobility.signed.document import DIGEST_PATTERN

YEAR_S: Final = 31_536_000
BLOCK_WITHIN_S: Final = 60.0
"""How long a reader may take for a block; slower ones are let go, and make room for others."""

NOT_MODIFIED: Final = 304
OCTETS: Final = "application/octet-stream"

AnyRequest = Request[Any, Any, State]
FileDigest = Annotated[
    str, PathParameter(pattern=DIGEST_PATTERN, description="The file's SHA-256, in hexadecimal.")
]
UNCHANGED: Final = ResponseSpec(
    data_container=None, generate_examples=False, description="As the asker's ETag has it."
)


def _described(shape: type[msgspec.Struct], name: str, of: Any) -> type[msgspec.Struct]:
    """Return a form with one field of another type, for the description of the interface."""
    fields = [
        (each.name, of if each.name == name else each.type)
        for each in msgspec.structs.fields(shape)
    ]
    return msgspec.defstruct(shape.__name__, fields)


# Litestar describes tuple[Entry, ...] as of two items, the second of any form: as a list it fits.
_ENTRIES: Final = Annotated[list[Entry], msgspec.Meta(max_length=ENTRIES_MAX)]
_MANIFEST: Final = _described(SignedManifest, "manifest", _described(Manifest, "entries", _ENTRIES))

log = structlog.get_logger("tongcheng.mobility")


class _Sending(NamedTuple):
    """A file that is sent: open, its digest and size, and who counts it for which address."""

    file: IO[bytes]
    digest: str
    size: int
    downloads: Any
    address: str


@get(
    MANIFEST_PATH,
    tags=["mobility"],
    media_type=MediaType.JSON,
    responses={
        200: ResponseSpec(
            data_container=_MANIFEST, generate_examples=False, description="The manifest."
        ),
        304: UNCHANGED,
    },
)
async def manifest(request: AnyRequest) -> Response[bytes]:
    """Return the signed manifest of this node's newest bundle, in its canonical bytes.

    What its entries name lies at `/mobility/files/{sha256}`.
    """
    document = await _own_document(request)
    headers = {
        "ETag": f'"{document.manifest.digest()}-{document.kid}"',
        "Cache-Control": "no-cache",
    }
    if _has(request, headers["ETag"]):
        return Response(b"", status_code=NOT_MODIFIED, headers=headers)
    return Response(document.encoded(), media_type=MediaType.JSON, headers=headers)


@get(
    FILES_PATH + "/{sha256:str}",
    tags=["mobility"],
    media_type=OCTETS,
    responses={
        200: ResponseSpec(
            data_container=bytes,
            generate_examples=False,
            media_type=OCTETS,
            description="The file's bytes, whole.",
        ),
        304: UNCHANGED,
    },
)
async def file(request: AnyRequest, sha256: FileDigest) -> Response[Any]:
    """Return a file of this node's newest bundle, or a report of reading one.

    Under its digest it never changes. At most four at a time are sent to one address.
    """
    downloads = request.app.state.downloads
    address = request.client.host if request.client is not None else ""
    downloads.refusals.check(address)
    document = await _own_document(request)
    size = document.manifest.files().get(sha256)
    if size is None:
        downloads.refusals.note(address)
        raise Refused("BUNDLE_FILE_UNKNOWN", digest=sha256, version=document.manifest.version)
    headers = {"ETag": f'"{sha256}"', "Cache-Control": f"public, max-age={YEAR_S}, immutable"}
    if _has(request, headers["ETag"]):
        return Response(b"", status_code=NOT_MODIFIED, headers=headers)
    home: Home = request.app.state.node.home
    downloads.begin(address)
    try:
        opened = FileStore.of(home).path(sha256).open("rb")
    except OSError:
        downloads.end(address)
        raise Refused("BUNDLE_FILE_MISSING", digest=sha256) from None
    except BaseException:
        downloads.end(address)
        raise
    sending = _Sending(opened, sha256, size, downloads, address)
    return _FileResponse(sending, headers={**headers, "Content-Length": str(size)})


async def _own_document(request: AnyRequest) -> SignedManifest:
    node: RunningNode = request.app.state.node
    return await node.read(lambda snapshot: records.own_document(snapshot, node.home))


def _has(request: AnyRequest, tag: str) -> bool:
    """Say whether the asker has this already (RFC 9110, 13.1.2)."""
    known = request.headers.get("if-none-match", "")
    return known == "*" or tag in (each.strip().removeprefix("W/") for each in known.split(","))


def held_back(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield blocks, each when the next is known to follow: the last one after all were checked."""
    last = b""
    for block in blocks:
        if last:
            yield last
        last = block
    yield last


class _FileResponse(Stream):
    """Sends one file; whoever makes it has counted the download."""

    def __init__(self, sending: _Sending, headers: dict[str, str]) -> None:
        super().__init__(_blocks(sending), headers=headers, media_type=OCTETS)
        self._sending = sending

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> ASGIResponse:
        """Return what sends it and counts its end."""
        made = super().to_asgi_response(*args, **kwargs)
        assert isinstance(made, ASGIStreamingResponse)
        return _Counted(made, self._sending)  # type: ignore[return-value]


async def _blocks(sending: _Sending) -> AsyncIterator[bytes]:
    blocks = held_back(exactly(sending.file, sending.digest, sending.size))
    while block := await asyncio.to_thread(next, blocks, b""):
        yield block


class _Counted:
    """An answer under way: bounded block by block, over when it is over."""

    def __init__(self, answer: ASGIStreamingResponse, sending: _Sending) -> None:
        self._answer = answer
        self._sending = sending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; one that is not read, or is not what was signed, breaks off."""

        async def sent(message: Any) -> None:
            async with asyncio.timeout(BLOCK_WITHIN_S):
                await send(message)

        try:
            await self._answer(scope, receive, sent)
        except* TimeoutError:
            log.info("bundle_file_not_read", digest=self._sending.digest)
        except* Refused:
            log.warning("bundle_file_damaged", digest=self._sending.digest)
        finally:
            self._sending.downloads.end(self._sending.address)
            self._sending.file.close()


ROUTES: Final = (manifest, file)
