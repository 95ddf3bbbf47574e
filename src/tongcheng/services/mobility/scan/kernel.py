"""One scan over the connections for all departures of a window: range CSA, from one origin.

The connection scan (Dibbelt, Pajor, Strasser, Wagner: arXiv:1703.05997) asks of each connection
whether one can be aboard. Here a trip carries the latest instant of departure with which one can be
aboard: who left later is never later anywhere for having left earlier, so all earlier instants
are aboard too. A stop holds the latest instant with which one stands there ready to board, and a
queue of those who are still changing to it: pairs of a second and an instant, both ascending. It is
close to the profile scan of the paper, turned forward; nothing about it is new.

With a cap on rides everything is held once for each number of rides taken (a *layer*).

Times are seconds from the first instant; instant w is `w * step`.
"""

import numpy as np

from tongcheng.services.mobility.scan.jit import compiled
from tongcheng.services.mobility.scan.layout import (
    CAME,
    CAME_S,
    COMING,
    COMING_S,
    FOREVER,
    HEAD,
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
def make_room(room: Room, at: int) -> None:
    """Move a queue back to where it may begin."""
    state, begin = room.state[at], room.queue[at]
    head, tail = state[HEAD], state[TAIL]
    for place in range(head, tail):
        room.queue_s[begin + place - head] = room.queue_s[place]
        room.queue_instant[begin + place - head] = room.queue_instant[place]
    state[HEAD], state[TAIL] = begin, begin + tail - head


@compiled
def insert(room: Room, at: int, when_s: int, instant: int) -> None:
    """Put somebody into a queue before others, or in place of others who left no later."""
    state, seconds, instants = room.state[at], room.queue_s, room.queue_instant
    head, tail = state[HEAD], state[TAIL]
    place = tail
    while place > head and seconds[place - 1] >= when_s:
        place -= 1
    if place > head and instants[place - 1] >= instant:
        return
    after = place
    while after < tail and instants[after] <= instant:
        after += 1
    shift = place + 1 - after
    if shift > 0:
        for each in range(tail, after, -1):
            seconds[each], instants[each] = seconds[each - 1], instants[each - 1]
    elif shift < 0:
        for each in range(after, tail):
            seconds[each + shift], instants[each + shift] = seconds[each], instants[each]
    seconds[place], instants[place] = when_s, instant
    state[TAIL] = tail + shift
    state[COMING], state[COMING_S] = instants[tail + shift - 1], seconds[tail + shift - 1]
    state[NEXT_S] = min(state[NEXT_S], when_s)


@compiled
def come(room: Room, at: int, when_s: int, instant: int) -> None:
    """Note that from `when_s` one stands ready at a stop, having left at an instant."""
    state = room.state[at]
    if instant <= state[READY]:
        return
    if instant <= state[COMING] and when_s >= state[COMING_S]:
        return
    if state[TAIL] == room.queue[at + 1]:
        make_room(room, at)
    head, tail = state[HEAD], state[TAIL]
    if head != tail and when_s <= state[COMING_S]:
        insert(room, at, when_s, instant)
        return
    room.queue_s[tail], room.queue_instant[tail] = when_s, instant
    state[TAIL] = tail + 1
    state[COMING], state[COMING_S] = instant, when_s
    state[NEXT_S] = min(state[NEXT_S], when_s)


@compiled
def stand_ready(room: Room, at: int, now_s: int, access_s: int, terms: Terms) -> None:
    """Let those who are at a stop by now stand ready there; `access_s` is the way there, if any."""
    state = room.state[at]
    ready, head, tail, following = state[READY], state[HEAD], state[TAIL], FOREVER
    while head != tail and room.queue_s[head] <= now_s:
        ready = max(ready, room.queue_instant[head])
        head += 1
    if head == tail:
        head = tail = room.queue[at]
        state[TAIL] = tail
    else:
        following = room.queue_s[head]
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
def write_time(room: Room, stop: int, instant: int, seconds: int) -> None:
    """Write the time from one instant; those before it are seen to at the end."""
    if room.least_s[stop] == FOREVER:
        room.reached[room.counts[0]] = stop
        room.counts[0] += 1
        for each in range(room.times.shape[1]):
            room.times[stop, each] = NO_TIME
    room.least_s[stop] = min(room.least_s[stop], seconds)
    room.times[stop, instant] = min(room.times[stop, instant], np.uint16(seconds))


@compiled
def alight(
    network: Network, room: Room, at: tuple[int, int], when_s: int, instant: int, terms: Terms
) -> None:
    """Note an arrival at a stop with so many rides before this one, and all changes from it."""
    stop, layer = at
    rows = network.changes.start.size
    state = room.state[layer * rows + stop]
    last = state[CAME]
    if instant <= last and when_s >= state[CAME_S]:
        return
    if instant >= last:
        state[CAME], state[CAME_S] = instant, when_s
    if room.wanted[stop]:
        write_time(room, stop, instant, when_s - instant * terms.step)
    if terms.capped:
        layer += 1
        if layer == terms.layers:
            return
    for way in range(network.changes.start[stop], network.changes.start[stop + 1]):
        to, seconds = network.changes.to[way], network.changes.seconds[way]
        come(room, layer * rows + to, when_s + seconds, instant)


@compiled
def clear(ways: Ways, origin: int, room: Room) -> None:
    """Make the room as new, with the ways from an origin."""
    for at in range(room.counts[0]):
        room.least_s[room.reached[at]] = FOREVER
    room.counts[0] = 0
    room.aboard[:] = NONE
    room.access_s[:] = FOREVER
    for at in range(room.state.shape[0]):
        state = room.state[at]
        state[READY] = state[COMING] = state[CAME] = NONE
        state[COMING_S] = state[CAME_S] = 0
        state[NEXT_S] = FOREVER
        state[HEAD] = state[TAIL] = room.queue[at]
    for way in range(ways.access.start[origin], ways.access.start[origin + 1]):
        stop, seconds = ways.access.to[way], ways.access.seconds[way]
        room.access_s[stop] = seconds
        room.state[stop, NEXT_S] = seconds


@compiled
def spread(room: Room, terms: Terms) -> None:
    """Give earlier instants the arrivals of later ones: who left earlier takes as much longer."""
    for at in range(room.counts[0]):
        stop = room.reached[at]
        seconds = NO_TIME
        for instant in range(terms.instants - 1, -1, -1):
            seconds = min(seconds + terms.step, int(np.int64(room.times[stop, instant])))
            if seconds > terms.longest:
                seconds = NO_TIME
            room.times[stop, instant] = seconds


@compiled
def scan(network: Network, ways: Ways, origin: int, room: Room, terms: Terms) -> None:
    """Find for every stop that is wanted the travel time at each instant of departure."""
    if terms.layers == 0:
        return
    clear(ways, origin, room)
    rows = network.changes.start.size
    for at in range(network.trip.size):
        departure_s, stop, run = network.departure_s[at], network.origin[at], network.trip[at]
        best = NONE
        for layer in range(terms.layers):
            row, trip = layer * rows + stop, layer * network.trips + run
            if room.state[row, NEXT_S] <= departure_s:
                access_s = room.access_s[stop] if layer == 0 else FOREVER
                stand_ready(room, row, departure_s, access_s, terms)
            instant = room.aboard[trip]
            if room.state[row, READY] > instant:
                room.aboard[trip] = instant = room.state[row, READY]
            # With no more rides, somebody is aboard who left no earlier.
            if instant <= best:
                continue
            best = instant
            when_s, to = network.arrival_s[at], network.to[at]
            if to != NONE and when_s - instant * terms.step <= terms.longest:
                alight(network, room, (to, layer), when_s, instant, terms)
    spread(room, terms)
