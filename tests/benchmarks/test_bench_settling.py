"""What the benchmark of settlements prepares, and what it makes of what wrk says."""

import msgspec
import pytest

from benchmarks import bench_settling, whole_stays, wrk
from benchmarks.bench_settling import Cost, Result, choose, rows_of
from benchmarks.six_calls import Played
from benchmarks.wrk import Load
from tongcheng.services.settlement.api_one_call import NewSettlement

NOW_AT = 1_795_341_600_000
NOTHING = Load(0, 1.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0.0)


def _load(requests: int, p99: float) -> Load:
    return msgspec.structs.replace(NOTHING, requests=requests, p99=p99)


def test_calls_are_of_60_lines_that_add_up_and_of_one_person_each() -> None:
    """What is sent is what the interface takes; no two stays are the same."""
    stays = [
        msgspec.json.decode(body, type=NewSettlement)
        for body in whole_stays.bodies(range(5), NOW_AT)
    ]

    assert {len(stay.lines) for stay in stays} == {whole_stays.LINES}
    for stay in stays:
        assert sum(line.amount_fen for line in stay.lines) == stay.total_fen
        assert any(line.original_line_id for line in stay.lines)
    assert len({str(stay.patient) for stay in stays}) == 5
    assert len({stay.inpatient_no for stay in stays}) == 5


def test_what_wrk_says_is_read_in_milliseconds() -> None:
    """The script's line is found among wrk's own."""
    told = "Running 30s test\nRESULT 900 30000000 12500.0 99000.0 150000.0 20000.0 3 1\n"

    load = wrk.parse(told, 1.5)

    assert (load.requests, load.seconds, load.per_second) == (900, 30.0, 30.0)
    assert (load.p50, load.p99, load.max, load.mean) == (12.5, 99.0, 150.0, 20.0)
    assert (load.refused, load.broken, load.cpu_s) == (3, 1, 1.5)


@pytest.mark.parametrize(
    ("trials", "chosen"),
    [
        ({16: _load(100, 40.0), 32: _load(150, 90.0), 64: _load(180, 200.0)}, 32),
        ({16: _load(100, 140.0), 32: _load(150, 190.0), 64: _load(120, 300.0)}, 32),
        ({16: _load(100, 140.0), 32: _load(0, 0.0)}, 16),
    ],
    ids=["below the bound", "none below it", "no answer is no answer in time"],
)
def test_connections_are_chosen_by_measurement(trials: dict[int, Load], chosen: int) -> None:
    """The most settlements of those that answer in time, else the most."""
    assert choose(trials) == chosen


def test_a_missed_promise_says_by_how_much() -> None:
    """The target stays, and the note says what the machine would need."""
    slow = Cost(_load(100, 250.0), visited_ms=8.0, insured_ms=4.0)
    result = Result(
        connections=16,
        trials={},
        whole=slow,
        echo=_load(1_000, 20.0),
        appends_per_second=500.0,
        six=Played(40, 0, 1.0, 900.0, 0.4),
        six_visited_ms=20.0,
        six_insured_ms=8.0,
        equal=140,
        apart=0,
    )
    rate, late, *_, apart = rows_of(result)

    assert (rate.target, rate.holds, late.holds, apart.holds) == (324.0, False, False, True)
    assert rate.missed_by == pytest.approx(0.69, abs=0.002)
    assert "3.9 cores, 2.6 of them the visited node" in rate.note
    assert late.missed_by == pytest.approx(1.5)
    assert "wait for the visited node" in late.note


def test_without_wrk_the_row_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The promise is then neither kept nor hidden."""
    monkeypatch.setattr(wrk, "there", lambda: False)
    (row,) = bench_settling.measure()

    assert row.holds is False
    assert "wrk" in row.note
