"""YAML in which every scalar is the text that was typed.

YAML guesses: `012` becomes ten, `0.85` a float, `no` a false, and the later of two equal keys wins
in silence. A rule about money may not depend on a guess. This reader keeps mappings, lists and
text, knows one bare word, `null` for *not known*, and takes the rest of YAML for a fault: whatever
lets two readers see two things in one file.

It walks the parser's events with a stack of its own, so a hostile file cannot exhaust Python's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

import yaml

Plain: TypeAlias = "str | list[Plain] | dict[str, Plain] | None"

DEPTH_MAX: Final = 24
"""Canonical JSON allows 32; a document is wrapped by what carries it."""

Kind = Literal["yaml", "depth", "key", "duplicate_key", "anchor", "tag", "empty_value"]

_SAID: Final[dict[Kind, str]] = {
    "yaml": "{found}",
    "depth": "nested more than {found} deep",
    "key": "{found} is no key here",
    "duplicate_key": "the key {found} stands twice",
    "anchor": "a value used again by &{found} or *{found}; write it out",
    "tag": "the tag {found}; every value is text",
    "empty_value": "an empty value; write null where it is not known",
}

# libyaml reads ten times faster; the pure loader is the same grammar for machines without it.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_SHOWN_MAX = 40


class YamlFault(ValueError):
    """Text that is not plain; `line` counts from 1, `found` is the key, name, tag or reason."""

    def __init__(self, kind: Kind, line: int, found: str = "") -> None:
        super().__init__(f"line {line}: {_SAID[kind].format(found=found)}")
        self.kind: Kind = kind
        self.line = line
        self.found = found


def parse(text: str, keys: re.Pattern[str] | None = None) -> Plain:
    """Return the one document that the text holds, keys in their order; raises YamlFault.

    A key that does not match `keys` in full is a fault.
    """
    try:
        return _build(yaml.parse(text, Loader=_LOADER), keys)
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        # libyaml puts what is missing at the end behind the last line.
        line = min(line, text.count("\n") + 1)
        raise YamlFault("yaml", line, fault.problem or "?") from None
    except (yaml.YAMLError, UnicodeError) as fault:
        reason = str(getattr(fault, "reason", fault)).splitlines()[0]
        raise YamlFault("yaml", 1, reason) from None


class _Open:
    """A mapping or list whose end has not been read yet."""

    __slots__ = ("key", "value")

    def __init__(self, value: dict[str, Plain] | list[Plain]) -> None:
        self.value = value
        self.key: str | None = None

    def add(self, item: Plain, line: int, keys: re.Pattern[str] | None) -> None:
        """Put an item into the list, or take it as the mapping's next key or value."""
        if isinstance(self.value, list):
            self.value.append(item)
        elif self.key is not None:
            self.value[self.key] = item
            self.key = None
        elif not isinstance(item, str):
            raise YamlFault("key", line, "not a text")
        elif keys is not None and not keys.fullmatch(item):
            raise YamlFault("key", line, ascii(item[:_SHOWN_MAX]))
        elif item in self.value:
            raise YamlFault("duplicate_key", line, item[:_SHOWN_MAX])
        else:
            self.key = item


def _build(events: Iterator[yaml.Event], keys: re.Pattern[str] | None) -> Plain:
    stack: list[_Open] = []
    root: Plain = None
    documents = 0
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise YamlFault("yaml", line, "a second document")
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            stack.pop()
        if not isinstance(event, yaml.NodeEvent):
            continue
        item = _node(event, line)
        if stack:
            stack[-1].add(item, line, keys)
        else:
            root = item
        if isinstance(item, dict | list):
            if len(stack) == DEPTH_MAX:
                raise YamlFault("depth", line, str(DEPTH_MAX))
            stack.append(_Open(item))
    return root


def _node(event: yaml.NodeEvent, line: int) -> Plain:
    if event.anchor is not None:
        raise YamlFault("anchor", line, str(event.anchor)[:_SHOWN_MAX])
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise YamlFault("tag", line, str(tag)[:_SHOWN_MAX])
    if isinstance(event, yaml.MappingStartEvent):
        return {}
    if isinstance(event, yaml.SequenceStartEvent):
        return []
    assert isinstance(event, yaml.ScalarEvent), event
    # The parsers differ in how they mark a plain scalar: None or the empty text.
    if not event.style and event.value in {"", "~"}:
        raise YamlFault("empty_value", line)
    if not event.style and event.value == "null":
        return None
    return str(event.value)
