"""One scan for one departure, which remembers how one got there: the plain connection scan.

Everything is held once for each number of rides taken (a layer), so that of the journeys that
arrive first the one of fewest rides is known. In the last layer any number of rides is taken,
unless rides are capped.
"""

from tongcheng.kernel.jit import compiled
from tongcheng.services.mobility.scan.layout import FOREVER, NONE, Trail
from tongcheng.services.mobility.scan.model import Ways
from tongcheng.services.mobility.scan.network import Network


@compiled
def arrive(network: Network, trail: Trail, layer: int, at: int, rides: tuple[int, bool]) -> None:
    """Note an arrival with the ride of a layer, and all changes that begin with it."""
    layers, capped = rides
    stop, when_s = network.to[at], network.arrival_s[at]
    if when_s >= trail.arrived_s[layer, stop]:
        return
    trail.arrived_s[layer, stop] = when_s
    trail.arrived_by[layer, stop] = at
    following = layer + 1
    if following == layers:
        if capped:
            return
        following = layer
    for way in range(network.changes.start[stop], network.changes.start[stop + 1]):
        to, ready_s = network.changes.to[way], when_s + network.changes.seconds[way]
        if ready_s < trail.ready_s[following, to]:
            trail.ready_s[following, to] = ready_s
            trail.ready_by[following, to] = layer * network.trip.size + at


@compiled
def journey_scan(
    network: Network, ways: Ways, longest: int, trail: Trail, rides: tuple[int, bool]
) -> None:
    """Find the earliest arrivals of the first origin, left at second 0.

    `rides` says how many layers there are, and whether rides are capped by them.
    A trip is boarded once in a layer, where one first can: later is no better.
    """
    if rides[0] == 0:
        return
    nowhere = network.changes.start.size - 1
    trail.ready_s[:], trail.ready_by[:] = FOREVER, NONE
    trail.boarded[:], trail.arrived_s[:] = NONE, FOREVER
    for way in range(ways.access.start[0], ways.access.start[1]):
        trail.ready_s[0, ways.access.to[way]] = ways.access.seconds[way]
    for at in range(network.trip.size):
        trip, stop = network.trip[at], network.origin[at]
        for layer in range(rides[0]):
            if trail.boarded[layer, trip] == NONE:
                if trail.ready_s[layer, stop] > network.departure_s[at]:
                    continue
                trail.boarded[layer, trip] = at
            if network.to[at] != nowhere and network.arrival_s[at] <= longest:
                arrive(network, trail, layer, at, rides)
