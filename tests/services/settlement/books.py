"""Rule books for tests: the shipped one, small ones made up on the spot, and any at random."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tongcheng.kernel import canonical
from tongcheng.kernel.money import format_yuan, parse_scaled, parse_yuan
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook, parse
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.rules import (
    CATEGORIES,
    FILINGS,
    PERSON_TYPES,
    SUBTYPES,
    TIERS,
)
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN, NO_CUT, UNKNOWN, Cut, RuleRef

REGION = Path(__file__).parents[3] / "src" / "tongcheng" / "regions" / "jingjinji"


def beijing() -> RuleBook:
    """Return the shipped Beijing employee book."""
    return parse((REGION / "rulebooks" / "beijing-employee-inpatient.yaml").read_text("utf-8"))


def shipped() -> list[RuleBook]:
    """Return every benefit book of the region, all versions."""
    texts = [path.read_text("utf-8") for path in sorted((REGION / "rulebooks").glob("*.yaml"))]
    return [book for book in map(parse, texts) if book.kind == "benefit"]


def figure(value: str | None) -> dict[str, Plain]:
    """Return a made-up rule value."""
    return {"value": value, "source": "synthetic", "confidence": "own"}


def made_up(rules: dict[str, Plain], **head: Plain) -> RuleBook:
    """Return a synthetic book with these rules, read as every book is read."""
    document: dict[str, Plain] = {
        "book_id": "synthetic",
        "kind": "benefit",
        "title": {"zh": "虚构", "en": "synthetic"},
        "admdvs": "999999",
        "scheme": "310",
        "effective": {"from": "2025-01-01", "to": None},
        "sources": {"synthetic": {"what": "made up for a test"}},
        "rules": rules,
    }
    return parse(json.dumps({**document, **head}, ensure_ascii=False))


def simple_rules(**changes: Plain) -> dict[str, Plain]:
    """Return rules that are easy to compute with: 100 deductible, half of the first 1,000 yuan."""
    rules: dict[str, Plain] = {
        "persons": ["active", "retired"],
        "period": period(),
        "deductible": {
            "basis": figure("each_admission"),
            "rows": [
                {"levels": ["1", "2", "3"], "admission": "first", "amount": figure("100")},
                {"levels": ["1", "2", "3"], "admission": "later", "amount": figure("50")},
            ],
        },
        "bands": [
            {
                "levels": ["3"],
                "steps": [
                    {"to": figure("1000"), "ratio": figure("0.5")},
                    {"ratio": figure("0.8")},
                ],
            }
        ],
        "adjustments": [{"persons": ["retired"], "personal_share_times": figure("0.5")}],
        "pool_cap": figure("10000"),
        "large": [
            {"persons": ["active", "retired"], "ratio": figure("0.9"), "cap": figure("9000")}
        ],
        "funds": [
            fund("pool"),
            fund("large"),
            fund("catastrophic", "announced", "year_end"),
        ],
    }
    merged = {**rules, **changes}
    return {key: value for key, value in merged.items() if value != "absent"}


def flat_rules(ratio: str, **changes: Plain) -> dict[str, Plain]:
    """Return rules with one band and no deductible, at all levels."""
    rows: list[Plain] = [
        {"admission": admission, "amount": figure("0")} for admission in ("first", "later")
    ]
    deductible: Plain = {"basis": figure("each_admission"), "rows": rows}
    bands: Plain = [{"steps": [{"ratio": figure(ratio)}]}]
    rules: dict[str, Plain] = {"bands": bands, "deductible": deductible, "adjustments": []}
    return simple_rules(**{**rules, **changes})


def period(further: str | None = "as_later_admission") -> dict[str, Plain]:
    """Return what restarts when, with what a further settlement period bears first."""
    return {
        "bands": figure("settlement_period"),
        "deductible": figure("calendar_year"),
        "cap": figure("calendar_year"),
        "year_of": figure(None),
        "further_periods": figure(further),
    }


def fund(name: str, layer: str | None = None, paid_at: str = "discharge") -> dict[str, Plain]:
    """Return a fund of a layer that is called as it is, unless another is given."""
    title: dict[str, Plain] = {"zh": name, "en": name}
    return {"fund": name, "layer": layer or name, "title": title, "paid_at": figure(paid_at)}


# Any book at random.

WHOLE = 10**4
"""Fen: amounts of a book with factors are multiples of it, so that every share comes out even."""
LEVELS = ["0", "1", "2", "3"]
_small, _large = st.integers(0, 10**6), st.integers(0, 10**8)
AMOUNTS = _small | _large
HUGE = st.integers(0, AMOUNT_MAX_FEN)


def _points(least: int, most: int, step: int = 1) -> st.SearchStrategy[str]:
    """Return ratios in basis points as a book writes them, often round: those give half fen."""
    steps = st.integers(least // step, most // step).map(lambda steps: steps * step)
    if most >= 500 and 500 % step == 0:
        steps |= st.integers(least // 500, most // 500).map(lambda steps: steps * 500)
    return steps.map(lambda points: f"{points // WHOLE}.{points % WHOLE:04d}")


class _Writer:
    """Writes one random book, and remembers its figures that may as well be unknown."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.persons = sorted(draw(st.sets(st.sampled_from(PERSON_TYPES), min_size=1)))
        self.gaps = draw(st.integers(0, 4)) == 0
        self.whole = self.chance(2)
        self.amounts = HUGE if self.chance(5) else AMOUNTS
        self.figures: list[dict[str, Plain]] = []

    def chance(self, of: int) -> bool:
        return self.draw(st.integers(1, of)) == of

    def figure(self, text: st.SearchStrategy[str]) -> dict[str, Plain]:
        self.figures.append(figure(self.draw(text)))
        return self.figures[-1]

    def amount(self, amounts: st.SearchStrategy[int] | None = None) -> dict[str, Plain]:
        return self.figure((self.amounts if amounts is None else amounts).map(format_yuan))

    def first(self) -> dict[str, Plain]:
        """Return what somebody bears first: not so much that no fund ever pays."""
        return self.amount(st.integers(0, 40).map(lambda n: n * WHOLE) if self.whole else _small)

    def forget(self, most: int) -> None:
        """Make some figures unknown."""
        places = st.integers(0, len(self.figures) - 1)
        for at in self.draw(st.sets(places, max_size=most)):
            self.figures[at]["value"] = None

    def selectors(self) -> list[dict[str, Plain]]:
        """Return selectors of which never two speak about one person in one hospital."""
        found: list[dict[str, Plain]] = [{}]
        for field, values, rarity in (
            ("levels", LEVELS, 2),
            ("persons", self.persons, 4),
            ("subtypes", SUBTYPES, 4),
            ("tiers", TIERS, 6),
        ):
            found = [
                {**each, **part}
                for each in found
                for part in (self._parts(field, values) if self.chance(rarity) else [{}])
            ]
        return found

    def _parts(self, field: str, values: Sequence[str]) -> list[dict[str, Plain]]:
        groups = st.sampled_from([0, 0, 1, 1, 2, -1 if self.gaps else 0])
        numbers = [self.draw(groups) for _ in values]
        parts = [
            [value for value, number in zip(values, numbers, strict=True) if number == group]
            for group in range(3)
        ]
        return [{field: list(part)} for part in parts if part]

    def deductible(self) -> dict[str, Plain]:
        rows: list[Plain] = [
            {**each, "admission": "first", "amount": self.first()} for each in self.selectors()
        ]
        rows += [{**each, "admission": "later", **self._later()} for each in self.selectors()]
        adjustments: list[Plain] = []
        if self.whole and self.chance(2):
            factors = _points(0, WHOLE, 1000)
            adjustments += [
                {**self.draw(st.sampled_from(self.selectors() or [{}])), "factor": each}
                for each in [self.figure(factors) for _ in range(self.draw(st.integers(0, 2)))]
            ]
        if self.chance(3):
            adjustments += [
                {**each, "minus": self.first(), **self._floor()} for each in self.selectors()
            ]
        basis = self.figure(st.sampled_from(["each_admission", "annual"]))
        return {"basis": basis, "rows": rows, "adjustments": adjustments}

    def _later(self) -> dict[str, Plain]:
        if self.whole and self.chance(3):
            return {"factor": self.figure(_points(0, WHOLE, 100))}
        if self.chance(2):
            return {"minus_each": self.first(), **self._floor()}
        return {"amount": self.first()}

    def _floor(self) -> dict[str, Plain]:
        return {"floor": self.first()} if self.chance(2) else {}

    def steps(self, ratios: st.SearchStrategy[str], above: int = 0) -> list[Plain]:
        """Return bands whose limits rise from above; a limit can not be unknown."""
        limits = sorted(self.draw(st.sets(st.integers(1, 10**6) | _large, max_size=3)) - {0})
        steps: list[Plain] = [
            {"to": figure(format_yuan(above + limit)), "ratio": self.figure(ratios)}
            for limit in limits
        ]
        return [*steps, {"ratio": self.figure(ratios)}]

    def bands(self) -> dict[str, Plain]:
        """Return bands and what adjusts them; no ratio can become more than one."""
        times, more = (self.draw(st.integers(0, 2)) if self.chance(2) else 0 for _ in "ab")
        ratios = _points(0, 8000 if times or more else WHOLE)
        groups: list[Plain] = [{**each, "steps": self.steps(ratios)} for each in self.selectors()]
        rows: list[dict[str, Plain]] = [
            {"personal_share_times": self.figure(_points(5000, WHOLE, 100))} for _ in range(times)
        ]
        rows += [{"add_points": self.figure(_points(0, 250))} for _ in range(more)]
        rows = [{**self.draw(st.sampled_from(self.selectors() or [{}])), **row} for row in rows]
        return {"bands": groups, "adjustments": list(self.draw(st.permutations(rows)))}

    def filing(self) -> list[Plain]:
        rows: list[Plain] = []
        away: list[Plain] = list(self.draw(st.permutations(FILINGS[2:])))
        for group in (away[:2], away[2:3]):
            for each in self.selectors() if self.chance(2) else []:
                cut = self.figure(_points(0, 5000))
                ratio = self.figure(_points(0, WHOLE))
                terms = self.draw(st.sampled_from([{"cut": cut}, {"ratio": ratio}, {}]))
                own = {"deductible": self.first()} if self.chance(2) else {}
                rows.append({**each, "filings": group, **terms, **own})
        return rows

    def cover(self, layer: str) -> dict[str, Plain]:
        choices: list[list[list[Plain]]] = [[[]], [["general"], ["poor"]], [["poor"]]]
        groups = self.draw(st.sampled_from(choices))
        terms: list[Plain] = []
        for group in groups:
            measure = self.draw(st.sampled_from(["excess", "burden"]))
            deductible = self.first()
            above = parse_yuan(str(deductible["value"])) if measure == "burden" else 0
            cap = figure("none") if self.chance(2) else self.amount()
            steps = self.steps(_points(0, WHOLE), above)
            terms.append(
                {
                    **({"categories": group} if group else {}),
                    "measure": measure,
                    "deductible": deductible,
                    "steps": steps,
                    "cap": cap,
                }
            )
        return {"title": {"zh": layer, "en": layer}, "terms": terms}

    def rules(self, *, covered: bool) -> dict[str, Plain]:
        rules: dict[str, Any] = {
            "persons": list(self.persons),
            "period": period(self.draw(st.sampled_from(["none", "as_later_admission"]))),
            "deductible": self.deductible(),
            **self.bands(),
            "filing": self.filing(),
            "pool_cap": self.amount(),
            "funds": [fund("pool")],
        }
        self.figures.append(rules["period"]["further_periods"])
        if self.chance(2):
            rules["funds"].append(fund("large"))
            rules["large"] = [
                {**each, "ratio": self.figure(_points(0, WHOLE)), "cap": self.amount()}
                for each in self.selectors() or [{}]
            ]
        for layer in ("catastrophic", "assistance"):
            if covered or self.chance(2):
                rules[layer] = self.cover(layer)
                announced = fund(layer, "announced", "on_claim")
                later = not covered and self.chance(4)
                rules["funds"].append(announced if later else fund(layer))
        return rules


@st.composite
def rule_books(
    draw: st.DrawFn, /, *, unknown: int = 2, covered: bool = False, **head: Plain
) -> RuleBook:
    """Any book of the schema that compiles, sensible or not, with so many figures unknown.

    `covered` wants both second covers, paid at discharge.
    """
    writer = _Writer(draw)
    rules = writer.rules(covered=covered)
    writer.forget(unknown)
    return made_up(rules, **head)


class Question(NamedTuple):
    """What the engine is asked about one book."""

    bill: Bill
    before: Accumulators
    cut: Cut


class Case(NamedTuple):
    """A book, and questions about it: compiling a book costs more than a hundred answers."""

    book: RuleBook
    questions: list[Question]


def near(book: RuleBook) -> st.SearchStrategy[int]:
    """Fen of any size, and often at a figure of the book or a few fen beside it."""
    texts = re.findall(r'"value":"([0-9.]+)"', canonical.encode(book.document).decode())
    amounts = sorted({parse_scaled(text, 4) // 100 for text in texts if Decimal(text) > 1})
    beside = st.builds(
        lambda fen, by: min(max(0, fen + by), AMOUNT_MAX_FEN),
        st.sampled_from([0, *amounts]),
        st.integers(-1, 1) | st.integers(-200, 200),
    )
    return AMOUNTS | beside | HUGE


@st.composite
def bills(draw: st.DrawFn, book: RuleBook) -> Bill:
    """Any bill that a book may be asked about."""
    rules: Any = book.document["rules"]
    in_scope = draw(near(book))
    return Bill(
        in_scope_fen=in_scope,
        total_fen=draw(st.none() | AMOUNTS.map(lambda more: min(in_scope + more, AMOUNT_MAX_FEN))),
        person_type=draw(st.sampled_from(rules["persons"])),
        hospital_level=draw(st.integers(0, 3)),
        admission_number=draw(st.integers(1, 5)),
        hospital_subtype=draw(st.sampled_from([*SUBTYPES, *SUBTYPES, None])),
        tier=draw(st.sampled_from([*TIERS, *TIERS, None])),
        category=draw(st.sampled_from(CATEGORIES)),
        filing=draw(st.sampled_from(["local", "local", *FILINGS])),
        period_number=draw(st.sampled_from([1, 1, 1, 2, 3])),
    )


CUTS = st.sampled_from(
    [
        *(Cut(points, RuleRef("overlay", "rules.filing")) for points in (0, 1000, 9999, UNKNOWN)),
        NO_CUT,
    ]
)


def accumulators(book: RuleBook) -> st.SearchStrategy[Accumulators]:
    """Any year before a bill, often just below or at a cap."""
    amounts = st.just(0) | near(book)
    return st.just(Accumulators()) | st.builds(
        Accumulators,
        pool_paid_fen=amounts,
        large_paid_fen=amounts,
        deductible_paid_fen=amounts,
        admissions=st.integers(0, 9),
        burden_fen=amounts,
        catastrophic_paid_fen=amounts,
        assistance_paid_fen=amounts,
    )


SHIPPED = st.deferred(lambda: st.sampled_from(shipped()))


@st.composite
def cases(draw: st.DrawFn, *, unknown: int = 2) -> Case:
    """Any book, the region's own included, with bills, years before them and a region's cuts."""
    book = draw(rule_books(unknown=unknown) if draw(st.integers(0, 3)) else SHIPPED)
    asked = st.builds(Question, bills(book), accumulators(book), CUTS)
    return Case(book, draw(st.lists(asked, min_size=1, max_size=8)))
