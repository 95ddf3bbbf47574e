"""Puts what was kept of a feed together as the rest of mobility sees it."""

from collections.abc import Mapping

import numpy as np

from tongcheng.services.mobility.feed import extras
from tongcheng.services.mobility.feed.findings import Findings
from tongcheng.services.mobility.feed.model import (
    ENTRANCE,
    PLATFORM,
    STATION,
    CallTable,
    Feed,
    RouteTable,
    StopTable,
    TripTable,
)
from tongcheng.services.mobility.feed.network import Network
from tongcheng.services.mobility.feed.report import Counts
from tongcheng.services.mobility.feed.rows import Table


def assembled(
    network: Network,
    tables: Mapping[str, Table],
    named: tuple[str, str, str],
    findings: Findings,
) -> tuple[Feed, Counts]:
    """Return the feed and how much there is of it; `named` is its id, digest and zone."""
    feed_id, digest, zone = named
    stops = network.locations.row_of
    frequencies = extras.read_frequencies(
        tables[extras.FREQUENCIES], network.trips.row_of, findings
    )
    transfers, special = extras.read_transfers(tables[extras.TRANSFERS], stops, findings)
    feed = Feed(
        feed_id,
        digest,
        zone,
        _stops(network, feed_id),
        RouteTable(
            _namespaced(feed_id, network.routes.ids),
            tuple(network.routes.names),
            network.routes.mode.astype(np.int16),
        ),
        _trips(network, feed_id),
        _calls(network),
        network.services,
        frequencies,
        transfers,
        extras.read_pathways(tables[extras.PATHWAYS], stops, findings),
    )
    return feed, _counts(feed, network, special)


def _namespaced(feed_id: str, ids: list[str]) -> tuple[str, ...]:
    return tuple(f"{feed_id}:{each}" for each in ids)


def _stops(network: Network, feed_id: str) -> StopTable:
    """Return the stops; one without a name has that of what it belongs to."""
    located = network.locations
    names = located.table.texts("stop_name")
    parents = located.parent.tolist()
    for row, parent in enumerate(parents):
        if not names[row] and parent >= 0:
            names[row] = names[parent] or (names[parents[parent]] if parents[parent] >= 0 else "")
    return StopTable(
        _namespaced(feed_id, located.table.texts("stop_id")),
        tuple(names),
        network.lon,
        network.lat,
        located.kind,
        located.parent.astype(np.int32),
    )


def _trips(network: Network, feed_id: str) -> TripTable:
    trips = network.trips
    start = np.zeros(trips.table.rows + 1, np.int64)
    np.cumsum(np.bincount(network.calls.trip, minlength=trips.table.rows), out=start[1:])
    return TripTable(
        _namespaced(feed_id, trips.table.texts("trip_id")),
        trips.route.astype(np.int32),
        trips.service.astype(np.int32),
        start,
    )


def _calls(network: Network) -> CallTable:
    calls = network.calls
    assert np.all(np.diff(calls.trip) >= 0), "calls lie by trip"
    assert np.all(calls.departure_s >= calls.arrival_s), "nobody leaves before coming"
    return CallTable(
        calls.stop.astype(np.int32),
        calls.arrival_s.astype(np.int32),
        calls.departure_s.astype(np.int32),
        calls.boards,
        calls.alights,
    )


def _counts(feed: Feed, network: Network, special: int) -> Counts:
    of_kind = np.bincount(feed.stops.kind, minlength=5).tolist()
    return Counts(
        stops=len(feed.stops.ids),
        platforms=of_kind[PLATFORM],
        stations=of_kind[STATION],
        entrances=of_kind[ENTRANCE],
        routes=len(feed.routes.ids),
        trips=len(feed.trips.ids),
        calls=len(feed.calls.stop),
        calls_interpolated=int(np.count_nonzero(~network.calls.timed)),
        services=len(feed.services),
        frequencies=len(feed.frequencies.trip),
        transfers=len(feed.transfers.kind),
        transfers_special=special,
        pathways=len(feed.pathways.mode),
    )
