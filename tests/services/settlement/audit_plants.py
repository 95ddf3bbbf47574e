"""Mistakes to plant, each with the cause that the audit must name."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from random import Random

from tests.services.settlement.audit_reckon import (
    OPEN_END,
    Record,
    Terms,
    beijing,
    beijing_retired,
    half_up,
    in_binary32,
    ratio,
    reckon,
    record,
    settled,
    tianjin,
)

TRIES = 100_000


@dataclass(frozen=True)
class Plant:
    """A kind of mistake: the rows it makes; the last of them is the one that is wrong."""

    cause: str
    make: Callable[[str, Random], list[Record]]


def _amount(chance: Random, least: int, most: int) -> int:
    """Return an amount in fen that is no round number of yuan."""
    return chance.randrange(least, most) * 100 + chance.randrange(1, 100)


def _spoilt(
    base: Callable[[], Terms], spoil: Callable[[Terms], None], least: int, most: int,
    shown: int | None = None,
) -> Callable[[str, Random], list[Record]]:  # fmt: skip
    """Reckon a stay by terms that were spoilt."""

    def make(name: str, chance: Random) -> list[Record]:
        terms = base()
        spoil(terms)
        return [settled(name, terms, _amount(chance, least, most), shown)]

    return make


def _set(**changes: object) -> Callable[[Terms], None]:
    def spoil(terms: Terms) -> None:
        for name, value in changes.items():
            setattr(terms, name, value)

    return spoil


def _sums(name: str, chance: Random) -> list[Record]:
    row = settled(name, beijing(), _amount(chance, 20_000, 60_000))
    return [row | {"person_total_fen": int(row["person_total_fen"]) + chance.randrange(2, 900)}]


def _twice(name: str, chance: Random) -> list[Record]:
    row = settled(name, beijing(), _amount(chance, 20_000, 60_000))
    return [row, row | {"settlement_id": f"{name}-again"}]


def _same_id(name: str, chance: Random) -> list[Record]:
    row = settled(name, tianjin(), _amount(chance, 20_000, 60_000))
    return [row, row]


def _void(name: str, chance: Random) -> list[Record]:
    row = settled(f"{name}-first", beijing(), _amount(chance, 20_000, 60_000))
    back = {
        key: -int(value) if key.endswith("_fen") and value else value for key, value in row.items()
    }
    less = int(row["pool_fen"]) - chance.randrange(1, 500)
    return [row, back | {"settlement_id": name, "voids": f"{name}-first", "pool_fen": -less}]


def _second(name: str, chance: Random, *, lost: bool) -> list[Record]:
    """A second stay that does not go on from where the first left off."""
    first = settled(f"{name}-first", beijing(), _amount(chance, 90_000, 99_000))
    terms = beijing(later=True)
    if not lost:
        keep = int(first["pool_fen"]) - 3_000_000
        terms.opening = {"pool_paid": keep, "deductible_paid": 130_000}
    row = settled(name, terms, _amount(chance, 90_000, 99_000))
    return [first, row | {"person_id": first["person_id"]}]


def _opening_ignored(name: str, chance: Random) -> list[Record]:
    row = settled(name, beijing(later=True), _amount(chance, 150_000, 300_000))
    return [row | {"opening_pool_paid_fen": 8_240_049}]


def _reset(name: str, chance: Random) -> list[Record]:
    row = settled(name, beijing(), _amount(chance, 70_000, 90_000))
    return [row | {"admission_number": 2, "opening_pool_paid_fen": 8_240_049}]


def _swapped(name: str, chance: Random) -> list[Record]:
    row = settled(name, beijing(later=True), _amount(chance, 8_000, 29_000))
    return [row | {"admission_number": 1}]


def _cut(
    name: str, chance: Random, change: Callable[[Fraction], Fraction], filing: str
) -> list[Record]:
    terms = tianjin()
    terms.bands = [(to, change(share)) for to, share in terms.bands]
    terms.fields = {"filing": filing}
    return [settled(name, terms, _amount(chance, 8_000, 90_000))]


def _on_payment(name: str, chance: Random) -> list[Record]:
    terms, in_scope = beijing(), _amount(chance, 150_000, 300_000)
    terms.cap = OPEN_END
    pool, _ = reckon(terms, in_scope)
    large = half_up((pool - 10_000_000) * ratio("0.85"))
    return [record(name, terms, in_scope, pool=10_000_000, large=large)]


def _cap_point(name: str, chance: Random) -> list[Record]:
    """Where the cap falls between two fen, and bringing it to fen first costs one."""
    terms = beijing_retired()
    for _ in range(TRIES):
        terms.opening = {"pool_paid": _amount(chance, 1_000, 90_000)}
        in_scope = _amount(chance, 120_000, 300_000)
        pool, large = reckon(terms, in_scope)
        point = in_scope - large / ratio("0.80")
        rounded = half_up((in_scope - half_up(point)) * ratio("0.80"))
        if rounded < half_up(large):
            return [record(name, terms, in_scope, pool=half_up(pool), large=rounded)]
    raise AssertionError(name)


def _rounded(
    name: str, chance: Random, pay: Callable[[Terms, int], int], least: int
) -> list[Record]:
    """A stay at which another rounding makes a difference."""
    for _ in range(TRIES):
        terms, in_scope = beijing_retired(), _amount(chance, least, 95_000)
        pool = half_up(reckon(terms, in_scope)[0])
        if (paid := pay(terms, in_scope)) != pool:
            return [record(name, terms, in_scope, pool=paid)]
    raise AssertionError(name)


def _up(terms: Terms, in_scope: int) -> int:
    return ceil(reckon(terms, in_scope)[0])


def _down(terms: Terms, in_scope: int) -> int:
    return floor(reckon(terms, in_scope)[0])


def _binary(terms: Terms, in_scope: int) -> int:
    """Where binary fractions give what no rounding of the exact amount gives."""
    paid, exact = in_binary32(terms, in_scope), reckon(terms, in_scope)[0]
    others = {floor(exact), ceil(exact)}
    return half_up(exact) if paid in others else paid


def _version(name: str, chance: Random) -> list[Record]:
    """The elder of Beijing, paid by the deductibles and the cap of 2018."""
    terms = Terms(
        "beijing-resident-inpatient", 130_000, [(OPEN_END, ratio("0.75"))], 20_000_000,
        person="elder", on="2019-07-01", fields={"hospital_subtype": "municipal"},
    )  # fmt: skip
    pool = half_up(reckon(terms, amount := _amount(chance, 270_000, 290_000))[0])
    return [record(name, terms, amount, pool=pool)]


def _unknown(name: str, chance: Random) -> list[Record]:
    terms = beijing()
    in_scope = _amount(chance, 20_000, 60_000)
    pool = half_up(reckon(terms, in_scope)[0]) - chance.randrange(3_333, 4_444)
    return [record(name, terms, in_scope, pool=pool)]


def _share(times: str) -> Callable[[Fraction], Fraction]:
    return lambda share: share * ratio(times)


def _less(points: str) -> Callable[[Fraction], Fraction]:
    return lambda share: share - ratio(points)


def _neighbour(terms: Terms) -> None:
    terms.bands[1] = (terms.bands[1][0], terms.bands[2][1])


def _whole(terms: Terms) -> None:
    terms.bands = [(to, ratio("0.95")) for to, _ in terms.bands]


def _after(terms: Terms) -> None:
    terms.bands = [(to + terms.deductible, share) for to, share in terms.bands]


def _multiplied(terms: Terms) -> None:
    terms.bands = [(OPEN_END, ratio("0.80") * ratio("1.05"))]


def _unfactored(terms: Terms) -> None:
    terms.bands = beijing().bands


PLANTS = (
    Plant("sums_not_closed", _sums),
    Plant("settled_twice", _twice),
    Plant("settled_twice", _same_id),
    Plant("void_not_negative", _void),
    Plant("opening_lost", lambda name, chance: _second(name, chance, lost=True)),
    Plant("opening_not_following", lambda name, chance: _second(name, chance, lost=False)),
    Plant("opening_ignored", _opening_ignored),
    Plant("opening_reset", _reset),
    Plant("deductible_swapped", _swapped),
    Plant("deductible_missing", _spoilt(beijing, _set(deductible=0), 8_000, 29_000)),
    Plant("deductible_missing", _spoilt(tianjin, _set(deductible=0), 8_000, 29_000, 170_000)),
    Plant("deductible_twice", _spoilt(beijing, _set(deductible=260_000), 8_000, 29_000, 130_000)),
    Plant("deductible_other_level", _spoilt(tianjin, _set(deductible=110_000), 8_000, 90_000)),
    Plant("person_factor_missing", _spoilt(beijing_retired, _unfactored, 20_000, 90_000)),
    Plant(
        "person_points_multiplied",
        _spoilt(lambda: tianjin(retired=True), _multiplied, 8_000, 90_000),
    ),
    Plant(
        "filing_cut_multiplied",
        lambda name, chance: _cut(name, chance, _share("0.90"), "referral"),
    ),
    Plant("filing_cut_missing", lambda name, chance: _cut(name, chance, _share("1"), "other")),
    Plant(
        "filing_cut_though_deemed",
        lambda name, chance: _cut(name, chance, _less("0.20"), "deemed"),
    ),
    Plant("other_filing", lambda name, chance: _cut(name, chance, _less("0.20"), "referral")),
    Plant("band_neighbour", _spoilt(beijing, _neighbour, 42_000, 90_000)),
    Plant("band_whole", _spoilt(beijing, _whole, 45_000, 90_000)),
    Plant("bands_after_deductible", _spoilt(beijing, _after, 45_000, 90_000)),
    Plant("pool_cap_ignored", _spoilt(beijing, _set(cap=OPEN_END), 620_000, 660_000)),
    Plant("large_missing", _spoilt(beijing, _set(large=ratio("0")), 150_000, 300_000)),
    Plant("large_on_payment", _on_payment),
    Plant(
        "large_other_person", _spoilt(beijing_retired, _set(large=ratio("0.85")), 150_000, 300_000)
    ),
    Plant("large_cap_ignored", _spoilt(beijing, _set(large_cap=OPEN_END), 700_000, 900_000)),
    Plant("other_version", _version),
    Plant("other_reading", _spoilt(beijing, _set(cap=50_000_000), 620_000, 660_000)),
    Plant("rounded_up", lambda name, chance: _rounded(name, chance, _up, 5_000)),
    Plant("rounded_down", lambda name, chance: _rounded(name, chance, _down, 5_000)),
    Plant("rounded_down|cap_point_rounded", _cap_point),
    Plant("float32", lambda name, chance: _rounded(name, chance, _binary, 60_000)),
    Plant("unexplained", _unknown),
)
"""Every kind that is planted; more rows than kinds go round."""
