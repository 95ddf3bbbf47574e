"""The benchmark of the engine would see a wrong fen, and compares like with like."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import engine_claims, engine_oracle, engine_peers
from benchmarks.bench_engine import peer_rows
from benchmarks.engine_peers import OPENFISCA, POLICYENGINE, Compared
from tongcheng.services.settlement.batch import arrays, trace_columns
from tongcheng.services.settlement.batch.arrays import VOID, Events, Results
from tongcheng.services.settlement.batch.codes import CODE_OF
from tongcheng.services.settlement.batch.plan import plan_of
from tongcheng.services.settlement.batch.run import run

BOOKS = engine_claims.books()
PLAN = plan_of(BOOKS)
EVENTS = engine_claims.random_claims(PLAN, 3_000, seed=5)
WALKED = 300


@pytest.fixture(scope="module")
def results() -> Results:
    """Return what the kernel says of random claims of every shipped book."""
    return run(PLAN, EVENTS, trace=True)


def changed(results: Results, name: str, row: int, column: int, by: int = 1) -> Results:
    """Return the results with one number off."""
    table = getattr(results, name).copy()
    table[row, column] += by
    return results._replace(**{name: table})


def settled(events: Events, results: Results, rows: int) -> int:
    """Return an early row that was settled and paid by the pool, and is not taken back."""
    paid = (results.code == 0) & (events.kind != VOID) & ~results.voided
    return int(np.flatnonzero(paid[:rows] & (results.amounts[:rows, arrays.POOL_FEN] > 0))[0])


def test_the_claims_reach_what_is_hard(results: Results) -> None:
    """Caps that bite, voids, refusals, filings, several years of one person."""
    judged = results.code == 0

    assert judged.mean() > 0.5
    assert (results.marks[judged, trace_columns.POOL_RATIO] > 1).any()
    assert (results.amounts[judged, arrays.LARGE_FEN] > 0).any()
    assert (judged & (EVENTS.kind == VOID)).any()
    assert (results.code == CODE_OF["RULE_UNKNOWN"]).any()
    assert (results.marks[judged, trace_columns.CUT_POINTS] > 0).any()
    assert set(results.year[judged]) >= {2025, 2026}


def test_both_oracles_agree_with_the_kernel(results: Results) -> None:
    """By columns on every claim, by the clerk on whole persons."""
    assert engine_oracle.wrong_of(PLAN, EVENTS, results) == 0
    rows, wrong = engine_oracle.wrong_in_sample(PLAN, BOOKS, EVENTS, results, WALKED)

    assert WALKED <= rows < WALKED + 30
    assert wrong == 0


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("amounts", arrays.DEDUCTIBLE_FEN),
        ("amounts", arrays.POOL_FEN),
        ("amounts", arrays.LARGE_FEN),
        ("amounts", arrays.BURDEN_FEN),
        ("amounts", arrays.CATASTROPHIC_FEN),
        ("amounts", arrays.PERSON_IN_SCOPE_FEN),
        *(("trace", trace_columns.BEFORE + at) for at in range(7)),
    ],
)
def test_one_wrong_fen_is_seen_by_columns(results: Results, table: str, column: int) -> None:
    """Whichever amount it is, and whatever of the year is told falsely."""
    row = settled(EVENTS, results, len(EVENTS.person))

    assert engine_oracle.wrong_of(PLAN, EVENTS, changed(results, table, row, column)) > 0


@pytest.mark.parametrize("column", range(arrays.CATASTROPHIC_EXPECTED_FEN))
def test_one_wrong_fen_is_seen_by_the_clerk(results: Results, column: int) -> None:
    """Any amount that moves, also one that only tells of rounding."""
    row = settled(EVENTS, results, WALKED)
    off = changed(results, "amounts", row, column)

    assert engine_oracle.wrong_in_sample(PLAN, BOOKS, EVENTS, off, WALKED)[1] == 1


def test_a_void_that_gives_back_too_little_is_seen(results: Results) -> None:
    """A void is the exact negative of its claim."""
    row = int(np.flatnonzero((results.code == 0) & (EVENTS.kind == VOID))[-1])

    assert engine_oracle.wrong_of(PLAN, EVENTS, changed(results, "amounts", row, 0)) > 0


@pytest.mark.parametrize("code", ["", "RULE_UNKNOWN", "RULE_BOOK_MISSING"])
def test_a_false_refusal_is_seen_by_the_clerk(results: Results, code: str) -> None:
    """What is refused, and why, is part of the answer."""
    refused = results.code.copy()
    row = int(np.flatnonzero(refused[:WALKED] == CODE_OF["RULE_UNKNOWN"])[0])
    other = settled(EVENTS, results, WALKED)
    refused[row if code in {"", "RULE_BOOK_MISSING"} else other] = CODE_OF[code]
    off = results._replace(code=refused)

    assert engine_oracle.wrong_in_sample(PLAN, BOOKS, EVENTS, off, WALKED)[1] >= 1


def test_peers_are_given_the_same_figures_and_claims(tmp_path: Path) -> None:
    """Yuan of the shipped book, its retired share, and what the year stood at with each claim."""
    plan, events = engine_claims.shape_plan(), engine_claims.shape_claims(500, seed=1)
    results = run(plan, events, trace=True)
    engine_peers.hand_over(tmp_path, plan, events, results)
    terms = json.loads((tmp_path / "terms.json").read_text("utf-8"))

    assert not results.code.any()
    assert (terms["first"]["3"], terms["later"]["3"]) == (1300, 650)
    assert (terms["retired_share"], terms["pool_cap"]) == (0.6, 100_000)
    assert terms["bands"]["3"][1] == {"from": 30_000, "rate": 0.9}
    assert (terms["large_active"], terms["large_retired"]) == (0.85, 0.8)
    for name, kind in (("in_scope", "f8"), ("pool_paid", "f8"), ("level", "i4"), ("retired", "b1")):
        assert np.load(tmp_path / f"{name}.npy").dtype == np.dtype(kind)
    assert (np.load(tmp_path / "in_scope.npy") * 100).round().tolist() == (
        events.in_scope_fen.tolist()
    )


def test_differences_are_counted_by_claim() -> None:
    """A claim with two wrong amounts is one wrong claim; the largest difference is told."""
    ours = np.zeros((3, 12), np.int64)
    ours[:, arrays.POOL_FEN] = 100
    found = {name: ours[:, at].astype(np.float64) for name, at in engine_peers.ASKED.items()}
    found["pool"] = found["pool"] + np.array([0.0, 1.0, -7.0])
    found["burden"] = found["burden"] - np.array([0.0, 1.0, -7.0])

    assert engine_peers.compared(found, ours) == Compared(2, 7)


def test_a_peer_that_does_not_run_keeps_no_promise() -> None:
    """Of the one that is promised against; the other is told."""
    [promised] = peer_rows(POLICYENGINE, "no network", "claims", 10, 5.0)
    [told] = peer_rows(OPENFISCA, "no network", "claims", 10, 5.0)

    assert (promised.holds, promised.note) == (False, "not measured: no network")
    assert (told.holds, told.note) == (None, "not measured: no network")
