"""Travel times between all places, for one departure after another, by ferrobus.

Run by the peer's own Python, never imported by ours: `python matrix.py FOLDER`. FOLDER holds the
feed (`feed/`), the streets (`streets.osm.pbf`) and asked.json; what it took, without building the
model, and how many times it found are written beside them.
"""

import json
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import ferrobus  # type: ignore[import-not-found, unused-ignore]  # the peer's, in its environment

FOLDER = Path(sys.argv[1])
RIDES_MAX = 4


def main() -> None:
    """Answer what is asked."""
    asked: dict[str, Any] = json.loads((FOLDER / "asked.json").read_text("utf-8"))
    model = ferrobus.create_transit_model(
        str(FOLDER / "streets.osm.pbf"),
        [str(FOLDER / "feed")],
        date.fromisoformat(asked["day"]),
        asked["change_s"],
    )
    points = [
        ferrobus.create_transit_point(lat, lon, model, asked["walk_s"], asked["stops"])
        for lon, lat in asked["places"]
    ]
    reached, begun = 0, time.perf_counter()
    for departure_s in asked["departures_s"]:
        table = ferrobus.travel_time_matrix(model, points, departure_s, RIDES_MAX - 1)
        reached += sum(each is not None for row in table for each in row)
    told = {"seconds": time.perf_counter() - begun, "reached": reached}
    (FOLDER / "told.json").write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    main()
