"""One scan over the connections for all departures of a window: range CSA, from one origin.

The connection scan (Dibbelt, Pajor, Strasser, Wagner: arXiv:1703.05997) asks of each connection
whether one can be aboard. Here a trip carries the latest instant of departure with which one can be
aboard: who left later is never later anywhere for having left earlier, so all earlier instants
are aboard too. A stop holds the latest instant with which one stands there ready to board, and for
each later one the second at which who left then has changed to it. It is close to the profile scan
of the paper, turned forward; nothing about it is new.

With a cap on rides everything is held once for each number of rides taken (a *layer*).

Times are seconds from the first instant; instant w is `w * step`. Where an index is made unsigned,
compiled code does not ask whether it counts from the end, which was a fifth of all it did.
"""

import numpy as np

from tongcheng.kernel.jit import compiled
from tongcheng.services.mobility.numbers import UInt16
from tongcheng.services.mobility.scan.layout import (
    CAME,
    CAME_S,
    COLUMNS,
    COMING,
    COMING_S,
    FOREVER,
    NEXT_S,
    NO_TIME,
    NONE,
    READY,
    Room,
    Terms,
)
from tongcheng.services.mobility.scan.model import Ways
from tongcheng.services.mobility.scan.network import Network


@compiled
def at(row: int, column: int) -> np.uintp:
    """Return where a column of a stop lies."""
    return np.uintp(row * COLUMNS + column)


@compiled
def come(room: Room, row: int, when_s: int, instant: int) -> None:
    """Note that from `when_s` one stands ready at a stop, having left at an instant."""
    leaving = (np.uintp(row), np.uintp(instant))
    latest = room.state[at(row, COMING)]
    if instant > latest:
        for between in range(max(latest, room.state[at(row, READY)]) + 1, instant):
            room.there_s[leaving[0], np.uintp(between)] = FOREVER
        room.state[at(row, COMING)] = instant
    elif (instant <= room.state[at(row, READY)]) | (when_s >= room.there_s[leaving]):
        return
    room.there_s[leaving] = when_s
    if instant >= latest:
        room.state[at(row, COMING_S)] = when_s
    room.state[at(row, NEXT_S)] = min(room.state[at(row, NEXT_S)], when_s)


@compiled
def stand_ready(room: Room, row: int, now_s: int, access_s: int, terms: Terms) -> None:
    """Let those who are at a stop by now stand ready there; `access_s` is the way there, if any."""
    ready, following = room.state[at(row, READY)], FOREVER
    # Who left latest first: once one of them is there, nobody who left before is of use.
    for instant in range(room.state[at(row, COMING)], ready, -1):
        when_s = room.there_s[np.uintp(row), np.uintp(instant)]
        if when_s <= now_s:
            ready = instant
            break
        following = min(following, when_s)
    if access_s <= now_s:
        instant = min((now_s - access_s) // terms.step, terms.instants - 1)
        ready = max(ready, instant)
        if instant + 1 < terms.instants:
            following = min(following, access_s + (instant + 1) * terms.step)
    elif access_s != FOREVER:
        following = min(following, access_s)
    room.state[at(row, READY)], room.state[at(row, NEXT_S)] = ready, following
    if ready > room.state[at(row, COMING)]:
        room.state[at(row, COMING)], room.state[at(row, COMING_S)] = ready, now_s


@compiled
def alight(
    network: Network, room: Room, place: tuple[int, int], when_s: int, instant: int, terms: Terms
) -> None:
    """Note an arrival at a stop with so many rides before this one, and all changes from it."""
    stop, layer = np.uintp(place[0]), place[1]
    rows = network.changes.start.size
    row = layer * rows + place[0]
    if room.wanted[stop]:
        times = room.times[stop]
        if room.least_s[stop] == FOREVER:
            room.least_s[stop] = when_s
            times[:] = NO_TIME
        # The times of earlier instants are seen to at the end.
        seconds, column = np.uint16(when_s - instant * terms.step), np.uintp(instant)
        times[column] = min(times[column], seconds)
    if instant >= room.state[at(row, CAME)]:
        room.state[at(row, CAME)], room.state[at(row, CAME_S)] = instant, when_s
    if terms.capped:
        layer += 1
        if layer == terms.layers:
            return
    changes = network.changes
    first, last = layer * rows, changes.start[stop + np.uintp(1)]
    # Whom it is worth to note can not be foretold, so nothing branches on it: all are written
    # down, each over the one before if that was not worth it.
    count = np.uintp(0)
    for each in range(changes.start[stop], last):
        way = np.uintp(each)
        to = first + changes.to[way]
        worth = (instant > room.state[at(to, COMING)]) | (
            when_s + changes.seconds[way] < room.state[at(to, COMING_S)]
        )
        room.worth[count] = each
        count += np.uintp(worth)
    for which in range(int(np.int64(count))):
        way = np.uintp(room.worth[np.uintp(which)])
        come(room, first + changes.to[way], when_s + changes.seconds[way], instant)


@compiled
def clear(ways: Ways, origin: int, room: Room) -> int:
    """Make the room as new, with the ways from an origin; return when the first stop is reached."""
    room.aboard[:] = NONE
    room.access_s[:] = FOREVER
    room.least_s[:] = room.most_s[:] = FOREVER
    stops = room.wanted.size
    for row in range(room.there_s.shape[0]):
        nowhere = row % (stops + 1) == stops  # what comes to no stop is no news there
        room.state[at(row, READY)] = room.state[at(row, COMING)] = NONE
        room.state[at(row, NEXT_S)], room.state[at(row, COMING_S)] = FOREVER, 0
        room.state[at(row, CAME)] = FOREVER if nowhere else NONE
        room.state[at(row, CAME_S)] = -FOREVER if nowhere else 0
    first_s = FOREVER
    for way in range(ways.access.start[origin], ways.access.start[origin + 1]):
        stop, seconds = ways.access.to[way], int(np.int64(ways.access.seconds[way]))
        room.access_s[stop] = room.state[at(stop, NEXT_S)] = seconds
        first_s = min(first_s, seconds)
    return first_s


@compiled
def departing(network: Network, from_s: int) -> int:
    """Return the first connection that departs no sooner: before it nobody can be aboard."""
    low, high = 0, network.departure_s.size
    while low < high:
        middle = (low + high) >> 1
        if network.departure_s[middle] < from_s:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def longest_of(times: UInt16, instants: int) -> int:
    """Return the longest of some times: apart, many at once, it costs nothing."""
    most = np.uint16(0)
    for instant in range(instants):
        most = max(most, times[instant])
    return int(np.int64(most))


@compiled
def spread(room: Room, terms: Terms) -> None:
    """Give earlier instants the arrivals of later ones: who left earlier takes as much longer."""
    for stop in range(room.wanted.size):
        if room.least_s[stop] == FOREVER:
            continue
        times, least_s = room.times[np.uintp(stop)], NO_TIME
        leaves_s = terms.instants * terms.step
        arrives_s = leaves_s + NO_TIME
        # Of arrivals, each waits for one minimum alone; of times, for the step and the bound too.
        for count in range(terms.instants, 0, -1):
            instant = np.uintp(count - 1)
            leaves_s -= terms.step
            arrives_s = min(arrives_s, leaves_s + int(np.int64(times[instant])))
            seconds = arrives_s - leaves_s
            if seconds > terms.longest:
                seconds = NO_TIME
            times[instant] = seconds
            least_s = min(least_s, seconds)
        room.least_s[stop], room.most_s[stop] = least_s, longest_of(times, terms.instants)


@compiled
def ride(network: Network, room: Room, place: tuple[int, int], best: int, terms: Terms) -> int:
    """Take a connection with the rides of a layer (`place` is both); return who left last aboard.

    `best` is who left last of those aboard with fewer rides.
    """
    each, layer = np.uintp(place[0]), place[1]
    departure_s, when_s = network.departure_s[each], network.arrival_s[each]
    stop, to = network.origin[each], network.to[each]
    first = layer * network.changes.start.size
    row, trip = first + stop, np.uintp(layer * network.trips + network.trip[each])
    if room.state[at(row, NEXT_S)] <= departure_s:
        access_s = room.access_s[np.uintp(stop)] if layer == 0 else FOREVER
        stand_ready(room, first + stop, departure_s, access_s, terms)
    instant = int(np.int64(max(room.aboard[trip], room.state[at(row, READY)])))
    room.aboard[trip] = instant
    there = first + to
    # With fewer rides nobody is aboard who left as late; in time; and that is news there.
    # One branch for all of it: none of them can be foretold.
    news = (instant > best) & (
        (instant > room.state[at(there, CAME)]) | (when_s < room.state[at(there, CAME_S)])
    )
    if news & (when_s - instant * terms.step <= terms.longest):
        alight(network, room, (to, layer), when_s, instant, terms)
    return max(best, instant)


@compiled
def scan(network: Network, ways: Ways, origin: int, room: Room, terms: Terms) -> None:
    """Find for every stop that is wanted the travel time at each instant of departure."""
    if terms.layers == 0:
        return
    begin = departing(network, clear(ways, origin, room))
    if terms.layers == 1:  # compiled apart, without what other layers need
        for at in range(begin, network.trip.size):
            ride(network, room, (at, 0), NONE, terms)
    else:
        for at in range(begin, network.trip.size):
            best = NONE
            for layer in range(terms.layers):
                best = ride(network, room, (at, layer), best, terms)
    spread(room, terms)
