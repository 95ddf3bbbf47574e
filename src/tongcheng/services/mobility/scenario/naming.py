"""What a scenario's names mean in a base: services, lines and stations of its feeds.

A name is taken as an id with its feed (`bj:12`), else as an id without, else as a name; the first
of the three that finds anything decides, and all that it finds is meant. In the feed of the fact
tables a service is that of services.csv, in that of scenarios a line; in any other it is a trip.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.model import NONE, Feed
from tongcheng.services.mobility.numbers import Bool
from tongcheng.services.mobility.scenario.model import (
    FACTS_FEED_ID,
    SCENARIO_FEED_ID,
    Base,
    Chosen,
)

_DIRECTION = re.compile(r"\.[01]$")
_PIECE = re.compile(r"\.[0-9]+$")


class At(NamedTuple):
    """Where the change being applied stands."""

    file: str
    line: int

    def refused(self, code: str, **facts: str | int) -> Refused:
        """Return a refusal that names the line."""
        return Refused(code, file=self.file, line=self.line, **facts)

    def unknown(self, what: str, name: str) -> Refused:
        """Return the refusal SCENARIO_UNKNOWN of a name that nothing in the base has."""
        return self.refused("SCENARIO_UNKNOWN", what=what, name=name)


def service_of(trip_id: str, known: frozenset[str]) -> str:
    """Return the service of fact tables that a trip of their feed is of; ids without the feed.

    A trip is called by its service, its piece of open track if there are several, its direction.
    """
    name = _DIRECTION.sub("", trip_id)
    return name if name in known else _PIECE.sub("", name)


def trips_of_services(base: Base, feed: Feed) -> tuple[str, ...]:
    """Return, for each trip of a feed, what a scenario calls its service, with the feed's id."""
    if feed.feed_id == SCENARIO_FEED_ID:
        return tuple(_DIRECTION.sub("", trip_id) for trip_id in feed.trips.ids)
    if feed.feed_id != FACTS_FEED_ID or base.facts is None:
        return feed.trips.ids
    known = frozenset(service.service_id for service in base.facts.services)
    start = len(feed.feed_id) + 1
    return tuple(
        f"{feed.feed_id}:{service_of(trip_id[start:], known)}" for trip_id in feed.trips.ids
    )


def chosen_trips(base: Base, chosen: Chosen, at: At) -> tuple[Bool, ...]:
    """Return, for each feed, which of its trips are meant.

    Refuses SCENARIO_UNKNOWN for a service or a line that no feed has.
    """
    of_service = [trips_of_services(base, feed) for feed in base.feeds]
    found = [np.zeros(len(feed.trips.ids), np.bool_) for feed in base.feeds]
    for name in chosen.services:
        for place, rows in enumerate(_meant(base.feeds, of_service, None, name, at, "service")):
            found[place] |= rows
    ids = [feed.routes.ids for feed in base.feeds]
    names = [feed.routes.names for feed in base.feeds]
    for name in chosen.lines:
        for place, rows in enumerate(_meant(base.feeds, ids, names, name, at, "line")):
            found[place] |= rows[base.feeds[place].trips.route]
    return tuple(found)


def stations(feeds: Sequence[Feed], name: str, at: At) -> tuple[Bool, ...]:
    """Return, for each feed, the stops that a station's name means, with all that belong to it.

    Refuses SCENARIO_UNKNOWN where none does.
    """
    ids = [feed.stops.ids for feed in feeds]
    names = [feed.stops.names for feed in feeds]
    found = _meant(feeds, ids, names, name, at, "station")
    for _ in range(2):  # a boarding area belongs to a platform, and that to a station
        found = tuple(
            rows | ((feed.stops.parent != NONE) & rows[feed.stops.parent])
            for feed, rows in zip(feeds, found, strict=True)
        )
    return found


def has_station(feeds: Sequence[Feed], name: str) -> bool:
    """Say whether some feed has a station of this id or name."""
    return any(
        name in feed.stops.names or {name, f"{feed.feed_id}:{name}"} & set(feed.stops.ids)
        for feed in feeds
    )


def _meant(
    feeds: Sequence[Feed],
    ids: Sequence[tuple[str, ...]],
    names: Sequence[tuple[str, ...]] | None,
    name: str,
    at: At,
    what: str,
) -> tuple[Bool, ...]:
    ways = [(ids, name, False), (ids, name, True)]
    if names is not None:
        ways.append((names, name, False))
    for texts, wanted, within in ways:
        found = tuple(
            _equal(of_feed, f"{feed.feed_id}:{wanted}" if within else wanted)
            for feed, of_feed in zip(feeds, texts, strict=True)
        )
        if any(rows.any() for rows in found):
            return found
    raise at.unknown(what, name)


def _equal(texts: tuple[str, ...], wanted: str) -> Bool:
    return np.fromiter((text == wanted for text in texts), np.bool_, len(texts))
