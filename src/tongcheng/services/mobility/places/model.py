"""Places as the rest of mobility sees them."""

from __future__ import annotations

from typing import NamedTuple

from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.numbers import Int64


class Places(NamedTuple):
    """Cells, zones or single places, one row each, in the file's order.

    `points` are degrees of WGS-84; of an area, a point inside it. `area_ids` say what area a place
    belongs to, as a county's code; empty where the file does not. `population` is people, None
    where the file has none; `opportunities` are whole numbers by name, in order of their names.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    points: Points
    area_ids: tuple[str, ...]
    population: Int64 | None
    opportunities: tuple[tuple[str, Int64], ...]

    def of(self, name: str) -> Int64 | None:
        """Return the opportunities of that name, None if there are none."""
        return dict(self.opportunities).get(name)
