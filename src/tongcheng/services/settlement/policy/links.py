"""Where a rule stands on the page of its book: the same address on every page of the console."""

import re
from typing import Final

BOOKS_PATH: Final = "/rulebooks"
_NOT_NAME: Final = re.compile(r"[^a-z0-9_]+")


def anchor(path: str) -> str:
    """Return the id of a rule's place: "rules.bands[0].steps[1].ratio" → "rules-bands-0-…"."""
    return _NOT_NAME.sub("-", path).strip("-")


def book_path(key: str) -> str:
    """Return the address, without language, of a book by its digest or its id."""
    return f"{BOOKS_PATH}/{key}"


def rule_path(digest: str, path: str) -> str:
    """Return the address, without language, of one rule of the book with a digest."""
    return f"{book_path(digest)}#{anchor(path)}"
