"""`tongcheng mobility scenario …`: the commands about scenarios."""

from typing import Final

from tongcheng.cli.lazy import Entry, LazyGroup

COMMANDS: Final = {
    "check": Entry(
        "tongcheng.cli.mobility_scenario_check:check",
        "Read scenarios, apply each to its base, and say what it changes.",
    ),
    "list": Entry(
        "tongcheng.cli.mobility_scenario_list:list_",
        "List the scenarios of a region pack, and those that a node keeps.",
    ),
    "sign": Entry(
        "tongcheng.cli.mobility_scenario_sign:sign",
        "Keep the scenario in FILE in a node, signed with its key, as the next version.",
    ),
    "verify": Entry(
        "tongcheng.cli.mobility_scenario_sign:verify",
        "Check the signed scenario in FILE by a node's own key, or by the accord it has in force.",
    ),
    "withdraw": Entry(
        "tongcheng.cli.mobility_scenario_sign:withdraw",
        "Keep the scenario ID no longer; its versions stay in the journal.",
    ),
}

scenario = LazyGroup(
    name="scenario",
    entries=COMMANDS,
    help="Check scenarios, list them, and keep them as signed documents.",
)
