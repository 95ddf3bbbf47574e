"""The command line: `tongcheng …`. A command's module is imported when it is called, not before."""

import click

from tongcheng.cli.lazy import Entry, LazyGroup

COMMANDS = {
    "docs": Entry("tongcheng.cli.docs:docs", "Write the pages of docs/ that come from the code."),
    "account": Entry(
        "tongcheng.cli.account:account",
        "Give people accounts on a node's console, with roles of the region's table.",
    ),
    "accord": Entry(
        "tongcheng.cli.accord:accord",
        "Draw up, sign, adopt and show the accord between the members.",
    ),
    "credential": Entry(
        "tongcheng.cli.credential:credential",
        "Issue and revoke the credentials of hospital systems.",
    ),
    "demo": Entry(
        "tongcheng.cli.demo.commands:demo",
        "Break a running demonstration on purpose: cut a line, heal it, forge a record.",
    ),
    "exchange": Entry(
        "tongcheng.cli.exchange:exchange",
        "See what waits between the nodes, what does not move, what is parked.",
    ),
    "journal": Entry(
        "tongcheng.cli.journal:journal",
        "Verify what nodes have stored, prove one entry, check such a proof.",
    ),
    "mobility": Entry(
        "tongcheng.cli.mobility:mobility",
        "Compute who reaches what within an hour, from timetable feeds on.",
    ),
    "node": Entry("tongcheng.cli.node:node", "Lay out a node: its directory, keys and settings."),
    "officer": Entry(
        "tongcheng.cli.officer:officer",
        "Make an officer's key; appoint, dismiss and list a node's officers.",
    ),
    "rulebook": Entry(
        "tongcheng.cli.adopting:rulebook",
        "Check, read, compare and adopt rule books: dated figures, each with its source.",
    ),
    "serve": Entry("tongcheng.cli.serve:serve", "Run the node in a directory until Ctrl-C."),
    "settlement": Entry(
        "tongcheng.cli.settlement:settlement",
        "Check amounts and books of stays: golden cases, audits, months, catalogues, questions.",
    ),
    "simulate": Entry(
        "tongcheng.cli.simulate:simulate",
        "Settle stays between three cities while messages get lost, nodes die and disks fill up.",
    ),
    "simulate-nation": Entry(
        "tongcheng.cli.simulate_nation:simulate_nation",
        "Simulate as many seeds as bring a nation's settlements, and add up what they found.",
    ),
    "up": Entry(
        "tongcheng.cli.up:up",
        "Start a whole region on this machine with made-up data and let stays arrive.",
    ),
}

main = LazyGroup(
    name="tongcheng",
    entries=COMMANDS,
    help="Public services of neighbouring cities, working across the border as if in one city.",
)
click.version_option(package_name="tongcheng", message="%(prog)s %(version)s")(main)
