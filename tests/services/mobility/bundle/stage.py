"""Two nodes under an accord, and bundles of one of them written by hand: sound, or as asked."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from click.testing import CliRunner

from tests.services.mobility.feeds import Line, line_tables, write_zip
from tongcheng.cli import main
from tongcheng.kernel.keys import KeyRing, SigningKey
from tongcheng.node.offline import Stopped
from tongcheng.services.mobility.bundle import model
from tongcheng.services.mobility.bundle.archive import FILES_FOLDER, MANIFEST_NAME
from tongcheng.services.mobility.bundle.checking import Reading, checked
from tongcheng.services.mobility.bundle.files import FileStore
from tongcheng.services.mobility.bundle.model import Entry, Manifest, SignedManifest
from tongcheng.services.mobility.bundle.records import BUNDLES

OWNER, TAKER = "beijing-hsb", "tianjin-hsb"
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def lay_out(folder: Path) -> None:
    """Make both nodes and put an accord between them in force."""
    card = "member-card.json"
    cards = [word for each in (OWNER, TAKER) for word in ("--card", folder / each / card)]
    accord = folder / "accord.json"
    commands: list[list[str | Path]] = [
        ["node", "init", "--data", folder / OWNER, "--member", OWNER],
        ["node", "init", "--data", folder / TAKER, "--member", TAKER],
        ["accord", "init", *cards, "-o", accord],
        ["accord", "sign", accord, "--data", folder],
        ["accord", "adopt", accord, "--data", folder],
    ]
    for words in commands:
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == 0, result.output


def feed_bytes(folder: Path, departure: str = "7:10") -> bytes:
    """Return the archive of a feed with one trip."""
    places = {"W": (117.0, 39.0), "E": (117.3, 39.0)}
    path = folder / "made.zip"
    write_zip(path, line_tables(places, [Line("L", ["W", "E"], [departure], [1_200])]))
    return path.read_bytes()


class Sender:
    """Who writes bundles in the owner's name, with the owner's key or another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = KeyRing.load(folder / OWNER / "keys").signing
        self.feed = feed_bytes(folder)

    def entry(self, raw: bytes | None = None, **changes: Any) -> tuple[Entry, dict[str, bytes]]:
        """Return an entry of a feed, with its files by digest."""
        content = self.feed if raw is None else raw
        path = self.folder / "entry.zip"
        path.write_bytes(self.feed)
        found = checked(path, Reading("feed", "metro", "gtfs", "detect"))
        entry = Entry(
            kind="feed",
            id="metro",
            sha256=digest(content),
            bytes=len(content),
            name="metro.zip",
            form="gtfs",
            datum="detect",
            valid_from=found.valid_from,
            valid_to=found.valid_to,
            report_sha256=digest(found.report_raw),
            report_bytes=len(found.report_raw),
            verdict=found.verdict,
            source="synthetic",
            licence="CC0-1.0",
            attribution="",
            modelled=False,
        )
        files = {digest(content): content, entry.report_sha256: found.report_raw}
        return msgspec.structs.replace(entry, **changes), files

    def manifest(self, entries: Iterable[Entry], **changes: Any) -> Manifest:
        """Return the first version, or what the changes make of it."""
        first = Manifest(
            member_id=OWNER, version=1, previous=None, signed_at=1_000, entries=tuple(entries)
        )
        return msgspec.structs.replace(first, **changes)

    def sign(self, manifest: Manifest, key: SigningKey | None = None) -> SignedManifest:
        """Sign whatever it is: nothing of its form is looked at."""
        by = key or self.key
        signature = by.sign(model.SIGNING_DOMAIN + manifest.encoded()).hex()
        return SignedManifest(manifest=manifest, kid=by.kid, signature=signature)

    def sound(self, **changes: Any) -> tuple[SignedManifest, dict[str, bytes]]:
        """Return a signed manifest of one feed with its files; `changes` are the manifest's."""
        entry, files = self.entry()
        return self.sign(self.manifest([entry], **changes)), files


def digest(raw: bytes) -> str:
    """Return the hex SHA-256."""
    return hashlib.sha256(raw).hexdigest()


def members_of(document: SignedManifest, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the members of the archive, by name, in their order."""
    named = {FILES_FOLDER + name: raw for name, raw in sorted(files.items())}
    return {MANIFEST_NAME: document.encoded(), **named}


def zipped(
    members: Iterable[tuple[str, bytes]],
    *,
    method: int = zipfile.ZIP_STORED,
    change: Callable[[zipfile.ZipFile], None] | None = None,
) -> bytes:
    """Return an archive of these members as they are."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, raw in members:
            packed.writestr(zipfile.ZipInfo(name, ZIP_TIME), raw, method)
        if change is not None:
            change(packed)
    return file.getvalue()


def state_of(stopped: Stopped) -> tuple[list[Any], list[str]]:
    """Return what a node keeps: its rows and the names of its files."""
    with stopped.database.snapshot() as snapshot:
        rows = list(snapshot.select(BUNDLES))
    folder = FileStore.of(stopped.home).path("")
    return rows, sorted(each.name for each in folder.glob("*"))
