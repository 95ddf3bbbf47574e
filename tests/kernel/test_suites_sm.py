"""The suite of the Chinese standards gives what the standards publish."""

import subprocess
import sys

import pytest
from cryptography.exceptions import InvalidTag

from tests.kernel import sm2_by_hand as by_hand
from tongcheng.kernel import suites_sm2
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import SUITES, SigningKey, Suite, suite
from tongcheng.kernel.suites_sm import SM_SUITE, Sm4Gcm, hmac_sm3, sm3, sm_suite

# GB/T 32918.5-2017 (GM/T 0003.5-2012), appendix A: signature on the recommended curve.
PRIVATE = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
PUBLIC = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
CHANCE = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
MESSAGE = b"message digest"
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA

# RFC 8998, appendix A.1.
GCM_KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
GCM_NONCE = bytes.fromhex("00001234567800000000abcd")
GCM_OPEN = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
GCM_TEXT = b"".join(bytes((each,)) * 8 for each in bytes.fromhex("aabbccddeeffeeaa"))
GCM_SEALED = bytes.fromhex(
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
    "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    "83de3541e4c2b58177e065a9bf7b62ec"
)


@pytest.fixture
def of_sm() -> Suite:
    """Return the suite, where OpenSSL has it."""
    if not suites_sm2.available():
        pytest.skip("this system's OpenSSL has no SM2")
    return sm_suite()


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_sm3_as_published(data: bytes, digest: str) -> None:
    """GB/T 32905-2016, appendix A: both examples."""
    assert sm3(data).hex() == digest


def test_hmac_sm3_as_published() -> None:
    """GM/T 0042-2015, appendix D.3, the first example."""
    key = bytes(range(1, 33))
    data = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq" * 2

    assert hmac_sm3(key, data).hex() == (
        "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a"
    )


def test_sm4_gcm_as_published() -> None:
    """RFC 8998 publishes key, nonce, text, ciphertext and tag."""
    cipher = Sm4Gcm(GCM_KEY)

    assert cipher.encrypt(GCM_NONCE, GCM_TEXT, GCM_OPEN) == GCM_SEALED
    assert cipher.decrypt(GCM_NONCE, GCM_SEALED, GCM_OPEN) == GCM_TEXT


@pytest.mark.parametrize(
    ("sealed", "with_it"),
    [
        (GCM_SEALED[:-1] + b"x", GCM_OPEN),
        (b"x" + GCM_SEALED[1:], GCM_OPEN),
        (GCM_SEALED, GCM_OPEN[1:]),
        (GCM_SEALED, None),
        (GCM_SEALED[:15], GCM_OPEN),
        (b"", GCM_OPEN),
    ],
    ids=["tag", "text", "what is open", "nothing open", "short", "empty"],
)
def test_damaged_sm4_gcm_does_not_open(sealed: bytes, with_it: bytes | None) -> None:
    """It fails as the default suite's cipher does, so that sealing need not know which it is."""
    with pytest.raises(InvalidTag):
        Sm4Gcm(GCM_KEY).decrypt(GCM_NONCE, sealed, with_it)


def test_sm2_by_hand_gives_what_is_published() -> None:
    """The second implementation is one that can be believed."""
    assert by_hand.times(int.from_bytes(PRIVATE, "big"), by_hand.G) == by_hand.point(PUBLIC)
    private = int.from_bytes(PRIVATE, "big")
    assert by_hand.sign(private, PUBLIC, suites_sm2.SIGNER_ID, MESSAGE, CHANCE) == (R, S)


def test_sm2_takes_the_published_signature(of_sm: Suite) -> None:
    """Private key, public key and signature of the standard's example fit together."""
    key = SigningKey(of_sm, PRIVATE)

    assert key.public == PUBLIC
    assert key.kid == f"sm2:{sm3(PUBLIC).hex()[:16]}"
    assert of_sm.verify(PUBLIC, MESSAGE, by_hand.der(R, S))


@pytest.mark.parametrize("data", [b"", b"x", bytes(100_000)], ids=["empty", "short", "long"])
def test_what_sm2_signs_is_verified_by_hand(of_sm: Suite, data: bytes) -> None:
    """Both ways, over any length; two signatures of the same differ, for chance goes in."""
    key = SigningKey(of_sm, PRIVATE)
    first, second = key.sign(data), key.sign(data)

    assert first != second
    assert by_hand.verify(PUBLIC, suites_sm2.SIGNER_ID, data, *by_hand.read(first))
    assert of_sm.verify(PUBLIC, data, first)
    assert of_sm.verify(PUBLIC, data, second)


GOOD = by_hand.der(R, S)
OTHER = bytes.fromhex("04") + b"".join(each.to_bytes(32, "big") for each in by_hand.G)


@pytest.mark.parametrize(
    ("public", "data", "signature"),
    [
        (PUBLIC, b"message digesT", GOOD),
        (OTHER, MESSAGE, GOOD),
        (PUBLIC[:-1] + b"\0", MESSAGE, GOOD),
        (PUBLIC[1:], MESSAGE, GOOD),
        (b"", MESSAGE, GOOD),
        (PUBLIC, MESSAGE, by_hand.der(S, R)),
        (PUBLIC, MESSAGE, by_hand.der(0, S)),
        (PUBLIC, MESSAGE, by_hand.der(R, S + by_hand.N)),
        (PUBLIC, MESSAGE, GOOD + b"\0"),
        (PUBLIC, MESSAGE, GOOD[:-1]),
        (PUBLIC, MESSAGE, b""),
        (PUBLIC, MESSAGE, bytes(64)),
    ],
    ids=[
        "other data",
        "other key",
        "not a point",
        "a key without its first byte",
        "no key",
        "r and s changed",
        "r is nothing",
        "s too large",
        "longer",
        "cut",
        "empty",
        "zeros",
    ],
)
def test_damage_is_false(of_sm: Suite, public: bytes, data: bytes, signature: bytes) -> None:
    """As of every suite: false, never an exception; and what follows is not disturbed."""
    assert of_sm.verify(public, data, signature) is False
    assert of_sm.verify(PUBLIC, MESSAGE, GOOD)


@pytest.mark.parametrize(
    "number", [0, by_hand.N - 1, 2**256 - 1], ids=["zero", "order less one", "largest"]
)
def test_a_number_off_the_curve_is_no_key(of_sm: Suite, number: int) -> None:
    """Nobody signs with a key that gives itself away or that others refuse."""
    with pytest.raises(ValueError, match="not an SM2 key"):
        of_sm.load_private(number.to_bytes(32, "big"))


def test_nodes_do_not_run_on_it() -> None:
    """An accord that names it is refused: neither ring nor tree would be of this suite."""
    assert SM_SUITE not in SUITES
    with pytest.raises(Refused) as refused:
        suite(SM_SUITE)

    assert refused.value.code == "SUITE_UNKNOWN"


def test_without_sm2_there_is_no_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some systems build OpenSSL without it: that is said, not found out at a signature."""
    monkeypatch.setattr(suites_sm2, "available", lambda: False)
    with pytest.raises(Refused) as refused:
        sm_suite()

    assert refused.value.code == "SUITE_UNKNOWN"


LOOK = """
from tongcheng.kernel import suites_sm2

suites_sm2._LIBRARY = "libcrypto-that-is-not-there.so"
print(suites_sm2.available())
"""


def test_a_library_that_is_not_there_is_not_available() -> None:
    """Asked in a process of its own: a library that was found stays found."""
    ended = subprocess.run(  # noqa: S603 our own words
        [sys.executable, "-c", LOOK], check=True, capture_output=True, text=True
    )

    assert ended.stdout == "False\n"
