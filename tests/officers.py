"""Made-up officers with keys of their own, and a made-up rule book for them to adopt."""

from collections.abc import Sequence

from tongcheng.kernel import keys, officers, rulebook, rulebook_record
from tongcheng.kernel import rulebook_adoption as adoptions
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.keys import SigningKey
from tongcheng.kernel.officers import OfficerCard
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.rulebook_adoption import SignedAdoption
from tongcheng.kernel.store import Transaction

OWNER = "beijing-hsb"
NAMES = ("测试甲", "测试乙", "测试丙")

TEXT = """
book_id: demo
kind: toy
title: {zh: 演示, en: demonstration}
admdvs: "110000"
scheme: "310"
effective: {from: 2026-01-01, to: null, source: law, confidence: high}
sources:
  law: {what: a made-up law}
rules:
  cap: {value: "100", source: law, confidence: low}
  floor: {value: null, source: law, confidence: own}
  share: {value: "0.85", source: law, confidence: high, conflicts: [{value: "0.9", source: law}]}
"""


def book(begins: str = "2026-01-01", ends: str = "null", **changes: str) -> RuleBook:
    """Return the made-up book for these days, with texts of it changed."""
    text = TEXT.replace("2026-01-01, to: null", f"{begins}, to: {ends}")
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    return rulebook.parse(text)


def key(name: str) -> SigningKey:
    """Return the key of a made-up officer; the same every time."""
    private = SeededEntropy(f"officer {name}").bytes(keys.KEY_BYTES)
    return SigningKey(keys.suite(keys.DEFAULT_SUITE), private)


def card(name: str, member_id: str = OWNER, *, of_key: str | None = None) -> OfficerCard:
    """Return an officer's card."""
    return officers.make_card(key(of_key or name), member_id, name)


def appoint(tx: Transaction, names: Sequence[str] = NAMES) -> None:
    """Appoint officers of the node's member from the first instant on, for ever."""
    for name in names:
        officers.appoint(tx, card(name, tx.home.member_id), 0, None)


def signed(
    of: RuleBook,
    *names: str,
    member_id: str = OWNER,
    replaces: str | None = None,
    made_at: int = 0,
) -> SignedAdoption:
    """Return an adoption of a book that these officers have signed."""
    document = adoptions.draw_up(of, member_id, made_at=made_at, replaces=replaces)
    for name in names:
        document = adoptions.sign(document, member_id, key(name))
    return document


def adopt(tx: Transaction, of: RuleBook, *, replaces: str | None = None) -> None:
    """Adopt a book by the first two officers."""
    raw = signed(of, *NAMES[:2], member_id=tx.home.member_id, replaces=replaces).encoded()
    rulebook_record.adopt(tx, raw, of)
