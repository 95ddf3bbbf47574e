"""Taking a neighbour's bundle from its node: the manifest first, then the files that are missing.

`fetch` brings all of it to a place apart, and the node may run meanwhile; `adopt` keeps it, which
needs the node's store. What breaks off leaves the files that came whole, so that the next time goes
on with those that are missing; of a bundle that is refused nothing is left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Command
from tongcheng.services.mobility.bundle import keeping, model, records
from tongcheng.services.mobility.bundle.files import FileStore
from tongcheng.services.mobility.bundle.model import (
    FILES_PATH,
    MANIFEST_BYTES_MAX,
    MANIFEST_PATH,
    SignedManifest,
)
from tongcheng.services.mobility.bundle.source import BrokenOff

Get = Callable[[str, int, Callable[[bytes], object]], Awaitable[None]]
"""Hands what lies at a path, of at most so many bytes, to a function; `HttpSource.get` is one."""

Check = Callable[[SignedManifest], object]
Told = Callable[[int, int], object]
"""Is told how many bytes are here, and of how many."""


class Came(NamedTuple):
    """A bundle that is here: `apart` are the digests of its files that were not kept before."""

    document: SignedManifest
    apart: frozenset[str]


def address_of(home: Home, member_id: str) -> str:
    """Return where a neighbour's node answers, by the accord in force.

    Refuses BUNDLE_OWN, ACCORD_MISSING and MEMBER_UNKNOWN.
    """
    if member_id == home.member_id:
        raise Refused("BUNDLE_OWN", member=member_id)
    return home.accord.member(member_id).address


async def fetch(
    store: FileStore, apart: FileStore, member_id: str, get: Get, check: Check, told: Told
) -> Came:
    """Bring the bundle that a member's node publishes now; `check` is `records.check_next`.

    Raises:
        Refused: as `model.read`; BUNDLE_OF_ANOTHER for another member's; as `check`, before a file
            is asked for; BUNDLE_LONG and BUNDLE_FILE for other bytes than were signed for. Then
            nothing is left apart.
        BrokenOff: As `get`. Files that came whole stay apart for the next time.
    """
    with _cleared_when_refused(apart):
        raw = bytearray()
        await get(MANIFEST_PATH, MANIFEST_BYTES_MAX, raw.extend)
        document = model.read(bytes(raw))
        if document.manifest.member_id != member_id:
            raise Refused("BUNDLE_OF_ANOTHER", member=member_id, found=document.manifest.member_id)
        check(document)
        sizes = document.manifest.files()
        missing = {each: size for each, size in sizes.items() if store.problem(each, size)}
        progress = _Progress(told, sum(sizes.values()))
        progress.add(sum(sizes.values()) - sum(missing.values()))
        for digest, size in missing.items():
            if apart.problem(digest, size) is None:
                progress.add(size)
            else:
                await _get_file(apart, digest, size, get, progress)
    return Came(document, frozenset(missing))


class _Progress:
    def __init__(self, told: Told, of_all: int) -> None:
        self._told = told
        self._done = 0
        self._of_all = of_all

    def add(self, size: int) -> None:
        self._done += size
        self._told(self._done, self._of_all)


async def _get_file(
    apart: FileStore, digest: str, size: int, get: Get, progress: _Progress
) -> None:
    with apart.receiving(digest, size) as receive:

        def into(part: bytes) -> None:
            receive(part)
            progress.add(len(part))

        await get(f"{FILES_PATH}/{digest}", size, into)


def adopt(store: FileStore, apart: FileStore, run: Callable[[Command], Any], came: Came) -> bool:
    """Keep a bundle that came, and adopt it; say whether its version is new here.

    Raises:
        Refused: as `keeping.check_entries`, as `records.check_next`; BUNDLE_DISK. Then nothing of
            it is left.
    """
    document = came.document
    with _cleared_when_refused(apart):
        run(lambda tx: records.check_next(tx, tx.home, document, tx.now_at))
        keeping.check_entries(
            lambda digest: (apart if digest in came.apart else store).path(digest),
            document.manifest,
        )
        new = store.move_in(apart, sorted(came.apart))
        try:
            is_new: bool = run(lambda tx: records.take(tx, document))
        except BaseException:
            for digest in new:
                store.remove(digest)
            raise
    apart.clear()
    return is_new


@contextmanager
def _cleared_when_refused(apart: FileStore) -> Iterator[None]:
    try:
        yield
    except BrokenOff:
        raise
    except Refused:
        apart.clear()
        raise
