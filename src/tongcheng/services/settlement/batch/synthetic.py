"""Draws synthetic claims: a year of made-up persons of a region, the same on every machine (pure).

Everything is computed in whole numbers from the raw words of a counter-based generator, so neither
a library's version nor a processor's rounding changes a row. A block of persons depends on the seed
and on its number alone: more claims of one seed begin with the fewer ones.

How often what happens is a guess that looks like a year of inpatient stays; it is no statistic.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from math import isqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.arrays import NONE, OPENING, SETTLE, VOID
from tongcheng.services.settlement.batch.plan import EPOCH
from tongcheng.services.settlement.batch.synthetic_books import Kind, Where
from tongcheng.services.settlement.rules import (
    FILINGS,
    PERSON_TYPES,
    SUBTYPES,
    TIERS,
    PersonType,
)

Ints = NDArray[np.int64]

PERSONS_A_BLOCK: Final = 65_536
LANE: Final = 65_536
"""A raw word is four lanes of 16 bits."""
STAYS: Final = ((1, 560), (2, 210), (3, 100), (4, 60), (5, 35), (6, 25), (8, 20), (12, 10), (24, 4))
"""Stays of a person in the year, and how many of 1,024 persons have so many."""
ONCE, TAKEN_BACK, SETTLED_ANEW, IN_PERIODS, BEFORE = range(5)
"""What becomes of a stay; BEFORE is no stay but what was used before the file begins."""
_EVENTS: Final = ((SETTLE,), (SETTLE, VOID), (SETTLE, VOID, SETTLE), (SETTLE, SETTLE), (OPENING,))
TURNS: Final = ((ONCE, 973), (TAKEN_BACK, 13), (SETTLED_ANEW, 13), (IN_PERIODS, 25))
OPENINGS: Final = 26
POOR: Final = 31
ELSEWHERE: Final = 307
ABROAD: Final = 41
"""Of 1,024: persons with an opening, entitled to assistance; stays in another place, or in one
outside the region."""
DIVISIONS_ABROAD: Final = ("310115", "440106", "510104")
DISTRICTS: Final = 16
WEIGHTS: Final[dict[PersonType, int]] = {
    "active": 4,
    "retired": 6,
    "resident": 4,
    "child": 2,
    "elder": 4,
}
AGES: Final[dict[PersonType, tuple[int, int]]] = {
    "active": (18, 59),
    "retired": (55, 95),
    "resident": (18, 59),
    "child": (0, 17),
    "elder": (60, 95),
}
LEVEL_WEIGHTS: Final = (1, 2, 4, 5)
MEDIAN_FEN: Final = (150_000, 300_000, 650_000, 1_400_000)
"""By hospital level."""
SPREAD_PERCENT: Final = 130
"""One standard deviation is a factor of two to the 1.3."""
SEVERE: Final = 4
"""Of 1,024 bills, so many are sixteen times as high: they reach caps."""
DAYS_MOST: Final = 60
PERIOD_DAYS: Final = 30
_LOGARITHMS: Final = 256
_POWERS: Final = np.array([0] * _LOGARITHMS, np.int64)
for _at in range(_LOGARITHMS):
    _power = 2 ** (_at + 16 * _LOGARITHMS)
    for _ in range(8):
        _power = isqrt(_power)
    _POWERS[_at] = _power
FLAWS: Final = (
    "person_type",
    "in_scope_fen",
    "total_fen",
    "admdvs",
    "hospital_level",
    "claim_id",
    "reverses",
)
"""What may be wrong with a row: a word that is none, a negative amount, a bill below what is in
scope, a division of nowhere, a level left out, an id given before, something taken back by no void.
"""


class Block(NamedTuple):
    """Synthetic rows as arrays; words are places (NONE: left out), `flaw` a place in FLAWS."""

    claim_id: Ints
    person_id: Ints
    event: Ints
    reverses: Ints
    sequence: Ints
    admdvs: Ints
    scheme: Ints
    visited_admdvs: Ints
    admitted_on: Ints
    period_from_on: Ints
    ended_on: Ints
    person_type: Ints
    tier: Ints
    category: Ints
    hospital_level: Ints
    hospital_subtype: Ints
    filing: Ints
    period_number: Ints
    in_scope_fen: Ints
    total_fen: Ints
    age: Ints
    pool_paid_fen: Ints
    deductible_paid_fen: Ints
    admissions: Ints
    burden_fen: Ints
    flaw: Ints


class Region:
    """The tables that persons and stays are drawn from."""

    def __init__(self, places: Sequence[Where], year: int) -> None:
        self.first_on = date(year, 1, 1).toordinal() - EPOCH
        self.days = date(year, 12, 31).toordinal() - EPOCH - self.first_on + 1
        self.schemes = sorted({each.scheme for each in places})
        of_place = [
            _district(each.admdvs, district) for each in places for district in range(DISTRICTS)
        ]
        self.divisions = list(dict.fromkeys([*of_place, *DIVISIONS_ABROAD]))
        # The divisions of each place, then those abroad.
        self.division = np.array(
            [self.divisions.index(each) for each in [*of_place, *DIVISIONS_ABROAD]]
        )
        self.scheme = np.array([self.schemes.index(each.scheme) for each in places])
        self.again = np.array([each.again for each in places])
        self.crosses = np.array([each.crosses for each in places])
        self.periods = np.array([each.periods for each in places])
        self.filings = _table([[FILINGS.index(f) for f in each.filings] for each in places])
        persons: list[tuple[int, PersonType, int]] = []
        weighted: list[int] = []
        hospitals: list[list[int]] = []
        for place, where in enumerate(places):
            for person, tier in dict.fromkeys((k.person_type, k.tier) for k in where.kinds):
                weighted += [len(persons)] * (WEIGHTS[person] * (1 if tier else len(TIERS)))
                persons.append((place, person, NONE if tier is None else TIERS.index(tier)))
                kinds = [k for k in where.kinds if (k.person_type, k.tier) == (person, tier)]
                hospitals.append([_hospital(k) for k in kinds for _ in range(_weight(k, kinds))])
        self.weighted = np.array(weighted)
        self.place = np.array([each[0] for each in persons])
        self.person_type = np.array([PERSON_TYPES.index(each[1]) for each in persons])
        self.tier = np.array([each[2] for each in persons])
        self.youngest = np.array([AGES[each[1]][0] for each in persons])
        self.oldest = np.array([AGES[each[1]][1] for each in persons])
        self.hospitals = _table(hospitals)


def _district(admdvs: str, district: int) -> str:
    """Return a division of an area; a code that names no wider one stands for itself."""
    return f"{admdvs[:-2]}{district + 1:02}" if admdvs.endswith("00") else admdvs


def _hospital(kind: Kind) -> int:
    """Return level and subtype as one number."""
    subtype = 0 if kind.subtype is None else 1 + SUBTYPES.index(kind.subtype)
    return kind.level * (len(SUBTYPES) + 1) + subtype


def _weight(kind: Kind, kinds: Sequence[Kind]) -> int:
    """Return how often a hospital is drawn: by its level, whatever subtypes the level has."""
    alike = sum(each.level == kind.level for each in kinds)
    return LEVEL_WEIGHTS[kind.level] * (1 if alike > 1 else len(SUBTYPES))


class _Table(NamedTuple):
    """Lists of different lengths, one after the other."""

    values: Ints
    begin: Ints
    size: Ints

    def draw(self, at: Ints, lane: Ints) -> Ints:
        """Return of each list one value, NONE of an empty one."""
        values: Ints = self.values[self.begin[at] + (lane * self.size[at] // LANE)]
        return np.where(self.size[at] > 0, values, NONE)


def _table(lists: Sequence[Sequence[int]]) -> _Table:
    size = np.array([len(each) for each in lists])
    begin = np.concatenate([[0], np.cumsum(size)[:-1]])
    return _Table(np.array([*(v for each in lists for v in each), NONE]), begin, size)


def blocks(region: Region, seed: int, claims: int, flaws: int = 0) -> Iterator[Block]:
    """Yield blocks of whole persons until there are so many claims; the last may cut a person off.

    `flaws` is how many of a million settlements are given a flaw.
    """
    made, number = 0, 0
    while made < claims:
        block = _block(region, seed, number, made)
        if flaws:
            block = _flawed(block, seed, number, flaws)
        rows = len(block.claim_id)
        yield block if made + rows <= claims else Block(*(each[: claims - made] for each in block))
        made, number = made + rows, number + 1


def _words(seed: int, number: int, stream: int, words: int) -> Iterator[Ints]:
    """Yield lanes of 16 bits, four from each word of a block's stream."""
    key = np.array([seed & (2**64 - 1), (seed >> 64) & (2**64 - 1)], np.uint64)
    counter = np.array([0, 0, stream, number], np.uint64)
    generator = np.random.Philox(key=key, counter=counter)
    while True:
        raw = generator.random_raw(words)
        for shift in (0, 16, 32, 48):
            yield (raw >> np.uint64(shift) & np.uint64(LANE - 1)).astype(np.int64)


def _shared(shares: Sequence[tuple[int, int]], lane: Ints) -> Ints:
    """Return values in their shares of 1,024."""
    ends = np.cumsum([share for _, share in shares])
    assert ends[-1] == 1_024, "shares are of 1,024"  # noqa: PLR2004 as it says
    values = np.array([value for value, _ in shares])
    found: Ints = values[np.searchsorted(ends, lane * 1_024 // LANE, side="right")]
    return found


def _of(share: int, lane: Ints) -> NDArray[np.bool_]:
    return lane * 1_024 // LANE < share


class _People(NamedTuple):
    """The persons of a block; `stays` counts what was used before as one."""

    kind: Ints
    place: Ints
    age: Ints
    poor: NDArray[np.bool_]
    district: Ints
    stays: Ints
    before: NDArray[np.bool_]


class _Stays(NamedTuple):
    """The stays of a block; `person` is the place among its persons, `used` of an opening."""

    person: Ints
    day: Ints
    turn: Ints
    hospital: Ints
    visited: Ints
    filing: Ints
    length: Ints
    total: Ints
    in_scope: Ints
    used: list[Ints]


def _people(region: Region, lane: Iterator[Ints]) -> _People:
    kind = region.weighted[next(lane) * len(region.weighted) // LANE]
    place = region.place[kind]
    stays = np.where(region.again[place], _shared(STAYS, next(lane)), 1)
    before = _of(OPENINGS, next(lane)) & region.again[place]
    young, old = region.youngest[kind], region.oldest[kind]
    return _People(
        kind=kind,
        place=place,
        age=young + next(lane) * (old - young + 1) // LANE,
        poor=_of(POOR, next(lane)),
        district=next(lane) * DISTRICTS // LANE,
        stays=stays + before,
        before=before,
    )


def _stays(region: Region, people: _People, seed: int, number: int) -> _Stays:
    person = np.repeat(np.arange(PERSONS_A_BLOCK), people.stays)
    first = np.concatenate([[0], np.cumsum(people.stays)[:-1]])
    is_before = np.zeros(len(person), np.bool_)
    is_before[first[people.before]] = True
    lane = _words(seed, number, 1, len(person))
    day = np.where(is_before, 0, next(lane) * region.days // LANE)
    # Sorted within each person: a day has nine bits.
    day = np.sort(person * 512 + day) & 511
    turn = _shared(TURNS, next(lane))
    place = people.place[person]
    fits = region.periods[place] & (day < region.days - PERIOD_DAYS)
    turn = np.where((turn == IN_PERIODS) & ~fits, ONCE, turn)
    hospital = region.hospitals.draw(people.kind[person], next(lane))
    visited, filing = _abroad(region, place, lane)
    total = _bill(hospital // (len(SUBTYPES) + 1), lane)
    return _Stays(
        person=person,
        day=day,
        turn=np.where(is_before, BEFORE, turn),
        hospital=hospital,
        visited=visited,
        filing=filing,
        length=1 + (next(lane) * next(lane) // LANE) * DAYS_MOST // LANE,
        total=total,
        in_scope=total * (7_500 + next(lane) * 2_400 // LANE) // 10_000,
        used=[next(lane) * most // LANE for most in (4_000_000, 200_000, 2, 1_500_000)],
    )


def _block(region: Region, seed: int, number: int, made: int) -> Block:
    """Return the events of a block's persons; claim ids go on from those made before."""
    people = _people(region, _words(seed, number, 0, PERSONS_A_BLOCK))
    stays = _stays(region, people, seed, number)
    events = np.array([len(each) for each in _EVENTS])[stays.turn]
    slot = np.repeat(np.arange(len(events)), events)
    start = np.cumsum(events) - events
    step = np.arange(len(slot)) - start[slot]
    turn, who, day = stays.turn[slot], stays.person[slot], stays.day[slot]
    event = np.array([(*each, NONE, NONE)[:3] for each in _EVENTS])[turn, step]
    claim_id = made + 1 + np.arange(len(slot))
    further = (turn == IN_PERIODS) & (step == 1)
    ended = region.first_on + day + np.where(further, PERIOD_DAYS, 0)
    admitted = region.first_on + day - stays.length[slot]
    crosses = region.crosses[people.place[who]]
    admitted = np.where(crosses, admitted, np.maximum(admitted, region.first_on))
    begun = np.where(further, ended - PERIOD_DAYS + 1, np.maximum(admitted, region.first_on))
    stay, opening = event == SETTLE, event == OPENING
    first = start[np.cumsum(people.stays) - people.stays]
    return Block(
        claim_id=claim_id,
        person_id=number * PERSONS_A_BLOCK + 1 + who,
        event=event,
        reverses=np.where(event == VOID, claim_id - 1, 0),
        sequence=1 + np.arange(len(slot)) - first[who],
        admdvs=region.division[people.place[who] * DISTRICTS + people.district[who]],
        scheme=region.scheme[people.place[who]],
        visited_admdvs=np.where(opening, NONE, stays.visited[slot]),
        admitted_on=np.where(opening, ended, admitted),
        period_from_on=np.where(opening, ended, begun),
        ended_on=ended,
        person_type=region.person_type[people.kind[who]],
        tier=region.tier[people.kind[who]],
        category=people.poor[who].astype(np.int64),
        hospital_level=stays.hospital[slot] // (len(SUBTYPES) + 1),
        hospital_subtype=stays.hospital[slot] % (len(SUBTYPES) + 1) - 1,
        filing=stays.filing[slot],
        period_number=1 + further,
        in_scope_fen=np.where(stay, stays.in_scope[slot], 0),
        total_fen=np.where(stay, stays.total[slot], 0),
        age=people.age[who],
        pool_paid_fen=np.where(opening, stays.used[0][slot], 0),
        deductible_paid_fen=np.where(opening, stays.used[1][slot], 0),
        admissions=np.where(opening, 1 + stays.used[2][slot], 0),
        burden_fen=np.where(opening, stays.used[1][slot] + stays.used[3][slot], 0),
        flaw=np.full(len(slot), NONE),
    )


def _abroad(region: Region, place: Ints, lane: Iterator[Ints]) -> tuple[Ints, Ints]:
    """Return where each stay was, and how it was filed."""
    far, which, district, filed = (next(lane) for _ in range(4))
    other = which * len(region.scheme) // LANE
    filing = region.filings.draw(place, filed)
    known = filing != NONE
    away = _of(ELSEWHERE, far) & (other != place) & known
    abroad = _of(ABROAD, far) & known
    division = np.where(away, other, place) * DISTRICTS + district * DISTRICTS // LANE
    outside = len(region.division) - len(DIVISIONS_ABROAD)
    division = np.where(abroad, outside + which * len(DIVISIONS_ABROAD) // LANE, division)
    return region.division[division], np.where(away | abroad, filing, FILINGS.index("local"))


def _bill(level: Ints, lane: Iterator[Ints]) -> Ints:
    """Return bills whose logarithms are nearly normal: each is a sum of twelve lanes."""
    normal = sum((next(lane) for _ in range(12)), -6 * LANE + np.zeros(len(level), np.int64))
    power = normal * SPREAD_PERCENT // 100 + np.where(_of(SEVERE, next(lane)), 4 * LANE, 0)
    whole = power // LANE
    fen = np.array(MEDIAN_FEN)[level] * _POWERS[(power - whole * LANE) // _LOGARITHMS] // LANE
    bill: Ints = np.maximum(1_000, (fen << np.maximum(whole, 0)) >> np.maximum(-whole, 0))
    return bill


def _flawed(block: Block, seed: int, number: int, flaws: int) -> Block:
    """Give some settlements a flaw, from a stream of their own: all others stay as they are."""
    lane = _words(seed, number, 2, len(block.claim_id))
    drawn = next(lane) * LANE + next(lane)
    hit = (drawn < flaws * LANE * LANE // 1_000_000) & (block.event == SETTLE)
    flaw = np.where(hit, next(lane) * len(FLAWS) // LANE, NONE)
    flaw[:1] = NONE  # it has none before it, whose id it could have
    is_scope, is_total, is_again, is_taken = (
        flaw == FLAWS.index(name) for name in ("in_scope_fen", "total_fen", "claim_id", "reverses")
    )
    return block._replace(
        in_scope_fen=np.where(is_scope, -block.in_scope_fen, block.in_scope_fen),
        total_fen=np.where(is_total, block.in_scope_fen - 1, block.total_fen),
        claim_id=block.claim_id - is_again,
        reverses=np.where(is_taken, block.claim_id - 1, block.reverses),
        flaw=flaw,
    )
