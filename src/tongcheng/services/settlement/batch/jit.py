"""How the kernel is compiled: once on a machine, kept beside the source, and never while stale."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba  # type: ignore[import-untyped]

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a part of the kernel when it is first used; integers divide as in Python.

    A zero divisor is not looked for: no denominator of the kernel can be one.
    """
    return cast("F", numba.njit(nogil=True, error_model="numpy", forceinline=True, _nrt=False)(function))


def kept(function: F) -> F:
    """Compile the entry of the kernel, with all that it calls, and keep it for the next process.

    Numba notices a change of the entry's own file only. So the entry is a closure over the
    fingerprint of every file that it rests on: another fingerprint is another entry.
    """
    return cast("F", numba.njit(nogil=True, error_model="numpy", cache=True, _nrt=False)(function))


def fingerprint(*modules: str) -> int:
    """Return a number that differs when the source of a module does; modules by their files."""
    digest = hashlib.sha256()
    for path in modules:
        digest.update(hashlib.sha256(Path(path).read_bytes()).digest())
    return int.from_bytes(digest.digest()[:7], "big")
