"""YAML in which every scalar is the text that was typed.

YAML guesses: ``012`` becomes ten, ``0.85`` a float, ``no`` a false, and the later of two equal keys wins
in silence. A rule about money may not depend on a guess. This reader keeps mappings, lists and text,
knows one word, ``null`` for *unknown*, and refuses the rest of YAML by name.

It walks the parser's events with a stack of its own, so that a hostile file cannot exhaust Python's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml

from tongcheng.kernel.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

type Plain = str | None | list[Plain] | dict[str, Plain]

TEXT_CHARACTERS_MAX: Final = 1_048_576
DEPTH_MAX: Final = 24  # canonical JSON allows 32; a document is wrapped by what carries it

_KEY = re.compile(r"[a-z0-9_]+")


def read(text: str) -> dict[str, Plain]:
    """Return the one mapping that the text holds.

    Scalars are ``str`` as typed; a bare ``null`` is ``None`` and means unknown.

    Raises:
        Refused: RULE_BOOK_YAML, RULE_BOOK_TOO_LARGE, RULE_BOOK_DEPTH, RULE_BOOK_KEY,
            RULE_BOOK_DUPLICATE_KEY, RULE_BOOK_ANCHOR, RULE_BOOK_TAG, RULE_BOOK_EMPTY_VALUE,
            each with the line.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        raise Refused("RULE_BOOK_TOO_LARGE", limit=TEXT_CHARACTERS_MAX)
    try:
        root = _build(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise Refused("RULE_BOOK_YAML", line=line, fault=_first_line(fault)) from fault
    if not isinstance(root, dict):
        raise Refused("RULE_BOOK_YAML", line=1, fault="not a mapping of keys to values")
    return root


def _first_line(fault: yaml.YAMLError) -> str:
    problem = getattr(fault, "problem", None) or getattr(fault, "reason", None) or str(fault)
    return str(problem).splitlines()[0]


class _Open:
    """A mapping or list whose end has not been read yet."""

    __slots__ = ("key", "value")

    def __init__(self, value: dict[str, Plain] | list[Plain]) -> None:
        self.value = value
        self.key: str | None = None

    def add(self, item: Plain, line: int) -> None:
        """Put an item into the list, or take it as the mapping's next key or value."""
        if isinstance(self.value, list):
            self.value.append(item)
        elif self.key is None:
            self.key = _checked_key(item, self.value, line)
        else:
            self.value[self.key] = item
            self.key = None


def _checked_key(item: Plain, mapping: dict[str, Plain], line: int) -> str:
    if not isinstance(item, str) or not _KEY.fullmatch(item):
        shown = item if isinstance(item, str) else "(not a text)"
        raise Refused("RULE_BOOK_KEY", line=line, key=shown)
    if item in mapping:
        raise Refused("RULE_BOOK_DUPLICATE_KEY", line=line, key=item)
    return item


def _build(events: Iterator[yaml.Event]) -> Plain:
    stack: list[_Open] = []
    root: Plain = None
    documents = 0
    for event in events:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise Refused("RULE_BOOK_YAML", line=line, fault="a second document")
            continue
        if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            stack.pop()
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        item = _node(event, line)
        if stack:
            stack[-1].add(item, line)
        else:
            root = item
        if isinstance(item, (dict, list)):
            if len(stack) == DEPTH_MAX:
                raise Refused("RULE_BOOK_DEPTH", line=line, limit=DEPTH_MAX)
            stack.append(_Open(item))
    return root


def _node(event: yaml.NodeEvent, line: int) -> Plain:
    if event.anchor is not None:
        raise Refused("RULE_BOOK_ANCHOR", line=line, name=event.anchor)
    if getattr(event, "tag", None) is not None:
        raise Refused("RULE_BOOK_TAG", line=line, tag=str(event.tag))
    if isinstance(event, yaml.MappingStartEvent):
        return {}
    if isinstance(event, yaml.SequenceStartEvent):
        return []
    assert isinstance(event, yaml.ScalarEvent)
    if event.style is None and event.value in ("", "~"):
        raise Refused("RULE_BOOK_EMPTY_VALUE", line=line)
    if event.style is None and event.value == "null":
        return None
    value: str = event.value
    return value
