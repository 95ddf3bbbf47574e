"""Everything that settling a file of claims needs to know of rule books, made once (pure).

Which book decides is found as the node finds it: by pooling area and scheme, then by the last day
of the settlement period; how a stay elsewhere counts as filed by the cross-region book of that day.
"""

import bisect
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

import msgspec

from tongcheng.kernel import versions
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.region import RegionPack
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement import overlay as cross_region
from tongcheng.services.settlement import rules
from tongcheng.services.settlement.batch.arrays import NONE
from tongcheng.services.settlement.batch.layout import (
    CELLS_A_VERSION,
    LEVEL_STRIDE,
    PERSON_STRIDE,
    SUBTYPE_STRIDE,
    Layout,
    Rules,
    Stack,
    overlay_row,
)
from tongcheng.services.settlement.books import overlay_of, tables_of
from tongcheng.services.settlement.overlay import Overlay
from tongcheng.services.settlement.rules import FILINGS, PERSON_TYPES, SUBTYPES, TIERS
from tongcheng.services.settlement.tables import BenefitTables, Cell

EPOCH: Final = date(1970, 1, 1).toordinal()
DAY_MIN: Final = date.min.toordinal() - EPOCH
DAY_MAX: Final = date.max.toordinal() - EPOCH
"""The days that there are, since 1970."""
PLACES_MAX: Final = 2**15 - 1
GROUPS_MAX: Final = 30
SAME_DIVISION: Final = 1
"""The bit of a pair whose two divisions are one; group g of `Plan.between` is bit 2 << g."""


class Place(NamedTuple):
    """A pooling area and a scheme, the book that decides there, and where its versions lie."""

    area_id: str
    scheme: str
    book_id: str
    begin: int
    end: int


class Version(msgspec.Struct, frozen=True):
    """A version of a benefit book, in force from day to day, both inclusive; days since 1970.

    `rules` is where its rules lie among the plan's.
    """

    tables: BenefitTables
    from_on: int
    to_on: int
    rules: Rules


class OverlayVersion(msgspec.Struct, frozen=True):
    """A version of the cross-region book; `cut_rules` are places in the plan's rules, by filing."""

    terms: Overlay
    status: str
    from_on: int
    to_on: int
    cut_rules: tuple[int, ...]


class PlanRule(NamedTuple):
    """A rule: its book, the digest of the version, and its path there."""

    book_id: str
    digest: str
    path: str


class Plan(msgspec.Struct, frozen=True):
    """Rule books laid out for a run; the numbers in events and results are places in these tuples.

    `areas` are the pooling areas whose accumulators are kept apart: two schemes of one area share
    a person's year. `between` are the agreements by which stays count as filed, each the prefixes
    of divisions. `cells` are those that the layout's cells were made from.
    """

    places: tuple[Place, ...]
    areas: tuple[str, ...]
    versions: tuple[Version, ...]
    overlays: tuple[OverlayVersion, ...]
    between: tuple[tuple[str, ...], ...]
    rules: tuple[PlanRule, ...]
    cells: tuple[Cell, ...]
    layout: Layout
    region: RegionPack | None

    def place_of(self, admdvs: str, scheme: str) -> int:
        """Return the place that decides for a division and scheme.

        Refuses REGION_UNKNOWN_AREA and AREA_WITHOUT_RULE_BOOK: nobody borrows a neighbour's book.
        """
        area = _area(self.region, admdvs)
        for at, place in enumerate(self.places):
            if (place.area_id, place.scheme) == (area, scheme):
                return at
        raise Refused("AREA_WITHOUT_RULE_BOOK", area=area, scheme=scheme)

    def pair_of(self, insured: str, visited: str | None) -> int:
        """Return how a hospital's division lies to the insuring one, NONE if it is not known."""
        if visited is None:
            return NONE
        pair = SAME_DIVISION if insured == visited else 0
        for group, prefixes in enumerate(self.between):
            if insured.startswith(prefixes) and visited.startswith(prefixes):
                pair |= 2 << group
        return pair

    def version_at(self, place: int, on: int) -> int:
        """Return the version of a place's book that is in force on a day, NONE if none is."""
        begin, end = self.places[place][3:]
        return _covering(self.versions, begin, end, on)

    def overlay_at(self, on: int) -> int:
        """Return the version of the cross-region book that is in force on a day, or NONE."""
        return _covering(self.overlays, 0, len(self.overlays), on)

    def cell_at(self, version: int, level: int, subtype: int, person: int, tier: int) -> int:
        """Return the cell of one kind of person in one kind of hospital, each by its place."""
        assert 0 <= person < len(PERSON_TYPES), person
        assert NONE <= subtype < len(SUBTYPES), subtype
        assert NONE <= tier < len(TIERS), tier
        at = version * CELLS_A_VERSION + level * LEVEL_STRIDE
        at += (subtype + 1) * SUBTYPE_STRIDE + person * PERSON_STRIDE + tier + 1
        return int(self.layout.cell_of[at])


def _covering(
    dated: tuple[Version, ...] | tuple[OverlayVersion, ...], begin: int, end: int, on: int
) -> int:
    found = bisect.bisect_right(dated, on, begin, end, key=lambda each: each.from_on) - 1
    return found if found >= begin and on <= dated[found].to_on else NONE


def plan_of(books: Iterable[RuleBook], region: RegionPack | None = None) -> Plan:
    """Compile benefit and cross-region books into a plan; other kinds are let be.

    Without a region each division that a book names is an area of its own. Refuses what compiling
    refuses (RULE_OVERFLOW among it), RULE_BOOK_OVERLAP, RULE_BOOKS_RIVAL, REGION_UNKNOWN_AREA for
    a book of no area, BATCH_TOO_MANY_BOOKS.
    """
    kept = list(books)
    adopted = {book.digest: book.effective_to for book in kept if book.status == "adopted"}
    dated = versions.in_force(
        [book for book in kept if book.kind in {rules.KIND, cross_region.KIND}], adopted
    )
    maker = _Maker(region)
    maker.benefits({name: each for name, each in dated.items() if each[0].kind == rules.KIND})
    maker.overlays({name: each for name, each in dated.items() if each[0].kind != rules.KIND})
    return maker.plan()


class _Maker:
    """Puts a plan together."""

    def __init__(self, region: RegionPack | None) -> None:
        self._region = region
        self._stack = Stack()
        self._places: list[Place] = []
        self._versions: list[Version] = []
        self._overlays: list[OverlayVersion] = []
        self._between: list[tuple[str, ...]] = []
        self._rules: list[PlanRule] = []

    def benefits(self, dated: dict[str, list[RuleBook]]) -> None:
        """Add the benefit books, versions of each oldest first."""
        deciding: dict[tuple[str, str], set[str]] = defaultdict(set)
        where: dict[str, tuple[int, int]] = {}
        for name, books in sorted(dated.items()):
            begin = len(self._versions)
            for book in books:
                deciding[_area(self._region, book.admdvs), book.scheme].add(name)
                self._version(book)
            where[name] = (begin, len(self._versions))
        for (area, scheme), names in sorted(deciding.items()):
            if len(names) > 1:
                raise Refused("RULE_BOOKS_RIVAL", books=", ".join(sorted(names)))
            name = min(names)
            self._places.append(Place(area, scheme, name, *where[name]))

    def _version(self, book: RuleBook) -> None:
        tables = tables_of(book)
        base = len(self._rules)
        own = [rule.path for rule in tables.rules]
        paths = [*own, *(f"filing.{filing}" for filing in FILINGS), "rules.large"]
        self._rules += [PlanRule(tables.book_id, tables.digest, path) for path in paths]
        placed = Rules(base, base + len(own), len(self._rules) - 1)
        days = _days(book)
        self._stack.add(tables, days, placed)
        self._versions.append(Version(tables, *days, placed))

    def overlays(self, dated: dict[str, list[RuleBook]]) -> None:
        """Add the cross-region book: there is one or none."""
        if len(dated) > 1:
            raise Refused("RULE_BOOKS_RIVAL", books=", ".join(sorted(dated)))
        for book in (each for books in dated.values() for each in books):
            terms = overlay_of(book)
            cuts = [terms.cut(filing) for filing in FILINGS]
            begin = len(self._rules)
            for cut in cuts:
                assert cut.ref is not None, "a book's cut names its rule"
                self._rules.append(PlanRule(terms.book_id, cut.ref.book, cut.ref.rule))
            rules_of = tuple(range(begin, len(self._rules)))
            self._overlays.append(OverlayVersion(terms, book.status, *_days(book), rules_of))
            for prefixes, _ in terms.deemed:
                if prefixes not in self._between:
                    self._between.append(prefixes)

    def plan(self) -> Plan:
        """Return the plan of what was added."""
        for what, count, most in (
            ("places", len(self._places), PLACES_MAX),
            ("versions", len(self._versions), PLACES_MAX),
            ("deemed", len(self._between), GROUPS_MAX),
        ):
            if count > most:
                raise Refused("BATCH_TOO_MANY_BOOKS", what=what, count=count, most=most)
        areas = sorted({place.area_id for place in self._places})
        layout = self._stack.layout(
            [(areas.index(place.area_id), place.begin, place.end) for place in self._places],
            [
                overlay_row(
                    each.terms, (each.from_on, each.to_on), self._deemed(each), each.cut_rules
                )
                for each in self._overlays
            ],
        )
        return Plan(
            places=tuple(self._places),
            areas=tuple(areas),
            versions=tuple(self._versions),
            overlays=tuple(self._overlays),
            between=tuple(self._between),
            rules=tuple(self._rules),
            cells=tuple(self._stack.cells),
            layout=layout,
            region=self._region,
        )

    def _deemed(self, version: OverlayVersion) -> int:
        """Return the bits of a pair of which any one counts as filed."""
        groups = {self._between.index(prefixes) for prefixes, _ in version.terms.deemed}
        return sum(2 << group for group in groups)


def _area(region: RegionPack | None, admdvs: str) -> str:
    return admdvs if region is None else region.area_of(admdvs, "settlement").id


def _days(book: RuleBook) -> tuple[int, int]:
    """Return a version's first and last day since 1970."""
    last = DAY_MAX if book.effective_to is None else book.effective_to.toordinal() - EPOCH
    return book.effective_from.toordinal() - EPOCH, last
