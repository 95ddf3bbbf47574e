"""The station that stands for a place: chosen by the region, refused where it is none."""

import pytest

from tests.services.mobility.facts.fact_texts import texts
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts.folder import facts_of
from tongcheng.services.mobility.facts.main_stations import read

HEAD = "main_stations:\n"
FACTS = facts_of(texts(), "Asia/Shanghai", "0" * 64)


def test_a_place_has_the_station_that_the_region_chose() -> None:
    """A place without a row has none."""
    station = FACTS.stations[0]
    text = f"{HEAD}- {{place: west, station: {station.station_id}}}\n"

    assert read("main.yaml", text, FACTS.stations) == {"west": station}


@pytest.mark.parametrize(
    ("rows", "line", "fault"),
    [
        (("nowhere",), 2, "no station"),
        (("", ""), 3, "twice"),
    ],
)
def test_what_is_no_choice_is_refused_by_its_line(
    rows: tuple[str, ...], line: int, fault: str
) -> None:
    """A station that no table has, and a place with two."""
    known = FACTS.stations[0].station_id
    text = HEAD + "".join(f"- {{place: west, station: {each or known}}}\n" for each in rows)
    with pytest.raises(Refused) as refused:
        read("main.yaml", text, FACTS.stations)

    assert refused.value.code == "FACTS_DOCUMENT"
    assert refused.value.facts["line"] == line
    assert fault in str(refused.value.facts["fault"])
