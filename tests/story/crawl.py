"""Every page there is: found by following links from the home page, as each sample person."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx

SIGN_IN = "/sign-in"
SAMPLE = re.compile(
    r'name="account" value="([^"]+)">\s*<span class="sample-role">([^<]+)</span>', re.DOTALL
)
TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
OPAQUE = re.compile(r"[0-9]|^[0-9a-z_-]{20,}$")
"""A segment of a path that names one thing of many: an id, a month, a digest."""

VISITOR = "visitor"


@dataclass(frozen=True)
class Found:
    """One page as somebody may open it: `path` without language, `shape` what is alike in many."""

    role: str
    path: str

    @property
    def shape(self) -> str:
        """The path with ids taken out, and whether it has a query."""
        parts = urlsplit(self.path)
        named = ["*" if OPAQUE.search(each) else each for each in parts.path.split("/")]
        return "/".join(named) + ("?" if parts.query else "")


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href") and "download" not in given:
            self.found.append(str(given["href"]))


def samples(url: str) -> dict[str, str]:
    """Return the sample people of a node: role as shown in English → account id."""
    page = httpx.get(f"{url}/en{SIGN_IN}", trust_env=False).text
    return {role: account for account, role in SAMPLE.findall(page)}


@contextlib.contextmanager
def signed_in(url: str, account_id: str | None) -> Iterator[httpx.Client]:
    """Open a client with a session of a sample person, or of a visitor without an account."""
    with httpx.Client(base_url=url, trust_env=False) as client:
        if account_id is not None:
            form = {"account": account_id, "then": "/"}
            answer = client.post(f"/en{SIGN_IN}/sample", data=form)
            assert answer.status_code == 303, answer.text
        yield client


def pages(client: httpx.Client, role: str) -> Iterator[Found]:
    """Follow links from the home page; one page of each shape, in English."""
    waiting, seen = ["/"], {"/"}
    while waiting:
        path = waiting.pop(0)
        answer = client.get(f"/en{path}".rstrip("/"))
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        assert answer.status_code in {200, 303}, f"{role}: {path}: {answer.status_code}"
        yield Found(role, path)
        links = _Links()
        links.feed(answer.text)
        for link in links.found:
            if not link.startswith("/en"):
                continue
            there = link.removeprefix("/en").split("#")[0] or "/"
            shape = Found(role, there).shape
            if shape not in seen:
                seen.add(shape)
                waiting.append(there)


def every_page(url: str) -> dict[str, Found]:
    """Return one page of each shape, by shape, with the first role that may open it."""
    found: dict[str, Found] = {}
    people: dict[str, str | None] = {VISITOR: None, **samples(url)}
    for role, account_id in people.items():
        with signed_in(url, account_id) as client:
            for page in pages(client, role):
                found.setdefault(page.shape, page)
    return found
