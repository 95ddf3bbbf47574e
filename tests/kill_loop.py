"""Kill a random node at random moments while stays are being settled; look at what is left.

Three real processes, stays over the public HTTP interface, `kill -9`, restart. The hospitals'
systems retry as real ones do: the same msgid, a new msgid, or a reversal first. At the end nothing
may be one-sided, the ledgers mirror to the fen, every stay is as the hospital was told, and every
journal verifies. `make kill` plays 20 rounds of 200 stays; the test suite a short one.
"""

import argparse
import asyncio
import random
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tongcheng.cli.books import reconcile_nodes
from tongcheng.cli.demo.course import Outcome
from tongcheng.cli.demo.his import Habits
from tongcheng.cli.demo.play import Summary, plan, play_all, summarise, unaccounted
from tongcheng.cli.demo.region import lay_out
from tongcheng.kernel.journal.verify import verify
from tongcheng.node import files
from tongcheng.node.core import open_database
from tongcheng.node.launch import NodeProcess, await_ready, spawn
from tongcheng.node.services import SERVICES

QUIET_WITHIN_S = 60.0
FIRST_PORT, LAST_PORT = 20_000, 32_000
"""Below the range from which systems give ports to outgoing connections."""


@dataclass
class Report:
    """What one round came to; `wrong` is empty when everything holds."""

    kills: int = 0
    summary: Summary | None = None
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


def free_ports(count: int) -> int:
    """Return the first of so many consecutive ports that nobody listens on."""
    while True:
        first = random.randrange(FIRST_PORT, LAST_PORT)
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first


class Killer:
    """Kills a random node after a random while, and starts it again."""

    def __init__(
        self, nodes: dict[str, NodeProcess], dice: random.Random, *, kills: int, every_s: float
    ) -> None:
        self._nodes = nodes
        self._dice = dice
        self._left = kills
        self._every_s = every_s
        self.kills = 0

    async def run(self) -> None:
        """Kill and restart until the kills are used up."""
        while self._left > 0:
            await asyncio.sleep(self._dice.uniform(0.2, 1.0) * self._every_s)
            member = self._dice.choice(sorted(self._nodes))
            self._nodes[member].kill()
            self.kills += 1
            self._left -= 1
            await asyncio.sleep(self._dice.uniform(0.0, 0.5))
            self._nodes[member] = spawn(self._nodes[member].directory)
            await asyncio.to_thread(await_ready, self._nodes[member], ready_within_s=60.0)


def play_round(folder: Path, *, seed: int, stays: int, kills: int, every_s: float = 2.0) -> Report:
    """Play one round in an empty folder and return what it came to."""
    report = Report()
    demo = lay_out(folder, "jingjinji", port=free_ports(3))
    planned = plan(demo, seed=seed, count=stays)
    habits = Habits(f"habits {seed}")
    nodes: dict[str, NodeProcess] = {}
    begun = time.monotonic()
    try:
        for started in [spawn(directory) for directory in demo.directories]:
            nodes[started.member_id] = started
        for started in nodes.values():
            await_ready(started, ready_within_s=60.0)
        urls = {member: started.url for member, started in nodes.items()}
        killer = Killer(nodes, random.Random(seed), kills=kills, every_s=every_s)

        async def both() -> list[Outcome]:
            killing = asyncio.create_task(killer.run())
            outcomes = await play_all(
                demo, urls, planned, told=lambda _outcome: None, habits=habits
            )
            await killing
            return outcomes

        outcomes = asyncio.run(both())
        report.kills = killer.kills
        report.summary = summarise(outcomes, habits.retries)
        _await_quiet(demo.directories)
    finally:
        for started in nodes.values():
            started.stop()
    report.wrong = look(demo.directories) + unaccounted(demo.directories, planned, outcomes)
    report.seconds = time.monotonic() - begun
    return report


def _await_quiet(directories: Sequence[Path]) -> None:
    until = time.monotonic() + QUIET_WITHIN_S
    while time.monotonic() < until:
        if not any(pair.in_flight for pair in reconcile_nodes(directories).pairs):
            return
        time.sleep(0.3)


def look(directories: Sequence[Path]) -> list[str]:
    """Return everything that is wrong in the books of nodes that have stopped."""
    wrong = []
    for pair in reconcile_nodes(directories).pairs:
        where = f"{pair.visited_member} → {pair.insured_member}"
        wrong += [f"{where}: {one}" for one in pair.findings]
        wrong += [f"{where}: {line}" for line in pair.purses if line.difference_fen]
    for directory in directories:
        home = files.open_home(directory)
        database = open_database(directory, home.ring.mac_key)
        try:
            found = verify(database, home, SERVICES)
        finally:
            database.close()
        wrong += [f"{directory.name}: {one}" for one in found.findings]
    return wrong


def main() -> int:
    """Play rounds from the command line; 0 when nothing was wrong in any of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--stays", type=int, default=200)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--every", type=float, default=2.0, help="seconds between kills, at most")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    bad = 0
    for seed in range(given.seed, given.seed + given.rounds):
        folder = Path(tempfile.mkdtemp(prefix="tongcheng-kill-"))
        report = play_round(
            folder, seed=seed, stays=given.stays, kills=given.kills, every_s=given.every
        )
        counts = report.summary
        assert counts is not None
        sys.stdout.write(
            f"seed {seed}: {report.kills} kills, {counts.stays} stays, {counts.settled} settled, "
            f"{sum(counts.refused.values())} refused, {counts.cancelled} cancelled, "
            f"{counts.retries} retries, {len(report.wrong)} wrong, {report.seconds:.0f} s\n"
        )
        for problem in report.wrong:
            sys.stdout.write(f"  {problem}\n")
        sys.stdout.flush()
        if report.wrong:
            bad += 1
            sys.stdout.write(f"  kept: {folder}\n")
        else:
            shutil.rmtree(folder)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
