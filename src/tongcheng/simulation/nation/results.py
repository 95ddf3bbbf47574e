"""The results of a run: a file with a header and one line of JSON for every finished seed.

A line is written by one call and synced before the next seed is looked at. What a crash left of a
last line is cut off when the file is opened again, so a seed is in the file whole or not at all.
"""

import fcntl
import os
import sqlite3
import sys
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from tongcheng.simulation.report import Report

BEGINNING = b'{"format":"tongcheng-nation/1"'
SHOWN_CHARACTERS = 12


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the lines are results of; a run goes on only under the same header."""

    format: Literal["tongcheng-nation/1"] = "tongcheng-nation/1"
    sources: str
    first_seed: int
    stays_per_seed: int
    python: str = sys.version.split()[0]
    sqlite: str = sqlite3.sqlite_version


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """One seed's end, and what it took: seconds of processor and of the clock, MiB at most."""

    report: Report
    processor_seconds: float
    seconds: float
    memory_mib: int
    ended_at: int


class ResultsUnusable(Exception):
    """The file cannot be read, or cannot be gone on with; the words say why."""

    why = "{path} cannot be used: {detail}"

    def __init__(self, path: Path, detail: str = "") -> None:
        super().__init__(self.why.format(path=path, detail=detail))


class NoResults(ResultsUnusable):
    """Not a file of results, or one that cannot be read."""

    why = "{path} is no file of results: {detail}"


class ResultsInUse(ResultsUnusable):
    """Another process adds to the file."""

    why = "another run is writing {path}"


class OtherRun(ResultsUnusable):
    """The lines are of other code, other books or other seeds."""

    why = "{path} holds results of another run ({detail}); --anew starts it anew"


def read(path: Path) -> tuple[Header, list[Finished]]:
    """Read a file of results; raises ResultsUnusable."""
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise NoResults(path, str(fault.strerror)) from fault
    header, finished, _ = _parsed(path, raw)
    return header, finished


def _parsed(path: Path, raw: bytes) -> tuple[Header, list[Finished], int]:
    """Return header, lines, and how many bytes of the file are whole lines."""
    whole = raw.rfind(b"\n") + 1
    first, *lines = raw[:whole].splitlines() or [b""]
    try:
        header = msgspec.json.decode(first, type=Header)
        finished = [msgspec.json.decode(line, type=Finished) for line in lines]
    except msgspec.MsgspecError as fault:
        raise NoResults(path, str(fault)) from fault
    return header, finished, whole


class Results:
    """A file of results that is being added to; one process at a time."""

    def __init__(self, path: Path, header: Header, *, anew: bool = False) -> None:
        self.path = path
        self.header = header
        self.finished: dict[int, Finished] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            self._lock()
            self._go_on(anew=anew)
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ResultsInUse(self.path) from None

    def _go_on(self, *, anew: bool) -> None:
        raw = self.path.read_bytes()
        if not BEGINNING.startswith(raw[: len(BEGINNING)]):
            raise NoResults(self.path, "it begins otherwise")
        if anew or b"\n" not in raw:  # new, or not even its header was written
            os.ftruncate(self._file, 0)
            self._append(msgspec.json.encode(self.header))
            return
        header, finished, whole = _parsed(self.path, raw)
        if header != self.header:
            raise OtherRun(self.path, _difference(header, self.header))
        os.ftruncate(self._file, whole)
        self.finished = {one.report.seed: one for one in finished}

    def add(self, finished: Finished) -> None:
        """Keep a seed's end; it is durable when this returns."""
        self._append(msgspec.json.encode(finished))
        self.finished[finished.report.seed] = finished

    def _append(self, line: bytes) -> None:
        assert b"\n" not in line, "one seed is one line"
        written = os.write(self._file, line + b"\n")
        assert written == len(line) + 1, "a line is written by one call"
        os.fsync(self._file)


def _difference(theirs: Header, ours: Header) -> str:
    old, new = msgspec.structs.asdict(theirs), msgspec.structs.asdict(ours)
    return ", ".join(
        f"{name} was {str(old[name])[:SHOWN_CHARACTERS]}, is {str(new[name])[:SHOWN_CHARACTERS]}"
        for name in old
        if old[name] != new[name]
    )
