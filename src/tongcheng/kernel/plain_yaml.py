"""YAML from others, in which every scalar is the text that was typed.

YAML guesses: `012` becomes ten, `0.85` a float, `no` a false, and the later of two equal keys wins
in silence. A rule about money may not depend on a guess. This reader keeps mappings, lists and
text, knows one bare word, `null` for *unknown*, and refuses the rest of YAML under a code.

It walks the parser's events with a stack of its own, so a hostile file cannot exhaust Python's.
The files that ship with the program are read by `yaml_file`, which may not know `Refused`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

import yaml

from tongcheng.kernel.errors import Refused

Plain: TypeAlias = "str | list[Plain] | dict[str, Plain] | None"

TEXT_CHARACTERS_MAX: Final = 1_048_576
DEPTH_MAX: Final = 24
"""Canonical JSON allows 32; a document is wrapped by what carries it."""

_KEY = re.compile(r"[a-z0-9_]+")
_SHOWN_MAX = 40


def read(text: str) -> dict[str, Plain]:
    """Return the one mapping that the text holds, keys in the order of the text.

    Refuses, each with its line: RULE_BOOK_YAML, RULE_BOOK_TOO_LARGE, RULE_BOOK_DEPTH,
    RULE_BOOK_KEY (keys are [a-z0-9_]+, as canonical bytes want them), RULE_BOOK_DUPLICATE_KEY,
    RULE_BOOK_ANCHOR, RULE_BOOK_TAG, RULE_BOOK_EMPTY_VALUE.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        raise Refused("RULE_BOOK_TOO_LARGE", most=TEXT_CHARACTERS_MAX)
    try:
        root = _build(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        raise Refused("RULE_BOOK_YAML", line=line, fault=fault.problem or "?") from None
    except yaml.YAMLError as fault:
        reason = str(getattr(fault, "reason", fault))
        raise Refused("RULE_BOOK_YAML", line=1, fault=reason) from None
    if not isinstance(root, dict):
        raise Refused("RULE_BOOK_YAML", line=1, fault="not a mapping of keys to values")
    return root


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
        shown = ascii(item[:_SHOWN_MAX]) if isinstance(item, str) else "not a text"
        raise Refused("RULE_BOOK_KEY", line=line, key=shown)
    if item in mapping:
        raise Refused("RULE_BOOK_DUPLICATE_KEY", line=line, key=item)
    return item


def _build(events: Iterator[yaml.Event]) -> Plain:
    stack: list[_Open] = []
    root: Plain = None
    documents = 0
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise Refused("RULE_BOOK_YAML", line=line, fault="a second document")
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            stack.pop()
        if not isinstance(event, yaml.NodeEvent):
            continue
        item = _node(event, line)
        if stack:
            stack[-1].add(item, line)
        else:
            root = item
        if isinstance(item, dict | list):
            if len(stack) == DEPTH_MAX:
                raise Refused("RULE_BOOK_DEPTH", line=line, most=DEPTH_MAX)
            stack.append(_Open(item))
    return root


def _node(event: yaml.NodeEvent, line: int) -> Plain:
    if event.anchor is not None:
        raise Refused("RULE_BOOK_ANCHOR", line=line, name=str(event.anchor)[:_SHOWN_MAX])
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise Refused("RULE_BOOK_TAG", line=line, tag=str(tag)[:_SHOWN_MAX])
    if isinstance(event, yaml.MappingStartEvent):
        return {}
    if isinstance(event, yaml.SequenceStartEvent):
        return []
    assert isinstance(event, yaml.ScalarEvent), event
    if event.style is None and event.value in {"", "~"}:
        raise Refused("RULE_BOOK_EMPTY_VALUE", line=line)
    if event.style is None and event.value == "null":
        return None
    return str(event.value)
