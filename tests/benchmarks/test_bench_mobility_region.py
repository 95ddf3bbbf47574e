"""The benchmarks of a region promise what the design asks, and count faults as faults."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from benchmarks import bench_mobility_region, mobility_worlds
from benchmarks.bench_mobility import RECORDS
from benchmarks.runs import QUICK
from tongcheng.services.mobility.scan import run


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be small."""
    monkeypatch.setenv(QUICK, "1")
    monkeypatch.delenv(RECORDS, raising=False)


@pytest.mark.usefixtures("quick")
def test_every_row_is_measured_without_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is made up says so, both directions agree, and an independent search agrees."""
    monkeypatch.setattr(bench_mobility_region, "seconds", lambda work: bool(work()) + 1.0)
    monkeypatch.setattr(bench_mobility_region, "QUICK_CELLS", 30)

    every, one, mirror, dense = bench_mobility_region.region_rows()
    nation = bench_mobility_region.nation_row(tmp_path)
    plain = bench_mobility_region.plain_row(tmp_path)

    assert [row.target for row in (every, one, nation)] == [1.5, 1.2, 5.0]
    assert (mirror.figure, mirror.holds, plain.figure, plain.holds) == (0, True, 0, True)
    assert "made-up" in nation.note
    assert "stops each" in dense.note


@pytest.mark.usefixtures("quick")
def test_a_direction_that_errs_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute more in one direction is journeys that the other has."""
    ready = bench_mobility_region.region_study(20)
    plain = run.profile

    def late(*given: object) -> object:
        found = plain(*given)  # type: ignore[arg-type]
        mirrored = getattr(given[0], "mirrored", False)
        return np.where(found < 60_000, found + 60, found) if mirrored else found

    monkeypatch.setattr(run, "profile", late)
    row = bench_mobility_region.mirror_row(ready, bench_mobility_region.question_of(10))

    assert row.figure > 0
    assert not row.holds


def test_records_become_a_rail_day(tmp_path: Path) -> None:
    """A time that falls is the next day's; a station that nobody knows is left out."""
    stations = "telecode,name,lat_wgs84,lon_wgs84\nA,甲,39.9,116.4\nB,乙,40.1,117.0\n"
    (tmp_path / mobility_worlds.STATION_LIST).write_text(stations, "utf-8")
    assert mobility_worlds.recorded(tmp_path) is None
    rows = ["row,station,arrive,depart", "0,甲,,23:50", "0,丙,23:59,00:01", "0,乙,00:20,"]
    with gzip.open(tmp_path / mobility_worlds.STOP_TIMES, "wt", encoding="utf-8") as file:
        file.write("\n".join(rows) + "\n")

    network = mobility_worlds.recorded(tmp_path)

    assert network is not None
    assert network.trips == [[("甲", 85_800, 85_800), ("乙", 87_600, 87_600)]]
