"""Which rule book decides: found by place, scheme and day on a shelf, and compiled once (pure).

The decision, the estimate, the golden cases and the audit all ask here, so that none of them picks
a book by a way of its own.
"""

from datetime import date
from typing import Any, Final

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.region import RegionPack
from tongcheng.kernel.rulebook import RuleBook, Shelf
from tongcheng.services.settlement import overlay, rules
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.tables import BenefitTables

BOOKS_COMPILED_MAX: Final = 256


def benefit_book_id(shelf: Shelf, region: RegionPack, admdvs: str, scheme: str) -> str:
    """Return the id of the benefit book of a division's own area and a scheme.

    An area without a book is refused by name (AREA_WITHOUT_RULE_BOOK); it is never given its
    neighbour's. Two books of one area and scheme are refused too (RULE_BOOKS_RIVAL): versions of
    one book are dated, two books are not.
    """
    area = region.area_of(admdvs, "settlement")
    names = {
        book.book_id
        for book in shelf
        if (book.kind, book.scheme) == (rules.KIND, scheme)
        and region.area_of(book.admdvs, "settlement").id == area.id
    }
    if not names:
        raise Refused("AREA_WITHOUT_RULE_BOOK", area=area.id, scheme=scheme)
    return _only(names)


def overlay_book(shelf: Shelf, on: date) -> RuleBook | None:
    """Return the region's book on stays elsewhere for a day, None in a region that has none.

    Refuses RULE_BOOKS_RIVAL, and as `Shelf.at`.
    """
    names = {book.book_id for book in shelf if book.kind == overlay.KIND}
    return shelf.at(_only(names), on) if names else None


def _only(names: set[str]) -> str:
    """Return the one book that there is about something, or refuse to choose among them."""
    if len(names) > 1:
        raise Refused("RULE_BOOKS_RIVAL", books=", ".join(sorted(names)))
    return min(names)


_TABLES: dict[tuple[str, str], BenefitTables] = {}
_OVERLAYS: dict[str, overlay.Overlay] = {}


def tables_of(book: RuleBook) -> BenefitTables:
    """Return a book's compiled tables; the books in use are compiled once."""
    key = (book.digest, book.status)
    tables = _TABLES.get(key)
    if tables is None:
        tables = compile_benefit(book)
        _make_room(_TABLES)
        _TABLES[key] = tables
    return tables


def overlay_of(book: RuleBook) -> overlay.Overlay:
    """Return a compiled book on stays elsewhere; the books in use are compiled once."""
    terms = _OVERLAYS.get(book.digest)
    if terms is None:
        terms = overlay.compile_overlay(book)
        _make_room(_OVERLAYS)
        _OVERLAYS[book.digest] = terms
    return terms


def _make_room(compiled: dict[Any, Any]) -> None:
    """Drop the oldest book when there are too many; several threads may do so at once."""
    while len(compiled) >= BOOKS_COMPILED_MAX:
        compiled.pop(next(iter(tuple(compiled))), None)
