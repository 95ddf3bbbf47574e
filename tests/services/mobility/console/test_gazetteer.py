"""Finding places by their names, as people write them."""

import pytest

from tests.services.mobility.facts.fact_texts import texts
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.console.gazetteer import find, named_places, nearest
from tongcheng.services.mobility.facts.folder import facts_of
from tongcheng.services.mobility.study.reach import Spot

PLACES = named_places(facts_of(texts(), "Asia/Shanghai", "0" * 64))


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("甲站", "rail", "甲站"),
        ("甲", "rail", "甲站"),
        (" alpha STATION ", "rail", "甲站"),
        ("乙火车站", "rail", "乙站"),
        ("一站", "metro", "一站"),
        ("甲市", "city", "甲市"),
        ("东区", "county", "东区"),
        ("Beta County", "county", "乙县"),
        ("Middl", "rail", "中站"),
    ],
)
def test_a_name_finds_its_place(text: str, kind: str, name: str) -> None:
    """With or without the word for station; the railway's before others of that name."""
    found = find(PLACES, text)

    assert (found.kind, found.name.zh) == (kind, name)


def test_part_of_several_names_is_refused_with_those() -> None:
    """The refusal offers what it may have been."""
    with pytest.raises(Refused, match="MOBILITY_PLACE_SEVERAL") as refused:
        find(PLACES, "区")
    assert refused.value.facts["names"] == "东区, 西区"


@pytest.mark.parametrize("text", ["", "站", "無", "\x00", "station"])
def test_no_name_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(Refused, match="MOBILITY_PLACE"):
        find(PLACES, text)


def test_a_point_is_called_by_the_station_it_lies_at() -> None:
    """A hundred metres off it is that one; ten kilometres off it is none."""
    beside, far = nearest(PLACES, Spot(117.2511, 39.0)), nearest(PLACES, Spot(117.12, 39.05))

    assert beside is not None
    assert (beside.name.zh, far) == ("中站", None)
