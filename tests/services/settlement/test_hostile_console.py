"""Attacks on the console's pages: rule books that somebody wrote, and addresses that anybody may.

A rule book comes as a file from another organisation; its remarks, clauses and sources are a
stranger's text on our pages. The books here are shipped ones with markup in every free text.
"""

from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import quote

import httpx
import pytest

from tests.services.settlement import samples_books, two_cities
from tests.services.settlement.two_cities import Running
from tests.signed_in import cookies, signed_in
from tests.web import site
from tongcheng.kernel import rulebook
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.services.settlement.policy import diff_view, view
from tongcheng.services.settlement.policy.view import Version
from tongcheng.web import LANGUAGES, Language, Page

TOOLS = site.toolkit()
EVIL = "javascript:<img src=x onerror=alert(1)>\"'`{{7*7}}</title></svg><svg/onload=alert(2)>"
RAW = ("<img", "<svg/", "</title></svg", "\"'`", 'href="javascript', 'href="//', "<script>")
FREE = frozenset({"remark", "clause", "what", "where", "zh", "en", "note"})
BOOKS = [book for book in samples_books.BOOKS if book.kind in {"benefit", "cross_region"}]


def _spoilt(value: Plain) -> Plain:
    """Return a document with markup in every text that is free."""
    if isinstance(value, dict):
        return {
            key: EVIL if key in FREE and isinstance(each, str) else _spoilt(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_spoilt(each) for each in value]
    return value


def _hostile(book: RuleBook) -> RuleBook:
    spoilt = _spoilt(cast("Plain", book.document))
    assert isinstance(spoilt, dict)
    return rulebook.from_document(spoilt)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("book", BOOKS, ids=lambda book: f"{book.book_id} {book.effective_from}")
def test_a_rule_books_words_are_letters(book: RuleBook, language: Language) -> None:
    """On its page, in the list and beside its other version: shown, and never run or followed."""
    page = Page(TOOLS, language, f"/{language}/rulebooks")
    hostile, kept = Version(_hostile(book), None), Version(book, None)
    shown = [
        str(view.book(page, (hostile,), hostile).content),
        str(view.books(page, (hostile,)).content),
        str(diff_view.diff(page, kept, hostile).content),
        str(diff_view.diff(page, hostile, kept).content),
    ]

    for html in shown:
        assert "&lt;img src=x" in html
        assert [raw for raw in RAW if raw in html] == []


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Two cities; nothing here changes them."""
    with two_cities.running(tmp_path_factory.mktemp("console")) as found:
        yield found


def _get(running: Running, path: str, **headers: str) -> httpx.Response:
    node = running.cities.tianjin
    app = create_app(
        node,
        make_console(node, synthetic=True),
        pages=True,
        run_node=False,
        local_names_only=True,
    )

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(cast("Any", app))
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://127.0.0.1",
            cookies=cookies(await signed_in(node)),
        ) as http:
            return await http.get(path, headers=headers)

    return running.run(ask())


FIELDS = ("area", "scheme", "person", "level", "visited", "filing", "on", "amount", "number")
PATHS: dict[str, int] = {
    "/rulebooks/EVIL": 404,
    "/rulebooks/EVIL/diff": 404,
    "/rulebooks/tianjin-employee-inpatient/diff?from=EVIL&to=EVIL": 422,
    "/settlement/cases?after=EVIL": 200,
    "/settlement/cases/EVIL": 404,
    "/settlement/cases/%00": 404,
    "/settlement/cases?after=%00": 200,
    "/settlement/cases?after=9999999999999999999999.x": 200,
    "/estimate?" + "&".join(f"{name}=EVIL" for name in FIELDS): 200,
    "/estimate?amount=" + "9" * 3_000: 200,
    "/estimate?amount=%EF%BC%91&number=%C2%B2&on=9999-12-31": 200,
    "/estimate?on=0001-01-01&amount=1": 200,
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_address_is_a_strangers_text(running: Running, path: str, language: str) -> None:
    """Whatever stands in it, the answer is a page with every header, and no fault of ours."""
    answer = _get(running, f"/{language}{path.replace('EVIL', quote(EVIL, safe=''))}")

    assert answer.headers["content-type"].startswith("text/html")
    assert [raw for raw in RAW if raw in answer.text] == []
    assert len(answer.content) < 200_000
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.status_code == PATHS[path]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "", "evil.example:80", "127.0.0.1@evil", "evil:abc"],
)
def test_an_open_console_answers_to_its_own_name_only(running: Running, host: str) -> None:
    """A site that points its name at this machine reads no page of it."""
    answer = _get(running, "/zh/settlement/cases", host=host)

    assert "HOST_NOT_LOCAL" in answer.text
    assert answer.status_code >= 400
