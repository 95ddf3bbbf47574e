"""What the commands of mobility say where the libraries that it computes with are missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from tongcheng.kernel.errors import Refused


@contextmanager
def extra_needed() -> Iterator[None]:
    """Refuse MOBILITY_EXTRA where a library of the extra `analysis` is not installed."""
    try:
        yield
    except ImportError as missing:
        if missing.name is None or missing.name.partition(".")[0] == "tongcheng":
            raise
        raise Refused("MOBILITY_EXTRA", package=missing.name) from None
