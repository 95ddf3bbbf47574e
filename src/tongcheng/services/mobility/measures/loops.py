"""The loops over every pair, compiled; their slow twins are in the tests.

No `fastmath`: a sum of floats is taken in the order of the row, one after the other, and is the
same on every machine. All of them are in this one file, which is what numba looks at to see whether
what it kept is stale.
"""

from typing import Final

import numpy as np

from tongcheng.kernel.jit import kept_alone
from tongcheng.services.mobility.numbers import UNREACHED, Float64, Int64, UInt16

_BYTE: Final = 256


@kept_alone
def sums_within(block: UInt16, counts: Int64, band: UInt16, bands: int, out: Int64) -> None:
    """Add up counts by band of their seconds, then each band with all before it.

    `band` maps seconds to 0 … bands - 1, and to `bands` what lies beyond; `out` is rows × bands.
    """
    sums = np.zeros(bands + 1, np.int64)
    for row in range(block.shape[0]):
        sums[:] = 0
        for column in range(block.shape[1]):
            sums[band[block[row, column]]] += counts[column]
        total = 0
        for at in range(bands):
            total += sums[at]
            out[row, at] = total


@kept_alone
def sums_weighted(block: UInt16, counts: Int64, weights: Int64, out: Int64) -> None:
    """Add up counts times the weights of their seconds, row by row."""
    for row in range(block.shape[0]):
        total = 0
        for column in range(block.shape[1]):
            total += weights[block[row, column]] * counts[column]
        out[row] = total


@kept_alone
def demand_weighted(block: UInt16, people: Int64, weights: Int64, out: Int64) -> None:
    """Add each row's people times the weights of its seconds to every destination's demand."""
    for row in range(block.shape[0]):
        for column in range(block.shape[1]):
            out[column] += weights[block[row, column]] * people[row]


@kept_alone
def shares_weighted(block: UInt16, ratios: Float64, weights: Int64, out: Float64) -> None:
    """Add up ratios times the weights of their seconds, in the order of each row."""
    for row in range(block.shape[0]):
        total = 0.0
        for column in range(block.shape[1]):
            total += weights[block[row, column]] * ratios[column]
        out[row] = total


@kept_alone
def high_byte(row: UInt16, counts: Int64, out: Int64) -> None:
    """Add up counts by the high byte of their seconds."""
    out[:] = 0
    for column in range(row.shape[0]):
        if row[column] != UNREACHED:
            out[row[column] >> 8] += counts[column]


@kept_alone
def low_byte(row: UInt16, counts: Int64, high: int, out: Int64) -> None:
    """Add up counts by the low byte of their seconds, where the high one is `high`."""
    out[:] = 0
    for column in range(row.shape[0]):
        if row[column] >> 8 == high and row[column] != UNREACHED:
            out[row[column] & 255] += counts[column]


@kept_alone
def seconds_to(block: UInt16, counts: Int64, wanted: Int64, out: UInt16) -> None:
    """Find for each row the seconds within which so many counts are reached.

    `wanted` ascends; `out` is rows × wanted. Counts are added up by the high byte of their seconds,
    and by the low byte where the high one is found: few passes of a row, and no sorting.
    """
    coarse, fine = np.zeros(_BYTE, np.int64), np.zeros(_BYTE, np.int64)
    for row in range(block.shape[0]):
        high_byte(block[row], counts, coarse)
        high, before, looked = 0, np.int64(0), -1
        for at in range(wanted.shape[0]):
            while high < _BYTE and before + coarse[high] < wanted[at]:
                before += coarse[high]
                high += 1
            if high == _BYTE:
                out[row, at] = UNREACHED
                continue
            if looked != high:
                looked = high
                low_byte(block[row], counts, high, fine)
            low, total = 0, before + fine[0]
            while total < wanted[at]:
                low += 1
                total += fine[low]
            out[row, at] = high * _BYTE + low
