"""A figure with its origin: which source says it, of which year it speaks, how sure it is."""

from __future__ import annotations

from datetime import date
from typing import Final, Generic, Literal, NamedTuple, TypeVar, get_args

Confidence = Literal["high", "medium", "low"]
"""high: checked against a timetable, a register or a published total. medium: one report that was
read. low: about; general knowledge, an estimate, or reckoned from other figures."""

CONFIDENCES: Final[tuple[Confidence, ...]] = get_args(Confidence)
"""Surest first."""

_Value = TypeVar("_Value")


class Origin(NamedTuple):
    """Where a figure is from; `year` is the year that it speaks of."""

    source_id: str
    year: int
    confidence: Confidence


class Figure(NamedTuple, Generic[_Value]):
    """A value with its origin."""

    value: _Value
    by: Origin


class Source(NamedTuple):
    """What a figure was read in. `address` is a web address or a book's place; "" if none."""

    source_id: str
    title: str
    publisher: str
    year: int
    address: str


class LeftOut(NamedTuple):
    """What a compiled picture does not have, and why: `reason` is one of REASONS."""

    what: str
    id: str
    reason: str


REASONS: Final = (
    "opens_later",
    "opening_unknown",
    "closed_by_then",
    "running_time_unknown",
    "trains_unknown",
    "length_unknown",
    "speed_unknown",
    "not_sure_enough",
    "too_few_trains",
    "no_way_open",
)
"""Why something can be left out. `too_few_trains`: one a day has no typical time of departure."""


def is_open(opened: Figure[date] | None, on: date) -> bool:
    """Say whether something is known to have been open on a day."""
    return opened is not None and opened.value <= on


def weaker(first: Confidence, second: Confidence) -> Confidence:
    """Return the less sure of two."""
    return max(first, second, key=CONFIDENCES.index)


def sure_enough(by: Origin, least: Confidence) -> bool:
    """Say whether a figure is at least as sure as `least`."""
    return CONFIDENCES.index(by.confidence) <= CONFIDENCES.index(least)
