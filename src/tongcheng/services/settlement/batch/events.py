"""Makes events of rows: every column decoded, every row that can not be judged marked (pure).

A column is looked at only in the rows that it is about: a void needs no amounts, only an opening
has what was used before. Of several faults of a row the first column's is told.
"""

from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.batch import decoding
from tongcheng.services.settlement.batch.arrays import (
    NONE,
    OPENING,
    SETTLE,
    UNKNOWN_FEN,
    VOID,
    Events,
)
from tongcheng.services.settlement.batch.asked import Asked
from tongcheng.services.settlement.batch.codes import CODE_OF
from tongcheng.services.settlement.batch.columns import CLAIM_COLUMNS, EVENTS, Column
from tongcheng.services.settlement.batch.decoding import BROKEN, Decoded, Distinct, Mask
from tongcheng.services.settlement.bill import Accumulators

AGE_UNKNOWN: Final = -1
AGE_MAX: Final = 150
DIVISION_DIGITS: Final = range(2, 13)
INT32_MAX: Final = 2**31 - 1
OPENING_COLUMNS: Final = Accumulators.__struct_fields__
_COLUMN: Final = {column.name: column for column in CLAIM_COLUMNS}
_PLACE: Final = {column.name: place for place, column in enumerate(CLAIM_COLUMNS)}
_EVERY: Final = (SETTLE, VOID, OPENING)
_ABOUT: Final = {
    **dict.fromkeys(("claim_id", "person_id", "event", "reverses", "sequence"), _EVERY),
    "ended_on": _EVERY,
    "admdvs": (SETTLE, OPENING),
    "scheme": (SETTLE, OPENING),
}
"""Column → the kinds of event in which it is looked at, where that is not SETTLE alone; those of
openings are not even decoded elsewhere."""

_OF_BOOKS: Final = frozenset({"REGION_UNKNOWN_AREA", "AREA_WITHOUT_RULE_BOOK", "RULE_BOOKS_RIVAL"})
"""Faults of a row that another plan may not find."""


class Places(Protocol):
    """What the reader asks a plan: the numbers of places and of pairs of divisions."""

    def place_of(self, admdvs: str, scheme: str) -> int:
        """Return the place of a division and scheme.

        Refuses REGION_UNKNOWN_AREA, AREA_WITHOUT_RULE_BOOK and RULE_BOOKS_RIVAL.
        """
        ...

    def pair_of(self, insured: str, visited: str | None) -> int:
        """Return the pair of an insuring and a visited division; None where that is not known."""
        ...


class Ordered(NamedTuple):
    """Rows as events in the order of the file, and what their order and their links follow from.

    `sequence` is None where the file has none, else the numbers and the rows that have none.
    `unreadable` are rows that no book could judge: what the books know is not looked at for it.
    `person` and `reverses` of the events are not filled yet.
    """

    events: Events
    column: NDArray[np.int8]
    unreadable: NDArray[np.bool_]
    age: NDArray[np.int16]
    claim: decoding.Ids
    person: decoding.Ids
    reverses: decoding.Ids | None
    sequence: tuple[NDArray[np.int64], Mask] | None


class Reader:
    """Makes events of rows, of any number of files; what the plan says of a pair is asked once."""

    def __init__(self, plan: Places) -> None:
        self._plan = plan
        self._places = Asked(self._place)
        self._pairs = Asked(self._pair)

    def read(self, batch: pa.RecordBatch, twice: NDArray[np.bool_] | None) -> Ordered:
        """Return the rows as events; `twice` are those whose claim_id an earlier row has."""
        return _Rows(batch, twice, self._places, self._pairs).ordered()

    def _place(self, admdvs: str | None, scheme: str | None) -> int:
        """Return the place of a division and scheme, NONE less the code of why it has none."""
        if admdvs is None or scheme is None or not _is_division(admdvs):
            return NONE
        try:
            return self._plan.place_of(admdvs, scheme)
        except Refused as refused:
            return NONE - CODE_OF[refused.code]

    def _pair(self, insured: str | None, visited: str | None) -> int:
        """Return the pair of two divisions, NONE where one is left out or is none."""
        if insured is None or not _is_division(insured):
            return NONE
        there = visited if visited is not None and _is_division(visited) else None
        return self._plan.pair_of(insured, there)


class _Rows:
    """One batch being read; faults are written as they are found, the first of a row stays."""

    def __init__(
        self,
        batch: pa.RecordBatch,
        twice: NDArray[np.bool_] | None,
        places: Asked,
        pairs: Asked,
    ) -> None:
        self._batch = batch
        self._names = frozenset(batch.schema.names)
        self._rows = batch.num_rows
        self._asked_places, self._asked_pairs = places, pairs
        self._twice = twice
        self.fault = np.zeros(self._rows, np.int16)
        self.column = np.full(self._rows, NONE, np.int8)
        self.unreadable = np.zeros(self._rows, np.bool_)
        self.kind = np.zeros(self._rows, np.int8)
        self._counts = [self._rows, 0, 0]

    def ordered(self) -> Ordered:
        """Read all columns, in the order of CLAIM_COLUMNS."""
        if BROKEN in self._names:
            broken = self._batch.column(BROKEN).to_numpy(zero_copy_only=False)
            self._mark(broken if broken.any() else None, "CLAIM_FIELDS", None)
        claim = self._ids("claim_id")
        # Before what else may be wrong with it: no void may find a row that only has its id.
        self._mark(self._twice, "CLAIM_ID_TWICE", "claim_id")
        person = self._ids("person_id")
        assert claim is not None
        assert person is not None
        self.kind = self._words("event")
        self._counts = np.bincount(self.kind, minlength=len(EVENTS)).tolist()
        reverses = self._reverses()
        sequence = self._sequence()
        place, divisions = self._places()
        pair = self._pairs(divisions)
        ended = self._days("ended_on", None)
        admitted = self._days("admitted_on", ended)
        begun = self._days("period_from_on", admitted)
        words = {name: self._words(name) for name in _WORDS}
        period = np.clip(self._whole("period_number"), NONE, INT32_MAX).astype(np.int32)
        in_scope, total = self._whole("in_scope_fen"), self._whole("total_fen")
        age = self._age()
        opening, opening_fen = self._openings()
        events = Events(
            person=np.zeros(0, np.int64),
            kind=self.kind,
            reverses=np.zeros(0, np.int64),
            place=place,
            pair=pair,
            admitted_on=admitted,
            period_from_on=begun,
            ended_on=ended,
            person_type=words["person_type"],
            tier=words["tier"],
            category=words["category"],
            hospital_level=words["hospital_level"],
            hospital_subtype=words["hospital_subtype"],
            filing=words["filing"],
            period_number=period,
            in_scope_fen=in_scope,
            total_fen=total,
            fault=self.fault,
            opening=opening,
            opening_fen=opening_fen,
        )
        return Ordered(events, self.column, self.unreadable, age, claim, person, reverses, sequence)

    def _mark(self, rows: Mask, code: str, name: str | None) -> None:
        """Give rows a fault, where they have none yet."""
        if rows is None:
            return
        if code not in _OF_BOOKS:
            self.unreadable |= rows
        new = rows & (self.fault == 0)
        self.fault[new] = CODE_OF[code]
        self.column[new] = NONE if name is None else _PLACE[name]

    def _about(self, rows: Mask, name: str) -> Mask:
        """Keep the rows in whose kind of event the column is looked at."""
        kinds = _ABOUT.get(name, (SETTLE,))
        if rows is None or all(kind in kinds or not n for kind, n in enumerate(self._counts)):
            return rows
        return rows & np.isin(self.kind, kinds)

    def _judge(self, name: str, decoded: Decoded | decoding.Ids) -> None:
        """Mark what is rubbish, and what is missing from a column that is needed."""
        self._mark(self._about(decoded.rubbish, name), "CLAIM_VALUE", name)
        if _COLUMN[name].required:
            self._mark(self._about(decoded.missing, name), "CLAIM_MISSING", name)

    def _get(self, name: str) -> pa.Array | None:
        return self._batch.column(name) if name in self._names else None

    def _ids(self, name: str) -> decoding.Ids | None:
        column = self._get(name)
        if column is None:
            return None
        found = decoding.ids(column)
        self._judge(name, found)
        return found

    def _words(self, name: str) -> NDArray[np.int8]:
        """Return words as places; the default's, or NONE, where nothing stands."""
        told = _COLUMN[name]
        instead = NONE if told.default is None else told.words.index(str(told.default))
        column = self._get(name)
        if column is None:
            return np.full(self._rows, instead, np.int8)
        decoded = decoding.words(column, told.words)
        self._judge(name, decoded)
        return _filled(decoded, instead)

    def _whole(self, name: str) -> NDArray[np.int64]:
        """Return whole numbers; the default, UNKNOWN_FEN or nothing where none stands."""
        instead = _instead(_COLUMN[name])
        column = self._get(name)
        if column is None:
            return np.full(self._rows, instead, np.int64)
        decoded = decoding.whole(column)
        self._judge(name, decoded)
        return _filled(decoded, instead)

    def _reverses(self) -> decoding.Ids | None:
        """Return what voids take back; another event that takes something back is rubbish."""
        found = self._ids("reverses")
        voids = self.kind == VOID
        gone = found.missing if found is not None else np.ones(self._rows, np.bool_)
        if self._counts[VOID]:
            self._mark(None if gone is None else voids & gone, "CLAIM_MISSING", "reverses")
        if found is not None:
            there = np.ones(self._rows, np.bool_) if gone is None else ~gone
            self._mark(there & ~voids, "CLAIM_VALUE", "reverses")
        return found

    def _sequence(self) -> tuple[NDArray[np.int64], Mask] | None:
        column = self._get("sequence")
        if column is None:
            return None
        decoded = decoding.whole(column)
        self._judge("sequence", decoded)
        return decoded.values, _either(decoded.missing, decoded.rubbish)

    def _places(self) -> tuple[NDArray[np.int16], Distinct]:
        """Return the places of divisions and schemes, and the divisions."""
        divisions = self._divisions("admdvs")
        schemes = decoding.distinct(self._batch.column("scheme"))
        self._mark(self._about(_missing(schemes), "scheme"), "CLAIM_MISSING", "scheme")
        place = self._asked_places.of_rows(divisions, schemes)
        if place.min(initial=0) < NONE:
            for answer in np.unique(place[place < NONE]).tolist():
                code = _CODES[NONE - answer]
                name = "admdvs" if code == "REGION_UNKNOWN_AREA" else "scheme"
                self._mark(self._about(place == answer, "admdvs"), code, name)
            place = np.maximum(place, NONE)
        return place.astype(np.int16), divisions

    def _divisions(self, name: str) -> Distinct:
        found = decoding.distinct(self._batch.column(name))
        bad = np.array([each is not None and not _is_division(each) for each in found.values])
        if bad.any():
            self._mark(self._about(bad[found.places], name), "CLAIM_VALUE", name)
        if _COLUMN[name].required:
            self._mark(self._about(_missing(found), name), "CLAIM_MISSING", name)
        return found

    def _pairs(self, insured: Distinct) -> NDArray[np.int32]:
        if "visited_admdvs" in self._names:
            visited = self._divisions("visited_admdvs")
        else:
            visited = Distinct(np.zeros(self._rows, np.int32), [None])
        return self._asked_pairs.of_rows(insured, visited)

    def _days(self, name: str, instead: NDArray[np.int32] | None) -> NDArray[np.int32]:
        """Return days; those of another column where a day is left out."""
        column = self._get(name)
        if column is None:
            assert instead is not None, "a required column is in every file"
            return instead
        decoded = decoding.days(column)
        self._judge(name, decoded)
        if decoded.missing is None or instead is None:
            return decoded.values
        days: NDArray[np.int32] = np.where(decoded.missing, instead, decoded.values)
        return days

    def _age(self) -> NDArray[np.int16]:
        column = self._get("age")
        if column is None:
            return np.full(self._rows, AGE_UNKNOWN, np.int16)
        decoded = decoding.whole(column)
        outside = (decoded.values < 0) | (decoded.values > AGE_MAX)
        if decoded.missing is not None:
            outside &= ~decoded.missing
        rubbish = _either(decoded.rubbish, outside if outside.any() else None)
        self._judge("age", decoded._replace(rubbish=rubbish))
        ages: NDArray[np.int16] = np.clip(
            _filled(decoded, AGE_UNKNOWN), AGE_UNKNOWN, AGE_MAX
        ).astype(np.int16)
        return ages

    def _openings(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return for each row its row in the table of openings, and that table."""
        opening = np.full(self._rows, NONE, np.int64)
        rows = np.flatnonzero(self.kind == OPENING)
        opening[rows] = np.arange(len(rows))
        used = np.zeros((len(rows), len(OPENING_COLUMNS)), np.int64)
        for at, name in enumerate(OPENING_COLUMNS):
            column = self._get(name)
            if column is not None and len(rows):
                decoded = decoding.whole(column.take(pa.array(rows)))
                used[:, at] = _filled(decoded, _instead(_COLUMN[name]))
                if decoded.rubbish is not None:
                    rubbish = np.zeros(self._rows, np.bool_)
                    rubbish[rows[decoded.rubbish]] = True
                    self._mark(rubbish, "CLAIM_VALUE", name)
        return opening, used


_WORDS: Final = (
    "person_type",
    "tier",
    "category",
    "hospital_level",
    "hospital_subtype",
    "filing",
)
_CODES: Final = {place: code for code, place in CODE_OF.items()}


def _is_division(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) in DIVISION_DIGITS


def _instead(column: Column) -> int:
    """Return what stands for a number that is left out."""
    if isinstance(column.default, int):
        return column.default
    return UNKNOWN_FEN if column.kind == "fen" else 0


def _filled(decoded: Decoded, instead: int) -> NDArray[Any]:
    values = decoded.values
    for rows in (decoded.missing, decoded.rubbish):
        if rows is not None:
            values = np.where(rows, values.dtype.type(instead), values)
    return values


def _missing(found: Distinct) -> Mask:
    """Return the rows in which nothing stands."""
    gone = np.array([value is None for value in found.values])
    rows = gone[found.places]
    return rows if rows.any() else None


def _either(one: Mask, other: Mask) -> Mask:
    if one is None or other is None:
        return other if one is None else one
    return one | other
