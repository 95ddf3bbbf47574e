"""Each change makes of a base what it says, on fact tables and on feeds of somebody's own."""

from datetime import date

import numpy as np
import pytest

from tests.services.mobility.scenario.bases import (
    compiled,
    departures,
    facts_base,
    own_base,
    rides,
    scenario,
)
from tests.services.mobility.scenario.scenario_texts import CHANGES, HEAD_LINES
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts import rail, roads
from tongcheng.services.mobility.scenario import trips
from tongcheng.services.mobility.scenario.applying import applied, keeps_all
from tongcheng.services.mobility.scenario.base import feed_of
from tongcheng.services.mobility.scenario.model import SCENARIO_FEED_ID, Base


def _minutes(*clock: tuple[int, int]) -> list[int]:
    return [3_600 * hour + 60 * minute for hour, minute in clock]


def test_services_as_if_open() -> None:
    """What is added of fact tables runs as the tables' own compiler has it run."""
    base = facts_base()
    after = applied(base, scenario("- change: add_line\n  from_facts: [an]\n"))
    facts = base.facts
    assert facts is not None
    day = rail.compile_day(facts, base.day, as_if_open=["an"])

    assert rides(after) == rides(base._replace(feeds=(feed_of(facts, day),)))
    assert after.used == day.used
    assert after.feeds[0].digest != base.feeds[0].digest
    assert keeps_all(base, scenario("- change: add_line\n  from_facts: [an]\n"))


def test_part_of_a_line_becomes_the_whole() -> None:
    """A line that ran in part runs whole once added, and then leaves at other times."""
    base = facts_base()
    change = scenario("- change: add_line\n  from_facts: [loop-all]\n")
    assert base.facts is not None
    day = rail.compile_day(base.facts, base.day, as_if_open=["loop-all"])

    assert rides(applied(base, change)) == rides(base._replace(feeds=(feed_of(base.facts, day),)))
    assert change.only_adds
    assert not keeps_all(base, change)


def test_line_of_its_own() -> None:
    """A drawn line runs both ways on stops of its own, at its minutes, as often as it says."""
    base = facts_base()
    after = applied(base, scenario(CHANGES["add_line"]))

    assert [feed.feed_id for feed in after.feeds] == ["facts", SCENARIO_FEED_ID]
    assert after.feeds[0] is base.feeds[0]
    feed = after.feeds[1]
    assert feed.stops.names == ("甲站", "X", "乙站")
    assert feed.stops.lon.tolist() == [117.0, 117.1, 117.5]
    assert departures(after, "scenario:new") == sorted(2 * list(range(7 * 3_600, 10 * 3_600, 450)))
    # 8.7 and 34.6 km, each stretch a kilometre more: 9.7 of 45.3 of 750 s.
    assert (feed.calls.arrival_s[:3] - 7 * 3_600).tolist() == [0, 161, 750]
    assert (feed.calls.departure_s - feed.calls.arrival_s).tolist() == [0, 30, 0, 0, 30, 0]
    assert feed.calls.arrival_s[3:].tolist()[-1] == 7 * 3_600 + 750


def test_stations_that_are_not_open_yet() -> None:
    """A line may call at a station of the fact tables that no train calls at on the day."""
    added = applied(facts_base(), scenario(CHANGES["trains"].replace("[a, b]", "[a, 新站]")))
    led = applied(facts_base(), scenario(CHANGES["reroute"].replace("[a, m, b]", "[a, b, n]")))

    assert added.feeds[1].stops.lon.tolist() == [117.0, 117.75]
    assert led.feeds[0].stops.names[-1] == "新站"
    assert "n" not in {each.partition(":")[2] for each in facts_base().feeds[0].stops.ids}
    assert departures(led, "facts:ab") == departures(facts_base(), "facts:ab")


def test_lines_are_removed() -> None:
    """A service, or all services of a line, run no more; the rest does as before."""
    base = facts_base()
    fast = applied(base, scenario(CHANGES["remove_line"]))
    whole = applied(base, scenario("- change: remove_line\n  lines: [甲乙线]\n"))

    assert {each.split(".")[0] for each in fast.feeds[0].trips.ids} == {
        "facts:ab-stops", "facts:loop-all"
    }  # fmt: skip
    assert [each.service_id for each in fast.used] == ["ab-stops", "loop-all"]
    assert {each.split(".")[0] for each in whole.feeds[0].trips.ids} == {"facts:loop-all"}
    assert set(rides(whole)) < set(rides(fast)) < set(rides(base))


def test_service_calls_elsewhere() -> None:
    """Both ways call at the stations named, in opposite order, as often as before."""
    base = facts_base()
    after = applied(base, scenario(CHANGES["reroute"]))
    feed = after.feeds[0]
    rows = [row for row, name in enumerate(feed.trips.ids) if "ab-fast" in name]
    calls = {
        feed.trips.ids[row]: [
            (feed.stops.ids[stop], int(arrival_s))
            for stop, arrival_s in zip(
                feed.calls.stop[feed.trips.start[row] : feed.trips.start[row + 1]].tolist(),
                feed.calls.arrival_s[feed.trips.start[row] : feed.trips.start[row + 1]]
                - feed.calls.departure_s[feed.trips.start[row]],
                strict=True,
            )
        ]
        for row in rows
    }

    assert calls == {
        "facts:ab-fast.0": [("facts:a", 0), ("facts:m", 720), ("facts:b", 1_440)],
        "facts:ab-fast.1": [("facts:b", 0), ("facts:m", 720), ("facts:a", 1_440)],
    }
    assert departures(after, "facts:ab") == departures(base, "facts:ab")


def test_own_trip_calls_elsewhere() -> None:
    """A trip of one's own feed may be led over a place that is not there yet."""
    change = """- change: reroute
  service: t1
  calls: [a Road, {name: New, lon: "117.05", lat: "39"}, f:d]
  minutes: ["0", "6", "20"]
"""
    after = applied(own_base(), scenario(change))
    feed = after.feeds[0]
    row = feed.trips.ids.index("f:t1")
    calls = slice(feed.trips.start[row], feed.trips.start[row + 1])

    assert [feed.stops.names[stop] for stop in feed.calls.stop[calls]] == [
        "a Road",
        "New",
        "d Road",
    ]
    assert feed.calls.arrival_s[calls].tolist() == _minutes((8, 20), (8, 26), (8, 40))
    assert feed.calls.departure_s[calls].tolist() == [30_000, 30_420, 31_200]


def test_headway_of_what_repeats() -> None:
    """Half the headway of 3 and 7.5 minutes: the old departures, and one between each two."""
    base = facts_base()
    change = '- change: headway\n  lines: [loop]\n  factor: "1/2"\n'
    before = departures(base, "facts:loop")
    after = departures(applied(base, scenario(change)), "facts:loop")

    assert set(before) < set(after)
    assert set(after) == {
        *range(25_200, 32_400, 90), *range(32_400, 82_800, 225)
    }  # fmt: skip


def test_headway_that_does_not_divide() -> None:
    """A third of ten minutes is 200 s; two thirds of it are 400 s; of a second none is lost."""
    base = own_base()
    for factor, expected in (
        ("1/3", range(21_600, 25_200, 200)),
        ("2/3", range(21_600, 25_200, 400)),
        ("1/7", [21_600 + each * 600 // 7 for each in range(42)]),
        ("2", [21_600, 22_800, 24_000]),
    ):
        after = applied(base, scenario(f'- change: headway\n  lines: [q]\n  factor: "{factor}"\n'))

        assert departures(after, "f:q") == list(expected)


def test_headway_of_single_trips() -> None:
    """Between two trips that stay comes a copy of the earlier; twice the headway drops some."""
    half = applied(own_base(), scenario('- change: headway\n  lines: [r]\n  factor: "0.5"\n'))
    twice = applied(own_base(), scenario('- change: headway\n  lines: [r]\n  factor: "2"\n'))

    assert departures(half, "f:r") == [
        each + 8 * 3_600 for each in (600, 900, 1_200, 1_800, 2_400, 2_430, 2_460)
    ]
    assert set(rides(own_base())) < set(rides(half))
    assert departures(twice, "f:r") == _minutes((8, 10), (8, 40))


def test_headway_from_then_to_then() -> None:
    """In the span the pattern leaves by the headway, outside it as before."""
    change = """- change: headway
  lines: [r, q]
  headway_min: "4"
  start: "06:15"
  end: "08:30"
"""
    after = applied(own_base(), scenario(change))
    span = list(range(6 * 3_600 + 900, 8 * 3_600 + 1_800, 240))

    assert departures(after, "f:r") == [*span, *_minutes((8, 40), (8, 41))]
    assert departures(after, "f:q") == [*_minutes((6, 0), (6, 10)), *span]


def test_speed_and_dwell() -> None:
    """Ways between calls take a factor, stands stay; or stands change and ways stay."""
    faster = applied(own_base(), scenario('- change: speed\n  services: [t0]\n  factor: "1/2"\n'))
    longer = applied(own_base(), scenario('- change: dwell\n  lines: [r]\n  dwell_s: "90"\n'))

    assert faster.feeds[0].calls.arrival_s[:3].tolist() == [29_400, 29_520, 29_790]
    assert faster.feeds[0].calls.departure_s[:3].tolist() == [29_400, 29_580, 29_790]
    assert np.array_equal(
        faster.feeds[0].calls.arrival_s[3:], own_base().feeds[0].calls.arrival_s[3:]
    )
    assert longer.feeds[0].calls.arrival_s[:3].tolist() == [29_400, 29_640, 30_150]
    assert longer.feeds[0].calls.departure_s[:3].tolist() == [29_400, 29_730, 30_150]
    assert longer.feeds[0].calls.arrival_s[-2:].tolist() == [21_600, 21_900]


def test_closed_stop() -> None:
    """Nobody gets in or out there, and vehicles pass at the same times."""
    base = own_base()
    after = applied(base, scenario("- change: close_stop\n  stations: [b Road]\n"))

    assert [ride[:4] for ride in rides(after)] == [ride[:4] for ride in rides(base)]
    assert {ride[4] for ride in rides(after) if ride[0] == "f:b"} == {False}
    assert {ride[5] for ride in rides(after) if ride[1] == "f:b"} == {False}
    assert {ride[4] for ride in rides(after) if ride[0] == "f:a"} == {True}


def test_roads() -> None:
    """A stretch of the tables is as their compiler has it; a drawn one takes length by speed."""
    base = facts_base()
    assert base.facts is not None
    assert base.roads is not None
    opened = applied(base, scenario(CHANGES["road_facts"])).roads
    drawn = applied(base, scenario(CHANGES["add_road"])).roads
    expected = roads.compile_day(base.facts, base.day, as_if_open=["r2"])
    assert opened is not None
    assert drawn is not None

    assert opened.edge_ids == expected.edge_ids
    assert opened.left_out == expected.left_out
    assert opened.links.start.tolist() == expected.links.start.tolist()
    assert opened.links.to.tolist() == expected.links.to.tolist()
    assert opened.links.seconds.tolist() == expected.links.seconds.tolist()
    assert drawn.node_ids == (*base.roads.node_ids, "117.20000,39.20000")
    assert drawn.links.to[drawn.links.start[3] :].tolist() == [0]
    assert drawn.links.seconds[drawn.links.start[3] :].tolist() == [904]
    assert base.roads.links.rows == 3


REFUSED = {
    "service": ("SCENARIO_UNKNOWN", CHANGES["remove_line"].replace("ab-fast", "ba")),
    "line": ("SCENARIO_UNKNOWN", CHANGES["dwell"].replace("[ab]", "[ba]")),
    "station": ("SCENARIO_UNKNOWN", CHANGES["close_stop"].replace("甲站", "丁站")),
    "call": ("SCENARIO_UNKNOWN", CHANGES["add_line"].replace("甲站", "丁站")),
    "rerouted call": ("SCENARIO_UNKNOWN", CHANGES["reroute"].replace("[a, m", "[a, x")),
    "added service": ("SCENARIO_UNKNOWN", CHANGES["from_facts"].replace("an]", "na]")),
    "stretch": ("SCENARIO_UNKNOWN", CHANGES["road_facts"].replace("r2", "r9")),
    "node": ("SCENARIO_UNKNOWN", CHANGES["add_road"].replace("start: na", "start: nx")),
    "runs": ("SCENARIO_RUNS", CHANGES["from_facts"]),
    "open": ("SCENARIO_RUNS", CHANGES["road_facts"].replace("r2", "r1")),
    "times": ("SCENARIO_LEFT_OUT", CHANGES["from_facts"].replace("ab-fast, an", "ab-unknown")),
    "length": ("SCENARIO_LEFT_OUT", CHANGES["road_facts"].replace("r2", "r3")),
    "speed": ("SCENARIO_LEFT_OUT", CHANGES["road_facts"].replace("r2", "r4")),
    "figure": ("SCENARIO_PROCESS", CHANGES["process"]),
    "mode": ("SCENARIO_UNKNOWN", CHANGES["process"].replace("rail", "ferry")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_in_the_base(name: str) -> None:
    """It is refused with the line of its change, and the base is as it was."""
    code, change = REFUSED[name]
    base = facts_base()
    before = rides(base)

    with pytest.raises(Refused) as refused:
        applied(base, scenario(CHANGES["dwell"], change))

    assert refused.value.code == code
    assert refused.value.facts["line"] == HEAD_LINES + 1 + CHANGES["dwell"].count("\n")
    assert rides(base) == before


@pytest.mark.parametrize("name", ["from_facts", "road_facts", "add_road"])
def test_feeds_of_ones_own_have_no_facts(name: str) -> None:
    """What takes from fact tables or trunk roads is refused where the base has none."""
    with pytest.raises(Refused, match="SCENARIO_FACTS"):
        applied(own_base(), scenario(CHANGES[name]))


def test_second_line_of_the_same_id() -> None:
    """A scenario upon another may add lines beside its own, not one of the same id."""
    once = applied(facts_base(), scenario(CHANGES["add_line"]))
    twice = applied(once, scenario(CHANGES["add_line"].replace("new", "newer")))

    assert twice.feeds[1].routes.ids == ("scenario:new", "scenario:newer")
    assert len(twice.scenarios) == 2
    with pytest.raises(Refused, match="SCENARIO_RUNS"):
        applied(once, scenario(CHANGES["add_line"]))


def test_every_base_runs() -> None:
    """What any change makes of a base can be compiled, on the small region of either day."""
    for on in (date(2016, 3, 9), date(2021, 3, 9)):
        for name, change in CHANGES.items():
            if name not in {"from_facts", "process", "road_facts"}:
                after: Base = applied(facts_base(on), scenario(change))
                assert compiled(after).runs.ids


def test_a_short_text_does_not_ask_for_more_than_memory_holds() -> None:
    """Refused at the line by which it would be too much, before anything of it is made."""
    line = (
        "- change: add_line\n  line: l{}\n  mode: rail\n"
        f"  calls: [{', '.join(['a', 'b'] * 100)}]\n"
        f"  minutes: [{', '.join(str(2 * each) for each in range(200))}]\n"
        '  start: "00:00"\n  end: "23:59"\n  headway_min: "1"\n'
    )
    often = '- change: headway\n  lines: [r, q]\n  factor: "1/20"\n'
    applied(own_base(), scenario(line.format(0), often))
    with pytest.raises(Refused, match="SCENARIO_TOO_MANY_CALLS") as refused:
        applied(own_base(), scenario(line.format(0), line.format(1)))
    assert refused.value.facts["line"] == HEAD_LINES + line.count("\n") + 1
    with pytest.raises(Refused, match="SCENARIO_TOO_MANY_CALLS"):
        applied(own_base(), scenario(*[often] * 20))


def test_calls_are_counted_as_often_as_trains_run() -> None:
    """By the compiled day: each trip has one connection fewer than calls."""
    for base in (own_base(), facts_base()):
        day = compiled(base)
        runs = len(set(day.connections.trip.tolist()))

        assert sum(map(trips.calls_of, base.feeds)) == len(day.connections.trip) + runs
