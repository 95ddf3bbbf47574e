"""Fact documents in YAML, read without guesses (`kernel.plain_yaml`); a fault names its line.

Numbers stand as text, as in rule books: what means a number is checked where it is used.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec
import yaml

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.plain_yaml import Plain, YamlFault, parse

CHARACTERS_MAX: Final = 1_048_576

# The same reader as `plain_yaml` has: the two grammars differ in what they take.
_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_KEY = re.compile(r"[a-z0-9_]+")
_WHERE = re.compile(r"\.([a-z0-9_]+)|\[([0-9]+)\]")
_Document = TypeVar("_Document")


def read(file: str, text: str, kind: type[_Document]) -> _Document:
    """Return the document that a text holds; refuses FACTS_DOCUMENT with the line and the fault."""
    return shaped(file, text, plain_of(file, text), kind)


def plain_of(file: str, text: str) -> Plain:
    """Return what a text holds, whatever its shape; refuses FACTS_DOCUMENT for no plain YAML."""
    if len(text) > CHARACTERS_MAX:
        raise Refused("FACTS_DOCUMENT", file=file, line=1, fault="too long")
    try:
        return parse(text, _KEY)
    except YamlFault as fault:
        reason = str(fault).partition(": ")[2]
        raise Refused("FACTS_DOCUMENT", file=file, line=fault.line, fault=reason) from None


def shaped(file: str, text: str, plain: Plain, kind: type[_Document]) -> _Document:
    """Return what `text` holds in its shape; refuses FACTS_DOCUMENT with the line."""
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as fault:
        what, _, where = str(fault).partition(" - at `$")
        line = line_of(text, where.removesuffix("`"))
        shown = f"{what} ({where[1:-1]})" if where else what
        raise Refused("FACTS_DOCUMENT", file=file, line=line, fault=shown) from None


def line_of(text: str, where: str) -> int:
    """Return the line at which a path like `.gates[0].lon` begins, or as far as it leads.

    `text` is YAML that `plain_yaml.parse` took.
    """
    node = yaml.compose(text, Loader=_LOADER)
    line = 1 if node is None else node.start_mark.line + 1
    for key, place in _WHERE.findall(where):
        found = _child(node, key, place)
        if found is None:
            break
        line, node = found
    return line


def item_lines(text: str, key: str) -> tuple[int, ...]:
    """Return the lines at which the items of the list `key` begin; () where there is no list."""
    node = yaml.compose(text, Loader=_LOADER)
    found = None if node is None else _child(node, key, "")
    if found is None or not isinstance(found[1], yaml.SequenceNode):
        return ()
    return tuple(item.start_mark.line + 1 for item in found[1].value)


def _child(node: yaml.Node | None, key: str, place: str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                return name.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and place and int(place) < len(node.value):
        item = node.value[int(place)]
        return item.start_mark.line + 1, item
    return None
