"""The diagrams of docs/ that are drawn from literal life-cycle tables."""

from collections.abc import Mapping

from tongcheng.services.settlement import life

BEGIN = "<!-- life cycles: begin (written by `tongcheng docs life`) -->"
END = "<!-- life cycles: end -->"

CYCLES: tuple[tuple[str, str, Mapping[tuple[str, str], str]], ...] = (
    ("A stay at the visited side (住院登记)", "admitted", life.STAY_TRANSITIONS),
    ("A settlement at the visited side (结算)", "pending", life.CLAIM_TRANSITIONS),
    ("A decision at the insured side (待遇核定)", "settled", life.DECISION_TRANSITIONS),
)


def diagram(first: str, table: Mapping[tuple[str, str], str]) -> str:
    """Return one life cycle as a Mermaid state diagram, in the order of its table."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
    lines += [f"    {state} --> {after}: {event}" for (state, event), after in table.items()]
    return "\n".join([*lines, "```"])


def life_cycles() -> str:
    """Return the section of docs/settlement.md between its two marks."""
    parts = [f"### {title}\n\n{diagram(first, table)}" for title, first, table in CYCLES]
    return "\n\n".join([BEGIN, *parts, END])


def replaced(page: str) -> str:
    """Return a page with its section of life cycles written anew."""
    before, rest = page.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return before + life_cycles() + after
