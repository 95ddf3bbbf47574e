"""What a witness is asked, and what it refuses by name before and after its writer is troubled."""

from typing import Any

import pytest

from tests.kernel.region_of_nodes import Region, grow, keep_books, play, rows_of
from tests.toy import MEMBERS
from tongcheng.kernel import journal
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import CHECKPOINT_PATH
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal.checkpoint import (
    Growth,
    Submission,
    encode_submission,
    latest,
    parse_submission,
    submission,
)
from tongcheng.kernel.journal.witness import (
    CONFLICTS,
    HEARD,
    WITNESSED,
    encode_heard,
    parse_heard,
)

FIRST, SECOND, THIRD = MEMBERS


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
        assert rows_of(region, SECOND, WITNESSED) == []

    play(region, scenario)


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
        assert {row.member_id: row.size for row in rows_of(region, SECOND, WITNESSED)}[FIRST] == 1

    play(region, scenario)


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
        [row] = [one for one in rows_of(region, THIRD, HEARD) if one.member_id == FIRST]
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
        assert [one.via for one in rows_of(region, THIRD, CONFLICTS)] == [SECOND]
        assert (await job.receive(encode_submission(honest).encode())).startswith(b"\xe2\x80\x94")
        assert all(one.agreed for one in rows_of(region, THIRD, HEARD) if one.member_id == FIRST)

    play(region, scenario)


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

        assert rows_of(region, THIRD, HEARD) == []
        assert region.wire.jobs[THIRD].refusals == {"SIGNATURE_BROKEN": 1}

    play(region, scenario)


def test_forwarding_round_trips(region: Region) -> None:
    """Several notes in one request come out as they went in."""

    async def scenario(region: Region) -> None:
        await region.round()
        forwarded = [notes.parse(row.note) for row in rows_of(region, FIRST, WITNESSED)]

        assert len(forwarded) == 2
        assert parse_heard(encode_heard(forwarded)) == forwarded

    play(region, scenario)


def test_wire_is_the_checkpoint_path(region: Region) -> None:
    """Checkpoints use one path of the exchange, and nothing of the act lane."""

    async def scenario(region: Region) -> None:
        await region.run(FIRST, keep_books)
        await region.round()
        assert {path for _, path in region.wire.posts} == {CHECKPOINT_PATH}
        with region.wire.nodes[FIRST].database.snapshot() as snapshot:
            assert journal.head(snapshot)[0] == 14

    play(region, scenario)
