"""What is stored of links to a bill, of those who opened one, and of delegates."""

import msgspec

from tongcheng.kernel.store import Records


class BillLinkRow(msgspec.Struct, frozen=True):
    """One link to the bill of one settlement; of its token only the digest is here.

    It opens to the patient, or to the delegate named. `asked_by` is the credential's name;
    `wrong_tries` counts over its whole life. A revoked link has an instant in `revoked_at`.
    """

    token_digest: bytes
    link_id: str
    settlement_id: str
    stay_id: str
    institution_id: str
    person_id: str
    delegate_id: str | None
    asked_by: str
    made_at: int
    to_at: int
    revoked_at: int | None
    wrong_tries: int


class BillSessionRow(msgspec.Struct, frozen=True):
    """One opening of a link: whoever has the secret reads this one bill until `to_at`."""

    session_digest: bytes
    token_digest: bytes
    opened_at: int
    to_at: int
    closed_at: int | None


class DelegateRow(msgspec.Struct, frozen=True):
    """Who may read a stay's bills for the patient, such as a child for a parent (代理人).

    `identity` is a sealed `delegates.DelegateIdentity`; `to_on` the last day, a local date.
    """

    delegate_id: str
    stay_id: str
    institution_id: str
    identity: bytes
    relationship: str
    recorded_by: str
    recorded_at: int
    to_on: str
    revoked_at: int | None


BILL_LINKS = Records(
    "settlement_bill_links",
    BillLinkRow,
    key=("token_digest",),
    indexes=(("settlement_id",), ("link_id",)),
)
BILL_SESSIONS = Records("settlement_bill_sessions", BillSessionRow, key=("session_digest",))
DELEGATES = Records(
    "settlement_delegates", DelegateRow, key=("delegate_id",), indexes=(("stay_id",),)
)

TABLES = (BILL_LINKS, BILL_SESSIONS, DELEGATES)
