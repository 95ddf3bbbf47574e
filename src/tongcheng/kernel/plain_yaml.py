"""YAML in which every scalar is the text that was typed.

YAML guesses: `012` becomes ten, `0.85` a float, `no` a false, and the later of two equal keys wins
in silence. A rule about money may not depend on a guess. This reader keeps mappings, lists and
text, knows one bare word, `null` for *unknown*, and refuses the rest of YAML by name.

It walks the parser's events with a stack of its own, so a hostile file cannot exhaust Python's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Plain: TypeAlias = "str | list[Plain] | dict[str, Plain] | None"

TEXT_CHARACTERS_MAX: Final = 1_048_576
DEPTH_MAX: Final = 24
"""Canonical JSON allows 32; a document is wrapped by what carries it."""


class YamlFault(Exception):
    """The text is not plain YAML: `name` is stable, `line` counts from 1, `detail` is free.

    Names: NOT_YAML, TOO_LARGE, DEPTH, KEY, DUPLICATE_KEY, ANCHOR, TAG, EMPTY_VALUE. No `Refused`,
    because the catalogue of refusals is itself read by this module.
    """

    def __init__(self, name: str, line: int, detail: str) -> None:
        super().__init__(name, line, detail)
        self.name = name
        self.line = line
        self.detail = detail

    def __str__(self) -> str:
        return f"line {self.line}: {self.name.lower().replace('_', ' ')}: {self.detail}"


def load(path: Path) -> Plain:
    """Read a UTF-8 file; raises YamlFault, OSError, UnicodeDecodeError."""
    return read(path.read_text(encoding="utf-8"))


def read(text: str) -> Plain:
    """Read the one document that the text holds, keys in the order of the text."""
    if len(text) > TEXT_CHARACTERS_MAX:
        raise YamlFault("TOO_LARGE", 1, f"more than {TEXT_CHARACTERS_MAX} characters")
    try:
        return _build(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        raise YamlFault("NOT_YAML", line, fault.problem or "not YAML") from None
    except yaml.YAMLError as fault:
        reason = str(getattr(fault, "reason", fault))
        raise YamlFault("NOT_YAML", 1, reason) from None


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
        elif self.key is not None:
            self.value[self.key] = item
            self.key = None
        elif not isinstance(item, str):
            raise YamlFault("KEY", line, "a key must be a text")
        elif item in self.value:
            raise YamlFault("DUPLICATE_KEY", line, item)
        else:
            self.key = item


def _build(events: Iterator[yaml.Event]) -> Plain:
    stack: list[_Open] = []
    root: Plain = None
    documents = 0
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise YamlFault("NOT_YAML", line, "a second document")
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
                raise YamlFault("DEPTH", line, f"more than {DEPTH_MAX} deep")
            stack.append(_Open(item))
    return root


def _node(event: yaml.NodeEvent, line: int) -> Plain:
    if event.anchor is not None:
        raise YamlFault("ANCHOR", line, str(event.anchor))
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise YamlFault("TAG", line, str(tag))
    if isinstance(event, yaml.MappingStartEvent):
        return {}
    if isinstance(event, yaml.SequenceStartEvent):
        return []
    assert isinstance(event, yaml.ScalarEvent), event
    if event.style is None and event.value in {"", "~"}:
        raise YamlFault("EMPTY_VALUE", line, "write null for unknown, or quote an empty text")
    if event.style is None and event.value == "null":
        return None
    return str(event.value)
