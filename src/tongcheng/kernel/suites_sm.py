"""The suite of the Chinese standards: SM2 signatures, SM3 hashes and MACs, SM4-GCM at rest.

Nodes do not run on it: `keys.SUITES` does not list it, and the ring on disk, sealing for another
member and the Merkle tree know the default suite only (docs/decisions/0024-sm-suite.md). It is
there to be tested against the standards' vectors and to be measured (`make bench`).
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tongcheng.kernel import suites_sm2
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import SUITES, Suite

SM_SUITE = "sm2-sm3-sm4gcm"
KEY_BYTES = 16
TAG_BYTES = 16


def sm3(data: bytes) -> bytes:
    """Hash (GB/T 32905): 32 bytes."""
    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return state.finalize()


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """HMAC (RFC 2104) over SM3: 32 bytes."""
    state = hmac.HMAC(key, hashes.SM3())
    state.update(data)
    return state.finalize()


class Sm4Gcm:
    """SM4 (GB/T 32907) in Galois counter mode, as RFC 8998 has it; the tag follows the text."""

    def __init__(self, key: bytes) -> None:
        """Take a key of 16 bytes."""
        self._cipher = algorithms.SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Encrypt under a nonce of 12 bytes that this key has not had before."""
        encryptor = Cipher(self._cipher, modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(associated_data or b"")
        return encryptor.update(data) + encryptor.finalize() + encryptor.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Decrypt; raises InvalidTag for any damage, as the default suite's cipher does."""
        if len(data) < TAG_BYTES:
            raise InvalidTag
        text, tag = data[:-TAG_BYTES], data[-TAG_BYTES:]
        decryptor = Cipher(self._cipher, modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(associated_data or b"")
        return decryptor.update(text) + decryptor.finalize()


def sm_suite() -> Suite:
    """Return the suite; refuses SUITE_UNKNOWN where this system's OpenSSL has no SM2."""
    if not suites_sm2.available():
        raise Refused("SUITE_UNKNOWN", suite=SM_SUITE, known=", ".join(sorted(SUITES)))
    return Suite(
        name=SM_SUITE,
        signature="sm2",
        cipher="sm4",
        load_private=suites_sm2.load_private,
        public_of=suites_sm2.public_of,
        sign=suites_sm2.sign,
        verify=suites_sm2.verify,
        hash=sm3,
        mac=hmac_sm3,
        aead=Sm4Gcm,
    )
