"""Identifiers."""

from __future__ import annotations

import hashlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.kernel import ids
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.errors import Refused

INSTANTS = st.integers(min_value=0, max_value=2**48 - 1)
SEEDS = st.integers(min_value=0, max_value=2**32)


class Repeated:
    """Entropy of one byte over and over."""

    def __init__(self, byte: int) -> None:
        self._byte = byte

    def bytes(self, n: int) -> bytes:
        """Return the byte n times."""
        return bytes([self._byte]) * n


@given(INSTANTS, SEEDS)
def test_uuid7_holds_its_time(now_at: int, seed: int) -> None:
    """The id is a version 7 UUID in canonical text, and its instant can be read back."""
    text = ids.uuid7(now_at, SeededEntropy(seed))
    parsed = uuid.UUID(text)

    assert (parsed.version, parsed.variant, str(parsed)) == (7, uuid.RFC_4122, text)
    assert ids.parse_uuid7(text).int >> 80 == now_at


@pytest.mark.parametrize(
    ("byte", "text"),
    [
        (0x00, "017f22e2-79b0-7000-8000-000000000000"),
        (0xFF, "017f22e2-79b0-7fff-bfff-ffffffffffff"),
    ],
)
def test_uuid7_layout(byte: int, text: str) -> None:
    """Version and variant overwrite chance, as the bits of RFC 9562 (its time in A.6) say."""
    assert ids.uuid7(0x017F22E279B0, Repeated(byte)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "017f22e2-79b0-4000-8000-000000000000",
        "017f22e2-79b0-7000-c000-000000000000",
        "017F22E2-79B0-7000-8000-000000000000",
        "017f22e279b070008000000000000000",
        "017f22e2-79b0-7000-8000-000000000000\n",
        "{017f22e2-79b0-7000-8000-000000000000}",
    ],
    ids=["empty", "short", "v4", "variant", "capitals", "no hyphens", "newline", "braces"],
)
def test_other_spellings_are_refused(text: str) -> None:
    """One id has one spelling, or the same envelope would count twice."""
    with pytest.raises(Refused, match="ID_MALFORMED"):
        ids.parse_uuid7(text)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("00000000-0000-0000-0000-000000000000", "00000000000000000000000000"),
        ("00000000-0000-0000-0000-00000000001f", "0000000000000000000000000z"),
        ("ffffffff-ffff-ffff-ffff-ffffffffffff", "7zzzzzzzzzzzzzzzzzzzzzzzzz"),
    ],
)
def test_short(text: str, short: str) -> None:
    """26 characters of Crockford's base 32."""
    assert ids.short(text) == short


@given(st.uuids(), st.uuids())
def test_short_keeps_the_order(one: uuid.UUID, other: uuid.UUID) -> None:
    """Sorting by either spelling gives the same list."""
    assert (one < other) == (ids.short(str(one)) < ids.short(str(other)))


def test_random_short() -> None:
    """An id for a person: 128 bits of chance and nothing else."""
    assert ids.random_short(Repeated(0xFF)) == "7zzzzzzzzzzzzzzzzzzzzzzzzz"
    assert ids.random_short(SeededEntropy(1)) == ids.random_short(SeededEntropy(1))


def test_transfer_id() -> None:
    """Time first, then the hash of envelope and leg: the same posting has the same id for ever."""
    envelope_id = "017f22e2-79b0-7000-8000-000000000000"
    raw = uuid.UUID(envelope_id).bytes

    expected = raw[:6] + hashlib.sha256(raw + b"\x00\x00\x00\x02").digest()[:10]

    assert ids.transfer_id(envelope_id, 2) == expected
    assert len({ids.transfer_id(envelope_id, leg) for leg in range(100)}) == 100
    with pytest.raises(Refused, match="ID_MALFORMED"):
        ids.transfer_id("not an id", 0)


@given(INSTANTS, INSTANTS, SEEDS)
def test_transfer_ids_follow_time(one_at: int, other_at: int, seed: int) -> None:
    """Rows arrive in the order of their clustered key."""
    entropy = SeededEntropy(seed)
    one, other = (ids.transfer_id(ids.uuid7(at, entropy), 0) for at in (one_at, other_at))

    assert (one_at == other_at) or ((one_at < other_at) == (one < other))
