"""A person does not recognise a line of the bill (明细疑问): the first kind of case.

The person asks about one line; the hospital explains it or says that it will take it back
(refund or revoke); the person is content, or turns to the agency of the visited place (就医地经办),
which decides. Everything here is a command or a question on the store and knows nothing of HTTP:
that the person is who they say, by an expiring link or as a delegate, is proved before.

For the page of a person: `open_query`, `of_stay`, `said`, `possible` and `answer_person`.
"""

from types import MappingProxyType
from typing import Final, Literal

import msgspec

from tongcheng.kernel import audit, cases
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.cases import Actor, CaseKind, CaseRow, Handed, History, Leg, Opening, Term
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.store import Reading, Transaction
from tongcheng.services.settlement import kept_lines, management
from tongcheng.services.settlement.store import STAYS

PERSON: Final = "person"
HOSPITAL: Final = "hospital"
AGENCY: Final = "agency"

PersonAction = Literal["accepted", "escalated", "withdrawn"]
HospitalAction = Literal["explained", "corrected"]
AgencyAction = Literal["upheld", "rejected", "lapsed"]

LINE_QUERY: Final = CaseKind(
    name="line_query",
    first="asked",
    opened_by=PERSON,
    table=MappingProxyType(
        {
            ("asked", "explained"): "explained",
            ("asked", "corrected"): "corrected",
            ("asked", "escalated"): "escalated",
            ("asked", "withdrawn"): "withdrawn",
            ("explained", "accepted"): "accepted",
            ("explained", "escalated"): "escalated",
            ("explained", "lapsed"): "lapsed",
            ("corrected", "accepted"): "accepted",
            ("corrected", "escalated"): "escalated",
            ("corrected", "lapsed"): "lapsed",
            ("escalated", "upheld"): "upheld",
            ("escalated", "rejected"): "rejected",
            ("escalated", "withdrawn"): "withdrawn",
        }
    ),
    legs=MappingProxyType(
        {
            "asked": Leg(HOSPITAL, Term("hospital_answer_days", "working")),
            "explained": Leg(PERSON, Term("person_reply_days", "calendar")),
            "corrected": Leg(PERSON, Term("person_reply_days", "calendar")),
            "escalated": Leg(AGENCY, Term("agency_decision_days", "working")),
        }
    ),
    may=MappingProxyType(
        {
            "explained": (HOSPITAL,),
            "corrected": (HOSPITAL,),
            "accepted": (PERSON,),
            "escalated": (PERSON,),
            "withdrawn": (PERSON,),
            "lapsed": (AGENCY,),
            "upheld": (AGENCY,),
            "rejected": (AGENCY,),
        }
    ),
    when_late=frozenset({("asked", "escalated"), ("explained", "lapsed"), ("corrected", "lapsed")}),
    with_words=frozenset({cases.OPEN, "explained", "corrected", "escalated", "upheld", "rejected"}),
    days_of=management.line_query_days,
)
"""The life of a query. Only a hospital that lets its deadline pass can be passed over, and only a
person who does can be taken to have nothing more to say."""


class LineQuery(msgspec.Struct, frozen=True):
    """One query of a stay: the line it is about, and its history without what was said."""

    line_id: str
    history: History


def open_query(tx: Transaction, person_id: str, stay_id: str, line_id: str, text: str) -> Handed:
    """Ask the hospital about one line of a stay, for the person whose stay it is.

    Args:
        tx: the writer's transaction; run it by `node.run(lambda tx: open_query(tx, …))`.
        person_id: the person proved to be asking; a delegate asks in the person's name.
        stay_id: the stay; another person's does not exist.
        line_id: a line that counts; a revoked one is not there any more.
        text: what the person says, at most `cases.WORDS_CHARACTERS_MAX` characters; it is sealed.

    Returns:
        The case and the receipt to show. While a query about the line is open, asking again
        returns that one and the receipt of its opening, whatever the text.

    Raises:
        Refused: STAY_UNKNOWN, LINE_UNKNOWN, CASE_WORDS (empty or too long).
    """
    stay = tx.get(STAYS, stay_id)
    if stay is None or stay.person_id != person_id:
        raise Refused("STAY_UNKNOWN", stay=stay_id)
    line = kept_lines.by_id(kept_lines.of_stay(tx, stay_id)).get(line_id)
    if line is None or line.revoked:
        raise Refused("LINE_UNKNOWN", line=line_id)
    parties = {PERSON: person_id, HOSPITAL: stay.institution_id, AGENCY: tx.home.member_id}
    return cases.open_case(tx, LINE_QUERY, Opening(stay_id, line_id, parties), text)


def of_stay(reading: Reading, stay_id: str) -> list[LineQuery]:
    """Return every query about a stay's lines, open and closed, in the order they were opened.

    Nothing that was said is in it: states, turns, deadlines and receipts only. Who may see the
    stay is checked by whoever calls; `said` returns the words.
    """
    rows = reading.select(cases.CASES, kind=LINE_QUERY.name, subject=stay_id)
    found = [LineQuery(row.item, cases.history(reading, row.case_id)) for row in rows]
    # Ids tell the order to the millisecond; the journal tells it always.
    return sorted(found, key=lambda one: one.history.receipts[0].leaf_index)


def said(reading: Reading, ring: KeyRing, case_id: str) -> dict[int, str]:
    """Return what was said in a query: number of the hand-over → text.

    Number n belongs to `history.receipts[n - 1]`, which says who said it and when. It is personal:
    whoever calls writes the reading into the audit first.
    """
    return cases.words_of(reading, ring, case_id)


def possible(case: CaseRow, role: str, now_at: int) -> tuple[str, ...]:
    """Return what a role (PERSON, HOSPITAL, AGENCY) can do with a query now: the buttons to show.

    An action in `LINE_QUERY.with_words` needs a text.
    """
    return LINE_QUERY.possible(case.state, role, late=cases.is_late(case, now_at))


def answer_person(
    tx: Transaction, person_id: str, case_id: str, action: PersonAction, text: str = ""
) -> Handed:
    """Go on with a query, for the person who opened it.

    `accepted` ends it; `escalated` turns to the agency and needs a text: after an answer of the
    hospital at any time, without one only when its deadline has passed; `withdrawn` ends it while
    the hospital or the agency has it. The same call again returns the same receipt.

    Raises:
        Refused: CASE_UNKNOWN (also for another person's), CASE_ACTION, CASE_NOT_YOURS,
            CASE_NOT_LATE, CASE_WORDS.
    """
    query_of(tx, PERSON, person_id, case_id)
    return cases.act(tx, LINE_QUERY, case_id, action, Actor(PERSON, person_id), text)


def answer_hospital(
    tx: Transaction, caller: Caller, case_id: str, action: HospitalAction, text: str
) -> Handed:
    """Answer a query for the hospital whose line it is: `explained`, or `corrected`.

    `corrected` says that the hospital takes the line back, by a refund line or by voiding and
    uploading anew; the case does not do it. The same call again returns the same receipt.

    Raises:
        Refused: CASE_UNKNOWN (also for another hospital's), CASE_ACTION, CASE_WORDS.
    """
    query_of(tx, HOSPITAL, caller.institution_id, case_id)
    actor = Actor(HOSPITAL, caller.institution_id)
    return cases.act(tx, LINE_QUERY, case_id, action, actor, text)


def decide(
    tx: Transaction, officer: str, case_id: str, action: AgencyAction, text: str = ""
) -> Handed:
    """Decide a query that came to the agency, in the name of this node's member.

    `upheld`: the person is right; `rejected`: the line stands; both need a text. `lapsed` ends a
    query whose person has let the deadline pass after an answer. `officer` goes into the audit.

    Raises:
        Refused: CASE_UNKNOWN, CASE_ACTION, CASE_NOT_LATE, CASE_WORDS.
    """
    query_of(tx, AGENCY, tx.home.member_id, case_id)
    actor = Actor(AGENCY, tx.home.member_id)
    handed = cases.act(tx, LINE_QUERY, case_id, action, actor, text)
    audit.note(tx, audit.Entry(officer, f"case.{action}", case_id))
    return handed


def query_of(reading: Reading, role: str, party: str, case_id: str) -> CaseRow:
    """Return a query in which this party has this role; any other does not exist for it."""
    row = cases.case_of(reading, case_id)
    if row.kind != LINE_QUERY.name or cases.party_of(reading, case_id, role) != party:
        raise Refused("CASE_UNKNOWN", case=case_id)
    return row
