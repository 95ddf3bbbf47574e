"""What the hospitals were told: the measure of what may not be lost afterwards."""

from collections import Counter
from typing import Literal

import msgspec

from tongcheng.services.settlement.store import ClaimRow, StayRow

Said = Literal["settled", "refused", "cancelled"]


class Amounts(msgspec.Struct, frozen=True):
    """A settlement as a hospital was answered it; fen."""

    settlement_id: str
    total_fen: int
    fund_fen: int
    person_fen: int


class Word(msgspec.Struct, frozen=True):
    """The last thing a hospital was told about a stay; `code` names a refusal."""

    said: Said
    amounts: Amounts | None = None
    code: str | None = None


class Memory:
    """Every answer that some hospital has seen, per node (visited member)."""

    def __init__(self) -> None:
        self.stays: dict[tuple[str, str], StayRow] = {}
        self.lines: dict[tuple[str, str], int] = {}
        self.words: dict[tuple[str, str], Word] = {}
        self.answers: dict[tuple[str, str], Amounts] = {}
        self.contradictions: list[str] = []
        self.done: Counter[str] = Counter()

    def admitted(self, member_id: str, stay: StayRow) -> None:
        """Remember an admission that was confirmed."""
        self.stays[member_id, stay.stay_id] = stay

    def uploaded(self, member_id: str, stay_id: str, count: int) -> None:
        """Remember how many lines were confirmed."""
        self.lines[member_id, stay_id] = count

    def settled(self, member_id: str, claim: ClaimRow) -> Amounts:
        """Remember a settlement as answered; the same settlement is always the same amounts."""
        amounts = Amounts(
            settlement_id=claim.settlement_id,
            total_fen=claim.total_fen,
            fund_fen=claim.fund_fen,
            person_fen=claim.person_fen,
        )
        first = self.answers.setdefault((member_id, claim.settlement_id), amounts)
        if first != amounts:
            self.contradictions.append(f"{claim.settlement_id}: answered {first}, then {amounts}")
        return amounts

    def contradict(self, what: str) -> None:
        """Note an answer that does not go with an earlier one."""
        self.contradictions.append(what)

    def last_word(self, member_id: str, stay_id: str, word: Word) -> None:
        """Remember how it ended, as far as the hospital knows."""
        self.words[member_id, stay_id] = word
        self.done[word.said] += 1
