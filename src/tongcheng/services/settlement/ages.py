"""How long something has waited, as people say it, and how much that should worry them."""

from typing import Literal

from tongcheng.web import Tone
from tongcheng.web.voice import Voice

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

UNITS = (
    ("settlement.age.day", DAY_MS),
    ("settlement.age.hour", HOUR_MS),
    ("settlement.age.minute", MINUTE_MS),
)

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


def say(voice: Voice, age_ms: int) -> str:
    """Return "12 分钟", "3 小时", "5 天": one unit, rounded down, never less than seconds."""
    age = max(age_ms, 0)
    for key, unit in UNITS:
        if age >= unit:
            return voice.tn(key, age // unit)
    return voice.tn("settlement.age.second", age // SECOND_MS)
