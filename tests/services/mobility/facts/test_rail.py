"""Trains of a day: what is open, when trains call, how often, and what was left out."""

from datetime import date

import pytest

from tests.services.mobility.facts.fact_texts import changed, texts
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts.figures import LeftOut
from tongcheng.services.mobility.facts.folder import facts_of
from tongcheng.services.mobility.facts.model import Facts
from tongcheng.services.mobility.facts.rail import RailDay, Repeat, Run, compile_day


def _facts(tables: dict[str, str] | None = None) -> Facts:
    return facts_of(tables or texts(), "Asia/Shanghai", "0" * 64)


def _run(day: RailDay, run_id: str) -> Run:
    return next(run for run in day.runs if run.run_id == run_id)


def _left_out(day: RailDay, what: str = "service") -> dict[str, str]:
    return {each.id: each.reason for each in day.left_out if each.what == what}


def test_nothing_before_the_first_line() -> None:
    """A day without a train is refused: an empty map would say that nobody gets anywhere."""
    with pytest.raises(Refused, match=r"FACTS_EMPTY .*2009-01-01"):
        compile_day(_facts(), date(2009, 1, 1))


@pytest.mark.parametrize(
    ("on", "running"),
    [
        (date(2010, 5, 1), {"ab-fast"}),
        (date(2012, 12, 31), {"ab-fast", "loop-all"}),
        (date(2015, 6, 29), {"ab-fast", "loop-all"}),
        (date(2015, 6, 30), {"ab-fast", "ab-stops", "loop-all"}),
        (date(2020, 12, 30), {"ab-fast", "ab-stops", "an", "loop-all"}),
        (date(2022, 1, 1), {"ab-fast", "ab-later", "ab-stops", "an", "loop-all"}),
        (date(2023, 1, 1), {"ab-fast", "ab-stops", "an", "loop-all"}),
    ],
)
def test_services_run_while_open(on: date, running: set[str]) -> None:
    """A service runs when all its stretches are open, from its own first day to its last."""
    assert {run.service_id for run in compile_day(_facts(), on).runs} == running


def test_left_out_says_why() -> None:
    """Everything that is not there is listed with its reason."""
    day = compile_day(_facts(), date(2014, 1, 1))

    assert _left_out(day) == {
        "ab-idle": "trains_unknown",
        "ab-later": "opens_later",
        "ab-once": "too_few_trains",
        "ab-stops": "no_way_open",
        "ab-unknown": "running_time_unknown",
        "an": "no_way_open",
    }
    assert _left_out(day, "stop") == {
        "ab m": "opens_later",
        "bn b": "opens_later",
        "bn n": "opens_later",
        "loop m3": "opens_later",
        "loop m4": "opens_later",
    }
    assert (
        LeftOut("service", "ab-later", "closed_by_then")
        in compile_day(_facts(), date(2024, 1, 1)).left_out
    )


def test_opening_unknown() -> None:
    """A station of which nobody says when it opened is not taken to be open."""
    tables = changed("lines.csv", "一号线,Line 1,2012,own 2012 low", "一号线,Line 1,,")
    day = compile_day(_facts(tables), date(2021, 1, 1))

    assert [call.station_id for call in _run(day, "loop-all.0").calls] == ["m3", "m4"]
    assert _left_out(day, "stop") == {"loop m1": "opening_unknown", "loop m2": "opening_unknown"}


def test_confidence_least() -> None:
    """Who wants sure figures alone gets the trains that rest on them alone."""
    day = compile_day(_facts(), date(2021, 1, 1), "high")

    assert {run.service_id for run in day.runs} == {"ab-fast"}
    assert _left_out(day)["an"] == "not_sure_enough"


def test_stated_minutes_and_dwell() -> None:
    """Stated minutes are kept to the second; the way back takes as long between the same calls."""
    day = compile_day(_facts(), date(2021, 1, 1))

    assert [call[:3] for call in _run(day, "an.0").calls] == [
        ("a", 0, 0),
        ("b", 1200, 1260),
        ("n", 2100, 2100),
    ]
    assert [call[:3] for call in _run(day, "an.1").calls] == [
        ("n", 0, 0),
        ("b", 840, 900),
        ("a", 2100, 2100),
    ]


def test_unknown_minutes_are_shared_out() -> None:
    """Half way between two stated times lies half the time, and it is marked as reckoned."""
    day = compile_day(_facts(), date(2021, 1, 1))
    calls = _run(day, "ab-stops.0").calls

    assert [call[:3] for call in calls] == [("a", 0, 0), ("m", 780, 900), ("b", 1560, 1560)]
    assert [call.stated for call in calls] == [True, False, True]
    assert {used.service_id: used.reckoned for used in day.used}["ab-stops"] == 1


def test_every_stop_of_the_open_part() -> None:
    """Of a line that was shorter once, the part that was open keeps its times."""
    early = _run(compile_day(_facts(), date(2013, 1, 1)), "loop-all.0").calls
    late = _run(compile_day(_facts(), date(2019, 1, 1)), "loop-all.0").calls

    assert [call.station_id for call in early] == ["m1", "m2"]
    assert [call.station_id for call in late] == ["m1", "m2", "m3", "m4"]
    assert early[1].arrival_s == late[1].arrival_s == early[1].departure_s
    assert late[-1].arrival_s == 600
    assert late[1].departure_s - late[1].arrival_s == 30


def test_two_open_pieces_are_two_runs() -> None:
    """A line open at both ends and not between is served in two pieces."""
    tables = changed("line_stops.csv", "loop,m2,,,,\nloop,m3,2018,own 2018 low,,",
                     "loop,m2,,,,\nloop,m3,,,2030,own 2030 low")  # fmt: skip
    tables["line_stops.csv"] = tables["line_stops.csv"].replace(
        "loop,m4,2018,own 2018 low", "loop,m4,,"
    )
    day = compile_day(_facts(tables), date(2021, 1, 1))

    assert [call.station_id for call in _run(day, "loop-all.1.0").calls] == ["m1", "m2"]
    assert [call.station_id for call in _run(day, "loop-all.2.0").calls] == ["m3", "m4"]
    assert _run(day, "loop-all.2.0").calls[0].departure_s == 0


def test_repeats() -> None:
    """So many trains a day are spread evenly, each in the middle of its share of the time."""
    day = compile_day(_facts(), date(2021, 1, 1))

    assert _run(day, "ab-fast.0").repeats == (Repeat(6 * 3600 + 1800, 22 * 3600 + 1800, 3600),)
    assert _run(day, "loop-all.0").repeats == (
        Repeat(7 * 3600, 9 * 3600, 180),
        Repeat(9 * 3600, 23 * 3600, 450),
    )


def test_used_names_years_and_the_least_sure() -> None:
    """Whoever looks at a day sees from which years its figures are."""
    used = {each.service_id: each for each in compile_day(_facts(), date(2022, 6, 1)).used}

    assert used["ab-fast"].years == (2016,)
    assert used["ab-stops"].confidence == "medium"
    assert used["ab-later"].confidence == "low"


def test_order_of_tables_does_not_matter() -> None:
    """The same facts in another order make the same day."""
    tables = texts()
    head, *rows = tables["services.csv"].splitlines()
    tables["services.csv"] = "\n".join([head, *reversed(rows)]) + "\n"

    assert compile_day(_facts(tables), date(2021, 1, 1)) == compile_day(_facts(), date(2021, 1, 1))


def test_scenarios_add_and_take_away() -> None:
    """A service can run before it opened, and another not at all; a misspelt one is refused."""
    day = compile_day(
        _facts(), date(2014, 1, 1), as_if_open=["an", "loop-all"], without=["ab-fast"]
    )

    assert {run.service_id for run in day.runs} == {"an", "loop-all"}
    assert [call.station_id for call in _run(day, "loop-all.0").calls] == ["m1", "m2", "m3", "m4"]
    with pytest.raises(Refused, match="FACTS_UNKNOWN"):
        compile_day(_facts(), date(2014, 1, 1), as_if_open=["na"])
    with pytest.raises(Refused, match="FACTS_UNKNOWN"):
        compile_day(_facts(), date(2014, 1, 1), without=["na"])
