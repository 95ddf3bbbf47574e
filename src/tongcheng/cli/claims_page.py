"""The tables of docs/claims.md, from the literal tables in the code."""

from tongcheng.kernel.errors import Catalogue
from tongcheng.node.console import catalogue
from tongcheng.node.services import SERVICES
from tongcheng.services.settlement.batch.codes import CODES
from tongcheng.services.settlement.batch.columns import CLAIM_COLUMNS, RESULT_COLUMNS, Column
from tongcheng.services.settlement.batch.trace_columns import MARK_COLUMNS, TRACE_COLUMNS

BEGIN = "<!-- tables: begin (written by `tongcheng docs claims`) -->"
END = "<!-- tables: end -->"
KINDS = {
    "id": "id",
    "word": "word",
    "integer": "whole number",
    "fen": "whole fen",
    "day": "day",
}


def section() -> str:
    """Return the section of docs/claims.md between its two marks."""
    known = catalogue(SERVICES)
    claims = "\n".join(_claim(column) for column in CLAIM_COLUMNS)
    results = "\n".join(
        f"| `{each.name}` | {each.kind} | {each.about} |" for each in RESULT_COLUMNS
    )
    trace = "\n".join(
        [f"| `{each.name}` | int64 | {each.about} |" for each in TRACE_COLUMNS]
        + [f"| `{each.name}` | int32 | {each.about} |" for each in MARK_COLUMNS]
    )
    codes = "\n".join(f"| `{code}` | {_what(known, code)} |" for code in CODES if code)
    return "\n\n".join(
        [
            BEGIN,
            "### Columns of claims",
            f"| column | needed | how it is written | what |\n|---|---|---|---|\n{claims}",
            "### Columns of results",
            f"| column | type | what |\n|---|---|---|\n{results}",
            "With `--trace` these follow. Places count the rule books given, in order.",
            f"| column | type | what |\n|---|---|---|\n{trace}",
            "### Codes",
            f"| code | what |\n|---|---|\n{codes}",
            END,
        ]
    )


def _claim(column: Column) -> str:
    """Return the line of a column of claims."""
    words = ", ".join(f"`{word}`" for word in column.words)
    default = "" if column.default is None else f" Default `{column.default}`."
    needed = "yes" if column.required else ""
    return (
        f"| `{column.name}` | {needed} | {words or KINDS[column.kind]} | {column.about}{default} |"
    )


def _what(known: Catalogue, code: str) -> str:
    """Return what a code says, its facts as they are called."""
    return known.entry(code).what["en"]


def replaced(page: str) -> str:
    """Return the page with its section written anew."""
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    assert mark, f"the page has no {BEGIN} … {END}"
    return before + section() + after
