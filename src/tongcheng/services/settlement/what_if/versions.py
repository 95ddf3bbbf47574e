"""Which books hold under the new rules: the old ones, with new versions in place of theirs (pure).

A new version stands in for the versions of the same `book_id` on the days that it covers, as in
`replay`; before and after it the old versions hold. A book of another id is added.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec

from tongcheng.kernel.rulebook import RuleBook

DAY = timedelta(days=1)


def replaced(old: Iterable[RuleBook], new: Iterable[RuleBook]) -> list[RuleBook]:
    """Return the books under the new rules.

    Two new versions of one book on one day are left as they are: the plan refuses them
    (RULE_BOOK_OVERLAP).
    """
    added = list(new)
    kept: list[RuleBook] = []
    for book in old:
        pieces = [book]
        for other in added:
            if other.book_id == book.book_id:
                pieces = [left for piece in pieces for left in _beside(piece, other)]
        kept += pieces
    return kept + added


def _beside(book: RuleBook, new: RuleBook) -> list[RuleBook]:
    """Return what a new version leaves of an old one: nothing, one piece, or one on either side."""
    left: list[RuleBook] = []
    if book.effective_from < new.effective_from:
        ends = new.effective_from - DAY
        if book.effective_to is not None:
            ends = min(ends, book.effective_to)
        left.append(msgspec.structs.replace(book, effective_to=ends))
    ends_last = book.effective_to or date.max
    if new.effective_to is not None and ends_last > new.effective_to:
        begins = max(book.effective_from, new.effective_to + DAY)
        left.append(msgspec.structs.replace(book, effective_from=begins))
    return left
