"""The box beside a figure: what it counts, from what, by what, and what it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tongcheng.services.mobility.console import people_view
from tongcheng.services.mobility.console.words import name_of
from tongcheng.web import Page

if TYPE_CHECKING:
    from tongcheng.services.mobility.console.atlas import Atlas, Prepared
    from tongcheng.services.mobility.output.method import Method
    from tongcheng.services.mobility.scenario.model import Scenario


class MethodView(msgspec.Struct, frozen=True):
    """How a figure was made: what it counts, by what, from what, and what it leaves out."""

    defined: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    sources: tuple[tuple[str, str, str], ...]
    kernel: str
    digest: str
    left_out: tuple[str, ...]


def method_view(
    page: Page,
    method: Method,
    scenario: Scenario | None,
    prepared: Prepared,
    atlas: Atlas,
) -> MethodView:
    """Return how a figure was made, as the box beside it says."""
    kinds = {
        "feed": "mobility.console.source.feed",
        "places": "mobility.console.source.places",
        "process": "mobility.console.source.process",
        "facts": "mobility.console.source.facts",
        "outline": "mobility.console.source.outline",
        "scenario": "mobility.console.source.scenario",
        "streets": "mobility.console.source.streets",
    }
    left_out = [
        page.t("mobility.console.left_out.streets"),
        page.t("mobility.console.left_out.buses"),
    ]
    if prepared.roads is not None:
        left_out = [page.t("mobility.console.left_out.traffic")]
    left_out += people_view.left_out(page, atlas)
    if scenario is not None and scenario.limits is not None:
        left_out.append(name_of(page, scenario.limits))
    return MethodView(
        (
            page.t("mobility.console.defined"),
            page.t(
                "mobility.console.defined.car" if prepared.roads else "mobility.console.defined.two"
            ),
        ),
        tuple((name, _plain(value)) for name, value in method.parameters.items()),
        tuple(
            (page.t(kinds[each.kind]) if each.kind in kinds else each.kind, each.id, each.digest)
            for each in method.sources
        ),
        method.kernel,
        method.digest,
        tuple(left_out),
    )


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "–" if value is None else str(value)
