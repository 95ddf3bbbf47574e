"""YAML files without implicit types: what the author wrote is what the program reads.

Ordinary YAML turns `012` into 10, `no` into False and `2026-01-01` into a date. Here every scalar
is text, except a bare `null`, `~` or nothing at all, which is None: *not known*. Duplicate keys,
anchors, aliases and a second document are faults, because each lets two readers see two things in
one file. For the files that ship with the program or a region; rule books, which come from
others, are read by `plain_yaml`, which refuses each fault under a code.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import yaml

Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"

# libyaml reads ten times faster; the pure loader is the same grammar for machines without it.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NULLS = frozenset({"", "~", "null"})
_DEPTH_MAX = 32


class YamlFault(ValueError):
    """A file that cannot be read; `line` counts from 1, `fault` says what."""

    def __init__(self, line: int, fault: str) -> None:
        super().__init__(f"line {line}: {fault}")
        self.line = line
        self.fault = fault


def parse(text: str) -> Value:
    """Read one YAML document of texts, lists, mappings and nulls; raises YamlFault."""
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        raise YamlFault(line, fault.problem or "not YAML") from None
    except (yaml.YAMLError, UnicodeError) as fault:
        raise YamlFault(1, str(fault).splitlines()[0]) from None
    except RecursionError:
        raise YamlFault(1, "nested too deeply") from None
    return None if node is None else _plain(node, set(), 1)


def load(path: Path) -> Value:
    """Read the file at `path`; raises YamlFault or OSError."""
    return parse(path.read_text(encoding="utf-8"))


def _plain(node: yaml.Node, seen: set[int], depth: int) -> Value:
    line = _line(node)
    if depth > _DEPTH_MAX:
        raise YamlFault(line, "nested too deeply")
    if id(node) in seen:
        raise YamlFault(line, "a value used again by &name and *name; write it out")
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        # The parsers differ in how they mark a plain scalar: None or the empty text.
        return None if not node.style and node.value in _NULLS else str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, seen, depth + 1) for item in node.value]
    assert isinstance(node, yaml.MappingNode), node
    result: dict[str, Value] = {}
    for key_node, value_node in node.value:
        key = _plain(key_node, seen, depth + 1)
        if not isinstance(key, str):
            raise YamlFault(_line(key_node), "a key must be text")
        if key in result:
            raise YamlFault(_line(key_node), f"the key {key!r} stands twice")
        result[key] = _plain(value_node, seen, depth + 1)
    return result


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1 if node.start_mark else 1
