"""One side's books of a pair of members, as a node's store holds them, for `reconcile`.

Three readings: the visited side's own claims, the insured side's own decisions, and, when the
insured side's books are out of reach, its signed answers as the visited side's journal keeps them.
"""

from collections.abc import Iterable
from typing import Final

from tongcheng.kernel import adoption, canonical, journal, merkle
from tongcheng.kernel.accord import Accord
from tongcheng.kernel.envelope import SIGNING_DOMAIN, Envelope, Statement
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import ACT_TAKEN, SENT, TAKEN, TakenRow
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.ledger import TRANSFERS, TransferRow
from tongcheng.kernel.store import Reading, Snapshot
from tongcheng.services.settlement import purses
from tongcheng.services.settlement.model import (
    SETTLED,
    VOIDED,
    FundPayment,
    SettledBody,
    VoidedBody,
)
from tongcheng.services.settlement.reconcile import Owed, Side, SideRow
from tongcheng.services.settlement.store import CLAIMS, DECISIONS, ClaimRow, DecisionRow

UNPROVEN: Final = "unproven"
"""The state of an answer whose signature does not hold: it equals nothing."""

UNACCEPTED: Final = "unaccepted"
"""The state of a claim whose answer came and was refused here: no answer is under way any more."""

Sums = dict[str, dict[tuple[str, str], int]]


def visited_side(snapshot: Snapshot, insured_member: str, read_at: int) -> Side:
    """Return what this node, as the visited side, holds of one insured member."""
    by_subject, accounts = _owed(snapshot, purses.due_from(insured_member, ""), debit_is_more=True)
    rows = [
        claim_row(snapshot, row, _rows_of(by_subject.get(row.settlement_id, {})))
        for row in snapshot.select(CLAIMS, insured_member=insured_member)
    ]
    return Side(tuple(rows), accounts, read_at)


def claim_row(snapshot: Snapshot, row: ClaimRow, owed: tuple[Owed, ...]) -> SideRow:
    """Return a settlement as the visited side holds it."""
    return SideRow(
        settlement_id=row.settlement_id,
        state=UNACCEPTED if _is_unaccepted(snapshot, row) else row.state,
        decided=bool(row.result),
        total_fen=row.total_fen,
        fund_fen=row.fund_fen,
        person_fen=row.person_fen,
        owed=owed,
        since_at=row.opened_at if row.state == "pending" else row.changed_at,
    )


def _is_unaccepted(snapshot: Snapshot, row: ClaimRow) -> bool:
    """Tell whether a pending claim has been answered in a way that was not acceptable here."""
    if row.state != "pending":
        return False
    return any(one.answer_id for one in snapshot.select(SENT, envelope_id=row.settle_id))


def insured_side(snapshot: Snapshot, visited_member: str, read_at: int) -> Side:
    """Return what this node, as the insured side, holds of one visited member."""
    by_subject, accounts = _owed(snapshot, purses.due_to(visited_member, ""), debit_is_more=False)
    rows = [
        decision_row(snapshot, row, _rows_of(by_subject.get(row.settlement_id, {})))
        for row in snapshot.select(DECISIONS, visited_member=visited_member)
    ]
    return Side(tuple(rows), accounts, read_at)


def decision_row(snapshot: Snapshot, row: DecisionRow, owed: tuple[Owed, ...]) -> SideRow:
    """Return a settlement as the insured side holds it."""
    return SideRow(
        settlement_id=row.settlement_id,
        state=row.state,
        decided=True,
        total_fen=row.total_fen,
        fund_fen=row.fund_fen,
        person_fen=row.person_fen,
        owed=owed,
        since_at=_changed_at(snapshot, row),
    )


def owed_for(
    snapshot: Snapshot, prefix: str, settlement_id: str, *, debit_is_more: bool
) -> tuple[Owed, ...]:
    """Return what one settlement comes to in the accounts that begin so."""
    touching = [
        row
        for row in snapshot.select(TRANSFERS, subject_id=settlement_id)
        if row.debit_account.startswith(prefix) or row.credit_account.startswith(prefix)
    ]
    _, whole = _summed(touching, prefix, debit_is_more=debit_is_more)
    return whole


def answered_side(snapshot: Snapshot, ring: KeyRing, insured_member: str, read_at: int) -> Side:
    """Return what the insured side has answered, under its signature, to this node's claims."""
    accords = adoption.adopted(snapshot)
    answers = [
        _answered(snapshot, ring, accords, claim)
        for claim in snapshot.select(CLAIMS, insured_member=insured_member)
    ]
    rows = tuple(row for row in answers if row is not None)
    sums: dict[tuple[str, str], int] = {}
    for row in rows:
        for one in row.owed:
            sums[one.purse, one.month] = sums.get((one.purse, one.month), 0) + one.amount_fen
    return Side(rows, _rows_of(sums), read_at)


def _changed_at(snapshot: Snapshot, row: DecisionRow) -> int:
    taken = None if row.void_id is None else snapshot.get(TAKEN, row.void_id)
    return row.decided_at if taken is None else taken.taken_at


def _owed(snapshot: Snapshot, prefix: str, *, debit_is_more: bool) -> tuple[Sums, tuple[Owed, ...]]:
    """Return the balances of all accounts that begin so: by settlement, and as a whole.

    Sums are taken from the transfers, not from the accounts' stored balances.
    """
    return _summed(_transfers(snapshot, prefix), prefix, debit_is_more=debit_is_more)


def _summed(
    rows: Iterable[TransferRow], prefix: str, *, debit_is_more: bool
) -> tuple[Sums, tuple[Owed, ...]]:
    by_subject: Sums = {}
    whole: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.kind == "hold":
            continue
        sign = 1 if row.debit_account.startswith(prefix) == debit_is_more else -1
        key = (row.purse, row.month)
        subject = by_subject.setdefault(row.subject_id, {})
        for sums in (subject, whole):
            sums[key] = sums.get(key, 0) + sign * row.amount_fen
    return by_subject, _rows_of(whole)


def _transfers(snapshot: Snapshot, prefix: str) -> Iterable[TransferRow]:
    table = TRANSFERS.table
    touches = table.c.debit_account.startswith(prefix, autoescape=True)
    touches |= table.c.credit_account.startswith(prefix, autoescape=True)
    return snapshot.fetch(TRANSFERS, table.select().where(touches))


def _rows_of(sums: dict[tuple[str, str], int]) -> tuple[Owed, ...]:
    return tuple(Owed(*key, amount_fen) for key, amount_fen in sorted(sums.items()) if amount_fen)


# signed answers


def answer_to(
    reading: Reading, ring: KeyRing, envelope_id: str | None
) -> tuple[TakenRow, Envelope, bytes] | None:
    """Return the answer that came to an act of ours, or None before it came."""
    sent = [] if envelope_id is None else reading.select(SENT, envelope_id=envelope_id)
    if not sent or sent[0].answer_id is None:
        return None
    taken = reading.get(TAKEN, sent[0].answer_id)
    raw = journal.content(reading, ring, ACT_TAKEN, sent[0].answer_id)
    if taken is None or raw is None:
        return None
    return taken, canonical.decode_as(raw, Envelope), raw


def _answered(
    snapshot: Snapshot, ring: KeyRing, accords: list[Accord], claim: ClaimRow
) -> SideRow | None:
    """Return a claim as the insured side's answers tell it; None while or where it has none."""
    settled = answer_to(snapshot, ring, claim.settle_id)
    if settled is None or settled[1].type != SETTLED:
        return None
    body = canonical.convert(settled[1].body, SettledBody)
    voided = answer_to(snapshot, ring, claim.void_id)
    undone = (
        voided is not None
        and voided[1].type == VOIDED
        and canonical.convert(voided[1].body, VoidedBody).was != "refused"
    )
    heard = [one for one in (settled, voided) if one is not None]
    proven = all(_proven(taken, raw, accords) for taken, _, raw in heard)
    state = "voided" if undone else "settled"
    sums = _funds(body.result.funds, body.month, 1)
    if undone and voided is not None:
        back = canonical.convert(voided[1].body, VoidedBody)
        for key, amount_fen in _funds(back.funds, back.month, -1).items():
            sums[key] = sums.get(key, 0) + amount_fen
    return SideRow(
        settlement_id=claim.settlement_id,
        state=state if proven else UNPROVEN,
        decided=True,
        total_fen=claim.total_fen,
        fund_fen=body.result.fund_fen,
        person_fen=body.result.person_fen,
        owed=_rows_of(sums),
        since_at=heard[-1][0].taken_at,
    )


def _funds(funds: Iterable[FundPayment], month: str, sign: int) -> dict[tuple[str, str], int]:
    return {(one.purse, month): sign * one.amount_fen for one in funds}


def _proven(taken: TakenRow, raw: bytes, accords: list[Accord]) -> bool:
    """Check an answer against its evidence: its place under the root, the root's signature."""
    if not taken.statement.startswith(SIGNING_DOMAIN):
        return False
    try:
        statement = canonical.decode_as(taken.statement[len(SIGNING_DOMAIN) :], Statement)
    except Refused:
        return False
    step = merkle.HASH_BYTES
    path = [taken.path[start : start + step] for start in range(0, len(taken.path), step)]
    inside = merkle.verify_inclusion(
        merkle.leaf_hash(raw),
        taken.batch_index,
        statement.count,
        path,
        bytes.fromhex(statement.root),
    )
    return inside and any(_signed(taken, statement, accord) for accord in accords)


def _signed(taken: TakenRow, statement: Statement, accord: Accord) -> bool:
    try:
        key = accord.verify_key(taken.src, statement.kid, taken.taken_at)
    except Refused:
        return False
    return statement.src == taken.src and key.verify(taken.statement, taken.signature)
