"""Who and what is meant by the rows of a file, before any of them is booked.

Persons are found by the id number, as everywhere; a row whose claim is booked already is passed
over, so that a file that was broken off, or has grown, may simply come again.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from numpy.typing import NDArray

from tongcheng.kernel import sealing
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement.batch.arrays import NONE, OPENING, VOID, Events
from tongcheng.services.settlement.batch.codes import CODES
from tongcheng.services.settlement.batch.columns import CLAIM_COLUMNS
from tongcheng.services.settlement.batch.plan import Plan
from tongcheng.services.settlement.batch.reading import Batch
from tongcheng.services.settlement.booking.model import HOME, HOME_VOID, subject
from tongcheng.services.settlement.store import ENTRIES, INSTITUTIONS, PERSONS

IDS: Final = ("person_id", "reverses", "institution_id")
"""Columns that booking reads beside the events."""
ASKED_AT_ONCE: Final = 500
T = TypeVar("T")


class Passed(NamedTuple):
    """A row that is not booked: its place in the file, its claim, and why."""

    row: int
    claim_id: str
    code: str
    detail: str


class Prepared(NamedTuple):
    """Rows that can be booked, in order; all have one length.

    `reverses_id` is the claim that a void takes back, `is_apart` marks voids of a claim that an
    earlier commit booked: their `events.reverses` is NONE.
    """

    events: Events
    row: NDArray[np.int64]
    claim_id: list[str]
    reverses_id: list[str]
    person_key: list[str]
    institution_id: list[str]
    is_apart: NDArray[np.bool_]


class Preparing:
    """Prepares the batches of one file, and counts what it passes over."""

    def __init__(self, home: Home, plan: Plan) -> None:
        self._home = home
        self._plan = plan
        self._areas: dict[str, str | None] = {}
        self.already = 0

    def prepare(self, snapshot: Snapshot, batch: Batch) -> tuple[Prepared, list[Passed]]:
        """Return the rows that can be booked now, and those that can not be booked at all."""
        events = batch.events
        claim_ids = _texts(batch.claim_id)
        numbers = batch.ids["person_id"]
        reverses_ids = _texts(batch.ids["reverses"])
        institutions = _texts(batch.ids["institution_id"])
        keys = self._persons(snapshot, numbers)
        known = {row.institution_id for row in snapshot.select(INSTITUTIONS)}
        passed: list[Passed] = []
        keep = np.ones(len(claim_ids), np.bool_)
        booked = self._booked(snapshot, events, claim_ids, reverses_ids)
        kinds = events.kind.tolist()
        faults, columns = events.fault.tolist(), batch.column.tolist()
        places = events.place.tolist()
        for at, claim_id in enumerate(claim_ids):
            if (subject(claim_id), HOME) in booked and kinds[at] != VOID:
                self.already += 1
                keep[at] = False
                continue
            if (subject(reverses_ids[at]), HOME_VOID) in booked and kinds[at] == VOID:
                self.already += 1
                keep[at] = False
                continue
            code, detail = "", ""
            person = keys[at]
            if faults[at]:
                code = CODES[faults[at]]
                detail = CLAIM_COLUMNS[columns[at]].name if columns[at] >= 0 else ""
            elif kinds[at] == OPENING:
                code = "CLAIM_OPENING"
            elif person is None or not self._is_theirs(person[1], kinds[at], places[at]):
                code = "PERSON_NOT_INSURED_HERE"
            elif kinds[at] != VOID and institutions[at] not in known:
                code, detail = "INSTITUTION_UNKNOWN", institutions[at]
            if code:
                passed.append(Passed(int(batch.row[at]), claim_id, code, detail))
                keep[at] = False
        return self._kept(batch, keep, claim_ids, reverses_ids, institutions, keys), passed

    def _is_theirs(self, area_id: str, kind: int, place: int) -> bool:
        """Say whether a claim is of the area that insures the person now; a void names none."""
        return kind == VOID or (place >= 0 and self._plan.places[place].area_id == area_id)

    def _persons(self, snapshot: Snapshot, numbers: pa.Array) -> list[tuple[str, str] | None]:
        """Return each row's person_key and pooling area, None for who is not insured here."""
        coded = _text_array(numbers).dictionary_encode()
        indexes = [
            None if number is None else sealing.index(self._home.ring, number)
            for number in coded.dictionary.to_pylist()
        ]
        found: dict[str, tuple[str, str]] = {}
        for some in _some([index for index in indexes if index is not None]):
            asked = PERSONS.table.select().where(PERSONS.c.id_index.in_(some))
            for person in snapshot.fetch(PERSONS, asked):
                area = self._area(person.admdvs)
                if area is not None:
                    found[person.id_index] = (person.person_key, area)
        of_code = [None if index is None else found.get(index) for index in indexes]
        return [None if code is None else of_code[code] for code in coded.indices.to_pylist()]

    def _area(self, admdvs: str) -> str | None:
        """Return the pooling area of a division that this node's member insures, else None."""
        if admdvs not in self._areas:
            region = self._home.region
            is_ours = region.member_of(admdvs, "settlement").id == self._home.member_id
            self._areas[admdvs] = region.area_of(admdvs, "settlement").id if is_ours else None
        return self._areas[admdvs]

    def _booked(
        self, snapshot: Snapshot, events: Events, claim_ids: list[str], reverses_ids: list[str]
    ) -> set[tuple[str, str]]:
        """Return the subjects and origins of these rows' entries that are there already."""
        subjects = [
            subject(reverses if kind == VOID else claim_id)
            for kind, claim_id, reverses in zip(
                events.kind.tolist(), claim_ids, reverses_ids, strict=True
            )
        ]
        found: set[tuple[str, str]] = set()
        columns = (ENTRIES.c.subject_id, ENTRIES.c.origin)
        for some in _some(subjects):
            asked = sa.select(*columns).where(columns[0].in_(some))
            found.update((subject, origin) for subject, origin in snapshot.query(asked))
        return found

    def _kept(
        self,
        batch: Batch,
        keep: NDArray[np.bool_],
        claim_ids: list[str],
        reverses_ids: list[str],
        institutions: list[str],
        keys: list[tuple[str, str] | None],
    ) -> Prepared:
        rows = np.flatnonzero(keep)
        place = np.full(len(keep) + 1, NONE, np.int64)
        place[rows] = np.arange(len(rows))
        events = Events(
            *(
                getattr(batch.events, name)
                if name == "opening_fen"
                else getattr(batch.events, name)[rows]
                for name in Events._fields
            )
        )
        # A void of a row that is passed over: its claim is booked already, or never will be.
        reverses, is_apart = _apart(events, place[events.reverses])
        events = events._replace(reverses=reverses)
        return Prepared(
            events,
            batch.row[rows],
            list(_taken(claim_ids, rows)),
            list(_taken(reverses_ids, rows)),
            [key[0] for key in _taken(keys, rows) if key is not None],
            list(_taken(institutions, rows)),
            is_apart,
        )


def _apart(
    events: Events, reverses: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the voids' claims within their commit, and the voids whose claim is in an earlier one.

    A void apart begins a commit for its person, so that what the person had before it is in an
    earlier commit for the voids after it.
    """
    is_apart = np.zeros(len(reverses), np.bool_)
    begins: dict[int, int] = {}
    for row in np.flatnonzero(events.kind == VOID).tolist():
        person = int(events.person[row])
        if reverses[row] < begins.get(person, 0):
            is_apart[row] = True
            begins[person] = row
    return np.where(is_apart, NONE, reverses), is_apart


def _some(values: list[str]) -> Iterator[list[str]]:
    return (values[at : at + ASKED_AT_ONCE] for at in range(0, len(values), ASKED_AT_ONCE))


def _taken(values: list[T], rows: Iterable[int]) -> Iterator[T]:
    return (values[row] for row in rows)


def _text_array(ids: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(ids.type):
        ids = ids.dictionary_decode()
    return ids.cast(pa.string())


def _texts(ids: pa.Array) -> list[str]:
    """Return ids as text, nothing as an empty one."""
    return [value or "" for value in _text_array(ids).to_pylist()]
