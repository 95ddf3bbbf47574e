"""Opening a case and moving it on: functions of a Transaction.

Who the actor is has been proved before by whoever calls. Here it is checked that this party takes
part in this case in this role, and that the table lets the role take the action now.
"""

import unicodedata
from collections.abc import Mapping
from typing import Final

import msgspec

from tongcheng.kernel import canonical, ids, journal, sealing
from tongcheng.kernel.cases.handover import (
    HANDOVER_KIND,
    HandOver,
    Undated,
    applied,
    content_id,
    due,
    words_digest,
)
from tongcheng.kernel.cases.kind import OPEN, WORDS_CHARACTERS_MAX, CaseKind
from tongcheng.kernel.cases.reading import (
    SALT_BYTES,
    case_of,
    is_late,
    party_of,
    words_of,
    words_place,
)
from tongcheng.kernel.cases.tables import (
    CASE_LEGS,
    CASE_PARTIES,
    CASE_RECEIPTS,
    CASE_WORDS,
    CASES,
    CaseRow,
    PartyRow,
    ReceiptRow,
    WordsRow,
)
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Transaction

_LAYOUT: Final = "\t\n\r"
"""The control characters that a text may have."""


class Actor(msgspec.Struct, frozen=True):
    """Who acts, and in which role of the case."""

    role: str
    party: str


class Opening(msgspec.Struct, frozen=True):
    """A case to open: what it is about, and the party of every role of its kind."""

    subject: str
    item: str
    parties: Mapping[str, str]


class Handed(msgspec.Struct, frozen=True):
    """The case as it stands after a hand-over, and the receipt for that hand-over."""

    case: CaseRow
    receipt: ReceiptRow


def open_case(tx: Transaction, kind: CaseKind, opening: Opening, words: str) -> Handed:
    """Open a case and hand it to the owner of its first leg.

    There is one open case of a kind about one thing: opening it again returns the one that is
    open, with the receipt of its opening. Refuses CASE_WORDS.
    """
    assert set(opening.parties) == kind.roles, f"{kind.name}: {sorted(opening.parties)}"
    for row in tx.select(CASES, kind=kind.name, subject=opening.subject):
        if row.item == opening.item and row.closed_at is None:
            return Handed(row, tx.need(CASE_RECEIPTS, row.case_id, 1))
    _check_words(kind, OPEN, words)
    case_id = ids.short(tx.new_id())
    for role, party in sorted(opening.parties.items()):
        tx.add(CASE_PARTIES, PartyRow(case_id, role, party))
    actor = Actor(kind.opened_by, opening.parties[kind.opened_by])
    draft = _draft(tx, kind, case_id, None, OPEN, actor)
    named = msgspec.structs.replace(
        draft, subject=opening.subject, item=opening.item, parties=dict(opening.parties)
    )
    return _hand_over(tx, None, named, words)


def act(
    tx: Transaction, kind: CaseKind, case_id: str, action: str, actor: Actor, words: str = ""
) -> Handed:
    """Take an action: end the leg, and open the next one unless the case is closed by it.

    The last hand-over said again by the same party in the same words is that hand-over, so a lost
    answer can be asked for again.

    Raises:
        Refused: in this order CASE_UNKNOWN, CASE_NOT_YOURS (another party), CASE_ACTION (not in
            this state), CASE_NOT_YOURS (another role's action), CASE_NOT_LATE, CASE_WORDS.
    """
    case = case_of(tx, case_id)
    if case.kind != kind.name:
        raise Refused("CASE_UNKNOWN", case=case_id)
    if party_of(tx, case_id, actor.role) != actor.party:
        raise Refused("CASE_NOT_YOURS", case=case_id, role=actor.role)
    last = tx.need(CASE_RECEIPTS, case_id, case.handed)
    if (last.action, last.role) == (action, actor.role) and words == words_of(
        tx, tx.home.ring, case_id
    ).get(last.number, ""):
        return Handed(case, last)
    if kind.follow(case.state, action) is None:
        raise Refused("CASE_ACTION", case=case_id, state=case.state, action=action)
    if actor.role not in kind.may[action]:
        raise Refused("CASE_NOT_YOURS", case=case_id, role=actor.role)
    if (case.state, action) in kind.when_late and not is_late(case, tx.now_at):
        raise Refused("CASE_NOT_LATE", case=case_id, action=action)
    _check_words(kind, action, words)
    return _hand_over(tx, case, _draft(tx, kind, case_id, case, action, actor), words)


def _check_words(kind: CaseKind, action: str, words: str) -> None:
    missing = action in kind.with_words and not words.strip()
    # A stranger's words end on an officer's terminal, which would obey an escape sequence in them.
    is_text = all(unicodedata.category(each) != "Cc" or each in _LAYOUT for each in words)
    if missing or not is_text or len(words) > WORDS_CHARACTERS_MAX:
        raise Refused("CASE_WORDS", most=WORDS_CHARACTERS_MAX)
    try:
        words.encode()
    except UnicodeEncodeError:
        raise Refused("CASE_WORDS", most=WORDS_CHARACTERS_MAX) from None


def _draft(
    tx: Transaction,
    kind: CaseKind,
    case_id: str,
    case: CaseRow | None,
    action: str,
    actor: Actor,
) -> HandOver:
    """Return the hand-over without its words: where it leads, to whom, until when."""
    state = kind.first if case is None else kind.table[case.state, action]
    leg = kind.legs.get(state)
    due_at: int | None = None
    undated: Undated | None = None
    if leg is not None:
        due_at, undated = due(tx.home, kind, state, tx.now_at)
    return HandOver(
        case_id=case_id,
        number=1 if case is None else case.handed + 1,
        kind=kind.name,
        action=action,
        role=actor.role,
        party=actor.party,
        at=tx.now_at,
        state=state,
        owner=None if leg is None else leg.owner,
        owner_party=None if leg is None else party_of(tx, case_id, leg.owner),
        due_at=due_at,
        undated=undated,
        words="",
    )


def _hand_over(tx: Transaction, before: CaseRow | None, draft: HandOver, words: str) -> Handed:
    """Write a hand-over: its words, its leaf, its receipt, and what it makes of the case."""
    case_id, number = draft.case_id, draft.number
    given = draft
    if words:
        salted = tx.home.entropy.bytes(SALT_BYTES) + words.encode()
        place = words_place(case_id, number)
        sealed = sealing.seal(tx.home.ring, salted, place, tx.home.entropy)
        tx.add(CASE_WORDS, WordsRow(case_id, number, sealed))
        given = msgspec.structs.replace(draft, words=words_digest(salted))
    leg = None if before is None else tx.need(CASE_LEGS, case_id, before.handed)
    case, ended, opened = applied(before, leg, given)
    tx.put(CASES, case)
    for row in (ended, opened):
        if row is not None:
            tx.put(CASE_LEGS, row)
    key = content_id(case_id, number)
    index = journal.append(tx, HANDOVER_KIND, key, canonical.encode(given))
    leaf = tx.need(journal.JOURNAL_LEAVES, index)
    receipt = ReceiptRow(
        case_id=case_id,
        number=number,
        action=given.action,
        role=given.role,
        party=given.party,
        at=given.at,
        digest=leaf.digest,
        leaf_index=index,
    )
    tx.add(CASE_RECEIPTS, receipt)
    return Handed(case, receipt)
