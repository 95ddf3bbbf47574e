"""The monthly statement (对账): the visited side draws it up, the insured side agrees or disputes.

Commands. The visited side lists what its ledger is owed for a month that is over; nothing counts
as agreed before the insured side's receipt is in our books. An agreed month is closed between the
two members: what is taken back later is booked in the next month that is open.
"""

import msgspec

from tongcheng.kernel import audit, canonical, ids, journal
from tongcheng.kernel.calendar import DAY_MS, local_date
from tongcheng.kernel.envelope import Envelope
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange import acts
from tongcheng.kernel.exchange.tables import ACT_TAKEN, APPLIED, SENT, TAKEN
from tongcheng.kernel.ledger import ACCOUNTS, TRANSFERS
from tongcheng.kernel.service import Reply
from tongcheng.kernel.store import Reading, Records, Transaction
from tongcheng.services.settlement import purses
from tongcheng.services.settlement import statement_model as model
from tongcheng.services.settlement.life import (
    RECEIVED_TRANSITIONS,
    STATEMENT_TRANSITIONS,
    follow,
)
from tongcheng.services.settlement.statement_model import (
    PageTakenBody,
    StatementAgreedBody,
    StatementBody,
    StatementDisputedBody,
    StatementFinding,
    StatementHead,
    StatementLine,
)
from tongcheng.services.settlement.store import DECISIONS

STATEMENT_KIND = "settlement_statement"


class StatementRow(msgspec.Struct, frozen=True):
    """One statement of one month of a pair, as this node knows it, on either side.

    `number` counts the statements of the month; `findings` is the canonical list of the
    differences that the insured side names, `refusal` the code under which it refused a page.
    """

    visited_member: str
    insured_member: str
    month: str
    number: int
    statement_id: str
    state: str
    pages: int
    pages_taken: int
    line_count: int
    root: str
    settled_fen: int
    voided_fen: int
    finding_count: int
    findings: bytes
    refusal: str
    opened_at: int
    changed_at: int


STATEMENTS = Records(
    "settlement_statements",
    StatementRow,
    key=("visited_member", "insured_member", "month", "number"),
    indexes=(("statement_id",),),
)


# months


def is_closed(reading: Reading, visited: str, insured: str, month: str) -> bool:
    """Tell whether the two members have agreed on a month of these stays."""
    rows = reading.select(STATEMENTS, visited_member=visited, insured_member=insured, month=month)
    return any(row.state == "agreed" for row in rows)


def open_month(reading: Reading, visited: str, insured: str, month: str) -> str:
    """Return the month itself, or the first after it that the two have not agreed on."""
    while is_closed(reading, visited, insured, month):
        month = next_month(month)
    return month


def next_month(month: str) -> str:
    """Return the month after."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04d}-{number % 12 + 1:02d}"


def month_at(at: int, zone: str) -> str:
    """Return the month that a calendar on the wall of the region shows."""
    return local_date(at, zone).isoformat()[:7]


def month_lines(
    reading: Reading, prefix: str, month: str, *, debit_is_more: bool
) -> list[StatementLine]:
    """Return what the ledger holds for a month in the accounts that begin so, line by line."""
    lines: dict[tuple[str, str], list[int]] = {}
    accounts = [row for row in reading.select(ACCOUNTS) if row.account_id.startswith(prefix)]
    for account in accounts:
        for more, side in enumerate(("credit_account", "debit_account")):
            for row in reading.select(TRANSFERS, month=month, **{side: account.account_id}):
                if row.kind == "hold" or row.amount_fen == 0:
                    continue
                sums = lines.setdefault((row.subject_id, row.purse), [0, 0])
                sums[0 if bool(more) == debit_is_more else 1] += row.amount_fen
    return [StatementLine(*key, *lines[key]) for key in sorted(lines)]


# the visited side


def open_statement(tx: Transaction, insured_member: str, month: str) -> StatementRow:
    """Draw up a month's statement and send it, all pages in one commit.

    Refuses a month that is not over, one that is agreed, and one whose statement is under way.
    """
    home = tx.home
    home.accord.member(insured_member)
    if month >= month_at(tx.now_at, home.region.zone):
        raise Refused("MONTH_NOT_OVER", month=month)
    before = tx.select(
        STATEMENTS, visited_member=home.member_id, insured_member=insured_member, month=month
    )
    for row in before:
        if row.state == "agreed":
            raise Refused("STATEMENT_MONTH_CLOSED", month=month, member=insured_member)
        if row.state == "sent":
            raise Refused("STATEMENT_UNDER_WAY", month=month, member=insured_member)
    prefix = purses.due_from(insured_member, "")
    lines = month_lines(tx, prefix, month, debit_is_more=True)
    pages = model.pages_of(lines)
    head = StatementHead(
        statement_id=ids.short(tx.new_id()),
        month=month,
        pages=len(pages),
        line_count=len(lines),
        root=model.root_of(lines),
        purses=model.sums_of(lines),
        taken_seq=acts.channel(tx, insured_member, home.member_id).next_seq - 1,
    )
    row = _row(head, (home.member_id, insured_member), len(before) + 1, "sent", tx.now_at)
    tx.add(STATEMENTS, row)
    for page, part in enumerate(pages, start=1):
        body = StatementBody(head=head, page=page, lines=part)
        acts.send(tx, insured_member, Reply(model.STATEMENT, body), case=head.statement_id)
    _journal(tx, row)
    return row


def _row(
    head: StatementHead, pair: tuple[str, str], number: int, state: str, at: int
) -> StatementRow:
    return StatementRow(
        visited_member=pair[0],
        insured_member=pair[1],
        month=head.month,
        number=number,
        statement_id=head.statement_id,
        state=state,
        pages=head.pages,
        pages_taken=0,
        line_count=head.line_count,
        root=head.root,
        settled_fen=sum(one.settled_fen for one in head.purses),
        voided_fen=sum(one.voided_fen for one in head.purses),
        finding_count=0,
        findings=b"",
        refusal="",
        opened_at=at,
        changed_at=at,
    )


def _ours(tx: Transaction, envelope: Envelope, statement_id: str) -> StatementRow:
    """Return the statement that an answer is about, if it answers a page of it."""
    rows = tx.select(STATEMENTS, statement_id=statement_id)
    if not rows or (rows[0].visited_member, rows[0].insured_member) != (
        tx.home.member_id,
        envelope.src,
    ):
        raise Refused("STATEMENT_UNKNOWN", statement=statement_id)
    sent = tx.select(SENT, envelope_id=envelope.reply_to)
    if not sent or sent[0].case_id != statement_id:
        raise Refused("REPLY_TO_UNKNOWN", reply_to=str(envelope.reply_to))
    return rows[0]


def _move(tx: Transaction, row: StatementRow, event: str) -> StatementRow:
    is_ours = row.visited_member == tx.home.member_id
    table = STATEMENT_TRANSITIONS if is_ours else RECEIVED_TRANSITIONS
    state = follow(table, row.state, event)
    if state is None:
        raise Refused("STATEMENT_STATE", statement=row.statement_id, state=row.state, event=event)
    moved = msgspec.structs.replace(row, state=state, changed_at=tx.now_at)
    tx.put(STATEMENTS, moved)
    return moved


def take_page_taken(tx: Transaction, envelope: Envelope, body: PageTakenBody) -> None:
    """Note that a page has arrived; it agrees to nothing."""
    row = _ours(tx, envelope, body.statement_id)
    if body.page > row.pages:
        raise Refused("STATEMENT_PAGE", statement=row.statement_id, page=body.page)
    _move(tx, msgspec.structs.replace(row, pages_taken=body.page), "page")


def take_agreed(tx: Transaction, envelope: Envelope, body: StatementAgreedBody) -> None:
    """Close the month: the insured side has put its name to exactly these lines."""
    row = _ours(tx, envelope, body.statement_id)
    if (body.month, body.root) != (row.month, row.root):
        raise Refused("STATEMENT_DIFFERS", statement=row.statement_id)
    whole = msgspec.structs.replace(row, pages_taken=row.pages)
    _journal(tx, _move(tx, whole, "agreed"))


def take_disputed(tx: Transaction, envelope: Envelope, body: StatementDisputedBody) -> None:
    """Keep the differences for people; the month stays open and can be stated again."""
    row = _ours(tx, envelope, body.statement_id)
    if body.month != row.month or body.count < len(body.findings):
        raise Refused("STATEMENT_DIFFERS", statement=row.statement_id)
    named = msgspec.structs.replace(
        row,
        pages_taken=row.pages,
        finding_count=body.count,
        findings=canonical.encode(msgspec.to_builtins(body.findings)),
    )
    _journal(tx, _move(tx, named, "disputed"))


def statement_refused(tx: Transaction, original: Envelope, refusal: Refused) -> None:
    """Note that a page was refused; the pages after it are refused too, and say nothing new."""
    head = original.body["head"]
    assert isinstance(head, dict), "we sent this page"
    row = tx.select(STATEMENTS, statement_id=str(head["statement_id"]))[0]
    if row.state != "refused":
        _journal(tx, _move(tx, msgspec.structs.replace(row, refusal=refusal.code), "refused"))


# the insured side


def take_statement(tx: Transaction, envelope: Envelope, body: StatementBody) -> Reply:
    """Take a page; after the last one, agree or name every difference."""
    head = body.head
    # A day more, because clocks differ: decisions of this side go on in the next month then.
    if head.month >= month_at(tx.now_at + DAY_MS, tx.home.region.zone):
        raise Refused("MONTH_NOT_OVER", month=head.month)
    row = _received(tx, envelope, body)
    if body.page < head.pages:
        return Reply(
            model.STATEMENT_PAGE_TAKEN,
            PageTakenBody(statement_id=head.statement_id, page=body.page),
        )
    lines = _all_lines(tx, envelope.src, body)
    if not model.is_whole(head, lines):
        raise Refused("STATEMENT_DAMAGED", statement=head.statement_id)
    findings = _findings(tx, row, head, lines)
    if findings:
        named = msgspec.structs.replace(
            row,
            finding_count=len(findings),
            findings=canonical.encode(msgspec.to_builtins(findings)),
        )
        _journal(tx, _move(tx, named, "disputed"))
        disputed = StatementDisputedBody(
            statement_id=head.statement_id,
            month=head.month,
            count=len(findings),
            findings=findings[: model.FINDINGS_MAX],
        )
        return Reply(model.STATEMENT_DISPUTED, disputed)
    _journal(tx, _move(tx, row, "agreed"))
    agreed = StatementAgreedBody(statement_id=head.statement_id, month=head.month, root=head.root)
    return Reply(model.STATEMENT_AGREED, agreed)


def _received(tx: Transaction, envelope: Envelope, body: StatementBody) -> StatementRow:
    """Return the statement that a page belongs to, with this page counted."""
    head, pair = body.head, (envelope.src, tx.home.member_id)
    if is_closed(tx, *pair, head.month):
        raise Refused("STATEMENT_MONTH_CLOSED", month=head.month, member=envelope.src)
    # The pages before it are found by the case.
    known = tx.select(STATEMENTS, statement_id=head.statement_id)
    if body.page == 1 and not known and envelope.case == head.statement_id:
        before = tx.select(
            STATEMENTS, visited_member=pair[0], insured_member=pair[1], month=head.month
        )
        row = _row(head, pair, len(before) + 1, "receiving", tx.now_at)
        return _move(tx, msgspec.structs.replace(row, pages_taken=1), "page")
    for row in known:
        same = (row.visited_member, row.insured_member) == pair and envelope.case is not None
        head_same = (row.month, row.pages, row.root) == (head.month, head.pages, head.root)
        is_next = row.state == "receiving" and body.page == row.pages_taken + 1 <= row.pages
        if same and head_same and is_next and envelope.case == row.statement_id:
            return _move(tx, msgspec.structs.replace(row, pages_taken=body.page), "page")
    raise Refused("STATEMENT_PAGE", statement=head.statement_id, page=body.page)


def _all_lines(tx: Transaction, visited: str, last: StatementBody) -> list[StatementLine]:
    """Return the lines of all pages: those that came before are in the journal."""
    pages = {last.page: last.lines}
    for taken in tx.select(TAKEN, case_id=last.head.statement_id):
        if (taken.src, taken.type, taken.outcome) != (visited, model.STATEMENT, APPLIED):
            continue
        raw = journal.content(tx, tx.home.ring, ACT_TAKEN, taken.envelope_id)
        assert raw is not None, "a page is kept at least until the last one has come"
        page = canonical.convert(canonical.decode_as(raw, Envelope).body, StatementBody)
        pages[page.page] = page.lines
    return [line for page in sorted(pages) for line in pages[page]]


def _findings(
    tx: Transaction, row: StatementRow, head: StatementHead, lines: list[StatementLine]
) -> list[StatementFinding]:
    prefix = purses.due_to(row.visited_member, "")
    own = month_lines(tx, prefix, row.month, debit_is_more=False)
    mine = {(line.settlement_id, line.purse): line for line in lines}
    theirs = {(line.settlement_id, line.purse): line for line in own}
    differ = {key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)}
    elsewhere = {key: _other_months(tx, prefix, row.month, *key) for key in differ}
    subjects = {subject for subject, _ in differ}
    under_way = {one for one in subjects if _is_under_way(tx, row, one, head.taken_seq)}
    return model.compare_lines(lines, own, elsewhere=elsewhere, under_way=under_way)


def _other_months(
    tx: Transaction, prefix: str, month: str, subject_id: str, purse: str
) -> list[int]:
    """Return the net amount of each other month for one settlement and purse."""
    sums: dict[str, int] = {}
    for row in tx.select(TRANSFERS, subject_id=subject_id, purse=purse):
        if row.month == month or row.kind == "hold":
            continue
        if row.credit_account.startswith(prefix):
            sums[row.month] = sums.get(row.month, 0) + row.amount_fen
        elif row.debit_account.startswith(prefix):
            sums[row.month] = sums.get(row.month, 0) - row.amount_fen
    return [fen for fen in sums.values() if fen]


def _is_under_way(tx: Transaction, row: StatementRow, settlement_id: str, taken_seq: int) -> bool:
    """Tell whether our latest answer came after what the statement's author had taken."""
    decision = tx.get(DECISIONS, row.visited_member, settlement_id)
    if decision is None:
        return False
    taken = tx.get(TAKEN, decision.void_id or decision.settle_id)
    answers = [] if taken is None else tx.select(SENT, envelope_id=taken.answer_id)
    return any(one.seq > taken_seq for one in answers)


def content_id(row: StatementRow) -> str:
    """Return the id of the journal's entry about a statement in its state."""
    return f"{row.visited_member}/{row.statement_id}/{row.state}"


def content_of(row: StatementRow) -> bytes:
    """Return what the journal keeps of a statement in its state."""
    content = {
        "finding_count": row.finding_count,
        "insured_member": row.insured_member,
        "line_count": row.line_count,
        "month": row.month,
        "root": row.root,
        "settled_fen": row.settled_fen,
        "state": row.state,
        "statement_id": row.statement_id,
        "visited_member": row.visited_member,
        "voided_fen": row.voided_fen,
    }
    return canonical.encode(content)


def _journal(tx: Transaction, row: StatementRow) -> None:
    journal.append(tx, STATEMENT_KIND, content_id(row), content_of(row))
    peer = row.insured_member
    if peer == tx.home.member_id:
        peer = row.visited_member
    audit.note(tx, audit.Entry(peer, f"settlement.statement_{row.state}", row.statement_id))
