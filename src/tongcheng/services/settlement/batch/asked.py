"""What is asked once about each pair of values in two columns, and then looked up (pure).

A file names a few hundred divisions in millions of rows: the answers lie in a table, by the numbers
that the values were given when they were first seen.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.decoding import Distinct

Ask = Callable[[str | None, str | None], int]
CELLS_MOST: Final = 2**22
"""More values than make so many pairs are rubbish, and not remembered."""
_NOT_ASKED: Final = -(2**31)


class Asked:
    """The answers (int32) to a question about two values."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._first: dict[str | None, int] = {}
        self._second: dict[str | None, int] = {}
        self._answers = np.zeros((0, 0), np.int32)

    def of_rows(self, first: Distinct, second: Distinct) -> NDArray[np.int32]:
        """Return the answer about each row's values; only of pairs that occur is it asked."""
        if len(first.values) * len(second.values) > CELLS_MOST:
            return self._of_many(first, second)
        one, other = _numbers(first, self._first), _numbers(second, self._second)
        if len(self._first) * len(self._second) > CELLS_MOST:
            self._first.clear()
            self._second.clear()
            self._answers = np.zeros((0, 0), np.int32)
            one, other = _numbers(first, self._first), _numbers(second, self._second)
        self._grow()
        width = self._answers.shape[1]
        cell = (one * width)[first.places] + other[second.places]
        found: NDArray[np.int32] = self._answers.reshape(-1).take(cell)
        unasked = found == _NOT_ASKED
        if unasked.any():
            values, others = list(self._first), list(self._second)
            for row, column in _cells(cell[unasked], width):
                self._answers[row, column] = self._ask(values[row], others[column])
            found = self._answers.reshape(-1).take(cell)
        return found

    def _grow(self) -> None:
        """Make room for values that were never seen before, and some more."""
        rows, columns = self._answers.shape
        if len(self._first) <= rows and len(self._second) <= columns:
            return
        room = (max(rows, 2 * len(self._first)), max(columns, 2 * len(self._second)))
        grown = np.full(room, _NOT_ASKED, np.int32)
        grown[:rows, :columns] = self._answers
        self._answers = grown

    def _of_many(self, first: Distinct, second: Distinct) -> NDArray[np.int32]:
        """Return the same where there are too many different values for a table."""
        cell = first.places * np.int64(len(second.values)) + second.places
        used, of_row = np.unique(cell, return_inverse=True)
        found = [
            self._ask(first.values[row], second.values[column])
            for row, column in _cells(used, len(second.values))
        ]
        return np.array(found, np.int32)[of_row]


def _numbers(column: Distinct, known: dict[str | None, int]) -> NDArray[np.int64]:
    """Return the number of each value, a new one for a value that has none."""
    return np.array([known.setdefault(value, len(known)) for value in column.values], np.int64)


def _cells(cell: NDArray[np.int64], width: int) -> Iterator[tuple[int, int]]:
    """Yield row and column of each different cell."""
    for each in np.unique(cell).tolist():
        yield divmod(each, width)
