"""Batches at random: several books and versions, mixed persons, and rows that nobody can judge."""

import random
import re
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
from hypothesis import strategies as st

from tests.services.settlement.books import figure, made_up, rule_books
from tongcheng.kernel import canonical
from tongcheng.kernel.money import parse_scaled
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook, from_document
from tongcheng.services.settlement.batch.arrays import (
    ACCUMULATORS,
    NONE,
    OPENING,
    SETTLE,
    UNKNOWN_FEN,
    VOID,
    Events,
    blank_events,
)
from tongcheng.services.settlement.batch.codes import CODE_OF
from tongcheng.services.settlement.batch.plan import DAY_MAX, EPOCH, Plan
from tongcheng.services.settlement.rules import FILINGS, PERSON_TYPES
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN

FIRST, SECOND = "2025-01-01", "2025-07-01"
VISITED = (None, "110000", "110105", "120000", "310000")


def day(text: str) -> int:
    """Return a day as events hold it."""
    return date.fromisoformat(text).toordinal() - EPOCH


DAYS = tuple(
    map(day, ("2025-01-01", "2025-06-30", "2025-07-01", "2025-12-31", "2026-01-02", "2024-12-30"))
)
"""Days around a turn of the year, of the books' beginnings and of their second versions."""


def overlay(effective: dict[str, Plain], cuts: list[str | None], prefixes: list[str]) -> RuleBook:
    """Return a cross-region book: what ways of filing take off, and who counts as filed."""
    rules: dict[str, Plain] = {
        "filing": [
            {"filings": [filing], "cut": figure(cut)}
            for filing, cut in zip(FILINGS[2:], cuts, strict=False)
        ],
        "emergency_filed": figure("yes"),
        "deemed": [{"between": [*prefixes], "filed": figure("yes")}] if prefixes else [],
    }
    return made_up(rules, kind="cross_region", book_id="elsewhere", effective=effective)


_CUTS = st.lists(st.sampled_from(["0", "0.1", "0.9999", None]), min_size=3, max_size=3)
_PREFIXES = st.sampled_from([[], ["11", "12"], ["1101"], ["11"]])


@st.composite
def shelves(draw: st.DrawFn, *, unknown: int = 2) -> list[RuleBook]:
    """Two schemes of one area, a second area, two versions of each, perhaps a cross-region book."""
    books = []
    for book_id, admdvs, scheme in (
        ("a", "110000", "310"),
        ("b", "110000", "390"),
        ("c", "120000", "310"),
    ):
        split = draw(st.booleans())
        spans: list[dict[str, Plain]] = [{"from": FIRST, "to": "2025-06-30" if split else None}]
        spans += [{"from": SECOND, "to": None}] if split else []
        for span in spans:
            head: dict[str, Plain] = {"admdvs": admdvs, "scheme": scheme, "book_id": book_id}
            covered = draw(st.booleans())
            book = draw(rule_books(unknown=unknown, covered=covered, effective=span, **head))
            document: Any = msgspec.json.decode(canonical.encode(book.document))
            word = draw(st.sampled_from(["discharge", "admission", "split", None]))
            document["rules"]["period"]["year_of"]["value"] = word
            books.append(from_document(document))
    if draw(st.booleans()):
        books.append(overlay({"from": FIRST, "to": "2025-06-30"}, draw(_CUTS), draw(_PREFIXES)))
        if draw(st.booleans()):
            books.append(overlay({"from": SECOND, "to": None}, draw(_CUTS), draw(_PREFIXES)))
    return books


def amounts_of(books: list[RuleBook]) -> list[int]:
    """Return the amounts in fen that stand in books, where something changes."""
    texts = [
        text
        for book in books
        for text in re.findall(r'"value":"([0-9.]+)"', canonical.encode(book.document).decode())
    ]
    return [0, *sorted({parse_scaled(text, 4) // 100 for text in texts if Decimal(text) > 1})]


class _Batch:
    """Fills one batch with random rows."""

    def __init__(self, plan: Plan, books: list[RuleBook], rows: int, seed: int) -> None:
        self.chance = random.Random(seed)
        self.plan = plan
        self.near = amounts_of(books)
        self.events = blank_events(rows, openings=rows)
        person, first = self.chance.randrange(2**62), 0
        for row in range(rows):
            if self.chance.random() < 0.15:
                person, first = person ^ (1 + self.chance.randrange(2**20)), row
            self.row(row, person, first)

    def amount(self) -> int:
        chance = self.chance
        kind = chance.random()
        if kind < 0.4:
            return chance.choice(self.near) + chance.randint(-200, 200) * (chance.random() < 0.7)
        if kind < 0.9:
            return chance.randrange(10 ** chance.randint(1, 9))
        return chance.randrange(AMOUNT_MAX_FEN + 1)

    def row(self, row: int, person: int, first: int) -> None:
        chance, events = self.chance, self.events
        events.person[row] = person
        events.kind[row] = chance.choices([SETTLE, VOID, OPENING], [80, 14, 6])[0]
        events.place[row] = chance.randrange(-(chance.random() < 0.05), len(self.plan.places))
        events.reverses[row] = chance.randint(max(first, row - 3), row) - (chance.random() < 0.1)
        place = self.plan.places[max(0, int(events.place[row]))]
        visited = chance.choice(VISITED)
        events.pair[row] = self.plan.pair_of(place.area_id, visited)
        events.ended_on[row] = chance.choices(DAYS, [9, 9, 9, 9, 9, 1])[0]
        events.admitted_on[row] = min(chance.choice([DAY_MAX, *DAYS]), events.ended_on[row])
        begins = chance.choice([events.admitted_on[row], events.ended_on[row]])
        events.period_from_on[row] = begins
        persons = self.plan.versions[place.begin].tables.persons
        events.person_type[row] = PERSON_TYPES.index(chance.choice(persons))
        for column, most in (
            (events.tier, 3),
            (events.category, 2),
            (events.hospital_level, 4),
            (events.hospital_subtype, 4),
            (events.filing, 6),
        ):
            column[row] = chance.randrange(most)
        events.period_number[row] = chance.choice([1, 1, 1, 2, 3])
        events.in_scope_fen[row] = self.amount()
        total = int(events.in_scope_fen[row]) + chance.randrange(10**6)
        events.total_fen[row] = chance.choice([total, UNKNOWN_FEN])
        events.opening[row] = row
        events.opening_fen[row] = [max(0, self.amount()) for _ in ACCUMULATORS]
        events.opening_fen[row, 3] = chance.randrange(3)
        if chance.random() < 0.08:
            self.spoil(row)

    def spoil(self, row: int) -> None:
        """Put something into a row that no rule speaks about."""
        chance, events = self.chance, self.events
        name, values = chance.choice(
            [
                ("fault", [CODE_OF["CLAIM_VALUE"]]),
                ("admitted_on", [day("2026-05-05"), -(2**31), 2**31 - 1]),
                ("ended_on", [-(2**31), 2**31 - 1, DAY_MAX]),
                ("person_type", [-1, 5, 127, -128]),
                ("tier", [NONE, NONE, -2, 3]),
                ("category", [-1, 2]),
                ("hospital_level", [-1, 4]),
                ("hospital_subtype", [-2, 4, NONE]),
                ("filing", [-1, 6]),
                ("period_number", [0, -1, 10_000]),
                ("in_scope_fen", [-1, AMOUNT_MAX_FEN, AMOUNT_MAX_FEN + 1, 2**63 - 1, UNKNOWN_FEN]),
                ("total_fen", [-1, 0, AMOUNT_MAX_FEN, AMOUNT_MAX_FEN + 1, 2**63 - 1]),
                ("opening_fen", [-1, AMOUNT_MAX_FEN, AMOUNT_MAX_FEN + 1]),
                ("reverses", [-1, -(2**63), 2**63 - 1, row]),
            ]
        )
        column = getattr(events, name)
        if name == "opening_fen":
            column[row, chance.randrange(len(ACCUMULATORS))] = chance.choice(values)
        else:
            column[row] = chance.choice(values)


def batch(plan: Plan, books: list[RuleBook], rows: int, seed: int) -> Events:
    """Return a batch at random; its amounts are often at a figure of the books or beside it."""
    return _Batch(plan, books, rows, seed).events


def assert_same(found: tuple[Any, ...], expected: tuple[Any, ...], names: tuple[str, ...]) -> None:
    """Hold two results against each other, and name the first row that differs."""
    for name, one, other in zip(names, found, expected, strict=True):
        different = np.argwhere(one != other)
        assert len(different) == 0, (
            name,
            different[0],
            one[different[0][0]],
            other[different[0][0]],
        )
