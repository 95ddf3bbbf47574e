"""Reads the streets out of an OpenStreetMap extract (.osm.pbf)."""

from __future__ import annotations

import hashlib
from array import array
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.findings import printable
from tongcheng.services.mobility.numbers import Bool, Float64, Int32, Int64
from tongcheng.services.mobility.streets.blobs import unpacked_bytes
from tongcheng.services.mobility.streets.tags import Profile, passable

BYTES_MAX: Final = 1 << 31
UNPACKED_BYTES_MAX: Final = 1 << 32
"""All of China is about 1.4 GB. Where every node is, takes some five times what is unpacked."""
POINTS_MAX: Final = 100_000_000
"""Points of ways; more than all streets of China have."""


class WayTable(NamedTuple):
    """Ways one may go along, one behind the other: way `i` is points `start[i]` to `start[i + 1]`.

    `node` numbers the points as OpenStreetMap does; ways meet where they share one. `digest` is the
    hex SHA-256 of the extract's bytes.
    """

    digest: str
    start: Int64
    node: Int64
    lon: Float64
    lat: Float64
    forward: Bool
    backward: Bool
    speed_km_per_h: Int32


def read_ways(path: Path, profile: Profile) -> WayTable:
    """Return the ways of an extract that one may go along.

    A way that leaves the extract ends there, and begins again where it comes back.

    Raises:
        Refused: MOBILITY_EXTRA where osmium is not installed; STREETS_BROKEN for a file that can
            not be read to its end; STREETS_TOO_LARGE; STREETS_NONE where no way may be gone along.
    """
    try:
        import osmium  # noqa: PLC0415 - of an extra that a node may not have
    except ModuleNotFoundError as missing:
        raise Refused("MOBILITY_EXTRA", package=str(missing.name)) from None
    try:
        digest = _checked(path)
        # The format is said, so that no name of a file can choose another.
        file_of_ways = osmium.FileProcessor(
            osmium.io.File(str(path), "pbf"), osmium.osm.NODE | osmium.osm.WAY
        )
        found = _Found()
        for way in (
            file_of_ways.with_locations()
            .with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
            .with_filter(osmium.filter.KeyFilter("highway"))
        ):
            found.take(way, profile)
    except (OSError, RuntimeError, ValueError, MemoryError) as fault:
        what = (str(fault).splitlines() or ["?"])[0]
        raise Refused("STREETS_BROKEN", fault=printable(what, 200)) from None
    if not found.length:
        raise Refused("STREETS_NONE", profile=profile)
    return found.ways(digest)


def _checked(path: Path) -> str:
    """Return an extract's digest; refuses STREETS_TOO_LARGE, packed or unpacked."""
    if path.exists() and not path.is_file():  # a pipe may never end
        what = "no regular file"
        raise ValueError(what)
    with path.open("rb") as file:
        size = path.stat().st_size
        if size > BYTES_MAX:
            raise Refused("STREETS_TOO_LARGE", what="bytes", size=size, most=BYTES_MAX)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not size:  # nothing to map
            raise ValueError("empty")
        with mmap(file.fileno(), 0, access=ACCESS_READ) as raw:
            unpacked = unpacked_bytes(raw)
    if unpacked > UNPACKED_BYTES_MAX:
        raise Refused("STREETS_TOO_LARGE", what="bytes", size=unpacked, most=UNPACKED_BYTES_MAX)
    return digest


class _Found:
    """Gathers ways while an extract is read."""

    def __init__(self) -> None:
        self.length = array("q")
        self._node = array("q")
        self._lon = array("d")
        self._lat = array("d")
        self._attributes = array("i")

    def take(self, way: Any, profile: Profile) -> None:
        """Add a way if one may go along it."""
        how = passable(way.tags.get, profile)
        if how is None:
            return
        begun = len(self._node)
        for point in way.nodes:
            if point.location.valid():
                self._node.append(point.ref)
                self._lon.append(point.lon)
                self._lat.append(point.lat)
            else:
                self._end(begun, how)
                begun = len(self._node)
        self._end(begun, how)
        if len(self._node) > POINTS_MAX:
            raise Refused("STREETS_TOO_LARGE", what="points", size=len(self._node), most=POINTS_MAX)

    def ways(self, digest: str) -> WayTable:
        """Return what was gathered."""
        attributes = np.array(self._attributes, np.int32).reshape(-1, 3)
        return WayTable(
            digest=digest,
            start=np.cumsum(np.concatenate([[0], np.array(self.length, np.int64)])),
            node=np.array(self._node, np.int64),
            lon=np.array(self._lon, np.float64),
            lat=np.array(self._lat, np.float64),
            forward=attributes[:, 0] == 1,
            backward=attributes[:, 1] == 1,
            speed_km_per_h=attributes[:, 2].copy(),
        )

    def _end(self, begun: int, how: tuple[bool, bool, int]) -> None:
        """End a way here; one point alone is none."""
        size = len(self._node) - begun
        if size > 1:
            self.length.append(size)
            self._attributes.extend(map(int, how))
        elif size:
            for column in (self._node, self._lon, self._lat):
                column.pop()
