"""docs/console.md names every page of the console with the action it needs, and no other."""

import re
from pathlib import Path

from litestar.handlers import HTTPRouteHandler

from tests.tidy import ROOT
from tongcheng.node import pages
from tongcheng.node.pages import demo
from tongcheng.node.services import SERVICES
from tongcheng.web.toolkit import ACTION

PAGE: Path = ROOT / "docs" / "console.md"
ADDRESS = re.compile(r"`(/[^`]*)`")
EXAMPLES = {"/zh/settlement", "/en/settlement"}


def _routes() -> dict[str, str]:
    """Return every address of the console that is read, and its action."""
    theirs = (handler for service in SERVICES for handler in service.pages)
    handlers: list[HTTPRouteHandler] = [*pages.HANDLERS, *theirs, *demo.HANDLERS]
    return {
        re.sub(r":\w+}", "}", path): handler.opt[ACTION]
        for handler in handlers
        if "GET" in handler.http_methods
        for path in handler.paths
    }


def _rows() -> list[tuple[str, str, str]]:
    """Return the page, the action and the downloads of each row."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [(page.strip("`"), action.strip("`"), files) for page, _, action, files in cells]


def test_every_address_is_named() -> None:
    """Pages, their downloads and the parts that refresh themselves."""
    named = set(ADDRESS.findall(PAGE.read_text("utf-8"))) - EXAMPLES

    assert named == set(_routes())


def test_each_page_and_its_files_need_the_action_that_stands_beside_them() -> None:
    """A row is true of the page and of everything that is downloaded from it."""
    routes = _routes()

    for page, action, files in _rows():
        assert {routes[each] for each in (page, *ADDRESS.findall(files))} == {action}, page
