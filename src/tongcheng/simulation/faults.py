"""How much goes wrong, and the count of what did."""

import random
from collections import Counter
from typing import Literal

import msgspec

ProfileName = Literal["none", "usual", "heavy"]


class Profile(msgspec.Struct, frozen=True):
    """Chances (per event) and mean intervals (virtual seconds) of every kind of fault.

    `delayed` is of a message that takes seconds instead of milliseconds; reordering follows.
    A `*_every_s` of 0 never happens. `commit_crash` is the chance of a power cut in a commit.
    `away` is the chance that, once in a seed, a node is away for an hour. `gather_ms` is how long,
    at most, commands come together before a commit takes them all.
    """

    request_lost: float = 0
    reply_lost: float = 0
    duplicated: float = 0
    delayed: float = 0
    corrupted: float = 0
    commit_crash: float = 0
    checkpoint: float = 0.02
    checkpoint_crash: float = 0
    crash_every_s: float = 0
    partition_every_s: float = 0
    disk_full_every_s: float = 0
    skew_ms: int = 0
    away: float = 0
    gather_ms: int = 0


PROFILES: dict[ProfileName, Profile] = {
    "none": Profile(),
    "usual": Profile(
        request_lost=0.01,
        reply_lost=0.01,
        duplicated=0.02,
        delayed=0.02,
        corrupted=0.003,
        commit_crash=0.002,
        checkpoint_crash=0.02,
        crash_every_s=120,
        partition_every_s=90,
        disk_full_every_s=180,
        skew_ms=1_500,
        away=0.25,
        gather_ms=40,
    ),
    "heavy": Profile(
        request_lost=0.05,
        reply_lost=0.05,
        duplicated=0.08,
        delayed=0.10,
        corrupted=0.01,
        commit_crash=0.005,
        checkpoint_crash=0.05,
        crash_every_s=60,
        partition_every_s=45,
        disk_full_every_s=60,
        skew_ms=5_000,
        away=1,
        gather_ms=80,
    ),
}


class Chance:
    """One stream of chance: the same seed and the same name give the same stream."""

    def __init__(self, seed: int, name: str) -> None:
        self._random = random.Random(f"{seed}/{name}")

    def happens(self, chance: float) -> bool:
        """Tell whether something of this chance (0 to 1) happens now."""
        return self._random.random() < chance

    def between(self, least: float, most: float) -> float:
        """Return a number in [least, most)."""
        return least + (most - least) * self._random.random()

    def whole(self, least: int, most: int) -> int:
        """Return an integer in [least, most]; always one draw, whatever the range."""
        return least + int(self._random.random() * (most - least + 1))

    def pick(self, choices: list[str]) -> str:
        """Return one of the choices."""
        return choices[self.whole(0, len(choices) - 1)]

    def wait_s(self, mean_s: float) -> float:
        """Return a waiting time with this mean, exponentially distributed."""
        return self._random.expovariate(1 / mean_s)

    def bytes(self, count: int) -> bytes:
        """Return that many bytes."""
        return self._random.randbytes(count)


class Tally:
    """What happened, counted by kind, and what must never happen, in words."""

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()
        self.incidents: Counter[str] = Counter()

    def fault(self, kind: str) -> None:
        """Count one injected fault."""
        self.faults[kind] += 1

    def incident(self, what: str) -> None:
        """Count an error of ours that surfaced: a bug, whatever the books say."""
        self.incidents[what] += 1
