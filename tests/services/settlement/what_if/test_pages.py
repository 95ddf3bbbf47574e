"""The page of the what-if: asked by a form, computed beside the node's work, groups only."""

import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from litestar.testing import TestClient

from tests.services.settlement import two_cities
from tests.services.settlement.two_cities import INSURED, Running
from tests.signed_in import cookies, signed_in
from tongcheng.kernel.audit import AUDIT
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Command
from tongcheng.node.app import create_app, template_folders
from tongcheng.node.console import make_console
from tongcheng.services.settlement.what_if import view
from tongcheng.services.settlement.what_if.desk import desk_of
from tongcheng.web import Page
from tongcheng.web.toolkit import Toolkit

PATH = "/en/settlement/what-if"
FINISHED_S = 60


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Two cities in which six persons were settled, one of them taken back."""
    with two_cities.running(tmp_path_factory.mktemp("cities")) as started:
        claims = [
            started.run(started.cities.settled(number, days=30 + number))
            for number in range(two_cities.PERSONS)
        ]
        cities = started.cities
        started.run(cities.desk.void(cities.caller, claims[-1].settlement_id))
        started.run(cities.quiet())
        yield started


def client(city: Running, *roles: str) -> TestClient[Any]:
    """Return a client of the insured side's console, signed in with roles."""
    node = city.cities.wire.nodes[INSURED]
    cookie = cookies(city.run(signed_in(node, *roles)))
    app = create_app(node, make_console(node, synthetic=True), pages=True, run_node=False)
    return TestClient(app, cookies=cookie)


def edited(city: Running) -> str:
    """Return Beijing's book with another ratio in its bands, as a text to paste."""
    home = city.cities.wire.nodes[INSURED].home
    book = next(each for each in home.shelf if each.book_id == "beijing-employee-inpatient")
    text = msgspec.json.encode(book.document).decode()
    assert '"0.85"' in text
    return text.replace('"0.85"', '"0.5"')


def token(page: str) -> str:
    """Return the token that a page's form carries."""
    return page.split('name="form_token" value="')[1].split('"', maxsplit=1)[0]


def answered(asked: TestClient[Any]) -> str:
    """Return the page when nothing runs any more."""
    until = time.monotonic() + FINISHED_S
    while time.monotonic() < until:
        page = asked.get(PATH).text
        if 'http-equiv="refresh"' not in page:
            return page
        time.sleep(0.05)
    pytest.fail("the replay does not end")


def test_an_edited_book_is_replayed_over_the_history(city: Running) -> None:
    """Five settlements stand; all five persons would pay more, and the funds less."""
    with client(city, "policy-officer") as asked:
        form = asked.get(PATH).text
        sent = asked.post(
            PATH,
            data={"form_token": token(form), "old": "", "new": "", "text": edited(city)},
            follow_redirects=False,
        )
        page = answered(asked)
        chinese = asked.get(PATH.replace("/en/", "/zh/")).text

    assert sent.status_code == 303
    assert "Funds would pay" in page.split("</h1>")[0]
    assert "less, and persons as much more" in page.split("</h1>")[0]
    assert "5 (5 directly, 0 only as a consequence)" in page
    assert "a draft, nobody&#39;s law yet" in page
    assert "do not follow again" not in page
    assert "Fewer than 50 persons" in page
    assert "By the place of the hospital" in page
    assert "Tianjin" in page
    assert '<rect class="balance-more"' in page
    assert "个人多负担同样多" in chinese
    assert "person_key" not in page


def test_who_replays_what_is_noted_before_it_begins(city: Running) -> None:
    """The reader and the digests of both books; where none can be written, nothing begins."""
    node = city.cities.wire.nodes[INSURED]
    reader = city.run(signed_in(node, "policy-officer"))
    app = create_app(node, make_console(node, synthetic=True), pages=True, run_node=False)
    with TestClient(app, cookies=cookies(reader)) as asked:
        form = {"form_token": token(asked.get(PATH).text), "text": edited(city)}
        asked.post(PATH, data=form)
        answered(asked)

        async def full(_command: Command) -> None:
            raise Refused("STORE_UNAVAILABLE", detail="full")

        with patch.object(node, "run", full):
            unnoted = asked.post(PATH, data=form)
    with node.database.snapshot() as snapshot:
        rows = snapshot.select(AUDIT, action="settlement.what_if.run")

    noted = [row for row in rows if row.actor == f"account/{reader.account_id}"]
    run = desk_of(node).last
    assert run is not None
    assert [(row.subject, row.detail) for row in noted] == [(run.asked.new.digest, "as it was")]
    assert unnoted.status_code == 503
    assert desk_of(node).now is None


def test_an_amount_does_not_give_away_that_of_a_few(city: Running) -> None:
    """Where three gain, what the others lose is not told either: less the whole it would tell."""
    node = city.cities.wire.nodes[INSURED]
    with client(city, "policy-officer") as asked:
        asked.post(PATH, data={"form_token": token(asked.get(PATH).text), "text": edited(city)})
        answered(asked)
    run = desk_of(node).last
    assert run is not None
    assert run.answer is not None
    toolkit = Toolkit(make_console(node, synthetic=True), template_folders(node))
    page = Page(toolkit, "en", PATH)

    def told(gaining: int, losing: int) -> str:
        assert run.answer is not None
        sums = {"gaining": gaining, "losing": losing, "gained_fen": 123_456, "lost_fen": 987_654}
        whole = msgspec.structs.replace(run.answer.all, persons=1_000, **sums)
        answer = msgspec.structs.replace(run.answer, all=whole)
        return view.page_of(page, (), None, msgspec.structs.replace(run, answer=answer)).content

    everybody = told(gaining=30, losing=900)
    assert "1,234.56" in everybody
    assert "9,876.54" in everybody
    for gaining, losing in ((3, 900), (900, 3)):
        few = told(gaining, losing)
        assert "1,234.56" not in few
        assert "9,876.54" not in few


def test_few_persons_are_not_shown(city: Running) -> None:
    """The visited side has decided nothing: no figures, and no fault."""
    node = city.cities.wire.nodes[two_cities.VISITED]
    cookie = cookies(city.run(signed_in(node, "policy-officer")))
    app = create_app(node, make_console(node, synthetic=True), pages=True, run_node=False)
    with TestClient(app, cookies=cookie) as asked:
        form = asked.get(PATH).text
        asked.post(PATH, data={"form_token": token(form), "text": edited(city)})
        page = answered(asked)

    assert "Funds and persons would bear the same" in page


def test_what_is_no_book_is_refused(city: Running) -> None:
    """Nothing chosen, rubbish pasted, a book of another kind: each by its code."""
    with client(city, "policy-officer") as asked:
        form = {"form_token": token(asked.get(PATH).text)}
        for text, code in (("", "WHAT_IF_NO_BOOK"), ("a: [", "RULE_BOOK_YAML")):
            refused = asked.post(PATH, data={**form, "text": text})
            assert refused.status_code in {400, 422}
            assert code in refused.text


def test_only_who_may_asks(city: Running) -> None:
    """A clerk is not shown the page, and can not start a replay."""
    with client(city, "clerk") as asked:
        assert asked.get(PATH).status_code == 403
        assert asked.post(PATH, data={"text": edited(city)}).status_code == 403
