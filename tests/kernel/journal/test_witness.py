"""Checkpoints travel, are co-signed once, and a journal that was set back or split is refused."""

import shutil
from pathlib import Path

import pytest

from tests.kernel.region_of_nodes import Region, grow, play, rows_of
from tests.toy import MEMBERS, toy_node
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import Unreachable
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal.checkpoint import CHECKPOINTS
from tongcheng.kernel.journal.rounds import Checkpoints
from tongcheng.kernel.journal.witness import CONFLICTS, WITNESSED, ConflictRow

FIRST, SECOND, THIRD = MEMBERS


def test_round_gathers_every_peers_signature(region: Region) -> None:
    """After one round each node's newest checkpoint bears both peers' lines."""

    async def scenario(region: Region) -> None:
        await region.round()
        for member in MEMBERS:
            [row] = rows_of(region, member, CHECKPOINTS)
            accord = region.wire.nodes[member].home.accord
            others = sorted(set(MEMBERS) - {member})
            assert notes.witnesses(notes.parse(row.note), [accord]) == others
        assert not any(job.troubles for job in region.wire.jobs.values())

    play(region, scenario)


def test_quiet_round_writes_and_sends_nothing(region: Region) -> None:
    """Without a new leaf nothing is written, signed or posted: a silent region stays silent."""

    async def scenario(region: Region) -> None:
        await region.round()
        await region.round()
        posts = len(region.wire.posts)
        paths = [node.database.path for node in region.wire.nodes.values()]
        before = [path.with_name("node.sqlite-wal").read_bytes() for path in paths]
        for _ in range(3):
            await region.round()

        assert len(region.wire.posts) == posts
        assert [path.with_name("node.sqlite-wal").read_bytes() for path in paths] == before

    play(region, scenario)


def test_growth_is_proved_from_what_the_witness_knows(region: Region) -> None:
    """A journal that grows is co-signed round after round; a restarted node learns the size."""

    async def scenario(region: Region) -> None:
        for _ in range(4):
            await region.run(FIRST, grow)
            await region.round()
        fresh = Checkpoints(
            region.wire.nodes[FIRST].home,
            region.wire.nodes[FIRST].worker,
            region.wire,
            region.clock,
        )
        await region.run(FIRST, grow)
        await fresh.round()

        seen = [row for row in rows_of(region, SECOND, WITNESSED) if row.member_id == FIRST]
        assert [row.size for row in seen] == [6]
        assert fresh.troubles == {}

    play(region, scenario)


def test_peer_that_was_away_is_shown_the_newest_only(region: Region) -> None:
    """A peer out of reach holds nobody up, and gets one checkpoint with one proof later."""

    async def scenario(region: Region) -> None:
        await region.round()
        region.wire.cut.add(SECOND)
        for _ in range(3):
            await region.run(FIRST, grow)
            await region.round()
        assert isinstance(region.wire.jobs[FIRST].troubles[SECOND], Unreachable)
        region.wire.cut.clear()
        await region.round()

        assert region.wire.jobs[FIRST].troubles == {}
        assert [row.size for row in rows_of(region, SECOND, WITNESSED)] == [4, 1]

    play(region, scenario)


def _set_back(region: Region, member: str, saved: Path) -> None:
    folder = region.folder / member
    shutil.rmtree(folder)
    shutil.copytree(saved, folder)


async def _reopen(region: Region, member: str, seed: str) -> None:
    node = toy_node(region.folder / member, member, region.wire, region.clock, seed=seed)
    node.open()
    region.wire.nodes[member] = node
    region.wire.jobs[member] = Checkpoints(node.home, node.worker, region.wire, region.clock)


async def _close(region: Region, member: str) -> None:
    await region.wire.nodes[member].stop()


@pytest.mark.parametrize(
    ("leaves_after", "code"),
    [(0, "CHECKPOINT_SHRUNK"), (1, "CHECKPOINT_SHRUNK"), (2, "CHECKPOINT_FORKED")],
)
def test_journal_set_back_is_refused(
    region: Region, tmp_path: Path, leaves_after: int, code: str
) -> None:
    """A node restored from an old backup is refused by its witnesses, shorter or written anew."""

    async def scenario(region: Region) -> None:
        await region.round()
        await _close(region, FIRST)
        shutil.copytree(region.folder / FIRST, tmp_path / "saved")
        await _reopen(region, FIRST, "a")
        for _ in range(2):
            await region.run(FIRST, grow)
        await region.round()
        await _close(region, FIRST)
        _set_back(region, FIRST, tmp_path / "saved")
        await _reopen(region, FIRST, "b")
        for _ in range(leaves_after):
            await region.run(FIRST, grow)
        # The same checkpoint as before the loss is still signed; a new one must not be.
        await region.wire.jobs[FIRST].round()

        trouble = region.wire.jobs[FIRST].troubles.get(SECOND)
        if leaves_after == 0:
            assert trouble is None
        else:
            assert isinstance(trouble, Refused)
            assert trouble.code == code
        kept = [row.code for row in rows_of(region, SECOND, CONFLICTS)]
        assert kept == ([code] if code == "CHECKPOINT_FORKED" else [])

    play(region, scenario)


def test_journal_set_back_and_grown_past_is_refused(region: Region, tmp_path: Path) -> None:
    """Written anew beyond what was witnessed, it cannot prove growth: it never signed that size."""

    async def scenario(region: Region) -> None:
        await region.round()
        await _close(region, FIRST)
        shutil.copytree(region.folder / FIRST, tmp_path / "saved")
        await _reopen(region, FIRST, "a")
        for _ in range(2):
            await region.run(FIRST, grow)
        await region.round()
        await _close(region, FIRST)
        _set_back(region, FIRST, tmp_path / "saved")
        await _reopen(region, FIRST, "b")
        for _ in range(5):
            await region.run(FIRST, grow)
        await region.wire.jobs[FIRST].round()

        trouble = region.wire.jobs[FIRST].troubles[SECOND]
        assert isinstance(trouble, Refused)
        assert (trouble.code, trouble.facts["known"]) == ("CHECKPOINT_SHRUNK", 3)

    play(region, scenario)


@pytest.mark.parametrize("size_apart", [0, 1])
def test_split_view_is_caught(region: Region, tmp_path: Path, size_apart: int) -> None:
    """A node that shows two peers two journals is caught when they tell each other."""

    async def scenario(region: Region) -> None:
        await region.round()
        await _close(region, FIRST)
        shutil.copytree(region.folder / FIRST, tmp_path / "saved")
        await _reopen(region, FIRST, "a")
        region.wire.cut.add(THIRD)
        await region.run(FIRST, grow)
        await region.wire.jobs[FIRST].round()
        await _close(region, FIRST)
        _set_back(region, FIRST, tmp_path / "saved")
        await _reopen(region, FIRST, "b")
        region.wire.cut = {SECOND}
        for _ in range(1 + size_apart):
            await region.run(FIRST, grow)
        await region.wire.jobs[FIRST].round()
        region.wire.cut = {FIRST}
        for _ in range(2):
            await region.wire.jobs[SECOND].round()
            await region.wire.jobs[THIRD].round()
        region.wire.cut.clear()
        await region.run(FIRST, grow)
        await region.wire.jobs[FIRST].round()

        _expect_split(region, size_apart)

    play(region, scenario)


def _expect_split(region: Region, size_apart: int) -> None:
    conflicts: list[ConflictRow] = [
        row for member in (SECOND, THIRD) for row in rows_of(region, member, CONFLICTS)
    ]
    if size_apart:
        # The third was told of a size that this branch never signed: it gets no proof from there.
        trouble = region.wire.jobs[FIRST].troubles[THIRD]
        assert isinstance(trouble, Refused)
        assert trouble.facts["known"] == 2
        sizes = {row.member_id: row.size for row in rows_of(region, THIRD, WITNESSED)}
        assert sizes[FIRST] == 3, "the checkpoint after the split is not co-signed"
        return
    assert {row.code for row in conflicts} == {"CHECKPOINT_SPLIT_VIEW"}
    for row in conflicts:
        assert row.member_id == FIRST
        keys = region.wire.nodes[SECOND].home.accord.member(FIRST).signing_keys
        both = [notes.parse(row.shown), notes.parse(row.known)]
        assert all(notes.signed_by_log(note, keys) for note in both)
        assert both[0].checkpoint != both[1].checkpoint
