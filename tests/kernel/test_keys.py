"""Keys, and the ring on disk."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tongcheng.kernel import keys
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import KeyRing, SigningKey, VerifyKey

RING = KeyRing.create(SeededEntropy(1))
SUITE = keys.suite(keys.DEFAULT_SUITE)
PASSPHRASE = b"a long passphrase from a file"


def _secrets(ring: KeyRing) -> tuple[bytes, ...]:
    decryption = ring.decryption_key.private_bytes_raw()
    return ring.signing.private, decryption, ring.data_key, ring.mac_key, ring.index_key


def _file(folder: Path, algorithm: str) -> Path:
    """The first file of a ring whose key is of this algorithm."""
    return min(folder.glob(f"{algorithm}:*"))


def test_signature_of_rfc_8032() -> None:
    """Ed25519 is Ed25519: RFC 8032, section 7.1, test 2."""
    private = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    key = SigningKey(SUITE, private)

    assert (key.public, key.sign(b"\x72")) == (public, signature)
    assert key.verify_key().verify(b"\x72", signature)


def test_mac_of_rfc_4231() -> None:
    """HMAC-SHA256: RFC 4231, section 4.3."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"

    assert SUITE.mac(b"Jefe", b"what do ya want for nothing?").hex() == expected


def test_key_names() -> None:
    """A name is the algorithm and the hash of what may be known."""
    public = RING.signing.public
    decryption_public = RING.decryption_key.public_key().public_bytes_raw()

    assert RING.signing.kid == "ed25519:" + hashlib.sha256(public).hexdigest()[:16]
    assert RING.encryption_kid == "x25519:" + hashlib.sha256(decryption_public).hexdigest()[:16]
    assert RING.encryption_public == decryption_public
    assert RING.data_kid.startswith("aes256:")
    assert hashlib.sha256(RING.data_key).hexdigest()[:16] not in RING.data_kid


@pytest.mark.parametrize(
    ("data", "signature"),
    [
        (b"other", RING.signing.sign(b"data")),
        (b"data", b""),
        (b"data", bytes(64)),
        (b"data", RING.signing.sign(b"data")[:-1]),
        (b"data", KeyRing.create(SeededEntropy(2)).signing.sign(b"data")),
    ],
    ids=["other data", "empty", "zeros", "cut", "other key"],
)
def test_a_false_signature_is_false(data: bytes, signature: bytes) -> None:
    """Damage is an answer, not an exception."""
    assert not RING.signing.verify_key().verify(data, signature)


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(32), b"\xff" * 32, bytes(33)])
def test_a_false_public_key_verifies_nothing(public: bytes) -> None:
    """An accord with a damaged key in it admits nobody."""
    key = VerifyKey("ed25519:0", keys.DEFAULT_SUITE, public)

    assert not key.verify(b"data", RING.signing.sign(b"data"))


def test_unknown_suite() -> None:
    """A suite that is not built in is refused and the known ones are named."""
    with pytest.raises(Refused, match="SUITE_UNKNOWN") as caught:
        VerifyKey("rot13:0", "rot13", b"").verify(b"", b"")

    assert caught.value.facts["known"] == keys.DEFAULT_SUITE


def test_secrets_are_not_shown() -> None:
    """A ring in a traceback or a log names its keys and gives none away."""
    shown = repr(RING) + repr(RING.signing)

    assert RING.signing.kid in shown
    assert not any(repr(one) in shown or one.hex() in shown for one in _secrets(RING))


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_what_is_saved_is_loaded(tmp_path: Path, passphrase: bytes | None) -> None:
    """Every key comes back as it was."""
    RING.save(tmp_path / "a" / "keys", passphrase)

    assert _secrets(KeyRing.load(tmp_path / "a" / "keys", passphrase)) == _secrets(RING)


def test_files_are_private(tmp_path: Path) -> None:
    """Folder 0700, files 0600, each file named for its key."""
    folder = tmp_path / "keys"
    RING.save(folder)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert {RING.signing.kid, RING.encryption_kid, RING.data_kid, keys.RING_FILE} < {
        file.name for file in folder.iterdir()
    }
    assert b"BEGIN PRIVATE KEY" in (folder / RING.signing.kid).read_bytes()


def test_a_passphrase_protects_every_key(tmp_path: Path) -> None:
    """No secret stands in any file, in any spelling we could think of."""
    RING.save(tmp_path / "keys", PASSPHRASE)
    content = b"".join(file.read_bytes() for file in (tmp_path / "keys").iterdir())

    assert b"BEGIN PRIVATE KEY" not in content
    assert not any(one in content or one.hex().encode() in content for one in _secrets(RING))


def test_a_ring_is_never_overwritten(tmp_path: Path) -> None:
    """Writing over keys would lock up for ever what they sealed."""
    RING.save(tmp_path / "keys")

    with pytest.raises(Refused, match="KEYS_EXIST"):
        KeyRing.create(SeededEntropy(2)).save(tmp_path / "keys")

    assert _secrets(KeyRing.load(tmp_path / "keys")) == _secrets(RING)


def test_a_ring_cut_short_is_no_ring(tmp_path: Path) -> None:
    """The list is written last; without it the folder holds nothing yet."""
    RING.save(tmp_path / "keys")
    (tmp_path / "keys" / keys.RING_FILE).unlink()

    with pytest.raises(Refused, match="KEYS_MISSING"):
        KeyRing.load(tmp_path / "keys")

    KeyRing.create(SeededEntropy(2)).save(tmp_path / "keys")
    assert KeyRing.load(tmp_path / "keys").signing.kid != RING.signing.kid


@pytest.mark.parametrize(
    ("saved", "given"),
    [
        (PASSPHRASE, None),
        (PASSPHRASE, b""),
        (PASSPHRASE, b"wrong"),
        (None, b"needless"),
        (None, b""),
    ],
)
def test_passphrase(tmp_path: Path, saved: bytes | None, given: bytes | None) -> None:
    """Missing, empty, wrong or needless: the operator should know which keys he has."""
    RING.save(tmp_path / "keys", saved)

    with pytest.raises(Refused, match="KEYS_PASSPHRASE"):
        KeyRing.load(tmp_path / "keys", given)


def test_an_empty_passphrase_saves_nothing(tmp_path: Path) -> None:
    """An empty passphrase file is a mistake, not a wish for no passphrase."""
    with pytest.raises(Refused, match="KEYS_PASSPHRASE"):
        RING.save(tmp_path / "keys", b"")

    assert list((tmp_path / "keys").iterdir()) == []


@pytest.mark.parametrize("name", [".", keys.RING_FILE, "ed25519", "x25519", "aes256", "hmac"])
@pytest.mark.parametrize("mode", [0o040, 0o004, 0o002])
def test_permissions(tmp_path: Path, name: str, mode: int) -> None:
    """A key that others could read may be known to them already."""
    folder = tmp_path / "keys"
    RING.save(folder)
    file = folder / name if (folder / name).exists() else _file(folder, name)
    file.chmod(stat.S_IMODE(file.stat().st_mode) | mode)

    with pytest.raises(Refused, match="KEYS_PERMISSIONS"):
        KeyRing.load(folder)


@pytest.mark.parametrize("algorithm", ["ed25519", "x25519", "aes256", "hmac"])
def test_missing_files(tmp_path: Path, algorithm: str) -> None:
    """The refusal names the file that is gone."""
    RING.save(tmp_path / "keys")
    gone = _file(tmp_path / "keys", algorithm)
    gone.unlink()

    with pytest.raises(Refused, match="KEYS_MISSING") as caught:
        KeyRing.load(tmp_path / "keys")

    assert gone.name in str(caught.value.facts["file"])


@pytest.mark.parametrize("content", [b"", b"\xff", b"AAAA", b"-----BEGIN PRIVATE KEY-----\n"])
@pytest.mark.parametrize("name", [keys.RING_FILE, "ed25519", "x25519", "aes256", "hmac"])
def test_damaged_files(tmp_path: Path, name: str, content: bytes) -> None:
    """Damage is a message, not a traceback."""
    folder = tmp_path / "keys"
    RING.save(folder)
    (folder / name if name == keys.RING_FILE else _file(folder, name)).write_bytes(content)

    with pytest.raises(Refused, match="KEYS_DAMAGED"):
        KeyRing.load(folder)


def test_a_key_under_anothers_name(tmp_path: Path) -> None:
    """A signing key put in the place of another is noticed, and so is one of another kind."""
    folder = tmp_path / "keys"
    RING.save(folder)
    other = KeyRing.create(SeededEntropy(2))
    other.save(tmp_path / "other")
    stranger = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    for content in ((tmp_path / "other" / other.signing.kid).read_bytes(), stranger):
        (folder / RING.signing.kid).write_bytes(content)

        with pytest.raises(Refused, match="KEYS_DAMAGED"):
            KeyRing.load(folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"mac"', b'"map"'),
        (b"hmac:", b"../x"),
        (keys.DEFAULT_SUITE.encode(), b"rot13"),
    ],
    ids=["unknown role", "path", "unknown suite"],
)
def test_a_false_list(tmp_path: Path, old: bytes, new: bytes) -> None:
    """The list may not lead out of its folder."""
    folder = tmp_path / "keys"
    RING.save(folder)
    listed = folder / keys.RING_FILE
    listed.write_bytes(listed.read_bytes().replace(old, new))

    with pytest.raises(Refused, match=r"KEYS_DAMAGED|SUITE_UNKNOWN"):
        KeyRing.load(folder)
