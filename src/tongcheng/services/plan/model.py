"""The joint plan as data, and the live figures that a node sets beside it.

A plan is a file of a region pack (`plan.yaml`). A commitment is *built* only when the file says
so **and** the node that shows it supplies its figure; no file can claim more than what runs.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from tongcheng.kernel import yaml_file
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.region import Code
from tongcheng.kernel.words import Words


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the plan was published; `address` is None when it is not recorded."""

    title: Words
    published: str
    address: str | None
    note: Words


class Commitment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing agreed, in our own words; `figure` is the key of the figure that shows it runs.

    `also` are keys of figures that stand beside it where the node has them.
    """

    id: Code
    text: Words
    services: tuple[str, ...]
    status: Literal["live", "not_built"]
    figure: str | None = None
    also: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys of all its figures, the one that shows that it runs first."""
        return () if self.figure is None else (self.figure, *self.also)


class WorkArea(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One area of work of the plan."""

    id: Code
    name: Words
    commitments: tuple[Commitment, ...]


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole plan, in the order of its source."""

    id: Code
    name: Words
    source: Source
    areas: tuple[WorkArea, ...]

    @property
    def commitments(self) -> tuple[Commitment, ...]:
        """Return all commitments, in order."""
        return tuple(each for area in self.areas for each in area.commitments)


Measure = Literal["count", "fen", "ms"]
"""What a figure's whole number is of: things, money, or time."""


class Figure(msgspec.Struct, frozen=True):
    """One live figure: its number, what it counts, and the page that proves it.

    `value` is in units of `measure`; `name` says what it is ("paid by the funds").
    `evidence_path` is an address without language, `evidence_action` what its reader must be
    allowed. `mark` says what of it is modelled or assumed, None where nothing is.
    """

    key: str
    value: int
    measure: Measure
    name: Words
    evidence: Words
    evidence_path: str
    evidence_action: str
    mark: Words | None = None


class ServicePage(msgspec.Struct, frozen=True):
    """Where a service's own pages begin (an address without language), and what that needs."""

    path: str
    action: str


class FundFlow(msgspec.Struct, frozen=True):
    """What the funds of one place pay to the hospitals of another, by codes of the region."""

    insured_place_id: str
    hospital_place_id: str
    count: int
    fund_fen: int


class Live(msgspec.Struct, frozen=True):
    """What runs on a node at one instant (UTC ms).

    `figures` holds a key for each figure that the node can compute, None while there is nothing
    to count. `highlights` are the keys that stand at the top, the first one largest.
    `service_pages` holds the services that have pages here.
    `story_path` leads to the stay of the region's story, None where this node does not hold it.
    """

    as_of_at: int
    figures: Mapping[str, Figure | None] = {}
    highlights: tuple[str, ...] = ()
    flows: tuple[FundFlow, ...] = ()
    service_pages: Mapping[str, ServicePage] = {}
    story_path: str | None = None
    synthetic: bool = False


# Supplied by the node, so that the plan knows no other service.
Figures = Callable[[], Live]


def load(path: Path) -> Plan:
    """Read a region's plan; refuses PLAN_MALFORMED, saying where."""
    try:
        plan = msgspec.convert(yaml_file.load(path), Plan)
    except (OSError, yaml_file.YamlFault, msgspec.ValidationError, UnicodeDecodeError) as fault:
        raise Refused("PLAN_MALFORMED", file=path.name, where=str(fault)) from fault
    where = _fault(plan)
    if where is not None:
        raise Refused("PLAN_MALFORMED", file=path.name, where=where)
    return plan


def _fault(plan: Plan) -> str | None:
    ids = [area.id for area in plan.areas] + [each.id for each in plan.commitments]
    twice = {each for each in ids if ids.count(each) > 1}
    if twice:
        return f"{min(twice)} stands twice"
    for commitment in plan.commitments:
        if not commitment.services:
            return f"{commitment.id} names no service"
        if (commitment.status == "live") != (commitment.figure is not None):
            return f"{commitment.id}: a figure and `status: live` go together"
        if commitment.also and commitment.figure is None:
            return f"{commitment.id}: `also` stands beside a figure"
    return None
