"""Links to a bill: made for a hospital, opened by whoever has one and knows the last four.

A token is 128 random bits and stands on the settlement sheet; of it, and of the secret of an
opened page, only SHA-256 is stored. To open a link takes the last four characters of the id number
of the patient, or of the delegate that it was made for. Whatever is wrong, the answer and the work
are the same: one durable command that writes one entry of the audit. So nobody learns whether a
link ever was. Five wrong tries close it: tries at every link that the same reader has to the same
settlement count together, or each sheet that was printed again would be five chances more.
"""

import hashlib
import hmac
import re
from typing import Final

import msgspec

from tongcheng.kernel import audit, ids, sealing
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Reading, Transaction
from tongcheng.services.settlement import identities, visited
from tongcheng.services.settlement.bill_page import delegates
from tongcheng.services.settlement.bill_page.store import (
    BILL_LINKS,
    BILL_SESSIONS,
    DELEGATES,
    BillLinkRow,
    BillSessionRow,
)
from tongcheng.services.settlement.store import PATIENTS

LINK_DAYS: Final = 30
"""How long a link opens unless the hospital says otherwise: a month of bills and questions."""
LINK_DAYS_MAX: Final = 90
WRONG_TRIES_MAX: Final = 5
"""Of about 11,000 ends of an id number: whoever finds a sheet has one chance in 2,000."""
SESSION_MS: Final = 30 * 60_000
"""How long an opened page stays open: a bill is read on other people's phones too."""
CHARACTERS_READ: Final = 64
"""Of what is typed as the last four: enough for spaces and full-width figures."""
LINKS_MAX: Final = 50
"""Of one settlement, whether they still open or not: a system that asks for more is broken."""

TOKEN_SHAPE: Final = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")
_HAND_COPIED: Final = str.maketrans({"i": "1", "l": "1", "o": "0", "-": None, " ": None})
_REFUSED: Final = "bill.refused"


class Reader(msgspec.Struct, frozen=True):
    """Who has a bill open: the patient, or a delegate; and the secret that proves it."""

    link: BillLinkRow
    secret: str

    @property
    def actor(self) -> str:
        """Return who reads, as the audit says it: the number of the person or of the delegate."""
        if self.link.delegate_id is not None:
            return f"delegate {self.link.delegate_id}"
        return f"person {self.link.person_id}"


class MadeLink(msgspec.Struct, frozen=True):
    """A new link and its token, which is stored nowhere."""

    link: BillLinkRow
    token: str


def digest_of(secret: str) -> bytes:
    """Return what is stored of a token or of a session's secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def read_token(written: str) -> str:
    """Return a token as it was given out: copied by hand, it may have hyphens, capitals, an O."""
    return written.lower().translate(_HAND_COPIED)


# the hospital


def make(
    tx: Transaction,
    caller: Caller,
    settlement_id: str,
    *,
    days: int = LINK_DAYS,
    delegate_id: str | None = None,
    end_earlier: bool = False,
) -> MadeLink:
    """Make a link to the bill of a settlement of the caller's that stands.

    `end_earlier` ends the links that were made before for the same reader; else they open on,
    unless wrong tries have closed them.

    Raises:
        Refused: SETTLEMENT_UNKNOWN, BILL_LINK_NOT_SETTLED, DELEGATE_UNKNOWN (also for one whose
            right is over), BILL_LINKS_TOO_MANY.
    """
    assert 0 < days <= LINK_DAYS_MAX, days
    claim = visited.claim_of(tx, caller, settlement_id)
    if claim.state != "settled":
        raise Refused("BILL_LINK_NOT_SETTLED", settlement=settlement_id, state=claim.state)
    stay = visited.stay_of(tx, caller, claim.stay_id)
    if delegate_id is not None:
        delegate = delegates.of_stay(tx, caller, stay.stay_id, delegate_id)
        if not delegates.is_valid(delegate, tx.home.region.zone, tx.now_at):
            raise Refused("DELEGATE_UNKNOWN", delegate=delegate_id)
    known = tx.select(BILL_LINKS, settlement_id=settlement_id)
    # Tries at all of a reader's sheets count together, so worn ones would close a new one too.
    ends = end_earlier or _tries(tx, settlement_id, delegate_id, tx.now_at) >= WRONG_TRIES_MAX
    if len(known) >= LINKS_MAX:
        raise Refused("BILL_LINKS_TOO_MANY", settlement=settlement_id, limit=LINKS_MAX)
    for earlier in known:
        if ends and earlier.delegate_id == delegate_id:
            _end(tx, earlier)
    token = ids.random_short(tx.home.entropy)
    row = BillLinkRow(
        token_digest=digest_of(token),
        link_id=ids.random_short(tx.home.entropy),
        settlement_id=settlement_id,
        stay_id=stay.stay_id,
        institution_id=caller.institution_id,
        person_id=stay.person_id,
        delegate_id=delegate_id,
        asked_by=caller.name,
        made_at=tx.now_at,
        to_at=tx.now_at + days * DAY_MS,
        revoked_at=None,
        wrong_tries=0,
    )
    tx.add(BILL_LINKS, row)
    audit.note(tx, _entry(caller.institution_id, "bill.link", row))
    return MadeLink(row, token)


def revoke(tx: Transaction, caller: Caller, settlement_id: str, link_id: str) -> BillLinkRow:
    """End a link now, with every page that it has open. Again changes nothing.

    Raises:
        Refused: SETTLEMENT_UNKNOWN, BILL_LINK_UNKNOWN.
    """
    visited.claim_of(tx, caller, settlement_id)
    for row in tx.select(BILL_LINKS, link_id=link_id):
        if row.settlement_id == settlement_id:
            audit.note(tx, _entry(caller.institution_id, "bill.revoke", row))
            return _end(tx, row)
    raise Refused("BILL_LINK_UNKNOWN", link=link_id)


def _end(tx: Transaction, row: BillLinkRow) -> BillLinkRow:
    if row.revoked_at is not None:
        return row
    ended = msgspec.structs.replace(row, revoked_at=tx.now_at)
    tx.put(BILL_LINKS, ended)
    return ended


def _entry(actor: str, action: str, link: BillLinkRow) -> audit.Entry:
    return audit.Entry(actor, action, link.settlement_id, link.link_id)


# the reader


def open_bill(tx: Transaction, token: str, characters: str) -> str | None:
    """Open a link with the last four characters; return the secret of the opened page, or None.

    None says the same of a link that is not known, over, ended or closed, and of wrong characters.
    A wrong try is counted in the commit that answers it, so asking in parallel counts too.
    """
    digest = digest_of(token)
    row = tx.get(BILL_LINKS, digest)
    is_open = (
        row is not None
        and _opens(tx, tx.home.region.zone, row, tx.now_at)
        and _tries(tx, row.settlement_id, row.delegate_id, tx.now_at) < WRONG_TRIES_MAX
    )
    expected = _expected(tx, row) if row is not None else ids.random_short(tx.home.entropy)
    given = sealing.normalise_id_number(characters[:CHARACTERS_READ])
    is_right = hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
    if row is None:
        audit.note(tx, audit.Entry("stranger", _REFUSED, "unknown link"))
        return None
    if not (is_open and is_right):
        if not is_right:
            tx.put(BILL_LINKS, msgspec.structs.replace(row, wrong_tries=row.wrong_tries + 1))
        audit.note(tx, _entry("stranger", _REFUSED, row))
        return None
    secret = ids.random_short(tx.home.entropy)
    session = BillSessionRow(digest_of(secret), digest, tx.now_at, tx.now_at + SESSION_MS, None)
    tx.add(BILL_SESSIONS, session)
    audit.note(tx, _entry(Reader(row, secret).actor, "bill.open", row))
    return secret


def _expected(reading: Transaction, row: BillLinkRow) -> str:
    """Return what opens a link: the end of the patient's number, or of the delegate's."""
    ring = reading.home.ring
    if row.delegate_id is None:
        patient = reading.need(PATIENTS, row.person_id)
        return identities.last_four(identities.identity_of(ring, patient).id_number)
    delegate = reading.need(DELEGATES, row.delegate_id)
    return identities.last_four(delegates.identity_of(ring, delegate).id_number)


def _opens(reading: Reading, zone: str, row: BillLinkRow, now_at: int) -> bool:
    """Tell whether a link has not ended, nor the right of the delegate that it is for."""
    if row.revoked_at is not None or now_at >= row.to_at:
        return False
    if row.delegate_id is None:
        return True
    delegate = reading.get(DELEGATES, row.delegate_id)
    return delegate is not None and delegates.is_valid(delegate, zone, now_at)


def reader_of(
    reading: Reading, zone: str, token: str, secret: str | None, now_at: int
) -> Reader | None:
    """Return who has this link open, or None: the secret opens no other link than its own.

    A page that is open stays so while its link has not ended, also when strangers' wrong tries
    have closed the link for new openings meanwhile.
    """
    if not secret:
        return None
    digest = digest_of(token)
    session = reading.get(BILL_SESSIONS, digest_of(secret))
    link = reading.get(BILL_LINKS, digest)
    if session is None or link is None:
        return None
    is_its_own = hmac.compare_digest(session.token_digest, digest)
    if not is_its_own or session.closed_at is not None or now_at >= session.to_at:
        return None
    return Reader(link, secret) if _opens(reading, zone, link, now_at) else None


def _tries(reading: Reading, settlement_id: str, delegate_id: str | None, now_at: int) -> int:
    """Return how many wrong tries a reader's links to a settlement have had that have not ended.

    Those that have ended count no more, or an old sheet could close every new one.
    """
    return sum(
        row.wrong_tries
        for row in reading.select(BILL_LINKS, settlement_id=settlement_id)
        if row.delegate_id == delegate_id and row.revoked_at is None and now_at < row.to_at
    )


def close(tx: Transaction, secret: str) -> None:
    """Close an opened page: its secret opens nothing any more."""
    session = tx.get(BILL_SESSIONS, digest_of(secret))
    if session is not None and session.closed_at is None:
        tx.put(BILL_SESSIONS, msgspec.structs.replace(session, closed_at=tx.now_at))


def form_token(reader: Reader) -> str:
    """Return what every form of an opened page carries: other sites cannot know it (CSRF)."""
    message = b"tongcheng bill form\0" + reader.link.token_digest
    return hmac.digest(reader.secret.encode(), message, "sha256").hex()


def check_form(reader: Reader, given: str) -> None:
    """Refuse BILL_FORM_STALE for a form that this opened page did not make."""
    expected = form_token(reader)
    if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise Refused("BILL_FORM_STALE")
