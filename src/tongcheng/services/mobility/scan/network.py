"""A timetable made ready to be scanned, as it is or in the mirror.

In the mirror time runs backwards: one leaves where one arrived, boards where one alighted. What the
scan then says of a place as origin and a departure is true of it as destination and a deadline, so
one kernel serves both, and all-to-one costs what one-to-all costs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tongcheng.services.mobility.links import Links, turned
from tongcheng.services.mobility.numbers import Int32
from tongcheng.services.mobility.scan.model import Question, Ways, Window
from tongcheng.services.mobility.timetable.model import Connections, Timetable


class Network(NamedTuple):
    """Connections in the order of departure, without flags, and the ways between stops.

    `origin` is `changes.rows` (no stop) where one may not board, and so is `to` where one may not
    alight. In the mirror, seconds are negative.
    """

    origin: Int32
    to: Int32
    departure_s: Int32
    arrival_s: Int32
    trip: Int32
    changes: Links
    trips: int
    mirrored: bool


def network_of(
    rides: Connections, changes: Links, trips: int, *, mirrored: bool = False
) -> Network:
    """Return connections and changes as the scan reads them, after a look at what it rests on."""
    assert not len(changes.seconds) or changes.seconds.min() >= 1, "a change takes a second or more"
    assert bool((np.diff(rides.departure_s) >= 0).all()), "connections are sorted by departure"
    assert bool((rides.arrival_s >= rides.departure_s).all()), "no vehicle arrives before it left"
    _holds(rides, changes.rows, trips)
    nowhere = np.int32(changes.rows)
    return Network(
        origin=np.where(rides.boards, rides.origin, nowhere),
        to=np.where(rides.alights, rides.to, nowhere),
        departure_s=rides.departure_s,
        arrival_s=rides.arrival_s,
        trip=rides.trip,
        changes=changes,
        trips=trips,
        mirrored=mirrored,
    )


def _holds(rides: Connections, stops: int, trips: int) -> None:
    """Assert that every index stands: compiled code looks at no bound."""
    for column, rows in ((rides.origin, stops), (rides.to, stops), (rides.trip, trips)):
        assert len(column) == len(rides.departure_s), "columns are of one length"
        assert not len(column) or (column.min() >= 0 and column.max() < rows), "an index is a row"


def ahead(timetable: Timetable) -> Network:
    """Return the network in which one departs at instants."""
    return network_of(timetable.connections, timetable.changes, len(timetable.runs.ids))


def mirrored(timetable: Timetable) -> Network:
    """Return the network in which one arrives at instants, time running backwards."""
    rides = timetable.connections
    # Stable over the reversed rows: a trip's connections of one instant turn round too.
    order = (len(rides.trip) - 1) - np.argsort(-rides.arrival_s[::-1], kind="stable")
    turned_rides = Connections(
        origin=rides.to[order],
        to=rides.origin[order],
        departure_s=-rides.arrival_s[order],
        arrival_s=-rides.departure_s[order],
        trip=rides.trip[order],
        boards=rides.alights[order],
        alights=rides.boards[order],
    )
    changes = turned(timetable.changes, timetable.changes.rows)
    return network_of(turned_rides, changes, len(timetable.runs.ids), mirrored=True)


def mirrored_ways(ways: Ways) -> Ways:
    """Return the ways by which one goes back from destinations to origins."""
    direct = turned(ways.direct, ways.egress.rows)
    return Ways(ways.egress, ways.access, direct)


def mirrored_question(question: Question) -> Question:
    """Return the question with its instants as the mirror has them, the last one first."""
    window = question.window
    return question._replace(window=Window(-window.last_s, window.step_s, window.instants))


def windowed(network: Network, question: Question) -> Network:
    """Return what departs from the first instant until the longest journey of the last has ended.

    Times of the result are counted from the first instant.
    """
    window = question.window
    begin, end = np.searchsorted(
        network.departure_s, (window.first_s, window.last_s + question.longest_s + 1)
    )
    return network._replace(
        origin=network.origin[begin:end],
        to=network.to[begin:end],
        departure_s=network.departure_s[begin:end] - np.int32(window.first_s),
        arrival_s=network.arrival_s[begin:end] - np.int32(window.first_s),
        trip=network.trip[begin:end],
    )
