"""The memory of a scan, made once for each thread and written over by every origin."""

from __future__ import annotations

import numpy as np

from tongcheng.services.mobility.numbers import UNREACHED, Bool
from tongcheng.services.mobility.scan.layout import (
    COLUMNS,
    FOREVER,
    LANES,
    Desk,
    Room,
    Terms,
    Trail,
)
from tongcheng.services.mobility.scan.model import Block, Question
from tongcheng.services.mobility.scan.network import Network


def terms_of(question: Question) -> Terms:
    """Return the numbers of a question."""
    capped = question.rides_max is not None
    layers = 1 if question.rides_max is None else question.rides_max
    window, cut_s = question.window, min(question.cut_s, question.longest_s)
    return Terms(window.step_s, window.instants, question.longest_s, cut_s, layers, capped)


def padded(count: int) -> int:
    """Return how wide a row of so many instants is."""
    return -(-count // LANES) * LANES


def room_for(network: Network, wanted: Bool, terms: Terms) -> Room:
    """Return room for the scans of a thread; the pages of it that no scan writes cost nothing."""
    stops = network.changes.rows
    rows = terms.layers * (stops + 1)
    widest = np.diff(network.changes.start).max(initial=0)
    return Room(
        aboard=np.empty(terms.layers * network.trips, np.int32),
        state=np.empty(COLUMNS * rows, np.int32),
        there_s=np.empty((rows, terms.instants), np.int32),
        worth=np.empty(widest + 1, np.int32),
        access_s=np.empty(stops + 1, np.int32),
        least_s=np.full(stops, FOREVER, np.int32),
        most_s=np.full(stops, FOREVER, np.int32),
        times=np.empty((stops, padded(terms.instants)), np.uint16),
        wanted=wanted,
    )


def trail_for(network: Network, layers: int) -> Trail:
    """Return what the scan of one departure writes; one row of a layer is for no stop."""
    stops = np.empty((4, layers, network.changes.rows + 1), np.int32)
    ready_s, ready_by, arrived_s, arrived_by = stops
    boarded = np.empty((layers, network.trips), np.int32)
    return Trail(ready_s, ready_by, boarded, arrived_s, arrived_by)


def desk_for(destinations: int, terms: Terms) -> Desk:
    """Return the desk of a thread."""
    row = np.full(padded(terms.instants) + 1, UNREACHED, np.uint16)
    return Desk(np.full(destinations, UNREACHED, np.uint16), row)


def block_for(first: int, rows: int, columns: int, percentiles: int) -> Block:
    """Return a block in which nothing is reached."""
    return Block(
        first,
        np.full((percentiles, rows, columns), UNREACHED, np.uint16),
        np.full((rows, columns), UNREACHED, np.uint16),
        np.zeros((rows, columns), np.uint16),
        np.zeros((rows, columns), np.uint16),
    )
