"""Passwords: argon2id with the second choice of RFC 9106, section 4 (64 MiB, three passes).

Hashing takes a tenth of a second and 64 MiB by design: never in the writer, never in the loop, and
never more than a few at once (`SLOTS`). A name that nobody has costs the same as one that somebody
has: then the digest of a password that nobody knows is tried.
"""

import functools
import unicodedata
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from tongcheng.kernel.entropy import Entropy
from tongcheng.kernel.errors import Refused

CHARACTERS_MIN: Final = 12
CHARACTERS_MAX: Final = 128
SALT_BYTES: Final = 16
ONE_TIME_GROUPS: Final = 4
SLOTS: Final = 2
"""Hashes computed at one time in a node: 128 MiB."""

_SIGNS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's 32: none is heard for another when a one-time password is read out on the phone."""

_HASHER: Final = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
assert _HASHER.type is Type.ID, "argon2id"


def normalise(password: str) -> str:
    """Return a password as it is compared: the same typed on any keyboard (RFC 8265, opaque)."""
    return unicodedata.normalize("NFC", password[: CHARACTERS_MAX * 2])


def check(password: str, sign_in_name: str) -> None:
    """Refuse PASSWORD_WEAK for what is too short, too long, one sign over and over, or the name."""
    given = normalise(password)
    if not CHARACTERS_MIN <= len(given) <= CHARACTERS_MAX or len(set(given)) < CHARACTERS_MIN // 2:
        raise Refused("PASSWORD_WEAK", least=CHARACTERS_MIN, most=CHARACTERS_MAX)
    if sign_in_name.casefold() in given.casefold():
        raise Refused("PASSWORD_WEAK", least=CHARACTERS_MIN, most=CHARACTERS_MAX)


def digest(password: str, entropy: Entropy) -> str:
    """Return the argon2id digest of a password, with its parameters in it (PHC string)."""
    return _HASHER.hash(normalise(password), salt=entropy.bytes(SALT_BYTES))


def is_right(stored: str | None, password: str) -> bool:
    """Tell whether a password is the one of a digest; without one the same work is done."""
    try:
        _HASHER.verify(stored or _nobodys(), normalise(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Tell whether a digest was made with other parameters than those of today."""
    return _HASHER.check_needs_rehash(stored)


def one_time(entropy: Entropy) -> str:
    """Return a password to be read out once: 80 random bits in four groups of four."""
    signs = [_SIGNS[byte % len(_SIGNS)] for byte in entropy.bytes(4 * ONE_TIME_GROUPS)]
    return "-".join("".join(signs[at : at + 4]) for at in range(0, len(signs), 4))


@functools.cache
def _nobodys() -> str:
    return _HASHER.hash("a password that nobody has")
