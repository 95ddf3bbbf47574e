"""How kernels are compiled by numba: once on a machine, kept beside the source, never while stale.

numba is of the extra `analysis`. Nothing in the kernel imports this module; whoever does is ready
for `ModuleNotFoundError`.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_SHARED: Final[dict[str, Any]] = {
    # No step asks Python for anything, so threads compute side by side.
    "nogil": True,
    # A zero divisor is not looked for: whoever divides knows that there is none.
    "error_model": "numpy",
}
OPTIONS: Final[dict[str, Any]] = {
    **_SHARED,
    # Nothing is allocated. Counting references of every array that is handed to a function, each
    # an atomic operation, took ten times what the arithmetic takes.
    "_nrt": False,
}


def compiled(function: F) -> F:
    """Compile a part of a kernel into whatever calls it; integers divide as in Python."""
    return cast("F", numba.njit(**OPTIONS, forceinline=True)(function))


def kept(function: F) -> F:
    """Compile the entry of a kernel, with all that it calls, and keep it for the next process.

    Numba notices a change of the entry's own file only. So the entry is a closure over the
    fingerprint of every file that it rests on: another fingerprint is another entry.
    """
    return cast("F", numba.njit(**OPTIONS, cache=True)(function))


def kept_alone(function: F) -> F:
    """Compile a function that calls no compiled one of another file, and keep it as `kept` does.

    It may allocate. Numba looks at its file, and that is all it rests on.
    """
    return cast("F", numba.njit(**_SHARED, cache=True)(function))


def fingerprint(*files: str) -> int:
    """Return a number that differs when one of these files does."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(hashlib.sha256(Path(path).read_bytes()).digest())
    return int.from_bytes(digest.digest()[:7], "big")
