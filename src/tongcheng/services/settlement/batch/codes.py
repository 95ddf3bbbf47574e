"""Why a row of a batch is not judged: every code there is, each by its place."""

from typing import Final

from tongcheng.services.settlement.batch.columns import CLAIM_COLUMNS

CODES: Final = (
    "",
    # what the reader finds
    "CLAIM_FIELDS",
    "CLAIM_MISSING",
    "CLAIM_VALUE",
    "CLAIM_ID_TWICE",
    "REGION_UNKNOWN_AREA",
    "AREA_WITHOUT_RULE_BOOK",
    "RULE_BOOKS_RIVAL",
    # of voids
    "CLAIM_VOID_UNKNOWN",
    "CLAIM_VOID_TWICE",
    "CLAIM_VOID_REFUSED",
    # of the book and the year
    "STAY_DATES",
    "RULE_BOOK_MISSING",
    "PERIOD_CROSSES_YEAR",
    # of the engine
    "BILL_INVALID",
    "BILL_TOO_LARGE",
    "HOSPITAL_SUBTYPE_NEEDED",
    "PERSON_TIER_NEEDED",
    "ACCUMULATORS_INVALID",
    "RULE_UNKNOWN",
)
"""A row's code is its place here, 0 where the row was judged. A row is refused by the first that
applies: the reader's, a void's or the area's, the days, the version, the year, the cross-region
version, then what `engine.settle` refuses in its order."""

CODE_OF: Final = {code: place for place, code in enumerate(CODES)}

FIELDS: Final = (*(column.name for column in CLAIM_COLUMNS), "admission_number")
"""What BILL_INVALID and ACCUMULATORS_INVALID name; the admission is counted, not read."""
