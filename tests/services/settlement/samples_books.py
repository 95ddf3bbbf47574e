"""The pages of rule books over the shipped books, for tests of pages: no store, no node."""

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from tests.services.settlement import samples
from tests.services.settlement.books import REGION
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook, Shelf, from_document, parse
from tongcheng.services.settlement.policy import diff_view, pages, view
from tongcheng.services.settlement.policy.view import Adopted, Version
from tongcheng.web import Page

TODAY = "2026-11-22"
BOOKS = tuple(
    Shelf(parse(path.read_text("utf-8")) for path in sorted((REGION / "rulebooks").glob("*.yaml")))
)
IDS = tuple(dict.fromkeys(book.book_id for book in BOOKS))
PATHS = (
    "/rulebooks",
    "/rulebooks/beijing-employee-inpatient",
    "/rulebooks/tianjin-employee-inpatient",
    "/rulebooks/tianjin-resident-inpatient",
    "/rulebooks/hebei-shijiazhuang-resident-inpatient",
    "/rulebooks/cross-region-overlay",
    "/rulebooks/beijing-visited-management",
    "/rulebooks/broken",
    "/rulebooks/cross-region-overlay/diff",
)


def broken() -> RuleBook:
    """Return a synthetic book with a figure that is no number: nothing can be computed by it."""
    document = dict(next(book for book in BOOKS if book.kind == "benefit").document)
    rules = document["rules"]
    assert isinstance(rules, dict)
    cap: Plain = {"value": "much", "source": "own", "confidence": "own"}
    return from_document({**document, "book_id": "broken", "rules": {**rules, "pool_cap": cap}})


def versions() -> tuple[Version, ...]:
    """Return every shipped version as a draft, one of them as if two officers had adopted it."""
    found = [Version(book, None) for book in (*BOOKS, broken())]
    adopted = msgspec.structs.replace(BOOKS[0], status="adopted")
    found[0] = Version(adopted, Adopted(2, samples.NOW))
    return pages.in_order(found)


def _same(key: str) -> tuple[Version, ...]:
    book_id = pages.find(versions(), key, TODAY).book.book_id
    return tuple(each for each in versions() if each.book.book_id == book_id)


@get("/rulebooks", sync_to_thread=False)
def _books(page: NamedDependency[Page], empty: FromQuery[int] = 0) -> Response[str]:
    return view.books(page, () if empty else versions())


@get("/rulebooks/{key:str}", sync_to_thread=False)
def _book(page: NamedDependency[Page], key: FromPath[str]) -> Response[str]:
    return view.book(page, _same(key), pages.find(versions(), key, TODAY))


@get("/rulebooks/{key:str}/diff", sync_to_thread=False)
def _diff(page: NamedDependency[Page], key: FromPath[str]) -> Response[str]:
    same = _same(key)
    return diff_view.diff(page, same[0], same[-1])


HANDLERS = (_books, _book, _diff)
