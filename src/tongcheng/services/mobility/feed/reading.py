"""Reads a GTFS feed: opened, checked, repaired where that is safe, and reported on.

In this order: the zone; locations, routes, services, trips; the calls of trips; then, since how
fast vehicles would have to be tells which stops are misplaced, where the stops lie; last what may
be there besides. Whatever a feed says, this returns a feed or raises Refused.
"""

import re
import zoneinfo
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed import calls, datum, days, extras, lines, locations
from tongcheng.services.mobility.feed.archive import Archive, open_archive, open_bytes
from tongcheng.services.mobility.feed.assembly import assembled
from tongcheng.services.mobility.feed.datum import Asked, Evidence, Reference
from tongcheng.services.mobility.feed.findings import Findings, printable
from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.feed.network import Network, read_network
from tongcheng.services.mobility.feed.report import Report, verdict_of
from tongcheng.services.mobility.feed.rows import Table, Wanted, empty_table, read_table

AGENCY: Final = "agency.txt"
INFO: Final = "feed_info.txt"
_REQUIRED: Final = {
    AGENCY: Wanted(("agency_timezone",)),
    locations.FILE: locations.COLUMNS,
    lines.ROUTES: lines.ROUTE_COLUMNS,
    lines.TRIPS: lines.TRIP_COLUMNS,
    calls.FILE: calls.COLUMNS,
}
_OPTIONAL: Final = {
    days.CALENDAR: days.CALENDAR_COLUMNS,
    days.DATES: days.DATE_COLUMNS,
    extras.FREQUENCIES: extras.FREQUENCY_COLUMNS,
    extras.TRANSFERS: extras.TRANSFER_COLUMNS,
    extras.PATHWAYS: extras.PATHWAY_COLUMNS,
    INFO: Wanted((), ("feed_version",)),
}
_WANTED: Final = _REQUIRED | _OPTIONAL
FEED_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class FeedReading(NamedTuple):
    """A feed that can be used, and what was found in it."""

    feed: Feed
    report: Report


def read_feed(
    path: Path, feed_id: str, *, asked: Asked = "detect", references: Sequence[Reference] = ()
) -> FeedReading:
    """Read an archive, or a directory of GTFS files; `references` are places known in WGS-84.

    Refuses FEED_ID, FILE_MISSING, and what can not be used: FEED_ARCHIVE and the other codes of
    `archive`, FEED_FILES_MISSING, FEED_COLUMNS, FEED_EMPTY_FILE, FEED_ZONE, FEED_ZONES, FEED_BROKEN
    and FEED_EMPTY.
    """
    with open_archive(path, frozenset(_WANTED)) as archive:
        return _read(archive, feed_id, asked, references)


def read_feed_bytes(
    raw: bytes, feed_id: str, *, asked: Asked = "detect", references: Sequence[Reference] = ()
) -> FeedReading:
    """Read the bytes of an archive, as `read_feed` reads a file."""
    with open_bytes(raw, frozenset(_WANTED)) as archive:
        return _read(archive, feed_id, asked, references)


def _read(
    archive: Archive, feed_id: str, asked: Asked, references: Sequence[Reference]
) -> FeedReading:
    if not FEED_ID.fullmatch(feed_id):
        raise Refused("FEED_ID", feed=printable(feed_id))
    findings = Findings()
    tables = _tables(archive, findings)
    zone = _zone(tables[AGENCY])
    network = read_network(tables, findings)
    network, evidence = _in_wgs84(network, zone, asked, references, findings)
    feed, counts = assembled(network, tables, (feed_id, archive.digest, zone), findings)
    running = np.unique(feed.trips.service).tolist()
    found = findings.listed()
    info = tables[INFO]
    report = Report(
        feed_id=feed_id,
        digest=archive.digest,
        zone=zone,
        version=printable(info.text("feed_version", 0)) if info.rows else "",
        verdict=verdict_of(found),
        datum=evidence,
        days=days.covered([feed.services[row] for row in running]),
        counts=counts,
        findings=found,
    )
    return FeedReading(feed, report)


def _tables(archive: Archive, findings: Findings) -> dict[str, Table]:
    """Return every file that is read, empty where it is missing and may be."""
    missing = [name for name in _REQUIRED if name not in archive.files]
    if not {days.CALENDAR, days.DATES} & set(archive.files):
        missing.append(days.CALENDAR)
    if missing:
        raise Refused("FEED_FILES_MISSING", files=", ".join(missing))
    if archive.folder:
        findings.add("folder", "", 0, archive.folder)
    for name in archive.ignored:
        findings.add("file_ignored", "", 0, name)
    return {
        name: read_table(name, archive.lines(name), wanted, findings)
        if name in archive.files
        else empty_table(name, wanted)
        for name, wanted in _WANTED.items()
    }


def _zone(agency: Table) -> str:
    """Return the one zone of a feed's agencies; refuses FEED_ZONE and FEED_ZONES."""
    zones = sorted(set(agency.texts("agency_timezone")) - {""})
    if len(zones) > 1:
        raise Refused("FEED_ZONES", zones=", ".join(map(printable, zones[:5])))
    zone = zones[0] if zones else ""
    try:
        zoneinfo.ZoneInfo(zone)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise Refused("FEED_ZONE", zone=printable(zone)) from None
    return zone


def _in_wgs84(
    network: Network,
    zone: str,
    asked: Asked,
    references: Sequence[Reference],
    findings: Findings,
) -> tuple[Network, Evidence]:
    """Return the network with its places in WGS-84, as far as their datum is known."""
    lon, lat = network.lon, network.lat
    names = network.locations.table.texts("stop_name")
    evidence = datum.told(asked, names, lon, lat, references)
    if datum.is_doubtful(evidence, zone, lon, lat):
        findings.add("datum_unknown", locations.FILE, 0, zone)
    moved_lon, moved_lat = datum.as_wgs84(evidence, lon, lat)
    moved = (moved_lon != lon) | (moved_lat != lat)
    findings.rows("datum_converted", network.locations.table, moved, "stop_lat")
    return network._replace(lon=moved_lon, lat=moved_lat), evidence
