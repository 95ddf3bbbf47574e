"""The figures beside the joint plan: sums of what stands, the same flow seen from both ends."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.services.settlement import two_cities
from tests.services.settlement.two_cities import INSURED, VISITED, Running
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.words import Words
from tongcheng.node.figures import HIGHLIGHTS, KEPT_MS, LiveFigures
from tongcheng.services.plan.model import FundFlow, Live
from tongcheng.services.plan.story import Stay, Story
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.store import STAYS


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Two cities on a loop that runs only while the test lets it."""
    with two_cities.running(tmp_path) as started:
        yield started


def _live(running: Running, member: str, story: Story | None = None) -> Live:
    return LiveFigures(running.cities.wire.nodes[member], synthetic=True, story=story)()


def test_both_ends_know_the_same_flow(running: Running) -> None:
    """What Beijing's funds pay to Tianjin's hospitals is one number on both nodes."""
    claims = [running.run(running.cities.settled(number)) for number in (0, 1)]
    running.run(running.cities.quiet())
    flow = FundFlow("beijing", "tianjin", 2, sum(claim.fund_fen for claim in claims))
    visited, insured = _live(running, VISITED), _live(running, INSURED)

    assert visited.flows == insured.flows == (flow,)
    for live in (visited, insured):
        values = {key: figure and figure.value for key, figure in live.figures.items()}
        assert values["settlement.settled"] == 2
        assert values["settlement.funds"] == flow.fund_fen
        assert values["settlement.waiting"] == 0
    took = sorted(claim.changed_at - claim.opened_at for claim in claims)
    assert visited.figures["settlement.duration"] is not None
    assert visited.figures["settlement.duration"].value == took[0]
    assert insured.figures["settlement.duration"] is None, "only the visited side knows the request"


def test_a_new_node_has_nothing_to_count(running: Running) -> None:
    """None, which is not zero: the page says that it waits for its first case."""
    live = _live(running, VISITED)

    assert live.flows == ()
    assert set(live.figures) == set(HIGHLIGHTS)
    assert [key for key, figure in live.figures.items() if figure is not None] == [
        "settlement.waiting"
    ]


def test_what_is_asked_waits_until_the_other_side_answers(running: Running) -> None:
    """While the line is down the settlement is counted as waiting, and pays nothing yet."""
    cities = running.cities
    stay, total_fen = running.run(cities.discharged())
    cities.wire.cut = True
    with pytest.raises(Refused, match="SETTLE-PENDING"):
        running.run(Desk(cities.tianjin, wait_ms=0).settle(cities.caller, stay.stay_id, total_fen))
    live = _live(running, VISITED)

    assert live.flows == ()
    waiting = live.figures["settlement.waiting"]
    assert waiting is not None
    assert waiting.value == 1
    assert waiting.evidence_path == "/settlement", "the desk's title counts voids that wait as well"


def test_the_story_leads_to_its_stay_where_it_lies(running: Running) -> None:
    """The hospital's city finds it by the hospital's own number; the other one has none."""
    claim = running.run(running.cities.settled(0))
    running.run(running.cities.quiet())
    (stay,) = running.run(running.cities.tianjin.read(lambda snapshot: snapshot.select(STAYS)))
    words = Words("某", "some")
    known = Story(words, words, Stay(stay.institution_id, stay.inpatient_no), ())
    unknown = msgspec.structs.replace(known, stay=Stay(stay.institution_id, "another"))

    assert _live(running, VISITED, known).story_path == f"/settlement/stays/{claim.stay_id}"
    assert _live(running, INSURED, known).story_path is None
    assert _live(running, VISITED, unknown).story_path is None


def test_figures_are_kept_for_a_moment(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers of a public page cannot make the node count again and again; they see since when."""
    node = running.cities.wire.nodes[VISITED]
    now_at = node.clock.now()
    monkeypatch.setattr(node.clock, "now", lambda: now_at)
    figures = LiveFigures(node, synthetic=False)
    first = figures()
    now_at += KEPT_MS - 1
    kept = figures()
    now_at += 1

    assert kept is first
    assert figures().as_of_at == first.as_of_at + KEPT_MS
