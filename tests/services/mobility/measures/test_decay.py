"""Weights are what the formulas say, the same to the last bit everywhere, and never grow."""

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.measures.decay import (
    UNIT,
    Decay,
    Exponential,
    Gaussian,
    InversePower,
    Steps,
    weights,
    within,
)
from tongcheng.services.mobility.numbers import UNREACHED

ZONES = Steps((600, 1_200, 1_800), (1_000_000, 680_000, 220_000))

DECAYS: st.SearchStrategy[Decay] = st.one_of(
    st.builds(Exponential, st.integers(1, 9_000)),
    st.builds(InversePower, st.integers(1, 900), st.integers(1, 400)),
    st.builds(Gaussian, st.integers(1, 9_000)),
    st.just(ZONES),
    st.builds(within, st.integers(0, 9_000)),
)


@given(DECAYS, st.integers(0, 900))
@settings(max_examples=40, deadline=None)
def test_weights_fall_from_one_to_nothing(decay: Decay, horizon_s: int) -> None:
    """At no distance all counts; farther counts no more; beyond the horizon nothing does."""
    made = weights(decay, horizon_s)

    assert len(made) == UNREACHED + 1
    assert made[0] == UNIT
    assert (np.diff(made) <= 0).all()
    assert not made[horizon_s + 1 :].any()
    assert made[UNREACHED] == 0


@pytest.mark.parametrize(
    ("decay", "second", "expected"),
    [
        (Exponential(1_800), 1_800, math.exp(-1)),
        (Exponential(1_800), 3_600, math.exp(-2)),
        (InversePower(60, 200), 59, 1.0),
        (InversePower(60, 200), 120, 0.25),
        (InversePower(60, 150), 240, 0.125),
        (Gaussian(1_200), 1_200, math.exp(-0.5)),
        (Gaussian(1_200), 3_600, math.exp(-4.5)),
        (ZONES, 600, 1.0),
        (ZONES, 601, 0.68),
        (ZONES, 1_800, 0.22),
        (ZONES, 1_801, 0.0),
        (within(3_600), 3_600, 1.0),
        (within(3_600), 3_601, 0.0),
    ],
)
def test_a_weight_is_the_formula_s(decay: Decay, second: int, expected: float) -> None:
    """Each form at a point that can be computed by hand; a border belongs to the nearer zone."""
    assert weights(decay, 7_200)[second] == round(expected * UNIT)


def test_every_weight_is_the_same_on_every_machine() -> None:
    """The bytes are known, so a processor that computed another weight would be seen here."""
    made = [Exponential(1_800), InversePower(60, 150), Gaussian(1_200)]
    digest = hashlib.sha256(b"".join(weights(each, 7_200).tobytes() for each in made)).hexdigest()

    assert digest == "d9e4c18f4eaafce92d445a21edca314fa9fec59b39fb815d3ebdce099066e671"


@pytest.mark.parametrize(
    ("decay", "horizon_s", "code"),
    [
        (Exponential(0), 60, "MOBILITY_PARAMETER"),
        (Exponential(60), UNREACHED, "MOBILITY_PARAMETER"),
        (Exponential(60), -1, "MOBILITY_PARAMETER"),
        (InversePower(0, 100), 60, "MOBILITY_PARAMETER"),
        (InversePower(60, 0), 60, "MOBILITY_PARAMETER"),
        (Gaussian(-5), 60, "MOBILITY_PARAMETER"),
        (Steps((), ()), 60, "MOBILITY_ORDER"),
        (Steps((600, 600), (2, 1)), 60, "MOBILITY_ORDER"),
        (Steps((600, 1_200), (1,)), 60, "MOBILITY_STEPS"),
        (Steps((600, 1_200), (1, 2)), 60, "MOBILITY_STEPS"),
        (Steps((600,), (1_000_001,)), 60, "MOBILITY_PARAMETER"),
    ],
)
def test_a_decay_that_is_none_is_refused(decay: Decay, horizon_s: int, code: str) -> None:
    """Each with the code that says which rule it breaks."""
    with pytest.raises(Refused) as refusal:
        weights(decay, horizon_s)

    assert refusal.value.code == code
