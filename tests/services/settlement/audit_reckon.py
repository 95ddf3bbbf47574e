"""A second, small arithmetic for planted mistakes: exact fractions and figures typed here.

It shares nothing with the engine or the audit. The figures are those of the shipped books for a
hospital of level 3 (Beijing employees, Tianjin employees, Beijing residents of both versions).
"""

import struct
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

COLUMNS = (
    "settlement_id", "person_id", "settled_on", "decided_order", "book", "person_type", "tier",
    "category", "hospital_level", "hospital_subtype", "filing", "admission_number",
    "period_number", "in_scope_fen", "total_fen", "opening_admissions", "opening_pool_paid_fen",
    "opening_large_paid_fen", "opening_deductible_paid_fen", "opening_burden_fen",
    "opening_catastrophic_paid_fen", "opening_assistance_paid_fen", "deductible_fen", "pool_fen",
    "large_fen", "catastrophic_fen", "assistance_fen", "person_in_scope_fen", "person_total_fen",
    "voids",
)  # fmt: skip
OPEN_END = 10**12
Record = dict[str, str | int]


@dataclass
class Terms:
    """What is used to reckon one stay: fen and exact ratios, to be spoilt by a plant."""

    book: str
    deductible: int
    bands: list[tuple[int, Fraction]]
    cap: int
    large: Fraction | None = None
    large_cap: int = 0
    person: str = "active"
    opening: dict[str, int] = field(default_factory=dict)
    fields: dict[str, str | int] = field(default_factory=dict)
    on: str = "2025-03-05"


def ratio(text: str) -> Fraction:
    """Return an exact ratio."""
    return Fraction(text)


def beijing(*, later: bool = False) -> Terms:
    """Return the terms of somebody in work in Beijing, level 3."""
    bands = [
        (3_000_000, ratio("0.85")),
        (4_000_000, ratio("0.90")),
        (OPEN_END, ratio("0.95")),
    ]
    return Terms(
        "beijing-employee-inpatient",
        65_000 if later else 130_000,
        bands,
        10_000_000,
        ratio("0.85"),
        40_000_000,
        fields={"admission_number": 2 if later else 1},
    )


def beijing_retired() -> Terms:
    """Return the terms of a retired person in Beijing: 0.6 of the personal share."""
    terms = beijing()
    terms.bands = [(to, 1 - (1 - each) * ratio("0.6")) for to, each in terms.bands]
    terms.large, terms.person = ratio("0.80"), "retired"
    return terms


def tianjin(*, retired: bool = False) -> Terms:
    """Return the terms of an employee of Tianjin, level 3; the retired have 5 points more."""
    share = ratio("0.85") if retired else ratio("0.80")
    person = "retired" if retired else "active"
    return Terms(
        "tianjin-employee-inpatient", 170_000, [(OPEN_END, share)], 35_000_000, person=person
    )


def half_up(amount: Fraction) -> int:
    """Round to whole fen."""
    return floor(amount + Fraction(1, 2))


def stretches(terms: Terms, in_scope: int) -> list[tuple[int, int, Fraction]]:
    """Return (from, to, ratio) of every band beyond the deductible."""
    found, position = [], min(terms.deductible, in_scope)
    for to, share in terms.bands:
        top = min(to, in_scope)
        if top > position:
            found.append((position, top, share))
            position = top
    return found


def reckon(terms: Terms, in_scope: int) -> tuple[Fraction, Fraction]:
    """Return what pool and large-amount fund pay, exactly."""
    left = Fraction(terms.cap - terms.opening.get("pool_paid", 0))
    pool, point = Fraction(0), Fraction(min(terms.deductible, in_scope))
    for begins, ends, share in stretches(terms, in_scope):
        amount = (ends - begins) * share
        if pool + amount > left:
            point = begins + (left - pool) / share
            pool = left
            break
        pool, point = pool + amount, Fraction(ends)
    if terms.large is None:
        return pool, Fraction(0)
    room = terms.large_cap - terms.opening.get("large_paid", 0)
    return pool, min((in_scope - point) * terms.large, Fraction(room))


def record(
    name: str, terms: Terms, in_scope: int, *, pool: int, large: int = 0, shown: int | None = None
) -> Record:
    """Return one row of the file, the sums closed; `shown` is the deductible that it shows."""
    total = in_scope + 123_456
    funds = pool + large
    row: Record = dict.fromkeys(COLUMNS, "")
    row |= {
        "settlement_id": name,
        "person_id": f"P-{name}",
        "settled_on": terms.on,
        "book": terms.book,
        "person_type": terms.person,
        "category": "general",
        "hospital_level": 3,
        "filing": "local",
        "admission_number": 1,
        "period_number": 1,
        "in_scope_fen": in_scope,
        "total_fen": total,
        "deductible_fen": min(terms.deductible, in_scope) if shown is None else shown,
        "pool_fen": pool,
        "large_fen": large,
        "catastrophic_fen": 0,
        "assistance_fen": 0,
        "person_in_scope_fen": in_scope - funds,
        "person_total_fen": total - funds,
    }
    row |= {f"opening_{key}_fen": fen for key, fen in terms.opening.items()}
    row |= terms.fields
    return row


def settled(name: str, terms: Terms, in_scope: int, shown: int | None = None) -> Record:
    """Return the row of a stay reckoned by these terms, each fund rounded once."""
    pool, large = reckon(terms, in_scope)
    return record(name, terms, in_scope, pool=half_up(pool), large=half_up(large), shown=shown)


def binary32(value: float) -> float:
    """Return the 32-bit binary fraction nearest to a value."""
    (rounded,) = struct.unpack("f", struct.pack("f", value))
    assert isinstance(rounded, float), "f is a floating-point number"
    return rounded


def in_binary32(terms: Terms, in_scope: int) -> int:
    """Return what the pool pays when yuan are 32-bit binary fractions, in fen."""
    paid = 0.0
    for begins, ends, share in stretches(terms, in_scope):
        stretch = binary32(binary32(ends / 100) - binary32(begins / 100))
        paid = binary32(paid + binary32(stretch * binary32(float(share))))
    return half_up(Fraction(paid) * 100)
