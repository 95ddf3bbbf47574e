"""How much it should worry people that something has waited so long."""

from typing import Literal

from tongcheng.kernel.calendar import MINUTE_MS
from tongcheng.web import Tone

Band = Literal["fresh", "slow", "long"]
BANDS: tuple[Band, ...] = ("long", "slow", "fresh")
SLOW_MS = MINUTE_MS
"""An answer takes a second or two: after a minute somebody at the window has noticed."""
LONG_MS = 10 * MINUTE_MS
"""After so long the patient is kept waiting to go home: a clerk takes the telephone."""

BAND_TONES: dict[Band, Tone] = {"fresh": "quiet", "slow": "waiting", "long": "bad"}


def band_of(age_ms: int) -> Band:
    """Return how bad it is to have waited so long for an answer."""
    if age_ms < SLOW_MS:
        return "fresh"
    return "slow" if age_ms < LONG_MS else "long"
