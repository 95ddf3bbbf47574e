"""`tongcheng settlement …`: the commands of the group, each imported when it is called."""

from typing import Final

from tongcheng.cli.lazy import Entry, LazyGroup

COMMANDS: Final = {
    "adjudicate": Entry(
        "tongcheng.cli.adjudicate:adjudicate",
        "Judge every claim of a file, Parquet or CSV: who pays what, by the book of its day.",
    ),
    "audit": Entry(
        "tongcheng.cli.audit:audit",
        "Compute every settlement in FILE anew, and list every fen of difference with its cause.",
    ),
    "book": Entry(
        "tongcheng.cli.booking:book",
        "Book CLAIMS settled at home, a thousand a commit; the node must not be running.",
    ),
    "case": Entry(
        "tongcheng.cli.cases:case",
        "List what persons ask about their bills; read and decide what came to the agency.",
    ),
    "catalogue": Entry(
        "tongcheng.cli.catalogue:catalogue",
        "Import the catalogue of a place, and see what differs between two.",
    ),
    "filing": Entry(
        "tongcheng.cli.filing:filing",
        "Keep and list filings (备案) of persons insured here for treatment elsewhere.",
    ),
    "generate": Entry(
        "tongcheng.cli.generate:generate",
        "Write made-up claims of a region's year: the same for a seed on every machine.",
    ),
    "golden": Entry(
        "tongcheng.cli.golden:golden",
        "Run the golden cases of FILE, or the repository's own, and compare to the fen.",
    ),
    "mapping": Entry(
        "tongcheng.cli.mapping:mapping", "Import what a hospital's own codes stand for."
    ),
    "reconcile": Entry(
        "tongcheng.cli.reconcile:reconcile",
        "Compare due_from with due_to, purse by purse and month by month, and every settlement.",
    ),
    "shadow": Entry(
        "tongcheng.cli.shadow:shadow",
        "List the decisions of the agency's own system that our engine would have taken otherwise.",
    ),
    "statement": Entry(
        "tongcheng.cli.statement:statement",
        "Send a month's statement to the members that owe for it, and see what became of each.",
    ),
    "what-if": Entry(
        "tongcheng.cli.what_if:what_if",
        "Judge every claim of a file under the old and under the new rules: who gains, who loses.",
    ),
}

settlement = LazyGroup(
    name="settlement",
    entries=COMMANDS,
    help="Check amounts and books of stays: golden cases, audits, months, catalogues, questions.",
)
