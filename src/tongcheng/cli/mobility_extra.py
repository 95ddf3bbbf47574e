"""What the commands of mobility say where the libraries that they compute with are missing."""

from functools import partial
from typing import Final

from tongcheng.cli import extra

extra_needed: Final = partial(extra.needed, "MOBILITY_EXTRA")
"""Refuse MOBILITY_EXTRA where a library of the extra `analysis` is not installed."""
