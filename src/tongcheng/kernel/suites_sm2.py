"""SM2 signatures (GB/T 32918.2, GM/T 0003.2) by the OpenSSL 3 of the system, through ctypes.

The package `cryptography` has SM3 and SM4 but no SM2; OpenSSL's is the implementation that most
eyes are on, and quicker than the packages that bring their own. Some systems build OpenSSL without
it: `available` says so. Keys are raw: 32 bytes of a private number, 65 bytes (04, x, y) of a public
point. A signature is the DER of (r, s), as GB/T 35276 has it; a fresh random number goes into each.
"""

from __future__ import annotations

import ctypes
import functools
import weakref
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_void_p
from typing import Final

SIGNER_ID: Final = b"1234567812345678"
"""Who signs, where nothing else is agreed (GM/T 0009, 10); it enters the hash."""
PRIVATE_BYTES: Final = 32
PUBLIC_BYTES: Final = 65
SIGNATURE_BYTES_MAX: Final = 72

_LIBRARY = "libcrypto.so.3"
_NO_KEY = "not an SM2 key"
_ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
# Both name id-ecPublicKey and the curve 1.2.156.10197.1.301 (sm2p256v1).
_CURVE = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")
_PKCS8_HEAD = bytes.fromhex("3041020100") + _CURVE + bytes.fromhex("042730250201010420")
_SPKI_HEAD = bytes.fromhex("3059") + _CURVE + bytes.fromhex("034200")

_FUNCTIONS = {
    "EVP_SIGNATURE_fetch": (c_void_p, (c_void_p, c_char_p, c_char_p)),
    "EVP_SIGNATURE_free": (None, (c_void_p,)),
    "EVP_sm3": (c_void_p, ()),
    "d2i_AutoPrivateKey": (c_void_p, (c_void_p, POINTER(c_char_p), c_long)),
    "d2i_PUBKEY": (c_void_p, (c_void_p, POINTER(c_char_p), c_long)),
    "i2d_PUBKEY": (c_int, (c_void_p, POINTER(c_char_p))),
    "EVP_PKEY_free": (None, (c_void_p,)),
    "EVP_PKEY_CTX_new": (c_void_p, (c_void_p, c_void_p)),
    "EVP_PKEY_CTX_free": (None, (c_void_p,)),
    "EVP_PKEY_CTX_set1_id": (c_int, (c_void_p, c_char_p, c_int)),
    "EVP_MD_CTX_new": (c_void_p, ()),
    "EVP_MD_CTX_free": (None, (c_void_p,)),
    "EVP_MD_CTX_set_pkey_ctx": (None, (c_void_p, c_void_p)),
    "EVP_DigestSignInit": (c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "EVP_DigestSign": (c_int, (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)),
    "EVP_DigestVerifyInit": (c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "EVP_DigestVerify": (c_int, (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t)),
    "ERR_clear_error": (None, ()),
}


@functools.cache
def _library() -> ctypes.CDLL | None:
    """Return OpenSSL with the functions' types set, None where it is not there or has no SM2."""
    try:
        library = ctypes.CDLL(_LIBRARY)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):
        return None
    found = library.EVP_SIGNATURE_fetch(None, b"SM2", None)
    if not found:
        library.ERR_clear_error()
        return None
    library.EVP_SIGNATURE_free(found)
    return library


def available() -> bool:
    """Say whether this system's OpenSSL can sign by SM2."""
    return _library() is not None


def _openssl() -> ctypes.CDLL:
    library = _library()
    assert library is not None, "ask available() first"
    return library


class Key:
    """A key inside OpenSSL, private or public; freed with this object."""

    def __init__(self, handle: int | None) -> None:
        library = _openssl()
        if not handle:
            library.ERR_clear_error()
            raise ValueError(_NO_KEY)
        self.handle = handle
        weakref.finalize(self, library.EVP_PKEY_free, handle)


class _Operation:
    """What one signature or verification needs inside OpenSSL, freed at the end of a `with`."""

    def __init__(self, key: Key) -> None:
        library = _openssl()
        self._key_context = library.EVP_PKEY_CTX_new(key.handle, None)
        library.EVP_PKEY_CTX_set1_id(self._key_context, SIGNER_ID, len(SIGNER_ID))
        self.context = library.EVP_MD_CTX_new()
        library.EVP_MD_CTX_set_pkey_ctx(self.context, self._key_context)

    def __enter__(self) -> int | None:
        handle: int | None = self.context
        return handle

    def __exit__(self, *_error: object) -> None:
        library = _openssl()
        # A failure leaves its reasons in a queue of this thread, where others would find them.
        library.ERR_clear_error()
        library.EVP_MD_CTX_free(self.context)
        library.EVP_PKEY_CTX_free(self._key_context)


def load_private(private: bytes) -> Key:
    """Prepare a private key; ValueError unless it is a number from 1 to the order less 2.

    The order less 1 has no inverse to sign by; OpenSSL reads numbers without looking at them.
    """
    if len(private) != PRIVATE_BYTES or not 0 < int.from_bytes(private, "big") < _ORDER - 1:
        raise ValueError(_NO_KEY)
    data = _PKCS8_HEAD + private
    return Key(_openssl().d2i_AutoPrivateKey(None, byref(c_char_p(data)), len(data)))


def public_of(key: Key) -> bytes:
    """Return the public half, 65 bytes."""
    size = len(_SPKI_HEAD) + PUBLIC_BYTES
    buffer = ctypes.create_string_buffer(size)
    written = _openssl().i2d_PUBKEY(key.handle, byref(ctypes.cast(buffer, c_char_p)))
    assert written == size, written
    return buffer.raw[-PUBLIC_BYTES:]


@functools.lru_cache(maxsize=256)
def _public(public: bytes) -> Key:
    data = _SPKI_HEAD + public
    return Key(_openssl().d2i_PUBKEY(None, byref(c_char_p(data)), len(data)))


def sign(key: Key, data: bytes) -> bytes:
    """Sign the data under its SM3 hash."""
    library = _openssl()
    signature = ctypes.create_string_buffer(SIGNATURE_BYTES_MAX)
    size = c_size_t(SIGNATURE_BYTES_MAX)
    with _Operation(key) as context:
        begun = library.EVP_DigestSignInit(context, None, library.EVP_sm3(), None, key.handle)
        assert begun == 1, "OpenSSL does not begin an SM2 signature"
        ended = library.EVP_DigestSign(context, signature, byref(size), data, len(data))
        assert ended == 1, "OpenSSL does not sign"
    return signature.raw[: size.value]


def verify(public: bytes, data: bytes, signature: bytes) -> bool:
    """Say whether the key signed the data; False for any damage of any of the three."""
    try:
        key = _public(public)
    except ValueError:
        return False
    library = _openssl()
    with _Operation(key) as context:
        begun = library.EVP_DigestVerifyInit(context, None, library.EVP_sm3(), None, key.handle)
        ended = library.EVP_DigestVerify(context, signature, len(signature), data, len(data))
        return bool(begun == 1 and ended == 1)
