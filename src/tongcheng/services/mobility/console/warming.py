"""Compiles mobility's kernels beside a node that is ready already.

The first start on a machine takes some twenty seconds for it; what was compiled is kept beside the
source for the next. A node does not wait for it: who opens a map meanwhile is told so. Nodes that
start together on one machine take turns, so that the second loads what the first compiled.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import structlog

from tongcheng.kernel.errors import Refused

log = structlog.get_logger("tongcheng.mobility")


def warm() -> None:
    """Begin to compile, and return at once; without numba nothing is begun."""
    threading.Thread(target=_quietly, name="mobility-warming", daemon=True).start()


def _quietly() -> None:
    try:
        compiled()
    except ImportError as missing:
        log.info("not_warmed", missing=missing.name)
    except Refused as refused:
        log.info("not_warmed", missing=str(refused.facts.get("package", "")))
    except Exception:
        # Say, a full disk. Who opens a map tries again.
        log.exception("mobility_failed")


def compiled() -> None:
    """Compile, or load what was compiled; refuses MOBILITY_EXTRA without numba.

    Raises:
        ImportError: without numpy.
    """
    with _turn():
        from tongcheng.services.mobility.scan import run  # noqa: PLC0415 an extra

        run.warm()


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for the others of this user on this machine; without a place to wait at, do not."""
    file = _place_to_wait()
    try:
        if file is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        if file is not None:
            file.close()


def _place_to_wait() -> BinaryIO | None:
    path = Path(tempfile.gettempdir()) / f"tongcheng-mobility-{os.getuid()}.lock"
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        file = os.fdopen(descriptor, "rb")
        if os.fstat(descriptor).st_uid == os.getuid():
            return file
        # Somebody else put it there, who could hold it for ever.
        file.close()
    return None
