"""Sealing at rest, sealing for others, and the index of id numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.kernel import sealing
from tongcheng.kernel.entropy import SeededEntropy, SystemEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import KeyRing

RING = KeyRing.create(SeededEntropy(1))
OTHER = KeyRing.create(SeededEntropy(2))
VECTORS = json.loads(
    (Path(__file__).parents[2] / "docs/protocol/vectors/sealing.json").read_text("utf-8")
)

# Synthetic: the example number printed in GB 11643-1999.
ID_NUMBER = "11010519491231002X"


class Once:
    """Entropy that gives the one nonce of a test vector."""

    def __init__(self, value: bytes) -> None:
        self._value = value

    def bytes(self, n: int) -> bytes:
        """Return the value, which must have been asked for in full."""
        assert n == len(self._value)
        return self._value


@pytest.mark.parametrize("vector", VECTORS["xaes_256_gcm"], ids=lambda vector: vector["name"])
def test_xaes_vectors(vector: dict[str, str]) -> None:
    """The cipher inside is the one the C2SP specification publishes vectors for."""
    given_key, nonce = bytes.fromhex(vector["key"]), bytes.fromhex(vector["nonce"])
    aead = RING.suite.aead(sealing.derived_key(given_key, nonce))

    sealed = aead.encrypt(nonce[12:], vector["plaintext"].encode(), vector["aad"].encode())

    assert sealed.hex() == vector["ciphertext"]


@pytest.mark.parametrize("vector", VECTORS["at_rest"], ids=lambda vector: vector["name"])
def test_layout_vectors(vector: dict[str, str]) -> None:
    """The layout of a stored value is as written down, so that a backup opens in ten years."""
    ring = replace(RING, data_key=bytes.fromhex(vector["data_key"]))
    entropy = Once(bytes.fromhex(vector["nonce"]))

    sealed = sealing.seal(ring, vector["plaintext"].encode(), vector["bound_to"], entropy)

    assert sealed.hex() == vector["sealed"]
    assert sealing.unseal(ring, sealed, vector["bound_to"]) == vector["plaintext"].encode()


@given(st.binary(max_size=300), st.text(max_size=30).filter(lambda text: text.isprintable()))
def test_what_is_sealed_is_opened(plaintext: bytes, bound_to: str) -> None:
    """At rest and between members."""
    sealed = sealing.seal(RING, plaintext, bound_to, SystemEntropy())
    sent = sealing.seal_for(RING.encryption_public, plaintext, bound_to)

    assert sealing.unseal(RING, sealed, bound_to) == plaintext
    assert sealing.open_sealed(RING, sent, bound_to) == plaintext


def test_nothing_shows_through() -> None:
    """Neither the plaintext nor its repetition can be seen."""
    one, other = (sealing.seal(RING, b"secret" * 9, "row 1", SystemEntropy()) for _ in range(2))

    assert b"secret" not in one
    assert one != other
    assert sealing.seal_for(RING.encryption_public, b"", "a") != sealing.seal_for(
        RING.encryption_public, b"", "a"
    )


@given(st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject) -> None:
    """Version, key name, nonce, text and tag: nothing in a stored value can be changed."""
    sealed = bytearray(sealing.seal(RING, b"0123456789", "row 1", SeededEntropy(3)))
    sent = bytearray(sealing.seal_for(RING.encryption_public, b"0123456789", "row 1"))
    for raw in (sealed, sent):
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))

    with pytest.raises(Refused, match="SEALED_DAMAGED"):
        sealing.unseal(RING, bytes(sealed), "row 1")
    with pytest.raises(Refused, match="SEALED_DAMAGED"):
        sealing.open_sealed(RING, bytes(sent), "row 1")


@given(st.binary(max_size=120))
def test_any_other_bytes_are_refused(raw: bytes) -> None:
    """What was never sealed is refused under the same code."""
    head = sealing.seal(RING, b"", "", SeededEntropy(3))[:20]
    for sealed in (raw, head + raw):
        with pytest.raises(Refused, match="SEALED_DAMAGED"):
            sealing.unseal(RING, sealed, "row 1")
    with pytest.raises(Refused, match="SEALED_DAMAGED"):
        sealing.open_sealed(RING, raw, "row 1")


def test_a_value_opens_only_in_its_place() -> None:
    """One patient's record cannot be moved into another's row, nor one message into another."""
    sealed = sealing.seal(RING, b"x", "persons/1/name", SystemEntropy())
    sent = sealing.seal_for(RING.encryption_public, b"x", "envelope 1")

    with pytest.raises(Refused, match="SEALED_DAMAGED") as caught:
        sealing.unseal(RING, sealed, "persons/2/name")
    with pytest.raises(Refused, match="SEALED_DAMAGED"):
        sealing.open_sealed(RING, sent, "envelope 2")

    assert caught.value.facts == {"bound_to": "persons/2/name"}


def test_another_ring_opens_nothing() -> None:
    """A stolen database is useless without its keys."""
    sealed = sealing.seal(RING, b"x", "row 1", SystemEntropy())
    sent = sealing.seal_for(RING.encryption_public, b"x", "row 1")

    with pytest.raises(Refused, match="SEALED_DAMAGED"):
        sealing.unseal(OTHER, sealed, "row 1")
    with pytest.raises(Refused, match="SEALED_DAMAGED"):
        sealing.open_sealed(OTHER, sent, "row 1")


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(32), bytes(33)])
def test_unusable_public_keys(public: bytes) -> None:
    """A key under which everybody could read is refused before anything is written."""
    with pytest.raises(Refused, match="SEALING_KEY_UNUSABLE"):
        sealing.seal_for(public, b"x", "row 1")


@pytest.mark.parametrize(
    "spelling",
    [
        ID_NUMBER,
        ID_NUMBER.lower(),
        f" {ID_NUMBER}\n",
        "110105 19491231 002x",
        "１１０１０５19491231００２Ｘ",
    ],
    ids=["plain", "small x", "white space", "groups", "full width"],
)
def test_one_person_has_one_index(spelling: str) -> None:
    """However a clerk types the number, the same person is found."""
    assert sealing.normalise_id_number(spelling) == ID_NUMBER
    assert sealing.index(RING, spelling) == sealing.index(RING, ID_NUMBER)


def test_an_index_means_nothing_elsewhere() -> None:
    """Two nodes cannot compare their indexes, so neither can a thief of both."""
    assert sealing.index(RING, ID_NUMBER) != sealing.index(OTHER, ID_NUMBER)
    assert len(sealing.index(RING, ID_NUMBER)) == 64
