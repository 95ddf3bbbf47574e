"""From the times at every instant to what a block tells of each pair of places.

The loops over instants are over 16-bit numbers in rows of a fixed multiple, so that a processor
takes many at once: a percentile is found by halving the seconds and counting, which is quicker than
to sort, and exact.
"""

import numpy as np

from tongcheng.kernel.jit import compiled
from tongcheng.services.mobility.numbers import Int64, UInt16
from tongcheng.services.mobility.scan.layout import NO_TIME, Desk, Room, Terms
from tongcheng.services.mobility.scan.model import Block, Ways


@compiled
def at_most(row: UInt16, seconds: int) -> int:
    """Count the times of at most so many seconds; padding is beyond all of them."""
    most, count = np.uint16(seconds), np.uint16(0)
    for instant in range(row.size - 1):
        count = np.uint16(count + np.uint16(row[instant] <= most))
    return int(np.int64(count))


@compiled
def first_times(row: UInt16, times: UInt16, seconds: int) -> None:
    """Write the times at a stop, and the way from it; what is beyond 16 bits stays UNREACHED."""
    more, most = np.uint16(seconds), np.uint16(NO_TIME - seconds)
    for instant in range(times.size):
        row[instant] = np.uint16(min(times[instant], most) + more)


@compiled
def less_times(row: UInt16, times: UInt16, seconds: int) -> None:
    """Write the times at a stop, and the way from it, where they are less than those written."""
    more, most = np.uint16(seconds), np.uint16(NO_TIME - seconds)
    for instant in range(times.size):
        row[instant] = min(row[instant], np.uint16(min(times[instant], most) + more))


@compiled
def never_above(room: Room, ways: Ways, to: int, walk: int) -> int:
    """Return seconds that getting to a destination never exceeds, by a stop or the walk alone."""
    bound = walk
    for way in range(ways.egress.start[to], ways.egress.start[to + 1]):
        stop, seconds = np.uintp(ways.egress.to[way]), ways.egress.seconds[way]
        bound = min(bound, room.most_s[stop] + seconds)
    return bound


@compiled
def ride_times(room: Room, ways: Ways, to: int, desk: Desk, terms: Terms) -> bool:
    """Write the times to a destination by vehicles; say whether they are of use beside the walk."""
    found = False
    bound = min(never_above(room, ways, to, int(np.int64(desk.walk[to]))), terms.longest)
    for way in range(ways.egress.start[to], ways.egress.start[to + 1]):
        stop, seconds = np.uintp(ways.egress.to[way]), ways.egress.seconds[way]
        # Of some fifty stops around a place in a city, most are never the quickest.
        if room.least_s[stop] + seconds > bound:
            continue
        if found:
            less_times(desk.row, room.times[stop], seconds)
        else:
            first_times(desk.row, room.times[stop], seconds)
            found = True
    return found


@compiled
def walk_bounds(row: UInt16, walk: int) -> tuple[int, int]:
    """Take the walk wherever it is quicker; return the shortest and the longest time."""
    most, least, longest = np.uint16(walk), np.uint16(NO_TIME), np.uint16(0)
    for instant in range(row.size - 1):
        seconds = min(row[instant], most)
        row[instant] = seconds
        least = min(least, seconds)
        longest = max(longest, seconds)
    return int(np.int64(least)), int(np.int64(longest))


@compiled
def usable_departures(row: UInt16, cut: int, step: int) -> int:
    """Count the arrivals whose last departure is within the cut: the next arrives elsewhen."""
    most, apart, count = np.uint16(cut), np.uint16(step), np.uint16(0)
    for instant in range(row.size - 1):
        seconds, following = row[instant], row[instant + 1]
        last = (seconds < apart) | (following != np.uint16(seconds - apart))
        count = np.uint16(count + np.uint16((seconds <= most) & last))
    return int(np.int64(count))


@compiled
def constant(block: Block, at: tuple[int, int], seconds: int, terms: Terms) -> None:
    """Write a cell that one walks to, at whatever instant."""
    row, to = at
    for each in range(block.times.shape[0]):
        block.times[each, row, to] = seconds
    block.least[row, to] = seconds
    if seconds <= terms.cut:
        block.within[row, to] = terms.instants
        block.usable[row, to] = terms.instants


@compiled
def percentiles(
    block: Block,
    at: tuple[int, int],
    row: UInt16,
    bounds: tuple[int, int],
    ranks: Int64,
    longest: int,
) -> None:
    """Write the nearest-rank percentiles: the least seconds that so many times do not exceed."""
    low, top = bounds
    reached = row.size
    if top > longest:
        top = longest
        reached = at_most(row, longest)
    for each in range(ranks.size):
        if ranks[each] > reached:
            return
        high = top
        while low < high:
            middle = (low + high) >> 1
            if at_most(row, middle) >= ranks[each]:
                high = middle
            else:
                low = middle + 1
        block.times[each, at[0], at[1]] = low


@compiled
def reduce(
    room: Room, ways: Ways, origin: int, desk: Desk, block: Block, ranks: Int64, terms: Terms
) -> None:
    """Write the row of an origin, whose scan the room holds; the block says UNREACHED before."""
    row = origin - block.first
    for way in range(ways.direct.start[origin], ways.direct.start[origin + 1]):
        if ways.direct.seconds[way] <= terms.longest:
            desk.walk[ways.direct.to[way]] = ways.direct.seconds[way]
    for to in range(desk.walk.size):
        walk = int(np.int64(desk.walk[to]))
        if not ride_times(room, ways, to, desk, terms):
            if walk != NO_TIME:
                constant(block, (row, to), walk, terms)
            continue
        least, most = walk_bounds(desk.row, walk)
        if least > terms.longest:
            continue
        block.least[row, to] = least
        percentiles(block, (row, to), desk.row, (least, most), ranks, terms.longest)
        if least > terms.cut:
            continue
        block.within[row, to] = (
            terms.instants if most <= terms.cut else at_most(desk.row, terms.cut)
        )
        block.usable[row, to] = terms.instants
        if walk > terms.cut:
            block.usable[row, to] = usable_departures(desk.row, terms.cut, terms.step)
    for way in range(ways.direct.start[origin], ways.direct.start[origin + 1]):
        desk.walk[ways.direct.to[way]] = NO_TIME


@compiled
def profiles(room: Room, ways: Ways, origin: int, desk: Desk, table: UInt16, terms: Terms) -> None:
    """Write the time to every destination at every instant: `table[destination, instant]`."""
    for way in range(ways.direct.start[origin], ways.direct.start[origin + 1]):
        if ways.direct.seconds[way] <= terms.longest:
            desk.walk[ways.direct.to[way]] = ways.direct.seconds[way]
    for to in range(desk.walk.size):
        walk = desk.walk[to]
        found = ride_times(room, ways, to, desk, terms)
        for instant in range(terms.instants):
            seconds = min(desk.row[instant], walk) if found else walk
            table[to, instant] = seconds if seconds <= terms.longest else NO_TIME
    for way in range(ways.direct.start[origin], ways.direct.start[origin + 1]):
        desk.walk[ways.direct.to[way]] = NO_TIME
