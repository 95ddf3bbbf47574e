"""The still map: what lies where, how long its scale is, and that names have room."""

import re
from itertools import groupby
from math import cos, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.services.mobility.console.atlas import stretches
from tongcheng.services.mobility.console.picture import (
    HEIGHT,
    WIDTH,
    Label,
    Line,
    Picture,
    drawn,
    frame_of,
)

BOXES = st.tuples(
    st.floats(-170, 160), st.floats(-70, 60), st.floats(0.01, 9), st.floats(0.01, 9)
).map(lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3]))


@given(BOXES)
def test_a_frame_shows_all_of_its_box(box: tuple[float, float, float, float]) -> None:
    """Every corner lies on the map, and the map's own corners are where it says they are."""
    frame = frame_of(box)

    for lon in (box[0], box[2]):
        for lat in (box[1], box[3]):
            assert frame.shows(*frame.at(lon, lat))
    assert frame.at(frame.east, frame.south) == pytest.approx((WIDTH, HEIGHT))


@given(BOXES)
def test_a_kilometre_is_as_long_either_way(box: tuple[float, float, float, float]) -> None:
    """In the middle of the map: that is what the cosine is for."""
    frame = frame_of(box)
    middle = (box[1] + box[3]) / 2

    assert frame.scale_x == pytest.approx(frame.scale_y * cos(radians(middle)))


PLACES = st.tuples(
    st.sampled_from((116.2, 116.4)) | st.floats(115, 118),
    st.sampled_from((39.2, 39.4)) | st.floats(38, 41),
)
"""Many beside or above each other, as the corners of cells are."""
STEP = re.compile(r"([Mlhv])(-?(?:\d+(?:\.\d)?|\.\d))(?: ?(-?(?:\d+(?:\.\d)?|\.\d)))?")


@given(st.lists(PLACES, min_size=1, max_size=9), st.lists(PLACES, min_size=1, max_size=9))
def test_a_way_is_drawn_where_it_lies(
    first: list[tuple[float, float]], second: list[tuple[float, float]]
) -> None:
    """However short it is written: each turn to half a tenth of a pixel, and none besides."""
    frame = frame_of((116, 39, 117, 40))
    lines = tuple(Line("rail", ((116.5, 39.5), *points)) for points in (first, second))
    text = str(drawn(Picture("t", (), (), lines, (), None, "{km}"), frame))
    (way,) = re.findall(r'class="geo-rail" d="([^"]*)"', text)
    told: list[tuple[float, float]] = []
    for letter, one, other in STEP.findall(way):
        x, y = (float(one), float(other or 0)) if letter != "v" else (0.0, float(one))
        at_x, at_y = (0.0, 0.0) if letter == "M" else told[-1]
        told.append((round(at_x + x, 1), round(at_y + y, 1)))
    ways = [[frame.at(*each) for each in line.points] for line in lines]
    turns = [[(round(x * 10) / 10, round(y * 10) / 10) for x, y in each] for each in ways]

    assert STEP.sub("", way) == ""
    assert told == [place for each in turns for place, _ in groupby(each)]


def test_lines_of_a_kind_are_drawn_in_their_order() -> None:
    """What follows on a line of another kind lies above it; what lies far away is not drawn."""
    kinds = ("metro", "metro", "rail", "metro")
    near, far = ((116.2, 39.2), (116.4, 39.4)), ((100.0, 39.2), (100.1, 39.2))
    lines = (*(Line(kind, near) for kind in kinds), Line("road", far))
    text = str(drawn(Picture("t", (), (), lines, (), None, "{km}"), frame_of((116, 39, 117, 40))))
    found = re.findall(r'<path class="geo-(\w+)" d="([^"]*)"', text)

    assert [(kind, way.count("M")) for kind, way in found] == [
        ("metro", 2),
        ("rail", 1),
        ("metro", 1),
    ]


def test_the_scale_is_a_round_number_of_kilometres() -> None:
    """A degree of latitude high, 504 px: 20 km are 504 · 20 / 111.2 / 1.12 px."""
    text = str(drawn(Picture("t", (), (), (), (), None, "{km} km"), frame_of((116, 39, 116.5, 40))))
    found = re.search(r"v6h([0-9.]+)v-6.*>([0-9]+) km<", text)
    assert found is not None

    assert float(found.group(1)) == pytest.approx(80.9, abs=0.1)
    assert found.group(2) == "20"


def test_names_do_not_lie_on_each_other() -> None:
    """Of two at one place the first is written, and the spot's own goes before all."""
    labels = (Label("Two", 116.5, 39.5, "city"), Label("Three", 116.51, 39.5, "rail"))
    spot = Label("One", 116.5, 39.5, "spot")
    text = str(drawn(Picture("t", (), (), (), labels, spot, "{km}"), frame_of((116, 39, 117, 40))))

    assert ">One<" in text
    assert ">Two<" not in text


def test_what_is_written_on_a_map_is_text() -> None:
    """A station may be called anything."""
    label = Label("<b>&", 116.5, 39.5, "rail")
    text = str(
        drawn(Picture("<i>", (), (), (), (label,), None, "{km}"), frame_of((116, 39, 117, 40)))
    )

    assert "&lt;b&gt;&amp;" in text
    assert 'aria-label="&lt;i&gt;"' in text


def test_an_express_is_drawn_along_the_stations_it_passes() -> None:
    """0–1–2 in a line and an express 0–2: only the two short ways. A way around is its own."""
    at = [(116.0, 39.0), (116.1, 39.001), (116.2, 39.0), (116.1, 39.5)]
    ways = {way: (at[way[0]], at[way[1]]) for way in ((0, 1), (1, 2), (0, 2), (0, 3), (2, 3))}

    assert {frozenset(each) for each in stretches(ways)} == {
        frozenset((at[one], at[two])) for one, two in ((0, 1), (1, 2), (0, 3), (2, 3))
    }
