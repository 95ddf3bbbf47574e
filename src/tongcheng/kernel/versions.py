"""Which version of a rule book is in force on which days.

Where an adopted version is in force, a draft is not: one that begins under it is set aside, and
one that began earlier ends the day before. Two versions of one id on one day are refused.
"""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

from tongcheng.kernel.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tongcheng.kernel.rulebook import RuleBook

DAY = timedelta(days=1)


def in_force(
    books: Iterable[RuleBook], adopted: Mapping[str, date | None]
) -> dict[str, list[RuleBook]]:
    """Return the versions that are in force on some day, by id, oldest first.

    `adopted` names by digest the last day of an adopted version, None for the book's own. A
    version that ends before it begins was replaced as a whole. Refuses RULE_BOOK_OVERLAP.
    """
    found: dict[str, list[RuleBook]] = {}
    known = sorted(books, key=lambda book: book.digest not in adopted)
    for book in known:
        others = found.setdefault(book.book_id, [])
        kept = _until(book, adopted[book.digest]) if book.digest in adopted else book
        if book.digest not in adopted:
            kept = _beside(book, [other for other in others if other.digest in adopted])
        if kept.effective_to is None or kept.effective_to >= kept.effective_from:
            others.append(kept)
    for book_id, versions in found.items():
        versions.sort(key=lambda book: book.effective_from)
        for earlier, later in itertools.pairwise(versions):
            if earlier.covers(later.effective_from):
                on = later.effective_from.isoformat()
                raise Refused("RULE_BOOK_OVERLAP", book=book_id, on=on)
    return {book_id: versions for book_id, versions in found.items() if versions}


def _until(book: RuleBook, last: date | None) -> RuleBook:
    """Return a version that ends on a day, or on its own last day if that is earlier."""
    ends = [day for day in (book.effective_to, last) if day is not None]
    return msgspec.structs.replace(book, effective_to=min(ends, default=None))


def _beside(draft: RuleBook, adopted: list[RuleBook]) -> RuleBook:
    """Return what the adopted versions of its id leave of a draft."""
    ahead = [
        book.effective_from
        for book in adopted
        if book.effective_to is None or book.effective_to >= draft.effective_from
    ]
    return _until(draft, min(ahead) - DAY) if ahead else draft
