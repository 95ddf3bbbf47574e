"""The navigation as readers see it: what they may open, and where they are."""

import pytest

from tongcheng.kernel.access import Reader
from tongcheng.web.console import NavItem, NavSection
from tongcheng.web.navigation import sections

NAV = (
    NavSection("plan", (NavItem("home", "/", "plan.read"),)),
    NavSection(
        "settlement",
        (
            NavItem("desk", "/settlement", "desk.read"),
            NavItem("stays", "/settlement/stays", "stays.read"),
        ),
    ),
)
CLERK = Reader("account/1", frozenset({"plan.read", "desk.read", "stays.read"}), "A")


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("", ["home"]),
        ("/", ["home"]),
        ("/settlement", ["desk"]),
        ("/settlement/stays", ["stays"]),
        ("/settlement/stays/1", ["stays"]),
        ("/settlement/desk", ["desk"]),
        ("/settlements", []),
    ],
)
def test_the_nearest_entry_is_where_the_reader_is(path: str, here: list[str]) -> None:
    """One entry at most is marked: the longest whose pages the reader is in."""
    links = [link for section in sections(NAV, CLERK, path) for link in section.links]

    assert [link.label_key for link in links if link.here] == here


def test_what_a_reader_may_not_open_is_left_out() -> None:
    """A section leads to the first page that its reader may open; an empty one is not shown."""
    reader = Reader("account/2", frozenset({"stays.read"}), "B")

    found = sections(NAV, reader, "/")

    assert [(one.label_key, one.path) for one in found] == [("settlement", "/settlement/stays")]
