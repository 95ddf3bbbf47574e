"""The feed of a day: sound GTFS, and the same bytes wherever it is made."""

import csv
import hashlib
import io
import zipfile
from datetime import date

import pytest

from tests.services.mobility.facts.fact_texts import texts
from tongcheng.services.mobility.facts.folder import facts_of
from tongcheng.services.mobility.facts.gtfs import Publisher, archive, clock
from tongcheng.services.mobility.facts.rail import compile_day

PUBLISHER = Publisher("示例", "https://example.org", "zh")


@pytest.fixture(name="raw")
def _raw() -> bytes:
    facts = facts_of(texts(), "Asia/Shanghai", "ab" * 32)
    return archive(facts, compile_day(facts, date(2021, 3, 9)), PUBLISHER)


def _tables(raw: bytes) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        return {
            name: list(csv.DictReader(io.StringIO(packed.read(name).decode("utf-8"), newline="")))
            for name in packed.namelist()
        }


def test_bytes_are_the_same_everywhere(raw: bytes) -> None:
    """Neither clock, machine nor compressor is in the archive: its digest is known beforehand."""
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        entries = packed.infolist()

    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {(entry.compress_type, entry.create_system) for entry in entries} == {(0, 3)}
    assert hashlib.sha256(raw).hexdigest() == (
        "20ebdf477f2d4bd7e288ce2acded1a277ca968a3c5e0cf0f84b16a2232bc22ef"
    )


def test_references_hold(raw: bytes) -> None:
    """Every id that one file names stands in the other."""
    found = _tables(raw)
    stops = {row["stop_id"] for row in found["stops.txt"]}
    trips = {row["trip_id"] for row in found["trips.txt"]}

    assert {row["stop_id"] for row in found["stop_times.txt"]} == stops
    assert {row["trip_id"] for row in found["stop_times.txt"]} == trips
    assert {row["trip_id"] for row in found["frequencies.txt"]} == trips
    assert {row["route_id"] for row in found["trips.txt"]} == {
        row["route_id"] for row in found["routes.txt"]
    }
    assert {row["agency_id"] for row in found["routes.txt"]} == {"metro", "railway"}
    assert {row["exact_times"] for row in found["frequencies.txt"]} == {"0"}


def test_what_a_feed_says(raw: bytes) -> None:
    """Modes, names, days and times are as GTFS writes them."""
    found = _tables(raw)
    calls = [row for row in found["stop_times.txt"] if row["trip_id"] == "ab-stops.0"]

    assert {row["route_id"]: row["route_type"] for row in found["routes.txt"]} == {
        "ab": "2",
        "loop": "1",
    }
    assert [(row["arrival_time"], row["departure_time"], row["timepoint"]) for row in calls] == [
        ("07:00:00", "07:00:00", "1"),
        ("07:13:00", "07:15:00", "0"),
        ("07:26:00", "07:26:00", "1"),
    ]
    assert found["calendar.txt"][0]["saturday"] == "0"
    assert found["feed_info.txt"][0]["feed_version"] == "2021-03-09 abababababababab"
    assert found["trips.txt"][0]["trip_headsign"] == "乙站"
    assert found["agency.txt"][0]["agency_timezone"] == "Asia/Shanghai"


def test_clock_passes_midnight() -> None:
    """A service day goes on after midnight."""
    assert clock(25 * 3600 + 61) == "25:01:01"
