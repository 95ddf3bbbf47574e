"""How the kernels are compiled: once on a machine, kept beside the source, never while stale."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS: Final[dict[str, Any]] = {
    # No step asks Python for anything, so threads scan side by side.
    "nogil": True,
    # A zero divisor is not looked for: an instant's step is at least a second.
    "error_model": "numpy",
    # Nothing is allocated, and so no references are counted.
    "_nrt": False,
}


def compiled(function: F) -> F:
    """Compile a part of a kernel into whatever calls it."""
    return cast("F", numba.njit(**OPTIONS, forceinline=True)(function))


def kept(function: F) -> F:
    """Compile the entry of a kernel, with all that it calls, and keep it for the next process.

    Numba notices a change of the entry's own file only. So the entry is a closure over the
    fingerprint of every file that it rests on: another fingerprint is another entry.
    """
    return cast("F", numba.njit(**OPTIONS, cache=True)(function))


def fingerprint(*files: str) -> int:
    """Return a number that differs when one of these files does."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(hashlib.sha256(Path(path).read_bytes()).digest())
    return int.from_bytes(digest.digest()[:7], "big")
