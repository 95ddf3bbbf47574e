"""One defect a case: what it is called, and what of the feed remains."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.services.mobility.feeds import Row, Tables, rows_of, sound_tables, write_zip
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.findings import Finding
from tongcheng.services.mobility.feed.reading import FeedReading, read_feed

Change = Callable[[Tables], object]


def _set(file: str, row: int, **values: object) -> Change:
    return lambda tables: tables[f"{file}.txt"][row].update(values)


def _add(file: str, **values: object) -> Change:
    return lambda tables: tables[f"{file}.txt"].append(values)


def _copy(file: str, row: int, **values: object) -> Change:
    def change(tables: Tables) -> None:
        rows: list[Row] = tables[f"{file}.txt"]
        rows.append(rows[row] | values)

    return change


def _drop(file: str, row: int) -> Change:
    return lambda tables: tables[f"{file}.txt"].pop(row)


def _route_left_out(tables: Tables) -> None:
    tables["routes.txt"].append(tables["routes.txt"][0] | {"route_id": "R2", "route_type": "bus"})
    tables["trips.txt"][0]["route_id"] = "R2"


class Case(NamedTuple):
    """What is changed, what is found where (line of the first), and how much is left."""

    change: Change
    code: str
    file: str
    line: int
    stops: int = 6
    trips: int = 3
    calls: int = 9


CASES = {
    "stop id twice": Case(_copy("stops", 4, stop_name="x"), "id_twice", "stops", 8),
    "stop row twice": Case(_copy("stops", 4), "row_twice", "stops", 8),
    "stop without id": Case(_copy("stops", 4, stop_id=" "), "value_missing", "stops", 8),
    "location type": Case(_set("stops", 3, location_type=7), "value_wrong", "stops", 5, 5),
    "entrance of no station": Case(
        _set("stops", 3, parent_station=""), "station_missing", "stops", 5, 5
    ),
    "entrance of an unknown station": Case(
        _set("stops", 3, parent_station="Z"), "parent_unknown", "stops", 5, 5
    ),
    "platform of an unknown station": Case(
        _set("stops", 4, parent_station="Z"), "parent_unknown", "stops", 6
    ),
    "platform of a platform": Case(_set("stops", 4, parent_station="C"), "parent_kind", "stops", 6),
    "station of itself": Case(_set("stops", 0, parent_station="A"), "parent_loop", "stops", 2),
    "two platforms in a circle": Case(
        lambda tables: (
            tables["stops.txt"][4].update(parent_station="C"),
            tables["stops.txt"][5].update(parent_station="B"),
        ),
        "parent_loop",
        "stops",
        6,
    ),
    "route type": Case(
        _copy("routes", 0, route_id="R2", route_type=99), "value_wrong", "routes", 3
    ),
    "route of trip unknown": Case(
        _set("trips", 0, route_id="R9"), "reference_unknown", "trips", 2, 6, 2, 6
    ),
    "route of trip left out": Case(
        _route_left_out,
        "reference_left_out",
        "trips",
        2,
        6,
        2,
        6,
    ),
    "service of trip unknown": Case(
        _set("trips", 1, service_id="XX"), "reference_unknown", "trips", 3, 6, 2, 6
    ),
    "trip id twice": Case(_copy("trips", 1, service_id="HO"), "id_twice", "trips", 5),
    "trip of call unknown": Case(
        _set("stop_times", 1, trip_id="T9"), "reference_unknown", "stop_times", 3, 6, 3, 8
    ),
    "stop of call unknown": Case(
        _set("stop_times", 1, stop_id="Z"), "reference_unknown", "stop_times", 3, 6, 3, 8
    ),
    "call at a station": Case(
        _set("stop_times", 1, stop_id="A"), "call_not_at_platform", "stop_times", 3, 6, 3, 8
    ),
    "sequence": Case(
        _set("stop_times", 1, stop_sequence="x"), "value_wrong", "stop_times", 3, 6, 3, 8
    ),
    "minus": Case(
        _set("stop_times", 1, stop_sequence="-1"), "value_wrong", "stop_times", 3, 6, 3, 8
    ),
    "sixty minutes": Case(
        _set("stop_times", 4, arrival_time="24:60:00"), "value_wrong", "stop_times", 6, 6, 3, 8
    ),
    "two claim a place": Case(
        _copy("stop_times", 7, stop_id="C"), "sequence_twice", "stop_times", 11, 6, 2, 6
    ),
    "call twice": Case(_copy("stop_times", 7), "call_twice", "stop_times", 11),
    "blank at the end": Case(
        _set("stop_times", 2, arrival_time="", departure_time=""),
        "call_without_time",
        "stop_times",
        3,
        6,
        2,
        6,
    ),
    "arrival alone": Case(_set("stop_times", 7, departure_time=""), "time_single", "stop_times", 9),
    "back in time": Case(
        _set("stop_times", 7, arrival_time="07:55:00"), "time_backwards", "stop_times", 9, 6, 2, 6
    ),
    "away before there": Case(
        _set("stop_times", 7, departure_time="08:04:59"),
        "time_backwards",
        "stop_times",
        9,
        6,
        2,
        6,
    ),
    "midnight": Case(
        lambda tables: [
            row.update(
                arrival_time=str(row["arrival_time"]).replace("24:", "0:"),
                departure_time=str(row["departure_time"]).replace("24:", "0:"),
            )
            for row in tables["stop_times.txt"]
        ],
        "time_midnight",
        "stop_times",
        6,
    ),
    "one call": Case(
        lambda tables: [tables["stop_times.txt"].pop(0) for _ in range(2)],
        "trip_of_one_call",
        "stop_times",
        2,
        6,
        2,
        6,
    ),
    "no calls": Case(
        _add("trips", route_id="R1", service_id="WK", trip_id="T4"),
        "trip_without_calls",
        "trips",
        5,
    ),
    "by telephone": Case(_set("stop_times", 7, pickup_type=2), "call_on_request", "stop_times", 9),
    "pickup type": Case(_set("stop_times", 7, pickup_type=9), "option_wrong", "stop_times", 9),
    "flexible": Case(
        _set("stop_times", 1, location_group_id="G"), "call_flexible", "stop_times", 3, 6, 3, 8
    ),
    "distance goes back": Case(
        lambda tables: [
            row.update(shape_dist_traveled=d)
            for row, d in zip(tables["stop_times.txt"][:3], (0, 12, 10), strict=True)
        ],
        "distance_wrong",
        "stop_times",
        3,
    ),
    "span": Case(
        _set("calendar", 0, end_date="20251231"), "span_backwards", "calendar", 2, 6, 1, 3
    ),
    "date": Case(_set("calendar", 0, end_date="20260231"), "value_wrong", "calendar", 2, 6, 1, 3),
    "weekday": Case(_set("calendar", 0, monday="yes"), "value_wrong", "calendar", 2, 6, 1, 3),
    "exception type": Case(
        _set("calendar_dates", 0, exception_type=3), "value_wrong", "calendar_dates", 2
    ),
    "exception twice": Case(
        _copy("calendar_dates", 0, exception_type=1), "exception_twice", "calendar_dates", 4
    ),
    "never": Case(
        _set("calendar_dates", 1, exception_type=2), "service_never", "calendar_dates", 3
    ),
    "headway": Case(_set("frequencies", 0, headway_secs=0), "value_wrong", "frequencies", 2),
    "period backwards": Case(
        _set("frequencies", 0, end_time="08:00:00"), "span_backwards", "frequencies", 2
    ),
    "periods overlap": Case(
        _copy("frequencies", 0, start_time="08:30:00"), "frequency_overlap", "frequencies", 3
    ),
    "trip of frequency": Case(
        _set("frequencies", 0, trip_id="T9"), "reference_unknown", "frequencies", 2
    ),
    "transfer in one's seat": Case(
        _set("transfers", 0, transfer_type=4), "transfer_special", "transfers", 2
    ),
    "transfer of a route": Case(
        _set("transfers", 0, from_route_id="R1"), "transfer_special", "transfers", 2
    ),
    "transfer to nowhere": Case(
        _set("transfers", 0, to_stop_id="Z"), "reference_unknown", "transfers", 2
    ),
    "transfer time": Case(
        _set("transfers", 0, min_transfer_time=-5), "value_wrong", "transfers", 2
    ),
    "transfer twice": Case(
        _copy("transfers", 0, min_transfer_time=90), "transfer_twice", "transfers", 3
    ),
    "transfer of another type": Case(
        _copy("transfers", 0, transfer_type=3), "transfer_twice", "transfers", 3
    ),
    "transfer row twice": Case(_copy("transfers", 0), "row_twice", "transfers", 3),
    "pathway mode": Case(_set("pathways", 0, pathway_mode=8), "value_wrong", "pathways", 2),
    "pathway by stairs": Case(
        _set("pathways", 0, traversal_time="", stair_count=-40), "pathway_by_stairs", "pathways", 2
    ),
    "extra column": Case(_set("stops", 0, colour="red"), "columns_ignored", "stops", 1),
}


def _read(tmp_path: Path, change: Change) -> FeedReading:
    tables = sound_tables()
    change(tables)
    return read_feed(write_zip(tmp_path / "feed.zip", tables), "demo")


def _found(reading: FeedReading, code: str, file: str) -> Finding | None:
    found = reading.report.findings
    return next((e for e in found if e.code == code and e.file == f"{file}.txt"), None)


@pytest.mark.parametrize("name", CASES)
def test_defects(name: str, tmp_path: Path) -> None:
    """Each is found in its file and line, and only what it touches is left out."""
    case = CASES[name]

    reading = _read(tmp_path, case.change)
    found = _found(reading, case.code, case.file)
    counts = reading.report.counts

    assert found is not None, reading.report.findings
    assert found.line == case.line
    assert (counts.stops, counts.trips, counts.calls) == (case.stops, case.trips, case.calls)
    assert (reading.report.verdict == "incomplete") == any(
        each.severity == "error" for each in reading.report.findings
    )


def test_no_defect_no_finding(tmp_path: Path) -> None:
    """Of the sound feed none of the cases' findings is told, so that each comes of its change."""
    reading = _read(tmp_path, lambda _: None)
    told = {(each.code, each.file, each.line) for each in reading.report.findings}
    expected = {(case.code, f"{case.file}.txt", case.line) for case in CASES.values()}

    assert told & expected == set()


def test_midnight_is_the_same_feed(tmp_path: Path) -> None:
    """Times that start again at midnight come to those that a sound feed writes."""
    repaired = _read(tmp_path, CASES["midnight"].change).feed
    sound = _read(tmp_path, lambda _: None).feed

    assert repaired.calls.arrival_s.tolist() == sound.calls.arrival_s.tolist()
    assert repaired.calls.departure_s.tolist() == sound.calls.departure_s.tolist()


def _again(*values: tuple[object, object, object]) -> Change:
    """Add transfers: to which stop, of which type, how many seconds."""

    def change(tables: Tables) -> None:
        for to, kind, seconds in values:
            row = {"to_stop_id": to, "transfer_type": kind, "min_transfer_time": seconds}
            _copy("transfers", 0, **row)(tables)

    return change


@pytest.mark.parametrize(
    ("added", "twice", "equal", "left"),
    [
        pytest.param(_again(), 0, 0, [(2, 120)], id="one row"),
        pytest.param(_again(("A1", 2, 120)), 0, 0, [(2, 120)] * 2, id="another pair"),
        pytest.param(_again(("A2", 2, 90)), 1, 0, [(2, 120), (2, 90)], id="another time"),
        pytest.param(_again(("A2", 3, 120)), 1, 0, [(2, 120), (3, 120)], id="another type"),
        pytest.param(_again(("A2", "2.0", "120")), 0, 1, [(2, 120)], id="the same"),
        pytest.param(
            _again(("A2", 0, ""), ("A2", "", "")), 1, 1, [(2, 120), (0, -1)], id="blank is type 0"
        ),
        pytest.param(
            _again(("A2", 2, 90), ("A2", 2, 120)),
            2, 0, [(2, 120), (2, 90), (2, 120)], id="as the first, and holds again",
        ),
        pytest.param(_again(("A2", 4, ""), ("A2", 9, "")), 0, 0, [(2, 120)], id="not of use"),
    ],
)  # fmt: skip
def test_transfers_of_one_pair(
    tmp_path: Path, added: Change, twice: int, equal: int, left: list[tuple[int, int]]
) -> None:
    """Rows that differ are all kept, in their order; one that says the same again is not."""
    reading = _read(tmp_path, added)
    found = (_found(reading, code, "transfers") for code in ("transfer_twice", "row_twice"))
    table = reading.feed.transfers

    assert [0 if each is None else each.count for each in found] == [twice, equal]
    assert list(zip(table.kind.tolist(), table.seconds.tolist(), strict=True)) == left


def test_where_nobody_gets_in(tmp_path: Path) -> None:
    """pickup_type and drop_off_type 1 close a call to those who get in, or out."""
    calls = _read(tmp_path, _set("stop_times", 7, pickup_type=1, drop_off_type=0)).feed.calls

    assert calls.boards.tolist() == [True] * 7 + [False, True]
    assert calls.alights.all()


REFUSED = {
    "two zones": (_copy("agency", 0, agency_timezone="Asia/Tokyo"), "FEED_ZONES"),
    "no zone": (_set("agency", 0, agency_timezone=""), "FEED_ZONE"),
    "no such zone": (_set("agency", 0, agency_timezone="Asia/Peking"), "FEED_ZONE"),
    "a path as zone": (_set("agency", 0, agency_timezone="../../etc/passwd"), "FEED_ZONE"),
    "no stops": (lambda tables: tables.pop("stops.txt"), "FEED_FILES_MISSING"),
    "no days": (
        lambda tables: (tables.pop("calendar.txt"), tables.pop("calendar_dates.txt")),
        "FEED_FILES_MISSING",
    ),
    "no column": (
        lambda tables: [row.pop("stop_sequence") for row in tables["stop_times.txt"]],
        "FEED_COLUMNS",
    ),
    "no trip left": (
        lambda tables: [row.update(route_id="R9") for row in tables["trips.txt"]],
        "FEED_EMPTY",
    ),
    "too much broken": (
        lambda tables: tables["stop_times.txt"].extend(
            {"trip_id": "T9", "stop_id": "B", "stop_sequence": n} for n in range(11)
        ),
        "FEED_BROKEN",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    """What can not be used at all is refused, by a code of its own."""
    change, code = REFUSED[name]

    with pytest.raises(Refused, match=code):
        _read(tmp_path, change)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("no trip left", "trips.txt:2 reference_unknown × "),
        ("too much broken", "stop_times.txt:"),
    ],
)
def test_a_refusal_says_what_left_out_most(name: str, found: str, tmp_path: Path) -> None:
    """Who is refused the whole is told where to begin: the cause, not what followed from it."""
    with pytest.raises(Refused) as refused:
        _read(tmp_path, REFUSED[name][0])

    assert str(refused.value.facts["found"]).startswith(found), refused.value.facts


@pytest.mark.parametrize("file", ["calendar.txt", "calendar_dates.txt"])
def test_one_calendar_will_do(file: str, tmp_path: Path) -> None:
    """calendar.txt or calendar_dates.txt alone is a calendar, for the services it has."""

    def change(tables: Tables) -> None:
        tables.pop(file)
        tables["trips.txt"] = rows_of(f"route_id,service_id,trip_id\nR1,{kept},T1")
        tables["stop_times.txt"] = tables["stop_times.txt"][:3]
        tables.pop("frequencies.txt")

    kept = "HO" if file == "calendar.txt" else "WK"
    reading = _read(tmp_path, change)

    assert reading.report.counts.trips == 1
    assert reading.report.days.count == {"HO": 1, "WK": 261}[kept]
