"""What is stored of a case. Everything but what was said can be rebuilt from the journal."""

import msgspec

from tongcheng.kernel.store import Records


class CaseRow(msgspec.Struct, frozen=True):
    """One case (办件): joint work about `subject`, or about one `item` of it.

    While it is open it is `owner_party`'s turn, in the role `owner_role`, until `due_at`: the
    first instant that is too late. A deadline that cannot be known yet is None, and `undated`
    holds the refusal that says why (canonical bytes of `Undated`). `handed` counts hand-overs.
    """

    case_id: str
    kind: str
    subject: str
    item: str
    state: str
    opened_at: int
    closed_at: int | None
    owner_role: str | None
    owner_party: str | None
    due_at: int | None
    undated: bytes
    handed: int


class PartyRow(msgspec.Struct, frozen=True):
    """Who acts in a role of one case; it never changes."""

    case_id: str
    role: str
    party: str


class LegRow(msgspec.Struct, frozen=True):
    """One stretch of a case in one party's hands; leg n was opened by hand-over n.

    `action` and `done_at` are those of the hand-over that ended it, None while it is open.
    """

    case_id: str
    number: int
    state: str
    role: str
    party: str
    received_at: int
    due_at: int | None
    undated: bytes
    done_at: int | None
    action: str | None


class WordsRow(msgspec.Struct, frozen=True):
    """What was said with one hand-over: salt ‖ text, sealed, because it can be personal."""

    case_id: str
    number: int
    sealed: bytes


class ReceiptRow(msgspec.Struct, frozen=True):
    """What both parties of a hand-over are given (回执).

    `digest` is the salted digest that the journal's leaf `leaf_index` commits to: it covers who
    handed over what, when, to whom, and what was said, and tells nothing of it by itself.
    """

    case_id: str
    number: int
    action: str
    role: str
    party: str
    at: int
    digest: bytes
    leaf_index: int


CASES = Records(
    "cases", CaseRow, key=("case_id",), indexes=(("kind", "subject"), ("closed_at", "due_at"))
)
CASE_PARTIES = Records(
    "case_parties", PartyRow, key=("case_id", "role"), indexes=(("role", "party"),)
)
CASE_LEGS = Records("case_legs", LegRow, key=("case_id", "number"))
CASE_WORDS = Records("case_words", WordsRow, key=("case_id", "number"))
CASE_RECEIPTS = Records("case_receipts", ReceiptRow, key=("case_id", "number"))

CASE_TABLES = (CASES, CASE_PARTIES, CASE_LEGS, CASE_WORDS, CASE_RECEIPTS)
