"""The compiled entries, kept between processes under the fingerprint of their sources."""

from collections.abc import Callable
from typing import Final

from tongcheng.kernel import jit
from tongcheng.services.mobility import links, numbers
from tongcheng.services.mobility.numbers import Int64, UInt16
from tongcheng.services.mobility.scan import (
    kernel,
    kernel_journey,
    layout,
    model,
    network,
    tables,
)
from tongcheng.services.mobility.scan.layout import Desk, Room, Terms, Trail
from tongcheng.services.mobility.scan.model import Block, Ways
from tongcheng.services.mobility.scan.network import Network

FILES: Final = tuple(
    str(module.__file__)
    for module in (
        jit,
        kernel,
        kernel_journey,
        layout,
        links,
        model,
        network,
        numbers,
        tables,
    )
)
"""Every file that the compiled entries rest on, beside this one."""

Fill = Callable[[Network, Ways, Block, Int64, Room, Desk, Terms], None]
Profile = Callable[[Network, Ways, int, UInt16, Room, Desk, Terms], None]
Journey = Callable[[Network, Ways, int, Trail, tuple[int, bool]], None]


def _entries(fingerprint: int) -> tuple[Fill, Profile, Journey]:
    # The fingerprint is kept in the closures, and so in the keys under which they are cached.
    def fill(
        rides: Network, ways: Ways, block: Block, ranks: Int64, room: Room, desk: Desk, terms: Terms
    ) -> None:
        if fingerprint != 0:
            for row in range(block.least.shape[0]):
                kernel.scan(rides, ways, block.first + row, room, terms)
                tables.reduce(room, ways, block.first + row, desk, block, ranks, terms)

    def profile(
        rides: Network, ways: Ways, origin: int, table: UInt16, room: Room, desk: Desk, terms: Terms
    ) -> None:
        if fingerprint != 0:
            kernel.scan(rides, ways, origin, room, terms)
            tables.profiles(room, ways, origin, desk, table, terms)

    def journey(
        rides: Network, ways: Ways, longest: int, trail: Trail, layers: tuple[int, bool]
    ) -> None:
        if fingerprint != 0:
            kernel_journey.journey_scan(rides, ways, longest, trail, layers)

    return jit.kept(fill), jit.kept(profile), jit.kept(journey)


fill_block, fill_profile, fill_trail = _entries(jit.fingerprint(__file__, *FILES))
"""Scan and reduce the origins of a block, write one's times, or one departure's trail: no GIL."""
