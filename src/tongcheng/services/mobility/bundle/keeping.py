"""Keeping files for a node: read first, then stored, then published or taken; all or nothing.

The caller holds the node's store for writing, so that nobody else keeps files meanwhile.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Command, Snapshot
from tongcheng.services.mobility.bundle import model, records
from tongcheng.services.mobility.bundle.archive import open_bundle, unpack
from tongcheng.services.mobility.bundle.checking import Checked, Reading, checked
from tongcheng.services.mobility.bundle.files import FileStore
from tongcheng.services.mobility.bundle.model import Entry, Manifest, SignedManifest

Change = Callable[[tuple[Entry, ...]], tuple[Entry, ...]]


class Told(NamedTuple):
    """What only the person who adds a file knows of it; the names are those of `model.Entry`."""

    source: str
    licence: str
    attribution: str
    modelled: bool


class Added(NamedTuple):
    """A file that is kept now: its entry, what reading it found, and the version it is in.

    `document` is None where all of it was so before, and nothing was published.
    """

    entry: Entry
    checked: Checked
    document: SignedManifest | None


def add(
    store: FileStore, run: Callable[[Command], Any], path: Path, reading: Reading, told: Told
) -> Added:
    """Read a file as studies will, keep it with the report of that, and publish it.

    `run` runs a command of the writer durably. What had the same id before is replaced.

    Raises:
        Refused: as `checked`; SCHEMA_MISMATCH for words that no entry can carry; BUNDLE_ID for the
            id of something of another kind; BUNDLE_FILE for a file that changes meanwhile;
            BUNDLE_DISK; BUNDLE_TOO_LARGE. Then nothing of it is left.
    """
    found = checked(path, reading)
    report = found.report_raw
    model.check_size("report", len(report), model.REPORT_BYTES_MAX)
    entry = _entry(path, reading, told, found)
    new: list[str] = []
    try:
        with path.open("rb") as file:
            if store.put(file, entry.sha256, entry.bytes):
                new.append(entry.sha256)
        if store.put(io.BytesIO(report), entry.report_sha256, len(report)):
            new.append(entry.report_sha256)
        document = run(lambda tx: records.publish(tx, adding(entry)))
    except BaseException:
        for digest in new:
            store.remove(digest)
        raise
    return Added(entry, found, document)


def _entry(path: Path, reading: Reading, told: Told, found: Checked) -> Entry:
    """Return the entry, held against the form in which others will read it."""
    report = found.report_raw
    entry = Entry(
        kind=reading.kind,
        id=reading.id,
        sha256=found.sha256,
        bytes=path.stat().st_size,
        name=path.name,
        form=reading.form,  # type: ignore[arg-type]  # held against the form below
        datum=reading.datum,
        valid_from=found.valid_from,
        valid_to=found.valid_to,
        report_sha256=hashlib.sha256(report).hexdigest(),
        report_bytes=len(report),
        verdict=found.verdict,
        source=told.source,
        licence=told.licence,
        attribution=told.attribution,
        modelled=told.modelled,
    )
    plain = msgspec.to_builtins(entry)
    try:
        return msgspec.convert(plain, Entry)
    except msgspec.ValidationError as fault:
        what, _, where = str(fault).partition(" - at ")
        raise Refused("SCHEMA_MISMATCH", where=where.strip("`"), what=what) from None


def adding(entry: Entry) -> Change:
    """Return the change that puts an entry in, instead of the one of its id.

    It refuses BUNDLE_ID where that is of another kind.
    """

    def change(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        for each in entries:
            if each.id == entry.id and each.kind != entry.kind:
                raise Refused("BUNDLE_ID", id=entry.id, kind=each.kind)
        return (*(each for each in entries if each.id != entry.id), entry)

    return change


def removing(entry_id: str) -> Change:
    """Return the change that takes out what has an id; it refuses BUNDLE_UNKNOWN."""

    def change(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        kept = tuple(each for each in entries if each.id != entry_id)
        if len(kept) == len(entries):
            known = ", ".join(each.id for each in entries) or "–"
            raise Refused("BUNDLE_UNKNOWN", id=entry_id, known=known)
        return kept

    return change


def prune(store: FileStore, snapshot: Snapshot) -> tuple[int, int]:
    """Let go of every file that no member's newest bundle names; return how many, and their bytes.

    Also of what a crash or a broken download left. What is named is not touched, so it may end
    anywhere. Refuses BUNDLE_FETCHING while a bundle is being fetched; BUNDLE_DISK.
    """
    named = {
        digest
        for _, document in records.kept_documents(snapshot)
        for digest in document.manifest.files()
    }
    with store.apart() as apart:
        gone = [apart.keep_only(()), store.keep_only(named)]
    return sum(count for count, _ in gone), sum(size for _, size in gone)


def take(
    store: FileStore, run: Callable[[Command], Any], path: Path
) -> tuple[SignedManifest, bool]:
    """Take another member's bundle; say whether its version is new here.

    One that was taken before makes whole again what is missing of its files, and no more.

    Raises:
        Refused: as `archive.open_bundle`; as `records.check_next`, before a file is unpacked; as
            `archive.unpack`; as `check_entries`. Then nothing of it is left.
    """
    with open_bundle(path) as archive:
        document = archive.document
        run(lambda tx: records.check_next(tx, tx.home, document, tx.now_at))
        new = unpack(archive, store)
    try:
        check_entries(store.path, document.manifest)
        is_new: bool = run(lambda tx: records.take(tx, document))
    except BaseException:
        for digest in new:
            store.remove(digest)
        raise
    return document, is_new


def check_entries(where: Callable[[str], Path], manifest: Manifest) -> None:
    """Check that each file is what its entry says; `where` says where a file lies, by digest.

    Raises:
        Refused: as `checked`, for a file that can not be used; BUNDLE_ENTRY where a file's days
            are not those that its entry says.
    """
    for entry in manifest.entries:
        found = checked(where(entry.sha256), Reading.of(entry))
        if (found.valid_from, found.valid_to) != (entry.valid_from, entry.valid_to):
            raise Refused(
                "BUNDLE_ENTRY",
                id=entry.id,
                said=f"{entry.valid_from} – {entry.valid_to}",
                found=f"{found.valid_from} – {found.valid_to}",
            )
