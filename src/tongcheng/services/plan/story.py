"""The story that goes through all services, as data of a region: made up, and shown as that.

Optional: a region without a `story.yaml` tells none. Only a node of made-up persons shows one.
"""

from pathlib import Path
from typing import Literal

import msgspec

from tongcheng.kernel import yaml_file
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.region import Code
from tongcheng.kernel.words import Words


class Stay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose stay it is: the hospital's code and its own number for the stay (住院号)."""

    institution_id: str
    inpatient_no: str


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step: what happens, whether it is built, and whether the stay's page shows it."""

    id: Code
    title: Words
    text: Words
    status: Literal["live", "not_built"]
    leads_to_stay: bool = False


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole story; `link` is what the way to the stay is called."""

    title: Words
    link: Words
    stay: Stay
    steps: tuple[Step, ...]


def load(path: Path) -> Story | None:
    """Read a region's story, None without one; refuses PLAN_MALFORMED, saying where."""
    if not path.is_file():
        return None
    try:
        return msgspec.convert(yaml_file.load(path), Story, strict=False)
    except (yaml_file.YamlFault, msgspec.ValidationError, UnicodeDecodeError) as fault:
        raise Refused("PLAN_MALFORMED", file=path.name, where=str(fault)) from fault
