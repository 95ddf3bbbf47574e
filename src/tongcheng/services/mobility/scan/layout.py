"""Where things lie in the memory of a scan: what its kernels and its maker agree on."""

from typing import Final, NamedTuple

from tongcheng.services.mobility.numbers import Bool, Int32, UInt16

NONE: Final = -1
"""No instant, no stop."""
FOREVER: Final = 1 << 30
"""Later than every second of a window with its longest journey."""
NO_TIME: Final = 65_535
"""`numbers.UNREACHED`, written out because a kept compilation does not see it change."""
LANES: Final = 32
"""Rows of times are padded to a multiple of this, which a processor takes at once."""

READY: Final = 0
"""Column of a stop: the latest instant with which one stands ready there."""
NEXT_S: Final = 1
"""Column of a stop: when somebody of a later instant may stand ready there."""
COMING: Final = 2
"""Column of a stop: the latest instant with which one was ever on the way there, by a change."""
COMING_S: Final = 3
"""Column of a stop: when that one is there."""
CAME: Final = 4
"""Column of a stop: the latest instant with which one alighted there."""
CAME_S: Final = 5
"""Column of a stop: when that was."""
COLUMNS: Final = 8
"""Two of them are not used: so many lie in one line of a processor's cache."""


class Terms(NamedTuple):
    """The numbers of a question as the kernels read them.

    `layers` is how many rides one may take where that is `capped`, and else 1.
    """

    step: int
    instants: int
    longest: int
    cut: int
    layers: int
    capped: bool


class Room(NamedTuple):
    """What one scan writes, made once for a thread.

    By trip and layer `aboard`: the latest instant with which one can be aboard. By stop and layer
    (a *row*) `state` with the columns above, one row after the other. Instants are NONE where there
    is none.

    By row and instant `there_s`: when who left then is there by a change, FOREVER if nobody is on
    the way; it says something of the instants after READY, up to COMING, and of no others.

    By stop `access_s`, the way there from the origin, and of the stops that are `wanted` the
    shortest and the longest time, `least_s` and `most_s` (FOREVER if not reached), and, where
    reached, the `times` by instant, padded with UNREACHED. In `worth` an arrival writes down the
    changes from its stop that are worth to be noted.
    """

    aboard: Int32
    state: Int32
    there_s: Int32
    worth: Int32
    access_s: Int32
    least_s: Int32
    most_s: Int32
    times: UInt16
    wanted: Bool


class Desk(NamedTuple):
    """Where one origin is reduced: `walk` by destination, `row` by instant and one more."""

    walk: UInt16
    row: UInt16


class Trail(NamedTuple):
    """What the scan of one departure writes, by layer and then stop or trip.

    `ready_s` is when one can board, `ready_by` with what one arrived before the change there
    (layer times the number of connections, and the connection), NONE if one came from the origin.
    `boarded` is by trip the connection at which one got in, NONE if nowhere. `arrived_s` is when
    one alights, `arrived_by` the last connection of that ride.
    """

    ready_s: Int32
    ready_by: Int32
    boarded: Int32
    arrived_s: Int32
    arrived_by: Int32
