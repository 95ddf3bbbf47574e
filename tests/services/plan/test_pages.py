"""The home page claims only what runs: a live figure, or the words "not built yet"."""

import re

import msgspec
import pytest
from litestar.testing import TestClient

from tests.web import site
from tongcheng.kernel.access import Reader
from tongcheng.services.plan.model import Live
from tongcheng.web import Toolkit

NOTHING = Live(as_of_at=site.LIVE.as_of_at)
NO_CASE = msgspec.structs.replace(NOTHING, figures={"settlement.settled": None})

CASES: tuple[tuple[str, Live, str, tuple[str, ...]], ...] = (
    # what the node supplies, its figures, the headline, what else stands there
    ("nothing", NOTHING, "None of the 21 things agreed runs here yet", ()),
    (
        "a service without a case",
        NO_CASE,
        "1 of the 21 things agreed runs here",
        ("no figure yet",),
    ),
    (
        "a figure",
        site.LIVE,
        "1 of the 21 things agreed runs here",
        ("¥3,123,456.78", 'href="/en/settlement/stays"', "See each of them", "1 running, 20 not"),
    ),
)


def _text(path: str, live: Live = site.LIVE, tools: Toolkit | None = None) -> str:
    with TestClient(site.app(tools, live)) as client:
        return client.get(path).text


@pytest.mark.parametrize(("case", "live", "headline", "others"), CASES)
def test_the_home_page_says_what_runs(
    case: str, live: Live, headline: str, others: tuple[str, ...]
) -> None:
    """The plan's file says `live`, but only a node that supplies the figure makes it so."""
    text = _text("/en", live)
    running = re.findall(r'<ul class="plan-running">\s*<li id="([^"]+)"', text)
    quiet = re.findall(r'<li id="([^"]+)">', text.split('class="plan-areas"')[1])

    assert f"<h1>{headline}</h1>" in text, case
    assert running == (["direct-settlement"] if live.figures else [])
    assert len(quiet) == 21
    assert [other for other in others if other not in text] == []


def test_the_same_page_in_chinese() -> None:
    """Written in Chinese, with the same figures, and the large amount as people say it."""
    text = _text("/zh")

    assert "<h1>约定的 21 件事，1 件已在这里运行</h1>" in text
    assert text.count('<p class="plan-group">尚未建成</p>') == 6
    assert "3,123,456.78\u00a0元" in text
    assert "约 312.35 万元" in text


def test_the_map_says_its_flows_in_words() -> None:
    """Who cannot see the arrows hears them, and reads the same figures in the table."""
    text = _text("/en")
    label = re.findall(r'<svg class="map" role="img"[^>]*aria-label="([^"]+)"', text)[0]

    assert "Beijing&#39;s funds pay hospitals in Tianjin ¥2,623,456.78 for 131 stays." in label
    assert text.count('class="map-flow"') == 3
    assert "2,623,456.78" in text.split("<table")[1]
    assert "3,123,456.78" in text.split("<tfoot")[1]


def test_no_flow_is_drawn_from_nothing() -> None:
    """A new node shows the region and says that nothing flows yet."""
    text = _text("/en", NOTHING)

    assert 'class="map-flow"' not in text
    assert "No settlement between cities yet." in text
    assert "<table" not in text


@pytest.mark.parametrize(
    ("account_id", "actions", "stay", "evidence", "service"),
    [
        ("", set(), "See her stay (sign in)", "See each of them (sign in)", False),
        ("a-signer", set(), None, None, False),
        ("a-planner", {"settlement.stays.read"}, None, "See each of them", True),
        (
            "a-clerk",
            {"settlement.stays.read", "settlement.stay.read"},
            "See her stay",
            "See each of them",
            True,
        ),
    ],
)
def test_only_what_a_reader_may_open_is_offered(
    account_id: str, actions: set[str], stay: str | None, evidence: str | None, *, service: bool
) -> None:
    """All read the figures; a visitor is told to sign in, others see what the table lets them."""
    tools = site.toolkit()
    may = frozenset({"plan.read", *actions})
    tools.visitor = Reader(account_id or "visitor", may, account_id=account_id)
    text = _text("/en", tools=tools)
    stays = re.findall(r'href="/en/settlement/stays/settled">([^<]+)<', text)
    lists = re.findall(r'href="/en/settlement/stays">(See[^<]+)<', text)

    assert stays == ([] if stay is None else [stay] * 2)
    assert lists == ([] if evidence is None else [evidence] * 2)
    assert ('href="/en/settlement/stays">Settlement</a>' in text.split("<main")[1]) == service
    assert "¥3,123,456.78" in text


def test_the_story_says_what_is_not_built() -> None:
    """Her scan is not recognised yet, and a node that does not hold her stay says so."""
    text = _text("/en")
    elsewhere = _text("/en", msgspec.structs.replace(site.LIVE, story_path=None))
    states = re.findall(r"</svg>([^<]+)</span>", text.split('class="story"')[1].split("</ol>")[0])

    assert states == ["Not built yet", "Running", "Running", "Running"]
    assert "Her stay stands on the node of the city that treated her" in elsewhere
    assert "Her stay stands on the node" not in text
