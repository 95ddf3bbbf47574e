"""What commands say where the libraries that they compute with are missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from tongcheng.kernel.errors import Refused


@contextmanager
def needed(code: str) -> Iterator[None]:
    """Refuse under a code, with the name of the library, what the extra `analysis` would bring."""
    try:
        yield
    except ImportError as missing:
        if missing.name is None or missing.name.partition(".")[0] == "tongcheng":
            raise
        raise Refused(code, package=missing.name) from None
