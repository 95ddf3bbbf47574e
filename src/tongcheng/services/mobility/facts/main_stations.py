"""Which station stands for each place of a region, where nobody says another.

A region chooses: no table of stations tells which of a city's stations its people mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts import documents
from tongcheng.services.mobility.facts.model import Station

Text = Annotated[str, Meta(min_length=1)]


class Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place, by the id that the region pack gives it, and an id of stations.csv."""

    place: Text
    station: Text


class MainStations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole document; a place without a row has no main station."""

    main_stations: tuple[Chosen, ...]


def read(file: str, text: str, stations: Sequence[Station]) -> Mapping[str, Station]:
    """Return the main station of each place.

    Refuses FACTS_DOCUMENT with the line for a station that is not known, and a place that stands
    twice.
    """
    known = {each.station_id: each for each in stations}
    found: dict[str, Station] = {}
    for at, each in enumerate(documents.read(file, text, MainStations).main_stations):
        fault = "stands twice" if each.place in found else ""
        if each.station not in known:
            fault = "no station of this region"
        if fault:
            line = documents.line_of(text, f".main_stations[{at}].place")
            raise Refused("FACTS_DOCUMENT", file=file, line=line, fault=fault)
        found[each.place] = known[each.station]
    return found
