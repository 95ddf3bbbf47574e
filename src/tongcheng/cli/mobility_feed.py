"""`tongcheng mobility feed …`: the commands about timetable feeds."""

from typing import Final

from tongcheng.cli.lazy import Entry, LazyGroup

COMMANDS: Final = {
    "check": Entry(
        "tongcheng.cli.mobility_feed_check:check",
        "Read GTFS feeds as they will be used, and report all that is wrong with them.",
    ),
}

feed = LazyGroup(
    name="feed",
    entries=COMMANDS,
    help="Check timetable feeds (GTFS): what is wrong, what was repaired, what can be used.",
)
