"""The diagrams of docs/ that are drawn from literal life-cycle tables."""

from collections.abc import Callable, Mapping

from tongcheng.kernel.access.reviews import REVIEW_TRANSITIONS
from tongcheng.kernel.cases import CaseKind, Term
from tongcheng.services.settlement import life
from tongcheng.services.settlement.line_query import LINE_QUERY

BEGIN = "<!-- life cycles: begin (written by `tongcheng docs life`) -->"
END = "<!-- life cycles: end -->"

CYCLES: tuple[tuple[str, str, Mapping[tuple[str, str], str]], ...] = (
    ("A stay at the visited side (住院登记)", "admitted", life.STAY_TRANSITIONS),
    ("A settlement at the visited side (结算)", "pending", life.CLAIM_TRANSITIONS),
    ("A decision at the insured side (待遇核定)", "settled", life.DECISION_TRANSITIONS),
    ("A month's statement at the visited side (对账)", "sent", life.STATEMENT_TRANSITIONS),
    ("A month's statement at the insured side", "receiving", life.RECEIVED_TRANSITIONS),
)
CASES: tuple[tuple[str, CaseKind], ...] = (
    ("`line_query`: a person does not recognise a line of the bill (明细疑问)", LINE_QUERY),
)


def diagram(first: str, table: Mapping[tuple[str, str], str]) -> str:
    """Return one life cycle as a Mermaid state diagram, in the order of its table."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
    lines += [f"    {state} --> {after}: {event}" for (state, event), after in table.items()]
    return "\n".join([*lines, "```"])


def turns(kind: CaseKind) -> str:
    """Return whose turn it is in each open state, how long, and what can be done, as a table."""
    lines = ["| state | whose turn | how long | what can be done, by whom |", "|---|---|---|---|"]
    for state, leg in kind.legs.items():
        moves = [
            f"`{action}` ({', '.join(kind.may[action])}{_marks(kind, state, action)})"
            for (one, action) in kind.table
            if one == state
        ]
        lines.append(f"| {state} | {leg.owner} | {_term(leg.term)} | {', '.join(moves)} |")
    return "\n".join(lines)


def _term(term: Term) -> str:
    count = f"`{term.count}`," if isinstance(term.count, str) else str(term.count)
    return f"{count} {term.days} days"


def _marks(kind: CaseKind, state: str, action: str) -> str:
    late = "; only when overdue" if (state, action) in kind.when_late else ""
    words = "; with a text" if action in kind.with_words else ""
    return late + words


def life_cycles() -> str:
    """Return the section of docs/settlement.md between its two marks."""
    parts = [f"### {title}\n\n{diagram(first, table)}" for title, first, table in CYCLES]
    return "\n\n".join([BEGIN, *parts, END])


def case_cycles() -> str:
    """Return the section of docs/cases.md between its two marks."""
    parts = [
        f"### {title}\n\n{diagram(kind.first, kind.table)}\n\n{turns(kind)}"
        for title, kind in CASES
    ]
    return "\n\n".join([BEGIN, *parts, END])


def review_cycles() -> str:
    """Return the section of docs/access-emergency.md between its two marks."""
    title = "### The review of an emergency access (事后审查)"
    return "\n\n".join([BEGIN, title, diagram("open", REVIEW_TRANSITIONS), END])


PAGES: Mapping[str, Callable[[], str]] = {
    "access-emergency.md": review_cycles,
    "cases.md": case_cycles,
    "settlement.md": life_cycles,
}
"""Page → what stands between its marks."""


def replaced(name: str, page: str) -> str:
    """Return a page with its section of life cycles written anew."""
    before, rest = page.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return before + PAGES[name]() + after
