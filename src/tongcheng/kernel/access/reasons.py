"""Reasons in people's own words: long enough to say something, sealed because they can be personal.

The words lie sealed beside their row, never in the journal: a leaf holds their salted digest.
"""

import hashlib
import unicodedata
from typing import Final

from tongcheng.kernel import sealing
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.store import Transaction

CHARACTERS_MIN: Final = 10
"""Shorter than "patient unconscious" nobody can say why; "urgent" is no reason."""
CHARACTERS_MAX: Final = 500
SALT_BYTES: Final = 16


def checked(written: str) -> str:
    """Return a reason as it is kept; refuses REASON_WORDS.

    Control characters are refused, or a stored reason could steer a reviewer's terminal.
    """
    text = " ".join(written.split())
    is_text = not any(unicodedata.category(each) in {"Cc", "Cs", "Cf"} for each in text)
    if not is_text or not CHARACTERS_MIN <= len(text) <= CHARACTERS_MAX:
        raise Refused("REASON_WORDS", least=CHARACTERS_MIN, most=CHARACTERS_MAX)
    return text


def sealed(tx: Transaction, text: str, bound_to: str) -> tuple[bytes, str]:
    """Seal a checked reason for one place; return it with the digest that a leaf may hold (hex)."""
    salted = tx.home.entropy.bytes(SALT_BYTES) + text.encode()
    kept = sealing.seal(tx.home.ring, salted, bound_to, tx.home.entropy)
    return kept, hashlib.sha256(salted).hexdigest()


def opened(ring: KeyRing, kept: bytes, bound_to: str) -> str:
    """Open a sealed reason; refuses SEALED_DAMAGED."""
    return sealing.unseal(ring, kept, bound_to)[SALT_BYTES:].decode()
