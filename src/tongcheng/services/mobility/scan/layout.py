"""Where things lie in the memory of a scan: what its kernels and its maker agree on."""

from typing import Final, NamedTuple

from tongcheng.services.mobility.numbers import Bool, Int32, Int64, UInt16

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
HEAD: Final = 4
"""Column of a stop: where its queue begins."""
TAIL: Final = 5
"""Column of a stop: where its queue ends."""
CAME: Final = 6
"""Column of a stop: the latest instant with which one alighted there."""
CAME_S: Final = 7
"""Column of a stop: when that was."""
COLUMNS: Final = 8


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

    By trip and layer `aboard`, the latest instant or NONE; by stop and layer (row) `state` with
    the columns above. Queues of row `at` lie in `queue_s` and `queue_instant` from `queue[at]` to
    `queue[at + 1]`. By stop `access_s`, the way there from the origin. `reached` are the stops with
    an arrival, `least_s` their shortest time, `times` their times by instant, padded with
    UNREACHED, of stops that are `wanted`; `counts` has how many stops are reached.
    """

    aboard: Int32
    state: Int32
    queue: Int64
    queue_s: Int32
    queue_instant: Int32
    access_s: Int32
    reached: Int32
    least_s: Int32
    times: UInt16
    wanted: Bool
    counts: Int64


class Desk(NamedTuple):
    """Where one origin is reduced: `walk` by destination, `row` by instant and one more."""

    walk: UInt16
    row: UInt16
