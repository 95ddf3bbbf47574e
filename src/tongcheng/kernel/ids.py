"""Identifiers: time-ordered where the store sorts by them, random where they must not tell.

UUIDv7 is RFC 9562, section 5.7; the alphabet is Crockford's base 32, lower case, which leaves out
i, l, o and u so that an id survives being read over the telephone.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import TYPE_CHECKING

from tongcheng.kernel.errors import Refused

if TYPE_CHECKING:
    from tongcheng.kernel.entropy import Entropy

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_LEG_MAX = 2**32 - 1


def uuid7(now_at: int, entropy: Entropy) -> str:
    """Return a new UUIDv7 as canonical text; `now_at` is Unix ms, 74 bits are random."""
    assert 0 <= now_at < 2**48, now_at
    value = int.from_bytes(entropy.bytes(10), "big")
    value |= now_at << 80
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    # As uuid.UUID would write it, in a quarter of the time: a settlement makes a dozen.
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def parse_uuid7(text: str) -> uuid.UUID:
    """Read a UUIDv7 in canonical text (lower case, hyphens); refuses ID_MALFORMED."""
    return uuid.UUID(bytes=uuid7_bytes(text))


def uuid7_bytes(text: str) -> bytes:
    """Read the 16 bytes of a UUIDv7 in canonical text; refuses ID_MALFORMED."""
    if _UUID7.fullmatch(text) is None:
        raise Refused("ID_MALFORMED", given=ascii(text[:48]))
    return bytes.fromhex(text.replace("-", ""))


def short(uuid_text: str) -> str:
    """Write the 128 bits of a UUID as 26 characters of base 32; the order is kept."""
    return _base32(int(uuid_text.replace("-", ""), 16))


def random_short(entropy: Entropy) -> str:
    """Return 128 random bits as 26 characters: an id that tells nothing, not even when."""
    return _base32(int.from_bytes(entropy.bytes(16), "big"))


def transfer_id(envelope_id: str, leg: int) -> bytes:
    """Return the 16-byte id of one leg of the postings an envelope causes.

    The first 6 bytes are the envelope's time, so that rows arrive in clustered order; the other 10
    are SHA-256 of the envelope's 16 bytes and the leg as 4 bytes, big end first. The same envelope
    therefore always posts under the same ids, and posting it twice collides instead of counting.
    """
    return leg_id(uuid7_bytes(envelope_id), leg)


def leg_id(envelope: bytes, leg: int) -> bytes:
    """Return `transfer_id` of an envelope whose id is given as its 16 bytes."""
    assert 0 <= leg <= _LEG_MAX, leg
    return envelope[:6] + hashlib.sha256(envelope + leg.to_bytes(4, "big")).digest()[:10]


def _base32(value: int) -> str:
    assert 0 <= value < 2**128, value
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(120, -1, -10)])
