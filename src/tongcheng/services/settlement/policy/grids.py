"""The tables of a policy: what is borne first, and who pays which share, by hospital and person.

They are made from the compiled tables, so that a clerk reads what the engine reads: the figure
that results, beside the one that the book states where an adjustment changes it.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

from tongcheng.services.settlement.bill import NUMBER_MAX
from tongcheng.services.settlement.policy.model import Figure, Grid, GridGroup, GridRow
from tongcheng.services.settlement.policy.origins import Origins
from tongcheng.services.settlement.policy.words import (
    LEVEL_KEYS,
    PERSON_KEYS,
    SUBTYPE_KEYS,
    TIER_KEYS,
    listed,
    said,
    share,
    stretch,
    yuan,
)
from tongcheng.services.settlement.rules import LEVELS, SUBTYPES, TIERS, PersonType, Subtype, Tier
from tongcheng.services.settlement.tables import (
    NO_LIMIT,
    UNKNOWN,
    BandCell,
    BenefitTables,
    Cell,
    DeductibleCell,
)
from tongcheng.web.voice import Voice

NONE: Final = Figure("—")
What = TypeVar("What", bound=Hashable)
FIRST, LATER = 1, 2


class Place(NamedTuple):
    """A kind of hospital and, where it matters, a tier of contributions."""

    level: int
    subtype: Subtype | None
    tier: Tier | None


def together(found: Iterable[tuple[Place, What]]) -> list[tuple[What, list[Place]]]:
    """Return places of which the same is said as one, if one name can stand for exactly them.

    A name is hospitals and tiers: "primary hospitals, low tier" and "tertiary hospitals, high
    tier" stay apart whatever they share, or the name would speak of four cells and not of two.
    """
    tiers: dict[tuple[What, int, Subtype | None], list[Place]] = {}
    for place, what in found:
        tiers.setdefault((what, place.level, place.subtype), []).append(place)
    groups: dict[tuple[What, tuple[Tier | None, ...]], list[Place]] = {}
    for (what, _, _), places in tiers.items():
        named = tuple(place.tier for place in places)
        groups.setdefault((what, named), []).extend(places)
    return [(what, places) for (what, _), places in groups.items()]


class Grids:
    """Makes the tables of one book. `real` turns a compiled rule's path into the document's."""

    def __init__(
        self,
        voice: Voice,
        origins: Origins,
        tables: BenefitTables,
        real: Callable[[str], str] = str,
    ) -> None:
        self._voice = voice
        self._origins = origins
        self._tables = tables
        self._real = real

    # what there is

    def _places(self) -> list[Place]:
        tiers: tuple[Tier | None, ...] = TIERS if self._tables.tiered else (None,)
        return [
            Place(level, subtype, tier)
            for level in LEVELS
            for subtype in (SUBTYPES if level in self._tables.subtype_levels else (None,))
            for tier in tiers
        ]

    def _cell(self, place: Place, person: PersonType) -> Cell:
        return self._tables.cells[place.level, place.subtype, person, place.tier]

    def _known(self, has: Callable[[Cell], bool]) -> tuple[list[Place], list[Place]]:
        """Return the places that the book speaks about, and those it does not."""
        known: list[Place] = []
        silent: list[Place] = []
        for place in self._places():
            spoken = any(has(self._cell(place, person)) for person in self._tables.persons)
            (known if spoken else silent).append(place)
        return known, silent

    def _path(self, rule: int) -> str:
        return self._real(self._tables.rules[rule].path)

    def _in_book(self, rule: int) -> bool:
        return self._path(rule) in self._origins.values

    # who it is about, in words

    def label(self, places: Sequence[Place]) -> str:
        """Return places that share their figures: "primary and secondary hospitals"."""
        voice = self._voice
        tiers = list(dict.fromkeys(place.tier for place in places))
        named: dict[int, list[Subtype | None]] = {}
        for place in places:
            subtypes = named.setdefault(place.level, [])
            if place.subtype not in subtypes:
                subtypes.append(place.subtype)
        hospitals = listed(voice, [self._hospital(level, of) for level, of in named.items()])
        if None in tiers or len(tiers) == len(TIERS):
            return hospitals
        tier = listed(voice, [voice.t(TIER_KEYS[each]) for each in tiers if each is not None])
        return voice.t("settlement.policy.comma").join((hospitals, tier))

    def _listed(self, places: Sequence[Place]) -> str:
        """Return all of some places, each once, with their tiers where not all are among them."""
        groups = together((place, "") for place in places)
        return self._voice.t("settlement.policy.semicolon").join(
            self.label(group) for _, group in groups
        )

    def _hospital(self, level: int, subtypes: Sequence[Subtype | None]) -> str:
        name = self._voice.t(LEVEL_KEYS[str(level)])
        if None in subtypes or len(subtypes) == len(SUBTYPES):
            return name
        of = [self._voice.t(SUBTYPE_KEYS[each]) for each in subtypes if each is not None]
        return self._voice.t(
            "settlement.policy.of_subtype", hospital=name, subtype=listed(self._voice, of)
        )

    def _column(self, persons: Sequence[PersonType], title: str = "") -> str:
        if len(persons) == len(self._tables.persons):
            return title or self._voice.t("settlement.policy.everybody")
        who = listed(self._voice, [self._voice.t(PERSON_KEYS[each]) for each in persons])
        if not title:
            return who
        return self._voice.t("settlement.policy.of_person", title=title, person=who)

    def _alike(self, of: Callable[[PersonType], object]) -> list[list[PersonType]]:
        """Return persons in groups of those for whom everything is the same."""
        groups: list[tuple[object, list[PersonType]]] = []
        for person in self._tables.persons:
            what = of(person)
            for other, persons in groups:
                if other == what:
                    persons.append(person)
                    break
            else:
                groups.append((what, [person]))
        return [persons for _, persons in groups]

    # what is borne first

    def deductible(self) -> tuple[Grid | None, str]:
        """Return the table of deductibles, and for which hospitals the book says none."""
        known, silent = self._known(lambda cell: self._in_book(cell.deductible.first_rule))
        groups = self._alike(
            lambda person: [self._borne_first(self._cell(place, person)) for place in known]
        )
        columns = [(persons, number) for number in (FIRST, LATER) for persons in groups]
        titles = {
            FIRST: self._voice.t("settlement.policy.admission.first"),
            LATER: self._voice.t("settlement.policy.admission.later"),
        }
        rows = [
            (
                place,
                tuple(
                    self._borne_first(self._cell(place, persons[0]))[number - 1]
                    for persons, number in columns
                ),
            )
            for place in known
        ]
        grid = Grid(
            caption=self._voice.t("settlement.policy.grid.deductible"),
            columns=(
                self._voice.t("settlement.policy.column.hospital"),
                *(self._column(persons, titles[number]) for persons, number in columns),
            ),
            groups=(GridGroup("", tuple(GridRow(*each) for each in self._merged(rows))),),
        )
        return (grid if known else None), self._listed(silent)

    def _merged(
        self, rows: Iterable[tuple[Place, tuple[Figure, ...]]]
    ) -> list[tuple[str, tuple[Figure, ...]]]:
        """Return rows with the same figures as one, named by all their hospitals."""
        return [(self.label(places), figures) for figures, places in together(rows)]

    def _borne_first(self, cell: Cell) -> tuple[Figure, Figure]:
        return self._borne(cell.deductible, FIRST), self._borne(cell.deductible, LATER)

    def _borne(self, cell: DeductibleCell, number: int) -> Figure:
        voice = self._voice
        rule = cell.first_rule if number == FIRST else cell.later_rule
        paths = [self._path(each) for each in (rule, *cell.modifiers)]
        fen = cell.of_admission(number)
        if fen == UNKNOWN:
            return Figure(voice.t("settlement.policy.unknown"), self._origins.marks(*paths))
        text = yuan(voice, fen)
        if number == LATER and cell.step_fen:
            text = voice.t(
                "settlement.policy.each_less",
                amount=text,
                step=yuan(voice, cell.step_fen),
                floor=yuan(voice, cell.of_admission(NUMBER_MAX)),
            )
        stated = self._tables.rules[rule].value
        before = ""
        if cell.modifiers and stated is not None and not cell.step_fen:
            before = said(voice, paths[0], stated)
        return Figure(text, self._origins.marks(*paths), "" if before == text else before)

    # who pays which share

    def bands(self) -> tuple[Grid | None, str]:
        """Return the table of the fund's shares, and for which hospitals the book says none."""
        known, silent = self._known(lambda cell: self._in_book(cell.bands.rule[0]))
        alike = self._alike(
            lambda person: [
                (self._cell(place, person).bands.to_fen, self._shares(place, person))
                for place in known
            ]
        )
        found = [(place, rows) for place in known for rows in self._band_rows(place, alike)]
        groups = [GridGroup(self.label(places), rows) for rows, places in together(found)]
        if all(len(group.rows) == 1 for group in groups):
            # One share from zero without an end: the hospital names the row, not the range.
            rows = tuple(
                GridRow(group.title, group.rows[0].cells, group.rows[0].marks) for group in groups
            )
            groups = [GridGroup("", rows)]
        first = "settlement.policy.column.range"
        if len(groups) == 1 and not groups[0].title:
            first = "settlement.policy.column.hospital"
        grid = Grid(
            caption=self._voice.t("settlement.policy.grid.bands"),
            columns=(self._voice.t(first), *(self._column(persons) for persons in alike)),
            groups=tuple(groups),
        )
        return (grid if known else None), self._listed(silent)

    def _shares(self, place: Place, person: PersonType) -> tuple[Figure, ...]:
        cell = self._cell(place, person).bands
        return tuple(self._share(cell, at) for at in range(len(cell.ratio)))

    def _share(self, cell: BandCell, at: int) -> Figure:
        paths = [self._path(each) for each in (cell.rule[at], *cell.modifiers)]
        marks = self._origins.marks(*paths)
        if cell.ratio[at] == UNKNOWN:
            return Figure(self._voice.t("settlement.policy.unknown"), marks)
        text = share(self._voice, cell.ratio[at])
        stated = self._tables.rules[cell.rule[at]].value
        before = said(self._voice, paths[0], stated) if cell.modifiers else ""
        return Figure(text, marks, "" if before == text else before)

    def _band_rows(
        self, place: Place, alike: Sequence[Sequence[PersonType]]
    ) -> list[tuple[GridRow, ...]]:
        """Return the rows of a place: once for each way in which its persons' ranges are cut."""
        cuts = dict.fromkeys(self._cell(place, of[0]).bands.to_fen for of in alike)
        found = []
        for limits in cuts:
            rows = []
            for at, limit in enumerate(limits):
                cells = [self._cell(place, of[0]).bands for of in alike]
                figures = [
                    self._share(cell, at) if cell.to_fen == limits else NONE for cell in cells
                ]
                low = yuan(self._voice, limits[at - 1]) if at else None
                high = None if limit == NO_LIMIT else yuan(self._voice, limit)
                ends = [
                    self._path(cell.rule[at]).removesuffix(".ratio") + ".to"
                    for cell in cells
                    if cell.to_fen == limits
                ]
                head = stretch(self._voice, low, high)
                rows.append(GridRow(head, tuple(figures), self._origins.marks(*ends)))
            found.append(tuple(rows))
        return found
