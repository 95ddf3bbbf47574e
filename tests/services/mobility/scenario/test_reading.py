"""Scenarios are read as they are meant, and every fault is refused with its line."""

from datetime import date
from fractions import Fraction

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.services.mobility.scenario.scenario_texts import CHANGES, HEAD, HEAD_LINES, document
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts.model import Name
from tongcheng.services.mobility.scenario import model
from tongcheng.services.mobility.scenario.model import Chosen, Repeats, Seen, Spot, Step
from tongcheng.services.mobility.scenario.reading import read_scenario

EXPECTED = {
    "from_facts": model.AddServices(("ab-fast", "an")),
    "add_line": model.AddLine(
        "new",
        "New line",
        "metro",
        ("甲站", Spot("X", 117.1, 39.01), "b"),
        (0, None, 750),
        30,
        Repeats(25_200, 36_000, 450),
    ),
    "trains": model.AddLine(
        "line-1", "line-1", "rail", ("a", "b"), (0, 1_200), 0, Repeats(27_000, 37_800, 3_600)
    ),
    "remove_line": model.RemoveLine(Chosen(("ab-fast",), ())),
    "reroute": model.Reroute("ab-fast", ("a", "m", "b"), (0, None, 1_440)),
    "headway_factor": model.HeadwayFactor(Chosen(("ab-fast",), ()), Fraction(1, 2)),
    "headway_span": model.HeadwaySpan(Chosen((), ("loop",)), Repeats(25_200, 32_400, 150)),
    "speed": model.Speed(Chosen((), ("ab",)), Fraction(4, 5)),
    "dwell": model.Dwell(Chosen((), ("ab",)), 45),
    "close_stop": model.CloseStop(("m", "甲站")),
    "process": model.Process(("rail",), (), Step(900, 300), None),
    "road_facts": model.AddRoads(("r2",)),
    "add_road": model.AddRoad("na", Spot("Y", 117.2, 39.2), 30_125, 120_000),
}
ONLY_ADDS = {
    "from_facts", "add_line", "trains", "headway_factor", "process", "road_facts", "add_road"
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_each_change(name: str) -> None:
    """Each of the forms is read with its numbers exact, and knows whether it only adds."""
    scenario = read_scenario("test.yaml", document(CHANGES[name]))

    assert scenario.changes == (EXPECTED[name],)
    assert scenario.only_adds == (name in ONLY_ADDS)
    assert scenario.mode == ("car" if name in {"road_facts", "add_road"} else "transit")


def test_lines_of_changes() -> None:
    """Each change knows the line at which it stands, for what is refused when it is applied."""
    scenario = read_scenario("t.yaml", document(*CHANGES.values()))
    lines = document(*CHANGES.values()).split("\n")

    assert len(scenario.lines) == len(CHANGES)
    assert all(lines[line - 1].startswith("- change:") for line in scenario.lines)
    assert scenario.lines[0] == HEAD_LINES + 1


def test_heading() -> None:
    """What is left out of the heading is None, and what stands there is read."""
    plain = read_scenario("t.yaml", document(CHANGES["dwell"]))
    full = read_scenario(
        "t.yaml",
        HEAD.replace("changes:\n", "")
        + """project: {zh: 甲, en: A}
after_on: "2017-01-01"
mode: car
limits: {zh: 乙, en: B}
seen_from:
- {name: {zh: 丙, en: C}, lon: "117.5", lat: "-39"}
changes:
"""
        + CHANGES["dwell"],
    )

    assert (plain.project, plain.after_on, plain.limits, plain.seen_from) == (None, None, None, ())
    assert plain.base_on == date(2016, 3, 9)
    assert plain.status == model.Status("proposal", "", "", "")
    assert full.project == Name("甲", "A")
    assert full.after_on == date(2017, 1, 1)
    assert (full.mode, full.limits) == ("car", Name("乙", "B"))
    assert full.seen_from == (Seen(Name("丙", "C"), 117.5, -39.0),)


def test_digest_is_of_what_is_said() -> None:
    """Comments and layout are no part of a scenario; every value is."""
    one = read_scenario("a.yaml", document(CHANGES["speed"]))
    same = read_scenario("b.yaml", "# note\n" + document(CHANGES["speed"]).replace(": [", ":  ["))
    other = read_scenario("a.yaml", document(CHANGES["speed"].replace("4/5", "3/5")))

    assert one.digest == same.digest
    assert one.digest != other.digest


FAULTS = {
    "unknown change": ("- change: fly\n", 1, "Invalid value 'fly'"),
    "unknown key": (CHANGES["dwell"] + "  colour: red\n", 1, "colour"),
    "no change": ("- services: [a]\n", 1, "missing required field `change`"),
    "yaml": ("- change: dwell\n  services: [a\n", 3, "while parsing|did not find|expected"),
    "no number": (CHANGES["dwell"].replace('"45"', '"many"'), 3, "no decimal number"),
    "too much": (CHANGES["dwell"].replace('"45"', '"3601"'), 3, "not from 0 to 3600"),
    "half a second": (CHANGES["dwell"].replace('"45"', '"4.5"'), 3, "no whole number"),
    "no factor": (CHANGES["speed"].replace("4/5", "1/0"), 3, "no factor"),
    "factor of none": (CHANGES["speed"].replace("4/5", "0"), 3, "not from 1/20 to 20"),
    "factor too fine": (CHANGES["speed"].replace("4/5", "0.333"), 3, "333/1000"),
    "nothing chosen": ('- change: speed\n  factor: "1"\n', 1, "neither services nor lines"),
    "twice": (CHANGES["close_stop"].replace("甲站", "m"), 2, "stands twice"),
    "headway of nothing": ("- change: headway\n  lines: [x]\n", 1, "headway_min is missing"),
    "headway twice": (
        CHANGES["headway_span"] + '  factor: "1"\n', 3, "not together with factor"
    ),
    "no time": (CHANGES["headway_span"].replace("07:00", "7:00"), 4, "no time HH:MM"),
    "backwards": (CHANGES["headway_span"].replace("09:00", "07:00"), 5, "not after the start"),
    "both": (CHANGES["trains"] + '  headway_min: "3"\n', 1, "not one of headway_min and trains"),
    "own and facts": (CHANGES["from_facts"] + "  mode: rail\n", 3, "not together with from_facts"),
    "line without mode": (CHANGES["trains"].replace("  mode: rail\n", ""), 1, "mode is missing"),
    "minutes": (CHANGES["reroute"].replace('"24"', '"24", "30", "40"'), 4, "neither one a call"),
    "minutes from 5": (CHANGES["reroute"].replace('"0"', '"5"'), 4, "the first is not 0"),
    "minutes to null": (CHANGES["reroute"].replace('"24"', "null"), 4, "last is not known"),
    "minutes fall": (CHANGES["reroute"].replace('"24"', '"9", "8"'), 4, "not later than"),
    "call twice": (CHANGES["reroute"].replace("[a, m", "[a, a"), 3, "same call twice in a row"),
    "degrees": (CHANGES["add_line"].replace("39.01", "91"), 5, "beyond 90 degrees"),
    "no degrees": (CHANGES["add_line"].replace("39.01", "39°"), 5, "no decimal degrees"),
    "line twice": (CHANGES["add_line"] * 2, 12, "id that an earlier line has"),
    "process of nothing": ("- change: process\n", 1, "neither enter_s nor leave_s"),
    "road to itself": (
        CHANGES["add_road"].replace('{name: Y, lon: "117.2", lat: "39.2"}', "na"), 3, "the same as"
    ),
    "road too fine": (CHANGES["add_road"].replace("30.125", "30.1255"), 4, "finer"),
    "mode": (CHANGES["process"].replace("rail", "zeppelin"), 2, "zeppelin"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults_name_their_line(name: str) -> None:
    """The line is that of the value, or of the change that lacks one; the fault is in words."""
    changes, line, fault = FAULTS[name]

    with pytest.raises(Refused) as refused:
        read_scenario("x.yaml", document(changes))

    assert refused.value.code == "SCENARIO_DOCUMENT"
    assert refused.value.facts["file"] == "x.yaml"
    assert refused.value.facts["line"] == HEAD_LINES + line
    assert any(each in str(refused.value.facts["fault"]) for each in fault.split("|"))


def test_faults_of_the_heading() -> None:
    """A heading is checked as strictly as changes are."""
    text = document(CHANGES["dwell"])
    for before, after, line in (
        ("scenario_id: test", "scenario_id: Test!", 1),
        ("en: Test", "fr: Test", 2),
        ("en: Test", 'en: "Te\\u0085st"', 2),
        ("en: Test", 'en: "Te\\u202est"', 2),
        ("proposal", "dream", 3),
        ("2016-03-09", "2016-02-30", 4),
        ("changes:\n", 'after_on: "2016-03-08"\nchanges:\n', 5),
    ):
        with pytest.raises(Refused, match="SCENARIO_DOCUMENT") as refused:
            read_scenario("x.yaml", text.replace(before, after))
        assert refused.value.facts["line"] == line


@given(st.text(max_size=200))
def test_any_text_is_refused_by_name(text: str) -> None:
    """Whatever is no scenario is refused, and nothing else is raised."""
    with pytest.raises(Refused):
        read_scenario("x.yaml", text)


@given(st.sampled_from(sorted(CHANGES)), st.data())
def test_any_damage_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """A value replaced by any other one is a scenario or a refusal with a line of the text."""
    plain = yaml.load(document(CHANGES[name]), Loader=yaml.BaseLoader)  # noqa: S506 - texts only
    change = plain["changes"][0]
    key = data.draw(st.sampled_from(sorted(change)))
    any_value = st.none() | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=3)
    change[key] = data.draw(any_value | st.dictionaries(st.sampled_from("ab"), st.text()))
    text = yaml.safe_dump(plain, allow_unicode=True)
    line = 1
    try:
        read_scenario("x.yaml", text)
    except Refused as refused:
        line = int(str(refused.facts.get("line", 1)))

    assert 1 <= line <= text.count("\n") + 1
