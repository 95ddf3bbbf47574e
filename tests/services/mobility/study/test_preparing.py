"""What a study becomes, and what its method says of where it came from."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tests.services.mobility.feeds import Line, line_tables, write_zip
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.model import Feed
from tongcheng.services.mobility.feed.reading import read_feed
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.scan.model import Question, Window
from tongcheng.services.mobility.study.methods import KERNEL, method_of
from tongcheng.services.mobility.study.model import Study
from tongcheng.services.mobility.study.preparing import prepare
from tongcheng.services.mobility.timetable.process_book import Door, Processes

DAY = date(2026, 3, 11)
STOPS = {"W": (117.0, 39.0), "E": (117.3, 39.0)}
PLACES = Places(
    ids=("w", "e"),
    names=("西", "东"),
    points=Points(np.array([117.0, 117.3]), np.array([39.0, 39.0])),
    area_ids=("120000", "120000"),
    population=None,
    opportunities=(),
)


def _feed(folder: Path, feed_id: str) -> Feed:
    line = Line("L", list(STOPS), ["7:10"], [1_200])
    return read_feed(write_zip(folder / f"{feed_id}.zip", line_tables(STOPS, [line])), feed_id).feed


def test_a_place_enters_and_leaves_by_the_doors(tmp_path: Path) -> None:
    """What the caller lets unknown doors take is in the ways: entering first, leaving last."""
    doors = Processes(otherwise=Door(enter_s=300, leave_s=60))

    ready = prepare(Study((_feed(tmp_path, "one"),), DAY, PLACES, "00", doors))

    assert ready.ways.access.seconds.tolist() == [300, 300]
    assert ready.ways.egress.seconds.tolist() == [60, 60]
    assert ready.ways.direct.seconds.tolist() == [0, 0]
    assert ready.assumed["unknown_doors_s"] == "300 in, 60 out"


def test_sources_are_named_whatever_their_order(tmp_path: Path) -> None:
    """Two feeds the other way round make the same method, byte for byte."""
    one, two = _feed(tmp_path, "one"), _feed(tmp_path, "two")
    question = Question(Window(25_200, 60, 120), 7_200)

    made = [
        method_of("m", "d", prepare(Study(feeds, DAY, PLACES, "00")), question, deadlines=False)
        for feeds in ((one, two), (two, one))
    ]

    assert made[0].encoded() == made[1].encoded()
    assert [source.id for source in made[0].sources] == ["one", "two", "places"]
    assert made[0].kernel == KERNEL
    assert made[0].parameters["instants"] == "depart at"


@pytest.mark.parametrize("walk_s_max", [-1, 86_401])
def test_a_walk_beyond_a_day_is_refused(tmp_path: Path, walk_s_max: int) -> None:
    """A length that is no walk is named with its bounds."""
    study = Study((_feed(tmp_path, "one"),), DAY, PLACES, "00", walk_s_max=walk_s_max)

    with pytest.raises(Refused) as refused:
        prepare(study)

    assert refused.value.code == "MOBILITY_PARAMETER"
    assert refused.value.facts["name"] == "walk_s_max"
