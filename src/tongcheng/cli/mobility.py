"""`tongcheng mobility …`: the commands of the group, each imported when it is called."""

from typing import Final

from tongcheng.cli.lazy import Entry, LazyGroup

COMMANDS: Final = {
    "feed": Entry(
        "tongcheng.cli.mobility_feed:feed",
        "Check timetable feeds (GTFS), keep them in a node, and exchange them signed.",
    ),
    "matrix": Entry(
        "tongcheng.cli.mobility_matrix:matrix",
        "Compute how long it takes from every place to every place, over a window of departures.",
    ),
}

mobility = LazyGroup(
    name="mobility",
    entries=COMMANDS,
    help="Compute who reaches what within an hour, from timetable feeds on.",
)
