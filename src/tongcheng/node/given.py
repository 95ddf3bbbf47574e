"""What an operator names on a command line: files, and region packs by name or path.

Apart from `files`, so that a command that opens no node does not load one.
"""

import stat
from pathlib import Path

from tongcheng.kernel import region
from tongcheng.kernel.errors import Refused


def read_bytes(path: Path) -> bytes:
    """Read a file that the operator named; refuses FILE_MISSING."""
    try:
        return path.read_bytes()
    except OSError as fault:
        raise Refused("FILE_MISSING", file=str(path), fault=fault.strerror or "?") from None


def read_at_most(path: Path, most: int) -> bytes:
    """Read a regular file, of a larger one a byte more than `most`; refuses FILE_MISSING.

    A pipe may never end, and that a file is too large its reader says by name.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise Refused("FILE_MISSING", file=str(path), fault="no regular file")
        with path.open("rb") as file:
            return file.read(min(most, about.st_size) + 1)
    except OSError as fault:
        raise Refused("FILE_MISSING", file=str(path), fault=fault.strerror or "?") from None


def pack_folder(name_or_path: str) -> Path:
    """Return the folder of a region pack, as `region.load` finds it."""
    if "/" not in name_or_path:
        return region.PACKS_DIR / name_or_path
    path = Path(name_or_path)
    return path if path.is_dir() else path.parent
