"""The navigation as one reader sees it: what they may open, and where they are.

Two rows: sections, and the pages of the section that the reader is in. The home page's path is
everybody's beginning, so it is "here" only when it is the page itself.
"""

import msgspec

from tongcheng.kernel.access import Reader
from tongcheng.web.console import NavItem, NavSection

HOME = "/"


class Link(msgspec.Struct, frozen=True):
    """One entry as shown; `path` has no language, `here` marks the reader's place."""

    label_key: str
    path: str
    here: bool


class Section(msgspec.Struct, frozen=True):
    """One section as shown; it leads to the first of its pages that the reader may open."""

    label_key: str
    path: str
    here: bool
    links: tuple[Link, ...]


def sections(nav: tuple[NavSection, ...], reader: Reader, path: str) -> tuple[Section, ...]:
    """Return the sections for a reader at `path` (without language); empty ones are left out."""
    shown = [_section(one, reader, path) for one in nav]
    return tuple(one for one in shown if one is not None)


def _section(section: NavSection, reader: Reader, path: str) -> Section | None:
    items = [item for item in section.items if reader.may(item.action)]
    if not items:
        return None
    # The longest path wins: "/settlement" is the beginning of "/settlement/stays" too.
    inside = [item for item in items if is_inside(path, item)]
    nearest = max(inside, key=lambda item: len(item.path), default=None)
    links = tuple(Link(item.label_key, item.path, item is nearest) for item in items)
    return Section(section.label_key, items[0].path, nearest is not None, links)


def is_inside(path: str, item: NavItem) -> bool:
    """Tell whether a page belongs to an entry: it is its page, or lies below it."""
    if item.path == HOME:
        return path in {"", HOME}
    return path == item.path or path.startswith(item.path + "/")
