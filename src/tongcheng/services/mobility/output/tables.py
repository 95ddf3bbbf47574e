"""Tables of areas, cells and indices, as their files have them: names with units, null for none."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tongcheng.services.mobility.measures.areas import Circle, Gain
from tongcheng.services.mobility.measures.inequality import Inequality
from tongcheng.services.mobility.numbers import UNREACHED, Int64

_INDICES: Final = ("mean", "gini", "palma", "theil")


def circle_table(
    ids: Sequence[str], names: Sequence[str], circle: Circle, within_s: Sequence[int]
) -> pa.Table:
    """Return a row for each area: all people, and for each time those within it."""
    counted = {f"within_{time}_s": circle.inside[:, at] for at, time in enumerate(within_s)}
    return _areas(ids, names, {"people": circle.people, **counted})


def gain_table(
    ids: Sequence[str], names: Sequence[str], gain: Gain, within_s: Sequence[int]
) -> pa.Table:
    """Return a row for each area: all people, and for each time who was and is within it.

    `gained` are within only after, `lost` only before.
    """
    counted = {
        f"{name}_{time}_s": getattr(gain, name)[:, at]
        for at, time in enumerate(within_s)
        for name in ("before", "after", "gained", "lost")
    }
    return _areas(ids, names, {"people": gain.people, **counted})


def cell_table(ids: Sequence[str], columns: Mapping[str, NDArray[Any]]) -> pa.Table:
    """Return a row for each cell. Seconds (uint16) are null where there is no journey."""
    assert "cell_id" not in columns, "ids have a column of their own"
    made: dict[str, pa.Array] = {"cell_id": pa.array(ids, pa.string())}
    for name, values in columns.items():
        if values.dtype == np.uint16:
            made[name] = pa.array(values, mask=values == UNREACHED)
        else:
            assert values.dtype.kind != "f" or np.isfinite(values).all(), f"{name} is a number"
            made[name] = pa.array(values)
    return pa.table(made)


def inequality_table(rows: Mapping[str, Inequality]) -> pa.Table:
    """Return a row for each measure: its indices, each null with a reason where it is undefined."""
    told: dict[str, list[Any]] = {
        "measure": list(rows),
        "people": [each.people for each in rows.values()],
    }
    fields = [pa.field("measure", pa.string()), pa.field("people", pa.int64())]
    for name in _INDICES:
        figures = [getattr(each, name) for each in rows.values()]
        told[name] = [figure.value for figure in figures]
        told[f"{name}_undefined"] = [figure.undefined for figure in figures]
        fields += [pa.field(name, pa.float64()), pa.field(f"{name}_undefined", pa.string())]
    return pa.table(told, schema=pa.schema(fields))


def _areas(ids: Sequence[str], names: Sequence[str], columns: Mapping[str, Int64]) -> pa.Table:
    made = {"area_id": pa.array(ids, pa.string()), "name": pa.array(names, pa.string())}
    return pa.table({**made, **{name: pa.array(values) for name, values in columns.items()}})
