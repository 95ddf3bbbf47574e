"""The sums of a replay: what each fund and the patients would pay more or less, and who."""

from collections import Counter

import msgspec

from tongcheng.services.settlement.replay import Change


class FundSum(msgspec.Struct, frozen=True):
    """One fund over the settlements that would change; amounts in fen."""

    fund: str
    before_fen: int
    after_fen: int

    @property
    def difference_fen(self) -> int:
        """Return how much more the fund would pay."""
        return self.after_fen - self.before_fen


class GroupSum(msgspec.Struct, frozen=True):
    """One kind of person in one level of hospital; `difference_fen` is what they would pay more."""

    person_type: str
    hospital_level: int
    settlements: int
    difference_fen: int


class Sums(msgspec.Struct, frozen=True):
    """The whole of a replay.

    Only settlements that stand are in it, and none that would be refused: nobody knows who would
    then pay. `gaining` persons would pay less in all, `losing` ones more, `even` the same.
    """

    direct: int
    consequence: int
    voided: int
    refused: int
    funds: tuple[FundSum, ...]
    announced: tuple[FundSum, ...]
    persons_before_fen: int
    persons_after_fen: int
    gaining: int
    gained_fen: int
    losing: int
    lost_fen: int
    even: int
    groups: tuple[GroupSum, ...]


class Summing:
    """Adds up changes as they are told, one person's after another's."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._funds: dict[str, list[int]] = {}
        self._announced: dict[str, list[int]] = {}
        self._groups: dict[tuple[str, int], list[int]] = {}
        self._patients = [0, 0]
        self._person = ""
        self._person_fen: int | None = None
        self._by_sign: dict[int, list[int]] = {-1: [0, 0], 0: [0, 0], 1: [0, 0]}

    def add(self, change: Change) -> None:
        """Count one more change; those of a person follow one another."""
        if change.voided:
            self._counts["voided"] += 1
            return
        self._counts[change.kind] += 1
        if change.after is None:
            self._counts["refused"] += 1
            return
        for at, amounts in enumerate((change.before, change.after)):
            self._patients[at] += amounts.person_fen
            for fund, fen in amounts.funds.items():
                self._funds.setdefault(fund, [0, 0])[at] += fen
            for fund, expected in amounts.announced.items():
                self._announced.setdefault(fund, [0, 0])[at] += expected or 0
        difference = change.after.person_fen - change.before.person_fen
        group = self._groups.setdefault((change.person_type, change.hospital_level), [0, 0])
        group[0] += 1
        group[1] += difference
        if change.person_key != self._person:
            self._close_person()
            self._person = change.person_key
        self._person_fen = (self._person_fen or 0) + difference

    def _close_person(self) -> None:
        if self._person_fen is not None:
            fen = self._person_fen
            persons = self._by_sign[(fen > 0) - (fen < 0)]
            persons[0] += 1
            persons[1] += fen
        self._person_fen = None

    def sums(self) -> Sums:
        """Return the sums of what was added."""
        self._close_person()
        counts, by_sign = self._counts, self._by_sign
        return Sums(
            direct=counts["direct"],
            consequence=counts["consequence"],
            voided=counts["voided"],
            refused=counts["refused"],
            funds=tuple(FundSum(fund, *pair) for fund, pair in self._funds.items()),
            announced=tuple(FundSum(fund, *pair) for fund, pair in self._announced.items()),
            persons_before_fen=self._patients[0],
            persons_after_fen=self._patients[1],
            gaining=by_sign[-1][0],
            gained_fen=-by_sign[-1][1],
            losing=by_sign[1][0],
            lost_fen=by_sign[1][1],
            even=by_sign[0][0],
            groups=tuple(GroupSum(*key, *self._groups[key]) for key in sorted(self._groups)),
        )
