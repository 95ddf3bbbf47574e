"""The test vectors of the protocol pages are what this implementation computes, byte for byte."""

import hashlib
from typing import Any

import msgspec
import pytest

from tests.tidy import ROOT
from tongcheng.kernel import canonical, merkle
from tongcheng.kernel.accord import Accord, AccordKey
from tongcheng.kernel.envelope import open_batch, pack
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal import leaf_input
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal.checkpoint import encode_submission, parse_submission
from tongcheng.kernel.keys import SUITES, SigningKey

FOLDER = ROOT / "docs" / "protocol" / "vectors"
BATCH: dict[str, Any] = msgspec.json.decode((FOLDER / "batch.json").read_bytes())
CHECKPOINT: dict[str, Any] = msgspec.json.decode((FOLDER / "checkpoint.json").read_bytes())
ACCORD = msgspec.convert(BATCH["accord"], Accord)
SRC, DST = BATCH["private_keys"]


def _key(vectors: dict[str, Any], member: str) -> SigningKey:
    suite = SUITES["ed25519-sha256-aes256gcm"]
    return SigningKey(suite, bytes.fromhex(vectors["private_keys"][member]))


def test_batch_is_made_as_published() -> None:
    """From the private key and the envelopes come the same root, signature and bytes."""
    given = BATCH["accepted"]
    raws = [text.encode() for text in given["envelopes"]]
    hashes = [merkle.leaf_hash(raw) for raw in raws]
    made = pack(
        _key(BATCH, SRC),
        src=SRC,
        dst=DST,
        envelopes=raws,
        acknowledged=7,
        sent_at=given["received_at"],
    )

    assert made.decode() == given["batch"]
    assert ACCORD.digest() == BATCH["accord_digest"]
    assert [canonical.digest(raw) for raw in raws] == given["envelope_digests"]
    assert [one.hex() for one in hashes] == given["leaf_hashes"]
    assert merkle.root(hashes).hex() == given["root"]
    signed = given["signed_bytes"].encode()
    assert _key(BATCH, SRC).sign(signed).hex() == given["signature"]


def test_batch_is_read_as_published() -> None:
    """The batch is accepted, and each envelope gets the published path."""
    given = BATCH["accepted"]
    opened = open_batch(
        given["batch"].encode(), ACCORD, member_id=DST, now_at=given["received_at"], lane="act"
    )

    assert [one.raw.decode() for one in opened.received] == given["envelopes"]
    found = [[step.hex() for step in one.path] for one in opened.received]
    assert found == given["inclusion_paths"]
    assert opened.statement.signed_bytes().decode() == given["signed_bytes"]


@pytest.mark.parametrize("case", BATCH["refused"], ids=lambda case: case["name"])
def test_batch_is_refused_as_published(case: dict[str, Any]) -> None:
    """Each faulty batch is refused under the published code."""
    raw = case["batch"].encode()

    with pytest.raises(Refused) as refused:
        open_batch(raw, ACCORD, member_id=DST, now_at=case["received_at"], lane=case["lane"])

    assert refused.value.code == case["code"]


def test_leaves_and_roots() -> None:
    """Salt and content make the digest, kind and id and digest the leaf, leaves the roots."""
    for leaf in CHECKPOINT["leaves"]:
        salted = bytes.fromhex(leaf["salt"]) + leaf["content"].encode()
        digest = hashlib.sha256(salted).digest()
        data = leaf_input(leaf["kind"], leaf["id"], digest)
        assert digest.hex() == leaf["digest"]
        assert data.decode() == leaf["leaf_input"]
        assert merkle.leaf_hash(data).hex() == leaf["leaf_hash"]
    hashes = _hashes()

    roots = [merkle.root(hashes[:size]).hex() for size in range(len(hashes) + 1)]

    assert roots == CHECKPOINT["roots"]


def _hashes() -> list[bytes]:
    return [bytes.fromhex(leaf["leaf_hash"]) for leaf in CHECKPOINT["leaves"]]


def test_note_and_cosignature() -> None:
    """Log and witness sign as published, and their lines verify."""
    hashes = _hashes()
    checkpoint = notes.Checkpoint(CHECKPOINT["origin"], len(hashes), merkle.root(hashes))
    log, witness = (_key(CHECKPOINT, member) for member in (SRC, DST))
    at = CHECKPOINT["witnessed_at"]
    line = notes.cosign(witness, CHECKPOINT["witness"], checkpoint, at)
    listed = AccordKey(witness.kid, witness.suite.name, witness.public.hex(), 0)

    assert notes.sign(log, checkpoint).encoded() == CHECKPOINT["note"]
    assert notes.key_id(checkpoint.origin, 1, log.public).hex() == CHECKPOINT["log_key_id"]
    assert line.encoded() == CHECKPOINT["cosignature_line"]
    assert line.key_id.hex() == CHECKPOINT["witness_key_id"]
    assert notes.cosigned_at(checkpoint, line, [listed]) == at


def test_submission() -> None:
    """The request to a witness is read and written as published, and its proof holds."""
    body, old_size = CHECKPOINT["submission"]["body"], CHECKPOINT["submission"]["old_size"]
    given = parse_submission(body)
    [growth] = given.growths
    new = given.note.checkpoint

    assert encode_submission(given) == body
    assert growth.old_size == old_size
    old_root = bytes.fromhex(CHECKPOINT["roots"][old_size])
    assert merkle.verify_consistency(old_size, new.size, growth.proof, old_root, new.root)


def test_inclusion() -> None:
    """The published path leads from the leaf to the root."""
    index = CHECKPOINT["inclusion"]["index"]
    path = [bytes.fromhex(step) for step in CHECKPOINT["inclusion"]["path"]]
    hashes = _hashes()

    assert merkle.inclusion_proof(hashes, index) == path
    assert merkle.verify_inclusion(hashes[index], index, 5, path, merkle.root(hashes))
