"""Large files of a node, each called by the SHA-256 of its bytes: there whole, or not at all.

They lie beside the database, readable by their owner only. What lies there is held against its
name whenever it is read, so nothing is computed from bytes that nobody signed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.whole_file import open_whole, sync_folder

FOLDER: Final = "mobility"
APART: Final = "incoming"
"""Beneath it, what came from a neighbour's node of a bundle that is not whole yet."""

_OURS: Final = re.compile(r"[0-9a-f]{64}(\.part)?")
"""A file, or what a crash left of one that was being written."""

_BLOCK_BYTES: Final = 1 << 20


class FileStore:
    """The files of one node. `folder` need not exist before something is put there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of(cls, home: Home) -> FileStore:
        """Return the files of a node; refuses BUNDLE_FOLDER for one that has no directory."""
        if home.folder is None:
            raise Refused("BUNDLE_FOLDER", member=home.member_id)
        return cls(home.folder / FOLDER)

    def path(self, digest: str) -> Path:
        """Return where a file lies, or would lie."""
        return self._folder / digest

    def put(self, stream: IO[bytes], digest: str, size: int) -> bool:
        """Keep the bytes of a stream under their digest; say whether they are new here.

        Bytes that are here already are looked at all the same.

        Raises:
            Refused: BUNDLE_FILE for other bytes than these, BUNDLE_DISK where they can not be
                written. Nothing is left of either.
        """
        if self.problem(digest, size) is None:
            for _ in exactly(stream, digest, size):
                pass
            return False
        with self._writing(digest) as file:
            for chunk in exactly(stream, digest, size):
                file.write(chunk)
        return True

    @contextmanager
    def receiving(self, digest: str, size: int) -> Iterator[Callable[[bytes], None]]:
        """Keep the bytes that are given part by part; refuses as `put`, too many at once."""
        expected = _Expected(digest, size)
        with self._writing(digest) as file:

            def receive(part: bytes) -> None:
                expected.add(part)
                try:
                    file.write(part)
                except OSError as fault:
                    # Named here: who brings the parts has faults of the same kind.
                    raise Refused("BUNDLE_DISK", fault=fault.strerror or "?") from None

            yield receive
            expected.end()

    @contextmanager
    def _writing(self, digest: str) -> Iterator[IO[bytes]]:
        try:
            self._make_folder()
            with open_whole(self.path(digest)) as file:
                yield file
        except OSError as fault:
            raise Refused("BUNDLE_DISK", fault=fault.strerror or "?") from None

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)

    @contextmanager
    def apart(self) -> Iterator[FileStore]:
        """Hold the place for files of which it is not known yet whether they will be kept.

        Refuses BUNDLE_FETCHING where somebody else holds it, BUNDLE_DISK.
        """
        apart = FileStore(self._folder / APART)
        try:
            self._make_folder()
            apart._make_folder()
            held = os.open(apart._folder, os.O_RDONLY)
        except OSError as fault:
            raise Refused("BUNDLE_DISK", fault=fault.strerror or "?") from None
        try:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refused("BUNDLE_FETCHING", folder=str(apart._folder)) from None
            try:
                yield apart
            finally:
                with suppress(OSError):
                    apart._folder.rmdir()  # where nothing waits for another time
        finally:
            os.close(held)

    def move_in(self, apart: FileStore, digests: Iterable[str]) -> tuple[str, ...]:
        """Keep files that lie apart, whole; return their digests. Refuses BUNDLE_DISK."""
        moved: list[str] = []
        try:
            for digest in digests:
                self._make_folder()
                apart.path(digest).replace(self.path(digest))
                moved.append(digest)
            if moved:
                sync_folder(self._folder)
        except OSError as fault:
            for digest in moved:
                self.remove(digest)
            raise Refused("BUNDLE_DISK", fault=fault.strerror or "?") from None
        return tuple(moved)

    def clear(self) -> None:
        """Let go of all files."""
        self.keep_only(())

    def keep_only(self, digests: Iterable[str]) -> tuple[int, int]:
        """Let go of every other file; return how many those were, and their bytes.

        What is called by no digest is nobody's of ours, and stays. Refuses BUNDLE_DISK.
        """
        kept, count, size = frozenset(digests), 0, 0
        try:
            found = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
            for path in found:
                if path.name not in kept and _OURS.fullmatch(path.name):
                    size += path.lstat().st_size
                    count += 1
                    path.unlink()
        except OSError as fault:
            raise Refused("BUNDLE_DISK", fault=fault.strerror or "?") from None
        return count, size

    def remove(self, digest: str) -> None:
        """Let go of a file that nothing names."""
        with suppress(FileNotFoundError):
            self.path(digest).unlink()

    def read(self, digest: str, size: int) -> bytes:
        """Return the bytes of a file; refuses BUNDLE_FILE and BUNDLE_FILE_MISSING."""
        with self.opened(digest) as file:
            return b"".join(exactly(file, digest, size))

    @contextmanager
    def opened(self, digest: str) -> Iterator[IO[bytes]]:
        """Open a file, whose bytes the caller checks; refuses BUNDLE_FILE_MISSING."""
        try:
            file = self.path(digest).open("rb")
        except OSError:
            raise Refused("BUNDLE_FILE_MISSING", digest=digest) from None
        with file:
            yield file

    def problem(self, digest: str, size: int) -> str | None:
        """Say what is wrong with a file that should be here, None if it is as it should be."""
        try:
            with self.path(digest).open("rb") as file:
                for _ in exactly(file, digest, size):
                    pass
        except FileNotFoundError:
            return "the file is missing"
        except Refused:
            return "the bytes are not those of the digest"
        except OSError as fault:
            return f"the file can not be read: {fault.strerror}"
        return None


class _Expected:
    """Counts and digests bytes that were signed for, as they come."""

    def __init__(self, digest: str, size: int) -> None:
        self._digest = digest
        self._left = size
        self._hashed = hashlib.sha256()

    def add(self, part: bytes) -> None:
        """Count a part; refuses BUNDLE_FILE at once for more than there may be."""
        self._left -= len(part)
        if self._left < 0:
            raise Refused("BUNDLE_FILE", digest=self._digest)
        self._hashed.update(part)

    def end(self) -> None:
        """Refuse BUNDLE_FILE unless these were all of the bytes, and no others."""
        if self._left or self._hashed.hexdigest() != self._digest:
            raise Refused("BUNDLE_FILE", digest=self._digest)


def exactly(stream: IO[bytes], digest: str, size: int) -> Iterator[bytes]:
    """Yield a stream's bytes; refuses BUNDLE_FILE at the end unless they are so many and these."""
    expected = _Expected(digest, size)
    while chunk := stream.read(_BLOCK_BYTES):
        expected.add(chunk)
        yield chunk
    expected.end()
