"""The values of a scenario's document: numbers, times, days and places, each checked by itself."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from typing import Final

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts import documents
from tongcheng.services.mobility.scenario.model import Call, Repeats, Spot, Step
from tongcheng.services.mobility.scenario.shapes import SpotShape, StepShape

MINUTE_S: Final = 60
DAY_S: Final = 86_400
PARTS_MAX: Final = 100
"""A factor of a headway is a fraction of whole numbers up to this: so many rows it becomes."""
FACTOR_MOST: Final = 20

_NUMBER: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,4})?")
_SIGNED: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,8})?")
_RATIO: Final = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")
_CLOCK: Final = re.compile(r"([0-2][0-9]):([0-5][0-9])")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Cells:
    """Reads values of one document; a fault is refused with the line at which its value stands."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text

    def fault(self, where: str, fault: str) -> Refused:
        """Return the refusal SCENARIO_DOCUMENT of a place like `.changes[0].factor`."""
        line = documents.line_of(self._text, where)
        return Refused(
            "SCENARIO_DOCUMENT", file=self._file, line=line, fault=f"{fault} ({where[1:]})"
        )

    def number(self, where: str, text: str, least: Fraction | int, most: int) -> Fraction:
        """Return a decimal number within bounds, exactly."""
        if not _NUMBER.fullmatch(text):
            raise self.fault(where, "no decimal number")
        value = Fraction(text)
        if not least <= value <= most:
            raise self.fault(where, f"not from {float(least):g} to {most}")
        return value

    def whole(self, where: str, text: str, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        value = self.number(where, text, least, most)
        if value.denominator != 1:
            raise self.fault(where, "no whole number")
        return int(value)

    def thousandths(self, where: str, text: str, most: int) -> int:
        """Return a positive number in thousandths, so that lengths and speeds round alike."""
        value = self.number(where, text, Fraction(1, 1_000), most) * 1_000
        if value.denominator != 1:
            raise self.fault(where, "finer than thousandths")
        return int(value)

    def minutes_s(self, where: str, text: str, least: Fraction | int, most: int) -> int:
        """Return minutes as whole seconds."""
        value = self.number(where, text, least, most) * MINUTE_S
        if value.denominator != 1:
            raise self.fault(where, "no whole number of seconds")
        return int(value)

    def factor(self, where: str, text: str) -> Fraction:
        """Return a factor: a decimal number like 0.75, or a ratio like 1/3."""
        ratio = _RATIO.fullmatch(text)
        if ratio is not None and int(ratio[2]) > 0:
            value = Fraction(int(ratio[1]), int(ratio[2]))
        elif _NUMBER.fullmatch(text):
            value = Fraction(text)
        else:
            raise self.fault(where, "no factor like 0.5 or 1/3")
        if not Fraction(1, FACTOR_MOST) <= value <= FACTOR_MOST:
            raise self.fault(where, f"not from 1/{FACTOR_MOST} to {FACTOR_MOST}")
        if value.denominator > PARTS_MAX:
            raise self.fault(where, f"as a fraction it is {value}, in parts finer than hundredths")
        return value

    def clock_s(self, where: str, text: str) -> int:
        """Return a time HH:MM in seconds after midnight; up to 29:59."""
        found = _CLOCK.fullmatch(text)
        if found is None:
            raise self.fault(where, "no time HH:MM")
        return int(found[1]) * 3_600 + int(found[2]) * MINUTE_S

    def day(self, where: str, text: str) -> date:
        """Return a day YYYY-MM-DD."""
        try:
            if not _DAY.fullmatch(text):
                raise ValueError
            return date.fromisoformat(text)
        except ValueError:
            raise self.fault(where, "no date YYYY-MM-DD") from None

    def degrees(self, where: str, text: str, most: int) -> float:
        """Return degrees of WGS-84."""
        if not _SIGNED.fullmatch(text):
            raise self.fault(where, "no decimal degrees")
        value = float(text)
        if abs(value) > most:
            raise self.fault(where, f"beyond {most} degrees")
        return value

    def once(self, where: str, names: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return names, () for none; refuses one that stands twice."""
        names = names or ()
        for place, name in enumerate(names):
            if name in names[:place]:
                raise self.fault(where + f"[{place}]", "stands twice")
        return names

    def call(self, where: str, given: str | SpotShape) -> Call:
        """Return a station's name or id as it is, or a place."""
        if isinstance(given, str):
            return given
        lon = self.degrees(where + ".lon", given.lon, 180)
        lat = self.degrees(where + ".lat", given.lat, 90)
        return Spot(given.name, lon, lat)

    def calls(self, where: str, given: tuple[str | SpotShape, ...]) -> tuple[Call, ...]:
        """Return calls; refuses two in a row at one place."""
        found = tuple(self.call(f"{where}[{place}]", each) for place, each in enumerate(given))
        for place in range(1, len(found)):
            if found[place] == found[place - 1]:
                raise self.fault(where + f"[{place}]", "the same call twice in a row")
        return found

    def arrivals_s(
        self, where: str, given: tuple[str | None, ...], calls: int
    ) -> tuple[int | None, ...]:
        """Return arrivals in seconds after the first departure, one a call, from 0 and rising."""
        if len(given) not in {2, calls}:
            raise self.fault(where, f"neither one a call ({calls}) nor the first and the last")
        found = [
            None if text is None else self.minutes_s(f"{where}[{place}]", text, 0, DAY_S // 60)
            for place, text in enumerate(given)
        ]
        if found[0] != 0:
            raise self.fault(where, "the first is not 0")
        if found[-1] is None:
            raise self.fault(where, "the last is not known")
        last_s = 0
        for place, arrival_s in enumerate(found[1:], 1):
            if arrival_s is not None and arrival_s <= last_s:
                raise self.fault(where + f"[{place}]", "not later than the one before")
            last_s = last_s if arrival_s is None else arrival_s
        return (found[0], *[None] * (calls - len(found)), *found[1:])

    def step(self, where: str, given: StepShape | None) -> Step | None:
        """Return what a figure is and what it becomes, None if it does not change."""
        if given is None:
            return None
        before = self.whole(where + ".from", given.before, 0, DAY_S)
        return Step(before, self.whole(where + ".to", given.after, 0, DAY_S))

    def repeats(
        self, where: str, start: str, end: str, headway_min: str | None, trains: str | None
    ) -> Repeats:
        """Return when vehicles leave: each headway, or so many in all, in the middle of shares."""
        start_s, end_s = self.clock_s(where + ".start", start), self.clock_s(where + ".end", end)
        if end_s <= start_s:
            raise self.fault(where + ".end", "not after the start")
        if (headway_min is None) == (trains is None):
            raise self.fault(where, "says not one of headway_min and trains")
        if headway_min is not None:
            least = Fraction(1, 2)
            headway_s = self.minutes_s(where + ".headway_min", headway_min, least, DAY_S // 60)
            return Repeats(start_s, end_s, headway_s)
        assert trains is not None, "one of the two"
        count = self.whole(where + ".trains", trains, 1, 1_000)
        headway_s = (end_s - start_s) // count
        start_s += headway_s // 2
        return Repeats(start_s, start_s + headway_s * count, headway_s)
