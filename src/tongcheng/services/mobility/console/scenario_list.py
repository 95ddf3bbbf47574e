"""The scenarios that a page can name: those of the region pack, and those that the node keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.running import RunningNode
from tongcheng.services.mobility.console.query import shown

if TYPE_CHECKING:
    from tongcheng.services.mobility.console.atlas import Atlas
    from tongcheng.services.mobility.scenario.kept import Kept
    from tongcheng.services.mobility.scenario.model import Scenario


class Listed(NamedTuple):
    """A scenario; `kept` is None of one that came with the region pack."""

    scenario: Scenario
    kept: Kept | None


async def listed(node: RunningNode, atlas: Atlas) -> tuple[Listed, ...]:
    """Return the pack's scenarios, then those kept here, each in order of their ids."""
    from tongcheng.services.mobility.scenario import kept  # noqa: PLC0415 needs the extra

    own = await node.read(kept.kept)
    shipped = [Listed(each, None) for each in atlas.region.scenarios]
    ids = {each.scenario.scenario_id for each in shipped}
    # The pack's go first: one that was kept under an id that the pack has since taken is hidden.
    kept_here = (
        Listed(each.scenario, each) for each in own if each.scenario.scenario_id not in ids
    )
    return (*shipped, *kept_here)


def named(scenarios: tuple[Listed, ...], scenario_id: str) -> Listed:
    """Return the scenario of an id; refuses MOBILITY_NO_SCENARIO."""
    for each in scenarios:
        if each.scenario.scenario_id == scenario_id:
            return each
    raise Refused("MOBILITY_NO_SCENARIO", scenario=shown(scenario_id))
