"""Opens a feed, a GTFS archive or a directory of its files, and yields lines of text, bounded.

Nothing is unpacked to disk, and members that are not read are not unpacked at all. What an archive
says of itself is checked before anything of it is read: how many members, how large, packed how
tightly, by which names, and that none lies over another (so-called zip bombs; D. Fifield: A better
zip bomb, USENIX WOOT 2019).
"""

import hashlib
import io
import itertools
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.findings import printable

MEMBERS_MAX: Final = 256
"""GTFS has some thirty files."""
ARCHIVE_BYTES_MAX: Final = 2**31
MEMBER_BYTES_MAX: Final = 2**31
"""The stop times of a whole country unpacked come to about one."""
TOTAL_BYTES_MAX: Final = 2**32
RATIO_MAX: Final = 200
"""Times that repeat from trip to trip are packed to a tenth, seldom to a fiftieth."""
RATIO_FREE_BYTES: Final = 2**20
"""What unpacks to less is never a danger, however tightly it is packed."""
LINE_BYTES_MAX: Final = 2**20

_BLOCK_BYTES: Final = 2**20
_ANCHOR: Final = "stops.txt"
"""The file by which the folder of a feed is found: every feed has it."""
_LOCAL_HEADER_BYTES: Final = 30
_ENCRYPTED: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FAULTS: Final = (
    zipfile.BadZipFile,
    zlib.error,
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
_HIGH: Final = re.compile(rb"[\x80-\xff]+")


class Archive(NamedTuple):
    """An open feed. `folder` is where its files lie inside the archive, "" at the top.

    `digest` is the hex SHA-256 of the archive's bytes; of a directory that of the lines
    `<sha256 of the file>  <name>` of the files read, sorted by name, as sha256sum writes them.
    """

    digest: str
    folder: str
    files: tuple[str, ...]
    ignored: tuple[str, ...]
    opened: Callable[[str], BinaryIO]

    def lines(self, file: str) -> Iterator[str]:
        """Yield a file's lines as they stand, with their ends and without a byte order mark.

        Refuses FEED_ARCHIVE, FEED_ENCODING, FEED_NUL and FEED_TOO_LARGE (a line).
        """
        try:
            with self.opened(file) as stream:
                yield from _lines(file, stream)
        except _FAULTS as fault:
            raise _damaged(file, fault) from None


@contextmanager
def open_archive(path: Path, known: frozenset[str]) -> Iterator[Archive]:
    """Open a feed for reading the files called as in `known`; all others are listed as ignored.

    Refuses FILE_MISSING, FEED_ARCHIVE, FEED_TOO_LARGE, FEED_RATIO, FEED_FOLDERS, and by what is
    wrong with a member FEED_MEMBER_NAME, _TWICE, _ENCRYPTED, _OVERLAP.
    """
    with ExitStack() as stack:
        try:
            if path.is_dir():
                archive = _of_directory(path, known)
            elif path.is_file():
                file = stack.enter_context(path.open("rb"))
                archive = _of_zip(file, path.stat().st_size, path.name, known, stack)
            else:
                raise Refused("FILE_MISSING", file=str(path), fault="no file or directory")
        except PermissionError as fault:
            told = fault.strerror or "?"
            raise Refused("FILE_MISSING", file=str(path), fault=told) from None
        except _FAULTS as fault:
            raise _damaged(path.name, fault) from None
        yield archive


@contextmanager
def open_bytes(raw: bytes, known: frozenset[str]) -> Iterator[Archive]:
    """Open an archive that is in memory; refuses what it is as `open_archive` does."""
    with ExitStack() as stack:
        try:
            archive = _of_zip(io.BytesIO(raw), len(raw), "feed.zip", known, stack)
        except _FAULTS as fault:
            raise _damaged("feed.zip", fault) from None
        yield archive


def file_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a file outside any feed; refuses FILE_MISSING and as `Archive.lines`."""
    if not path.is_file():
        raise Refused("FILE_MISSING", file=str(path), fault="no file")
    try:
        with path.open("rb") as stream:
            yield from _lines(path.name, stream)
    except OSError as fault:
        raise Refused("FILE_MISSING", file=str(path), fault=fault.strerror or "?") from None


def _damaged(file: str, fault: Exception) -> Refused:
    told = printable(str(fault).partition("\n")[0] or type(fault).__name__)
    return Refused("FEED_ARCHIVE", file=printable(file), fault=told)


def _assure_size(what: str, size: int, most: int) -> None:
    if size > most:
        raise Refused("FEED_TOO_LARGE", file=printable(what), size=size, most=most)


def _of_directory(path: Path, known: frozenset[str]) -> Archive:
    """Return a directory's files as a feed; what lies deeper is not looked at."""
    names = sorted(each.name for each in path.iterdir() if each.is_file())
    files = tuple(name for name in names if name in known)
    total = 0
    digests = []
    for name in files:
        size = (path / name).stat().st_size
        _assure_size(name, size, MEMBER_BYTES_MAX)
        total += size
        _assure_size(path.name, total, TOTAL_BYTES_MAX)
        with (path / name).open("rb") as file:
            digests.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n")
    digest = hashlib.sha256("".join(digests).encode()).hexdigest()
    ignored = tuple(name for name in names if name not in known)
    return Archive(digest, "", files, ignored, lambda name: (path / name).open("rb"))


def _of_zip(
    file: io.BufferedReader | io.BytesIO,
    size: int,
    called: str,
    known: frozenset[str],
    stack: ExitStack,
) -> Archive:
    """Return an archive as a feed; its digest and its members are of the same open file."""
    _assure_size(called, size, ARCHIVE_BYTES_MAX)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    packed = stack.enter_context(zipfile.ZipFile(file))
    members = packed.infolist()
    _assure_safe(called, members)
    names = {each.filename: each for each in members if not each.is_dir()}
    folder = _folder(list(names))
    files = sorted(name for name in known if folder + name in names)
    read = {folder + name for name in files}
    ignored = tuple(sorted(name for name in names if name not in read))
    for name in read:
        _assure_readable(names[name])

    def opened(name: str) -> BinaryIO:
        member = packed.open(names[folder + name])
        return io.BufferedReader(member, _BLOCK_BYTES)  # type: ignore[type-var]  # one, undeclared

    return Archive(digest, folder, tuple(files), ignored, opened)


def _assure_safe(archive: str, members: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive by what its directory says, before any member is unpacked."""
    if len(members) > MEMBERS_MAX:
        raise Refused("FEED_TOO_LARGE", file=archive, size=len(members), most=MEMBERS_MAX)
    seen: set[str] = set()
    for each in members:
        name = printable(each.filename)
        parts = each.filename.replace("\\", "/").split("/")
        if parts[0] == "" or ".." in parts or ":" in parts[0] or "\0" in each.orig_filename:
            raise Refused("FEED_MEMBER_NAME", member=name)
        if each.filename in seen:
            raise Refused("FEED_MEMBER_TWICE", member=name)
        seen.add(each.filename)
    _assure_size(archive, sum(each.file_size for each in members), TOTAL_BYTES_MAX)
    ordered = sorted(members, key=lambda each: each.header_offset)
    for first, second in itertools.pairwise(ordered):
        header = _LOCAL_HEADER_BYTES + len(first.orig_filename)
        if first.header_offset + header + first.compress_size > second.header_offset:
            raise Refused("FEED_MEMBER_OVERLAP", member=printable(second.filename))


def _assure_readable(member: zipfile.ZipInfo) -> None:
    """Refuse a member that is to be read by its size, ratio, encryption or way of packing."""
    name = printable(member.filename)
    _assure_size(name, member.file_size, MEMBER_BYTES_MAX)
    if member.flag_bits & _ENCRYPTED:
        raise Refused("FEED_MEMBER_ENCRYPTED", member=name)
    if member.compress_type not in _METHODS:
        fault = f"compression method {member.compress_type}"
        raise Refused("FEED_ARCHIVE", file=name, fault=fault)
    allowed = max(RATIO_FREE_BYTES, RATIO_MAX * member.compress_size)
    if member.file_size > allowed:
        raise Refused("FEED_RATIO", member=name, most=RATIO_MAX)


def _folder(names: list[str]) -> str:
    """Return the folder in which the feed's files lie; refuses FEED_FOLDERS and FEED_NESTED."""
    if _ANCHOR in names:
        return ""
    folders = sorted(
        name.removesuffix(_ANCHOR)
        for name in names
        if name.endswith("/" + _ANCHOR) and not name.startswith("__MACOSX/")
    )
    if len(folders) > 1:
        listed = ", ".join(printable(each) for each in folders[:5])
        raise Refused("FEED_FOLDERS", folders=listed)
    nested = sorted(name for name in names if name.lower().endswith(".zip"))
    if not folders and nested:
        raise Refused("FEED_NESTED", member=printable(nested[0]))
    return folders[0] if folders else ""


def _lines(file: str, stream: BinaryIO) -> Iterator[str]:
    """Yield the lines of a stream, decoded block by block."""
    rest = b""
    line = 1
    while chunk := stream.read(_BLOCK_BYTES):
        raw = rest + chunk
        cut = raw.rfind(b"\n") + 1
        _assure_size(file, len(raw) - cut, LINE_BYTES_MAX + _BLOCK_BYTES)
        if cut:
            yield from _decoded(file, raw[:cut], line)
            line += raw.count(b"\n", 0, cut)
        rest = raw[cut:]
    if rest:
        yield from _decoded(file, rest, line)


def _decoded(file: str, raw: bytes, line: int) -> Iterator[str]:
    """Return whole lines as text; refuses FEED_NUL and FEED_ENCODING with the line."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        at = line + raw.count(b"\n", 0, fault.start)
        raise Refused("FEED_ENCODING", file=file, line=at, encoding=_encoding(raw)) from None
    if "\0" in text:
        at = line + raw.count(b"\n", 0, raw.index(b"\0"))
        raise Refused("FEED_NUL", file=file, line=at)
    # Lines end as csv counts them, not where str.splitlines sees an end.
    return iter(io.StringIO(text.lstrip("\ufeff") if line == 1 else text, newline=""))


def _encoding(raw: bytes) -> str:
    """Name the encoding that bytes are probably in, which are not UTF-8.

    Chinese characters of GB 18030 are pairs of high bytes, so runs of them are mostly even, while
    letters of Windows-1252 stand between ASCII ones.
    """
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "UTF-16"
    runs = [len(each) for each in _HIGH.findall(raw)]
    even = sum(length % 2 == 0 for length in runs)
    return "GB18030" if even * 2 > len(runs) else "Windows-1252"
