"""Fact documents: what they hold, and that a fault names its line."""

import msgspec
import pytest

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts.documents import CHARACTERS_MAX, line_of, read


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A thing with a name."""

    name: str


class Box(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Things in a box."""

    items: tuple[Item, ...]


TEXT = "# why\nitems:\n- name: a\n- name: b\n"


def test_read() -> None:
    """A sound document is what it says."""
    assert read("b.yaml", TEXT, Box) == Box((Item("a"), Item("b")))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (TEXT.replace("name: b", "nom: b"), 4),
        (TEXT.replace("name: b", "name: [b]"), 4),
        (TEXT + "more: 1\n", 2),
        (TEXT + "items: 1\n", 5),
        ("items: 1\n", 1),
        ("items:\n", 1),
        ("", 1),
        ("items: [&a {name: b}]", 1),
        ("\n\n  - {\n", 4),
    ],
)
def test_faults_have_lines(text: str, line: int) -> None:
    """What is no such document is refused with the line."""
    with pytest.raises(Refused) as refused:
        read("b.yaml", text, Box)

    assert refused.value.code == "FACTS_DOCUMENT"
    assert refused.value.facts["line"] == line


def test_too_long() -> None:
    """A document that somebody wrote by hand is not that long."""
    with pytest.raises(Refused, match="too long"):
        read("b.yaml", "#" * (CHARACTERS_MAX + 1), Box)


def test_line_of() -> None:
    """A path is followed as far as it leads."""
    assert line_of(TEXT, ".items[1].name") == 4
    assert line_of(TEXT, ".items[7].name") == 2
    assert line_of(TEXT, "") == 2
