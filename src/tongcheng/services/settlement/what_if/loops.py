"""The loops over all rows, compiled where numba is installed and the same in plain Python.

It adds into tables of int64 and keeps nothing else, so the tables of two batches add up to those
of both together, as long as the rows of a person are all in one of them.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.batch import columns
from tongcheng.services.settlement.what_if import measures
from tongcheng.services.settlement.what_if.measures import (
    AMOUNTS_AT,
    ANNOUNCED_AT,
    BAND_FROM_FEN,
    COMPARED_AT,
    COUNTS,
    FUNDS_AT,
    HALF,
    PERSON_AT,
)

Function = TypeVar("Function", bound=Callable[..., Any])

try:
    from tongcheng.kernel.jit import compiled, fingerprint, kept
except ModuleNotFoundError:  # numba is not installed: the same loops run, slowly

    def compiled(function: Function) -> Function:
        """Return the function as it is."""
        return function

    kept = compiled

    def fingerprint(*modules: str) -> int:
        """Return a number: nothing is kept that it could tell apart."""
        return len(modules)


NOT_KNOWN: Final = -(2**63)
"""`arrays.UNKNOWN_FEN`; written out because a kept compilation does not see it change."""
_SETTLEMENTS, _CHANGED, _DIRECT, _PERSONS, _GAINING, _GAINED, _LOSING, _LOST = range(len(COUNTS))
_COMPARED: Final = np.array(COMPARED_AT)
_AMOUNTS: Final = np.array(AMOUNTS_AT)
_FUNDS: Final = np.array(FUNDS_AT)
_ANNOUNCED: Final = np.array(ANNOUNCED_AT)
_BANDS: Final = np.array(BAND_FROM_FEN)
_OLD: Final = len(COUNTS)
_NEW: Final = _OLD + len(AMOUNTS_AT)
_OLD_ANNOUNCED: Final = _NEW + len(AMOUNTS_AT)
_NEW_ANNOUNCED: Final = _OLD_ANNOUNCED + len(ANNOUNCED_AT)
_OLD_UNKNOWN: Final = _NEW_ANNOUNCED + len(ANNOUNCED_AT)
_NEW_UNKNOWN: Final = _OLD_UNKNOWN + 1
SIDES: Final = (
    *((_OLD + column, _NEW + column) for column in range(len(AMOUNTS_AT))),
    *((_OLD_ANNOUNCED + column, _NEW_ANNOUNCED + column) for column in range(len(ANNOUNCED_AT))),
    (_OLD_UNKNOWN, _NEW_UNKNOWN),
)
"""Columns of MEASURES under the old and under the new rules."""


@compiled
def _mark_persons(
    person: NDArray[np.int64],
    place: NDArray[np.int16],
    marked: NDArray[np.bool_],
    rows: NDArray[np.bool_],
) -> None:
    """Mark all rows of persons of whom one row is at a marked place; the last place is for none."""
    row = 0
    while row < person.size:
        first, found = row, False
        while row < person.size and person[row] == person[first]:
            found |= marked[place[row]]
            row += 1
        for own in range(first, row):
            rows[own] = found


@compiled
def _changed(row: int, amounts: Any) -> bool:
    """Tell whether the new rules change a settlement."""
    old, new = amounts
    changed = False
    for column in range(_COMPARED.size):
        at = _COMPARED[column]
        changed |= old[row, at] != new[row, at]
    return changed


@compiled
def _add_old(row: int, old: Any, sums: Any, cell: int) -> None:
    """Add one settlement under the old rules to a cell; persons are counted elsewhere."""
    sums[cell, _SETTLEMENTS] += 1
    for column in range(_AMOUNTS.size):
        sums[cell, _OLD + column] += old[row, _AMOUNTS[column]]
    for column in range(_ANNOUNCED.size):
        fen = old[row, _ANNOUNCED[column]]
        if fen == NOT_KNOWN:
            sums[cell, _OLD_UNKNOWN] += 1
        else:
            sums[cell, _OLD_ANNOUNCED + column] += fen


@compiled
def _add_change(row: int, amounts: Any, direct: Any, sums: Any, cell: int) -> None:
    """Add to a cell, in the columns of the new rules, by how much a settlement differs."""
    old, new = amounts
    sums[cell, _CHANGED] += 1
    sums[cell, _DIRECT] += direct[row]
    for column in range(_AMOUNTS.size):
        at = _AMOUNTS[column]
        sums[cell, _NEW + column] += new[row, at] - old[row, at]
    for column in range(_ANNOUNCED.size):
        was, now = old[row, _ANNOUNCED[column]], new[row, _ANNOUNCED[column]]
        sums[cell, _NEW_UNKNOWN] += (now == NOT_KNOWN) - (was == NOT_KNOWN)
        if was != NOT_KNOWN:
            sums[cell, _NEW_ANNOUNCED + column] -= was
        if now != NOT_KNOWN:
            sums[cell, _NEW_ANNOUNCED + column] += now


@compiled
def _count(groups: Any, group: int, fen: int) -> None:
    """Count a person in a group, by the sign of what they would bear more there."""
    groups[group, _PERSONS] += 1
    if fen < 0:
        groups[group, _GAINING] += 1
        groups[group, _GAINED] -= fen
    elif fen > 0:
        groups[group, _LOSING] += 1
        groups[group, _LOST] += fen


@compiled
def _count_person(
    span: tuple[int, int], flags: Any, codes: Any, amounts: Any, groups: Any, pending: Any
) -> None:
    """Count the person of some rows once in each of their groups.

    `pending` has a row for each group: whether the person is in it, and the sum of differences
    there. It is left empty.
    """
    standing, _, concerned = flags
    old, new = amounts
    for row in range(span[0], span[1]):
        if standing[row]:
            difference = new[row, PERSON_AT] - old[row, PERSON_AT] if concerned[row] else 0
            for dimension in range(codes.shape[0]):
                group = codes[dimension, row]
                pending[group, 0] = 1
                pending[group, 1] += difference
    for row in range(span[0], span[1]):
        if standing[row]:
            for dimension in range(codes.shape[0]):
                group = codes[dimension, row]
                if pending[group, 0]:
                    _count(groups, group, pending[group, 1])
                    pending[group, 0] = 0
                    pending[group, 1] = 0


@compiled
def _band(difference: int) -> int:
    steps = 0
    while steps < _BANDS.size and abs(difference) >= _BANDS[steps]:
        steps += 1
    return _BANDS.size - steps if difference < 0 else _BANDS.size + steps


@compiled
def _add_person(row: int, amounts: Any, concerned: Any, persons: Any, number: int) -> None:
    """Add a settlement to its person (PERSON_COLUMNS)."""
    old, new = amounts
    bore = old[row, PERSON_AT]
    persons[number, 0] += bore
    if concerned[row]:
        persons[number, 1] += new[row, PERSON_AT] - bore
    for column in range(_FUNDS.size):
        persons[number, 2] += old[row, _FUNDS[column]]
    persons[number, 3] += 1


@compiled
def _add_rows(
    person: NDArray[np.int64],
    flags: tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]],
    codes: NDArray[np.int16],
    amounts: tuple[NDArray[np.int64], NDArray[np.int64]],
    cells: tuple[NDArray[np.int64], NDArray[np.int64]],
    tables: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    pending: NDArray[np.int64],
) -> int:
    """Add rows to the tables, write each person to the last of them; return how many persons.

    `flags` are standing, direct and concerned, `amounts` old and new with the columns of
    RESULT_AMOUNTS, where the new ones of rows that are not concerned are the old ones; `codes`
    says the row of the table of groups for each dimension and row. What a row adds goes
    into two cells, of the first HALF dimensions together and of the others, instead of one group
    for each dimension: `cells` are the steps between cells by dimension, and where both tables
    begin. Columns of the new rules get by how much they differ from the old ones, which most rows
    do not. Of the groups only the persons are counted here. The last two tables are bands (persons,
    fen) and persons (PERSON_COLUMNS). `pending` holds two zeros for each group: nothing is
    allocated here.
    """
    standing, direct, concerned = flags
    steps, begins = cells
    sums, groups, bands, persons = tables
    count = 0
    row = 0
    while row < person.size:
        first = row
        for column in range(persons.shape[1]):
            persons[count, column] = 0
        while row < person.size and person[row] == person[first]:
            if standing[row]:
                _add_person(row, amounts, concerned, persons, count)
                one, other = begins[0], begins[1]
                for dimension in range(HALF):
                    one += codes[dimension, row] * steps[dimension]
                for dimension in range(HALF, codes.shape[0]):
                    other += codes[dimension, row] * steps[dimension]
                _add_old(row, amounts[0], sums, one)
                _add_old(row, amounts[0], sums, other)
                if concerned[row] and _changed(row, amounts):
                    _add_change(row, amounts, direct, sums, one)
                    _add_change(row, amounts, direct, sums, other)
            row += 1
        if persons[count, 3] > 0:
            _count_person((first, row), flags, codes, amounts, groups, pending)
            band = _band(persons[count, 1])
            bands[band, 0] += 1
            bands[band, 1] += persons[count, 1]
            count += 1
    return count


@compiled
def _add_persons(
    persons: NDArray[np.int64], cuts: NDArray[np.int64], deciles: NDArray[np.int64]
) -> None:
    """Add persons (PERSON_COLUMNS) to their deciles (DECILE_COLUMNS); `cuts` as `decile_cuts`."""
    for number in range(persons.shape[0]):
        borne, difference, paid = persons[number, 0], persons[number, 1], persons[number, 2]
        decile = 0
        for at in range(cuts.size):
            decile += borne > cuts[at]
        deciles[decile, 0] += 1
        deciles[decile, 1] += difference < 0
        deciles[decile, 2] += max(-difference, 0)
        deciles[decile, 3] += difference > 0
        deciles[decile, 4] += max(difference, 0)
        deciles[decile, 5] += persons[number, 3]
        deciles[decile, 6] += borne
        deciles[decile, 7] += borne + difference
        deciles[decile, 8] += paid
        deciles[decile, 9] += paid - difference


@compiled
def _pay(
    amounts: tuple[NDArray[np.int64], NDArray[np.int64]],
    concerned: NDArray[np.bool_],
    columns: NDArray[np.int64],
) -> None:
    """Write row by row what all funds pay and what the person bears, under the old and new rules.

    The columns are those of the funds, of the person, and what the person would bear more.
    """
    old = amounts[0]
    for row in range(concerned.size):
        new = amounts[1] if concerned[row] else old
        was, now = 0 * row, 0 * row
        for column in range(_FUNDS.size):
            was += old[row, _FUNDS[column]]
            now += new[row, _FUNDS[column]]
        bore, bears = old[row, PERSON_AT], new[row, PERSON_AT]
        columns[0, row], columns[1, row] = was, now
        columns[2, row], columns[3, row], columns[4, row] = bore, bears, bears - bore


def _entries(mark: int) -> tuple[Callable[..., Any], ...]:
    """Return the loops, kept under the mark of every file that they rest on (`jit.kept`)."""

    def add_rows(
        person: Any, flags: Any, codes: Any, amounts: Any, cells: Any, tables: Any, pending: Any
    ) -> int:
        # Kept in the closure, and so in the key under which the compilation is cached.
        if mark != 0:
            return _add_rows(person, flags, codes, amounts, cells, tables, pending)
        return 0

    def add_persons(persons: Any, cuts: Any, deciles: Any) -> None:
        if mark != 0:
            _add_persons(persons, cuts, deciles)

    def pay(amounts: Any, concerned: Any, columns: Any) -> None:
        if mark != 0:
            _pay(amounts, concerned, columns)

    def mark_persons(person: Any, place: Any, marked: Any, rows: Any) -> None:
        if mark != 0:
            _mark_persons(person, place, marked, rows)

    return kept(add_rows), kept(add_persons), kept(pay), kept(mark_persons)


add_rows, add_persons, pay, mark_persons = _entries(
    fingerprint(__file__, *(str(each.__file__) for each in (columns, measures)))
)
