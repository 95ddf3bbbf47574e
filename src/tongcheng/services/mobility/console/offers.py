"""Which of the places that a node keeps a map can count people by, and why it cannot by others.

Every file is looked at once: whether it will do is remembered by its bytes, how they are read, and
where they lie, as long as nobody touches it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from numpy.typing import NDArray

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.services.mobility.bundle.checking import form_of
from tongcheng.services.mobility.bundle.files import FileStore
from tongcheng.services.mobility.bundle.model import Entry
from tongcheng.services.mobility.bundle.records import KeptEntry
from tongcheng.services.mobility.console.atlas import Kept, Offer
from tongcheng.services.mobility.measures.parameters import counts
from tongcheng.services.mobility.numbers import Int64
from tongcheng.services.mobility.places.findings import Report
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.places.reading import read_places

PLACES_MAX: Final = 200_000
"""So many a click can ask; the commands take more."""
LOOKED_MAX: Final = 1_024
"""Files of which it is remembered whether they will do."""

Stamp = tuple[int, int, int]
"""What tells that nobody touched a file: its number on the disk, its bytes, when it was written."""


class File(NamedTuple):
    """What decides whether places will do: their file with its report, and how it is read.

    `stamps` are those of the file and of the report, None of one that is not there.
    """

    path: Path
    size: int
    form: str
    report: Path
    report_size: int
    stamps: tuple[Stamp | None, Stamp | None]


class Fault(NamedTuple):
    """Why places will not do: what a `Refused` says, without holding what it came from."""

    code: str
    facts: tuple[tuple[str, str | int], ...]


class Peopled(NamedTuple):
    """Places, how many people live in each, and their areas as `PlacesReading` has them."""

    places: Places
    people: Int64
    areas: NDArray[Any] | None


def files(kept: Kept) -> tuple[File, ...]:
    """Return the files of kept places as they lie there now; opens none of them."""
    return tuple(_file(each.entry, kept.home) for each in kept.places)


def offers(kept: Kept, found: tuple[File, ...]) -> tuple[Offer, ...]:
    """Return the kept places that have people: first what a map takes where nobody chooses.

    That is what was counted before what was modelled, and one's own before another member's.
    `found` are their `files`. The same file of two members is there once; what has no people is
    not there.
    """
    own_id = kept.home.member_id
    ordered = sorted(
        zip(kept.places, found, strict=True),
        key=lambda pair: (pair[0].entry.modelled, pair[0].member_id != own_id, pair[0].entry.id),
    )
    offered: dict[tuple[str, str, str], Offer] = {}
    for each, file in ordered:
        key = (each.entry.id, each.entry.sha256, each.entry.form)
        if key not in offered:
            fault = _fault(file)
            refused = None if fault is None else naming(each, fault)
            if refused is None or refused.code != "MOBILITY_PEOPLE_NONE":
                offered[key] = Offer(each, each.member_id == own_id, refused)
    return tuple(offered.values())


def read_people(chosen: KeptEntry, home: Home) -> Peopled:
    """Read kept places with people.

    Raises:
        Refused: as `naming` says; MOBILITY_PEOPLE_NONE where the file has no people,
            MOBILITY_PEOPLE_MANY where it has more places than a map can ask, MOBILITY_COUNTS where
            they have more people than can be added up.
    """
    try:
        return _read(_file(chosen.entry, home))
    except Refused as refused:
        raise naming(chosen, refused) from None


def naming(chosen: KeptEntry, refused: Refused | Fault) -> Refused:
    """Return a refusal that says which places it is about, and what can be done.

    MOBILITY_PEOPLE_DENSE stands for too many ways to them, MOBILITY_PEOPLE_FILE for whatever is
    wrong with the file or its bytes.
    """
    people, file = f"{chosen.member_id}/{chosen.entry.id}", chosen.entry.name
    code, facts = refused.code, dict(refused.facts)
    if code == "MOBILITY_TOO_MANY_WAYS":
        return Refused("MOBILITY_PEOPLE_DENSE", people=people)
    if code == "MOBILITY_COUNTS":
        return Refused(code, **{**facts, "name": people})
    if code in {"MOBILITY_PEOPLE_NONE", "MOBILITY_PEOPLE_MANY"}:
        return Refused(code, **{**facts, "people": people, "file": file})
    return Refused("MOBILITY_PEOPLE_FILE", people=people, file=file, code=code)


def _file(entry: Entry, home: Home) -> File:
    # Of a node without a directory no file is anywhere.
    store = FileStore(Path()) if home.folder is None else FileStore.of(home)
    paths = store.path(entry.sha256), store.path(entry.report_sha256)
    stamps = _stamp(paths[0]), _stamp(paths[1])
    return File(paths[0], entry.bytes, entry.form, paths[1], entry.report_bytes, stamps)


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _fault(file: File) -> Fault | None:
    """Return what is wrong with a file, None where nothing is."""
    try:
        return _looked(file)
    except Refused as refused:
        return Fault(refused.code, ())


@lru_cache(LOOKED_MAX)
def _looked(file: File) -> Fault | None:
    """Return what is wrong with a file's contents; reads it once.

    Refuses BUNDLE_FILE_MISSING, which is not remembered: a file may be opened the next time.
    """
    try:
        _read(file)
    except Refused as refused:
        if refused.code == "BUNDLE_FILE_MISSING":
            raise
        return Fault(refused.code, tuple(refused.facts.items()))
    return None


def _read(file: File) -> Peopled:
    # Who read it says by `naming` whose it is; until then it is called by its digest.
    digest = file.path.name
    # The report's count first: a file that is refused for its size is not read for it.
    _check_count(digest, _said(_bytes(file.report, file.report_size)))
    read = read_places(_bytes(file.path, file.size), form_of(file.form))
    _check_count(digest, len(read.places.ids))
    if read.places.population is None:
        raise Refused("MOBILITY_PEOPLE_NONE", people=digest, file=digest)
    return Peopled(read.places, counts("people", read.places.population), read.areas)


def _bytes(path: Path, size: int) -> bytes:
    try:
        return FileStore(path.parent).read(path.name, size)
    except OSError:
        raise Refused("BUNDLE_FILE_MISSING", digest=path.name) from None


def _said(raw: bytes) -> int:
    """Return how many places a report says there are, 0 of what is no report."""
    try:
        return msgspec.json.decode(raw, type=Report).places
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0


def _check_count(people: str, count: int) -> None:
    if count > PLACES_MAX:
        raise Refused("MOBILITY_PEOPLE_MANY", people=people, count=count, most=PLACES_MAX)
