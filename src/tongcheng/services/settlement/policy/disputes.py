"""What sources disagree about, said in yuan on a few bills that are examples and no more."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.policy.links import anchor
from tongcheng.services.settlement.policy.model import Dispute, Example, Section
from tongcheng.services.settlement.policy.origins import Origins
from tongcheng.services.settlement.policy.sections import Sections
from tongcheng.services.settlement.policy.words import chosen, said, yuan
from tongcheng.services.settlement.readings import (
    ALTERNATIVES,
    Reading,
    alternative,
    announced,
    readings,
    settled,
    steps_of,
)
from tongcheng.services.settlement.rules import (
    CATEGORIES,
    FILINGS,
    SUBTYPES,
    TIERS,
    Category,
    Filing,
    PersonType,
    Subtype,
    Tier,
)
from tongcheng.services.settlement.tables import UNKNOWN, BenefitTables
from tongcheng.web.voice import Voice

EXAMPLES_FEN: Final = (2_000_000, 10_000_000, 40_000_000)
"""Amounts in scope on which a dispute is shown."""
BOOKS_READ_MAX: Final = 64
_TERTIARY: Final = 3
_COVERS: Final = ("catastrophic", "assistance")
T = TypeVar("T")


class Case(NamedTuple):
    """Whose bill the examples are: one that the disputed figure is about."""

    person: PersonType
    level: int
    subtype: Subtype | None
    tier: Tier | None
    category: Category
    filing: Filing
    admission: int

    def bill(self, in_scope_fen: int) -> tuple[Bill, Accumulators]:
        """Return the bill of this amount and what was used before it: as little as can be."""
        bill = Bill(
            in_scope_fen=in_scope_fen,
            total_fen=None,
            person_type=self.person,
            hospital_level=self.level,
            admission_number=self.admission,
            hospital_subtype=self.subtype,
            tier=self.tier,
            category=self.category,
            filing=self.filing,
        )
        return bill, Accumulators(admissions=self.admission - 1)


def case_for(book: RuleBook, tables: BenefitTables, path: str) -> Case:
    """Return a case in which the figure at a path can count, else the most usual one."""
    given: dict[str, Plain] = {}
    node: Plain = dict(book.document)
    for step in steps_of(path):
        if isinstance(node, dict) and isinstance(step, str):
            node = node.get(step)
        elif isinstance(node, list) and isinstance(step, int):
            node = node[step]
        # The book's own list of persons is no selector.
        if isinstance(node, dict) and "funds" not in node:
            given |= node
    levels = [int(each) for each in _texts(given, "levels") if each.isdecimal()]
    level = _TERTIARY if _TERTIARY in levels or not levels else max(levels)
    person = next((each for each in tables.persons if each in _texts(given, "persons")), None)
    person = person or tables.persons[0]
    tier = _first(TIERS, _texts(given, "tiers")) if person in tables.tiered else None
    subtype: Subtype | None = None
    if level in tables.subtype_levels:
        known = [
            each
            for each in SUBTYPES
            if UNKNOWN not in tables.cells[level, each, person, tier].bands.ratio
        ]
        wanted = _texts(given, "subtypes") or list(known)
        subtype = _first(SUBTYPES, wanted)
    return Case(
        person=person,
        level=level,
        subtype=subtype,
        tier=tier,
        category=_first(CATEGORIES, _texts(given, "categories")),
        filing=_first(FILINGS, _texts(given, "filings")),
        admission=2 if given.get("admission") == "later" else 1,
    )


def _texts(given: dict[str, Plain], field: str) -> list[str]:
    found = given.get(field)
    return [str(each) for each in found] if isinstance(found, list) else []


def _first(known: Sequence[T], wanted: Sequence[str]) -> T:
    return next((each for each in known if each in wanted), known[0])


_READ: dict[str, tuple[Reading, ...]] = {}


def readings_of(book: RuleBook) -> tuple[Reading, ...]:
    """Return a book's readings; each is compiled once."""
    if book.digest not in _READ:
        if len(_READ) == BOOKS_READ_MAX:
            _READ.clear()
        _READ[book.digest] = readings(book)
    return _READ[book.digest]


class Disputes:
    """The disputes of one book. `explain` says a refusal in the page's language."""

    def __init__(
        self, voice: Voice, origins: Origins, book: RuleBook, explain: Callable[[Refused], str]
    ) -> None:
        self._voice = voice
        self._origins = origins
        self._book = book
        self._explain = explain

    def all(self) -> Iterator[Dispute]:
        """Return a dispute per other reading; none where the book itself does not compile."""
        base, *others = readings_of(self._book)
        for number, other in enumerate(others, 1):
            if base.tables is not None:
                yield self._dispute(number, base, other, base.tables)

    def _dispute(
        self, number: int, base: Reading, other: Reading, tables: BenefitTables
    ) -> Dispute:
        voice, origins = self._voice, self._origins
        whole = other.path.startswith(ALTERNATIVES)
        case = case_for(self._book, tables, "rules" if whole else other.path)
        section = steps_of(other.path)[1]
        later = section in _COVERS and not any(term.layer == section for term in tables.funds)
        examples, differ = self._examples(base, other, case, later=later)
        value = None if whole else origins.values[other.path]
        return Dispute(
            anchor=f"dispute-{number}",
            link=anchor(other.path),
            title=voice.of(other.title) if whole else origins.names.of(other.path),
            here="" if value is None else said(voice, other.path, value.value),
            here_sources=() if value is None else origins.numbers(value.source_keys),
            there="" if value is None else said(voice, other.path, other.value),
            there_sources=origins.numbers(other.sources),
            remark=other.remark or "",
            case=self._case_said(case),
            later=later,
            examples=examples,
            verdict=self._verdict(other, differ),
            section=self._section(other) if whole else None,
        )

    def _case_said(self, case: Case) -> str:
        row: dict[str, Plain] = {
            "levels": [str(case.level)],
            "subtypes": [case.subtype] if case.subtype else [],
            "persons": [case.person],
            "tiers": [case.tier] if case.tier else [],
            "categories": [case.category] if case.category != CATEGORIES[0] else [],
            "filings": [case.filing] if case.filing != FILINGS[0] else [],
        }
        number = "first" if case.admission == 1 else "later"
        keys = {
            "first": "settlement.policy.admission.first",
            "later": "settlement.policy.admission.later",
        }
        parts = (chosen(self._voice, row), self._voice.t(keys[number]))
        return self._voice.t("settlement.policy.comma").join(parts)

    def _examples(
        self, base: Reading, other: Reading, case: Case, *, later: bool
    ) -> tuple[tuple[Example, ...], list[int]]:
        """Return the examples in words, and the differences in fen of those that have one."""
        voice = self._voice
        shown: list[Example] = []
        differ: list[int] = []
        if other.tables is None:
            return (), []
        for fen in EXAMPLES_FEN:
            here, there = (self._amount(one, case, fen, later=later) for one in (base, other))
            difference = ""
            if isinstance(here, int) and isinstance(there, int):
                difference = self._signed(there - here)
                differ.append(there - here)
            shown.append(
                Example(yuan(voice, fen), self._shown(here), self._shown(there), difference)
            )
        return tuple(shown), differ

    def _amount(self, reading: Reading, case: Case, fen: int, *, later: bool) -> int | str:
        """Return what the person bears, or what is paid later, in fen; or why nothing is."""
        bill, before = case.bill(fen)
        benefit = settled(reading, bill, before)
        if isinstance(benefit, Refused):
            return self._voice.t("settlement.policy.refused")
        if not later:
            return benefit.person_in_scope_fen
        amount = announced(reading, bill, before)
        return self._voice.t("settlement.policy.unknown") if amount is None else amount

    def _shown(self, amount: int | str) -> str:
        return self._voice.amount(amount) if isinstance(amount, int) else amount

    def _signed(self, fen: int) -> str:
        return f"+{self._voice.amount(fen)}" if fen > 0 else self._voice.amount(fen)

    def _verdict(self, other: Reading, differ: list[int]) -> str:
        voice = self._voice
        if other.refused is not None:
            return self._explain(other.refused)
        if not differ:
            return voice.t("settlement.policy.verdict.refused")
        if not any(differ):
            return voice.t("settlement.policy.verdict.none")
        most = max(map(abs, differ))
        return voice.t("settlement.policy.verdict.most", amount=voice.money(most))

    def _section(self, other: Reading) -> Section | None:
        if other.tables is None:
            return None
        at = int(steps_of(other.path)[-1])
        rules = self._book.document["rules"]
        assert isinstance(rules, dict), "the alternative was found there"
        entries = rules["alternatives"]
        assert isinstance(entries, list), "the same"
        entry = entries[at]
        assert isinstance(entry, dict), "the same"
        replaced = entry["rules"]
        assert isinstance(replaced, dict), "the same"
        named = set(replaced)

        def real(path: str) -> str:
            parts = steps_of(path)
            if len(parts) > 1 and parts[1] in named:
                return f"{other.path}.{path}"
            return path

        changed = alternative(self._book, at)
        sections = Sections(self._voice, self._origins, changed, other.tables, real)
        return sections.as_alternative(at, named)
