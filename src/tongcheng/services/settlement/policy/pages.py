"""The addresses of the pages of rule books: which versions there are, and how they became law."""

from collections.abc import Iterable

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from tongcheng.kernel import rulebook_adoption as adoptions
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.rulebook_record import ADOPTIONS
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.store import Reading
from tongcheng.services.settlement.policy import diff_view, view
from tongcheng.services.settlement.policy.links import BOOKS_PATH
from tongcheng.services.settlement.policy.view import Adopted, Version
from tongcheng.web import Page
from tongcheng.web.toolkit import AnyRequest, needs


def versions_of(reading: Reading, home: Home, also: str = "") -> tuple[Version, ...]:
    """Return every version that is in force on some day, and those adopted that no longer are.

    `also` is the digest of one that is wanted whether it ever was in force or not.
    """
    adopted: dict[str, Adopted] = {}
    for row in reading.select(ADOPTIONS):
        signatures = adoptions.parse(row.document).signatures
        adopted[row.digest] = Adopted(len(signatures), row.adopted_at)
    found = [Version(book, adopted.get(book.digest)) for book in home.shelf]
    shown = {each.book.digest for each in found}
    for digest in {**adopted, also: None}:
        book = home.shelf.find(digest)
        if digest not in shown and book is not None:
            found.append(Version(book, adopted.get(digest), in_force=False))
    return in_order(found)


def in_order(versions: Iterable[Version]) -> tuple[Version, ...]:
    """Return versions by the division of their book, its id and their first day."""
    return tuple(
        sorted(versions, key=lambda each: (each.book.admdvs, each.book.book_id, _from(each)))
    )


def _from(version: Version) -> str:
    return version.book.effective_from.isoformat()


def find(versions: tuple[Version, ...], key: str, on: str) -> Version:
    """Return the version of a digest, or that of an id on a day, else the last one of the id.

    Refuses RULE_BOOK_MISSING.
    """
    by_digest = next((each for each in versions if each.book.digest == key), None)
    if by_digest is not None:
        return by_digest
    named = [each for each in versions if each.book.book_id == key and each.in_force]
    begun = [each for each in named if _from(each) <= on]
    if not named:
        raise Refused("RULE_BOOK_MISSING", book=ascii(key[:64]).strip("'"), on=on)
    return (begun or named)[-1]


async def _versions(
    page: Page, request: AnyRequest, also: str = ""
) -> tuple[tuple[Version, ...], str]:
    node: RunningNode = request.app.state["node"]
    found = await node.read(lambda snapshot: versions_of(snapshot, node.home, also))
    return found, local_date(node.clock.now(), page.console.region.zone).isoformat()


@get(BOOKS_PATH, include_in_schema=False, opt=needs("rulebook.read"))
async def books_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the list of rule books."""
    versions, _ = await _versions(page, request)
    return view.books(page, versions)


@get(BOOKS_PATH + "/{key:str}", include_in_schema=False, opt=needs("rulebook.read"))
async def book_page(
    page: NamedDependency[Page], request: AnyRequest, key: FromPath[str]
) -> Response[str]:
    """Serve one version, by its digest or by the id of the book, as a policy."""
    versions, on = await _versions(page, request, key)
    chosen = find(versions, key, on)
    same = tuple(each for each in versions if each.book.book_id == chosen.book.book_id)
    return view.book(page, same, chosen)


@get(BOOKS_PATH + "/{key:str}/diff", include_in_schema=False, opt=needs("rulebook.read"))
async def diff_page(
    page: NamedDependency[Page], request: AnyRequest, key: FromPath[str]
) -> Response[str]:
    """Serve what differs between two versions; without `from` and `to`, the last two."""
    versions, on = await _versions(page, request)
    book_id = find(versions, key, on).book.book_id
    same = tuple(each for each in versions if each.book.book_id == book_id)
    query = request.query_params
    before = find(same, str(query.get("from") or same[max(0, len(same) - 2)].book.digest), on)
    after = find(same, str(query.get("to") or same[-1].book.digest), on)
    return diff_view.diff(page, before, after)


HANDLERS: tuple[HTTPRouteHandler, ...] = (books_page, book_page, diff_page)
