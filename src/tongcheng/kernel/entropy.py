"""The port through which chance enters."""

from __future__ import annotations

import builtins
import os
import random
from typing import Protocol


class Entropy(Protocol):
    """A source of random bytes."""

    def bytes(self, n: int) -> builtins.bytes:
        """Return `n` random bytes."""
        ...


class SystemEntropy:
    """The operating system's generator: the only source for keys and nonces that protect."""

    def bytes(self, n: int) -> builtins.bytes:
        """Return `n` unpredictable bytes."""
        return os.urandom(n)


class SeededEntropy:
    """The same bytes for the same seed, for the demo and the simulation.

    Never for real keys, nonces, salts or tokens: whoever knows the seed knows them all.
    """

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)

    def bytes(self, n: int) -> builtins.bytes:
        """Return the next `n` bytes of the sequence that belongs to the seed."""
        return self._random.randbytes(n)
