"""Studies of what a node keeps: its own bundle and those of others, the same on every node.

Whose bundle a file came in decides nothing: two nodes that have the same bundles take the same
files, in one order, under the same ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.services.mobility.bundle.checking import book_of, form_of
from tongcheng.services.mobility.bundle.eras import check_eras
from tongcheng.services.mobility.bundle.files import FileStore
from tongcheng.services.mobility.bundle.model import Entry, EntryKind
from tongcheng.services.mobility.bundle.records import KeptEntry
from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.feed.reading import read_feed
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.places.reading import read_places
from tongcheng.services.mobility.streets.extract import read_ways
from tongcheng.services.mobility.streets.graph import Graph, graph_of
from tongcheng.services.mobility.streets.tags import Profile
from tongcheng.services.mobility.timetable.process_book import NO_PROCESSES, Processes


class KeptInputs(NamedTuple):
    """Feeds and rule books of a day, and the entries that they came from."""

    feeds: tuple[Feed, ...]
    processes: Processes
    entries: tuple[Entry, ...]


class KeptPlaces(NamedTuple):
    """Places, the entry that they came from, and their areas as `PlacesReading` has them."""

    places: Places
    entry: Entry
    areas: NDArray[Any] | None = None


def kept_study_inputs(
    kept: Sequence[KeptEntry],
    home: Home,
    day: date,
    *,
    feeds: Sequence[str] = (),
    processes: Sequence[str] = (),
) -> KeptInputs:
    """Read the feeds and rule books that are kept, for a study of a day.

    `kept` is `records.kept_entries` of a snapshot, which need not be open any more. All feeds and
    all rule books are taken unless some are named (`ID`, or `MEMBER/ID`). Without any feed there
    are none: then a region's facts stand. Without rule books doors stand open.

    Raises:
        Refused: BUNDLE_ERAS, with all spans, where a feed does not run around the day: timetables
            of two eras do not mix in silence. BUNDLE_UNKNOWN; BUNDLE_TWICE where two members have
            other files under one id, and none is named; BUNDLE_FILE, BUNDLE_FILE_MISSING,
            BUNDLE_FOLDER; and as the readers.
    """
    chosen = _chosen(kept, "feed", feeds)
    check_eras(chosen, day)
    books = _chosen(kept, "processes", processes)
    if not chosen and not books:
        return KeptInputs((), NO_PROCESSES, ())
    store = FileStore.of(home)
    rules = tuple(book_of(store.read(each.entry.sha256, each.entry.bytes)) for each in books)
    return KeptInputs(
        feeds=tuple(_feed(store, each.entry) for each in chosen),
        processes=Processes(rules) if rules else NO_PROCESSES,
        entries=tuple(each.entry for each in (*chosen, *books)),
    )


def kept_places(kept: Sequence[KeptEntry], home: Home, name: str) -> KeptPlaces:
    """Read kept places by `ID` or `MEMBER/ID`; refuses as `kept_study_inputs`."""
    ((_, entry),) = _chosen(kept, "places", [name])
    raw = FileStore.of(home).read(entry.sha256, entry.bytes)
    read = read_places(raw, form_of(entry.form))
    return KeptPlaces(read.places, entry, read.areas)


def kept_streets(
    kept: Sequence[KeptEntry], home: Home, name: str, profile: Profile = "foot"
) -> tuple[Graph, Entry]:
    """Read kept streets by `ID` or `MEMBER/ID`; refuses as `kept_study_inputs`."""
    ((_, entry),) = _chosen(kept, "streets", [name])
    ways = read_ways(_path(FileStore.of(home), entry), profile)
    _check_digest(entry, ways.digest)
    return graph_of(ways, profile), entry


def said_of(entries: Iterable[Entry]) -> tuple[tuple[str, str], ...]:
    """Return what a study's methods say of its data: whose it is, and what of it a model made."""
    ordered = sorted(entries, key=lambda each: (each.key, each.sha256))
    words = dict.fromkeys(f"{each.attribution or each.source} ({each.licence})" for each in ordered)
    modelled = [f"{each.kind} {each.id}" for each in ordered if each.modelled]
    said = (("credits", "; ".join(words)), ("modelled", "; ".join(modelled)))
    return tuple((name, value) for name, value in said if value)


def _chosen(
    kept: Sequence[KeptEntry], kind: EntryKind, names: Sequence[str]
) -> tuple[KeptEntry, ...]:
    """Return entries of a kind in order of their ids, all or those named."""
    of_kind = [each for each in kept if each.entry.kind == kind]
    found = of_kind
    if names:
        found = [each for name in names for each in _named(of_kind, name)]
    by_id: dict[str, KeptEntry] = {}
    for each in sorted(found, key=lambda one: (one.entry.id, one.member_id)):
        other = by_id.setdefault(each.entry.id, each)
        if _how_read(other.entry) != _how_read(each.entry):
            raise Refused(
                "BUNDLE_TWICE",
                kind=kind,
                id=each.entry.id,
                one=other.member_id,
                other=each.member_id,
            )
    return tuple(each for _, each in sorted(by_id.items()))


def _how_read(entry: Entry) -> tuple[str, str, str | None]:
    return entry.sha256, entry.form, entry.datum


def _named(of_kind: Sequence[KeptEntry], name: str) -> list[KeptEntry]:
    member, slash, entry_id = name.rpartition("/")
    found = [
        each
        for each in of_kind
        if each.entry.id == entry_id and (not slash or each.member_id == member)
    ]
    if not found:
        known = ", ".join(dict.fromkeys(each.entry.id for each in of_kind)) or "–"
        raise Refused("BUNDLE_UNKNOWN", id=name, known=known)
    return found


def _feed(store: FileStore, entry: Entry) -> Feed:
    assert entry.datum is not None, "a feed's places are in something"
    feed = read_feed(_path(store, entry), entry.id, asked=entry.datum).feed
    _check_digest(entry, feed.digest)
    return feed


def _path(store: FileStore, entry: Entry) -> Path:
    with store.opened(entry.sha256):
        return store.path(entry.sha256)


def _check_digest(entry: Entry, digest: str) -> None:
    """Refuse BUNDLE_FILE for what was read from other bytes than its member signed."""
    if digest != entry.sha256:
        raise Refused("BUNDLE_FILE", digest=entry.sha256)
