"""A hospital's own codes and the national ones they stand for (医药目录对照).

The table is the institution's. It is CSV in UTF-8, days inclusive, an empty `to` open::

    hospital_code,med_list_codg,from,to

A line is held against it before it is split: a code that is mapped to another national code is
refused, a line without a national code gets the mapped one, and a code that is not in the table is
refused where the institution has asked for that (`strict`). A refund is its original's.
"""

import csv
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import Final, NoReturn

import msgspec
import sqlalchemy as sa

from tongcheng.kernel import audit
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Reading, Records, Snapshot, Transaction
from tongcheng.services.settlement import catalogue
from tongcheng.services.settlement.store import INSTITUTIONS

COLUMNS: Final = ("hospital_code", "med_list_codg", "from", "to")
ROWS_MAX: Final = 50_000
"""Rows of one import; hospitals are known to have some thousands of codes."""
CODE_LENGTH: Final = 150
"""medins_list_codg of the national interface."""
NONE: Final = "none"
LENIENT: Final = "lenient"
STRICT: Final = "strict"
PAGE_MAX: Final = 500
_DAY_LENGTH: Final = len("2026-11-22")


class MappingRow(msgspec.Struct, frozen=True):
    """One code of one hospital for one span of days."""

    institution_id: str
    hospital_code: str
    valid_from: str
    valid_to: str | None
    item_code: str
    at: int


MAPPINGS = Records(
    "settlement_mappings", MappingRow, key=("institution_id", "hospital_code", "valid_from")
)


class Mapped(msgspec.Struct, frozen=True):
    """One row as it is given; days are checked, `to_on` None is open."""

    hospital_code: str
    item_code: str
    from_on: date
    to_on: date | None


# the table


def parse(lines: Iterable[bytes]) -> list[Mapped]:
    """Read a table; refuses MAPPING_FORM and FILE_ENCODING with the line of the fault."""
    decoded = (line for _, line in catalogue.decoded(lines, _refuse))
    reader = csv.reader(decoded, strict=True)
    found: list[Mapped] = []
    try:
        if tuple(next(reader, ())) != COLUMNS:
            _refuse(1, "the columns must be " + ",".join(COLUMNS))
        for row in reader:
            found.append(_mapped(row, reader.line_num))
            if len(found) > ROWS_MAX:
                _refuse(reader.line_num, f"more than {ROWS_MAX} rows")
    except csv.Error as fault:
        _refuse(reader.line_num, str(fault))
    return found


def _refuse(line: int, fault: str) -> NoReturn:
    raise Refused("MAPPING_FORM", line=line, fault=fault)


def _mapped(row: list[str], line: int) -> Mapped:
    if len(row) != len(COLUMNS):
        _refuse(line, f"{len(row)} columns, expected {len(COLUMNS)}")
    hospital_code, item_code, begins, ends = row
    if not hospital_code or not item_code:
        _refuse(line, "the codes may not be empty")
    if len(hospital_code) > CODE_LENGTH or len(item_code) > catalogue.CODE_LENGTH:
        _refuse(line, f"a code of more than {CODE_LENGTH} or {catalogue.CODE_LENGTH}")
    if not (hospital_code + item_code).isprintable():
        _refuse(line, "a control character")
    from_on, to_on = catalogue.day(begins), catalogue.day(ends)
    if from_on is None or (ends and to_on is None):
        _refuse(line, "a date that is no YYYY-MM-DD")
    if to_on is not None and to_on < from_on:
        _refuse(line, "to is before from")
    return Mapped(hospital_code, item_code, from_on, to_on)


def put(
    tx: Transaction, institution_id: str, rows: Iterable[Mapped], *, strict: bool | None = None
) -> int:
    """Add rows to an institution's table, all or none; return how many.

    A row of the same code and first day is replaced: so a mapping is ended. `strict` None leaves
    it as it was. Refuses INSTITUTION_UNKNOWN and MAPPING_OVERLAP.
    """
    place = tx.get(INSTITUTIONS, institution_id)
    if place is None:
        raise Refused("INSTITUTION_UNKNOWN", institution=institution_id)
    by_code: dict[str, list[MappingRow]] = {}
    for row in rows:
        stored = MappingRow(
            institution_id=institution_id,
            hospital_code=row.hospital_code,
            valid_from=row.from_on.isoformat(),
            valid_to=None if row.to_on is None else row.to_on.isoformat(),
            item_code=row.item_code,
            at=tx.now_at,
        )
        by_code.setdefault(row.hospital_code, []).append(stored)
    # Everything is compared before anything is put: a transaction looks its changes through.
    for code, given in sorted(by_code.items()):
        replaced = {row.valid_from for row in given}
        before = _of_code(tx, institution_id, code)
        _refuse_overlap([*given, *(row for row in before if row.valid_from not in replaced)])
    count = 0
    for given in by_code.values():
        for new in given:
            tx.put(MAPPINGS, new)
            count += 1
    kept = LENIENT if place.mapping == NONE else place.mapping
    mapping = kept if strict is None else STRICT if strict else LENIENT
    tx.put(INSTITUTIONS, msgspec.structs.replace(place, mapping=mapping))
    audit.note(tx, audit.Entry(institution_id, "mapping.put", f"{count} rows, {mapping}"))
    return count


def _refuse_overlap(rows: list[MappingRow]) -> None:
    rows.sort(key=lambda row: row.valid_from)
    for earlier, later in pairwise(rows):
        if earlier.valid_to is None or later.valid_from <= earlier.valid_to:
            raise Refused("MAPPING_OVERLAP", hospital_code=later.hospital_code, on=later.valid_from)


def _of_code(reading: Reading, institution_id: str, code: str) -> list[MappingRow]:
    return reading.select(MAPPINGS, institution_id=institution_id, hospital_code=code)


def page(
    snapshot: Snapshot, institution_id: str, after: str | None, limit: int
) -> tuple[list[MappingRow], str | None]:
    """Return a page of an institution's table by code and day, and where the next one begins."""
    assert 0 < limit <= PAGE_MAX, limit
    c = MAPPINGS.c
    statement = sa.select(MAPPINGS.table).where(c.institution_id == institution_id)
    if after is not None:
        last = sa.tuple_(sa.literal(after[_DAY_LENGTH:]), sa.literal(after[:_DAY_LENGTH]))
        statement = statement.where(sa.tuple_(c.hospital_code, c.valid_from) > last)
    statement = statement.order_by(c.hospital_code, c.valid_from).limit(limit + 1)
    rows = snapshot.fetch(MAPPINGS, statement)
    if len(rows) <= limit:
        return rows, None
    last_row = rows[limit - 1]
    return rows[:limit], last_row.valid_from + last_row.hospital_code


# a line


class Mapper:
    """Holds the lines of one institution against its table; each code is read once."""

    def __init__(self, reading: Reading, institution_id: str, zone: str) -> None:
        place = reading.get(INSTITUTIONS, institution_id)
        if place is None:
            raise Refused("INSTITUTION_UNKNOWN", institution=institution_id)
        self._place = place
        self._reading = reading
        self._zone = zone
        self._rows: dict[str, list[MappingRow]] = {}

    def mapped(self, hospital_code: str, charged_at: int) -> str | None:
        """Return the national code of a hospital's own on a day, None when it is not mapped."""
        if self._place.mapping == NONE:
            return None
        if hospital_code not in self._rows:
            rows = _of_code(self._reading, self._place.institution_id, hospital_code)
            self._rows[hospital_code] = rows
        day = local_date(charged_at, self._zone).isoformat()
        for row in self._rows[hospital_code]:
            if row.valid_from <= day and (row.valid_to is None or day <= row.valid_to):
                return row.item_code
        return None

    def check(
        self, line_id: str, hospital_code: str, item_code: str, charged_at: int
    ) -> tuple[str, Refused | None]:
        """Return the national code to use, empty without one, and what there is to say.

        MAPPING_DIFFERS and LINE_CODE_MISSING always refuse the line, MAPPING_MISSING only when
        the table is strict.
        """
        found = self.mapped(hospital_code, charged_at)
        if found is None and not item_code:
            return "", Refused("LINE_CODE_MISSING", line=line_id)
        if found is None:
            if self._place.mapping == NONE:
                return item_code, None
            said = Refused("MAPPING_MISSING", line=line_id, hospital_code=hospital_code)
            return item_code, said
        if item_code in {"", found}:
            return found, None
        said = Refused(
            "MAPPING_DIFFERS",
            line=line_id,
            hospital_code=hospital_code,
            mapped=found,
            given=item_code,
        )
        return item_code, said

    def is_error(self, said: Refused) -> bool:
        """Tell whether what `check` says refuses the line."""
        return self._place.mapping == STRICT or said.code != "MAPPING_MISSING"
