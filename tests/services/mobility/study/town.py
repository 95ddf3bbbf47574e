"""A town for tests: a line of stops, cells of a grid along it in two areas, people in them."""

from datetime import date
from pathlib import Path

import numpy as np

from tests.services.mobility.feeds import Line, line_tables, write_zip
from tongcheng.services.mobility.feed.reading import read_feed
from tongcheng.services.mobility.nearness import Points
from tongcheng.services.mobility.places.model import Places
from tongcheng.services.mobility.scan.model import Question, Window
from tongcheng.services.mobility.study.model import Ready, Study
from tongcheng.services.mobility.study.preparing import prepare

DAY = date(2026, 3, 11)
STOPS = {"W": (117.0, 39.0), "M": (117.16, 39.0), "E": (117.32, 39.0)}
SLOW = Line("slow", list(STOPS), ["7:05", "7:35", "8:05"], [1_000, 1_000])
BACK = Line("back", list(STOPS)[::-1], ["7:10", "7:40"], [900, 900])
FAST = Line("fast", ["W", "E"], ["7:20", "7:50"], [1_000])
QUESTION = Question(Window(25_200, 300, 12), 7_200, (50, 90))

_COLUMNS, _ROWS = 18, 2
_LON = [117.0 + 0.02 * column for column in range(_COLUMNS) for _ in range(_ROWS)]
_LAT = [39.0 + 0.015 * row for _ in range(_COLUMNS) for row in range(_ROWS)]
PLACES = Places(
    ids=tuple(f"c{number}" for number in range(len(_LON))),
    names=tuple("格" for _ in _LON),
    points=Points(np.array(_LON), np.array(_LAT)),
    area_ids=tuple("west" if lon < 117.15 else "east" for lon in _LON),
    population=np.arange(1, len(_LON) + 1, dtype=np.int64) * 7 % 50,
    opportunities=(),
)


def ready_with(folder: Path, *lines: Line) -> Ready:
    """Return the town with these lines, ready to be asked."""
    name = "-".join(line.name for line in lines)
    path = write_zip(folder / f"{name}.zip", line_tables(STOPS, list(lines)))
    return prepare(Study((read_feed(path, "town").feed,), DAY, PLACES, "00"), for_spots=True)
