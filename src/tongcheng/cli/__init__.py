"""The command line: `tongcheng …`. A command's module is imported when it is called, not before."""

from tongcheng.cli.lazy import Entry, LazyGroup

COMMANDS = {
    "docs": Entry("tongcheng.cli.docs:docs", "Write the pages of docs/ that come from the code."),
}

main = LazyGroup(
    name="tongcheng",
    entries=COMMANDS,
    help="Public services of neighbouring cities, working across the border as if in one city.",
)
