"""One scan over the connections for all departures of a window: range CSA, from one origin.

The connection scan (Dibbelt, Pajor, Strasser, Wagner: arXiv:1703.05997) asks of each connection
whether one can be aboard. Here a trip carries the latest instant of departure with which one can be
aboard: who left later is never later anywhere for having left earlier, so all earlier instants
are aboard too. A stop holds the latest instant with which one stands there ready to board, and a
queue of those who are still changing to it: pairs of a second and an instant, both ascending. It is
close to the profile scan of the paper, turned forward; nothing about it is new.

With a cap on rides everything is held once for each number of rides taken (a *layer*).

Times are seconds from the first instant; instant w is `w * step`. Where an index is made unsigned,
compiled code does not ask whether it counts from the end, which was a fifth of all it did.
"""

import numpy as np

from tongcheng.kernel.jit import compiled
from tongcheng.services.mobility.scan.layout import (
    CAME,
    CAME_S,
    COMING,
    COMING_S,
    FOREVER,
    HALF,
    HEAD,
    LOW,
    NEXT_S,
    NO_TIME,
    NONE,
    READY,
    TAIL,
    Room,
    Terms,
)
from tongcheng.services.mobility.scan.model import Ways
from tongcheng.services.mobility.scan.network import Network


@compiled
def entry_of(when_s: int, instant: int) -> int:
    """Return a place in a queue: whoever is there earlier stands before."""
    return (when_s << HALF) | instant


@compiled
def insert(room: Room, at: int, when_s: int, instant: int) -> None:
    """Put somebody into a queue before others, or in place of others who left no later."""
    state, queued = room.state[at], room.queued
    head, tail = state[HEAD], state[TAIL]
    place = tail
    while place > head and queued[place - 1] >> HALF >= when_s:
        place -= 1
    if place > head and queued[place - 1] & LOW >= instant:
        return
    after = place
    while after < tail and queued[after] & LOW <= instant:
        after += 1
    shift = place + 1 - after
    if shift > 0:
        for each in range(tail, after, -1):
            queued[each] = queued[each - 1]
    elif shift < 0:
        for each in range(after, tail):
            queued[each + shift] = queued[each]
    queued[place] = entry_of(when_s, instant)
    last = queued[tail + shift - 1]
    state[TAIL] = tail + shift
    state[COMING], state[COMING_S] = last & LOW, last >> HALF
    state[NEXT_S] = min(state[NEXT_S], when_s)


@compiled
def come(room: Room, row: int, when_s: int, instant: int) -> None:
    """Note that from `when_s` one stands ready at a stop, having left at an instant."""
    at = np.uintp(row)
    state = room.state[at]
    # One branch instead of three: whether somebody is worth noting can not be foretold.
    worth = (instant > state[COMING]) | (when_s < state[COMING_S])
    if not worth & (instant > state[READY]):
        return
    head, tail = state[HEAD], state[TAIL]
    if (head != tail) & (when_s <= state[COMING_S]):
        insert(room, row, when_s, instant)
        return
    room.queued[np.uintp(tail)] = entry_of(when_s, instant)
    state[TAIL] = tail + 1
    state[COMING], state[COMING_S] = instant, when_s
    state[NEXT_S] = min(state[NEXT_S], when_s)


@compiled
def stand_ready(room: Room, at: int, now_s: int, access_s: int, terms: Terms) -> None:
    """Let those who are at a stop by now stand ready there; `access_s` is the way there, if any."""
    state = room.state[np.uintp(at)]
    ready, head, tail, following = state[READY], state[HEAD], state[TAIL], FOREVER
    before = entry_of(now_s + 1, 0)
    while head != tail and room.queued[np.uintp(head)] < before:
        head += 1
    if head != state[HEAD]:
        ready = max(ready, room.queued[np.uintp(head - 1)] & LOW)
    if head == tail:
        head = tail = room.queue[np.uintp(at)]
        state[TAIL] = tail
    else:
        following = room.queued[np.uintp(head)] >> HALF
    state[HEAD] = head
    if access_s <= now_s:
        instant = min((now_s - access_s) // terms.step, terms.instants - 1)
        ready = max(ready, instant)
        if instant + 1 < terms.instants:
            following = min(following, access_s + (instant + 1) * terms.step)
    elif access_s != FOREVER:
        following = min(following, access_s)
    state[READY], state[NEXT_S] = ready, following


@compiled
def alight(
    network: Network, room: Room, at: tuple[int, int], when_s: int, instant: int, terms: Terms
) -> None:
    """Note an arrival at a stop with so many rides before this one, and all changes from it."""
    stop, layer = np.uintp(at[0]), at[1]
    rows = network.changes.start.size
    state = room.state[np.uintp(layer * rows) + stop]
    if room.wanted[stop]:
        times = room.times[stop]
        if room.least_s[stop] == FOREVER:
            room.least_s[stop] = when_s
            times[:] = NO_TIME
        # The times of earlier instants are seen to at the end.
        seconds, column = np.uint16(when_s - instant * terms.step), np.uintp(instant)
        times[column] = min(times[column], seconds)
    if instant >= state[CAME]:
        state[CAME], state[CAME_S] = instant, when_s
    if terms.capped:
        layer += 1
        if layer == terms.layers:
            return
    following = stop + np.uintp(1)
    for each in range(network.changes.start[stop], network.changes.start[following]):
        way = np.uintp(each)
        to, seconds = network.changes.to[way], network.changes.seconds[way]
        come(room, layer * rows + to, when_s + seconds, instant)


@compiled
def clear(ways: Ways, origin: int, room: Room) -> int:
    """Make the room as new, with the ways from an origin; return when the first stop is reached."""
    room.aboard[:] = NONE
    room.access_s[:] = FOREVER
    room.least_s[:] = FOREVER
    stops = room.wanted.size
    for at in range(room.state.shape[0]):
        state = room.state[at]
        state[READY] = state[COMING] = state[CAME] = NONE
        state[COMING_S] = state[CAME_S] = 0
        state[NEXT_S] = FOREVER
        state[HEAD] = state[TAIL] = room.queue[at]
        if at % (stops + 1) == stops:  # no stop: nothing that comes there is news
            state[CAME], state[CAME_S] = FOREVER, -FOREVER
    first_s = FOREVER
    for way in range(ways.access.start[origin], ways.access.start[origin + 1]):
        stop, seconds = ways.access.to[way], int(np.int64(ways.access.seconds[way]))
        room.access_s[stop] = seconds
        room.state[stop, NEXT_S] = seconds
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
        room.least_s[stop] = least_s


@compiled
def ride(network: Network, room: Room, place: tuple[int, int], best: int, terms: Terms) -> int:
    """Take a connection with the rides of a layer (`place` is both); return who left last aboard.

    `best` is who left last of those aboard with fewer rides.
    """
    at, layer = np.uintp(place[0]), place[1]
    departure_s, when_s = network.departure_s[at], network.arrival_s[at]
    stop, to = network.origin[at], network.to[at]
    first = layer * network.changes.start.size
    row, trip = np.uintp(first + stop), np.uintp(layer * network.trips + network.trip[at])
    if room.state[row, NEXT_S] <= departure_s:
        access_s = room.access_s[np.uintp(stop)] if layer == 0 else FOREVER
        stand_ready(room, first + stop, departure_s, access_s, terms)
    instant = int(np.int64(max(room.aboard[trip], room.state[row, READY])))
    room.aboard[trip] = instant
    there = room.state[np.uintp(first + to)]
    # With fewer rides nobody is aboard who left as late; in time; and that is news there.
    # One branch for all of it: none of them can be foretold.
    news = (instant > best) & ((instant > there[CAME]) | (when_s < there[CAME_S]))
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
