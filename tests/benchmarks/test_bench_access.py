"""The benchmark of access would see one wrong figure, and its measures are the peer's."""

import numpy as np
import pytest

from benchmarks import bench_access
from benchmarks.bench_access import Told, apart, compared, instance, timed
from benchmarks.peer import PeerError, run

GIVEN = instance(40, 9, 1)
TOLD = Told(floating_s=1.0, enhanced_s=1.0, gravity_s=1.0, gini=0.5, theil=0.5)


def test_the_instance_reaches_what_is_hard() -> None:
    """Pairs without a journey, beyond the threshold, and in every zone."""
    zones = np.searchsorted([*bench_access.STEPS.until_s, 65_534], GIVEN.seconds)

    assert set(zones.ravel().tolist()) == {0, 1, 2, 3, 4}


def test_one_wrong_figure_is_seen() -> None:
    """By a part in a thousand million."""
    ours = timed(lambda: bench_access.shared(GIVEN, bench_access.STEPS))
    wrong = ours.figures.copy()
    wrong[int(wrong.argmax())] *= 1 + 1e-9

    assert compared("enhanced", ours, ours.figures, TOLD, GIVEN)[0].holds
    row = compared("enhanced", ours, wrong, TOLD, GIVEN)[0]
    assert (row.figure, row.holds) == (1, False)
    assert apart(np.array([0.5, 0.5]), np.array([0.5, 0.5 + 1e-11])) == 1


def test_a_peer_that_can_not_be_run_keeps_no_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that says why, and not a row less."""

    def fails(*_: object) -> Told:
        raise PeerError("FAILED", "no network")

    monkeypatch.setattr(bench_access, "ask", fails)
    monkeypatch.setattr(bench_access, "quick", lambda: True)
    (row,) = bench_access.measure()

    assert row.holds is False
    assert "no network" in row.note


def test_what_a_command_said_last_is_told() -> None:
    """A peer's failure is found in the table, not in a log."""
    with pytest.raises(PeerError, match="nothing here"):
        run(["/bin/sh", "-c", "echo nothing here >&2; exit 3"])
