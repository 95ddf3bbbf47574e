"""Sealing: what is written here only the owner of the key can read, and only in its own place.

At rest, XAES-256-GCM (C2SP): AES-256-GCM under a key derived from half of a 24-byte nonce. A
random 12-byte nonce alone allows 2**32 messages a key before a repeat, which reveals plaintext,
becomes likely enough to matter, and a busy node writes that many within its life.

Between members, HPKE (RFC 9180) to the receiver's encryption key. Layouts and test vectors are in
docs/protocol/02-keys-and-sealing.md.
"""

from __future__ import annotations

import hmac
import threading
import unicodedata
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tongcheng.kernel.entropy import Entropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import HPKE, KeyRing

_VERSION = 1
_NONCE_BYTES = 24
_BLOCK_BYTES = 16
_KEYS_MAX = 16
"""A node has one data key; a process that plays many nodes makes their contexts anew."""

_FOR_OTHERS = b"tongcheng sealed for\0"


def seal(ring: KeyRing, plaintext: bytes, bound_to: str, entropy: Entropy) -> bytes:
    """Encrypt for storage under the ring's data key.

    `bound_to` names the row and column; the result opens nowhere else. Layout: version, length of
    the key's name, the name, 24 bytes of nonce, ciphertext with a 16-byte tag.
    """
    head = _head(ring)
    nonce = entropy.bytes(_NONCE_BYTES)
    aead = ring.suite.aead(derived_key(ring.data_key, nonce))
    return head + nonce + aead.encrypt(nonce[12:], plaintext, head + bound_to.encode())


def unseal(ring: KeyRing, sealed: bytes, bound_to: str) -> bytes:
    """Open what `seal` made; refuses SEALED_DAMAGED, also for another key or another place."""
    head = _head(ring)
    nonce = sealed[len(head) : len(head) + _NONCE_BYTES]
    if not sealed.startswith(head) or len(nonce) < _NONCE_BYTES:
        raise Refused("SEALED_DAMAGED", bound_to=bound_to)
    aead = ring.suite.aead(derived_key(ring.data_key, nonce))
    body = sealed[len(head) + _NONCE_BYTES :]
    try:
        return aead.decrypt(nonce[12:], body, head + bound_to.encode())
    except (InvalidTag, ValueError):
        raise Refused("SEALED_DAMAGED", bound_to=bound_to) from None


def derived_key(key: bytes, nonce: bytes) -> bytes:
    """Derive the AES-256-GCM key of one message as XAES-256-GCM does: CMAC in counter mode.

    The first 12 bytes of the nonce enter here, the last 12 are AES-256-GCM's own nonce.
    """
    block = _BLOCKS.of(key)
    both = b"\0\1X\0" + nonce[:12] + b"\0\2X\0" + nonce[:12]
    masked = int.from_bytes(both, "big") ^ block.subkeys
    return block.encryptor.update(masked.to_bytes(2 * _BLOCK_BYTES, "big"))


class _Block:
    """AES of single blocks under one key, with CMAC's first subkey twice: for two blocks at once.

    Both are the same for every message, and making them costs more than using them.
    """

    __slots__ = ("encryptor", "subkeys")

    def __init__(self, key: bytes) -> None:
        cipher = Cipher(algorithms.AES256(key), modes.ECB())  # noqa: S305 - single blocks only
        self.encryptor = cipher.encryptor()
        subkey = int.from_bytes(self.encryptor.update(bytes(_BLOCK_BYTES)), "big") << 1
        if subkey >> 128:
            subkey ^= 1 << 128 | 0x87
        self.subkeys = subkey << 128 | subkey


class _Blocks(threading.local):
    """The blocks of this thread, by key: a cipher's context serves one thread at a time."""

    def __init__(self) -> None:
        self._by_key: dict[bytes, _Block] = {}

    def of(self, key: bytes) -> _Block:
        """Return the block cipher under a key."""
        found = self._by_key.get(key)
        if found is None:
            if len(self._by_key) >= _KEYS_MAX:
                self._by_key.clear()
            found = self._by_key[key] = _Block(key)
        return found


_BLOCKS: Final = _Blocks()


def seal_for(public: bytes, plaintext: bytes, bound_to: str) -> bytes:
    """Encrypt for the owner of the X25519 key `public` (32 raw bytes): HPKE enc and ciphertext.

    `bound_to` names the message that carries it, so that it cannot be lifted into another. The
    randomness is the operating system's. Refuses SEALING_KEY_UNUSABLE.
    """
    try:
        key = X25519PublicKey.from_public_bytes(public)
        return HPKE.encrypt(plaintext, key, info=_FOR_OTHERS + bound_to.encode())
    except ValueError:
        # Not 32 bytes, or a point of small order, under which everybody could read.
        raise Refused("SEALING_KEY_UNUSABLE", bound_to=bound_to) from None


def open_sealed(ring: KeyRing, sealed: bytes, bound_to: str) -> bytes:
    """Open what `seal_for` made for this ring; refuses SEALED_DAMAGED."""
    try:
        return HPKE.decrypt(sealed, ring.decryption_key, info=_FOR_OTHERS + bound_to.encode())
    except (InvalidTag, ValueError):
        raise Refused("SEALED_DAMAGED", bound_to=bound_to) from None


def normalise_id_number(text: str) -> str:
    """Spell an id number one way: full-width forms narrowed, no white space, letters upper case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def index(ring: KeyRing, text: str) -> str:
    """Return the look-up value of an id number: HMAC-SHA256 under this node's own key, 64 hex.

    Only this node can make it: about 10**11 numbers exist, so a shared key would let any holder
    list them all.
    """
    return hmac.new(ring.index_key, normalise_id_number(text).encode(), "sha256").hexdigest()


def _head(ring: KeyRing) -> bytes:
    kid = ring.data_kid.encode()
    return bytes((_VERSION, len(kid))) + kid
