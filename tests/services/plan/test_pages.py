"""The home page claims only what runs: a live figure, or the words "not built yet"."""

from collections.abc import Callable

import pytest
from litestar.testing import TestClient

from tests.web import site
from tongcheng.services.plan.model import Figure

Compute = Callable[[], Figure | None]

CASES: tuple[tuple[str, dict[str, Compute], str, tuple[str, ...]], ...] = (
    # what the node supplies, its figures, the headline, what else stands there
    ("nothing", {}, "None of the 21 things agreed runs here yet", ()),
    (
        "a service without a case",
        {"settlement.settled": lambda: None},
        "1 of the 21 things agreed runs here",
        ("waiting for its first case",),
    ),
    (
        "a figure",
        {"settlement.settled": site.figure},
        "1 of the 21 things agreed runs here",
        ("¥3,123,456.78", 'href="/en/settlement/stays"', "See each of them"),
    ),
)


@pytest.mark.parametrize(("case", "figures", "headline", "others"), CASES)
def test_the_home_page_says_what_runs(
    case: str, figures: dict[str, Compute], headline: str, others: tuple[str, ...]
) -> None:
    """The plan's file says `live`, but only a node that supplies the figure makes it so."""
    with TestClient(site.app(figures=figures)) as client:
        text = client.get("/en").text

    assert f"<h1>{headline}</h1>" in text, case
    assert text.count("Not built yet") == 21 - (1 if figures else 0)
    assert [other for other in others if other not in text] == []


def test_the_same_page_in_chinese() -> None:
    """Written in Chinese, with the same figure."""
    with TestClient(site.app()) as client:
        text = client.get("/zh").text

    assert "<h1>约定的 21 件事，1 件已在这里运行</h1>" in text
    assert text.count("尚未建成") == 20 + 1  # once more in the sentence that explains the page
    assert "涉及基金 3,123,456.78 元" in text
