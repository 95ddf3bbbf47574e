"""A bundle as one file: the signed manifest and its files in a ZIP archive, packed by nothing.

The same bundle makes the same bytes. What is read is bounded before it is read: the archive's
directory first, then the manifest, then each file by the size that its member signed.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Final, NamedTuple

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.whole_file import open_whole
from tongcheng.services.mobility.bundle import model
from tongcheng.services.mobility.bundle.files import FileStore, exactly
from tongcheng.services.mobility.bundle.model import (
    BUNDLE_BYTES_MAX,
    ENTRIES_MAX,
    MANIFEST_BYTES_MAX,
    SignedManifest,
)

MANIFEST_NAME: Final = "manifest.json"
FILES_FOLDER: Final = "files/"
MEMBERS_MAX: Final = 1 + 2 * ENTRIES_MAX
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_MODE: Final = 0o100600 << 16
_MEMBER_OVERHEAD_BYTES: Final = 512
_END: Final = struct.Struct("<4s4H2LH")
"""The end of central directory record (APPNOTE.TXT 4.3.16), without a comment."""
_END_MARK: Final = b"PK\x05\x06"
_ENCRYPTED: Final = 0x1
_SHOWN_MAX: Final = 120
_FAULTS: Final = (
    zipfile.BadZipFile,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    LookupError,
    OverflowError,
)
"""What zipfile raises about damaged archives, one time or another."""


class BundleArchive(NamedTuple):
    """An open archive: the manifest that it carries, unchecked, and its files by digest."""

    document: SignedManifest
    opened: Callable[[str], IO[bytes]]


def write_archive(path: Path, document: SignedManifest, store: FileStore) -> None:
    """Write a bundle; refuses BUNDLE_FILE and BUNDLE_FILE_MISSING, BUNDLE_DISK."""
    try:
        with (
            open_whole(path, 0o644) as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=False) as packed,
        ):
            _write(packed, MANIFEST_NAME, [document.encoded()])
            for digest, size in document.manifest.files().items():
                with store.opened(digest) as kept:
                    _write(packed, FILES_FOLDER + digest, exactly(kept, digest, size))
    except OSError as fault:
        raise Refused("BUNDLE_DISK", fault=fault.strerror or "?") from None


def _write(packed: zipfile.ZipFile, name: str, chunks: Iterator[bytes] | list[bytes]) -> None:
    member = zipfile.ZipInfo(name, _TIME)
    member.create_system = _UNIX
    member.external_attr = _MODE
    with packed.open(member, "w") as into:
        for chunk in chunks:
            into.write(chunk)


@contextmanager
def open_bundle(path: Path) -> Iterator[BundleArchive]:
    """Open a bundle that somebody sent.

    Raises:
        Refused: FILE_MISSING; BUNDLE_TOO_LARGE; BUNDLE_ARCHIVE for what is no sound archive;
            BUNDLE_MEMBER for a member that no bundle has, or lacks; BUNDLE_PACKED for one that is
            packed or encrypted; and as `model.read`.
    """
    try:
        file = path.open("rb")
    except OSError as fault:
        raise Refused("FILE_MISSING", file=str(path), fault=fault.strerror or "?") from None
    with file:
        try:
            count = _check_directory(file)
            packed = zipfile.ZipFile(file)
            if len(packed.infolist()) != count:
                raise Refused("BUNDLE_ARCHIVE", fault="its directory has another number of files")
            archive = _read(packed)
        except _FAULTS as fault:
            raise _broken(fault) from None
        yield archive


def _check_directory(file: BinaryIO) -> int:
    """Bound what zipfile would read into memory, by the archive's last bytes; return the count."""
    size = file.seek(0, io.SEEK_END)
    overhead = (MEMBERS_MAX + 1) * _MEMBER_OVERHEAD_BYTES + MANIFEST_BYTES_MAX
    model.check_size("archive", size, BUNDLE_BYTES_MAX + overhead)
    if size < _END.size:
        raise Refused("BUNDLE_ARCHIVE", fault="it is cut short")
    file.seek(size - _END.size)
    mark, disk, first, here, members, length, begins, comment = _END.unpack(file.read(_END.size))
    # With anything behind the directory, a comment or ZIP64, two readers could see two archives.
    plain = mark == _END_MARK and (disk, first, comment) == (0, 0, 0) and here == members
    if not plain or begins + length + _END.size != size:
        raise Refused("BUNDLE_ARCHIVE", fault="its directory does not end it")
    model.check_size("members", members, MEMBERS_MAX)
    model.check_size("directory", length, MEMBERS_MAX * _MEMBER_OVERHEAD_BYTES)
    return int(members)


def _read(packed: zipfile.ZipFile) -> BundleArchive:
    members: dict[str, zipfile.ZipInfo] = {}
    for each in packed.infolist():
        if each.filename in members:
            raise _member(each.filename, "it is there twice")
        if each.compress_type != zipfile.ZIP_STORED or each.flag_bits & _ENCRYPTED:
            raise Refused("BUNDLE_PACKED", member=_shown(each.filename))
        members[each.filename] = each
    if MANIFEST_NAME not in members:
        raise _member(MANIFEST_NAME, "it is missing")
    model.check_size("manifest", members[MANIFEST_NAME].file_size, MANIFEST_BYTES_MAX)
    with packed.open(members[MANIFEST_NAME]) as manifest:
        document = model.read(manifest.read(MANIFEST_BYTES_MAX + 1))
    expected = {FILES_FOLDER + each: size for each, size in document.manifest.files().items()}
    for name, member in members.items():
        if name != MANIFEST_NAME and name not in expected:
            raise _member(name, "the manifest does not name it")
        if name != MANIFEST_NAME and member.file_size != expected[name]:
            raise _member(name, "its size is not the one signed")
    for name in expected:
        if name not in members:
            raise _member(name, "it is missing")

    return BundleArchive(document, lambda digest: packed.open(members[FILES_FOLDER + digest]))


def unpack(archive: BundleArchive, store: FileStore) -> tuple[str, ...]:
    """Keep a bundle's files, and return the digests of those that are new here.

    Raises:
        Refused: BUNDLE_FILE for bytes that are not those signed, BUNDLE_ARCHIVE, BUNDLE_DISK. Then
            none of the new ones is left.
    """
    new: list[str] = []
    try:
        for digest, size in archive.document.manifest.files().items():
            with archive.opened(digest) as member:
                if store.put(member, digest, size):
                    new.append(digest)
    except BaseException as fault:
        for digest in new:
            store.remove(digest)
        if isinstance(fault, _FAULTS):
            raise _broken(fault) from None
        raise
    return tuple(new)


def _member(name: str, fault: str) -> Refused:
    return Refused("BUNDLE_MEMBER", member=_shown(name), fault=fault)


def _shown(name: str) -> str:
    """Return a stranger's name for a file as it may be shown."""
    return ascii(name)[1:-1][:_SHOWN_MAX]


def _broken(fault: BaseException) -> Refused:
    told = str(fault).partition("\n")[0] or type(fault).__name__
    return Refused("BUNDLE_ARCHIVE", fault=_shown(told))
