"""Drawing up an accord: every act and ask, and what answers them, between all members."""

from pathlib import Path

import msgspec
import pytest

from tests import toy
from tests.toy import MEMBERS
from tongcheng.kernel import accord as accords
from tongcheng.kernel.accord import PurseTerms
from tongcheng.kernel.errors import Refused
from tongcheng.node import accords as drawing
from tongcheng.node import files
from tongcheng.node.files import MemberCard
from tongcheng.node.services import SERVICES

BOOKS = list(files.read_shelf(files.pack_folder("jingjinji"), allow_drafts=True))


def _cards(*members: str, region: str = "jingjinji") -> list[MemberCard]:
    accord = toy.toy_accord().accord
    entries = {each.member_id: each for each in accord.members}
    return [MemberCard(region, entries[member]) for member in members]


def test_every_type_is_permitted_between_all() -> None:
    """The toy's acts, its ask with its answer, and the two answers of the exchange itself."""
    permits = drawing.permits_for([toy.TOY], MEMBERS)

    assert [each.type for each in permits] == [
        "exchange.parked/1",
        "exchange.refused/1",
        "toy.ping/1",
        "toy.pong/1",
        "toy.sum/1",
        "toy.summed/1",
    ]
    assert all(each.src == each.dst == list(MEMBERS) for each in permits)


def test_services_of_the_node_are_permitted() -> None:
    """No registered service has an ask whose answer the accord would not let through."""
    types = {each.type for each in drawing.permits_for(SERVICES, MEMBERS)}

    assert {ask.answer_type for service in SERVICES for ask in service.asks} <= types


def test_purses_are_gross_unless_members_decide_otherwise() -> None:
    """Every fund of every rule book is cleared, and nothing is netted by default."""
    terms = drawing.purse_terms(BOOKS)

    assert PurseTerms("310", "pool") in terms
    assert not [each for each in terms if each.net]
    assert len(set(terms)) == len(terms)


def test_next_version_follows_and_keeps_its_terms() -> None:
    """A later version names the digest of the one before and keeps limits and purse terms."""
    cards = _cards(*MEMBERS[:2])
    first = drawing.draw_up(cards, services=[toy.TOY], books=BOOKS, valid_from_at=1).accord
    netted = msgspec.structs.replace(first, purses=[PurseTerms("310", "pool", net=True)])
    second = drawing.draw_up(
        cards, services=[toy.TOY], books=BOOKS, valid_from_at=2, previous=netted
    )

    assert (first.version, first.previous) == (1, None)
    assert (second.accord.version, second.accord.previous) == (2, netted.digest())
    assert second.accord.purses == netted.purses


def test_signatures_are_gathered() -> None:
    """Who has not signed is said by name, until all have and the accord can be adopted."""
    cards = _cards(*MEMBERS[:2])
    document = drawing.draw_up(cards, services=[toy.TOY], books=BOOKS, valid_from_at=1)
    for member in MEMBERS[:2]:
        assert member in [each.member_id for each in drawing.unsigned(document)]
        document = accords.sign(document, member, toy.ring_of(member).signing)

    assert drawing.unsigned(document) == []
    accords.check_signatures(document, None)


@pytest.mark.parametrize(
    ("cards", "code"),
    [
        (_cards(MEMBERS[0], MEMBERS[0]), "ACCORD_MEMBER_TWICE"),
        (_cards(MEMBERS[0]) + _cards(MEMBERS[1], region="elsewhere"), "ACCORD_REGIONS"),
        ([], "ACCORD_REGIONS"),
    ],
)
def test_cards_that_do_not_go_together(cards: list[MemberCard], code: str) -> None:
    """One region, one card a member."""
    with pytest.raises(Refused) as refused:
        drawing.draw_up(cards, services=[toy.TOY], books=BOOKS, valid_from_at=1)

    assert refused.value.code == code


def test_shipped_pack_has_a_folder() -> None:
    """The folder of a pack is found as `region.load` finds the pack: by name, folder or file."""
    folder = files.pack_folder("jingjinji")

    assert (folder / "pack.yaml").is_file()
    assert files.pack_folder(str(folder)) == folder
    assert files.pack_folder(str(folder / "pack.yaml")) == Path(folder)
