"""Compiles a study: the day's timetable, and how the places hang on it."""

from __future__ import annotations

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.output.method import Source
from tongcheng.services.mobility.streets.access import hung
from tongcheng.services.mobility.streets.network import LIMIT_S_MAX, StreetNetwork
from tongcheng.services.mobility.study.model import Hanging, Networks, Ready, Study
from tongcheng.services.mobility.timetable.compiling import compiled
from tongcheng.services.mobility.walking import Feeder, Walking, check_walking


def prepare(study: Study, *, threads: int = 1, for_spots: bool = False) -> Ready:
    """Compile a study; threads decide nothing.

    Asked `for_spots` alone, it leaves the ways between its places until they are asked for.

    Raises:
        Refused: MOBILITY_PARAMETER for a walk of less than none or more than a day; and as
            `timetable.compiling.compiled`, `StreetNetwork.ways` and `CrowFly.ways` do.
    """
    if not 0 <= study.walk_s_max <= LIMIT_S_MAX:
        raise Refused(
            "MOBILITY_PARAMETER",
            name="walk_s_max",
            given=study.walk_s_max,
            least=0,
            most=LIMIT_S_MAX,
        )
    streets: Feeder | None = None
    if study.streets is not None:
        streets = StreetNetwork(study.streets, study.straight.speed_m_per_s, threads=threads)
    walking = Walking(straight=study.straight, streets=streets)
    check_walking(walking)
    day = compiled(study.feeds, study.day, study.processes, walking)
    feeder: Feeder = walking.feeder if study.feeder is None else study.feeder
    access, egress = hung(study.places.points, day, feeder, study.walk_s_max)
    hanging = Hanging(study.places, access, egress, feeder, study.walk_s_max)
    ready = Ready(
        study.places,
        day.timetable,
        hanging,
        _sources(study),
        _assumed(study, walking, feeder),
        day,
        Networks(day.timetable),
    )
    if not for_spots:
        _ = ready.ways
    return ready


def _sources(study: Study) -> tuple[Source, ...]:
    found = [Source("feed", feed.feed_id, feed.digest) for feed in study.feeds]
    found.append(Source("places", "places", study.places_digest))
    found += [Source("process", book.book_id, book.digest) for book in study.processes.books]
    if study.streets is not None:
        found.append(Source("streets", study.streets.profile, study.streets.digest))
    return tuple(sorted(found, key=lambda source: (source.kind, source.id)))


def _assumed(study: Study, walking: Walking, feeder: Feeder) -> dict[str, str | int]:
    """Return what was assumed where no source says it, in whole units."""
    otherwise = study.processes.otherwise
    doors = "refused" if otherwise is None else f"{otherwise.enter_s} in, {otherwise.leave_s} out"
    between = {} if study.feeder is None else {"walked_between_stops": walking.feeder.label}
    return {
        **dict(study.said),
        **between,
        "day": study.day.isoformat(),
        "walked": feeder.label,
        "walked_inside": walking.straight.label,
        "walk_s_max": study.walk_s_max,
        "change_s_max": walking.change_s_max,
        "same_stop_s": walking.same_stop_s,
        "same_station_s": walking.same_station_s,
        "pathway_s": walking.pathway_s,
        "elevator_s": walking.elevator_s,
        "unknown_doors_s": doors,
    }
