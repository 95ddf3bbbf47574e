"""The command line: `tongcheng …`. A command's module is imported when it is called, not before."""

from tongcheng.cli.lazy import Entry, LazyGroup

COMMANDS = {
    "docs": Entry("tongcheng.cli.docs:docs", "Write the pages of docs/ that come from the code."),
    "accord": Entry(
        "tongcheng.cli.accord:accord",
        "Draw up, sign, adopt and show the accord between the members.",
    ),
    "credential": Entry(
        "tongcheng.cli.credential:credential",
        "Issue and revoke the credentials of hospital systems.",
    ),
    "node": Entry("tongcheng.cli.node:node", "Lay out a node: its directory, keys and settings."),
    "serve": Entry("tongcheng.cli.serve:serve", "Run the node in a directory until Ctrl-C."),
}

main = LazyGroup(
    name="tongcheng",
    entries=COMMANDS,
    help="Public services of neighbouring cities, working across the border as if in one city.",
)
