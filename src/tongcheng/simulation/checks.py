"""What must be true at the end, looked for in the rows themselves and in what hospitals were told.

Written apart from the production code it judges: where `journal verify` and `reconcile` look at
the same things, both are asked, and a fault that only one of them sees is a finding about the
other.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from tongcheng.kernel import canonical
from tongcheng.kernel.exchange.acts import RefusedBody
from tongcheng.services.settlement import purses
from tongcheng.services.settlement.benefit import decide, filed
from tongcheng.services.settlement.model import AccumulatorTotals, BenefitResult, StayFacts
from tongcheng.services.settlement.reconcile import compare
from tongcheng.services.settlement.store import ClaimRow, DecisionRow, EntryRow
from tongcheng.simulation.books import UNDECIDED, Books
from tongcheng.simulation.memory import Memory, Word
from tongcheng.simulation.report import MirrorLine

Key = tuple[str, str, int]
USED = (
    "pool_paid_fen",
    "large_paid_fen",
    "deductible_paid_fen",
    "admissions",
    "burden_fen",
    "catastrophic_paid_fen",
    "assistance_paid_fen",
)
"""What a person's year adds up, as YearRow and AccumulatorTotals call it."""
SUMS = len(USED)


# lost


def lost(books: list[Books], memory: Memory) -> Iterator[str]:
    """Yield what somebody was told and nobody holds any more."""
    by_member = {one.member_id: one for one in books}
    for (member, stay_id), count in sorted(memory.lines.items()):
        kept = by_member[member].lines.get(stay_id, 0)
        if kept < count:
            yield f"{member} {stay_id}: {count} lines were confirmed, {kept} are kept"
    for member, stay_id in sorted(memory.stays):
        if stay_id not in by_member[member].stays:
            yield f"{member} {stay_id}: the stay was confirmed and is not there"
    for (member, settlement_id), amounts in sorted(memory.answers.items()):
        claim = by_member[member].claims.get(settlement_id)
        if claim is None or not claim.result:
            yield f"{member} {settlement_id}: answered as {amounts}, and not there"
    for (member, stay_id), word in sorted(memory.words.items(), key=lambda item: item[0]):
        if word.said == "settled" and _told_differs(by_member[member], stay_id, word):
            yield f"{member} {stay_id}: the hospital was told settled, and it is not"
    yield from _lost_acts(by_member)


def _told_differs(books: Books, stay_id: str, word: Word) -> bool:
    assert word.amounts is not None, "settled was told with amounts"
    stay = books.stays.get(stay_id)
    claim = books.claims.get(word.amounts.settlement_id)
    if stay is None or claim is None:
        return True
    stands = stay.claim_id == claim.settlement_id and claim.state == "settled"
    amounts = (claim.total_fen, claim.fund_fen, claim.person_fen)
    told = (word.amounts.total_fen, word.amounts.fund_fen, word.amounts.person_fen)
    return not stands or amounts != told


def _lost_acts(by_member: dict[str, Books]) -> Iterator[str]:
    """Yield acts that were sent and not taken, or that expected an answer and got none."""
    for member, one in by_member.items():
        for sent in one.sent:
            taken = by_member[sent.dst].taken.get(sent.envelope_id)
            if taken is None or taken.digest != sent.digest:
                yield f"{member} {sent.envelope_id}: {sent.type} never reached {sent.dst}"
            elif sent.reply_to is None and sent.answer_id is None:
                yield f"{member} {sent.envelope_id}: {sent.type} was never answered"


# doubled


def doubled(books: list[Books]) -> Iterator[str]:
    """Yield what took effect more than once."""
    for one in books:
        yield from _twice(
            f"{one.member_id} decisions standing for",
            ((d.visited_member, d.stay_id, d.period) for d in one.decisions if _stands(d)),
        )
        yield from _twice(
            f"{one.member_id} settlements standing for",
            ((c.stay_id, c.period) for c in one.claims.values() if c.state == "settled"),
        )
        yield from _twice(
            f"{one.member_id} entries of",
            ((e.subject_id, e.origin) for e in one.entries),
        )
        yield from _twice(f"{one.member_id} decisions by", (d.settle_id for d in one.decisions))
        yield from _twice(
            f"{one.member_id} acts numbered", ((t.src, t.seq) for t in one.taken.values())
        )
        yield from _twice(
            f"{one.member_id} postings of",
            ((t.subject_id, t.kind, t.debit_account) for t in one.transfers if t.amount_fen),
        )


def _stands(row: DecisionRow) -> bool:
    return row.state == "settled"


def _twice(what: str, keys: Iterable[object]) -> Iterator[str]:
    for key, count in sorted(Counter(keys).items(), key=str):
        if count > 1:
            yield f"{what} {key}: {count}"


# one-sided


def one_sided(books: list[Books]) -> Iterator[str]:
    """Yield settlements whose two rows differ in state or amounts, or of which one is missing."""
    decisions = {
        (one.member_id, row.visited_member, row.settlement_id): row
        for one in books
        for row in one.decisions
    }
    for one in books:
        for claim in one.claims.values():
            decision = decisions.pop(
                (claim.insured_member, one.member_id, claim.settlement_id), None
            )
            fault = _differs(claim, decision)
            if fault:
                yield f"{one.member_id} {claim.settlement_id}: {fault}"
    for insured, visited, settlement_id in sorted(decisions):
        yield f"{insured} {settlement_id}: decided for {visited}, which does not know it"


def _differs(claim: ClaimRow, decision: DecisionRow | None) -> str | None:
    if claim.state in UNDECIDED:
        return None  # counted as pending
    state = "absent" if decision is None else decision.state
    fits = {
        "settled": {"settled"},
        "refused": {"absent"},
        "voided": {"voided"} if claim.result else {"absent"},
    }
    if state not in fits[claim.state]:
        return f"{claim.state} here, {state} there"
    if decision is not None and claim.result != decision.result:
        return "its amounts differ"
    return None


# mirror


def mirror(books: list[Books]) -> list[MirrorLine]:
    """Return, per pair, purse and month, what each side's ledger says is owed."""
    sums: dict[tuple[str, str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in books:
        for row in one.transfers:
            if row.kind == "hold":
                continue
            for account, sign in ((row.debit_account, 1), (row.credit_account, -1)):
                side, _, rest = account.partition("/")
                other = rest.partition("/")[0]
                if side == purses.due_from("", "").strip("/"):
                    key = (one.member_id, other, row.purse, row.month)
                    sums[key][0] += sign * row.amount_fen
                elif side == purses.due_to("", "").strip("/"):
                    key = (other, one.member_id, row.purse, row.month)
                    sums[key][1] -= sign * row.amount_fen
    return [
        MirrorLine(*key, here, there)
        for key, (here, there) in sorted(sums.items())
        if here or there
    ]


# everything else


def broken(books: list[Books], memory: Memory, now_at: int) -> Iterator[tuple[str, str]]:
    """Yield (invariant, sentence) for every other thing that does not hold."""
    yield from (("answers repeat", what) for what in sorted(memory.contradictions))
    yield from (("last words", what) for what in words(books, memory))
    yield from (("reconcile", what) for what in _unreconciled(books, now_at))
    for one in books:
        name = one.member_id
        yield from (("journal verify", f"{name}: {what}") for what in one.problems)
        yield from (("accumulators", f"{name}: {what}") for what in accumulators(one))
        yield from (("holds", f"{name}: {what}") for what in _held(one))
        for purse, balance in _balances(one):
            yield "trial balance", f"{name} {purse}: {balance} fen"


def _held(books: Books) -> Iterator[str]:
    for account in books.accounts:
        if account.debit_held_fen or account.credit_held_fen:
            yield f"{account.account_id}: something is held"
    for hold in books.holds:
        if hold.closed_by is None:
            yield f"{hold.subject_id}: a hold is open"


def _unreconciled(books: list[Books], now_at: int) -> Iterator[str]:
    """Ask the production reconciliation as well: it must find every pair equal."""
    for one in books:
        for other in books:
            if one is other:
                continue
            here = one.sides_here.get(other.member_id)
            there = other.sides_there.get(one.member_id)
            if here is None or there is None:
                continue  # one of the two files cannot be read, and that is said already
            found = compare(one.member_id, other.member_id, here, there, now_at=now_at)
            if not found.mirrored or found.in_flight:
                yield f"{one.member_id} <- {other.member_id}: {found.findings[:3]}"
            # What the two nodes would tell each other of the same purses, digests included.
            if one.sums_here[other.member_id] != other.sums_there[one.member_id]:
                yield f"{one.member_id} <- {other.member_id}: the sums of a purse's month differ"


def _balances(books: Books) -> list[tuple[str, int]]:
    """Return the purses whose debits and credits differ."""
    sums: Counter[str] = Counter()
    for row in books.accounts:
        sums[row.purse] += row.balance_fen
    return [(purse, balance) for purse, balance in sorted(sums.items()) if balance]


def words(books: list[Books], memory: Memory) -> Iterator[str]:
    """Yield stays on which the hospital's last word and the store disagree."""
    by_member = {one.member_id: one for one in books}
    claims: dict[tuple[str, str], list[ClaimRow]] = defaultdict(list)
    for one in books:
        for claim in one.claims.values():
            claims[one.member_id, claim.stay_id].append(claim)
    for (member, stay_id), word in sorted(memory.words.items(), key=lambda item: item[0]):
        stay = by_member[member].stays.get(stay_id)
        mine = claims[member, stay_id]
        stands = [claim.settlement_id for claim in mine if claim.state == "settled"]
        if word.said == "settled":
            continue  # looked at under lost
        if stands or stay is None or stay.claim_id is not None:
            yield f"{member} {stay_id}: told {word.said} {word.code or ''}, yet {stands} stands"
        if word.said == "refused" and word.code not in {refusal_code(claim) for claim in mine}:
            yield f"{member} {stay_id}: told {word.code}, which the insured side never said"


def refusal_code(claim: ClaimRow) -> str | None:
    """Return the code that the insured side refused a settlement under."""
    if not claim.refusal:
        return None
    return canonical.decode_as(claim.refusal, RefusedBody).code


def accumulators(books: Books) -> Iterator[str]:
    """Decide every settlement again with the engine, in commit order, and compare all sums."""
    decisions = {(d.settlement_id, d.decision_no): d for d in books.decisions}
    used: dict[Key, list[int]] = defaultdict(lambda: [0] * SUMS)
    standing: dict[Key, list[int]] = defaultdict(lambda: [0] * SUMS)
    for entry in books.entries:
        key = (entry.person_key, entry.area_id, entry.year)
        decision = decisions[entry.subject_id, entry.decision_no]
        result = canonical.decode_as(decision.result, BenefitResult)
        if entry.origin == "settlement":
            again = _decide_again(
                books, decision, used[key], result.before.origins, result.period_number
            )
            if msgspec.structs.replace(again, before=result.before) != result:
                yield f"{decision.settlement_id}: decided again, it comes out otherwise"
            if decision.state == "settled":
                _add(standing[key], entry)
        _add(used[key], entry)
    for row in books.years:
        key = (row.person_key, row.area_id, row.year)
        stored = [getattr(row, name) for name in USED]
        if not stored == used.pop(key, [0] * SUMS) == standing.get(key, [0] * SUMS):
            yield f"{key}: the year is not what stands"
    if used:
        yield f"{len(used)} years have entries and no sum"


def _decide_again(
    books: Books, decision: DecisionRow, used: list[int], origins: dict[str, int], period: int
) -> BenefitResult:
    facts = canonical.decode_as(decision.facts, StayFacts)
    before = AccumulatorTotals(
        year=decision.year, origins=origins, **dict(zip(USED, used, strict=True))
    )
    person = books.persons[decision.person_key]
    how = filed(books.home, person, facts, ())
    return decide(books.home, person, facts, before, how, period)


def _add(sums: list[int], entry: EntryRow) -> None:
    moved = (
        entry.pool_fen,
        entry.large_fen,
        entry.deductible_fen,
        entry.admissions,
        entry.burden_fen,
        entry.catastrophic_fen,
        entry.assistance_fen,
    )
    for at, fen in enumerate(moved):
        sums[at] += fen


def digest(books: list[Books]) -> str:
    """Return a digest of every settlement on every side: equal for two runs of one plan."""
    rows = [
        [one.member_id, sorted(one.claims.items()), one.decisions, one.transfers] for one in books
    ]
    return hashlib.sha256(msgspec.msgpack.encode(rows)).hexdigest()
