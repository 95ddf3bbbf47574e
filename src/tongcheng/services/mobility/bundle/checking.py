"""Reads a file before it is kept, as studies will read it, and says what it found."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tongcheng.kernel import rulebook
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.bundle.model import (
    BUNDLE_BYTES_MAX,
    Entry,
    EntryKind,
    Verdict,
    check_size,
)
from tongcheng.services.mobility.feed.datum import Asked
from tongcheng.services.mobility.feed.reading import read_feed
from tongcheng.services.mobility.feed.report import Report as FeedReport
from tongcheng.services.mobility.places.findings import Report as PlacesReport
from tongcheng.services.mobility.places.reading import Format, read_places
from tongcheng.services.mobility.places.table import BYTES_MAX as PLACES_BYTES_MAX
from tongcheng.services.mobility.streets.extract import read_ways
from tongcheng.services.mobility.timetable.process_book import KIND, read_rules

BOOK_BYTES_MAX: Final = 4 * rulebook.TEXT_CHARACTERS_MAX


class StreetsReport(msgspec.Struct, frozen=True):
    """What an extract has for who walks: ways and their points."""

    digest: str
    ways: int
    points: int


class BookReport(msgspec.Struct, frozen=True):
    """A rule book of station processes: its own digest and how many figures it has.

    `doubtful` of them are unknown, conflicting or of a weak source.
    """

    digest: str
    book_id: str
    figures: int
    doubtful: int


Report = FeedReport | PlacesReport | StreetsReport | BookReport


class Checked(NamedTuple):
    """What reading a file came to; days as in `model.Entry`."""

    sha256: str
    valid_from: str | None
    valid_to: str | None
    verdict: Verdict
    report: Report

    @property
    def report_raw(self) -> bytes:
        """The report's bytes, which are kept and signed for too."""
        return msgspec.json.encode(self.report)


class Reading(NamedTuple):
    """How a file is to be read; the names are those of `model.Entry`."""

    kind: EntryKind
    id: str
    form: str
    datum: Asked | None

    @classmethod
    def of(cls, entry: Entry) -> Reading:
        """Return how an entry's file is read."""
        return cls(entry.kind, entry.id, entry.form, entry.datum)


def checked(path: Path, reading: Reading) -> Checked:
    """Read a file; refuses as its reader does, and TIMETABLE_NO_SERVICE for a feed without days."""
    check_file(path)
    return _READERS[reading.kind](path, reading)


def check_file(path: Path) -> None:
    """Refuse FILE_MISSING and BUNDLE_TOO_LARGE: a bundle has files, no directories."""
    if not path.is_file():
        fault = "a directory; pack it as ZIP" if path.is_dir() else "no such file"
        raise Refused("FILE_MISSING", file=str(path), fault=fault)
    check_size("file", path.stat().st_size, BUNDLE_BYTES_MAX)


def raw_bytes(path: Path, most: int) -> bytes:
    """Return a file's bytes; refuses FILE_MISSING and BUNDLE_TOO_LARGE."""
    try:
        with path.open("rb") as file:
            raw = file.read(most + 1)
    except OSError as fault:
        raise Refused("FILE_MISSING", file=str(path), fault=fault.strerror or "?") from None
    check_size("file", len(raw), most)
    return raw


def book_of(raw: bytes) -> rulebook.RuleBook:
    """Read a rule book of station processes; refuses RULE_BOOK_… and PROCESS_BOOK."""
    try:
        book = rulebook.parse(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise Refused("RULE_BOOK_YAML", line=1, fault="not UTF-8") from None
    read_rules(book)
    return book


def _feed(path: Path, reading: Reading) -> Checked:
    assert reading.datum is not None, "a feed's places are in something"
    report = read_feed(path, reading.id, asked=reading.datum).report
    days = report.days
    if days.first_on is None or days.last_on is None:
        raise Refused("TIMETABLE_NO_SERVICE", feed=reading.id)
    first, last = days.first_on.isoformat(), days.last_on.isoformat()
    return Checked(report.digest, first, last, report.verdict, report)


def _places(path: Path, reading: Reading) -> Checked:
    report = read_places(raw_bytes(path, PLACES_BYTES_MAX), form_of(reading.form)).report
    return Checked(report.digest, None, None, _verdict(report), report)


def form_of(form: str) -> Format:
    """Return how places are read, which an entry of places says."""
    found: Format = msgspec.convert(form, Format)
    return found


def _verdict(report: PlacesReport) -> Verdict:
    severities = {each.severity for each in report.findings}
    if "error" in severities:
        return "incomplete"
    return "repaired" if "repaired" in severities else "sound"


def _streets(path: Path, _reading: Reading) -> Checked:
    ways = read_ways(path, "foot")
    report = StreetsReport(ways.digest, len(ways.start) - 1, len(ways.node))
    return Checked(ways.digest, None, None, "sound", report)


def _processes(path: Path, _reading: Reading) -> Checked:
    raw = raw_bytes(path, BOOK_BYTES_MAX)
    book = book_of(raw)
    assert book.kind == KIND, book.kind
    figures = [value for _, value in rulebook.rule_values(book)]
    doubtful = sum(each.doubtful for each in figures)
    ends = book.effective_to
    return Checked(
        hashlib.sha256(raw).hexdigest(),
        book.effective_from.isoformat(),
        None if ends is None else ends.isoformat(),
        "doubtful" if doubtful else "sound",
        BookReport(book.digest, book.book_id, len(figures), doubtful),
    )


_READERS: Final[dict[EntryKind, Callable[[Path, Reading], Checked]]] = {
    "feed": _feed,
    "places": _places,
    "streets": _streets,
    "processes": _processes,
}
