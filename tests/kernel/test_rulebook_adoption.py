"""A rule book becomes law by two officers of its owner, and by nobody and nothing else."""

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import officers as made_up
from tests.kernel.store.stage import MEMBER, Stage
from tests.officers import NAMES, OWNER, book, key, signed
from tests.toy import NOW_AT
from tongcheng.kernel import audit, journal, officers, rulebook_record
from tongcheng.kernel import rulebook_adoption as adoptions
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.recall import recall
from tongcheng.kernel.rulebook import RuleBook, Shelf
from tongcheng.kernel.rulebook_adoption import Doubts, SignedAdoption
from tongcheng.kernel.store import Command, Transaction

ONE, TWO, THREE = NAMES
BOOK = book()
OTHER = book(**{'"100"': '"200"'})
DOCUMENT = signed(BOOK, ONE, TWO)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Beijing's store: two officers in office, one dismissed, one past, one due."""
    made = Stage(tmp_path)
    _run(made, made_up.appoint)
    _run(made, lambda tx: officers.dismiss(tx, key(THREE).kid))
    past = partial(officers.appoint, card=made_up.card("past"), from_at=0, to_at=NOW_AT)
    due = partial(officers.appoint, card=made_up.card("due"), from_at=NOW_AT + 1, to_at=None)
    _run(made, past)
    _run(made, due)
    yield made
    made.database.close()


def _run(stage: Stage, command: Command) -> None:
    outcome = stage.writer.run([command])[0]
    if outcome.error is not None:
        raise outcome.error


def _adopt(stage: Stage, document: SignedAdoption, brought: RuleBook | None = BOOK) -> None:
    _run(stage, lambda tx: rulebook_record.adopt(tx, document.encoded(), brought))


def _shelf(stage: Stage) -> Shelf:
    with stage.database.snapshot() as snapshot:
        recall(stage.home, snapshot, NOW_AT)
    return stage.home.shelf


def _bent(position: int, **changes: str) -> SignedAdoption:
    signatures = list(DOCUMENT.signatures)
    signatures[position] = msgspec.structs.replace(signatures[position], **changes)
    return msgspec.structs.replace(DOCUMENT, signatures=signatures)


def _said(**changes: object) -> SignedAdoption:
    """Return the document with what was signed changed afterwards."""
    said = msgspec.structs.replace(DOCUMENT.adoption, **changes)
    return msgspec.structs.replace(DOCUMENT, adoption=said)


def _carried() -> SignedAdoption:
    """Return the adoption of the other book with the signatures given to this one."""
    return msgspec.structs.replace(signed(OTHER), signatures=DOCUMENT.signatures)


def _relabelled() -> SignedAdoption:
    """Return the same, with the signatures saying that they were given to the other book."""
    signatures = [msgspec.structs.replace(one, digest=OTHER.digest) for one in DOCUMENT.signatures]
    return msgspec.structs.replace(signed(OTHER), signatures=signatures)


def _twice() -> SignedAdoption:
    return msgspec.structs.replace(DOCUMENT, signatures=[DOCUMENT.signatures[0]] * 2)


REFUSED: list[tuple[str, SignedAdoption, RuleBook, str]] = [
    ("for another member", signed(BOOK, ONE, TWO, member_id="tianjin-hsb"), BOOK,
     "ADOPTION_NOT_OURS"),
    ("signed for another member", _bent(1, member_id="tianjin-hsb"), BOOK, "ADOPTION_OTHER_MEMBER"),
    ("signatures of another book", _carried(), OTHER, "ADOPTION_OTHER_DIGEST"),
    ("the same, relabelled", _relabelled(), OTHER, "ADOPTION_SIGNATURE_BROKEN"),
    ("a third party", signed(BOOK, ONE, "somebody"), BOOK, "ADOPTION_NOT_OFFICER"),
    ("a third party as a third", signed(BOOK, ONE, TWO, "x"), BOOK, "ADOPTION_NOT_OFFICER"),
    ("a dismissed officer", signed(BOOK, ONE, THREE), BOOK, "ADOPTION_OFFICER_DISMISSED"),
    ("an officer whose term is over", signed(BOOK, ONE, "past"), BOOK,
     "ADOPTION_OFFICER_NOT_VALID"),
    ("an officer not in office yet", signed(BOOK, ONE, "due"), BOOK, "ADOPTION_OFFICER_NOT_VALID"),
    ("a third party with an officer's key name", _bent(0, signature="00" * 64), BOOK,
     "ADOPTION_SIGNATURE_BROKEN"),
    ("in capitals", _bent(0, signature=DOCUMENT.signatures[0].signature.upper()), BOOK,
     "ADOPTION_SIGNATURE_BROKEN"),
    ("not hex", _bent(0, signature="zz"), BOOK, "ADOPTION_SIGNATURE_BROKEN"),
    ("fewer doubts than signed", _said(doubts=Doubts(3, 0, 0, 0)), BOOK,
     "ADOPTION_SIGNATURE_BROKEN"),
    ("other dates than signed", _said(effective_to="2026-12-31"), BOOK,
     "ADOPTION_SIGNATURE_BROKEN"),
    ("the same officer twice", _twice(), BOOK, "ADOPTION_SAME_OFFICER"),
    ("one officer alone", signed(BOOK, ONE), BOOK, "ADOPTION_NOT_SIGNED"),
    ("nobody", signed(BOOK), BOOK, "ADOPTION_NOT_SIGNED"),
    ("another book brought", DOCUMENT, OTHER, "ADOPTION_OTHER_BOOK"),
    ("a book of another place",
     signed(book(**{'"110000"': '"120000"'}), ONE, TWO), book(**{'"110000"': '"120000"'}),
     "ADOPTION_NOT_OWNER"),
    ("in place of nothing", signed(BOOK, ONE, TWO, replaces="0" * 64), BOOK, "ADOPTION_REPLACES"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "brought", "code"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_refused_adoption(
    stage: Stage, document: SignedAdoption, brought: RuleBook, code: str
) -> None:
    """Each is refused under its own code, and leaves no row and no leaf behind."""
    with pytest.raises(Refused) as refused:
        _adopt(stage, document, brought)

    assert refused.value.code == code
    with stage.database.snapshot() as snapshot:
        assert snapshot.select(rulebook_record.ADOPTIONS) == []
        assert snapshot.select(rulebook_record.RULE_BOOKS) == []
        assert snapshot.select(journal.JOURNAL_LEAVES, kind="rulebook_adoption") == []


def test_adoption_by_two_officers(stage: Stage) -> None:
    """Two officers make it the rule: kept with the book, journaled, audited; a draft before."""
    stage.home.shelf = Shelf([BOOK])
    with pytest.raises(Refused, match="RULE_BOOK_DRAFT"):
        _shelf(stage).at("demo", date(2026, 5, 1))

    _adopt(stage, DOCUMENT, None)

    with stage.database.snapshot() as snapshot:
        raw = journal.content(snapshot, stage.home.ring, "rulebook_adoption", "1")
        noted = snapshot.select(audit.AUDIT)[-1]
    assert _shelf(stage).at("demo", date(2026, 5, 1)).status == "adopted"
    assert raw == b'{"adopted_at":%d,"document":%s}' % (NOW_AT, DOCUMENT.encoded())
    assert (noted.action, noted.subject, noted.detail) == ("rulebook.adopt", "demo", BOOK.digest)


def test_document_says_what_is_doubtful() -> None:
    """What the officers sign counts the figures that are doubtful, unknown and in conflict."""
    assert DOCUMENT.adoption.doubts == Doubts(figures=3, doubtful=3, unknown=1, conflicting=1)


def test_signing() -> None:
    """The order of signing does not matter, and signing twice changes nothing."""
    assert signed(BOOK, TWO, ONE, TWO) == DOCUMENT
    with pytest.raises(Refused, match="ADOPTION_OTHER_MEMBER"):
        adoptions.sign(DOCUMENT, "tianjin-hsb", key(ONE))


@settings(max_examples=300)
@given(position=st.integers(0, len(DOCUMENT.encoded()) - 1), value=st.integers(0, 255))
def test_changed_byte_is_refused(position: int, value: int) -> None:
    """Whatever byte of the document is another one, it is no adoption any more."""
    raw = bytearray(DOCUMENT.encoded())
    if raw[position] == value:
        return
    raw[position] = value
    rows = {}
    for name in NAMES:
        card = made_up.card(name)
        known = (card.kid, card.name, OWNER, card.suite, card.public, 0, None, None, 0)
        rows[card.kid] = officers.OfficerRow(*known)

    with pytest.raises(Refused):
        adoptions.check_signatures(adoptions.parse(bytes(raw)), rows, NOW_AT)


def test_dismissal_leaves_what_was_adopted(stage: Stage) -> None:
    """An officer who goes takes no adoption along."""
    _adopt(stage, DOCUMENT)
    _run(stage, lambda tx: officers.dismiss(tx, key(ONE).kid))

    assert _shelf(stage).at("demo", date(2026, 5, 1)).status == "adopted"


def test_book_outlives_its_file(stage: Stage) -> None:
    """An adopted book is kept: an update that brings another file neither loses nor changes it."""
    _adopt(stage, DOCUMENT)
    stage.home.shelf = Shelf([OTHER], allow_drafts=True)
    shelf = _shelf(stage)

    assert shelf.at("demo", date(2026, 5, 1)).digest == BOOK.digest
    assert [one.digest for one in shelf] == [BOOK.digest]
    assert shelf.find(OTHER.digest) is not None


# versions

LATER = book("2027-01-01")
EARLIER = book("2025-01-01", "2025-12-31")
INSTEAD = book("2026-01-01", **{'"100"': '"300"'})
Step = Callable[[Transaction], None]


def _step(of: RuleBook, replaces: RuleBook | None = None) -> Step:
    digest = None if replaces is None else replaces.digest
    return lambda tx: made_up.adopt(tx, of, replaces=digest)


SECOND: list[tuple[str, Step, str | None, str, str | None]] = [
    # what comes after the first, the refusal, digests in force on a day of 2026 and of 2027
    ("a later one, unsaid", _step(LATER), "RULE_BOOK_OVERLAP", BOOK.digest, BOOK.digest),
    ("a later one in its place", _step(LATER, BOOK), None, BOOK.digest, LATER.digest),
    ("an earlier one beside it", _step(EARLIER), None, BOOK.digest, BOOK.digest),
    ("one instead of it", _step(INSTEAD, BOOK), None, INSTEAD.digest, INSTEAD.digest),
    ("the same once more", _step(BOOK), "ADOPTION_REPEATED", BOOK.digest, BOOK.digest),
    ("in place of itself", _step(BOOK, BOOK), None, BOOK.digest, BOOK.digest),
    ("in place of another's", _step(LATER, EARLIER), "ADOPTION_REPLACES", BOOK.digest, BOOK.digest),
]


@pytest.mark.parametrize(
    ("second", "code", "now", "then"), [case[1:] for case in SECOND], ids=[c[0] for c in SECOND]
)
def test_second_adoption(
    stage: Stage, second: Step, code: str | None, now: str, then: str | None
) -> None:
    """Versions stand side by side, or one names the other it replaces; nothing overlaps."""
    _run(stage, _step(BOOK))
    if code is None:
        _run(stage, second)
    else:
        with pytest.raises(Refused, match=code):
            _run(stage, second)
    shelf = _shelf(stage)

    assert shelf.at("demo", date(2026, 12, 31)).digest == now
    assert shelf.at("demo", date(2027, 1, 1)).digest == then
    assert shelf.find(BOOK.digest) is not None


def test_same_version_anew_is_refused(stage: Stage) -> None:
    """A version in force is not adopted again by a document of another day."""
    _adopt(stage, DOCUMENT)

    with pytest.raises(Refused, match="RULE_BOOK_ADOPTED"):
        _adopt(stage, signed(BOOK, ONE, TWO, made_at=1))


def test_replaced_version_does_not_come_back_unsigned(stage: Stage) -> None:
    """The old document counts once: only a new one, signed anew, returns to the old version."""
    _run(stage, _step(BOOK))
    _run(stage, _step(INSTEAD, BOOK))
    with pytest.raises(Refused, match="ADOPTION_REPEATED"):
        _run(stage, _step(BOOK))

    _adopt(stage, signed(BOOK, ONE, TWO, replaces=INSTEAD.digest, made_at=1))

    assert _shelf(stage).at("demo", date(2026, 5, 1)).digest == BOOK.digest


def test_draft_gives_way() -> None:
    """A draft ends where an adopted version begins, and is set aside where one is in force."""
    draft, adopted = book("2026-01-01"), book("2026-07-01")
    shelf = Shelf([draft, adopted], adopted={adopted.digest: None}, allow_drafts=True)
    aside = Shelf([LATER, adopted], adopted={adopted.digest: None}, allow_drafts=True)

    assert shelf.at("demo", date(2026, 6, 30)).digest == draft.digest
    assert shelf.at("demo", date(2026, 7, 1)).digest == adopted.digest
    assert [one.digest for one in aside] == [adopted.digest]


# owners


@pytest.mark.parametrize(
    ("admdvs", "members"),
    [
        ("110105", [MEMBER]),
        ("130100", ["hebei-hsb"]),
        ("130000", ["hebei-hsb"]),
        ("000000", ["beijing-hsb", "tianjin-hsb", "hebei-hsb"]),
        ("440000", []),
    ],
)
def test_owners(stage: Stage, admdvs: str, members: list[str]) -> None:
    """A book is its place's; one for a province or the whole region is each member's own matter."""
    assert [one.id for one in stage.home.region.owners_of(admdvs)] == members


def test_unknown_book_is_named(stage: Stage) -> None:
    """A document alone does not bring the book."""
    with pytest.raises(Refused, match="ADOPTION_BOOK_MISSING"):
        _adopt(stage, DOCUMENT, None)
