"""Power cuts under load, in short: real processes, `kill -9`, nothing one-sided."""

from pathlib import Path

import pytest

from tests.kill_loop import play_round


@pytest.mark.timeout(300)
def test_killed_nodes_lose_and_double_nothing(tmp_path: Path) -> None:
    """40 stays, three kills of random nodes: mirrored, accounted for, every journal verifies."""
    report = play_round(tmp_path / "region", seed=11, stays=40, kills=3, every_s=1.0)

    assert report.wrong == []
    assert report.kills == 3
    assert report.summary is not None
    assert report.summary.stays == 40
    assert report.summary.settled > 20
