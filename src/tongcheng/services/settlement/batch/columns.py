"""What stands in a file of claims and in one of results: the literal tables behind the docs.

A file of claims is Parquet, or CSV in UTF-8 with a line of names. One row is one event of one
person: a settlement, its void, or what was used before the file begins. Columns that are not
listed here are let be; a column that is missing holds its default everywhere.
"""

from typing import Final, Literal, NamedTuple

from tongcheng.services.settlement.rules import (
    CATEGORIES,
    FILINGS,
    LEVELS,
    PERSON_TYPES,
    SUBTYPES,
    TIERS,
)

EVENTS: Final = ("settle", "void", "opening")
"""Kinds of event, as written; their places here are their codes in memory."""

Kind = Literal["id", "word", "integer", "fen", "day"]
"""How a column is written: any whole number or text; one of `words`; a whole number; whole fen;
a day (Parquet date, or YYYY-MM-DD)."""


class Column(NamedTuple):
    """One column: its name, how it is written, what it says, and what holds where it is empty.

    `default` None in a column that is `required` means that the row can not be judged without it;
    in another one, that the fact is not known.
    """

    name: str
    kind: Kind
    about: str
    required: bool = False
    default: str | int | None = None
    words: tuple[str, ...] = ()


CLAIM_COLUMNS: Final = (
    Column("claim_id", "id", "The event's own id, given once in the file.", required=True),
    Column("person_id", "id", "Whose event it is.", required=True),
    Column("event", "word", "What happened.", default="settle", words=EVENTS),
    Column("reverses", "id", "The claim_id that a void takes back: an earlier row of the person."),
    Column(
        "sequence",
        "integer",
        "The order of one person's events, as they were committed. Without it they are taken by"
        " ended_on, and in the order of the file where days are equal.",
    ),
    Column("admdvs", "id", "The division that insures the person.", required=True),
    Column("scheme", "id", "The scheme (310 employee, 390 resident).", required=True),
    Column("visited_admdvs", "id", "The hospital's division; left out where that is unknown."),
    Column("admitted_on", "day", "First day of the stay; ended_on where it is left out."),
    Column(
        "period_from_on",
        "day",
        "First day of the settlement period; admitted_on where it is left out. A stay across two"
        " years that a book splits needs it.",
    ),
    Column(
        "ended_on",
        "day",
        "Last day of the settlement period: it decides which version of a book holds.",
        required=True,
    ),
    Column("person_type", "word", "The kind of insured person.", required=True, words=PERSON_TYPES),
    Column("tier", "word", "What a resident contributes.", words=TIERS),
    Column(
        "category",
        "word",
        "Whether entitled to assistance.",
        default="general",
        words=CATEGORIES,
    ),
    Column(
        "hospital_level",
        "word",
        "The hospital's level.",
        required=True,
        words=tuple(map(str, LEVELS)),
    ),
    Column("hospital_subtype", "word", "Who runs the hospital.", words=SUBTYPES),
    Column(
        "filing",
        "word",
        "How the stay was filed. A cross-region book that counts it as filed goes before it.",
        default="local",
        words=FILINGS,
    ),
    Column(
        "period_number",
        "integer",
        "Number of the settlement period among those of the stay in the year, from 1.",
        default=1,
    ),
    Column("in_scope_fen", "fen", "What the catalogue let through.", required=True),
    Column("total_fen", "fen", "The bill; left out where only the policy is asked about."),
    Column("age", "integer", "The person's age in years; only groups are made by it."),
    Column("pool_paid_fen", "fen", "opening: what the pool has paid in the year.", default=0),
    Column("large_paid_fen", "fen", "opening: the large-amount fund.", default=0),
    Column("deductible_paid_fen", "fen", "opening: borne as deductibles.", default=0),
    Column("admissions", "integer", "opening: settled admissions of the year.", default=0),
    Column("burden_fen", "fen", "opening: what the person bore in scope.", default=0),
    Column("catastrophic_paid_fen", "fen", "opening: catastrophic insurance.", default=0),
    Column("assistance_paid_fen", "fen", "opening: assistance.", default=0),
    Column(
        "institution_id", "id", "The hospital; only booking needs it, to owe it what funds pay."
    ),
)

RESULT_AMOUNTS: Final = (
    "deductible_fen",
    "pool_fen",
    "pool_self_fen",
    "large_fen",
    "large_self_fen",
    "burden_fen",
    "catastrophic_fen",
    "assistance_fen",
    "person_in_scope_fen",
    "rounding_residual_fen",
    "catastrophic_expected_fen",
    "assistance_expected_fen",
)
"""The amounts of a result, named as in `outcome.Benefit`; negative for a void.

The two expected ones are what a fund that is only announced would pay at most: `UNKNOWN_FEN` where
a figure that is needed is not known or no such fund is announced (Benefit's None, or nothing)."""

_ABOUT: Final = {
    "deductible_fen": "What the person bore first.",
    "pool_fen": "The pool's payment.",
    "pool_self_fen": "The person's share under the pool.",
    "large_fen": "The large-amount fund's payment.",
    "large_self_fen": "The person's share under it, and what lies beyond it.",
    "burden_fen": "In scope less pool and large-amount fund.",
    "catastrophic_fen": "Catastrophic insurance, where it pays at discharge.",
    "assistance_fen": "Assistance, where it pays at discharge.",
    "person_in_scope_fen": "What the person bears in scope, after all funds.",
    "rounding_residual_fen": "What the parts shown differ by from the person's share.",
    "catastrophic_expected_fen": "What an announced cover would pay at most; empty: not known.",
    "assistance_expected_fen": "The same of announced assistance.",
}


class ResultColumn(NamedTuple):
    """One column of the results: its name, its type in Parquet, what it says."""

    name: str
    kind: Literal["as read", "word", "int64", "int16", "bool"]
    about: str


RESULT_COLUMNS: Final = (
    ResultColumn("claim_id", "as read", "The event's id, as the input has it."),
    ResultColumn("row", "int64", "The row's place in the input, from 0; rows keep that order."),
    ResultColumn("code", "word", "Why the row could not be judged; empty where it was."),
    ResultColumn("detail", "word", "The column or the rule that the code is about."),
    ResultColumn("book_id", "word", "The rule book that decided."),
    ResultColumn("book_digest", "word", "Which version of it."),
    ResultColumn("book_status", "word", "draft or adopted: a draft is nobody's law yet."),
    ResultColumn("year", "int16", "The calendar year whose accumulators moved."),
    ResultColumn("voided", "bool", "Whether a later row took this one back."),
    *(ResultColumn(name, "int64", _ABOUT[name]) for name in RESULT_AMOUNTS),
    ResultColumn("personal_total_fen", "int64", "The bill less what funds pay; needs total_fen."),
    ResultColumn("fund_fen", "int64", "What all funds pay at discharge."),
)
"""What a file of results has. Amounts are negative in a void, and empty in an opening and in a row
that was not judged. With a trace the columns of `trace_columns` follow."""
