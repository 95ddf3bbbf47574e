"""Hands out blocks of answers as they come, from as many threads as are given."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import numpy as np

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.links import Links, links_of
from tongcheng.services.mobility.numbers import Bool, Int64, UInt16
from tongcheng.services.mobility.scan.layout import FOREVER, Desk, Room, Trail
from tongcheng.services.mobility.scan.model import Block, Question, Ways, Window, check
from tongcheng.services.mobility.scan.network import (
    Network,
    ahead,
    mirrored,
    mirrored_question,
    mirrored_ways,
    network_of,
    windowed,
)
from tongcheng.services.mobility.scan.room import (
    block_for,
    desk_for,
    room_for,
    terms_of,
    trail_for,
)
from tongcheng.services.mobility.timetable.model import Connections, Timetable

try:
    from tongcheng.services.mobility.scan import entry
except ModuleNotFoundError as missing:
    if missing.name != "numba":
        raise
    KERNEL = False
else:
    KERNEL = True

ROWS: Final = 8
"""Origins of a block: handing one out costs nothing beside it, and no thread is done long before
another."""
THREADS: Final = 2
FIRST_RIDE_S: Final = 60


def forward(
    timetable: Timetable,
    ways: Ways,
    question: Question,
    *,
    threads: int = THREADS,
    rows: int = ROWS,
) -> Iterator[Block]:
    """Return the times from all origins (rows) for departures at the instants, in blocks.

    A few blocks are in memory at a time, however many places there are.

    Raises:
        Refused: MOBILITY_EXTRA where numba is not installed.
    """
    return blocks(ahead(timetable), ways, question, threads=threads, rows=rows)


def backward(
    timetable: Timetable,
    ways: Ways,
    question: Question,
    *,
    threads: int = THREADS,
    rows: int = ROWS,
) -> Iterator[Block]:
    """Return the times to all destinations (rows) from all origins, for deadlines at the instants.

    The time at a deadline is counted from the latest departure that keeps it. One departs at t and
    is there by T in both directions or in neither, if T - t is not beyond the longest journey; so
    forward and backward differ in the instants that they take percentiles of, and in nothing else.

    Raises:
        Refused: MOBILITY_EXTRA where numba is not installed.
    """
    return blocks(mirrored(timetable), ways, question, threads=threads, rows=rows)


def blocks(
    network: Network,
    ways: Ways,
    question: Question,
    *,
    threads: int = THREADS,
    rows: int = ROWS,
) -> Iterator[Block]:
    """Return the blocks of a network that is ready, for who asks it again and again."""
    assert threads >= 1, "somebody computes"
    assert rows >= 1, "a block has a row"
    return _blocks(Scan(network, ways, question), threads, rows)


def profile(network: Network, ways: Ways, question: Question, origin: int) -> UInt16:
    """Return the times of one origin, or destination of a mirrored network: place by instant.

    Instants ascend, deadlines of a mirrored network too.

    Raises:
        Refused: MOBILITY_EXTRA where numba is not installed.
    """
    work = Scan(network, ways, question)
    table = np.empty((work.ways.egress.rows, question.window.instants), np.uint16)
    room, desk = work.room()
    entry.fill_profile(work.network, work.ways, origin, table, room, desk, work.terms)
    return table[:, ::-1] if network.mirrored else table


def trail(
    network: Network, ways: Ways, question: Question, layers: int, *, capped: bool
) -> tuple[Network, Trail]:
    """Return the trail of the one departure of a question, and the network that it is of.

    `layers` and `capped` are those of `kernel_journey`; `ways.access` has one origin.

    Raises:
        Refused: MOBILITY_EXTRA where numba is not installed.
    """
    work = Scan(network, ways, question)
    found = trail_for(work.network, layers)
    entry.fill_trail(work.network, work.ways, question.longest_s, found, (layers, capped))
    return work.network, found


def warm() -> None:
    """Compile, or load what an earlier process compiled, on a timetable of one ride.

    Raises:
        Refused: MOBILITY_EXTRA where numba is not installed.
    """
    _needs_kernel()
    no, yes = np.zeros(1, np.int32), np.ones(1, np.bool_)
    rides = Connections(no, no + 1, no, no + FIRST_RIDE_S, no, yes, yes)
    network = network_of(rides, links_of(2, [], [], []), 1)
    place = links_of(1, [0], [0], [0])
    ways = Ways(place, links_of(1, [0], [1], [0]), place)
    question = Question(Window(0, 60, 2), 600)
    assert len(list(blocks(network, ways, question, threads=1))) == 1
    assert profile(network, ways, question, 0).shape == (1, 2)
    assert trail(network, ways, question, 1, capped=False)[1].arrived_s[0, 1] == FIRST_RIDE_S


class Scan:
    """A question with all that its scans read, as the compiled entries know it.

    It can be sent to another process, which makes its own room to write in.

    Raises:
        Refused: MOBILITY_EXTRA where numba is not installed.
    """

    def __init__(self, network: Network, ways: Ways, question: Question) -> None:
        _needs_kernel()
        _check(network, ways, question)
        if network.mirrored:
            ways, question = mirrored_ways(ways), mirrored_question(question)
        near = windowed(network, question)
        self.network = near._replace(changes=_plain(near.changes), trip=near.trip.copy())
        self.ways = Ways(*map(_plain, ways))
        self.terms = terms_of(question)
        self._ranks: Int64 = np.array(question.ranks, np.int64)
        self._wanted: Bool = np.zeros(network.changes.rows, np.bool_)
        self._wanted[ways.egress.to] = True
        self._free: list[tuple[Room, Desk]] = []

    def __getstate__(self) -> dict[str, object]:
        """Return what is sent: the room stays here."""
        return {**self.__dict__, "_free": []}

    @property
    def origins(self) -> int:
        """How many rows there are in all."""
        return self.ways.access.rows

    def room(self) -> tuple[Room, Desk]:
        """Return what a thread writes: some that is free, or new."""
        try:
            return self._free.pop()
        except IndexError:
            room = room_for(self.network, self._wanted, self.terms)
            return room, desk_for(self.ways.egress.rows, self.terms)

    def block(self, first: int, rows: int) -> Block:
        """Return the answers of some rows; as many threads as like may ask at a time."""
        block = block_for(first, rows, self.ways.egress.rows, len(self._ranks))
        room, desk = self.room()
        entry.fill_block(self.network, self.ways, block, self._ranks, room, desk, self.terms)
        self._free.append((room, desk))
        return block


def _blocks(scan: Scan, threads: int, rows: int) -> Iterator[Block]:
    begun: deque[Future[Block]] = deque()
    with ThreadPoolExecutor(threads, "scan") as pool:
        try:
            for first in range(0, scan.origins, rows):
                # One block waits for each thread, so that none idles while an answer is taken.
                if len(begun) > 2 * threads:
                    yield begun.popleft().result()
                begun.append(pool.submit(scan.block, first, min(rows, scan.origins - first)))
            while begun:
                yield begun.popleft().result()
        finally:
            for each in begun:
                each.cancel()


def _plain(links: Links) -> Links:
    """Return links in memory of their own: compiled code knows one kind of array."""
    return Links(
        np.array(links.start, np.int64),
        np.array(links.to, np.int32),
        np.array(links.seconds, np.int32),
    )


def _needs_kernel() -> None:
    if not KERNEL:
        raise Refused("MOBILITY_EXTRA", package="numba")


def _check(network: Network, ways: Ways, question: Question) -> None:
    check(question)
    stops = network.changes.rows
    for links, columns in (
        (ways.access, stops),
        (ways.egress, stops),
        (ways.direct, ways.egress.rows),
    ):
        to = links.to
        assert not len(to) or (to.min() >= 0 and to.max() < columns), "a way leads to a row"
        assert not len(to) or links.seconds.max() < FOREVER, "a way takes less than for ever"
    assert ways.direct.rows == ways.access.rows, "a row of direct ways for each origin"
