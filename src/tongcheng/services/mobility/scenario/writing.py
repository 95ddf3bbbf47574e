"""Writes a scenario's document as YAML, for a form that was filled in and for what a node keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import yaml

from tongcheng.kernel.plain_yaml import Plain

_ORDER: Final = (
    "scenario_id",
    "title",
    "project",
    "status",
    "base",
    "after_on",
    "mode",
    "seen_from",
    "changes",
    "limits",
)
_COLUMNS: Final = 1_000
"""No value is folded."""


def text_of(document: Mapping[str, Plain]) -> str:
    """Return the YAML of a scenario's document; read again, it is the same document."""
    ordered = {key: document[key] for key in _ORDER if key in document}
    ordered |= {key: value for key, value in sorted(document.items()) if key not in ordered}
    return yaml.dump(
        ordered,
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=None,
        width=_COLUMNS,
    )


class _Dumper(yaml.SafeDumper):
    """Writes every text so that it is read as text, and nothing twice by reference."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the dumper's own form
        return True
