"""The port to the system that an agency already has: a question out, an answer back.

A node may be told to let that system decide. It is asked before the writer's transaction begins,
and again after a redelivery, so it must answer the same to the same question and keep nothing.
"""

from collections.abc import Mapping
from typing import Final, Literal, Protocol

import msgspec

Decider = Literal["engine", "agency", "shadow"]
"""Who computes benefits: our engine; the agency's system; that system, ours beside it."""


class Agency(Protocol):
    """Asks the agency's own system."""

    async def ask(self, question: bytes) -> bytes:
        """Return its answer; refuses AGENCY_SILENT when none comes."""
        ...


class Consulted(msgspec.Struct, frozen=True):
    """What was asked, and the answer."""

    question: bytes
    answer: bytes


Answers = Mapping[str, Consulted]
"""By the id of the envelope that they were asked for."""

NOTHING: Final[Answers] = {}


class NotConsulted(Exception):
    """An act needs an answer that was not asked for, or to another question: ask, then repeat."""
