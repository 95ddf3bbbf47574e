"""docs/mobility.md says what the code does: its figures and names are those of the code."""

import re
from pathlib import Path

import pytest
import yaml

from tongcheng.services.mobility.nearness import EARTH_RADIUS_M
from tongcheng.services.mobility.places.table import NAMES
from tongcheng.services.mobility.streets.graph import SEGMENT_M_MAX
from tongcheng.services.mobility.streets.snapping import OFF_STREET_M_MAX
from tongcheng.services.mobility.streets.tags import CAR_KM_PER_H, FOOT, SPEED_KM_PER_H_MAX
from tongcheng.services.mobility.timetable.process_book import KIND, ProcessRules
from tongcheng.services.mobility.walking import CrowFly, Walking

PAGE = (Path(__file__).parents[3] / "docs" / "mobility.md").read_text("utf-8")
WALKING = Walking()

FIGURES = {
    "walking speed": f"| walking speed | {CrowFly().speed_m_per_s} m/s |",
    "detour": f"| detour | {CrowFly().detour} |",
    "same stop": f"| same stop | {WALKING.same_stop_s} s |",
    "same station": f"| same station | {WALKING.same_station_s} s |",
    "elevator": f"{WALKING.elevator_s} s for an elevator and {WALKING.pathway_s} s for anything",
    "change": f"at most {WALKING.change_s_max} s; also between feeds",
    "radius": f"{EARTH_RADIUS_M:,} m",
    "segments": f"at most {SEGMENT_M_MAX:.0f} m",
    "off the street": f"within {OFF_STREET_M_MAX:,.0f} m",
    "fastest": f"at most {SPEED_KM_PER_H_MAX} |",
    "kind": f"`{KIND}`",
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_those_of_the_code(name: str) -> None:
    """A default that changes, changes on the page too."""
    assert FIGURES[name] in PAGE


@pytest.mark.parametrize("role", NAMES)
def test_columns_names_are_those_of_the_code(role: str) -> None:
    """What a column may be called, in the order in which it is looked for."""
    assert f"| {', '.join(NAMES[role])}" in PAGE


def test_design_speeds_are_those_of_the_code() -> None:
    """Each kind of road with its speed; links have one of their own."""
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    told = {
        name: int(speed)
        for line in rows
        for names, speed in re.findall(r"((?:`\w+`(?:, )?)+) (\d+)", line.split("|")[1])
        for name in re.findall(r"\w+", names)
    }
    plain = {name: speed for name, speed in CAR_KM_PER_H.items() if not name.endswith("_link")}
    links = {speed for name, speed in CAR_KM_PER_H.items() if name.endswith("_link")}

    assert told == plain
    assert links == {40, 30}
    assert all(f"`{name}`" in PAGE for name in FOOT if not name.endswith("_link"))


def test_the_example_is_a_book_of_rules() -> None:
    """Every key of the example is one, so that copying it works."""
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    rules = yaml.safe_load(example)["rules"]

    assert set(rules) == set(ProcessRules.__struct_fields__)
