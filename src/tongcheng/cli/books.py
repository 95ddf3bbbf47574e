"""Opening the books of several nodes at once, running or not, to compare them."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec

from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.home import Home
from tongcheng.kernel.recall import recall
from tongcheng.kernel.store import Database
from tongcheng.node.core import open_database
from tongcheng.node.files import open_home
from tongcheng.services.settlement.reconcile import Comparison, Side, Source, compare
from tongcheng.services.settlement.sides import answered_side, insured_side, visited_side


class Books(NamedTuple):
    """One node's store, opened for reading."""

    home: Home
    database: Database


class Reconciled(msgspec.Struct, frozen=True):
    """All pairs of a region; `unread` are pairs (visited, insured) whose visited side is away."""

    pairs: tuple[Comparison, ...]
    unread: tuple[tuple[str, str], ...]

    @property
    def mirrored(self) -> bool:
        """Tell whether every pair that could be read is equal apart from what is in flight."""
        return all(pair.mirrored for pair in self.pairs)


def reconcile_nodes(directories: Sequence[Path], *, passphrase: bytes | None = None) -> Reconciled:
    """Compare every pair of members whose visited side has its node in one of the directories.

    All visited sides are read before any insured side, so that what goes on meanwhile is in
    flight and not a difference. An insured side without a node here is taken from its answers.
    """
    clock = SystemClock()
    with ExitStack() as stack:
        nodes: dict[str, Books] = {}
        for directory in directories:
            home = open_home(directory, passphrase=passphrase)
            database = open_database(directory, home.ring.mac_key)
            stack.callback(database.close)
            with database.snapshot() as snapshot:
                recall(home, snapshot, clock.now())
            nodes[home.member_id] = Books(home, database)
        here = {pair: _visited(nodes[pair[0]], pair[1], clock.now()) for pair in _pairs(nodes)}
        compared = []
        for (visited, insured), (own, told) in here.items():
            there = told
            if insured in nodes:
                with nodes[insured].database.snapshot() as snapshot:
                    there = insured_side(snapshot, visited, clock.now())
            source: Source = "books" if insured in nodes else "answers"
            now_at = clock.now()
            compared.append(compare(visited, insured, own, there, now_at=now_at, source=source))
    return Reconciled(tuple(compared), tuple(_unread(nodes)))


def _pairs(nodes: dict[str, Books]) -> list[tuple[str, str]]:
    return [
        (visited, insured)
        for visited, books in nodes.items()
        for insured in books.home.accord.peers(visited)
    ]


def _unread(nodes: dict[str, Books]) -> list[tuple[str, str]]:
    return [
        (visited, insured)
        for insured, books in nodes.items()
        for visited in books.home.accord.peers(insured)
        if visited not in nodes
    ]


def _visited(books: Books, insured_member: str, read_at: int) -> tuple[Side, Side]:
    """Return the visited side's own rows, and what it was told, from one snapshot."""
    with books.database.snapshot() as snapshot:
        own = visited_side(snapshot, insured_member, read_at)
        told = answered_side(snapshot, books.home.ring, insured_member, read_at)
    return own, told
