"""The form of an estimate: what stands in it, and what is wrong with it, field by field."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, TypeVar

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.money import parse_yuan
from tongcheng.services.settlement import rules
from tongcheng.services.settlement.estimate.compute import AWAY
from tongcheng.services.settlement.estimate.model import ELSEWHERE, Question
from tongcheng.services.settlement.rules import (
    CATEGORIES,
    LEVELS,
    PERSON_TYPES,
    SUBTYPES,
    TIERS,
)
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN

Word = TypeVar("Word", bound=str)

NUMBER_MAX: Final = 99
TEXT_MAX: Final = 40
SCHEMES: Final = ("310", "390")
DEFAULTS: Final = {
    "area": "",
    "scheme": "310",
    "person": "active",
    "tier": "",
    "category": "general",
    "level": "3",
    "subtype": "",
    "visited": "",
    "filing": "other",
    "on": "",
    "amount": "",
    "number": "1",
    "used": "0",
}
"""Every field and what stands in it at first."""
FAULTS: Final = {
    "choice": "settlement.estimate.fault.choice",
    "amount": "settlement.estimate.fault.amount",
    "day": "settlement.estimate.fault.day",
    "number": "settlement.estimate.fault.number",
    "scheme": "settlement.estimate.fault.scheme",
    "version": "settlement.estimate.fault.version",
    "subtype": "settlement.estimate.fault.subtype",
    "tier": "settlement.estimate.fault.tier",
    "person": "settlement.estimate.fault.person",
}
"""What can be wrong with a field → its words."""
OF_REFUSAL: Final = {
    "AREA_WITHOUT_RULE_BOOK": ("scheme", "scheme"),
    "RULE_BOOK_MISSING": ("on", "version"),
    "HOSPITAL_SUBTYPE_NEEDED": ("subtype", "subtype"),
    "PERSON_TIER_NEEDED": ("tier", "tier"),
    "BILL_INVALID": ("person", "person"),
}
"""A refusal that another answer in a field avoids → the field, and what is wrong with it."""


class Form(msgspec.Struct, frozen=True):
    """What was filled in, and what is wrong with it: field → key of FAULTS.

    `question` is there when nothing is; `asked` tells whether the form was sent at all.
    """

    values: dict[str, str]
    faults: dict[str, str]
    question: Question | None
    asked: bool


def insuring_areas(home: Home) -> list[str]:
    """Return the pooling areas whose benefit rules this node has, in the region's order."""
    known = {
        home.region.area_of(book.admdvs, "settlement").id
        for book in home.shelf
        if book.kind == rules.KIND
    }
    return [each for each in areas(home) if each in known]


def areas(home: Home) -> list[str]:
    """Return the region's pooling areas."""
    return [
        area.id
        for member in home.region.members
        if "settlement" in member.services
        for area in member.areas
    ]


def read(home: Home, query: Mapping[str, str], today: date) -> Form:
    """Read a form from an address; what is missing has its default."""
    values = {**DEFAULTS, "on": today.isoformat()}
    first, places = insuring_areas(home), areas(home)
    values["area"] = next(iter(first), "")
    values["visited"] = next((each for each in places if each != values["area"]), ELSEWHERE)
    given = {name: query[name].strip()[:TEXT_MAX] for name in DEFAULTS if name in query}
    values |= given
    reader = _Reader(values)
    question = Question(
        area=reader.choice("area", first),
        scheme=reader.choice("scheme", SCHEMES),
        person_type=reader.word("person", PERSON_TYPES),
        tier=reader.known("tier", TIERS),
        category=reader.word("category", CATEGORIES),
        hospital_level=int(reader.choice("level", [str(each) for each in LEVELS])),
        hospital_subtype=reader.known("subtype", SUBTYPES),
        visited=reader.choice("visited", [*places, ELSEWHERE]),
        filing=reader.word("filing", AWAY),
        on=reader.day("on"),
        in_scope_fen=reader.amount("amount"),
        admission_number=reader.number("number"),
        pool_used_fen=reader.amount("used"),
    )
    asked = bool(given)
    faults = reader.faults if asked else {}
    return Form(values, faults, question if asked and not faults else None, asked)


def refused(form: Form, refusal: Refused) -> Form | None:
    """Return the form with a refusal beside the field that it is about, None if there is none."""
    found = OF_REFUSAL.get(refusal.code)
    if found is None:
        return None
    if refusal.code == "BILL_INVALID" and refusal.facts.get("field") != "person_type":
        return None
    return msgspec.structs.replace(form, faults={**form.faults, found[0]: found[1]}, question=None)


class _Reader:
    """Reads fields one by one; a field at fault is noted and read as if it held what it may."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.faults: dict[str, str] = {}

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """Return one of those allowed."""
        value = self._values[name]
        if value not in allowed:
            self.faults[name] = "choice"
            return next(iter(allowed), "")
        return value

    def word(self, name: str, allowed: tuple[Word, ...]) -> Word:
        """Return one of these words."""
        value = self.choice(name, allowed)
        return next(each for each in allowed if each == value)

    def known(self, name: str, allowed: tuple[Word, ...]) -> Word | None:
        """Return one of these words, None where the field is empty."""
        return self.word(name, allowed) if self._values[name] else None

    def day(self, name: str) -> date:
        """Return a day."""
        try:
            return date.fromisoformat(self._values[name])
        except ValueError:
            self.faults[name] = "day"
            return date(2000, 1, 1)

    def amount(self, name: str) -> int:
        """Return yuan as fen; commas between thousands are let be."""
        try:
            fen = parse_yuan(self._values[name].replace(",", ""))
        except Refused:
            fen = -1
        if not 0 <= fen <= AMOUNT_MAX_FEN:
            self.faults[name] = "amount"
            return 0
        return fen

    def number(self, name: str) -> int:
        """Return a small whole number from 1."""
        text = self._values[name]
        value = int(text) if text.isascii() and text.isdigit() else 0
        if not 1 <= value <= NUMBER_MAX:
            self.faults[name] = "number"
            return 1
        return value
