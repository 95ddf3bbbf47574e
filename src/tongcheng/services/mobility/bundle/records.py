"""Which bundles a node has adopted: every version of its own, and those taken from others.

A version is a local decision and stands in the journal. Of a member the newest version counts, and
only the member itself can make one: nothing taken from others ever stands for what is one's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Reading, Records, Snapshot, Transaction
from tongcheng.services.mobility.bundle import model
from tongcheng.services.mobility.bundle.files import FileStore
from tongcheng.services.mobility.bundle.model import Entry, Manifest, SignedManifest
from tongcheng.services.mobility.signed.history import History

BUNDLE_KIND: Final = "mobility_bundle"


class BundleRow(msgspec.Struct, frozen=True):
    """One version of a member's bundle: `digest` is the manifest's, `document` is signed.

    `kept_at` is when this node published or took it (UTC ms).
    """

    member_id: str
    version: int
    digest: str
    kept_at: int
    document: bytes


BUNDLES = Records("mobility_bundles", BundleRow, key=("member_id", "version"), only_grows=True)
HISTORY: Final[History[BundleRow, SignedManifest]] = History(
    BUNDLES, BUNDLE_KIND, "bundle", model.read, lambda member_id, _: member_id
)


class KeptEntry(NamedTuple):
    """An entry of the newest bundle of a member, and who that is."""

    member_id: str
    entry: Entry


def kept_documents(snapshot: Snapshot) -> tuple[tuple[BundleRow, SignedManifest], ...]:
    """Return the newest bundle of every member of whom there is one, in order of their ids."""
    return tuple((row, model.read(row.document)) for row in HISTORY.newest(snapshot))


def kept_entries(snapshot: Snapshot) -> tuple[KeptEntry, ...]:
    """Return what the newest bundles have, in order of kind, id and member."""
    found = [
        KeptEntry(document.manifest.member_id, entry)
        for _, document in kept_documents(snapshot)
        for entry in document.manifest.entries
    ]
    return tuple(sorted(found, key=lambda each: (each.entry.key, each.member_id)))


def newest(reading: Reading, member_id: str) -> Manifest | None:
    """Return a member's newest manifest, None before the first."""
    rows = reading.select(BUNDLES, member_id=member_id)
    return model.read(rows[-1].document).manifest if rows else None


def publish(
    tx: Transaction, change: Callable[[tuple[Entry, ...]], Sequence[Entry]]
) -> SignedManifest | None:
    """Publish this node's next version, its entries as `change` makes them of those before.

    Returns None where that changes nothing: then there is no new version. Refuses as
    `model.signed` does, and whatever `change` refuses.
    """
    before = newest(tx, tx.home.member_id)
    entries = before.entries if before is not None else ()
    changed = tuple(sorted(change(entries), key=lambda each: each.key))
    if changed == entries:
        return None
    manifest = Manifest(
        member_id=tx.home.member_id,
        version=1 if before is None else before.version + 1,
        previous=None if before is None else before.digest(),
        signed_at=tx.now_at,
        entries=changed,
    )
    document = model.signed(manifest, tx.home.ring.signing)
    HISTORY.keep(tx, document)
    return document


def own_document(snapshot: Snapshot, home: Home) -> SignedManifest:
    """Return this node's newest bundle, signed with the key that it has now.

    Refuses BUNDLE_NONE before the first. A key that was changed since signs the same manifest: it
    stays the version that it is.
    """
    # Not `newest`: whoever asks over the network shall not make us read every version there was.
    versions = sa.select(BUNDLES.table).where(BUNDLES.table.c.member_id == home.member_id)
    rows = snapshot.fetch(BUNDLES, versions.order_by(BUNDLES.table.c.version.desc()).limit(1))
    if not rows:
        raise Refused("BUNDLE_NONE", member=home.member_id)
    document = model.read(rows[0].document)
    if document.kid == home.ring.signing.kid:
        return document
    return model.signed(document.manifest, home.ring.signing)


def check_next(reading: Reading, home: Home, document: SignedManifest, now_at: int) -> bool:
    """Check that a stranger's bundle may be taken; say whether it is new here.

    In this order:

    Raises:
        Refused: BUNDLE_OWN for this node's own; ACCORD_MISSING, MEMBER_UNKNOWN, KEY_UNKNOWN,
            KEY_NOT_VALID, BUNDLE_SIGNATURE; BUNDLE_TWO_OF_ONE_VERSION for a version that is known
            otherwise; BUNDLE_OLDER; BUNDLE_OTHER_PAST for one that does not follow the last.
    """
    manifest = document.manifest
    member_id, version, digest = manifest.member_id, manifest.version, manifest.digest()
    if member_id == home.member_id:
        raise Refused("BUNDLE_OWN", member=member_id)
    document.check_signature(home.accord, now_at)
    rows = {row.version: row for row in reading.select(BUNDLES, member_id=member_id)}
    same = rows.get(version)
    if same is not None and same.digest != digest:
        raise Refused(
            "BUNDLE_TWO_OF_ONE_VERSION",
            member=member_id,
            version=version,
            known=same.digest,
            given=digest,
        )
    last = max(rows, default=0)
    if version < last:
        raise Refused("BUNDLE_OLDER", member=member_id, version=version, last=last)
    if last and version == last + 1 and manifest.previous != rows[last].digest:
        raise Refused("BUNDLE_OTHER_PAST", member=member_id, version=version, last=last)
    return same is None


def take(tx: Transaction, document: SignedManifest) -> bool:
    """Adopt another member's bundle, whose files are here; False where it was adopted before.

    Refuses as `check_next` does.
    """
    is_new = check_next(tx, tx.home, document, tx.now_at)
    if is_new:
        HISTORY.keep(tx, document)
    return is_new


# verifying


def check_bundles(snapshot: Snapshot, home: Home) -> Iterator[Finding]:
    """Check every version against the journal, its signature and the one before it.

    And every file that a member's newest version names against its digest, where that can be read.
    """
    yield from HISTORY.check(snapshot, home)
    for row in HISTORY.newest(snapshot):
        try:
            document = model.read(row.document)
        except Refused:
            # Found already; the files of other members' bundles are checked nevertheless.
            continue
        for digest, size in document.manifest.files().items():
            problem = _file_problem(home, digest, size)
            if problem is not None:
                yield Finding(BUNDLES.name, f"{row.member_id}/{row.version}/{digest}", problem)


def _file_problem(home: Home, digest: str, size: int) -> str | None:
    if home.folder is None:
        return "the node has no directory to keep it in"
    return FileStore.of(home).problem(digest, size)
