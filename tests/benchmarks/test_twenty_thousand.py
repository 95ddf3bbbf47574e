"""The data that the pages are measured on: real stays, spread over time, all books mirrored."""

from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import twenty_thousand
from benchmarks.in_process import MovedClock
from benchmarks.twenty_thousand import DAYS, IN_HOSPITAL, MEMBER, PENDING, instants, ready
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.node.offline import read_snapshot
from tongcheng.services.settlement.store import CLAIMS

END_AT = 1_795_400_000_000
WANTED = PENDING + IN_HOSPITAL + 90


def test_waves_are_spread_over_the_days_and_end_now() -> None:
    """The list's first page is of today, its last one two months old."""
    at = instants(END_AT, 200)

    assert at[-1] == END_AT
    assert END_AT - at[0] == DAYS * DAY_MS * 199 // 200
    assert len({later - earlier for earlier, later in pairwise(at)}) == 1


def test_a_moved_clock_runs_on() -> None:
    """Two commits of one wave need not have one instant."""
    clock = MovedClock(END_AT)

    assert END_AT <= clock.now() < END_AT + DAY_MS


def test_the_data_is_played_once_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As many stays as wanted, some of them waiting for an answer; a second run finds them."""
    monkeypatch.setattr(twenty_thousand, "FOLDER", tmp_path)
    folder, made = ready(wanted=WANTED, tell=lambda _said: None)

    assert made.stays == WANTED
    assert made.endings["SETTLE-PENDING"] == PENDING
    assert ready(wanted=WANTED, tell=pytest.fail) == (folder, made)
    assert read_snapshot(folder / MEMBER, _pending) == PENDING


def _pending(snapshot: Snapshot, _home: Home) -> int:
    return len(snapshot.select(CLAIMS, state="pending"))
