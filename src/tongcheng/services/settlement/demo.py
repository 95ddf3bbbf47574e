"""The demonstration's stays: made-up persons in made-up hospitals, the same for the same seed.

The data is the region's (`demo.yaml`); here it becomes rows of a node and a stream of stays. Bills
are drawn from the hospital's own catalogue, with refunds, later admissions, retirees, bills that
reach the yearly cap, and a few persons of areas that have no rule book. Nothing here protects
anything: keys, tokens and ids come from the node's own entropy.
"""

from collections.abc import Sequence
from datetime import date
from itertools import accumulate
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec

from tongcheng.kernel import yaml_file
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.money import parse_scaled, parse_yuan, round_half_up
from tongcheng.kernel.store import Transaction
from tongcheng.kernel.words import Words
from tongcheng.services.settlement import accumulators, insured
from tongcheng.services.settlement.bill import Accumulators
from tongcheng.services.settlement.bills import LineInput
from tongcheng.services.settlement.catalogue import Catalogue, Item
from tongcheng.services.settlement.lines import amount_of
from tongcheng.services.settlement.model import Identity
from tongcheng.services.settlement.rules import Category, PersonType, Subtype, Tier
from tongcheng.services.settlement.store import ENTRIES, INSTITUTIONS, InstitutionRow

T = TypeVar("T")
Gender = Literal["1", "2"]
Twist = Literal["plain", "repeat", "new_msgid", "void", "void_again", "reverse", "revoke"]
"""What a hospital does besides: sends 2304 again, voids (2305), reverses (2601), revokes (2302)."""

TWISTS: Final[tuple[tuple[Twist, int], ...]] = (
    ("plain", 84),
    ("repeat", 4),
    ("new_msgid", 3),
    ("revoke", 3),
    ("void", 2),
    ("void_again", 2),
    ("reverse", 2),
)
RESIDENTS: Final = "390"
"""The residents' scheme (城乡居民基本医疗保险) in the national interface."""
HOUR_MS: Final = 3_600_000
PIECE: Final = 10_000  # in 10**-4
REFUND_PERCENT: Final = 8
OVER_CEILING_PERCENT: Final = 10
LINES_MAX = 60
BIG_PIECES = (6, 24)
NO_PRICE_E6: Final = 10_000_000


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person had used this year before; amounts in yuan as text."""

    pool: str
    large: str
    deductible: str
    admissions: int
    burden: str = "0"


class StoryStay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The stay that a person of the story has: where, of which kind, how many days."""

    institution_id: str
    kind: str
    days: int


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A made-up person; `id_number` can be nobody's."""

    name: str
    id_number: str
    gender: Gender
    born_on: str
    admdvs: str
    scheme: str
    person_type: PersonType
    tier: Tier | None = None
    category: Category = "general"
    opening: Opening | None = None
    stay: StoryStay | None = None


class Hospital(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A made-up hospital; `share` is how often it is chosen."""

    institution_id: str
    name: Words
    hospital_level: int
    admdvs: str
    catalogue: str
    share: int
    hospital_subtype: Subtype | None = None


class Crowd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Persons made from their number: how many, of which area, how often one is the patient."""

    admdvs: str
    scheme: str
    short: str
    count: int
    retired_percent: int
    share: int
    tier: Tier | None = None


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of stay and what it is billed, by the end of an item's code."""

    kind: str
    share: int
    days: tuple[int, int]
    daily: tuple[str, ...]
    once: tuple[str, ...]
    big: tuple[str, ...] = ()


class Demo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything the demonstration knows of a region; `cut_off` is the member it cuts off."""

    label: Words
    cut_off: str
    hospitals: tuple[Hospital, ...]
    persons: tuple[Person, ...]
    crowds: tuple[Crowd, ...]
    kinds: tuple[Kind, ...]
    prices: dict[str, str]

    def everybody(self) -> list[Person]:
        """Return the persons of the story, then the crowds, always the same."""
        crowd = [
            crowd_person(at, one, number)
            for at, one in enumerate(self.crowds, start=1)
            for number in range(1, one.count + 1)
        ]
        return [*self.persons, *crowd]


class PlannedStay(msgspec.Struct, frozen=True):
    """One stay to be played: who, where, when (UTC ms), the bill, and what happens besides."""

    number: int
    hospital: Hospital
    person: Person
    inpatient_no: str
    admitted_at: int
    discharged_at: int
    lines: tuple[LineInput, ...]
    twist: Twist


def load(path: Path) -> Demo:
    """Read a region's demo.yaml; our own data, so a fault in it is our bug."""
    return msgspec.convert(yaml_file.load(path), Demo, strict=False)


def crowd_person(crowd_number: int, crowd: Crowd, number: int) -> Person:
    """Make a person from their number; the id number can be nobody's, see demo.yaml."""
    retired = number * 37 % 100 < crowd.retired_percent
    person_type = _person_type(crowd, number, retired=retired)
    is_old = person_type in {"retired", "elder"}
    year = 1946 + number * 7 % 19 if is_old else 1968 + number * 11 % 37
    born_on = date(year, 1 + number % 12, 1 + number * 5 % 28)
    gender: Gender = "2" if number % 2 == 0 else "1"
    return Person(
        name=f"示例·{crowd.short}{number:03d}",
        id_number=f"9909{crowd_number:02d}{born_on:%Y%m%d}{number:03d}T",
        gender=gender,
        born_on=born_on.isoformat(),
        admdvs=crowd.admdvs,
        scheme=crowd.scheme,
        person_type=person_type,
        tier=crowd.tier,
    )


def _person_type(crowd: Crowd, number: int, *, retired: bool) -> PersonType:
    if crowd.scheme == RESIDENTS:
        return "elder" if number % 3 == 0 else "resident"
    return "retired" if retired else "active"


# rows of a node


def enrol_persons(tx: Transaction, demo: Demo, year: int) -> int:
    """Add the persons whom this node's member insures, with what they used before in `year`.

    Whoever is known already stays as he is. Returns how many this node insures.
    """
    region, own = tx.home.region, tx.home.member_id
    count = 0
    for person in demo.everybody():
        if region.member_of(person.admdvs, "settlement").id != own:
            continue
        identity = Identity(person.name, person.id_number, person.gender, person.born_on)
        key = insured.enrol(
            tx,
            identity,
            admdvs=person.admdvs,
            scheme=person.scheme,
            person_type=person.person_type,
            tier=person.tier,
            category=person.category,
        )
        if person.opening is not None and not tx.select(ENTRIES, person_key=key):
            used = Accumulators(
                pool_paid_fen=parse_yuan(person.opening.pool),
                large_paid_fen=parse_yuan(person.opening.large),
                deductible_paid_fen=parse_yuan(person.opening.deductible),
                admissions=person.opening.admissions,
                burden_fen=parse_yuan(person.opening.burden),
            )
            accumulators.import_opening(tx, key, year, used, "demo")
        count += 1
    return count


def enrol_hospitals(tx: Transaction, demo: Demo) -> list[str]:
    """Contract this member's hospitals; return the codes of all of them."""
    region, own = tx.home.region, tx.home.member_id
    mine = [one for one in demo.hospitals if region.member_of(one.admdvs, "settlement").id == own]
    for one in mine:
        row = InstitutionRow(
            institution_id=one.institution_id,
            name_zh=one.name.zh,
            name_en=one.name.en,
            hospital_level=one.hospital_level,
            hospital_subtype=one.hospital_subtype,
            admdvs=one.admdvs,
            catalogue=one.catalogue,
        )
        tx.put(INSTITUTIONS, row)
    return [one.institution_id for one in mine]


# stays


class _Dice:
    """Draws from a seed; not for anything that protects."""

    def __init__(self, seed: str) -> None:
        self._entropy = SeededEntropy(seed)

    def below(self, limit: int) -> int:
        return int.from_bytes(self._entropy.bytes(6), "big") % limit

    def between(self, low: int, high: int) -> int:
        return low + self.below(high - low + 1)

    def percent(self, share: int) -> bool:
        return self.below(100) < share

    def one_of(self, chances: Sequence[tuple[T, int]]) -> T:
        """Return one value; each is as likely as its share of all."""
        drawn = self.below(sum(share for _, share in chances))
        ends = accumulate(share for _, share in chances)
        return next(value for (value, _), end in zip(chances, ends, strict=True) if drawn < end)


class Generator:
    """Stays of a region, by number: the same number and seed give the same stay."""

    def __init__(
        self, demo: Demo, catalogues: dict[str, Catalogue], *, seed: int | str, now_at: int
    ) -> None:
        self._demo = demo
        self._catalogues = catalogues
        self._seed = seed
        self._now_at = now_at
        self._people = demo.everybody()
        self._hospitals = {one.institution_id: one for one in demo.hospitals}
        self._kinds = {one.kind: one for one in demo.kinds}

    def stay(self, number: int) -> PlannedStay:
        """Return the stay with this number, from 1; the story's come first."""
        assert number >= 1, number
        dice = _Dice(f"{self._seed}/{number}")
        if number <= len(self._demo.persons):
            person = self._demo.persons[number - 1]
            assert person.stay is not None, "a person of the story has a stay"
            hospital = self._hospitals[person.stay.institution_id]
            kind, days = self._kinds[person.stay.kind], person.stay.days
            twist: Twist = "plain"
        else:
            person = self._person(dice)
            hospital = self._hospital(dice, person)
            kind = dice.one_of([(one, one.share) for one in self._demo.kinds])
            days = dice.between(*kind.days)
            twist = dice.one_of(TWISTS)
        discharged_at = self._now_at - HOUR_MS - dice.below(36 * HOUR_MS)
        discharged_at -= discharged_at % 1_000
        admitted_at = discharged_at - days * DAY_MS
        return PlannedStay(
            number=number,
            hospital=hospital,
            person=person,
            inpatient_no=f"ZY{number:08d}",
            admitted_at=admitted_at,
            discharged_at=discharged_at,
            lines=tuple(self._bill(dice, hospital, kind, admitted_at, days)),
            twist=twist,
        )

    def _person(self, dice: _Dice) -> Person:
        crowd = dice.one_of([(one, one.share) for one in self._demo.crowds])
        number = dice.between(1, crowd.count)
        return crowd_person(self._demo.crowds.index(crowd) + 1, crowd, number)

    def _hospital(self, dice: _Dice, person: Person) -> Hospital:
        """Choose a hospital of another place: at home nothing crosses a border."""
        away = [
            (one, one.share) for one in self._demo.hospitals if one.admdvs[:2] != person.admdvs[:2]
        ]
        return dice.one_of(away)

    def _bill(
        self, dice: _Dice, hospital: Hospital, kind: Kind, admitted_at: int, days: int
    ) -> list[LineInput]:
        items = _items_by_end(self._catalogues[hospital.catalogue])
        room = LINES_MAX - 10 - len(kind.once) - len(kind.big)
        step = -(-days * len(kind.daily) // room)
        # Long stays are billed for several days at once: fewer lines, more pieces on each.
        wanted = [
            (end, start, PIECE * min(step, days - start))
            for start in range(0, days, step)
            for end in kind.daily
        ]
        wanted += [(end, dice.below(days), PIECE * dice.between(1, 3)) for end in kind.once]
        wanted += [(end, dice.below(days), PIECE * dice.between(*BIG_PIECES)) for end in kind.big]
        lines: list[LineInput] = []
        for at, (end, day, quantity_e4) in enumerate(wanted, start=1):
            price_e6 = self._price(dice, items[end], end)
            charged_at = admitted_at + day * DAY_MS + HOUR_MS
            line = _line(len(lines) + 1, items[end], quantity_e4, price_e6, charged_at)
            lines.append(line)
            room = LINES_MAX - len(lines) - (len(wanted) - at)
            if room > 0 and dice.percent(REFUND_PERCENT):
                lines.append(_refund(dice, len(lines) + 1, line))
        return lines

    def _price(self, dice: _Dice, item: Item, end: str) -> int:
        """Return 10**-6 yuan: the ceiling, or now and then a fifth above it."""
        if item.price_ceiling is None:
            known = self._demo.prices.get(end)
            return NO_PRICE_E6 if known is None else parse_scaled(known, 6)
        if dice.percent(OVER_CEILING_PERCENT):
            return round_half_up(item.price_ceiling * 6, 5)
        return item.price_ceiling


def _items_by_end(catalogue: Catalogue) -> dict[str, Item]:
    """Return the newest version of every item by the end of its code."""
    return {code.rpartition("-")[2]: versions[-1] for code, versions in catalogue.items.items()}


def _line(
    number: int, item: Item, quantity_e4: int, unit_price_e6: int, charged_at: int
) -> LineInput:
    return LineInput(
        line_id=f"{number:04d}",
        item_code=item.code,
        hospital_code=f"HIS-{item.code.rpartition('-')[2]}",
        quantity_e4=quantity_e4,
        unit_price_e6=unit_price_e6,
        amount_fen=amount_of(quantity_e4, unit_price_e6),
        charged_at=charged_at,
    )


def _refund(dice: _Dice, number: int, original: LineInput) -> LineInput:
    """Return the line that takes back all of a line, or one piece of several."""
    pieces = original.quantity_e4 // PIECE
    back_e4 = original.quantity_e4 if pieces == 1 or dice.percent(50) else PIECE
    whole = back_e4 == original.quantity_e4
    amount_fen = original.amount_fen if whole else amount_of(back_e4, original.unit_price_e6)
    return msgspec.structs.replace(
        original,
        line_id=f"{number:04d}",
        quantity_e4=-back_e4,
        amount_fen=-amount_fen,
        original_line_id=original.line_id,
    )


def next_number(inpatient_nos: Sequence[str]) -> int:
    """Return the number that follows those of the stays that were played before."""
    known = [
        int(text[2:]) for text in inpatient_nos if text.startswith("ZY") and text[2:].isdigit()
    ]
    return max(known, default=0) + 1
