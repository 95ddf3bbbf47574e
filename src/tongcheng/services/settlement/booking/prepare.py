"""Who and what is meant by the rows of a file, before any of them is booked.

Persons are found by the id number, as everywhere; a row whose claim is booked already is passed
over, so that a file that was broken off, or has grown, may simply come again.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tongcheng.kernel import sealing
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement.batch.arrays import NONE, OPENING, SETTLE, VOID, Events
from tongcheng.services.settlement.batch.codes import CODES
from tongcheng.services.settlement.batch.columns import CLAIM_COLUMNS
from tongcheng.services.settlement.batch.plan import Plan
from tongcheng.services.settlement.batch.reading import Batch
from tongcheng.services.settlement.booking.booked import Booked, Entry, booked, facts_of, in_parts
from tongcheng.services.settlement.booking.model import HOME, HOME_VOID, subject
from tongcheng.services.settlement.store import INSTITUTIONS, PERSONS

IDS: Final = ("person_id", "reverses", "institution_id")
"""Columns that booking reads beside the events."""
T = TypeVar("T")


class Passed(NamedTuple):
    """A row that is not booked: its place in the file, its claim, and why."""

    row: int
    claim_id: str
    code: str
    detail: str


class Prepared(NamedTuple):
    """Rows that can be booked, person by person, each person's in order; all have one length.

    `reverses_id` is the claim that a void takes back, `is_apart` marks voids of a claim that an
    earlier commit booked: their `events.reverses` is NONE. `is_of_file` marks voids of a claim
    that the same file has before them, booked or not.
    """

    events: Events
    row: NDArray[np.int64]
    claim_id: list[str]
    reverses_id: list[str]
    person_key: list[str]
    institution_id: list[str]
    is_apart: NDArray[np.bool_]
    is_of_file: NDArray[np.bool_]


class _Rows(NamedTuple):
    """A batch's rows in plain Python: ids as text, person_key and pooling area where known."""

    claim_id: list[str]
    reverses_id: list[str]
    institution_id: list[str]
    person: list[tuple[str, str] | None]
    column: list[int]
    fault: list[int]
    kind: list[int]
    place: list[int]
    reverses: list[int]
    in_scope_fen: list[int]


class Preparing:
    """Prepares the batches of one file, and counts what it passes over."""

    def __init__(self, home: Home, plan: Plan) -> None:
        self._home = home
        self._plan = plan
        self._areas: dict[str, str | None] = {}
        self.already = 0

    def prepare(self, snapshot: Snapshot, batch: Batch) -> tuple[Prepared, list[Passed]]:
        """Return the rows that can be booked now, and those that can not be booked at all."""
        known = {row.institution_id for row in snapshot.select(INSTITUTIONS)}
        rows = self._rows(snapshot, batch)
        booked = self._booked(snapshot, rows)
        settled = {
            (keys[0], rows.claim_id[at])
            for at in np.flatnonzero(
                (batch.events.kind == SETTLE) & (batch.events.fault == 0)
            ).tolist()
            if (keys := rows.person[at]) is not None
        }
        passed: list[Passed] = []
        keep = np.ones(len(rows.claim_id), np.bool_)
        for at, claim_id in enumerate(rows.claim_id):
            code, detail = _fault(rows, at)
            was = None if code else self._before(batch.events, rows, at, booked)
            if was is not None:
                code, detail = was
                self.already += not code
                keep[at] = False
            elif not code:
                code, detail = self._stranger(rows, at, known, settled)
            if code:
                passed.append(Passed(int(batch.row[at]), claim_id, code, detail))
                keep[at] = False
        return self._kept(batch, keep, rows), passed

    def _rows(self, snapshot: Snapshot, batch: Batch) -> "_Rows":
        return _Rows(
            _texts(batch.claim_id),
            _texts(batch.ids["reverses"]),
            _texts(batch.ids["institution_id"]),
            self._persons(snapshot, batch.ids["person_id"]),
            batch.column.tolist(),
            *(
                getattr(batch.events, name).tolist()
                for name in ("fault", "kind", "place", "reverses", "in_scope_fen")
            ),
        )

    def _stranger(
        self, rows: "_Rows", at: int, known: set[str], settled: set[tuple[str, str]]
    ) -> tuple[str, str]:
        """Return why a sound row can not be booked here, and what that is about; "" where it can.

        `known` are the institutions, `settled` the claims of persons in the batch.
        """
        kind, person = rows.kind[at], rows.person[at]
        if kind == OPENING:
            return "CLAIM_OPENING", ""
        if person is None or not self._is_theirs(person[1], kind, rows.place[at]):
            return "PERSON_NOT_INSURED_HERE", ""
        if kind != VOID and rows.institution_id[at] not in known:
            return "INSTITUTION_UNKNOWN", rows.institution_id[at]
        # A void that comes before its claim takes nothing back, also when the file comes again.
        is_early = kind == VOID and rows.reverses[at] == NONE
        if is_early and (person[0], rows.reverses_id[at]) in settled:
            return "CLAIM_VOID_UNKNOWN", ""
        return "", ""

    def _before(
        self, events: Events, rows: "_Rows", at: int, booked: Booked
    ) -> tuple[str, str] | None:
        """Return None for a row that is not booked yet, ("", "") for one that is.

        Another claim under a booked id is CLAIM_ID_TWICE, with what differs, and another void of
        a claim that was taken back CLAIM_VOID_TWICE.
        """
        person, claim_id, is_void = rows.person[at], rows.claim_id[at], rows.kind[at] == VOID
        key = (rows.reverses_id[at], HOME_VOID) if is_void else (claim_id, HOME)
        there = booked.get((subject(key[0]), key[1]))
        if person is None:
            return None
        if is_void and (subject(claim_id), HOME) in booked:
            return "CLAIM_ID_TWICE", "event"
        if there is None:
            return None
        if is_void:
            if there.person_key != person[0]:
                return "CLAIM_VOID_UNKNOWN", ""
            return ("CLAIM_VOID_TWICE" if there.claim_id not in {"", claim_id} else ""), ""
        differs = self._difference(events, rows, at, there)
        return ("CLAIM_ID_TWICE" if differs else ""), differs

    def _difference(self, events: Events, rows: "_Rows", at: int, there: Entry) -> str:
        """Return the column in which a claim differs from the booked one of its id, "" for none."""
        person = rows.person[at]
        if person is None or there.person_key != person[0]:
            return "person_id"
        if there.in_scope_fen != rows.in_scope_fen[at]:
            return "in_scope_fen"
        if there.facts is None:  # the leaf's content may be erased after retention
            return ""
        now = facts_of(self._plan, events, at, rows.institution_id[at])
        return next((name for name, fact in now.items() if fact != there.facts[name]), "")

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
        for some in in_parts([index for index in indexes if index is not None]):
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

    def _booked(self, snapshot: Snapshot, rows: "_Rows") -> Booked:
        """Return what is booked under the ids of these rows."""
        voids = (at for at, kind in enumerate(rows.kind) if kind == VOID)
        taken_back = [rows.reverses_id[at] for at in voids]
        return booked(snapshot, self._home.ring, [*rows.claim_id, *taken_back])

    def _kept(self, batch: Batch, keep: NDArray[np.bool_], read: "_Rows") -> Prepared:
        rows = np.flatnonzero(keep)
        persons = [key[0] for key in _taken(read.person, rows) if key is not None]
        # In the order in which the store keeps persons: a commit then changes few of its pages.
        order = sorted(range(len(rows)), key=persons.__getitem__)
        rows = rows[order]
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
            list(_taken(read.claim_id, rows)),
            list(_taken(read.reverses_id, rows)),
            list(_taken(persons, order)),
            list(_taken(read.institution_id, rows)),
            is_apart,
            batch.events.reverses[rows] != NONE,
        )


def _fault(rows: _Rows, at: int) -> tuple[str, str]:
    """Return what is wrong with a row as it stands, and its column; "" for nothing."""
    fault, column = rows.fault[at], rows.column[at]
    if not fault:
        return "", ""
    return CODES[fault], CLAIM_COLUMNS[column].name if column >= 0 else ""


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


def _taken(values: list[T], rows: Iterable[int]) -> Iterator[T]:
    return (values[row] for row in rows)


def _text_array(ids: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(ids.type):
        ids = ids.dictionary_decode()
    return ids.cast(pa.string())


def _texts(ids: pa.Array) -> list[str]:
    """Return ids as text, nothing as an empty one."""
    return [value or "" for value in _text_array(ids).to_pylist()]
