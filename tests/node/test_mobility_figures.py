"""What the home page says of mobility: computed behind it, the same as the pages that prove it."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.services.mobility.console.small_pack import node_in, pack_in
from tongcheng.kernel.words import Words
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.node.figures import KEPT_MS
from tongcheng.node.mobility_figures import mobility_figures
from tongcheng.services.mobility.console.figures import Told

WAIT_S = 120


def _app(folder: Path, member: int, *, geography: bool = True) -> Litestar:
    """Return a node's application; its plan names the small region's own scenario."""
    pack, node = pack_in(folder / "pack", geography=geography), node_in(folder / "node", member)
    plan = (pack / "plan.yaml").read_text("utf-8")
    (pack / "plan.yaml").write_text(plan.replace("gained.capital-ring", "gained.later"), "utf-8")
    app = create_app(node, make_console(node), pages=True, pack_folder=pack)
    app.state["mobility_figures"].enable()
    return app


def _computed(client: TestClient[Litestar]) -> str:
    """Return the home page as soon as nothing is waited for."""
    figures = client.app.state["mobility_figures"]
    until = time.monotonic() + WAIT_S
    while None in figures.now().values():
        assert time.monotonic() < until, "the figures are there"
        time.sleep(0.05)
    # What is shown is kept for two seconds of a clock that stands here.
    client.app.state["node"].clock.advance(KEPT_MS)
    page = client.get("/en")
    assert page.status_code == 200
    return page.text


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient[Litestar]]:
    """A client of Tianjin's node, which has a main station."""
    with TestClient(_app(tmp_path_factory.mktemp("figures"), 1)) as opened:
        yield opened


def _line(page: str, line_id: str) -> tuple[int, str]:
    """Return a commitment's number, and the page that proves it."""
    part = page.partition(f'<li id="{line_id}">')[2].partition("</li>")[0]
    number = re.search(r'class="plan-figure">([0-9,]+) ', part)
    link = re.search(r'<a href="(/en/mobility[^"]*)">See the map', part)
    assert number is not None, part
    assert link is not None, part
    return int(number[1].replace(",", "")), link[1]


@pytest.mark.parametrize("line_id", ["one-hour", "port", "ring-road"])
def test_a_figure_is_what_its_page_shows(client: TestClient[Litestar], line_id: str) -> None:
    """The circle, the hinterland and the gain: one number each on both pages, and marked."""
    home = _computed(client)
    people, link = _line(home, line_id)
    title = re.search(r"<h1>(.*?)</h1>", client.get(link).text)

    assert people > 0
    assert title is not None
    assert f"{people} " in title[1].replace(",", "")
    part = home.partition(f'<li id="{line_id}">')[2].partition("</li>")[0]
    assert "people modelled" in part


def test_what_the_region_has_not_is_not_built(client: TestClient[Litestar]) -> None:
    """The plan says that the railways run; this region has no such scenario, and says so."""
    page = _computed(client)

    quiet = page.partition('<ul class="plan-quiet">')[2]
    assert '<li id="railways">' in quiet
    assert "4 of the 21 things agreed run here" in page


@pytest.mark.parametrize(("member", "geography"), [(0, True), (1, False)])
def test_a_node_without_what_it_takes_has_no_circle(
    tmp_path: Path,
    member: int,
    geography: bool,  # noqa: FBT001 a case
) -> None:
    """No main station, or no geography at all: the line stands among what is not built."""
    with TestClient(_app(tmp_path, member, geography=geography)) as client:
        page = _computed(client)

    running = "".join(page.split('<ul class="plan-running">')[1:])
    assert '<li id="one-hour">' in page
    assert not re.search(r'<ul class="plan-running">\s*<li id="one-hour">', running)
    assert not geography or '<li id="port">\n<p class="plan-text">' in page


def test_a_node_that_does_not_serve_computes_nothing(tmp_path: Path) -> None:
    """An application that nobody enabled claims none of it."""
    pack, node = pack_in(tmp_path / "pack"), node_in(tmp_path / "node")
    app = create_app(node, make_console(node), pages=True, pack_folder=pack)
    with TestClient(app) as client:
        page = client.get("/en").text

    assert page.count("no figure yet") == 1, "of settlement alone"
    assert "1 of the 21 things agreed runs here" in page


def test_a_figure_says_how_and_how_long() -> None:
    """By road or rail, within what, by which scenario; what is not computed is None."""
    place, opened = Words("甲站", "Alpha station"), Words("新线", "New line")
    told = Told(5, 90, place, opened, "/mobility/compare?scenario=x", by_car=False, is_typical=True)
    found = mobility_figures({"mobility.gained.x": told, "mobility.port": None})
    figure = found["mobility.gained.x"]

    assert found["mobility.port"] is None
    assert figure is not None
    assert figure.name.zh == "人 90 分钟内新可到甲站：新线"
    assert figure.name.en == "more people reach Alpha station within 90 minutes: New line"
    assert figure.mark is not None
    assert figure.mark.en == "people modelled, trains typical"


@pytest.mark.parametrize(
    ("by_car", "is_typical", "mark"),
    [
        (True, True, "people modelled, at design speed"),
        (True, False, "people modelled, at design speed"),
        (False, True, "people modelled, trains typical"),
        (False, False, "people modelled"),
    ],
)
def test_what_is_modelled_is_marked_whatever_it_is(
    by_car: bool,  # noqa: FBT001 a case
    is_typical: bool,  # noqa: FBT001 a case
    mark: str,
) -> None:
    """A day whose trains are typical may be driven through as well."""
    told = Told(
        1, 60, Words("港", "Port"), None, "/mobility/port", by_car=by_car, is_typical=is_typical
    )
    figure = mobility_figures({"mobility.port": told})["mobility.port"]

    assert figure is not None
    assert figure.mark is not None
    assert figure.mark.en == mark


@pytest.mark.parametrize(
    ("by_car", "is_typical", "mark"),
    [(True, False, "at design speed"), (False, True, "trains typical"), (False, False, None)],
)
def test_people_who_were_counted_are_not_called_modelled(
    by_car: bool,  # noqa: FBT001 a case
    is_typical: bool,  # noqa: FBT001 a case
    mark: str | None,
) -> None:
    """The rest is marked as before, and what is left with nothing to mark has no mark."""
    place = Words("甲站", "Alpha station")
    told = Told(1, 60, place, None, "/mobility", by_car, is_typical, is_modelled=False)
    figure = mobility_figures({"mobility.circle": told})["mobility.circle"]

    assert figure is not None
    assert (None if figure.mark is None else figure.mark.en) == mark
