"""Where the stops lie: what can not be so is repaired where that is safe, else left out.

Safe is: longitude and latitude exchanged, where the exchanged place lies among the other stops; a
platform or entrance without a place of its own has its station's, a station the middle of its
platforms. A lost decimal point is named but not put back: which digit it stood behind is a guess.
"""

from typing import Final, NamedTuple

import numpy as np

from tongcheng.services.mobility.feed import legs as ways
from tongcheng.services.mobility.feed.fields import decimals
from tongcheng.services.mobility.feed.findings import Findings
from tongcheng.services.mobility.feed.legs import Edges, Legs, metres
from tongcheng.services.mobility.feed.locations import Locations
from tongcheng.services.mobility.feed.model import NONE, PLATFORM, STATION
from tongcheng.services.mobility.numbers import Bool, Float64

FAR_LEAST_M: Final = 100_000.0
FAR_TIMES: Final = 10
"""Nine stops in ten lie within some distance of the middle; ten times that is far."""
ZERO_DEGREES: Final = 0.01
STATION_FAR_M: Final = 5_000.0
ACCUSED_MAX: Final = 500
"""So many stops at most are left out for the speed of their vehicles; a feed with more is not
wrong in its stops."""
_SHOWN: Final = ("stop_id", "stop_name", "stop_lat", "stop_lon")
_LON_MAX, _LAT_MAX = 180.0, 90.0
_POWERS: Final = tuple(10.0**power for power in range(-2, 10))


class Region(NamedTuple):
    """The middle of a feed's stops, and how far from it a stop may lie without being far."""

    lon: float
    lat: float
    reach_m: float

    def far_m(self, lon: Float64, lat: Float64) -> Float64:
        """Return the distances from the middle."""
        return metres(np.full(len(lon), self.lon), np.full(len(lat), self.lat), lon, lat)


class Places(NamedTuple):
    """Where each location lies; NaN for those that `kept` leaves out."""

    lon: Float64
    lat: Float64
    kept: Bool


class _Draft:
    """The places while they are looked at: `fault` is why a place is none, "" while it is one."""

    def __init__(self, locations: Locations) -> None:
        self.locations = locations
        self.lon = decimals(locations.table, "stop_lon")
        self.lat = decimals(locations.table, "stop_lat")
        self.fault = np.full(locations.table.rows, "", "U20")
        self.swapped = np.zeros(locations.table.rows, np.bool_)

    def blame(self, where: Bool, fault: str) -> None:
        """Take places away, for a reason."""
        self.fault[where & (self.fault == "")] = fault
        self.lon = np.where(where, np.nan, self.lon)
        self.lat = np.where(where, np.nan, self.lat)

    def swap(self, where: Bool) -> None:
        """Exchange longitude and latitude."""
        lon = np.where(where, self.lat, self.lon)
        self.lat = np.where(where, self.lon, self.lat)
        self.lon = lon
        self.swapped |= where


def region_of(lon: Float64, lat: Float64) -> Region | None:
    """Return where most places lie; None when there is none."""
    there = ~(np.isnan(lon) | np.isnan(lat))
    if not there.any():
        return None
    lon, lat = lon[there], lat[there]
    middle = Region(float(np.median(lon)), float(np.median(lat)), 0.0)
    most_m = float(np.quantile(middle.far_m(lon, lat), 0.9))
    return middle._replace(reach_m=max(FAR_LEAST_M, FAR_TIMES * most_m))


def placed(locations: Locations, legs: Legs, findings: Findings) -> Places:
    """Return where the locations lie, and which of them are left out."""
    draft = _Draft(locations)
    region = _one_by_one(draft)
    if region is not None:
        edges = ways.edges_of(legs, locations.table.rows)
        _by_speed(draft, region, legs, edges)
        _by_distance(draft, region, legs, edges)
    _from_relations(draft, findings)
    table = locations.table
    swapped = draft.swapped & (draft.fault == "")
    findings.rows("stop_swapped", table, swapped, "stop_lat", _SHOWN)
    for fault in sorted(set(draft.fault.tolist()) - {""}):
        findings.rows(fault, table, draft.fault == fault, "stop_lat", _SHOWN)
    _note_stations(draft, findings)
    return Places(draft.lon, draft.lat, draft.fault == "")


def _one_by_one(draft: _Draft) -> Region | None:
    """Judge each place by itself and by the region, which is returned."""
    table = draft.locations.table
    blank = table.blank("stop_lon") & table.blank("stop_lat")
    absent = np.isnan(draft.lon) | np.isnan(draft.lat)
    draft.blame(absent & blank, "stop_without_place")
    draft.blame(absent & ~blank, "value_wrong")
    at_zero = (np.abs(draft.lon) < ZERO_DEGREES) & (np.abs(draft.lat) < ZERO_DEGREES)
    draft.blame(at_zero, "stop_at_zero")
    lon, lat = draft.lon, draft.lat
    inside = (np.abs(lon) <= _LON_MAX) & (np.abs(lat) <= _LAT_MAX)
    other_way = (np.abs(lat) <= _LON_MAX) & (np.abs(lon) <= _LAT_MAX)
    only_swapped = other_way & ~inside & ~np.isnan(lon)
    # Whoever exchanged the columns of a whole feed is found by what is out of range.
    all_swapped = np.count_nonzero(only_swapped) > np.count_nonzero(inside)
    chosen = only_swapped if all_swapped else inside
    first, second = (lat, lon) if all_swapped else (lon, lat)
    region = region_of(np.where(chosen, first, np.nan), np.where(chosen, second, np.nan))
    if region is None:
        draft.blame(~np.isnan(lon), "stop_out_of_range")
        return None
    near = inside & (region.far_m(lon, lat) <= region.reach_m)
    near_swapped = other_way & (region.far_m(lat, lon) <= region.reach_m)
    draft.swap(near_swapped & ~near)
    outside = ~inside & ~near_swapped & ~np.isnan(lon)
    scaled = _scaled(draft, region, ~near & ~near_swapped & ~np.isnan(lon))
    draft.blame(scaled, "stop_scale")
    draft.blame(outside & ~scaled, "stop_out_of_range")
    return region


def _scaled(draft: _Draft, region: Region, where: Bool) -> Bool:
    """Tell which places would lie among the others with the decimal point elsewhere."""
    found = np.zeros(len(where), np.bool_)
    for row in np.flatnonzero(where).tolist():
        lon = np.array([draft.lon[row] / power for power in _POWERS])
        lat = np.array([draft.lat[row] / power for power in _POWERS])
        lon, lat = (each.ravel() for each in np.meshgrid(lon, lat))
        inside = (np.abs(lon) <= _LON_MAX) & (np.abs(lat) <= _LAT_MAX)
        far_m = region.far_m(lon[inside], lat[inside])
        # A tenth of the reach: what is only not far is met by many a power of ten.
        found[row] = bool(np.any(far_m <= region.reach_m / FAR_TIMES))
    return found


def _by_speed(draft: _Draft, region: Region, legs: Legs, edges: Edges) -> None:
    """Blame stops that no vehicle could call at in time, the gravest first."""
    active = np.ones(len(edges.origin), np.bool_)
    fast = ways.edges_too_fast(edges, ways.too_fast(legs, draft.lon, draft.lat))
    far_m = np.nan_to_num(region.far_m(draft.lon, draft.lat))
    for _ in range(ACCUSED_MAX):
        stop = ways.accused(edges, fast, active, far_m)
        if stop is None:
            return
        one = np.arange(len(far_m)) == stop
        if not draft.swapped[stop] and _better_swapped(draft, region, legs, edges, stop):
            draft.swap(one)
            fast &= ~ways.edges_at(edges, stop)
            far_m = np.nan_to_num(region.far_m(draft.lon, draft.lat))
        else:
            draft.blame(one, "stop_speed")
            active &= ~ways.edges_at(edges, stop)


def _better_swapped(draft: _Draft, region: Region, legs: Legs, edges: Edges, stop: int) -> bool:
    """Tell whether a stop lies well with longitude and latitude exchanged."""
    lon, lat = draft.lon.copy(), draft.lat.copy()
    lon[stop], lat[stop] = draft.lat[stop], draft.lon[stop]
    far_m = region.far_m(lon[[stop]], lat[[stop]])[0]
    if abs(float(lat[stop])) > _LAT_MAX or far_m > region.reach_m:
        return False
    own = legs.of(ways.edges_at(edges, stop)[edges.of_leg])
    return not ways.too_fast(own, lon, lat).any()


def _by_distance(draft: _Draft, region: Region, legs: Legs, edges: Edges) -> None:
    """Blame what lies far from all others, unless vehicles that are not too fast call there."""
    fast = ways.edges_too_fast(edges, ways.too_fast(legs, draft.lon, draft.lat))
    known = ~np.isnan(draft.lon[edges.origin]) & ~np.isnan(draft.lon[edges.to])
    reached = np.zeros(len(draft.lon), np.bool_)
    for ends in (edges.origin, edges.to):
        reached[ends[known & ~fast]] = True
    # A far stop that trips join to far stops alone is reached from nowhere that is near.
    far = region.far_m(draft.lon, draft.lat) > region.reach_m
    draft.blame(far & ~reached & (draft.locations.kind == PLATFORM), "stop_far")
    lon, lat = _relations(draft)
    beside = metres(draft.lon, draft.lat, lon, lat) <= STATION_FAR_M
    draft.blame(far & ~beside & (draft.locations.kind != PLATFORM), "stop_far")


def _relations(draft: _Draft) -> tuple[Float64, Float64]:
    """Return the place of each location's station, and of stations the middle of their platforms.

    NaN where there is none.
    """
    parent = draft.locations.parent
    lon, lat = (
        np.where(parent == NONE, np.nan, each[np.maximum(parent, 0)])
        for each in (draft.lon, draft.lat)
    )
    members: dict[int, list[int]] = {}
    is_there = (draft.locations.kind == PLATFORM) & (parent != NONE) & ~np.isnan(draft.lon)
    for row in np.flatnonzero(is_there).tolist():
        members.setdefault(int(parent[row]), []).append(row)
    for station, rows in members.items():
        lon[station], lat[station] = np.median(draft.lon[rows]), np.median(draft.lat[rows])
    return lon, lat


def _from_relations(draft: _Draft, findings: Findings) -> None:
    """Give locations without a place their station's, and stations their platforms' middle.

    Nodes and boarding areas need none of their own, so of those nothing is said.
    """
    table, kind = draft.locations.table, draft.locations.kind
    # Stations first; then what is in them; then the boarding areas of platforms.
    for chosen in (kind == STATION, kind != STATION, kind != STATION):
        lon, lat = _relations(draft)
        given = chosen & (draft.fault != "") & ~np.isnan(lon)
        free = (kind > STATION + 1) & (draft.fault == "stop_without_place")
        of_platforms, of_station = given & (kind == STATION), given & (kind != STATION) & ~free
        findings.rows("place_of_platforms", table, of_platforms, "stop_lat", _SHOWN)
        findings.rows("place_of_station", table, of_station, "stop_lat", _SHOWN)
        draft.lon, draft.lat = np.where(given, lon, draft.lon), np.where(given, lat, draft.lat)
        draft.fault[given] = ""
        draft.swapped &= ~given


def _note_stations(draft: _Draft, findings: Findings) -> None:
    """Warn of what lies far from its own station."""
    parent = draft.locations.parent
    own = np.maximum(parent, 0)
    apart_m = metres(draft.lon, draft.lat, draft.lon[own], draft.lat[own])
    far = (parent != NONE) & (apart_m > STATION_FAR_M)
    findings.rows("station_far", draft.locations.table, far, "stop_id")
