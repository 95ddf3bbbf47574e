"""Every page of the shell, over HTTP, in both languages: headers, words, links, errors."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar, Request, get
from litestar.di import NamedDependency
from litestar.testing import TestClient

from tests.web import site
from tongcheng.web import LANGUAGES, Language, Page, is_page
from tongcheng.web.security import CONTENT_SECURITY_POLICY
from tongcheng.web.toolkit import AnyRequest, Toolkit

EXPECTED_STATUS = {"/nowhere": 404, "/forbidden": 403}
Client = TestClient[Litestar]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A tiny node that answers pages."""
    with TestClient(site.app()) as opened:
        yield opened


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", site.PATHS)
def test_each_page_is_answered_in_each_language(
    client: Client, path: str, language: Language
) -> None:
    """A page says its language, has one title in words, and links to itself in the other one."""
    answer = client.get(f"/{language}{path}")
    text = answer.text

    assert answer.status_code == EXPECTED_STATUS.get(path, 200)
    assert answer.headers["content-language"] == language
    assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}">' in text
    assert len(re.findall("<h1", text)) == 1
    other = "en" if language == "zh" else "zh"
    assert f'href="/{other}{path.rstrip("/")}"'.replace("&", "&amp;") in text
    assert len(answer.content) < 100_000
    assert "None" not in re.sub("<[^>]+>", "", text).replace("None is left open", "").replace(
        "None of the", ""
    )


@pytest.mark.parametrize("path", [*site.PATHS, "/fault"])
def test_nothing_foreign_and_nothing_inline(client: Client, path: str) -> None:
    """No page asks another host for anything, and none needs a weaker policy."""
    text = client.get(f"/zh{path}").text
    markup = text.replace('xmlns="http://www.w3.org/2000/svg"', "")

    assert "//" not in "".join(re.findall(r'(?:src|href|action|hx-get)="([^"]*)"', markup))
    assert "style=" not in markup
    assert "<style" not in markup
    assert re.findall(r"<script(?![^>]* src=)", markup) == []
    assert re.findall(r"\son[a-z]+=", markup) == []


@pytest.mark.parametrize("path", ["/", "/zh", "/zh/nowhere", "/zh/fault", "/nothing-at-all"])
def test_the_policy_is_on_every_answer(client: Client, path: str) -> None:
    """Redirects, errors and unknown paths carry the same headers as a page."""
    headers = client.get(path, follow_redirects=False).headers

    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "geolocation=()" in headers["permissions-policy"]


def test_the_root_chooses_a_language(client: Client) -> None:
    """A browser that asks for English gets it; every other one gets Chinese."""
    for header, home in (("en-US,en;q=0.9", "/en"), ("zh-CN", "/zh"), ("de", "/zh")):
        answer = client.get("/", headers={"accept-language": header}, follow_redirects=False)

        assert answer.status_code == 302
        assert answer.headers["location"] == home
        assert answer.headers["vary"] == "Accept-Language"


def test_assets_are_kept_for_a_year_under_an_address_of_their_bytes(client: Client) -> None:
    """The style sheet's address changes when it does, so browsers need never ask again."""
    addresses = re.findall(
        r'(?:href|src)="(/assets/[^"]+)"', client.get("/zh/settlement/stays").text
    )

    names = {address.rpartition("/")[2] for address in addresses}
    assert names == {"mark.svg", "console.css", "desk.css", "console.js", "htmx.min.js"}
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        plain = client.get(address, headers={"accept-encoding": "identity"})
        assert plain.content == answer.content
    assert client.get(addresses[0].replace("/assets/", "/assets/0")).status_code == 404
    assert client.get("/assets/../pyproject.toml").status_code == 404


def test_the_style_sheet_is_small(client: Client) -> None:
    """The shell's sheet is under 20 KB; a kind of page adds one of its own, and the map's."""
    shell, *own = re.findall(r'href="(/assets/[^"]+css)"', client.get("/zh").text)

    assert shell.endswith("/console.css")
    assert len(client.get(shell).content) < 20_000
    assert len([each for each in own if not each.endswith("/map.css")]) <= 1


def test_scripts_are_loaded_only_where_they_are_needed(client: Client) -> None:
    """A page that does not refresh itself does not load htmx, nor does a paused one."""
    assert "htmx.min.js" in client.get("/zh/settlement/stays").text
    assert "htmx.min.js" not in client.get("/zh/settlement/stays?live=0").text
    assert "htmx.min.js" not in client.get("/zh").text


def test_an_internal_error_says_nothing_of_the_program(client: Client) -> None:
    """The page has the catalogue's words; the exception's own are for the log."""
    answer = client.get("/en/fault")

    assert answer.status_code == 500
    assert "PAGE_FAULT" in answer.text
    assert "secret" not in answer.text


def test_doubt_is_marked_only_where_there_is_doubt() -> None:
    """A node on adopted rules with real data wears no banner."""
    with TestClient(site.app(site.toolkit(doubt=False))) as calm:
        text = calm.get("/zh").text

    assert "doubt-bar" not in text


def test_what_a_page_is(client: Client) -> None:
    """Errors are pages for people and something else for programs."""
    for path, accept, expected in (
        ("/zh/x", "*/*", True),
        ("/x", "text/html,*/*", True),
        ("/exchange/inbox", "application/json", False),
        ("/zhx", "*/*", False),
    ):
        scope: Any = {"type": "http", "path": path, "headers": [(b"accept", accept.encode())]}
        scope |= {"app": client.app, "query_string": b"", "method": "GET"}
        request: AnyRequest = Request(scope)
        assert is_page(request) == expected, path


def test_all_pages_share_one_toolkit() -> None:
    """Litestar copies routers; with their texts and assets a node would hold them five times."""
    tools = site.toolkit()
    seen: list[Toolkit] = []

    @get("/which", sync_to_thread=False)
    def which(page: NamedDependency[Page]) -> None:
        seen.append(page.toolkit)

    with TestClient(Litestar(tools.routes([which]))) as client:
        for language in LANGUAGES:
            assert client.get(f"/{language}/which").status_code == 200

    assert [each is tools for each in seen] == [True] * len(LANGUAGES)
