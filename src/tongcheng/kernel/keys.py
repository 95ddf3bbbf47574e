"""Keys: what a node signs with, is written to with, and protects its own records with.

A *suite* is one choice of signature, hash, MAC and cipher under one name; it is chosen as a whole,
so that no weak combination can be negotiated. Nodes run on one; `suites_sm` is another that they do
not run on yet. How keys are named, stored and rotated is docs/protocol/02-keys-and-sealing.md.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hpke, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tongcheng.kernel import canonical
from tongcheng.kernel.entropy import Entropy
from tongcheng.kernel.errors import Refused

DEFAULT_SUITE = "ed25519-sha256-aes256gcm"
KEY_BYTES = 32

RING_FILE = "ring.json"
"""The list of the ring's keys, beside their files."""

# RFC 9180, base mode.
HPKE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)

_KID_HEX = 16
_KID = re.compile(r"[a-z0-9]+:[0-9a-f]{16}")
_SECRET_ROLES = ("data", "mac", "index")
_LISTED = {"suite", "signing", "encryption", *_SECRET_ROLES}
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Aead(Protocol):
    """A cipher under one key that also protects what is not secret; `decrypt` raises InvalidTag."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Return the ciphertext and its tag."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Return the plaintext."""


@dataclass(frozen=True, slots=True)
class Suite:
    """One signature, hash, MAC and at-rest cipher. Keys are raw bytes, as the algorithm names them.

    `load_private` prepares a private key once, because preparing costs more than signing. `verify`
    is False for any damage, never an exception. `aead(key)` has encrypt/decrypt(nonce, data, ad).
    """

    name: str
    signature: str
    cipher: str
    load_private: Callable[[bytes], Any]
    public_of: Callable[[Any], bytes]
    sign: Callable[[Any, bytes], bytes]
    verify: Callable[[bytes, bytes, bytes], bool]
    hash: Callable[[bytes], bytes]
    mac: Callable[[bytes, bytes], bytes]
    aead: Callable[[bytes], Aead]

    def kid(self, public: bytes) -> str:
        """Name a signing key: algorithm and the first 16 hex digits of the hash of its bytes."""
        return f"{self.signature}:{self.hash(public).hex()[:_KID_HEX]}"


def _ed25519_sign(private: Ed25519PrivateKey, data: bytes) -> bytes:
    return private.sign(data)


@functools.lru_cache(maxsize=256)
def _ed25519_public(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)


def _ed25519_verify(public: bytes, data: bytes, signature: bytes) -> bool:
    try:
        _ed25519_public(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _raw_public(private: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _hmac_sha256(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


SUITES = {
    DEFAULT_SUITE: Suite(
        name=DEFAULT_SUITE,
        signature="ed25519",
        cipher="aes256",
        load_private=Ed25519PrivateKey.from_private_bytes,
        public_of=_raw_public,
        sign=_ed25519_sign,
        verify=_ed25519_verify,
        hash=_sha256,
        mac=_hmac_sha256,
        aead=AESGCM,
    )
}


def suite(name: str) -> Suite:
    """Return the suite called `name`; refuses SUITE_UNKNOWN."""
    found = SUITES.get(name)
    if found is None:
        raise Refused("SUITE_UNKNOWN", suite=ascii(name[:64]), known=", ".join(sorted(SUITES)))
    return found


class SigningKey:
    """A private signing key. `kid` names it, `public` is its raw public half."""

    __slots__ = ("_handle", "kid", "private", "public", "suite")

    def __init__(self, of_suite: Suite, private: bytes) -> None:
        assert len(private) == KEY_BYTES, len(private)
        self.suite = of_suite
        self.private = private
        self._handle = of_suite.load_private(private)
        self.public = of_suite.public_of(self._handle)
        self.kid = of_suite.kid(self.public)

    def __repr__(self) -> str:
        return f"SigningKey({self.kid})"

    def sign(self, data: bytes) -> bytes:
        """Sign the data."""
        return self.suite.sign(self._handle, data)

    def verify_key(self) -> VerifyKey:
        """Return the public half, as others know it."""
        return VerifyKey(self.kid, self.suite.name, self.public)


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A public signing key as the accord lists it; `suite` is the suite's name."""

    kid: str
    suite: str
    public: bytes

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Say whether this key signed the data; refuses SUITE_UNKNOWN."""
        return suite(self.suite).verify(self.public, data, signature)


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """All keys of one node. The secrets are raw bytes; `*_kid` names them without giving them away.

    `data_key` seals records at rest, `mac_key` guards rows against change, `index_key` turns id
    numbers into look-up values that mean nothing elsewhere. `decryption_key` opens what others
    sealed for `encryption_public`.
    """

    suite: Suite
    signing: SigningKey
    decryption_key: X25519PrivateKey
    data_key: bytes
    mac_key: bytes
    index_key: bytes
    encryption_public: bytes = field(init=False)
    encryption_kid: str = field(init=False)
    data_kid: str = field(init=False)

    def __post_init__(self) -> None:
        """Name the keys."""
        public = _raw_public(self.decryption_key)
        object.__setattr__(self, "encryption_public", public)
        object.__setattr__(self, "encryption_kid", encryption_kid(public))
        object.__setattr__(self, "data_kid", secret_kid(self.suite.cipher, self.data_key))

    def __repr__(self) -> str:
        return f"KeyRing({self.signing.kid}, {self.encryption_kid}, {self.data_kid})"

    @classmethod
    def create(cls, entropy: Entropy, suite_name: str = DEFAULT_SUITE) -> KeyRing:
        """Make a ring of new keys. The same entropy makes the same ring."""
        of_suite = suite(suite_name)
        return cls(
            suite=of_suite,
            signing=SigningKey(of_suite, entropy.bytes(KEY_BYTES)),
            decryption_key=X25519PrivateKey.from_private_bytes(entropy.bytes(KEY_BYTES)),
            data_key=entropy.bytes(KEY_BYTES),
            mac_key=entropy.bytes(KEY_BYTES),
            index_key=entropy.bytes(KEY_BYTES),
        )

    def save(self, folder: Path, passphrase: bytes | None = None) -> None:
        """Write the ring to `folder` (mode 0700), one file a key (0600), never over another ring.

        With a passphrase no key can be read without it. Refuses KEYS_EXIST, and KEYS_PASSPHRASE
        for an empty one.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        if (folder / RING_FILE).exists():
            raise Refused("KEYS_EXIST", folder=str(folder))
        kids = self._kids()
        signing = Ed25519PrivateKey.from_private_bytes(self.signing.private)
        _write(folder / kids["signing"], _pem(signing, passphrase))
        _write(folder / kids["encryption"], _pem(self.decryption_key, passphrase))
        for role in _SECRET_ROLES:
            _write(folder / kids[role], self._wrap(role, kids[role]))
        # The list comes last: a ring whose writing was cut short has none and is not a ring.
        _write(folder / RING_FILE, canonical.encode({"suite": self.suite.name, **kids}) + b"\n")
        _sync_folder(folder)

    @classmethod
    def load(cls, folder: Path, passphrase: bytes | None = None) -> KeyRing:
        """Read a ring that `save` wrote.

        Refuses KEYS_MISSING, KEYS_PERMISSIONS (others could read or change a file),
        KEYS_PASSPHRASE (missing, needless or wrong) and KEYS_DAMAGED.
        """
        listed = _read_list(folder)
        of_suite = suite(listed["suite"])
        signing = _read_pem(folder / listed["signing"], passphrase)
        decryption_key = _read_pem(folder / listed["encryption"], passphrase)
        if not isinstance(signing, Ed25519PrivateKey):
            raise Refused("KEYS_DAMAGED", file=listed["signing"])
        if not isinstance(decryption_key, X25519PrivateKey):
            raise Refused("KEYS_DAMAGED", file=listed["encryption"])
        data, mac, index = (
            _unwrap(folder / listed[role], role, decryption_key) for role in _SECRET_ROLES
        )
        signing_key = SigningKey(of_suite, signing.private_bytes_raw())
        ring = cls(of_suite, signing_key, decryption_key, data, mac, index)
        for role, kid in ring._kids().items():
            if kid != listed[role]:
                raise Refused("KEYS_DAMAGED", file=listed[role])
        return ring

    def _kids(self) -> dict[str, str]:
        return {
            "signing": self.signing.kid,
            "encryption": self.encryption_kid,
            "data": self.data_kid,
            "mac": secret_kid("hmac", self.mac_key),
            "index": secret_kid("hmac", self.index_key),
        }

    def _wrap(self, role: str, kid: str) -> bytes:
        """Seal a secret key to the ring's own encryption key, which the passphrase protects."""
        secret = {"data": self.data_key, "mac": self.mac_key, "index": self.index_key}[role]
        public = self.decryption_key.public_key()
        return base64.b64encode(HPKE.encrypt(secret, public, info=_wrap_info(role, kid))) + b"\n"


def save_signing_key(path: Path, key: SigningKey, passphrase: bytes) -> None:
    """Write one signing key alone: PKCS#8 under a passphrase, mode 0600.

    Refuses KEY_FILE_EXISTS, and KEYS_PASSPHRASE for an empty one.
    """
    content = _pem(Ed25519PrivateKey.from_private_bytes(key.private), passphrase)
    try:
        _write(path, content)
    except FileExistsError:
        raise Refused("KEY_FILE_EXISTS", file=str(path)) from None
    _sync_folder(path.parent)


def load_signing_key(path: Path, passphrase: bytes) -> SigningKey:
    """Read a key that `save_signing_key` wrote; refuses as `KeyRing.load` does."""
    private = _read_pem(path, passphrase)
    if not isinstance(private, Ed25519PrivateKey):
        raise Refused("KEYS_DAMAGED", file=path.name)
    return SigningKey(suite(DEFAULT_SUITE), private.private_bytes_raw())


def encryption_kid(public: bytes) -> str:
    """Name an X25519 key to seal for, by the hash of its public bytes."""
    return f"x25519:{hashlib.sha256(public).hexdigest()[:_KID_HEX]}"


def secret_kid(algorithm: str, secret: bytes) -> str:
    """Name a secret key; its 256 random bits cannot be found from the name."""
    named = hashlib.sha256(b"tongcheng secret key name\0" + secret).hexdigest()
    return f"{algorithm}:{named[:_KID_HEX]}"


def _wrap_info(role: str, kid: str) -> bytes:
    return f"tongcheng key file\0{role}\0{kid}".encode()


def _pem(private: Ed25519PrivateKey | X25519PrivateKey, passphrase: bytes | None) -> bytes:
    if passphrase == b"":
        raise Refused("KEYS_PASSPHRASE", file="-")
    encryption = (
        serialization.NoEncryption()
        if passphrase is None
        else serialization.BestAvailableEncryption(passphrase)
    )
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def _write(path: Path, content: bytes) -> None:
    """Create a file only its owner can read, on disk before we go on; never over another."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError:
        raise Refused("KEYS_MISSING", file=str(path)) from None
    if mode & _OTHERS:
        raise Refused("KEYS_PERMISSIONS", file=str(path), mode=f"{stat.S_IMODE(mode):04o}")
    return content


def _read_list(folder: Path) -> dict[str, str]:
    raw = _read(folder / RING_FILE)
    mode = folder.stat().st_mode
    if mode & _OTHERS:
        raise Refused("KEYS_PERMISSIONS", file=str(folder), mode=f"{stat.S_IMODE(mode):04o}")
    try:
        listed = canonical.decode_as(raw.removesuffix(b"\n"), dict[str, str])
    except Refused:
        raise Refused("KEYS_DAMAGED", file=RING_FILE) from None
    kids = [kid for role, kid in listed.items() if role != "suite"]
    if set(listed) != _LISTED or not all(_KID.fullmatch(kid) for kid in kids):
        raise Refused("KEYS_DAMAGED", file=RING_FILE)
    return listed


def _read_pem(path: Path, passphrase: bytes | None) -> object:
    content = _read(path)
    encrypted = b"BEGIN ENCRYPTED PRIVATE KEY" in content
    if passphrase == b"" or encrypted is not (passphrase is not None):
        raise Refused("KEYS_PASSPHRASE", file=path.name)
    try:
        return serialization.load_pem_private_key(content, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # A wrong passphrase and a damaged encrypted file cannot be told apart.
        code = "KEYS_PASSPHRASE" if encrypted else "KEYS_DAMAGED"
        raise Refused(code, file=path.name) from None


def _unwrap(path: Path, role: str, key: X25519PrivateKey) -> bytes:
    try:
        wrapped = base64.b64decode(_read(path), validate=False)
        secret = HPKE.decrypt(wrapped, key, info=_wrap_info(role, path.name))
    except (ValueError, InvalidTag):
        raise Refused("KEYS_DAMAGED", file=path.name) from None
    if len(secret) != KEY_BYTES:
        raise Refused("KEYS_DAMAGED", file=path.name)
    return secret
