"""Drawing up an accord from the members' cards: who may send what, which purses are cleared."""

from collections.abc import Iterable, Sequence

from tongcheng.kernel.accord import Accord, AccordMember, Limits, Permit, PurseTerms, SignedAccord
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange import acts
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.service import Service
from tongcheng.node.files import MemberCard
from tongcheng.services.settlement import rules
from tongcheng.services.settlement.compiler import compile_benefit


def permits_for(services: Iterable[Service], members: Sequence[str]) -> list[Permit]:
    """Permit every act and ask of the services, and what answers them, in all directions."""
    types = {acts.REFUSED_TYPE, acts.PARKED_TYPE}
    for service in services:
        types |= {act.envelope_type for act in service.acts}
        for ask in service.asks:
            assert ask.answer_type, f"{ask.envelope_type}: no answer_type, so no permit for it"
            types |= {ask.envelope_type, ask.answer_type}
    everyone = list(members)
    return [Permit(type=each, src=everyone, dst=everyone) for each in sorted(types)]


def purse_terms(books: Iterable[RuleBook]) -> list[PurseTerms]:
    """Return gross clearing for every scheme and fund that pays at discharge.

    A fund that is only announced on the bill moves no money between the members then.
    """
    pairs = {
        (book.scheme, term.fund)
        for book in books
        if book.kind == rules.KIND
        for term in compile_benefit(book).funds
        if term.layer != "announced"
    }
    return [PurseTerms(scheme=scheme, fund=fund) for scheme, fund in sorted(pairs)]


def draw_up(
    cards: Sequence[MemberCard],
    *,
    services: Iterable[Service],
    books: Iterable[RuleBook],
    valid_from_at: int,
    previous: Accord | None = None,
) -> SignedAccord:
    """Return an accord of these members that nobody has signed yet.

    Version 1, or the one after `previous`, whose limits and purse terms it keeps. Refuses
    ACCORD_REGIONS for cards of two regions, ACCORD_MEMBER_TWICE for two cards of one member.
    """
    regions = sorted({card.region for card in cards} | ({previous.region} if previous else set()))
    if len(regions) != 1:
        raise Refused("ACCORD_REGIONS", regions=", ".join(regions) or "-")
    names = [card.member.member_id for card in cards]
    if len(set(names)) != len(names):
        raise Refused("ACCORD_MEMBER_TWICE", members=", ".join(names))
    accord = Accord(
        region=regions[0],
        version=1 if previous is None else previous.version + 1,
        previous=None if previous is None else previous.digest(),
        valid_from_at=valid_from_at,
        members=[card.member for card in cards],
        permits=permits_for(services, names),
        purses=purse_terms(books) if previous is None else previous.purses,
        limits=Limits() if previous is None else previous.limits,
    )
    return SignedAccord(accord=accord, signatures=[])


def unsigned(document: SignedAccord) -> list[AccordMember]:
    """Return the members whose signature is still missing."""
    signed = {one.member_id for one in document.signatures}
    return [member for member in document.accord.members if member.member_id not in signed]
