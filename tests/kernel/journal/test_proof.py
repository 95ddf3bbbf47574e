"""A proof convinces somebody who has the accord and nothing else; any change breaks it."""

import asyncio
import base64
import contextlib
import copy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.kernel.region_of_nodes import ACT_IDS, BATCHED, Region, batched
from tests.toy import MEMBERS, NOW_AT, Nowhere, ring_of, toy_accord, toy_node
from tongcheng.kernel import canonical, ids, journal
from tongcheng.kernel.accord import AccordKey
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import TAKEN
from tongcheng.kernel.journal.proof import check_proof, prove
from tongcheng.kernel.ledger_batch import Listed
from tongcheng.node.core import Node

FIRST, SECOND, THIRD = MEMBERS
ACCORD = toy_accord(MEMBERS).accord


def _node(lived: Path, member: str) -> Node:
    node = toy_node(lived / member, member, Nowhere(), ManualClock(NOW_AT))
    node.home.accord_in_force = ACCORD
    return node


def _prove(lived: Path, member: str, name: str) -> dict[str, Any]:
    node = _node(lived, member)
    with node.database.snapshot() as snapshot:
        document = prove(snapshot, node.home, name)
    # As it comes out of the file that travels.
    read: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document))
    return read


def _taken(lived: Path, member: str) -> str:
    with _node(lived, member).database.snapshot() as snapshot:
        return snapshot.select(TAKEN)[0].envelope_id


def test_every_entry_can_be_proved(lived: Path) -> None:
    """Each leaf of the journal, whatever it is, is proved up to the co-signed checkpoint."""
    with _node(lived, FIRST).database.snapshot() as snapshot:
        names = [f"{row.kind}/{row.content_id}" for row in snapshot.select(journal.JOURNAL_LEAVES)]

    proved = [check_proof(_prove(lived, FIRST, name), [ACCORD]) for name in names]

    assert len(names) == 22
    assert {one.member_id for one in proved} == {FIRST}
    assert all(one.witnesses == sorted([SECOND, THIRD]) for one in proved)
    assert {one.sender_id for one in proved} == {None, FIRST, SECOND}


def test_act_is_proved_at_both_ends(lived: Path) -> None:
    """The sender proves that it sent, the receiver that it got it from the sender."""
    name = _taken(lived, SECOND)

    sent = check_proof(_prove(lived, FIRST, name), [ACCORD])
    taken = check_proof(_prove(lived, SECOND, name), [ACCORD])

    assert (sent.member_id, sent.sender_id) == (FIRST, FIRST)
    assert (taken.member_id, taken.sender_id) == (SECOND, FIRST)


def test_one_transfer_of_many_is_proved_alone(lived: Path) -> None:
    """Under the leaf of all of them; what the others moved stands nowhere in the document."""
    document = _prove(lived, FIRST, batched(1))

    proved = check_proof(document, [ACCORD])

    assert document["leaf"]["kind"] == "transfers"
    assert proved.transfer is not None
    assert f"transfer/{proved.transfer.transfer_id}" == batched(1)
    assert (proved.transfer.amount_fen, proved.transfer.month) == (101, "2026-11")
    assert (proved.transfer.debit_account, proved.transfer.credit_account) == ("a", "b")
    assert (proved.member_id, proved.sender_id) == (FIRST, None)
    listed = canonical.decode_as(base64.b64decode(document["content"]["body"]), Listed)
    assert listed.count == BATCHED
    for leg in (0, 2):
        other = _prove(lived, FIRST, batched(leg))
        assert other["leaf"] == document["leaf"]
        assert other["transfer"]["body"] not in msgspec.json.encode(document).decode()
        assert other["transfer"]["salt"] != document["transfer"]["salt"]


def test_a_transfer_with_a_leaf_of_its_own_is_told_too(lived: Path) -> None:
    """It needs no evidence beside the leaf: its content is the transfer."""
    name = f"transfer/{ids.transfer_id(ACT_IDS[1], 0).hex()}"
    document = _prove(lived, FIRST, name)

    proved = check_proof(document, [ACCORD])

    assert document["transfer"] is None
    assert proved.transfer is not None
    assert proved.transfer.amount_fen == 4_369_463


def test_the_leaf_of_many_is_proved_as_a_whole(lived: Path) -> None:
    """By its own name it shows ids and digests; documents of before had no such field at all."""
    document = _prove(lived, FIRST, batched(0).replace("transfer/", "transfers/"))
    older = {key: value for key, value in document.items() if key != "transfer"}

    assert document["transfer"] is None
    assert check_proof(document, [ACCORD]).transfer is None
    assert check_proof(older, [ACCORD]) == check_proof(document, [ACCORD])


@pytest.mark.parametrize("given", ["", "00", "xy" * 16, "0" * 32, batched(0)[-32:].upper()])
def test_no_such_transfer(lived: Path, given: str) -> None:
    """What is no id, or nobody's, is refused by name."""
    with pytest.raises(Refused) as refused:
        _prove(lived, FIRST, f"transfer/{given}")

    assert refused.value.code == "PROOF_NOT_FOUND"


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to every value in a document that is no list or mapping."""
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in _paths(item, (*path, key))]
    if isinstance(value, list):
        return [found for key, item in enumerate(value) for found in _paths(item, (*path, key))]
    return [path]


@pytest.mark.parametrize("member", [FIRST, SECOND])
def test_any_change_breaks_it(lived: Path, member: str) -> None:
    """Every value of the document is changed in turn, and each time the proof is refused.

    The first member's is of one transfer among many, the second's of an act that was taken.
    """
    name = batched(1) if member == FIRST else _taken(lived, SECOND)
    document = _prove(lived, member, name)
    paths = [path for path in _paths(document) if path != ("checkpoint",)]

    kept = []
    for path in paths:
        changed = copy.deepcopy(document)
        owner = changed
        for key in path[:-1]:
            owner = owner[key]
        before = owner[path[-1]]
        owner[path[-1]] = before + 1 if isinstance(before, int) else _other(before)
        with contextlib.suppress(Refused):
            check_proof(changed, [ACCORD])
            kept.append(path)

    assert len(paths) > 15
    assert kept == []


def _other(text: str | None) -> str:
    if text is None:
        return "something"
    return text[:-1] + ("1" if text[-1] == "0" else "0")


@pytest.mark.parametrize("line", range(4))
def test_changed_note_is_refused_or_counts_less(lived: Path, line: int) -> None:
    """A change in the text or the log's signature refuses it; in a witness's line, drops that."""
    document = _prove(lived, SECOND, _taken(lived, SECOND))
    lines = document["checkpoint"].split("\n")
    number = (1, 2, 4, 5)[line]
    if number == 1:
        lines[number] = "8"
    else:
        swap = "B" if lines[number][-10] != "B" else "C"
        lines[number] = lines[number][:-10] + swap + lines[number][-9:]
    document["checkpoint"] = "\n".join(lines)

    if number < 5:
        with pytest.raises(Refused):
            check_proof(document, [ACCORD])
    else:
        assert len(check_proof(document, [ACCORD]).witnesses) == 1


def test_missing_batch_is_refused(lived: Path) -> None:
    """A taken act without its batch shows only what the receiver says."""
    document = _prove(lived, SECOND, _taken(lived, SECOND))
    document["batch"] = None

    with pytest.raises(Refused) as refused:
        check_proof(document, [ACCORD])

    assert refused.value.facts["part"] == "batch"


def test_accord_of_others_proves_nothing(lived: Path) -> None:
    """Under an accord with other keys for the same members nothing holds."""
    document = _prove(lived, SECOND, _taken(lived, SECOND))
    other = ring_of("other").signing
    key = AccordKey(other.kid, "ed25519-sha256-aes256gcm", other.public.hex(), 0)
    members = [msgspec.structs.replace(member, signing_keys=[key]) for member in ACCORD.members]

    with pytest.raises(Refused) as refused:
        check_proof(document, [msgspec.structs.replace(ACCORD, members=members)])

    assert refused.value.facts["part"] == "checkpoint"


@pytest.mark.parametrize("document", [None, [], {}, {"format": "tongcheng/proof/1"}, "x", 7])
def test_what_is_no_proof(document: object) -> None:
    """Any other document is refused, whatever it is."""
    with pytest.raises(Refused) as refused:
        check_proof(document, [ACCORD])

    assert refused.value.code == "PROOF_BROKEN"


def test_entry_after_the_last_checkpoint(tmp_path: Path) -> None:
    """What no checkpoint covers cannot be proved yet, and that is said."""

    async def short() -> None:
        region = Region(tmp_path)
        await region.open()
        await region.close()

    asyncio.run(short())

    with pytest.raises(Refused) as early:
        _prove(tmp_path, FIRST, "accord/1")
    with pytest.raises(Refused) as unknown:
        _prove(tmp_path, FIRST, "accord/2")

    assert early.value.code == "PROOF_TOO_EARLY"
    assert unknown.value.code == "PROOF_NOT_FOUND"
