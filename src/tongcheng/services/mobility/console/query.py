"""What an address of these pages asks for, read from its query and written back into one.

Everything has a default, so that a page without a query shows something; whatever is beyond a
bound is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlencode

from tongcheng.kernel.errors import Refused

At = tuple[float, float]
"""Longitude and latitude, degrees of WGS-84."""
MINUTES: Final = (10, 120)
"""How long a journey may take on a map, least and most."""
PORT_MINUTES: Final = (30, 480)
PORT_USUAL: Final = 120
"""How long a lorry may take to a port, least and most, and where nobody says how long."""
CLOCK: Final = (0, 1_440)
"""Minutes after midnight that a window may begin and end at."""
WINDOW_MAX: Final = 960
"""The longest window, in minutes: from six to ten in the evening, an instant a minute."""
LON, LAT = (-180.0, 180.0), (-90.0, 90.0)
SHOWN_MAX: Final = 40
"""Characters of what somebody wrote that a refusal repeats."""
PLACE_MAX: Final = 60
REGION_PEOPLE: Final = "_region"
"""How an address says the region's own modelled cells: no file of a bundle can be called so."""


class Asked(NamedTuple):
    """One question: a spot by its name, or by coordinates `at`, and how one travels.

    `arriving`: who reaches the spot; else what it reaches. `begin_min` and `end_min` are minutes
    after midnight, instants every minute from the one to before the other. `best` asks for the
    best-timed trip, else for the median of all instants. `scenario_id` "" is the day as it is.
    `people` are those of kept places, `MEMBER/ID`, or REGION_PEOPLE; "" is whatever there is.
    """

    place: str = ""
    at: At | None = None
    arriving: bool = True
    minutes: int = 60
    begin_min: int = 420
    end_min: int = 540
    best: bool = False
    scenario_id: str = ""
    people: str = ""

    @property
    def bands(self) -> tuple[int, ...]:
        """The minutes of the bands of a map: thirds of the longest, as whole minutes."""
        return (self.minutes // 3, 2 * self.minutes // 3, self.minutes)

    def fields(self, *, whole: bool = False) -> dict[str, str]:
        """Return the query's fields; those that are as by default only of a `whole` one."""
        told = {
            "place": self.place,
            "lon": "" if self.at is None else f"{self.at[0]:.5f}",
            "lat": "" if self.at is None else f"{self.at[1]:.5f}",
            "direction": "to" if self.arriving else "from",
            "minutes": str(self.minutes),
            "from": str(self.begin_min),
            "until": str(self.end_min),
            "regime": "best" if self.best else "usual",
            "scenario": self.scenario_id,
            "people": self.people,
        }
        same = {} if whole else USUAL
        return {name: value for name, value in told.items() if value and same.get(name) != value}

    def query(self, *, whole: bool = False) -> str:
        """Return the query, with its "?", or "" where everything is as it is by default.

        A `whole` one leaves nothing to whoever reads it: a comparison looks further where nobody
        said how (`compare_pages`).
        """
        fields = self.fields(whole=whole)
        return f"?{urlencode(fields)}" if fields else ""


USUAL: Final = Asked().fields(whole=True)


def asked_of(given: Mapping[str, str]) -> Asked:
    """Return what a query asks for.

    A name goes before coordinates: without scripts both fields of the form are sent.

    Raises:
        Refused: MOBILITY_PARAMETER for a number beyond its bounds, MOBILITY_CHOICE for a word that
            is none of those a field knows, MOBILITY_WINDOW where the window ends before it begins
            or is too long.
    """
    usual = Asked()
    place = given.get("place", "").strip()
    if len(place) > PLACE_MAX:
        raise Refused("MOBILITY_PLACE_UNKNOWN", place=shown(place))
    begin = _whole(given, "from", usual.begin_min, *CLOCK)
    end = _whole(given, "until", usual.end_min, *CLOCK)
    if not begin < end <= begin + WINDOW_MAX:
        raise Refused("MOBILITY_WINDOW", begin=clock(begin), end=clock(end), most=WINDOW_MAX)
    return Asked(
        place=place,
        at=None if place else _at(given),
        arriving=_choice(given, "direction", ("to", "from")) == "to",
        minutes=_whole(given, "minutes", usual.minutes, *MINUTES),
        begin_min=begin,
        end_min=end,
        best=_choice(given, "regime", ("usual", "best")) == "best",
        scenario_id=given.get("scenario", "").strip(),
        people=given.get("people", "").strip(),
    )


def port_minutes(given: Mapping[str, str]) -> int:
    """Return how long the way to a port may take; refuses MOBILITY_PARAMETER."""
    return _whole(given, "minutes", PORT_USUAL, *PORT_MINUTES)


def clock(minutes: int) -> str:
    """Return minutes after midnight as "07:00"."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def to_a_metre(lon: float, lat: float) -> At:
    """Return a point as an address can say it: that is what is computed, and what links lead to."""
    return round(lon, 5), round(lat, 5)


def shown(text: str) -> str:
    """Return what somebody wrote as a refusal repeats it: short, and no control characters."""
    kept = "".join(each if each.isprintable() else "?" for each in text[:SHOWN_MAX])
    return kept if len(text) <= SHOWN_MAX else f"{kept}…"


def _at(given: Mapping[str, str]) -> At | None:
    lon, lat = given.get("lon", "").strip(), given.get("lat", "").strip()
    if not lon and not lat:
        return None
    return to_a_metre(_degrees("lon", lon, *LON), _degrees("lat", lat, *LAT))


def _degrees(name: str, text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    # Not a number is in no order, so this refuses it too.
    if not least <= value <= most:
        raise Refused(
            "MOBILITY_PARAMETER", name=name, given=shown(text), least=int(least), most=int(most)
        )
    return value


def _whole(given: Mapping[str, str], name: str, usual: int, least: int, most: int) -> int:
    text = given.get(name, "").strip()
    if not text:
        return usual
    value = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(most)) else -1
    if not least <= value <= most:
        raise Refused("MOBILITY_PARAMETER", name=name, given=shown(text), least=least, most=most)
    return value


def _choice(given: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    text = given.get(name, "").strip() or words[0]
    if text not in words:
        raise Refused("MOBILITY_CHOICE", name=name, given=shown(text), words=", ".join(words))
    return text
