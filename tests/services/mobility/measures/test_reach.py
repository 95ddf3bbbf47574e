"""What is reached equals the slow twins, grows with time, and does not care how rows are cut."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.mobility.measures.tables import (
    Table,
    cuts,
    random_table,
    tables,
    weighted_naively,
)
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.measures.decay import UNIT, Exponential, weights, within
from tongcheng.services.mobility.measures.parameters import TOTAL_MAX
from tongcheng.services.mobility.measures.reach import (
    Collected,
    Gravity,
    Measure,
    TimeToKth,
    Within,
)
from tongcheng.services.mobility.numbers import UNREACHED, Int64, UInt16

TIMES = [0, 255, 256, 600, 3_600, 65_279, 65_280, 65_534]
KTH = [1, 2, 10, 100_000, 3_000_000]
DECAY = Exponential(1_800)
HORIZON_S = 9_000


def within_naively(seconds: UInt16, counts: Int64, times: Sequence[int]) -> list[list[int]]:
    """Count by comparing every pair with every time."""
    return [[int(counts[row <= time].sum()) for time in times] for row in seconds]


def kth_naively(seconds: UInt16, counts: Int64, kth: Sequence[int]) -> list[list[int]]:
    """Sort each row and walk it."""
    found = []
    for row in seconds:
        order = sorted((int(time), int(count)) for time, count in zip(row, counts, strict=True))
        reached = [(time, count) for time, count in order if time != UNREACHED]
        totals = np.cumsum([count for _, count in reached]).tolist()
        found.append(
            [
                next(
                    (t for (t, _), total in zip(reached, totals, strict=True) if total >= k),
                    UNREACHED,
                )
                for k in kth
            ]
        )
    return found


@given(tables())
@settings(deadline=None)
def test_within_is_its_twin_and_grows_with_time(table: Table) -> None:
    """A border belongs inside; what is not reached is within no time."""
    made = Within(table.counts, TIMES).of(table.seconds)

    assert made.tolist() == within_naively(table.seconds, table.counts, TIMES)
    assert (np.diff(made, axis=1) >= 0).all()


@given(tables())
@settings(deadline=None)
def test_the_kth_closest_is_its_twin_and_is_no_nearer_for_more(table: Table) -> None:
    """Equal times, empty places and the bytes of seconds are all met."""
    made = TimeToKth(table.counts, KTH).of(table.seconds)

    assert made.tolist() == kth_naively(table.seconds, table.counts, KTH)
    assert (np.diff(made.astype(np.int64), axis=1) >= 0).all()


@given(tables())
@settings(deadline=None)
def test_the_kth_closest_and_within_say_the_same(table: Table) -> None:
    """Within the time to the k-th there are k; a second sooner there are fewer."""
    for row, times in zip(
        table.seconds, TimeToKth(table.counts, KTH).of(table.seconds), strict=True
    ):
        for k, time in zip(KTH, times.tolist(), strict=True):
            if time != UNREACHED:
                assert table.counts[row <= time].sum() >= k
                assert time == 0 or table.counts[row <= time - 1].sum() < k


@given(tables())
@settings(deadline=None)
def test_gravity_is_exact(table: Table) -> None:
    """The sum in whole numbers equals Python's, and is rounded once."""
    gravity, table_of = Gravity(table.counts, DECAY, HORIZON_S), weights(DECAY, HORIZON_S)
    exact = [weighted_naively(row, table.counts, table_of, 0) for row in table.seconds]

    assert gravity.exact(table.seconds).tolist() == exact
    assert gravity.of(table.seconds).tolist() == [total / UNIT for total in exact]


@given(tables())
@settings(deadline=None)
def test_gravity_with_a_threshold_counts_opportunities(table: Table) -> None:
    """The cumulative measure is gravity with the weights 1 and 0."""
    gravity = Gravity(table.counts, within(3_600), HORIZON_S)

    assert gravity.exact(table.seconds).tolist() == [
        count * UNIT for (count,) in within_naively(table.seconds, table.counts, [3_600])
    ]


@pytest.mark.parametrize(
    "measure",
    [
        lambda counts: Within(counts, TIMES),
        lambda counts: TimeToKth(counts, KTH),
        lambda counts: Gravity(counts, DECAY, HORIZON_S),
    ],
    ids=["within", "kth", "gravity"],
)
@given(tables(), st.lists(st.integers(0, 6)))
@settings(deadline=None)
def test_the_cut_into_blocks_changes_nothing(measure: object, table: Table, at: list[int]) -> None:
    """Bit for bit, whatever the blocks."""
    made: Measure[Int64] = measure(table.counts)  # type: ignore[operator]  # a list of lambdas
    whole, cut = Collected(made), Collected(made)
    whole.add(table.seconds)
    for part in cuts(len(table.seconds), at):
        cut.add(table.seconds[part])

    assert whole.result().dtype == cut.result().dtype
    assert whole.result().tobytes() == cut.result().tobytes()


def test_large_rows_are_their_twins_too() -> None:
    """Long enough for what a compiler does with many columns at once."""
    table = random_table(7, 5, 1_003)
    table_of = weights(DECAY, HORIZON_S)
    gravity = Gravity(table.counts, DECAY, HORIZON_S)

    assert Within(table.counts, TIMES).of(table.seconds).tolist() == within_naively(
        table.seconds, table.counts, TIMES
    )
    assert TimeToKth(table.counts, KTH).of(table.seconds).tolist() == kth_naively(
        table.seconds, table.counts, KTH
    )
    assert gravity.exact(table.seconds).tolist() == [
        weighted_naively(row, table.counts, table_of, 0) for row in table.seconds
    ]


def test_the_most_opportunities_are_still_exact() -> None:
    """At the bound of totals the weighed sum stays within 64 bits; above it is refused."""
    seconds = np.zeros((1, 2), np.uint16)
    half = TOTAL_MAX // 2
    gravity = Gravity(np.array([half, TOTAL_MAX - half]), DECAY, HORIZON_S)

    assert gravity.exact(seconds).tolist() == [TOTAL_MAX * UNIT]
    with pytest.raises(Refused, match="MOBILITY_COUNTS"):
        Gravity(np.array([half, TOTAL_MAX - half + 1]), DECAY, HORIZON_S)


@pytest.mark.parametrize(
    ("times", "code"),
    [
        ([], "MOBILITY_ORDER"),
        ([60, 60], "MOBILITY_ORDER"),
        ([120, 60], "MOBILITY_ORDER"),
        ([-1], "MOBILITY_PARAMETER"),
        ([UNREACHED], "MOBILITY_PARAMETER"),
        ([True], "MOBILITY_PARAMETER"),
    ],
)
def test_times_that_are_none_are_refused(times: list[int], code: str) -> None:
    """A time that stands for no journey would count what is not reached."""
    with pytest.raises(Refused) as refusal:
        Within(np.array([1]), times)

    assert refusal.value.code == code


def test_less_than_nothing_is_refused() -> None:
    """A negative count could make more access less."""
    with pytest.raises(Refused, match="MOBILITY_COUNTS"):
        TimeToKth(np.array([3, -1]), [1])
