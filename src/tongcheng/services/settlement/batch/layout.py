"""Compiled rule books as arrays of int64: what the kernel reads instead of tables.

Several books and several versions lie in one layout, so that one pass settles a file across them.
Rules are places in the plan's `rules`, whichever book they stand in. A figure that its book leaves
unknown is `UNKNOWN`, as in the tables. The bounds of `tables` hold: no step can overflow.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.arrays import NONE
from tongcheng.services.settlement.overlay import Overlay
from tongcheng.services.settlement.rules import (
    AT_HOME,
    CATEGORIES,
    FILINGS,
    LEVELS,
    PERSON_TYPES,
    SUBTYPES,
    TIERS,
)
from tongcheng.services.settlement.tables import (
    COVER_LAYERS,
    NO_LIMIT,
    UNIT,
    UNKNOWN,
    BandCell,
    BenefitTables,
    Cell,
    CoverTable,
    OwnFiling,
)

Ints = NDArray[np.int64]

LEVEL_STRIDE: Final = (len(SUBTYPES) + 1) * len(PERSON_TYPES) * (len(TIERS) + 1)
SUBTYPE_STRIDE: Final = len(PERSON_TYPES) * (len(TIERS) + 1)
PERSON_STRIDE: Final = len(TIERS) + 1
CELLS_A_VERSION: Final = len(LEVELS) * LEVEL_STRIDE
"""A version's cells lie by level, subtype, person type and tier; what is not known comes first."""
NOT_SET: Final = -2
"""A place's own term for a filing that it does not have."""

YEAR_OF: Final = ("discharge", "admission", "split")
FURTHER: Final = ("none", "as_later_admission")

(
    FROM_ON,
    TO_ON,
    YEAR_OF_WORD,
    YEAR_OF_RULE,
    PERSONS,
    SUBTYPE_LEVELS,
    TIERED,
    FURTHER_WORD,
    FURTHER_RULE,
    ANNUAL,
    BASIS_RULE,
    POOL_CAP,
    POOL_CAP_RULE,
    HAS_LARGE,
    LARGE_RULE,
    FILING_RULE,
) = range(16)
"""Columns of `versions`, before those of the covers. PERSONS, SUBTYPE_LEVELS and TIERED are sets of
bits; a rule FILING_RULE + f says that nobody knows what the filing f takes off."""
IN_BILL: Final = 16
"""From here on, for each layer of COVER_LAYERS: 1 where it pays at discharge."""
COVER: Final = IN_BILL + len(COVER_LAYERS)
"""From here on, for each layer and each category: the place in `covers`, or NONE."""
VERSION_COLUMNS: Final = COVER + len(COVER_LAYERS) * len(CATEGORIES)

(
    FIRST,
    LATER,
    STEP,
    FLOOR,
    MINUS,
    MINUS_FLOOR,
    FIRST_RULE,
    LATER_RULE,
    BANDS_BEGIN,
    BANDS_END,
    LARGE,
    LARGE_RATIO,
    LARGE_CAP,
    LARGE_RATIO_RULE,
    LARGE_CAP_RULE,
    OWN,
) = range(16)
"""Columns of `cells`; from OWN on, for each filing: the place in `own`, or NONE."""
CELL_COLUMNS: Final = OWN + len(FILINGS)

OWN_DEDUCTIBLE, OWN_DEDUCTIBLE_RULE, OWN_RATIO, OWN_RATIO_RULE, OWN_CUT, OWN_CUT_RULE = range(6)
"""Columns of `own`: a place's own terms for a filing, NOT_SET where the general ones stand."""
TO, RATIO, RULE = range(3)
"""Columns of `bands` (ratio over UNIT) and of `steps` (basis points)."""
DEDUCTIBLE, DEDUCTIBLE_RULE, CAP, CAP_RULE, STEPS_BEGIN, STEPS_END = range(6)
"""Columns of `covers`."""
AREA, VERSIONS_BEGIN, VERSIONS_END = range(3)
"""Columns of `places`; the versions of a place lie together, oldest first."""
DEEMED: Final = 2
"""Column of `overlays` after FROM_ON and TO_ON: the bits of `Plan.pair_of` that count as filed."""
CUT: Final = 3
"""From here on in `overlays`, for each filing: basis points and rule."""
OVERLAY_COLUMNS: Final = CUT + 2 * len(FILINGS)


class Layout(NamedTuple):
    """What the kernel reads; each array has a row for each thing, and columns as above.

    `cell_of` has CELLS_A_VERSION places in `cells` for each version, NONE for a person type that
    the book does not know.
    """

    places: Ints
    versions: Ints
    cell_of: NDArray[np.int32]
    cells: Ints
    own: Ints
    bands: Ints
    covers: Ints
    steps: Ints
    overlays: Ints


class Rules(NamedTuple):
    """Where the rules of one version lie among the plan's: its own first, then these."""

    base: int
    filing: int
    large: int


class Stack:
    """Lays out one version after another; `cells` are what their places mean."""

    def __init__(self) -> None:
        self.cells: list[Cell] = []
        self._versions: list[list[int]] = []
        self._cell_of: list[int] = []
        self._cells: list[list[int]] = []
        self._own: list[list[int]] = []
        self._bands: list[list[int]] = []
        self._covers: list[list[int]] = []
        self._steps: list[list[int]] = []

    def add(self, tables: BenefitTables, days: tuple[int, int], rules: Rules) -> None:
        """Lay out a version that is in force on some days, both inclusive."""
        rule_of = {rule.path: rules.base + at for at, rule in enumerate(tables.rules)}
        row = [
            *days,
            NONE if tables.year_of is None else YEAR_OF.index(tables.year_of),
            rule_of["rules.period.year_of"],
            sum(1 << PERSON_TYPES.index(person) for person in tables.persons),
            sum(1 << level for level in tables.subtype_levels),
            sum(1 << PERSON_TYPES.index(person) for person in tables.tiered),
            NONE if tables.further_periods is None else FURTHER.index(tables.further_periods),
            rule_of["rules.period.further_periods"],
            NONE if tables.annual_deductible is None else int(tables.annual_deductible),
            rule_of["rules.deductible.basis"],
            _amount(tables.pool_cap_fen),
            rules.base + tables.pool_cap_rule,
            int(tables.has_large),
            rules.large,
            rules.filing,
            *(int(tables.term(layer) is not None) for layer in COVER_LAYERS),
        ]
        for layer in COVER_LAYERS:
            for category in CATEGORIES:
                table = tables.covers.get((layer, category))
                row.append(NONE if table is None else self._cover(table, rules.base))
        assert len(row) == VERSION_COLUMNS, len(row)
        self._versions.append(row)
        self._cells_of(tables, rules.base)

    def _cells_of(self, tables: BenefitTables, base: int) -> None:
        known: list[tuple[Cell, int]] = []
        for level in LEVELS:
            for subtype in (None, *SUBTYPES):
                for person in PERSON_TYPES:
                    for tier in (None, *TIERS):
                        cell = tables.cells.get((level, subtype, person, tier))
                        place = next((at for each, at in known if each == cell), NONE)
                        if cell is not None and place == NONE:
                            place = len(self._cells)
                            known.append((cell, place))
                            self.cells.append(cell)
                            self._cells.append(self._cell(cell, base))
                        self._cell_of.append(place)

    def _cell(self, cell: Cell, base: int) -> list[int]:
        terms, large = cell.deductible, cell.large
        row = [
            *(
                _amount(fen)
                for fen in (
                    terms.first_fen,
                    terms.later_fen,
                    terms.step_fen,
                    terms.floor_fen,
                    terms.minus_fen,
                    terms.minus_floor_fen,
                )
            ),
            base + terms.first_rule,
            base + terms.later_rule,
            *self._bands_of(cell.bands, base),
        ]
        if large is None:
            row += [0, 0, 0, NONE, NONE]
        else:
            row += [
                1,
                large.ratio,
                _amount(large.cap_fen),
                base + large.ratio_rule,
                base + large.cap_rule,
            ]
        for filing in FILINGS:
            own = None if filing in AT_HOME else cell.filing.get(filing)
            row.append(NONE if own is None else self._own_terms(own, base))
        assert len(row) == CELL_COLUMNS, len(row)
        return row

    def _own_terms(self, own: OwnFiling, base: int) -> int:
        row: list[int] = []
        for value, rule in (
            (own.deductible_fen, own.deductible_rule),
            (own.ratio, own.ratio_rule),
            (own.cut, own.cut_rule),
        ):
            row += [NOT_SET, NONE] if value is None else [value, base + rule]
        self._own.append(row)
        return len(self._own) - 1

    def _bands_of(self, bands: BandCell, base: int) -> tuple[int, int]:
        begin = len(self._bands)
        for limit, ratio, rule in zip(bands.to_fen, bands.ratio, bands.rule, strict=True):
            assert UNKNOWN <= ratio <= UNIT, ratio
            self._bands.append([_amount(limit), ratio, base + rule])
        return begin, len(self._bands)

    def _cover(self, table: CoverTable, base: int) -> int:
        begin = len(self._steps)
        for limit, ratio, rule in zip(table.to_fen, table.ratio, table.rule, strict=True):
            self._steps.append([_amount(limit), ratio, base + rule])
        self._covers.append(
            [
                _amount(table.deductible_fen),
                base + table.deductible_rule,
                _amount(table.cap_fen),
                base + table.cap_rule,
                begin,
                len(self._steps),
            ]
        )
        return len(self._covers) - 1

    def layout(
        self, places: Sequence[tuple[int, int, int]], overlays: Sequence[Sequence[int]]
    ) -> Layout:
        """Return everything that was laid out, with places and cross-region versions."""
        return Layout(
            places=_array(places, 3),
            versions=_array(self._versions, VERSION_COLUMNS),
            cell_of=np.array(self._cell_of, np.int32),
            cells=_array(self._cells, CELL_COLUMNS),
            own=_array(self._own, 6),
            bands=_array(self._bands, 3),
            covers=_array(self._covers, 6),
            steps=_array(self._steps, 3),
            overlays=_array(overlays, OVERLAY_COLUMNS),
        )


def overlay_row(
    terms: Overlay, days: tuple[int, int], deemed: int, cut_rules: Sequence[int]
) -> list[int]:
    """Return a cross-region version as a row of `overlays`."""
    row = [*days, deemed]
    for filing, rule in zip(FILINGS, cut_rules, strict=True):
        row += [terms.cut(filing).points, rule]
    return row


def _amount(fen: int) -> int:
    assert UNKNOWN <= fen <= NO_LIMIT, fen
    return fen


def _array(rows: Sequence[Sequence[int]], columns: int) -> Ints:
    return np.array(rows, np.int64).reshape(len(rows), columns)
