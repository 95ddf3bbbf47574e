"""Which pages a console has, and addresses to open each by, as its readers would come to them.

What there is, the application's routes say; where it is, the pages' own links do. A page that no
link leads to is told: either nobody can come to it, or the data does not show it.
"""

import html
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl, urlsplit

import msgspec
from litestar import Litestar
from litestar.routes import HTTPRoute

from tongcheng.web.toolkit import ACTION

FIRST_LANGUAGE = "zh"
SAME_FROM_ONE_PAGE = 2
"""Of links that differ in nothing but an id, so many are followed from one page."""
ADDRESSES_A_ROUTE = 10
PAGES_MAX = 400
OK = 200
REDIRECTS = range(300, 400)

_LINK = re.compile(r'(?:href|hx-get)="(/[^"#]*)')
_SHEET = re.compile(r'<link[^>]*rel="stylesheet"[^>]*href="([^"]+)"')
_SCRIPT = re.compile(r'<script[^>]*src="([^"]+)"')
_IMAGE = re.compile(r'<img[^>]*src="([^"]+)"')
_PARAMETER = re.compile(r"\{[^}]*\}")

Get = Callable[[str], tuple[int, str, str]]
"""Address → status, media type, text."""


class Route(msgspec.Struct, frozen=True):
    """A page's address without its language ("/settlement/stays/{stay_id:str}") as a pattern."""

    path: str
    pattern: str

    def leads(self, path: str) -> bool:
        """Tell whether an address without language and query is this page's."""
        return re.fullmatch(self.pattern, path) is not None


class Found(msgspec.Struct, frozen=True):
    """What following the links came to: addresses by route, and routes that nothing leads to."""

    addresses: dict[str, list[str]]
    unreached: list[str]
    broken: list[str]


def routes_of(app: Litestar) -> tuple[Route, ...]:
    """Return every page of the console: GET handlers that name the action they need."""
    prefix = f"/{FIRST_LANGUAGE}"
    paths = {
        route.path.removeprefix(prefix) or "/"
        for route in app.routes
        if isinstance(route, HTTPRoute) and f"{route.path}/".startswith(f"{prefix}/")
        for handler in route.route_handlers
        if "GET" in handler.http_methods and ACTION in handler.opt
    }
    # A path without parameters is meant before one with: /stays/rows is no stay.
    ordered = sorted(paths, key=lambda path: (path.count("{"), path))
    return tuple(Route(path, _pattern(path)) for path in ordered)


def _pattern(path: str) -> str:
    parts = (re.escape(part) for part in _PARAMETER.split(path))
    return "[^/]+".join(parts)


def links_in(page: str) -> list[str]:
    """Return the addresses on this node that a page leads to, in its order."""
    return [html.unescape(link) for link in _LINK.findall(page)]


def assets_of(page: str) -> list[str]:
    """Return the style sheets, scripts and images that a page loads, each once."""
    found = (pattern.findall(page) for pattern in (_SHEET, _SCRIPT, _IMAGE))
    return list(dict.fromkeys(each for of_kind in found for each in of_kind))


def route_of(routes: Iterable[Route], address: str) -> Route | None:
    """Return the page that an address belongs to, None for what is no page of the console."""
    path = urlsplit(address).path
    prefix = f"/{FIRST_LANGUAGE}"
    if not f"{path}/".startswith(f"{prefix}/"):
        return None
    bare = path.removeprefix(prefix) or "/"
    return next((route for route in routes if route.leads(bare)), None)


def in_language(address: str, language: str) -> str:
    """Return the same page in another language."""
    return f"/{language}{address.removeprefix(f'/{FIRST_LANGUAGE}')}"


def follow(routes: tuple[Route, ...], get: Get) -> Found:
    """Open the home page and follow links from page to page, some of every kind."""
    addresses: dict[str, list[str]] = {}
    broken: list[str] = []
    home = f"/{FIRST_LANGUAGE}"
    waiting, known = deque([home]), {home}
    opened = 0
    while waiting and opened < PAGES_MAX:
        address = waiting.popleft()
        route = route_of(routes, address)
        if route is None or len(addresses.setdefault(route.path, [])) >= ADDRESSES_A_ROUTE:
            continue
        status, media_type, text = get(address)
        opened += 1
        if status in REDIRECTS:
            continue  # to the sign-in: somebody else reads it
        if status != OK:
            broken.append(f"{address}: {status}")
            continue
        addresses[route.path].append(address)
        if media_type.startswith("text/html"):
            waiting.extend(_worth(routes, links_in(text), known))
    reached = {path for path, some in addresses.items() if some}
    unreached = [route.path for route in routes if route.path not in reached]
    return Found({path: some for path, some in addresses.items() if some}, unreached, broken)


def _worth(routes: tuple[Route, ...], links: Iterable[str], known: set[str]) -> list[str]:
    """Choose from a page's links: all that differ in kind, a few of those that differ in an id."""
    alike: Counter[tuple[str, str]] = Counter()
    chosen = []
    for link in links:
        route = route_of(routes, link)
        if route is None or link in known:
            continue
        kind = (route.path, ",".join(sorted(name for name, _ in parse_qsl(urlsplit(link).query))))
        alike[kind] += 1
        if alike[kind] <= SAME_FROM_ONE_PAGE:
            known.add(link)
            chosen.append(link)
    return chosen
