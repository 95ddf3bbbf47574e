"""`tongcheng mobility feed …`: the commands about timetable feeds and the bundles they lie in."""

from typing import Final

from tongcheng.cli.lazy import Entry, LazyGroup

COMMANDS: Final = {
    "add": Entry(
        "tongcheng.cli.mobility_feed_add:add",
        "Check FILE, keep it in a node that is not running, and publish the node's bundle signed.",
    ),
    "check": Entry(
        "tongcheng.cli.mobility_feed_check:check",
        "Read GTFS feeds as they will be used, and report all that is wrong with them.",
    ),
    "list": Entry(
        "tongcheng.cli.mobility_feed_list:list_",
        "List what a node keeps: its own bundle and those of others, with the days they run.",
    ),
    "prune": Entry(
        "tongcheng.cli.mobility_feed_add:prune",
        "Delete files that no newest bundle names: what was removed, replaced, or came in part.",
    ),
    "publish": Entry(
        "tongcheng.cli.mobility_feed_exchange:publish",
        "Write this node's newest bundle to a file: signed manifest, feeds and all the rest.",
    ),
    "remove": Entry(
        "tongcheng.cli.mobility_feed_add:remove",
        "Take ID out of the node's bundle, and publish that.",
    ),
    "take": Entry(
        "tongcheng.cli.mobility_feed_exchange:take",
        "Take another member's bundle, from FILE or --from its node: whole or not at all.",
    ),
}

feed = LazyGroup(
    name="feed",
    entries=COMMANDS,
    help="Check timetable feeds (GTFS), keep them in a node, and exchange them signed.",
)
