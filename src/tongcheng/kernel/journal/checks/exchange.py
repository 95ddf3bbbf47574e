"""What was sent and taken: numbers without gaps, the bytes in the journal, the sender's signature.

A taken act is proved by the batch it came in: its bytes lead, by the stored path, to the root that
the sender signed with a key that was valid when the act was taken.
"""

from collections.abc import Iterator
from typing import Any

from tongcheng.kernel import canonical, merkle
from tongcheng.kernel.accord import Accord
from tongcheng.kernel.adoption import ACCORDS
from tongcheng.kernel.envelope import SIGNING_DOMAIN, Envelope, Statement
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import (
    ACT_SENT,
    ACT_TAKEN,
    CHANNELS,
    SENT,
    TAKEN,
    ChannelRow,
    SentRow,
    TakenRow,
)
from tongcheng.kernel.journal.checks.view import Check, View, finding, of_row
from tongcheng.kernel.journal.leaves import JOURNAL_CONTENTS, JOURNAL_LEAVES, hashes_of
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Records

_LEAF_WITHOUT = (
    "SELECT content_id FROM journal_leaves l WHERE kind = ? AND NOT EXISTS "
    "(SELECT 1 FROM {table} t WHERE t.envelope_id = l.content_id)"
)


def _look(view: View) -> Iterator[Finding]:
    for table, kind in ((SENT, ACT_SENT), (TAKEN, ACT_TAKEN)):
        for key in view.keys_without(_LEAF_WITHOUT.format(table=table.name), kind):
            yield finding(table, key, "is missing; the journal has its bytes")
    channels = {(row.src, row.dst): row for row in view.snapshot.select(CHANNELS)}
    yield from _sent(view, channels)
    yield from _taken(view, channels)


def _sent(view: View, channels: dict[tuple[str, str], ChannelRow]) -> Iterator[Finding]:
    own = view.home.member_id
    next_seq: dict[str, int] = {}
    for row in view.stream(SENT):
        yield from _gap(SENT, row.dst, row.seq, next_seq)
        problem = _sent_problem(view, row)
        if problem is not None:
            yield of_row(SENT, row, problem)
    for (src, dst), channel in channels.items():
        if src != own:
            continue
        if channel.next_seq != next_seq.pop(dst, 1):
            yield of_row(CHANNELS, channel, "the next number does not follow the last one sent")
        if channel.acknowledged_seq >= channel.next_seq:
            yield of_row(CHANNELS, channel, "more is acknowledged than was sent")
    for dst in next_seq:
        yield finding(CHANNELS, f"{own}/{dst}", "is missing")


def _gap(records: Records[Any], peer: str, seq: int, next_seq: dict[str, int]) -> Iterator[Finding]:
    """Yield what is missing before this number of a peer; note in `next_seq` what must follow."""
    expected = next_seq.get(peer, 1)
    if seq != expected:
        yield finding(records, f"{peer}/{expected}", "is missing: the numbers have a gap")
    next_seq[peer] = seq + 1


def _bytes_problem(raw: bytes | None, digest: str) -> str | None:
    if raw is None:
        return "the journal has no bytes of this act"
    if canonical.digest(raw) != digest:
        return "the digest is not that of the bytes in the journal"
    return None


def _sent_problem(view: View, row: SentRow) -> str | None:
    raw = view.content(ACT_SENT, row.envelope_id)
    problem = _bytes_problem(raw, row.digest)
    if raw is None or problem is not None:
        return problem
    one = canonical.decode_as(raw, Envelope)
    stored = (row.envelope_id, row.dst, row.seq, row.type, row.reply_to, row.case_id, row.made_at)
    if stored != (one.id, one.dst, one.seq, one.type, one.reply_to, one.case, one.made_at):
        return "the row differs from the envelope in the journal"
    if row.answer_id is not None and view.snapshot.get(TAKEN, row.answer_id) is None:
        return f"the answer {row.answer_id} was not taken"
    return None


def _taken(view: View, channels: dict[tuple[str, str], ChannelRow]) -> Iterator[Finding]:
    own = view.home.member_id
    next_seq: dict[str, int] = {}
    for row in view.stream(TAKEN, "src, seq"):
        yield from _gap(TAKEN, row.src, row.seq, next_seq)
        problem = _taken_problem(view, row)
        if problem is not None:
            yield of_row(TAKEN, row, problem)
    for (src, dst), channel in channels.items():
        if dst == own and channel.next_seq != next_seq.pop(src, 1):
            yield of_row(CHANNELS, channel, "the next number does not follow the last one taken")
    for src in next_seq:
        yield finding(CHANNELS, f"{src}/{own}", "is missing")


def _taken_problem(view: View, row: TakenRow) -> str | None:
    raw = view.content(ACT_TAKEN, row.envelope_id)
    problem = _bytes_problem(raw, row.digest)
    if raw is None or problem is not None:
        return problem
    one = canonical.decode_as(raw, Envelope)
    stored = (row.envelope_id, row.src, row.seq, row.type, row.reply_to, row.case_id)
    if stored != (one.id, one.src, one.seq, one.type, one.reply_to, one.case):
        return "the row differs from the envelope in the journal"
    if row.answer_id is not None and not view.snapshot.select(SENT, envelope_id=row.answer_id):
        return f"the answer {row.answer_id} was not sent"
    then = [accord for kept, accord in view.adopted if kept.adopted_at <= row.taken_at]
    return _evidence_problem(row, raw, then)


def _evidence_problem(row: TakenRow, raw: bytes, accords: list[Accord]) -> str | None:
    """Return why the batch does not prove that the sender sent these bytes, or None."""
    try:
        statement = read_statement(row.statement)
    except Refused:
        return "the batch's statement cannot be read"
    path = hashes_of(row.path)
    root = bytes.fromhex(statement.root)
    leaf = merkle.leaf_hash(raw)
    if not merkle.verify_inclusion(leaf, row.batch_index, statement.count, path, root):
        return "the path does not lead from the bytes to the signed root"
    if statement.src != row.src:
        return "the batch is of another member"
    if not any(_is_signed(row, statement, accord) for accord in accords):
        return "no key valid when it was taken made the batch's signature"
    return None


def read_statement(signed: bytes) -> Statement:
    """Read the statement out of the bytes that were signed; refuses what is none."""
    if not signed.startswith(SIGNING_DOMAIN):
        raise Refused("BATCH_MALFORMED", detail="not a batch's statement")
    return canonical.decode_as(signed.removeprefix(SIGNING_DOMAIN), Statement)


def _is_signed(row: TakenRow, statement: Statement, accord: Accord) -> bool:
    try:
        key = accord.verify_key(row.src, statement.kid, row.taken_at)
    except Refused:
        return False
    return key.verify(row.statement, row.signature)


EXCHANGE = Check(
    "exchange",
    (ACCORDS, CHANNELS, SENT, TAKEN, JOURNAL_CONTENTS, JOURNAL_LEAVES),
    _look,
)
