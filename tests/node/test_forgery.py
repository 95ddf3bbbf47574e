"""Forging a copy: the original is only read, and the copy is gone whatever happens."""

import asyncio
import sqlite3
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.toy import NOW_AT
from tongcheng.kernel import audit
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.region import PACKS_DIR
from tongcheng.node import files, forgery
from tongcheng.node.core import DATABASE_NAME
from tongcheng.node.files import Settings
from tongcheng.node.forgery import TARGETS, forge
from tongcheng.node.offline import run_command
from tongcheng.node.pages.demo import desk as desks
from tongcheng.node.pages.demo.desk import DemoDesk

SETTINGS = Settings(member_id="tianjin-hsb", region="jingjinji", address="http://127.0.0.1:1")


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A node's directory whose store holds one audit entry and nothing else."""
    directory = tmp_path / "node"
    files.create(directory, SETTINGS, SeededEntropy(1), None, ManualClock(NOW_AT))
    run_command(directory, lambda tx: audit.note(tx, audit.Entry("somebody", "read", "something")))
    return directory


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies lie; empty before and after."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_original_is_only_read(node: Path, temporary: Path) -> None:
    """One value is changed in the copy; it is named; the file of the node stays byte for byte."""
    before = (node / DATABASE_NAME).read_bytes()
    outcome = forge(node, files.open_home(node), "audit")

    assert (outcome.forged.table, outcome.forged.key) == ("audit", "1")
    assert (outcome.forged.before, outcome.forged.after) == ("somebody", "-")
    assert (outcome.named, outcome.untouched, outcome.besides) == (True, True, ())
    assert (node / DATABASE_NAME).read_bytes() == before
    assert list(temporary.iterdir()) == []


def test_nothing_to_forge_is_a_refusal(node: Path, temporary: Path) -> None:
    """A store without settlements has none to forge, and leaves no copy behind."""
    for target in set(TARGETS) - {"audit", "journal"}:
        with pytest.raises(Refused) as refused:
            forge(node, files.open_home(node), target)
        assert refused.value.code == "FORGERY_NOTHING"
    assert list(temporary.iterdir()) == []


def test_no_room_is_a_refusal(node: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a missing temporary directory nor a full disk is a traceback."""

    def full(*_: object) -> Any:
        raise sqlite3.OperationalError

    monkeypatch.setattr(forgery, "_writing", full)
    with pytest.raises(Refused) as no_room:
        forge(node, files.open_home(node), "audit")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary / "nowhere"))
    with pytest.raises(Refused) as no_folder:
        forge(node, files.open_home(node), "audit")

    assert {no_room.value.code, no_folder.value.code} == {"FORGERY_FAILED"}
    assert list(temporary.iterdir()) == []


def desk_of(node: Path) -> DemoDesk:
    """Return the desk of a node that is not running otherwise."""
    running: Any = SimpleNamespace(
        database=SimpleNamespace(path=node / DATABASE_NAME), home=files.open_home(node)
    )
    return DemoDesk(running, PACKS_DIR / "jingjinji")


def test_one_forgery_at_a_time(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is refused while the first goes on; afterwards there is room again."""
    release = threading.Event()
    forge_it = forge

    def slow(*given: Any, **options: Any) -> Any:
        release.wait(10)
        return forge_it(*given, **options)

    monkeypatch.setattr(desks, "forge", slow)

    async def work() -> tuple[bool, str, bool]:
        desk = desk_of(node)
        await desk.forge("audit", with_keys=False, wait_s=0.01)
        goes_on = desk.is_forging
        with pytest.raises(Refused) as refused:
            await desk.forge("audit", with_keys=False, wait_s=0)
        release.set()
        while desk.is_forging:  # noqa: ASYNC110 the desk tells nobody else
            await asyncio.sleep(0.01)
        await desk.forge("settlement", with_keys=False, wait_s=10)
        return goes_on, refused.value.code, desk.refused is not None and desk.outcome is None

    assert asyncio.run(work()) == (True, "FORGERY_BUSY", True)


def test_a_node_that_stops_leaves_no_copy(
    node: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verification is told at its next step, does not take it for damage, and cleans up."""
    begun = threading.Event()
    told = DemoDesk.told

    def slow(self: DemoDesk, stage: str, done: int, total: int) -> None:
        begun.set()
        threading.Event().wait(0.05)
        told(self, stage, done, total)

    monkeypatch.setattr(DemoDesk, "told", slow)

    async def work() -> DemoDesk:
        desk = desk_of(node)
        await desk.forge("audit", with_keys=False, wait_s=0)
        await asyncio.to_thread(begun.wait)
        copies.extend(temporary.iterdir())  # noqa: ASYNC240 a test waits for nobody
        return desk

    copies: list[Path] = []
    desk = asyncio.run(work())
    assert copies
    assert desk.outcome is None
    assert list(temporary.iterdir()) == []
