"""`tongcheng mobility …`: the commands of the group, each imported when it is called."""

from typing import Final

from tongcheng.cli.lazy import Entry, LazyGroup

COMMANDS: Final = {
    "circle": Entry(
        "tongcheng.cli.mobility_circle:circle",
        "Count the people within some times of a place by county, in two regimes.",
    ),
    "compare": Entry(
        "tongcheng.cli.mobility_compare:compare",
        "Compare before and after a scenario: who gains, from its places and from every county.",
    ),
    "feed": Entry(
        "tongcheng.cli.mobility_feed:feed",
        "Check timetable feeds (GTFS), keep them in a node, and exchange them signed.",
    ),
    "matrix": Entry(
        "tongcheng.cli.mobility_matrix:matrix",
        "Compute how long it takes from every place to every place, over a window of departures.",
    ),
    "reach": Entry(
        "tongcheng.cli.mobility_reach:reach",
        "Draw what a place reaches within some times, or with --toward who reaches it.",
    ),
    "scenario": Entry(
        "tongcheng.cli.mobility_scenario:scenario",
        "Check scenarios, list them, and keep them as signed documents.",
    ),
}

mobility = LazyGroup(
    name="mobility",
    entries=COMMANDS,
    help="Compute who reaches what within an hour, from timetable feeds on.",
)
