"""Archives are read within bounds, and never for longer or from elsewhere than they say."""

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services.mobility.feeds import sound_tables, text_of, write_texts, write_zip
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed import archive as archives
from tongcheng.services.mobility.feed.reading import read_feed

TEXTS: dict[str, str | bytes] = {name: text_of(rows) for name, rows in sound_tables().items()}


def _with(name: str, content: str | bytes = "x") -> dict[str, str | bytes]:
    return {**TEXTS, name: content}


def _codes(path: Path) -> list[str]:
    return [each.code for each in read_feed(path, "demo").report.findings]


def test_folder_inside(tmp_path: Path) -> None:
    """Files in a folder of the archive are read from there, which is reported; others are not."""
    texts = {f"feed v2/{name}": content for name, content in TEXTS.items()}
    texts["__MACOSX/feed v2/stops.txt"] = b"\0"

    reading = read_feed(write_texts(tmp_path / "feed.zip", texts), "demo")
    folder = next(each for each in reading.report.findings if each.code == "folder")

    assert reading.report.counts.calls == 9
    assert folder.examples[0].value == "feed v2/"


def test_unknown_files_are_listed(tmp_path: Path) -> None:
    """What is no file of ours is not unpacked, whatever it is, and named."""
    path = write_texts(tmp_path / "feed.zip", {**_with("inner.zip", b"PK"), "shapes.txt": b"\xff"})

    found = read_feed(path, "demo").report.findings
    ignored = next(each for each in found if each.code == "file_ignored")

    assert [each.value for each in ignored.examples] == ["inner.zip", "shapes.txt"]


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (_with("../stops.txt"), "FEED_MEMBER_NAME"),
        (_with("/etc/stops.txt"), "FEED_MEMBER_NAME"),
        (_with("a\\..\\b.txt"), "FEED_MEMBER_NAME"),
        (_with("C:/stops.txt"), "FEED_MEMBER_NAME"),
        ({f"a/{name}": "x" for name in TEXTS} | {"b/stops.txt": "x"}, "FEED_FOLDERS"),
        ({"feed.zip": b"PK"}, "FEED_NESTED"),
        ({"readme.md": "x"}, "FEED_FILES_MISSING"),
        (_with("stops.txt", b"stop_id\n" + b"0" * (3 * 2**20)), "FEED_RATIO"),
        (_with("stops.txt", ""), "FEED_EMPTY_FILE"),
        (_with("stops.txt", "stop_id,stop_lat,stop_lon,stop_id\n"), "FEED_COLUMNS"),
        (_with("stops.txt", 'stop_id,"stop_lat"x,stop_lon\n'), "FEED_COLUMNS"),
        ({f"{number}.txt": "" for number in range(archives.MEMBERS_MAX + 1)}, "FEED_TOO_LARGE"),
    ],
)
def test_refused(texts: dict[str, str | bytes], code: str, tmp_path: Path) -> None:
    """Each archive that is no feed, or no honest one, is refused by what is wrong with it."""
    with pytest.raises(Refused, match=code):
        read_feed(write_texts(tmp_path / "feed.zip", texts), "demo")


@pytest.mark.parametrize(
    ("raw", "code", "facts"),
    [
        ("甲,乙\n站,x\n".encode("gb18030"), "FEED_ENCODING", {"line": 3, "encoding": "GB18030"}),
        ("Clínicas,x\n".encode("cp1252"), "FEED_ENCODING", {"line": 3, "encoding": "Windows-1252"}),
        (b"x\n\0y\n", "FEED_NUL", {"line": 4}),
    ],
)
def test_other_bytes(raw: bytes, code: str, facts: dict[str, object], tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are refused with file, line and what they probably are."""
    head = b"stop_id,stop_lat,stop_lon\nA,39.1,117.2\n"

    with pytest.raises(Refused, match=code) as caught:
        read_feed(write_texts(tmp_path / "feed.zip", _with("stops.txt", head + raw)), "demo")

    assert caught.value.facts == {"file": "stops.txt", **facts}


def test_utf16_is_named(tmp_path: Path) -> None:
    """What a spreadsheet saves as Unicode text is UTF-16."""
    texts = _with("stops.txt", "stop_id,stop_lat,stop_lon\n".encode("utf-16"))

    with pytest.raises(Refused, match="UTF-16"):
        read_feed(write_texts(tmp_path / "feed.zip", texts), "demo")


def test_no_line_end_in_a_mebibyte(tmp_path: Path) -> None:
    """A line without an end does not fill the memory."""
    raw = b"".join(struct.pack(">I", number).hex().encode() for number in range(2**19))
    texts = _with("stops.txt", raw)

    with pytest.raises(Refused, match="FEED_TOO_LARGE"):
        read_feed(write_texts(tmp_path / "feed.zip", texts), "demo")


def _encrypt(raw: bytearray) -> None:
    """Set the flag of encryption in every header of the directory."""
    at = raw.find(b"PK\1\2")
    while at >= 0:
        raw[at + 8] |= 1
        at = raw.find(b"PK\1\2", at + 1)


def _method(raw: bytearray) -> None:
    at = raw.find(b"PK\1\2")
    while at >= 0:
        raw[at + 10] = 99
        at = raw.find(b"PK\1\2", at + 1)


def _overlap(raw: bytearray) -> None:
    """Let the second member of the directory begin inside the first."""
    second = raw.find(b"PK\1\2", raw.find(b"PK\1\2") + 1)
    raw[second + 42 : second + 46] = struct.pack("<I", 10)


def _size(raw: bytearray) -> None:
    """Claim that every member unpacks to four gibibytes less one."""
    at = raw.find(b"PK\1\2")
    while at >= 0:
        raw[at + 24 : at + 28] = struct.pack("<I", 2**32 - 2)
        at = raw.find(b"PK\1\2", at + 1)


def _checksum(raw: bytearray) -> None:
    at = raw.find(b"PK\1\2")
    while at >= 0:
        raw[at + 16] ^= 1
        at = raw.find(b"PK\1\2", at + 1)


def _cut(raw: bytearray) -> None:
    del raw[len(raw) // 2 :]


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (_encrypt, "FEED_MEMBER_ENCRYPTED"),
        (_method, "FEED_ARCHIVE"),
        (_overlap, "FEED_MEMBER_OVERLAP"),
        (_size, "FEED_TOO_LARGE"),
        (_checksum, "FEED_ARCHIVE"),
        (_cut, "FEED_ARCHIVE"),
        (bytearray.clear, "FEED_ARCHIVE"),
    ],
)
def test_damaged(damage: Callable[[bytearray], None], code: str, tmp_path: Path) -> None:
    """An archive that is damaged or lies about itself is refused before it is unpacked."""
    path = write_zip(tmp_path / "feed.zip", sound_tables())
    raw = bytearray(path.read_bytes())
    damage(raw)
    path.write_bytes(raw)

    with pytest.raises(Refused, match=code):
        read_feed(path, "demo")


def test_member_twice(tmp_path: Path) -> None:
    """Two members of one name: which is meant nobody can tell."""
    path = tmp_path / "feed.zip"
    write_texts(path, {**TEXTS, "stopz.txt": "x"})
    path.write_bytes(path.read_bytes().replace(b"stopz.txt", b"stops.txt"))

    with pytest.raises(Refused, match="FEED_MEMBER_TWICE"):
        read_feed(path, "demo")


def test_missing(tmp_path: Path) -> None:
    """What is not there is refused like any file."""
    with pytest.raises(Refused, match="FILE_MISSING"):
        read_feed(tmp_path / "nothing.zip", "demo")


def test_sizes_of_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory's files are bounded as an archive's members are."""
    monkeypatch.setattr(archives, "MEMBER_BYTES_MAX", 100)
    (tmp_path / "stops.txt").write_bytes(b"x" * 101)

    with pytest.raises(Refused, match="FEED_TOO_LARGE"):
        read_feed(tmp_path, "demo")


def test_stored_members_are_read(tmp_path: Path) -> None:
    """An archive need not be compressed."""
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in TEXTS.items():
            packed.writestr(name, content)

    assert "datum_unknown" in _codes(path)


def test_line_numbers_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the bytes come in, a fault is on its line, and no character is torn."""
    monkeypatch.setattr(archives, "_BLOCK_BYTES", 7)
    path = tmp_path / "list.csv"
    path.write_bytes("名,b\r\n".encode() * 50 + b"\xff\n")
    lines = archives.file_lines(path)

    assert [next(lines) for _ in range(50)] == ["名,b\r\n"] * 50
    with pytest.raises(Refused, match="line=51"):
        next(lines)
