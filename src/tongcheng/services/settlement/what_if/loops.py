"""The one loop over all rows, compiled where numba is installed and the same in plain Python.

It adds into tables of int64 and keeps nothing else, so the tables of two batches add up to those
of both together, as long as the rows of a person are all in one of them.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.what_if.measures import (
    AMOUNTS_AT,
    ANNOUNCED_AT,
    BAND_FROM_FEN,
    COMPARED_AT,
    COUNTS,
    MEASURES,
)

NOTHING: Final = -1
_SETTLEMENTS, _CHANGED, _DIRECT, _PERSONS, _GAINING, _GAINED, _LOSING, _LOST = range(len(COUNTS))
_COMPARED: Final = np.array(COMPARED_AT)
_AMOUNTS: Final = np.array(AMOUNTS_AT)
_ANNOUNCED: Final = np.array(ANNOUNCED_AT)
_BANDS: Final = np.array(BAND_FROM_FEN)
_MEASURES: Final = len(MEASURES)
_OLD: Final = len(COUNTS)
_NEW: Final = _OLD + len(AMOUNTS_AT)
_OLD_ANNOUNCED: Final = _NEW + len(AMOUNTS_AT)
_NEW_ANNOUNCED: Final = _OLD_ANNOUNCED + len(ANNOUNCED_AT)
_OLD_UNKNOWN: Final = _NEW_ANNOUNCED + len(ANNOUNCED_AT)
_NEW_UNKNOWN: Final = _OLD_UNKNOWN + 1


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function compiled without the interpreter's lock, or itself without numba."""
    try:
        from numba import njit  # noqa: PLC0415 without it the same loops run, slowly
    except ImportError:
        return function
    result: Callable[..., Any] = njit(cache=True, nogil=True)(function)
    return result


@compiled
def _measure(old: Any, new: Any, direct: Any, measured: Any) -> None:
    """Write what one settlement adds to each of its groups; persons are counted elsewhere."""
    measured[:] = 0
    measured[_SETTLEMENTS] = 1
    changed = False
    for at in _COMPARED:
        changed |= old[at] != new[at]
    if changed:
        measured[_CHANGED] = 1
        measured[_DIRECT] = direct
    for column in range(_AMOUNTS.size):
        measured[_OLD + column] = old[_AMOUNTS[column]]
        measured[_NEW + column] = new[_AMOUNTS[column]]
    for column in range(_ANNOUNCED.size):
        at = _ANNOUNCED[column]
        if old[at] == NOTHING:
            measured[_OLD_UNKNOWN] += 1
        else:
            measured[_OLD_ANNOUNCED + column] = old[at]
        if new[at] == NOTHING:
            measured[_NEW_UNKNOWN] += 1
        else:
            measured[_NEW_ANNOUNCED + column] = new[at]


@compiled
def _close(first: int, last: int, standing: Any, codes: Any, groups: Any, pending: Any) -> None:
    """Count a person once in each of their groups, by the sign of their difference there."""
    for row in range(first, last):
        if not standing[row]:
            continue
        for dimension in range(codes.shape[0]):
            group = codes[dimension, row]
            if pending[group, 0] == 0:
                continue
            fen = pending[group, 1]
            pending[group, 0] = 0
            pending[group, 1] = 0
            groups[group, _PERSONS] += 1
            if fen < 0:
                groups[group, _GAINING] += 1
                groups[group, _GAINED] -= fen
            elif fen > 0:
                groups[group, _LOSING] += 1
                groups[group, _LOST] += fen


@compiled
def _band(difference: int) -> int:
    steps = 0
    while steps < _BANDS.size and abs(difference) >= _BANDS[steps]:
        steps += 1
    return _BANDS.size - steps if difference < 0 else _BANDS.size + steps


@compiled
def add_rows(
    person: NDArray[np.int64],
    standing: NDArray[np.bool_],
    direct: NDArray[np.bool_],
    codes: NDArray[np.int16],
    old: NDArray[np.int64],
    new: NDArray[np.int64],
    tables: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> int:
    """Add rows to the tables groups and bands, write each person to persons; return how many.

    `codes` says the row of `groups` for each dimension and row; `old` and `new` have the columns of
    `columns.RESULT_AMOUNTS`, `groups` those of MEASURES, `bands` persons and fen, `persons` those
    of PERSON_COLUMNS.
    """
    groups, bands, persons = tables
    measured = np.zeros(_MEASURES, np.int64)
    pending = np.zeros((groups.shape[0], 2), np.int64)
    count = 0
    row = 0
    while row < person.size:
        first = row
        own = persons[count]
        own[:] = 0
        while row < person.size and person[row] == person[first]:
            if standing[row]:
                _measure(old[row], new[row], direct[row], measured)
                own_old = measured[_NEW - 1]
                difference = measured[_OLD_ANNOUNCED - 1] - own_old
                own[0] += own_old
                own[1] += difference
                for fund in range(_OLD, _NEW - 1):
                    own[2] += measured[fund]
                own[3] += 1
                for dimension in range(codes.shape[0]):
                    group = codes[dimension, row]
                    for column in range(_MEASURES):
                        groups[group, column] += measured[column]
                    pending[group, 0] = 1
                    pending[group, 1] += difference
            row += 1
        if own[3] > 0:
            _close(first, row, standing, codes, groups, pending)
            band = _band(own[1])
            bands[band, 0] += 1
            bands[band, 1] += own[1]
            count += 1
    return count
