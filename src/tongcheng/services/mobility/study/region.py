"""A region pack's geography put together: what a node can ask before it has any feed of its own.

Its places are modelled cells (`facts.people`), its trains and roads are of fact tables. Cells are
1.7 km wide, so whoever has no timetable of buses needs something that leads to the stations: a
straight way at a speed that is chosen and said (`RIDE`), or on foot (`WALK`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from tongcheng.kernel import rulebook
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts import folder, main_stations, people, port, roads
from tongcheng.services.mobility.facts.figures import CONFIDENCES
from tongcheng.services.mobility.facts.model import Facts, Station
from tongcheng.services.mobility.facts.outline import OUTLINE_FILE, Outline, read_outline
from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.output.method import Source
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.scenario.base import base_of_facts
from tongcheng.services.mobility.scenario.model import Base, Scenario
from tongcheng.services.mobility.scenario.reading import read_scenario
from tongcheng.services.mobility.study.model import WALK_S_MAX, Ready, Study
from tongcheng.services.mobility.study.preparing import prepare
from tongcheng.services.mobility.study.reach import RoadReady, road_ready
from tongcheng.services.mobility.timetable.process_book import Processes
from tongcheng.services.mobility.walking import Assumed, CrowFly, Feeder

GEOGRAPHY: Final = "geography"
"""The folder of a region pack that all this lies in."""
PROCESSES_FILE: Final = "processes.yaml"
PORT_FILE: Final = "port.yaml"
MAIN_STATIONS_FILE: Final = "main_stations.yaml"
SCENARIOS: Final = "scenarios"
PLACES: Final = "places"
"""What a method calls modelled cells."""

KMH: Final = 3.6
RIDE: Final = Assumed("bicycle or bus, no timetable known", CrowFly(12 / KMH))
"""12 km/h: a bicycle at leisure in a town, and a bus with the wait for it. Chosen, not measured."""
WALK: Final = CrowFly()
DRIVE: Final = Assumed("roads that are in no table", CrowFly(36 / KMH))
"""36 km/h from a cell to a trunk road's junction, and where there is none. Chosen, not measured."""


class Region(NamedTuple):
    """A pack's geography: `port` is None where it has none; `scenarios` are in order of their ids.

    `places` are the modelled cells, or others that stand for them; `places_digest` is theirs,
    `places_id` what a method calls them, `people_said` what it says of who lives there.
    `main_stations` are by the ids of the region's places, as far as it names any.
    """

    facts: Facts
    outline: Outline
    processes: Processes
    port: port.Port | None
    scenarios: tuple[Scenario, ...]
    places: Places
    places_digest: str
    main_stations: Mapping[str, Station]
    places_id: str = PLACES
    people_said: str = people.LABEL


def load(geography: Path, zone: str) -> Region:
    """Return the geography in a folder of a region pack; `zone` is the pack's.

    Refuses FACTS_FILE for a missing table, outline or rule book, and what their readers refuse.
    """
    facts = folder.load(geography, zone)
    outline = read_outline(OUTLINE_FILE, _read(geography / OUTLINE_FILE).encode())
    book = rulebook.parse(_read(geography / PROCESSES_FILE))
    found = None
    if (geography / PORT_FILE).exists():
        nodes = {node.node_id for node in facts.road_nodes}
        sources = {source.source_id for source in facts.sources}
        found = port.read(PORT_FILE, _read(geography / PORT_FILE), nodes, sources)
    scenarios = tuple(
        read_scenario(path.name, _read(path))
        for path in sorted((geography / SCENARIOS).glob("*.yaml"))
    )
    places = people.region_places(facts, outline)
    return Region(
        facts,
        outline,
        Processes((book,)),
        found,
        scenarios,
        places,
        people.places_digest(places),
        _main_stations(geography, facts),
    )


def _main_stations(geography: Path, facts: Facts) -> Mapping[str, Station]:
    if not (geography / MAIN_STATIONS_FILE).exists():
        return {}
    text = _read(geography / MAIN_STATIONS_FILE)
    return main_stations.read(MAIN_STATIONS_FILE, text, facts.stations)


def base_on(region: Region, on: date) -> Base:
    """Return a day of the region's own facts; refuses FACTS_EMPTY."""
    return base_of_facts(region.facts, on, region.processes)


def base_of_feeds(
    region: Region, on: date, feeds: tuple[Feed, ...], processes: Processes | None
) -> Base:
    """Return a day of feeds that replace the region's own trains; its roads stay.

    Without rule books those of the region hold. Refuses FACTS_EMPTY where no road is open.
    """
    held = region.processes if processes is None else processes
    return Base(on, feeds, held, None, roads.compile_day(region.facts, on))


def ready_of(
    region: Region,
    base: Base,
    feeder: Feeder = RIDE,
    walk_s_max: int = WALK_S_MAX,
    *,
    said: tuple[tuple[str, str], ...] = (),
) -> Ready:
    """Make a base ready to be asked from spots, for the region's places; refuses as `prepare`.

    `said` is that of `study.model.Study`.
    """
    study = Study(
        base.feeds,
        base.day,
        region.places,
        region.places_digest,
        base.processes,
        walk_s_max=walk_s_max,
        feeder=feeder,
        said=said,
    )
    ready = prepare(study, for_spots=True)
    told = {**ready.assumed, "people": region.people_said, **rests_on(base)}
    own = _places_source(region)
    sources = tuple(own if each.kind == PLACES else each for each in ready.sources)
    return ready._replace(
        sources=(*sources, *sources_of(region, base)),
        assumed=told,
    )


def roads_of(
    region: Region,
    base: Base,
    feeder: Feeder = DRIVE,
    *,
    said: tuple[tuple[str, str], ...] = (),
) -> RoadReady:
    """Make a base's trunk roads ready to be asked, for the region's places; `said` as above."""
    assert base.roads is not None, "a region has roads"
    sources = (_places_source(region), *sources_of(region, base))
    ready = road_ready(region.places, base.roads, feeder, sources)
    return ready._replace(assumed={**dict(said), **ready.assumed, "people": region.people_said})


def _places_source(region: Region) -> Source:
    return Source(PLACES, region.places_id, region.places_digest)


def sources_of(region: Region, base: Base) -> tuple[Source, ...]:
    """Return what a base of a region rests on, feeds, places and rule books apart."""
    applied = enumerate(base.scenarios, start=1)
    return (
        Source("facts", "tables", region.facts.digest),
        Source("outline", OUTLINE_FILE, region.outline.digest),
        *(Source("scenario", f"scenario-{number}", digest) for number, digest in applied),
    )


def rests_on(base: Base) -> dict[str, str | int]:
    """Say which openings hold, of which years the trains' figures are, and how sure at least."""
    told: dict[str, str | int] = {}
    if base.roads is not None:
        told["facts_on"] = base.roads.on.isoformat()
    if not base.used:
        return told
    years = sorted({year for used in base.used for year in used.years})
    least = max((used.confidence for used in base.used), key=CONFIDENCES.index)
    return {
        **told,
        "trains": f"typical figures, no timetable, of {', '.join(map(str, years))}",
        "trains_confidence_least": least,
    }


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as fault:
        reason = fault.strerror or "not readable"
        raise Refused("FACTS_FILE", file=path.name, fault=reason) from None
    except UnicodeDecodeError:
        raise Refused("FACTS_FILE", file=path.name, fault="not UTF-8") from None
