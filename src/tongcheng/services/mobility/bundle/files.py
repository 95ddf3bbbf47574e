"""Large files of a node, each called by the SHA-256 of its bytes: there whole, or not at all.

They lie beside the database, readable by their owner only. What lies there is held against its
name whenever it is read, so nothing is computed from bytes that nobody signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.whole_file import open_whole

FOLDER: Final = "mobility"
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
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            with open_whole(self.path(digest)) as file:
                for chunk in exactly(stream, digest, size):
                    file.write(chunk)
        except OSError as fault:
            raise Refused("BUNDLE_DISK", fault=fault.strerror or "?") from None
        return True

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


def exactly(stream: IO[bytes], digest: str, size: int) -> Iterator[bytes]:
    """Yield a stream's bytes; refuses BUNDLE_FILE at the end unless they are so many and these."""
    hashed = hashlib.sha256()
    left = size
    while left >= 0 and (chunk := stream.read(_BLOCK_BYTES)):
        left -= len(chunk)
        hashed.update(chunk)
        if left >= 0:
            yield chunk
    if left or hashed.hexdigest() != digest:
        raise Refused("BUNDLE_FILE", digest=digest)
