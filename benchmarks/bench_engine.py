"""The benefit engine: how quick, beside whom, and whether to the fen.

Speed is that of the shape which others can express too: Beijing's employees at home, deductible by
level, bands with the retired's share, the pool's yearly cap, the large-amount fund, the burden.
Ours walks each person's year and writes a trace row for every claim; the peers are given what the
year stood at with each claim, and write amounts only. Theirs is the time of computing, without
setting the claims; ours is all of `run`, with results written over earlier ones (`into`); what
fresh memory costs is a row of its own. The fen are counted on claims of every shipped book.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import engine_claims, engine_oracle, engine_peers
from benchmarks.engine_peers import OPENFISCA, POLICYENGINE, Compared
from benchmarks.peer import Peer, PeerError
from benchmarks.row import Row
from benchmarks.runs import not_measured, quick, tell
from tongcheng.services.settlement.batch import twin
from tongcheng.services.settlement.batch.arrays import Events, Results
from tongcheng.services.settlement.batch.plan import Plan, plan_of
from tongcheng.services.settlement.batch.run import BACKEND, run, warm

AREA = "engine"
TIMES_POLICYENGINE = 4
SIZES, QUICK_SIZES = (100_000, 1_000_000), (2_000,)
JUDGED, QUICK_JUDGED = 10_000_000, 20_000
CHUNK, QUICK_CHUNK = 1_000_000, 20_000
SAMPLE, QUICK_SAMPLE = 100_000, 500
TWIN_ROWS, QUICK_TWIN_ROWS = 20_000, 500
ROUNDS, SECONDS = 5, 1.0
"""A piece of work is done at least so often and so long; the best time counts, as for the peers."""
SEED = 20_261_123


class Said(NamedTuple):
    """What a peer gave: claims a second, the kind of its numbers, and how far it is from ours."""

    speed: float
    kind: str
    compared: Compared


def seconds(work: Callable[[], object], rounds: int = ROUNDS, long: float = SECONDS) -> float:
    """Return the best time of several."""
    times: list[float] = []
    while len(times) < rounds or sum(times) < long:
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def judged(
    plan: Plan, events: Events, threads: int = 1, into: Results | None = None
) -> float:  # fmt: skip
    """Return claims judged a second, with trace; `into` are results to be overwritten."""
    best = seconds(lambda: run(plan, events, trace=True, threads=threads, into=into))
    return len(events.person) / best


def copied(events: Events, results: Results) -> float:
    """Return claims a second if every byte of claims and results were only copied, by one core."""
    pairs = [(each, np.empty_like(each)) for each in (*events, *results)]

    def copy() -> None:
        for source, target in pairs:
            np.copyto(target, source)

    return len(events.person) / seconds(copy)


def asked(peer: Peer, plan: Plan, events: Events, results: Results) -> Said | str:
    """Return what a peer gave for the same claims, or why it gave nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine_peers.hand_over(folder, plan, events, results)
        try:
            told = engine_peers.ask(peer, folder)
        except PeerError as error:
            return str(error)
        wrong = engine_peers.compared(engine_peers.found_in(folder), results.amounts)
    return Said(len(events.person) / told.seconds, told.kind, wrong)


def speed_rows(rows: int) -> list[Row]:
    """Return the rows of one size: ours before and after the peers, on the same claims."""
    plan, events = engine_claims.shape_plan(), engine_claims.shape_claims(rows, SEED)
    results = run(plan, events, trace=True)
    assert not results.code.any(), "every claim of the shape is judged"
    kept = run(plan, events, trace=True)
    ours, two = judged(plan, events, into=kept), judged(plan, events, threads=2, into=kept)
    said = {peer: asked(peer, plan, events, results) for peer in (POLICYENGINE, OPENFISCA)}
    ours = max(ours, judged(plan, events, into=kept))
    two = max(two, judged(plan, events, threads=2, into=kept))
    fresh = judged(plan, events)
    tell(f"{rows} claims: {ours:.0f}/s, two threads {two:.0f}/s, peers {said}")
    what = f"{rows:,} claims with state and trace, {BACKEND}, one core"
    told = []
    for peer in (POLICYENGINE, OPENFISCA):
        told += peer_rows(peer, said[peer], what, rows, ours)
    copy = copied(events, results)
    return [
        *told,
        Row(AREA, what, ours, "/s", reference="copying their bytes", reference_figure=copy),
        Row(
            AREA,
            f"{rows:,} claims, results in fresh memory, one core",
            fresh,
            "/s",
            reference="results written over earlier ones",
            reference_figure=ours,
        ),
        Row(
            AREA,
            f"{rows:,} claims with state and trace, {BACKEND}, two threads",
            two,
            "/s",
            reference="one core",
            reference_figure=ours,
        ),
    ]


def peer_rows(peer: Peer, said: Said | str, what: str, rows: int, ours: float) -> list[Row]:
    """Return ours beside a peer, and what the peer pays wrong; promised is only the first one's."""
    promised = peer is POLICYENGINE
    name = f"{peer.title} {peer.version}"
    if isinstance(said, str):
        if promised:
            return [not_measured(AREA, f"{what}, beside {name}", "/s", 0, said)]
        return [Row(AREA, what, ours, "/s", reference=name, note=f"not measured: {said}")]
    target = TIMES_POLICYENGINE * said.speed if promised else None
    note = ""
    if promised and ours < TIMES_POLICYENGINE * said.speed:
        note = f"× {ours / said.speed:.1f} instead of {TIMES_POLICYENGINE}"
    wrong, most = said.compared
    return [
        Row(
            AREA,
            what,
            ours,
            "/s",
            target,
            reference=name,
            reference_figure=said.speed,
            note=note,
        ),
        Row(
            AREA,
            f"{name}: claims with a wrong fen of {rows:,}",
            wrong,
            "claims",
            note=f"{wrong / rows:.1%}; by up to {most} fen; it computes in {said.kind}",
        ),
    ]


def twin_row(rows: int) -> Row:
    """Return the speed of the pure-Python twin, which computes where numba is not there."""
    plan, events = engine_claims.shape_plan(), engine_claims.shape_claims(rows, SEED)
    speed = rows / seconds(lambda: twin.run(plan, events, trace=True), 1, 0)
    return Row(AREA, "the pure-Python twin with trace, one core", speed, "/s")


def fen_rows(wanted: int, chunk: int, sample: int) -> list[Row]:
    """Return how many fen are wrong: of all claims by columns, of a sample by the clerk."""
    books = engine_claims.books()
    plan = plan_of(books)
    count = rows = wrong = looked = differ = 0
    while count < wanted:
        events = engine_claims.random_claims(plan, chunk, SEED + rows)
        results = run(plan, events, trace=True, threads=2)
        wrong += engine_oracle.wrong_of(plan, events, results)
        if not rows:
            looked, differ = engine_oracle.wrong_in_sample(plan, books, events, results, sample)
        rows, count = rows + chunk, count + int((results.code == 0).sum())
        tell(f"{count} of {rows} claims judged, {wrong} wrong; the clerk: {differ} of {looked}")
    apart = f"{rows - count:,} more were refused, most for figures that drafts do not know"
    return [
        Row(
            AREA,
            f"wrong claims of {count:,} judged, all shipped books, voids, filings, caps",
            wrong,
            "claims",
            0,
            "at most",
            "exact columns in int64, fractions where a cap bites",
            note=f"state, deductible, pool, large fund, burden; {apart}",
        ),
        Row(
            AREA,
            f"of {looked:,} of them, refusals too: claims on which a clerk differs",
            differ,
            "claims",
            0,
            "at most",
            "fractions from the YAML, own accumulators",
            note="every amount that moves, every refusal's code",
        ),
    ]


def measure() -> list[Row]:
    """Return the rows of the table of all benchmarks."""
    tell(f"the engine computes by {warm()}")
    small = quick()
    rows = [row for size in (QUICK_SIZES if small else SIZES) for row in speed_rows(size)]
    rows.append(twin_row(QUICK_TWIN_ROWS if small else TWIN_ROWS))
    if small:
        return rows + fen_rows(QUICK_JUDGED // 2, QUICK_CHUNK, QUICK_SAMPLE)
    return rows + fen_rows(JUDGED, CHUNK, SAMPLE)


def main() -> None:
    """Measure and print."""
    for row in measure():
        told = "" if row.reference_figure is None else f" {row.reference_figure:,.0f}"
        print(f"{row.what}: {row.figure:,.0f} {row.unit}; {row.reference}{told}; {row.note}")


if __name__ == "__main__":
    main()
