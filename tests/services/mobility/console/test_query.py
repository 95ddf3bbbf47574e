"""Addresses: what they ask for, and that asking again asks the same."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.console.query import WINDOW_MAX, Asked, asked_of, clock


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    """Return any question that can be asked."""
    begin = draw(st.integers(0, 1_439))
    places = st.sampled_from(["", "甲站", "Alpha & Beta"])
    place = draw(places)
    at = st.tuples(st.integers(-180_00000, 180_00000), st.integers(-90_00000, 90_00000))
    spot = draw(st.none() | at) if not place else None
    return Asked(
        place=place,
        at=None if spot is None else (spot[0] / 100_000, spot[1] / 100_000),
        arriving=draw(st.booleans()),
        minutes=draw(st.integers(10, 120)),
        begin_min=begin,
        end_min=draw(st.integers(begin + 1, min(begin + WINDOW_MAX, 1_440))),
        best=draw(st.booleans()),
        scenario_id=draw(st.sampled_from(["", "later"])),
    )


@given(questions())
def test_an_address_asks_for_what_it_was_made_of(asked: Asked) -> None:
    """To five decimals of a degree, about a metre."""
    again = asked_of(dict(parse_qsl(asked.query().removeprefix("?"))))

    assert again == asked


@given(questions())
def test_a_whole_address_leaves_nothing_open(asked: Asked) -> None:
    """It says also what is as by default, and asks for the same."""
    again = dict(parse_qsl(asked.query(whole=True).removeprefix("?")))

    assert {"direction", "minutes", "from", "until", "regime"} <= set(again)
    assert asked_of(again) == asked


def test_a_name_is_never_cut() -> None:
    """As long as it may be, 64 characters or 97, and longer ones are not another's."""
    for many in (64, 65, 97, 98, 5_000):
        assert asked_of({"scenario": "a" * many}).scenario_id == "a" * many
        assert asked_of({"people": "a" * many}).people == "a" * many


@given(st.dictionaries(st.sampled_from(sorted(Asked().fields() | {
    "place": "", "lon": "", "lat": "", "minutes": "", "from": "", "until": "", "regime": "",
    "direction": "", "scenario": ""})), st.text(max_size=80)))  # fmt: skip
def test_whatever_is_written_is_a_question_or_refused(given_words: dict[str, str]) -> None:
    """Never another exception, and nothing asked is beyond what can be computed."""
    try:
        asked = asked_of(given_words)
    except Refused:
        return

    assert 10 <= asked.minutes <= 120
    assert 0 < asked.end_min - asked.begin_min <= WINDOW_MAX


def test_a_name_goes_before_coordinates() -> None:
    """Without scripts the form sends both."""
    assert asked_of({"place": "甲", "lon": "1", "lat": "2"}).at is None


def test_an_address_without_a_query_asks_the_usual() -> None:
    """The morning of a working day, an hour, who comes."""
    assert asked_of({}) == Asked()
    assert Asked().query() == ""
    assert (Asked().bands, clock(Asked().begin_min)) == ((20, 40, 60), "07:00")


@pytest.mark.parametrize("text", ["nan", "-inf", "1e999", "", "１１６", "116,4", "0x74"])
def test_half_a_place_is_refused(text: str) -> None:
    """A latitude without a longitude that is one."""
    with pytest.raises(Refused, match="MOBILITY_PARAMETER"):
        asked_of({"lon": text, "lat": "39.1"} if text != "１１６" else {"lat": "39"})
