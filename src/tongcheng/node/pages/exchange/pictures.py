"""The region with a line from this node to each of its peers: moving, waiting, or cut."""

from collections.abc import Mapping
from typing import Literal

from markupsafe import Markup

from tongcheng.kernel.region import RegionPack
from tongcheng.kernel.words import Language
from tongcheng.web.maps import place_of, region_map

State = Literal["moving", "waiting", "cut"]

GAP = 2.0  # units of the mark between the point of a place and the end of its line
CROSS = "m-1.1 -1.1l2.2 2.2m0 -2.2l-2.2 2.2"
"""Two arms around a point."""


def lines_map(
    region: RegionPack, own_id: str, language: Language, title: str, states: Mapping[str, State]
) -> Markup:
    """Draw a line to each place: whole, dashed, or broken with a cross in its middle."""
    lines = [_line(region, own_id, place_id, state) for place_id, state in states.items()]
    return region_map(region, own_id, language, title, Markup("").join(lines))


def _line(region: RegionPack, own_id: str, place_id: str, state: State) -> Markup:
    (x, y), (to_x, to_y) = place_of(region, own_id).at, place_of(region, place_id).at
    length = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
    step_x, step_y = GAP * (to_x - x) / length, GAP * (to_y - y) / length
    line = Markup('<path class="line line-{}" d="M{:.2f} {:.2f}L{:.2f} {:.2f}"></path>').format(
        state, x + step_x, y + step_y, to_x - step_x, to_y - step_y
    )
    if state != "cut":
        return line
    middle = f"M{(x + to_x) / 2:.2f} {(y + to_y) / 2:.2f}"
    arms = middle + CROSS
    return line + Markup('<path class="line-cross" d="{}"></path>').format(arms)
