"""Access measures in PySAL's `access` and `inequality`, as their users call them.

Run by the peer's own Python, never imported by ours: `python catchment.py FOLDER`. FOLDER holds
seconds.npy (origins × destinations, 65,535 for none), people.npy, supply.npy and asked.json; the
results are written beside them, with the best seconds of each in told.json. The frame of pairs is
made before the clock starts.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from access import fca, weights
from inequality.gini import Gini
from inequality.theil import Theil

FOLDER = Path(sys.argv[1])
NONE = 65_535
ROUNDS = 3

asked = json.loads((FOLDER / "asked.json").read_text("utf-8"))
seconds = np.load(FOLDER / "seconds.npy")
people = pd.DataFrame({"people": np.load(FOLDER / "people.npy")})
supply = pd.DataFrame({"supply": np.load(FOLDER / "supply.npy")})
origin, destination = np.nonzero(seconds != NONE)
pairs = pd.DataFrame(
    {"origin": origin, "dest": destination, "cost": seconds[origin, destination].astype(np.int64)}
)
STEPS = weights.step_fn({int(until): weight for until, weight in asked["steps"].items()})


def shared(weight_fn: Any) -> Any:
    """Return access by the two-step method."""
    return fca.two_stage_fca(
        people,
        supply,
        pairs,
        max_cost=asked["within_s"],
        demand_index=True,
        demand_name="people",
        supply_index=True,
        supply_name="supply",
        weight_fn=weight_fn,
    )


def gravity() -> Any:
    """Return supply weighted by exp(-t / scale)."""
    return fca.weighted_catchment(
        supply,
        pairs,
        max_cost=asked["horizon_s"],
        cost_source="dest",
        cost_dest="origin",
        loc_index=True,
        loc_value="supply",
        weight_fn=lambda cost: np.exp(-cost / asked["scale_s"]),
    )


def main() -> None:
    """Compute each several times; whoever reaches nothing has 0 of it."""
    work = {
        "floating": lambda: shared(None),
        "enhanced": lambda: shared(STEPS),
        "gravity": gravity,
    }
    told: dict[str, float] = {}
    for name, compute in work.items():
        times: list[float] = []
        found: Any = None
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            found = compute()
            times.append(time.perf_counter() - begun)
        told[f"{name}_s"] = min(times)
        whole = found.reindex(people.index, fill_value=0.0).fillna(0.0)
        np.save(FOLDER / f"{name}.out.npy", whole.to_numpy(np.float64))
    spread = np.load(FOLDER / "spread.npy").astype(np.float64)
    told["gini"], told["theil"] = float(Gini(spread).g), float(Theil(spread).T)
    (FOLDER / "told.json").write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    main()
