"""From the store to the views of the pages: what this node holds of a stay, and what it was told.

On the visited side a stay is a row of ours, and the insured side's record is what its signed
answer says; on the insured side a stay is a decision of ours, and the visited side's record is
what its signed act says.
"""

from typing import Literal

import msgspec

from tongcheng.kernel import canonical
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Catalogue, Refused
from tongcheng.kernel.exchange.acts import RefusedBody
from tongcheng.kernel.home import Home
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.store import Snapshot
from tongcheng.kernel.words import Words
from tongcheng.services.settlement import chain, explaining, pages_related
from tongcheng.services.settlement.bars import bands_of
from tongcheng.services.settlement.benefit import day
from tongcheng.services.settlement.books import tables_of
from tongcheng.services.settlement.decided import facts_of
from tongcheng.services.settlement.life import POSTED
from tongcheng.services.settlement.model import BenefitResult
from tongcheng.services.settlement.policy.links import book_path
from tongcheng.services.settlement.rules import PERSON_TYPES, PersonType
from tongcheng.services.settlement.stays_counts import VIEW_STATES
from tongcheng.services.settlement.stays_data import hospital_of, state_of
from tongcheng.services.settlement.store import (
    CLAIMS,
    DECISIONS,
    STAYS,
    ClaimRow,
    DecisionRow,
)
from tongcheng.services.settlement.store import StayRow as Stay
from tongcheng.services.settlement.views import (
    DIGEST_SHOWN,
    Amounts,
    BookRef,
    Fund,
    Record,
    RefusalView,
    SideRecord,
    StayPage,
)


def stay_page(
    snapshot: Snapshot, home: Home, errors: Catalogue, stay_id: str, language: str
) -> StayPage:
    """Return one stay as this node holds it; refuses STAY_UNKNOWN."""
    stay = snapshot.get(STAYS, stay_id)
    if stay is not None:
        return _visited_page(snapshot, home, errors, stay, language)
    decisions = snapshot.select(DECISIONS, stay_id=stay_id)
    if decisions:
        return _decided_page(snapshot, home, max(decisions, key=lambda row: row.decision_no))
    raise Refused("STAY_UNKNOWN", stay=stay_id)


def _visited_page(
    snapshot: Snapshot, home: Home, errors: Catalogue, stay: Stay, language: str
) -> StayPage:
    zone = home.region.zone
    claim = None if stay.last_claim_id is None else snapshot.get(CLAIMS, stay.last_claim_id)
    result = None
    if claim is not None and claim.result:
        result = canonical.decode_as(claim.result, BenefitResult)
    discharged = stay.discharged_at
    state = state_of(stay, claim)
    return StayPage(
        stay_id=stay.stay_id,
        state=state,
        hospital=hospital_of(snapshot, stay.institution_id),
        visited_member=home.member_id,
        insured_member=stay.insured_member,
        insured_area=home.region.area_of(stay.admdvs, "settlement").name,
        scheme=stay.scheme,
        person_type=None if result is None else _person_type(result),
        admitted_on=local_date(stay.admitted_at, zone),
        discharged_on=None if discharged is None else local_date(discharged, zone),
        settled_at=claim.changed_at if claim is not None and result is not None else None,
        pending_since=claim.changed_at
        if claim is not None and state in {"pending", "voiding"}
        else None,
        settlement_id=claim.settlement_id if claim is not None else "",
        amounts=None if claim is None or result is None else _amounts(home, claim, result),
        bands=()
        if claim is None or result is None
        else bands_of(_scopes(claim), result, book_of(home, result.book_digest)),
        sides=()
        if claim is None or result is None
        else _visited_sides(snapshot, home, claim, result),
        chain=chain.of_case(snapshot, home, stay.stay_id),
        books=() if result is None else _book_refs(home, result),
        explanation=None
        if claim is None or result is None
        else explaining.of_claim(snapshot, home, claim),
        refusal=_refusal(errors, claim, language),
        related=pages_related.of_stay(snapshot, stay),
    )


def _person_type(result: BenefitResult) -> PersonType | None:
    """Return what the insured side says of the person, None when it says what we do not know."""
    return next((one for one in PERSON_TYPES if one == result.person_type), None)


def _decided_page(snapshot: Snapshot, home: Home, row: DecisionRow) -> StayPage:
    facts = facts_of(row)
    result = canonical.decode_as(row.result, BenefitResult)
    totals = facts.totals
    scopes = (totals.self_paid_fen, totals.over_ceiling_fen, totals.first_self_pay_fen)
    return StayPage(
        stay_id=row.stay_id,
        state=VIEW_STATES[row.state],
        hospital=hospital_of(snapshot, facts.institution_id),
        visited_member=row.visited_member,
        insured_member=home.member_id,
        insured_area=home.region.area(row.area_id).name,
        scheme=facts.scheme,
        person_type=msgspec.convert(result.person_type, PersonType),
        admitted_on=day(facts.admitted_on),
        discharged_on=None if facts.discharged_on is None else day(facts.discharged_on),
        settled_at=row.decided_at,
        settlement_id=row.settlement_id,
        amounts=_make_amounts(home, totals.total_fen, scopes, totals.in_scope_fen, result),
        bands=bands_of(scopes, result, book_of(home, result.book_digest)),
        sides=_decided_sides(snapshot, home, row, result),
        chain=chain.of_case(snapshot, home, row.stay_id),
        books=_book_refs(home, result),
        explanation=explaining.of_decision(home, row),
        related=pages_related.of_decision(snapshot, row),
    )


def _scopes(claim: ClaimRow) -> tuple[int, int, int]:
    return claim.self_paid_fen, claim.over_ceiling_fen, claim.first_self_pay_fen


def _amounts(home: Home, claim: ClaimRow, result: BenefitResult) -> Amounts:
    return _make_amounts(home, claim.total_fen, _scopes(claim), claim.in_scope_fen, result)


def _make_amounts(
    home: Home, total_fen: int, scopes: tuple[int, int, int], in_scope: int, result: BenefitResult
) -> Amounts:
    book = book_of(home, result.book_digest)
    titles = {} if book is None else {term.fund: term.title for term in tables_of(book).funds}
    funds = tuple(
        Fund(
            name=Words(
                titles.get(payment.fund, {}).get("zh", payment.fund),
                titles.get(payment.fund, {}).get("en", payment.fund),
            ),
            amount_fen=payment.amount_fen,
        )
        for payment in result.funds
    )
    return Amounts(
        total_fen=total_fen,
        self_paid_fen=scopes[0],
        over_ceiling_fen=scopes[1],
        first_self_pay_fen=scopes[2],
        in_scope_fen=in_scope,
        funds=funds,
        hospital_part_fen=result.hospital_fen,
        person_fen=result.person_fen,
        account_fen=result.account_fen,
        cash_fen=result.person_fen - result.account_fen,
        rounding_residual_fen=result.rounding_residual_fen,
    )


def book_of(home: Home, digest: str) -> RuleBook | None:
    """Return the rule book of a digest, in force or not any more, if this node has it."""
    return home.shelf.find(digest)


def _book_refs(home: Home, result: BenefitResult) -> tuple[BookRef, ...]:
    """Return the area's own book and the region's on stays elsewhere.

    The decision says `draft` of both as long as either is one.
    """
    named = [(result.book_digest, result.book_id), (result.overlay_digest, "cross_region")]
    return tuple(
        _book_ref(home, digest, name, result.book_status)
        for digest, name in named
        if digest is not None
    )


def _book_ref(home: Home, digest: str, name: str, status: Literal["draft", "adopted"]) -> BookRef:
    book = book_of(home, digest)
    title = {"zh": name, "en": name} if book is None else book.title
    path = "" if book is None else book_path(digest)
    return BookRef(Words(title["zh"], title["en"]), digest=digest, status=status, path=path)


def _common(
    settlement_id: str, decision_no: int | None, total_fen: int, result: BenefitResult
) -> tuple[Record, ...]:
    """Return what both sides state of one settlement."""
    return (
        Record("settlement_id", text=settlement_id),
        Record("decision_no", text="" if decision_no is None else str(decision_no)),
        Record("total", fen=total_fen),
        Record("funds", fen=result.fund_fen),
        Record("hospital_part", fen=result.hospital_fen),
        Record("person", fen=result.person_fen),
        Record("books", text=result.book_digest[:DIGEST_SHOWN]),
    )


def _visited_sides(
    snapshot: Snapshot, home: Home, claim: ClaimRow, result: BenefitResult
) -> tuple[SideRecord, SideRecord]:
    """Return our own books beside what the insured side's signed answer says."""
    told = _common(claim.settlement_id, claim.decision_no, claim.total_fen, result)
    stands = claim.fund_fen if claim.state in POSTED else 0
    own = (*told, Record("between", fen=stands), Record("payable", fen=stands))
    answered = (*told, Record("between", fen=stands))
    digest = Record(
        "answer", text=chain.answer_digest(snapshot, home, claim.settle_id)[0][:DIGEST_SHOWN]
    )
    return (
        SideRecord(home.member_id, "visited", own=True, records=(*own, digest)),
        SideRecord(claim.insured_member, "insured", own=False, records=(*answered, digest)),
    )


def _decided_sides(
    snapshot: Snapshot, home: Home, row: DecisionRow, result: BenefitResult
) -> tuple[SideRecord, SideRecord]:
    """Return our own books beside what the visited side has signed: its act, and our answer.

    Its signed acknowledgement of the answer stands for the amounts in it.
    """
    stands = row.fund_fen if row.state == "settled" else 0
    told = _common(row.settlement_id, row.decision_no, row.total_fen, result)
    own = (*told, Record("between", fen=stands), Record("benefit", fen=stands))
    digest, is_taken = chain.answer_digest(snapshot, home, row.settle_id)
    answer = Record("answer", text=digest[:DIGEST_SHOWN])
    asked: tuple[Record, ...] = (
        Record("settlement_id", text=row.settlement_id),
        Record("total", fen=facts_of(row).totals.total_fen),
    )
    if is_taken:
        asked = (*told, Record("between", fen=stands), answer)
    return (
        SideRecord(row.visited_member, "visited", own=False, records=asked),
        SideRecord(home.member_id, "insured", own=True, records=(*own, answer)),
    )


def _refusal(errors: Catalogue, claim: ClaimRow | None, language: str) -> RefusalView | None:
    """Return the insured side's refusal in words.

    It is a peer's: a code unknown here, or without the facts that its words need, is shown as it
    came.
    """
    if claim is None or not claim.refusal:
        return None
    decision = canonical.decode_as(claim.refusal, RefusedBody)
    try:
        said = errors.render(Refused(decision.code, **decision.facts), language)
    except AssertionError:
        return RefusalView(decision.code, decision.code, "", "")
    return RefusalView(said.code, said.what, said.why, said.do)
