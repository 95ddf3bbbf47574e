"""Reading plain YAML from the files that ship with the program or a region."""

from __future__ import annotations

from pathlib import Path

from tongcheng.kernel.plain_yaml import Plain, YamlFault, parse

__all__ = ["YamlFault", "load"]


def load(path: Path) -> Plain:
    """Read the file at `path`, UTF-8; raises YamlFault, UnicodeDecodeError or OSError."""
    return parse(path.read_text(encoding="utf-8"))
