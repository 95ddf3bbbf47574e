"""Checkpoints travel, are co-signed once, and a journal that was changed or split is refused."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.region_of_nodes import Region, keep_books
from tests.toy import MEMBERS, toy_node
from tongcheng.kernel import audit, journal
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import CHECKPOINT_PATH, Unreachable
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal.checkpoint import (
    CHECKPOINTS,
    Growth,
    Submission,
    encode_submission,
    latest,
    parse_submission,
    submission,
)
from tongcheng.kernel.journal.rounds import Checkpoints
from tongcheng.kernel.journal.witness import (
    CONFLICTS,
    HEARD,
    WITNESSED,
    ConflictRow,
    encode_heard,
    parse_heard,
)
from tongcheng.kernel.store import Transaction

FIRST, SECOND, THIRD = MEMBERS


def grow(tx: Transaction) -> None:
    """Add one leaf to the journal."""
    audit.note(tx, audit.Entry("officer", "look", "stay"))
    audit.seal(tx)


def _rows(region: Region, member: str, records: Any) -> list[Any]:
    with region.wire.nodes[member].database.snapshot() as snapshot:
        return list(snapshot.select(records))


def _run(region: Region, scenario: Any) -> None:
    async def run() -> None:
        await region.open()
        try:
            await scenario(region)
        finally:
            await region.close()

    asyncio.run(run())


@pytest.fixture
def region(tmp_path: Path) -> Region:
    """Three nodes that have adopted the accord and nothing else."""
    return Region(tmp_path)


def test_round_gathers_every_peers_signature(region: Region) -> None:
    """After one round each node's newest checkpoint bears both peers' lines."""

    async def scenario(region: Region) -> None:
        await region.round()
        for member in MEMBERS:
            [row] = _rows(region, member, CHECKPOINTS)
            accord = region.wire.nodes[member].home.accord
            others = sorted(set(MEMBERS) - {member})
            assert notes.witnesses(notes.parse(row.note), [accord]) == others
        assert not any(job.troubles for job in region.wire.jobs.values())

    _run(region, scenario)


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

    _run(region, scenario)


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

        seen = [row for row in _rows(region, SECOND, WITNESSED) if row.member_id == FIRST]
        assert [row.size for row in seen] == [6]
        assert fresh.troubles == {}

    _run(region, scenario)


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
        assert [row.size for row in _rows(region, SECOND, WITNESSED)] == [4, 1]

    _run(region, scenario)


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
        kept = [row.code for row in _rows(region, SECOND, CONFLICTS)]
        assert kept == ([code] if code == "CHECKPOINT_FORKED" else [])

    _run(region, scenario)


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

    _run(region, scenario)


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

    _run(region, scenario)


def _expect_split(region: Region, size_apart: int) -> None:
    conflicts: list[ConflictRow] = [
        row for member in (SECOND, THIRD) for row in _rows(region, member, CONFLICTS)
    ]
    if size_apart:
        # The third was told of a size that this branch never signed: it gets no proof from there.
        trouble = region.wire.jobs[FIRST].troubles[THIRD]
        assert isinstance(trouble, Refused)
        assert trouble.facts["known"] == 2
        sizes = {row.member_id: row.size for row in _rows(region, THIRD, WITNESSED)}
        assert sizes[FIRST] == 3, "the checkpoint after the split is not co-signed"
        return
    assert {row.code for row in conflicts} == {"CHECKPOINT_SPLIT_VIEW"}
    for row in conflicts:
        assert row.member_id == FIRST
        keys = region.wire.nodes[SECOND].home.accord.member(FIRST).signing_keys
        both = [notes.parse(row.shown), notes.parse(row.known)]
        assert all(notes.signed_by_log(note, keys) for note in both)
        assert both[0].checkpoint != both[1].checkpoint


# what a witness refuses


def _request(region: Region, member: str) -> str:
    with region.wire.nodes[member].database.snapshot() as snapshot:
        row = latest(snapshot)
        assert row is not None
        return submission(snapshot, row, [0])


REFUSED_REQUESTS = [
    ("not UTF-8", lambda raw: b"\xff" + raw, "CHECKPOINT_MALFORMED"),
    ("no old size", lambda raw: raw.replace(b"old 0\n", b""), "CHECKPOINT_MALFORMED"),
    ("old above new", lambda raw: raw.replace(b"old 0", b"old 9"), "CHECKPOINT_MALFORMED"),
    ("leading zero", lambda raw: raw.replace(b"old 0", b"old 00"), "CHECKPOINT_MALFORMED"),
    ("junk in the proof", lambda raw: raw.replace(b"0\n", b"0\nx\n", 1), "CHECKPOINT_MALFORMED"),
    ("too large", lambda raw: raw + b"x" * 70_000, "CHECKPOINT_MALFORMED"),
    ("no signature", lambda raw: raw[: raw.rindex(b"\n\n") + 2], "CHECKPOINT_MALFORMED"),
    ("a stranger's", lambda raw: raw.replace(b"beijing", b"nanjing"), "MEMBER_UNKNOWN"),
    ("the witness's own", lambda raw: raw.replace(b"beijing", b"tianjin"), "MEMBER_UNKNOWN"),
    ("other size", lambda raw: raw.replace(b"\n1\n", b"\n2\n"), "SIGNATURE_BROKEN"),
]


@pytest.mark.parametrize(
    ("change", "code"),
    [case[1:] for case in REFUSED_REQUESTS],
    ids=[c[0] for c in REFUSED_REQUESTS],
)
def test_bad_request_is_refused_by_name(region: Region, change: Any, code: str) -> None:
    """A request that is malformed or not signed by its origin is refused before the writer."""

    async def scenario(region: Region) -> None:
        region.wire.cut.update(MEMBERS)
        await region.round()
        raw = change(_request(region, FIRST).encode())
        with pytest.raises(Refused) as refused:
            await region.wire.jobs[SECOND].receive(raw)

        assert refused.value.code == code
        assert region.wire.jobs[SECOND].refusals[code] == 1
        assert _rows(region, SECOND, WITNESSED) == []

    _run(region, scenario)


def test_false_proof_is_refused(region: Region) -> None:
    """A checkpoint that the log really signed is not co-signed on a proof that does not hold."""

    async def scenario(region: Region) -> None:
        await region.round()
        region.wire.cut.update(MEMBERS)
        for _ in range(3):
            await region.run(FIRST, grow)
        await region.round()
        given = parse_submission(_request(region, FIRST))
        job = region.wire.jobs[SECOND]
        with pytest.raises(Refused) as missing:
            await job.receive(encode_submission(given).encode())
        false = Submission([Growth(1, [b"\0" * 32, b"\1" * 32])], given.note)
        with pytest.raises(Refused) as forked:
            await job.receive(encode_submission(false).encode())

        assert (missing.value.code, missing.value.facts["known"]) == ("CHECKPOINT_PROOF_MISSING", 1)
        assert forked.value.code == "CHECKPOINT_FORKED"
        assert {row.member_id: row.size for row in _rows(region, SECOND, WITNESSED)}[FIRST] == 1

    _run(region, scenario)


def test_false_proof_of_what_others_saw_is_a_split_view(region: Region) -> None:
    """A log that invents a proof from the size another member saw is kept as evidence."""

    async def scenario(region: Region) -> None:
        await region.round()
        region.wire.cut.add(THIRD)
        await region.run(FIRST, grow)
        await region.round()
        region.wire.cut.clear()
        await region.wire.jobs[SECOND].round()
        region.wire.cut.update(MEMBERS)
        for _ in range(3):
            await region.run(FIRST, grow)
        await region.round()
        [row] = [one for one in _rows(region, THIRD, HEARD) if one.member_id == FIRST]
        with region.wire.nodes[FIRST].database.snapshot() as snapshot:
            newest = latest(snapshot)
            assert newest is not None
            honest = parse_submission(submission(snapshot, newest, [1, 2]))
        false = Submission([honest.growths[0], Growth(2, [b"\0" * 32])], honest.note)
        job = region.wire.jobs[THIRD]
        with pytest.raises(Refused) as refused:
            await job.receive(encode_submission(false).encode())

        assert (row.via, row.size, row.agreed) == (SECOND, 2, False)
        assert refused.value.code == "CHECKPOINT_SPLIT_VIEW"
        assert [one.via for one in _rows(region, THIRD, CONFLICTS)] == [SECOND]
        assert (await job.receive(encode_submission(honest).encode())).startswith(b"\xe2\x80\x94")
        assert all(one.agreed for one in _rows(region, THIRD, HEARD) if one.member_id == FIRST)

    _run(region, scenario)


def test_forwarded_notes_count_only_if_signed(region: Region) -> None:
    """A forwarded checkpoint without the log's signature or a member's line changes nothing."""

    async def scenario(region: Region) -> None:
        region.wire.cut.update(MEMBERS)
        await region.round()
        note = parse_submission(_request(region, FIRST)).note
        broken = note._replace(checkpoint=note.checkpoint._replace(size=7))
        for one in (note, broken):
            answer = await region.wire.jobs[THIRD].receive(encode_heard([one]).encode())
            assert answer == b""

        assert _rows(region, THIRD, HEARD) == []
        assert region.wire.jobs[THIRD].refusals == {"SIGNATURE_BROKEN": 1}

    _run(region, scenario)


def test_forwarding_round_trips(region: Region) -> None:
    """Several notes in one request come out as they went in."""

    async def scenario(region: Region) -> None:
        await region.round()
        forwarded = [notes.parse(row.note) for row in _rows(region, FIRST, WITNESSED)]

        assert len(forwarded) == 2
        assert parse_heard(encode_heard(forwarded)) == forwarded

    _run(region, scenario)


def test_wire_is_the_checkpoint_path(region: Region) -> None:
    """Checkpoints use one path of the exchange, and nothing of the act lane."""

    async def scenario(region: Region) -> None:
        await region.run(FIRST, keep_books)
        await region.round()
        assert {path for _, path in region.wire.posts} == {CHECKPOINT_PATH}
        with region.wire.nodes[FIRST].database.snapshot() as snapshot:
            assert journal.head(snapshot)[0] == 8

    _run(region, scenario)
