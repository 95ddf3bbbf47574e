"""Trunk roads of a day: what is open, how long it takes, what was left out."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.mobility.facts.fact_texts import texts
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts.figures import Figure, Origin
from tongcheng.services.mobility.facts.folder import facts_of
from tongcheng.services.mobility.facts.model import Facts, RoadEdge
from tongcheng.services.mobility.facts.roads import compile_day, edge_s


def _facts() -> Facts:
    return facts_of(texts(), "Asia/Shanghai", "0" * 64)


def test_roads_of_a_day() -> None:
    """Stretches lead both ways, at design speed; nodes keep their numbers when nothing is open."""
    early = compile_day(_facts(), date(2017, 1, 1))
    late = compile_day(_facts(), date(2018, 8, 20))

    assert early.node_ids == late.node_ids == ("na", "nb", "nc")
    assert early.edge_ids == ("r1",)
    assert late.edge_ids == ("r1", "r2")
    assert late.links.start.tolist() == [0, 1, 3, 4]
    assert late.links.to.tolist() == [1, 0, 2, 1]
    assert late.links.seconds.tolist() == [1800, 1800, 1065, 1065]


def test_left_out_says_why() -> None:
    """A stretch without length, speed or opening is listed, not guessed."""
    day = compile_day(_facts(), date(2017, 1, 1))

    assert {each.id: each.reason for each in day.left_out} == {
        "r2": "opens_later",
        "r3": "length_unknown",
        "r4": "speed_unknown",
        "r5": "opening_unknown",
    }


def test_confidence_least() -> None:
    """Who wants sure figures alone gets the roads that rest on them alone, or a refusal."""
    day = compile_day(_facts(), date(2020, 1, 1), "medium")

    assert day.edge_ids == ("r1",)
    with pytest.raises(Refused, match="FACTS_EMPTY"):
        compile_day(_facts(), date(2020, 1, 1), "high")


def test_scenarios_add_roads() -> None:
    """A stretch can be open before it was; without length or speed it is left out all the same."""
    day = compile_day(_facts(), date(2017, 1, 1), as_if_open=["r2", "r3", "r5"])

    assert day.edge_ids == ("r1", "r2", "r5")
    with pytest.raises(Refused, match="FACTS_UNKNOWN"):
        compile_day(_facts(), date(2017, 1, 1), as_if_open=["r9"])


@given(st.integers(1, 5_000_000), st.integers(10_000, 150_000))
def test_seconds_are_rounded_once(length_m: int, speed_m_per_h: int) -> None:
    """A stretch takes its length at its speed, to half a second."""
    by = Origin("own", 2020, "low")
    edge = RoadEdge(
        "r", "G1", "a", "b", Figure(length_m / 1000, by), Figure(speed_m_per_h / 1000, by), None
    )

    assert abs(edge_s(edge) - length_m / speed_m_per_h * 3600) <= 0.5 + 1e-6
