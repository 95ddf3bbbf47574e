"""Turns a column of Arrow values into numbers, and says which of its rows hold none, or rubbish.

Nothing here looks at one row after the other: of words, divisions and days only the different ones
are looked at, whole columns of the rest at once. What a value may look like is `Column.kind`'s.
Text is Arrow's `string`, or its dictionary; `plain` makes others so.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Mask = NDArray[np.bool_] | None
"""Of rows; None where it holds for none."""

ROW: Final = "#row"
BROKEN: Final = "#broken"
"""What the source adds to a batch: a row's place in the file; whether the line was none."""

EPOCH: Final = date(1970, 1, 1).toordinal()
DAY_FIRST, DAY_LAST = 1 - EPOCH, date.max.toordinal() - EPOCH
INT64_MAX: Final = 2**63 - 1
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WHOLE: Final = r"^-?[0-9]{1,18}$"
"""As much as any amount may have and always fits int64."""
_MISSING, _RUBBISH = -1, -2


def plain(column: pa.Array) -> pa.Array:
    """Return text in the one form of Arrow's that the rest reads; leave all else alone."""
    kind = column.type
    if pa.types.is_dictionary(kind) and _is_other_text(kind.value_type):
        column, kind = column.dictionary_decode(), kind.value_type
    return pc.cast(column, pa.string()) if _is_other_text(kind) else column


def _is_other_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


class Decoded(NamedTuple):
    """The values of a column, and the rows in which nothing stands or something that is none."""

    values: NDArray[Any]
    missing: Mask = None
    rubbish: Mask = None


class Distinct(NamedTuple):
    """A column as places in the tuple of its different values; the last of them is None."""

    places: NDArray[np.int32]
    values: list[str | None]


def distinct(column: pa.Array) -> Distinct:
    """Return a column's different values as text; whole numbers are written out.

    A value that is neither text nor a whole number becomes a text that nothing is called (NUL).
    """
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    given = column.dictionary
    values: list[str | None]
    if _is_text(given.type):
        values = [None if value == "" else value for value in given.to_pylist()]
    elif pa.types.is_integer(given.type):
        values = [None if value is None else str(value) for value in given.to_pylist()]
    else:
        values = [None if value is None else "\0" for value in given.to_pylist()]
    places = pc.cast(column.indices, pa.int32())
    if places.null_count:
        places = places.fill_null(len(values))
    return Distinct(places.to_numpy(zero_copy_only=False), [*values, None])


def words(column: pa.Array, known: tuple[str, ...]) -> Decoded:
    """Return words as their places among the known ones (int8)."""
    found = distinct(column)
    place_of = {word: place for place, word in enumerate(known)}
    of_value = np.array(
        [_MISSING if each is None else place_of.get(each, _RUBBISH) for each in found.values],
        np.int8,
    )
    return _told(of_value, found)


def days(column: pa.Array) -> Decoded:
    """Return days since 1970 (int32): of Arrow dates, of midnights, of YYYY-MM-DD."""
    kind = column.type
    if pa.types.is_dictionary(kind) and not _is_text(kind.value_type):
        return days(column.dictionary_decode())
    if pa.types.is_timestamp(kind):
        return _midnights(column)
    if pa.types.is_date(kind):
        numbers = pc.fill_null(pc.cast(pc.cast(column, pa.date32()), pa.int32()), 0).to_numpy()
        outside = (numbers < DAY_FIRST) | (numbers > DAY_LAST)
        return Decoded(numbers, missing(column), outside if outside.any() else None)
    if not (_is_text(kind) or pa.types.is_dictionary(kind)):
        return _none(column, np.int32)
    found = distinct(column)
    last = DAY_LAST + 1
    of_value = np.array(
        [last if each is None else _day(each, last + 1) for each in found.values], np.int32
    )
    values = of_value[found.places]
    return Decoded(values, _some(values == last), _some(values == last + 1))


def _day(text: str, rubbish: int) -> int:
    try:
        return date.fromisoformat(text).toordinal() - EPOCH if _DAY.fullmatch(text) else rubbish
    except ValueError:
        return rubbish


def _midnights(column: pa.Array) -> Decoded:
    """Return the days of instants in their column's own zone; an hour of the day is rubbish."""
    if column.type.tz is not None:
        column = pc.local_timestamp(column)
    micro = pc.fill_null(pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64()), 0)
    whole, hour = np.divmod(micro.to_numpy(), 86_400_000_000)
    outside = (hour != 0) | (whole < DAY_FIRST) | (whole > DAY_LAST)
    return Decoded(whole.astype(np.int32), missing(column), _some(outside))


def whole(column: pa.Array) -> Decoded:
    """Return whole numbers (int64): of integers, of text, of decimals without a fraction."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_null(kind):
        rows = len(column)
        return Decoded(np.zeros(rows, np.int64), np.ones(rows, np.bool_))
    if pa.types.is_integer(kind):
        return _integers(column)
    if _is_text(kind):
        return _written(column)
    if pa.types.is_decimal(kind):
        return _decimals(column)
    return _none(column, np.int64)


def _integers(column: pa.Array) -> Decoded:
    rubbish: Mask = None
    if pa.types.is_uint64(column.type):
        large = pc.greater(column, pa.scalar(INT64_MAX, pa.uint64()))
        large = pc.fill_null(large, fill_value=False)
        rubbish = _some(large.to_numpy(zero_copy_only=False))
        column = pc.cast(column, pa.int64(), safe=False)
    gone = missing(column)
    if gone is not None:
        column = pc.fill_null(column, 0)
    numbers = pc.cast(column, pa.int64()) if column.type != pa.int64() else column
    return Decoded(numbers.to_numpy(), gone, rubbish)


def _written(column: pa.Array) -> Decoded:
    gone = missing(column)
    fine = pc.fill_null(pc.match_substring_regex(column, _WHOLE), fill_value=False)
    column = pc.if_else(fine, column, pa.scalar("0", column.type))
    is_fine = fine.to_numpy(zero_copy_only=False)
    rubbish = ~is_fine if gone is None else ~is_fine & ~gone
    return Decoded(pc.cast(column, pa.int64()).to_numpy(), gone, _some(rubbish))


def _decimals(column: pa.Array) -> Decoded:
    gone = missing(column)
    cut = pc.trunc(column)
    most = pa.scalar(Decimal(10**18))
    fine = pc.and_(pc.equal(cut, column), pc.less(pc.abs(cut), most))
    fine = pc.fill_null(fine, fill_value=False)
    column = pc.if_else(fine, cut, pa.scalar(Decimal(0), cut.type))
    is_fine = fine.to_numpy(zero_copy_only=False)
    rubbish = ~is_fine if gone is None else ~is_fine & ~gone
    return Decoded(pc.cast(column, pa.int64()).to_numpy(), gone, _some(rubbish))


class Ids(NamedTuple):
    """Ids as Arrow holds them: int64 or text without NUL, null where there is none or rubbish."""

    values: pa.Array
    missing: Mask
    rubbish: Mask

    @property
    def are_numbers(self) -> bool:
        """Whether they are held as int64."""
        return bool(pa.types.is_int64(self.values.type))


def ids(column: pa.Array) -> Ids:
    """Return ids; whole numbers of any width, or text."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    gone = missing(column)
    kind = column.type
    if pa.types.is_integer(kind):
        # Of uint64 only being equal counts, and that survives.
        return Ids(pc.cast(column, pa.int64(), safe=False), gone, None)
    if not _is_text(kind):
        is_there = ~gone if gone is not None else np.ones(len(column), np.bool_)
        return Ids(pa.nulls(len(column), pa.string()), gone, _some(is_there))
    if gone is not None:
        column = pc.if_else(pa.array(gone), None, column)
    if not _has_nul(column):
        return Ids(column, gone, None)
    nul = pc.fill_null(pc.match_substring(column, "\0"), fill_value=False)
    return Ids(pc.if_else(nul, None, column), gone, _some(nul.to_numpy(zero_copy_only=False)))


def _has_nul(column: pa.Array) -> bool:
    """Tell whether a NUL may stand in the column: in its bytes, as they lie there."""
    data = column.buffers()[2]
    return data is not None and bool((np.frombuffer(data, np.uint8) == 0).any())


def missing(column: pa.Array) -> Mask:
    """Return the rows in which nothing stands; an empty text is nothing."""
    gone: Mask = None
    if column.null_count:
        gone = column.is_null().to_numpy(zero_copy_only=False)
    if _is_text(column.type):
        empty = pc.fill_null(pc.equal(pc.binary_length(column), 0), fill_value=False)
        blank = empty.to_numpy(zero_copy_only=False)
        if blank.any():
            gone = blank if gone is None else gone | blank
    return gone


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind))


def _none(column: pa.Array, kind: type[np.generic]) -> Decoded:
    """Return a column of a type that holds no such value: what stands there is rubbish."""
    gone = missing(column)
    there = np.ones(len(column), np.bool_) if gone is None else ~gone
    return Decoded(np.zeros(len(column), kind), gone, _some(there))


def _told(of_value: NDArray[np.int8], found: Distinct) -> Decoded:
    values = of_value[found.places]
    if of_value[:-1].min(initial=0) >= 0 and (len(values) == 0 or values.min() >= 0):
        return Decoded(values)
    return Decoded(values, _some(values == _MISSING), _some(values == _RUBBISH))


def _some(mask: NDArray[np.bool_]) -> Mask:
    return mask if mask.any() else None
