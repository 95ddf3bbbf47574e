"""Scenarios on the console: listed, compared, drawn, refused with their lines, kept and signed."""

import asyncio
import csv
import html
import io
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from litestar import Litestar

from tests.services.mobility.console.small_pack import SCENARIO, node_in, pack_in
from tests.signed_in import Session, cookies, signed_in
from tongcheng.kernel.audit import AUDIT
from tongcheng.kernel.store import Snapshot
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.node.core import Node
from tongcheng.services.mobility.console import answers
from tongcheng.services.mobility.scenario import kept

DRAWN = SCENARIO.replace("later", "tried", 1)
NOWHERE = """  mode: rail
  calls: [{name: X, lon: "116.0", lat: "38.5"}, {name: Y, lon: "116.1", lat: "38.5"}]
  minutes: ["0", "20"]
  start: "06:00"
  end: "22:00"
  headway_min: "60\""""
KEPT = SCENARIO.replace("later", "mine", 1)


class Desk:
    """A node that serves, and people who read it, by role."""

    def __init__(self, runner: asyncio.Runner, node: Node, app: Litestar) -> None:
        self._runner, self.node, self._app = runner, node, app
        self._people: dict[str, tuple[httpx.AsyncClient, Session]] = {}

    def _person(self, role: str) -> tuple[httpx.AsyncClient, Session]:
        if role not in self._people:
            session = self._runner.run(signed_in(self.node, role))
            app: Any = self._app
            transport = httpx.ASGITransport(app=app)
            client = httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1", cookies=cookies(session)
            )
            self._people[role] = client, session
        return self._people[role]

    def get(self, path: str, role: str = "policy-officer") -> httpx.Response:
        """Open a page."""
        return self._runner.run(self._person(role)[0].get(path))

    def post(
        self, path: str, text: str, role: str = "policy-officer", **fields: str
    ) -> httpx.Response:
        """Send a form of ours; with the token "" one of somebody else's."""
        client, session = self._person(role)
        given = {"form_token": session.form_token, "text": text, **fields}
        return self._runner.run(client.post(f"/en/mobility/scenarios/{path}", data=given))

    def withdraw(
        self, scenario_id: str, role: str = "policy-officer", **fields: str
    ) -> httpx.Response:
        """Send the form that keeps a scenario no longer."""
        client, session = self._person(role)
        given = {"form_token": session.form_token, "scenario": scenario_id, **fields}
        return self._runner.run(client.post("/en/mobility/scenarios", data=given))

    def read(self, question: Callable[[Snapshot], Any]) -> Any:
        """Ask the store."""
        return self._runner.run(self.node.read(question))

    def kept(self) -> set[str]:
        """Return the ids of what is kept."""
        return {each.scenario.scenario_id for each in self.read(kept.kept)}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A node of the small region, ready."""
    folder = tmp_path_factory.mktemp("scenarios")
    pack, node = pack_in(folder / "pack"), node_in(folder / "node")
    app = create_app(node, make_console(node), pages=True, run_node=False, pack_folder=pack)
    with asyncio.Runner() as runner:

        async def begin() -> None:
            node.open()

        runner.run(begin())
        opened = Desk(runner, node, app)
        until = time.monotonic() + 120
        while "being prepared" in (page := opened.get("/en/mobility")).text:
            assert time.monotonic() < until, "the region is prepared"
        assert page.status_code == 200
        yield opened
        runner.run(node.stop())


def _title(answer: httpx.Response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", answer.text)
    assert found is not None, answer.text[:2000]
    return found.group(1)


def test_a_comparison_says_who_gains(ours: Desk) -> None:
    """With seven trains a day more nobody loses; title, tables and files agree."""
    page = ours.get("/en/mobility/compare?scenario=later&minutes=60&regime=best")
    file = ours.get("/en/mobility/compare.csv?scenario=later&minutes=60&regime=best")
    shapes = ours.get("/en/mobility/compare.geojson?scenario=later")

    rows = list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))
    gained = sum(int(row["gained"] or 0) for row in rows if row["county_id"].isdigit())
    assert page.status_code == 200
    assert "none is slower" in page.text
    assert f"<dd>{gained} people</dd>" in page.text
    assert "New trains" in _title(page)
    assert {"before", "after"} == set(shapes.json()["method"])
    assert "scenario" in {each["kind"] for each in shapes.json()["method"]["after"]["sources"]}


def test_what_a_page_links_to_shows_what_the_page_shows(ours: Desk) -> None:
    """Also where somebody asked for what is usual and nothing changes: nothing is looked further.

    The files, the map that moves and the other regime are for the same minutes and hours.
    """
    asked = "direction=to&minutes=60&from=420&until=540&scenario=later"
    page = ours.get(f"/en/mobility/compare?{asked}&regime=usual")
    found = re.findall(r'href="(/en/mobility/compare[^"]*)"', page.text)
    links = {html.unescape(each).partition("?")[0]: html.unescape(each) for each in found}
    shown = re.search(r'data-reach="([^"]*)"', page.text)
    assert shown is not None
    shapes = ours.get(html.unescape(shown.group(1))).json()["method"]["after"]["parameters"]
    table = list(csv.DictReader(io.StringIO(ours.get(links["/en/mobility/compare.csv"]).text)))
    other = next(html.unescape(each) for each in found if "regime=best" in each)

    assert (shapes["longest_s"], shapes["first_s"], shapes["count"]) == (3_600, 25_200, 120)
    assert shapes["regime"] == "p50"
    assert '""regime"":""p50""' in ours.get(links["/en/mobility/compare.csv"]).text
    assert table
    assert "minutes=60" in other
    assert "from=420" in other


def test_a_scenario_that_changes_nothing_is_not_looked_at_for_ever(
    ours: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of twenty places the first four are tried, in two regimes, three times and two windows."""
    looked: list[Any] = []

    def counted(*given: Any) -> Any:
        looked.append(given[3])
        return compared(*given)

    compared = answers.compared
    monkeypatch.setattr(answers, "compared", counted)
    seen = "".join(
        f'- {{name: {{zh: 处{at}, en: "{at}"}}, lon: "117.{at:02}34567", lat: "39.0"}}\n'
        for at in range(19)
    )
    text = DRAWN.replace("117.00", "116.95").replace("changes:", seen + "changes:")
    text = text.replace("  from_facts: [ab-later]", NOWHERE)
    page = ours.post("try", text=text)

    assert page.status_code == 200, re.findall("field-fault.*", page.text)
    assert "nothing changes" in _title(page)
    assert len(looked) == len(set(looked)) == 4 * 2 * 4
    assert {asked.at for asked in looked} == {
        (116.95, 39.0), (117.00346, 39.0), (117.01346, 39.0), (117.02346, 39.0)
    }  # fmt: skip


def test_the_list_says_how_far_each_is(ours: Desk) -> None:
    """The pack's, with status and limits; who may not draw is not offered it."""
    page = ours.get("/en/mobility/scenarios", role="clerk")
    refused = ours.get("/en/mobility/scenarios/new", role="clerk")

    assert "Proposal" in page.text
    assert "A test." in page.text
    assert "/mobility/scenarios/new" not in page.text
    assert refused.status_code == 403


def test_what_is_drawn_is_tried_without_being_kept(ours: Desk) -> None:
    """The comparison stands below the text; the store is as it was."""
    begun = ours.get("/en/mobility/scenarios/new?scenario=later")
    tried = ours.post("try", text=DRAWN.replace("\n", "\r\n"))
    ids = ours.kept()

    assert "from_facts" in begun.text
    assert tried.status_code == 200, tried.text[:3000]
    assert "it is not kept" in tried.text
    assert "Before and after" in tried.text
    assert "tried" not in ids


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (DRAWN.replace("2021-06-01", "soon"), 4),
        (DRAWN.replace("ab-later", "none"), 8),
        (DRAWN.replace("change: add_line", "change: <script>"), 8),
        ("", 1),
        (": : :", 1),
    ],
)
def test_a_fault_is_told_with_its_line(ours: Desk, text: str, line: int) -> None:
    """422, the line beside its neighbours, and the text as it was written."""
    answer = ours.post("try", text=text)
    kept_too = ours.post("keep", text=text)
    ids = ours.kept()

    assert answer.status_code == kept_too.status_code == 422
    assert f'data-line="{line}"' in answer.text
    assert '<li class="excerpt-wrong">' in answer.text
    assert "<script>" not in answer.text
    assert "tried" not in ids


def test_what_is_kept_is_signed_noted_and_listed(ours: Desk) -> None:
    """The browser is led to what it changes; twice the same is one version."""
    answers = [ours.post("keep", text=KEPT) for _ in range(2)]
    (found,) = ours.read(kept.kept)
    home = ours.node.home
    faults = ours.read(lambda snapshot: list(kept.check_scenarios(snapshot, home)))
    rows = ours.read(lambda snapshot: list(snapshot.select(AUDIT)))
    noted = [row.subject for row in rows if row.action == "mobility.scenario.keep"]
    page = ours.get("/en/mobility/scenarios")
    compared = ours.get(answers[0].headers["location"])

    assert [each.status_code for each in answers] == [303, 303]
    assert (found.scenario.scenario_id, found.version, faults) == ("mine", 1, [])
    assert noted == ["mine", "mine"]
    assert "version 1, kept" in page.text
    assert compared.status_code == 200


def test_what_is_withdrawn_is_no_longer_listed(ours: Desk) -> None:
    """Noted with who did it; who may not, and a form of somebody else's, change nothing."""
    ours.post("keep", text=KEPT.replace("mine", "gone", 1))
    page = ours.get("/en/mobility/scenarios")
    refused = [
        ours.withdraw("gone", role="leader"),
        ours.withdraw("gone", form_token=""),
        ours.withdraw("nothing"),
        ours.withdraw("later"),
    ]
    still = ours.kept()
    done = ours.withdraw("gone")
    rows = ours.read(lambda snapshot: list(snapshot.select(AUDIT)))
    noted = [row.subject for row in rows if row.action == "mobility.scenario.withdraw"]

    assert 'name="scenario" value="gone"' in page.text
    assert 'value="gone"' not in ours.get("/en/mobility/scenarios", role="leader").text
    assert [each.status_code for each in refused] == [403, 403, 404, 404]
    assert "gone" in still
    assert (done.status_code, done.headers["location"]) == (303, "/en/mobility/scenarios")
    assert "gone" not in ours.kept()
    assert noted == ["gone"]


@pytest.mark.parametrize("path", ["try", "keep"])
def test_the_other_language_of_a_tried_text_is_a_page(ours: Desk, path: str) -> None:
    """Its link leads to where forms are sent; asked for as a page it is the one to draw on."""
    page = ours.post(path, text="")
    link = re.search(r'class="language" href="([^"]*)"', page.text)
    assert link is not None
    answer = ours.get(link.group(1))

    assert (answer.status_code, answer.headers["location"]) == (303, "/zh/mobility/scenarios/new")


def test_who_may_try_may_not_keep(ours: Desk) -> None:
    """A leader draws; keeping is the policy officer's. The pack's ids are taken."""
    tried = ours.post("try", text=DRAWN, role="leader")
    refused = ours.post("keep", text=DRAWN, role="leader")
    foreign = ours.post("try", text=DRAWN, form_token="")
    taken = ours.post("keep", text=SCENARIO)

    assert "formaction" not in tried.text
    assert (tried.status_code, refused.status_code) == (200, 403)
    assert (foreign.status_code, taken.status_code) == (403, 422)
    assert "already" in taken.text


def test_every_piece_can_be_tried_as_it_stands(ours: Desk) -> None:
    """A piece names what the region has; without scripts the node puts it into the text."""
    page = ours.get("/en/mobility/scenarios/new")
    kinds = re.findall(r'<option value="([a-z_]+)">', page.text)
    faults = []
    for kind in kinds:
        head = re.search(r"<textarea.*?>\n(.*?)</textarea>", page.text, re.DOTALL)
        assert head is not None
        begun = head.group(1).replace("&#34;", '"')
        filled = ours.post("try", text=begun, do="insert", piece=kind)
        text = re.search(r"<textarea.*?>\n(.*?)</textarea>", filled.text, re.DOTALL)
        assert text is not None
        written = text.group(1).replace("&#34;", '"')
        tried = ours.post("try", text=written)
        if tried.status_code != 200:
            said = re.search(r'field-fault">(.*?)<', tried.text)
            faults.append(f"{kind}: {said and said.group(1)}")

    assert len(kinds) == 9
    assert faults == []
