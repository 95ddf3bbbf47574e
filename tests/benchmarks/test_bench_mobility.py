"""The benchmark of travel times promises what it can measure, and measures one scan by another."""

import math

import numpy as np
import pytest

from benchmarks import bench_mobility
from benchmarks.bench_mobility import City, Told
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
    places = Points(np.zeros(1), np.zeros(1))
    return City(ahead(WORLD.timetable()), WORLD.ways(), places)


def test_without_records_nothing_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table says why there is no figure, and no promise is broken."""
    monkeypatch.delenv(bench_mobility.RECORDS, raising=False)

    (row,) = bench_mobility.measure()

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
    row = bench_mobility.plain_row(city(), bench_mobility.question_of(12))

    assert row.holds
    assert row.figure == 0


def test_the_promise_is_by_how_much_a_peer_is_slower() -> None:
    """Seven times as long is kept, less is not, and a peer that fails is no promise kept."""
    question = bench_mobility.question_of(12)
    told: list[Told | str] = [Told(seconds=each, reached=1) for each in (7.0, 6.9)]

    rows = [bench_mobility.peer_row(city(), question, 1.0, said) for said in [*told, "it failed"]]

    assert [row.holds for row in rows] == [True, False, False]
