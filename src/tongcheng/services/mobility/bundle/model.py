"""The manifest of a bundle: what a member publishes, by digests, counted up and signed.

Each version names the digest of the one before. The files are not in it: who has the manifest can
check every byte of them, wherever they come from. The form is docs/protocol/07-bundles.md.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated, ClassVar, Final, Literal, NoReturn

import msgspec
from msgspec import Meta

from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import SigningKey
from tongcheng.services.mobility.signed.document import Digest, Signed, Version, signature_of

SIGNING_DOMAIN: Final = b"tongcheng/mobility-bundle/1\n"
ENTRIES_MAX: Final = 256
MANIFEST_BYTES_MAX: Final = 262_144
"""As an envelope's body."""
BUNDLE_BYTES_MAX: Final = 2_000_000_000
"""All files of a bundle: an archive of them needs no ZIP64. Streets of China are about 1.4 GB."""
REPORT_BYTES_MAX: Final = 1_048_576
SHOWN_DIGITS: Final = 12
"""Of a digest, where people only have to tell files apart."""

MANIFEST_PATH: Final = "/mobility/bundle"
FILES_PATH: Final = "/mobility/files"
"""Where a node serves its newest manifest, and beneath which the files that it names."""

EntryKind = Literal["feed", "places", "streets", "processes"]
KINDS: Final[tuple[EntryKind, ...]] = ("feed", "places", "streets", "processes")
Verdict = Literal["sound", "repaired", "doubtful", "incomplete"]

Id = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$(?!\n)")]
Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$(?!\n)")]
_LINE: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$(?!\n)"
"""No control characters and none that turn a line round: strangers' words are shown to people."""
Name = Annotated[str, Meta(min_length=1, max_length=120, pattern=_LINE)]
Words = Annotated[str, Meta(min_length=1, max_length=400, pattern=_LINE)]
OptionalWords = Annotated[str, Meta(max_length=400, pattern=_LINE)]
Size = Annotated[int, Meta(ge=1, le=BUNDLE_BYTES_MAX)]
ReportSize = Annotated[int, Meta(ge=1, le=REPORT_BYTES_MAX)]

FORMS: Final[dict[EntryKind, tuple[str, ...]]] = {
    "feed": ("gtfs",),
    "places": ("csv", "geojson", "parquet"),
    "streets": ("osm-pbf",),
    "processes": ("yaml",),
}


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One file of a bundle.

    `id` is what studies call it: a feed's id, and that of places, streets or a rule book. `name` is
    what the file was called. `form` is how it is read: gtfs, csv, geojson, parquet, osm-pbf, yaml;
    `datum` is what a feed's places are taken to be in. `valid_from` and `valid_to` are the first
    and last day on which a feed has a trip, or on which a rule book holds; null is open.
    `report_sha256` is the digest of the report of reading it, which is a file of the bundle too,
    and `verdict` what it came to. `modelled` says that a model made the figures, nobody counted.
    """

    kind: EntryKind
    id: Id
    sha256: Digest
    bytes: Size
    name: Name
    form: Literal["gtfs", "csv", "geojson", "parquet", "osm-pbf", "yaml"]
    datum: Literal["detect", "wgs84", "gcj02"] | None
    valid_from: Day | None
    valid_to: Day | None
    report_sha256: Digest
    report_bytes: ReportSize
    verdict: Verdict
    source: Words
    licence: Words
    attribution: OptionalWords
    modelled: bool

    @property
    def key(self) -> tuple[str, str]:
        """What tells an entry from the others of its bundle, and orders them."""
        return self.kind, self.id

    def holds_on(self, day: date) -> bool:
        """Say whether a day lies within the span."""
        text = day.isoformat()
        return (self.valid_from or text) <= text <= (self.valid_to or text)


class Manifest(Version, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of a member's bundle."""

    entries: Annotated[tuple[Entry, ...], Meta(max_length=ENTRIES_MAX)]

    def files(self) -> dict[str, int]:
        """Return the size of every file that belongs to it, by digest, in their order."""
        sizes = {one.sha256: one.bytes for one in self.entries}
        sizes |= {one.report_sha256: one.report_bytes for one in self.entries}
        return dict(sorted(sizes.items()))


class SignedManifest(Signed, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What crosses the border: the manifest, and its member's signature (hex) with the key."""

    domain: ClassVar[bytes] = SIGNING_DOMAIN
    signature_code: ClassVar[str] = "BUNDLE_SIGNATURE"

    manifest: Manifest

    @property
    def said(self) -> Manifest:
        """The manifest."""
        return self.manifest


def signed(manifest: Manifest, key: SigningKey) -> SignedManifest:
    """Return the manifest with its member's signature.

    Raises:
        Refused: BUNDLE_MALFORMED and BUNDLE_TOO_LARGE, as `read` would refuse it.
    """
    check_form(manifest)
    signature = signature_of(manifest, SIGNING_DOMAIN, key)
    document = SignedManifest(manifest=manifest, kid=key.kid, signature=signature)
    check_size("manifest", len(document.encoded()), MANIFEST_BYTES_MAX)
    return document


def read(raw: bytes) -> SignedManifest:
    """Read a signed manifest whose signature is still to be checked.

    Raises:
        Refused: BUNDLE_TOO_LARGE; what is not canonical under its CANONICAL_ code; SCHEMA_MISMATCH
            naming the place; BUNDLE_MALFORMED for what contradicts itself.
    """
    check_size("manifest", len(raw), MANIFEST_BYTES_MAX)
    document = canonical.decode_as(raw, SignedManifest)
    check_form(document.manifest)
    return document


def check_form(manifest: Manifest) -> None:
    """Refuse BUNDLE_MALFORMED and BUNDLE_TOO_LARGE for a manifest that can not be meant."""
    if not manifest.is_first_or_follows():
        _malformed("the first version, and it alone, follows no other")
    for one, other in pairwise(manifest.entries):
        if one.key >= other.key:
            _malformed(f"entries out of order or twice: {' '.join(other.key)}")
    if len({one.id for one in manifest.entries}) < len(manifest.entries):
        _malformed("two entries of one id")
    sizes: dict[str, int] = {}
    for one in manifest.entries:
        _check_entry(one)
        for digest, size in ((one.sha256, one.bytes), (one.report_sha256, one.report_bytes)):
            if sizes.setdefault(digest, size) != size:
                _malformed(f"one file has two sizes: {digest}")
    check_size("files", sum(sizes.values()), BUNDLE_BYTES_MAX)


def _check_entry(entry: Entry) -> None:
    for day in (entry.valid_from, entry.valid_to):
        _check_day(day)
    if entry.valid_from and entry.valid_to and entry.valid_to < entry.valid_from:
        _malformed(f"{entry.id} ends before it starts")
    if (entry.kind == "feed") != (entry.datum is not None):
        _malformed(f"{entry.id}: a datum is said of feeds, and of each")
    if entry.form not in FORMS[entry.kind]:
        _malformed(f"{entry.id}: {entry.kind} can not be {entry.form}")


def _check_day(text: str | None) -> None:
    try:
        if text is not None:
            date.fromisoformat(text)
    except ValueError:
        _malformed(f"no day: {text}")


def check_size(what: str, size: int, most: int) -> None:
    """Refuse BUNDLE_TOO_LARGE for more than may be."""
    if size > most:
        raise Refused("BUNDLE_TOO_LARGE", what=what, size=size, most=most)


def _malformed(fault: str) -> NoReturn:
    raise Refused("BUNDLE_MALFORMED", fault=fault)
