"""The benchmark of travel times promises what it can measure, and measures one scan by another."""

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import bench_mobility
from benchmarks.bench_mobility import City, Records, Told
from benchmarks.bus_city import Size
from benchmarks.mobility_worlds import DAY
from tests.services.mobility.scan.worlds import Ride, World
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import UNREACHED
from tongcheng.services.mobility.scan.network import ahead

FIRST_S = bench_mobility.FIRST_S
WORLD = World(
    trips=tuple((Ride(0, 1, FIRST_S + 600 * at, FIRST_S + 600 * at + 300),) for at in range(20)),
    changes=(),
    access=((0, 0, 60),),
    egress=((0, 1, 30), (1, 5, 0)),
    direct=((0, 0, 900),),
)


def city() -> City:
    """Return a city of one line, one origin that is left and two places to go."""
    return City(ahead(WORLD.timetable()), WORLD.ways())


def records(seconds_max: float | None = None) -> Records:
    """Return records of which only the words are read."""
    places = Points(np.zeros(1), np.zeros(1))
    return Records("a city", Path(), DAY, Path(), places, "made up: 2 stops", seconds_max)


def test_without_records_nothing_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table says why there is no figure, and no promise is broken."""
    monkeypatch.delenv(bench_mobility.RECORDS, raising=False)

    (row,) = bench_mobility.recorded_rows(1)

    assert row.holds is None
    assert math.isnan(row.figure)
    assert row.note == bench_mobility.NO_RECORDS


def test_departures_are_scanned_one_by_one() -> None:
    """A minute later is a minute less to wait, until the line has left; or one walks."""
    question = bench_mobility.question_of(12)

    table = bench_mobility.one_by_one(city(), question, 0)

    # The line of 7:00 is missed by a minute; that of 7:10 is there at 7:15, and 30 s on foot.
    riding = [930 - 60 * at for at in range(10)]
    assert table[0].tolist() == [900, *riding[1:], 900, 870]
    assert (table[1] == UNREACHED).all()


def test_medians_that_differ_are_counted() -> None:
    """Both scans agree; that is what the row promises."""
    row = bench_mobility.plain_row("a city", city(), bench_mobility.question_of(12))

    assert row.holds
    assert row.figure == 0


def test_the_promise_is_by_how_much_a_peer_is_slower() -> None:
    """Seven times as long is kept, less is not, and a peer that fails is no promise kept."""
    question = bench_mobility.question_of(12)
    told: list[Told | str] = [Told(seconds=each, reached=1) for each in (7.0, 6.9)]

    rows = [
        bench_mobility.peer_row(records(), city(), question, 1.0, said)
        for said in [*told, "it failed"]
    ]

    assert [row.holds for row in rows] == [True, False, False]


@pytest.mark.parametrize(("peer_s", "target"), [(70.0, 4.0), (7.0, 1.0)])
def test_of_two_bounds_the_tighter_is_promised(peer_s: float, target: float) -> None:
    """A slow peer does not make the made-up city's own bound wider; the note names both."""
    question, told = bench_mobility.question_of(12), Told(seconds=peer_s, reached=1)

    row = bench_mobility.peer_row(records(4.0), city(), question, 2.0, told)

    assert (row.target, row.reference_figure) == (target, peer_s)
    assert "4.0 s, and the peer's time over 7; made up: 2 stops, 20 connections" in row.note


def test_the_made_up_city_is_measured_without_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours is given the files that the peer is given, and a plain scan finds the same medians."""
    given: list[tuple[bool, int]] = []

    def asked(of: Records, instants: int) -> Told:
        given.append((of.feed.exists() and of.streets.exists(), instants))
        return Told(seconds=1e9, reached=1)

    monkeypatch.setattr(bench_mobility, "asked", asked)
    monkeypatch.setattr(bench_mobility, "seconds", lambda work: bool(work()) + 0.0)

    timed, medians = bench_mobility.rows_of(bench_mobility.made_up(tmp_path, Size(19, 3)), 3)

    assert given == [(True, 3)]
    assert (timed.target, timed.holds, medians.figure, medians.holds) == (4.0, True, 0, True)
    assert "19² places × 3 departures" in timed.what
