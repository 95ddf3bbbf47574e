"""What the Chinese suite costs: signing every envelope, or one root over a batch of 64.

Envelopes as large as a `settle` with its four totals; everything is done as members do it: the
sender hashes the leaves into a tree and signs its root, the receiver hashes them again, builds the
inclusion path of each, and verifies. One suite and one form after the other, in turns.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from benchmarks.row import Row
from benchmarks.runs import quick, tell
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import DEFAULT_SUITE, SigningKey, Suite, suite
from tongcheng.kernel.suites_sm import sm_suite

BATCH = 64
ENVELOPE_BYTES = 2_500
SECONDS, QUICK_SECONDS = 1.0, 0.05
ROUNDS = 3
PRIVATE = bytes(range(1, 33))


class Speeds(NamedTuple):
    """Envelopes a second: signed and verified one by one, and by the batch."""

    each: float
    batch: float


def tree(of_suite: Suite, envelopes: Sequence[bytes]) -> list[list[bytes]]:
    """Return the levels of the RFC 6962 tree over the envelopes, hashed as the suite hashes.

    `tongcheng.kernel.merkle` is SHA-256's; here a batch is a power of two.
    """
    level = [of_suite.hash(b"\0" + envelope) for envelope in envelopes]
    levels = [level]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = [of_suite.hash(b"\1" + left + right) for left, right in pairs]
        levels.append(level)
    return levels


def paths(levels: list[list[bytes]]) -> list[list[bytes]]:
    """Return the inclusion path of every envelope."""
    return [
        [level[(place >> height) ^ 1] for height, level in enumerate(levels[:-1])]
        for place in range(len(levels[0]))
    ]


def one_by_one(key: SigningKey, envelopes: Sequence[bytes]) -> None:
    """Sign and verify each."""
    public = key.verify_key().public
    for envelope in envelopes:
        assert key.suite.verify(public, envelope, key.sign(envelope))


def by_batch(key: SigningKey, envelopes: Sequence[bytes]) -> None:
    """Sign and verify the root over all, and find the path of each."""
    root = tree(key.suite, envelopes)[-1][0]
    signature = key.sign(root)
    levels = tree(key.suite, envelopes)
    assert levels[-1][0] == root
    assert key.suite.verify(key.public, root, signature)
    assert len(paths(levels)) == len(envelopes)


def per_second(work: Callable[[], None], count: int, seconds: float) -> float:
    """Return how many of `count` things a piece of work does in a second."""
    work()
    done, begun = 0, time.perf_counter()
    while (taken := time.perf_counter() - begun) < seconds:
        work()
        done += count
    return done / taken


def speeds(suites: Sequence[Suite], seconds: float) -> list[Speeds]:
    """Return the best of three rounds of each suite; in every round all take their turn."""
    envelopes = [bytes((number,)) * ENVELOPE_BYTES for number in range(BATCH)]
    keys = [SigningKey(each, PRIVATE) for each in suites]
    best = [Speeds(0.0, 0.0) for _ in keys]
    for _ in range(ROUNDS):
        for place, key in enumerate(keys):
            each = per_second(partial(one_by_one, key, envelopes), BATCH, seconds)
            batch = per_second(partial(by_batch, key, envelopes), BATCH, seconds)
            best[place] = Speeds(max(best[place].each, each), max(best[place].batch, batch))
    return best


def measure() -> list[Row]:
    """Return the rows of the table of all benchmarks; nothing is promised of a suite not in use."""
    try:
        suites = [suite(DEFAULT_SUITE), sm_suite()]
    except Refused as refused:
        what = "SM2 signatures"
        return [Row("suites", what, float("nan"), "/s", note=f"not measured: {refused.code}")]
    default, sm = speeds(suites, QUICK_SECONDS if quick() else SECONDS)
    tell(f"Ed25519 {default}, SM2 {sm}")
    note = "nodes do not run on SM2; both sides on one core"
    return [
        Row(
            "suites",
            "SM2/SM3: envelopes signed and verified one by one",
            sm.each,
            "/s",
            reference="Ed25519/SHA-256",
            reference_figure=default.each,
            note=note,
        ),
        Row(
            "suites",
            f"SM2/SM3: envelopes in batches of {BATCH}, one signature over the root, with paths",
            sm.batch,
            "/s",
            reference="Ed25519/SHA-256",
            reference_figure=default.batch,
            note=f"× {sm.batch / sm.each:.0f} of one by one; {note}",
        ),
    ]


def main() -> None:
    """Measure and print."""
    for row in measure():
        print(f"{row.what:<80} {row.figure:>8.0f}/s, {row.reference} {row.reference_figure}")


if __name__ == "__main__":
    main()
