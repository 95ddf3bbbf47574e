"""One language speaking: the words and figures of a page, bound once, used by every template."""

from datetime import date

import msgspec

from tongcheng.kernel.calendar import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from tongcheng.kernel.texts import Texts
from tongcheng.kernel.words import Words
from tongcheng.web import i18n
from tongcheng.web.i18n import Language

AGE_UNITS = (("web.age.day", DAY_MS), ("web.age.hour", HOUR_MS), ("web.age.minute", MINUTE_MS))


class Voice(msgspec.Struct, frozen=True):
    """`texts` spoken in `language`, instants shown in `zone` (an IANA name)."""

    texts: Texts
    language: Language
    zone: str

    def t(self, key: str, **values: str | int) -> str:
        """Return the text of a key; a missing key is our bug."""
        return self.texts.get(key, self.language, **values)

    def tn(self, key: str, count: int, **values: str | int) -> str:
        """Return `key.one` or `key.other`, whichever the count asks for."""
        return i18n.plural(self.texts, key, count, self.language, **values)

    def of(self, words: Words) -> str:
        """Return a name in this language."""
        return words.of(self.language)

    def number(self, value: int) -> str:
        """Return "1,234"."""
        return i18n.number(value, self.language)

    def amount(self, fen: int) -> str:
        """Return "1,234.56", for columns whose heading names the unit."""
        return i18n.amount(fen)

    def money(self, fen: int) -> str:
        """Return "1,234.56 元" or "¥1,234.56"."""
        return i18n.money(fen, self.language)

    def said(self, fen: int) -> str:
        """Return how people say a large amount, or ""."""
        return i18n.money_said(fen, self.language)

    def percent(self, basis_points: int) -> str:
        """Return "85%"."""
        return i18n.percent(basis_points, self.language)

    def day(self, on: date) -> str:
        """Return "2026年11月22日" or "22 Nov 2026"."""
        return i18n.day(on, self.language)

    def month(self, of: str) -> str:
        """Return "2026年11月" or "November 2026" for "2026-11"."""
        return i18n.month(of, self.language)

    def moment(self, at: int) -> str:
        """Return "11月22日 18:00:05" or "22 Nov 18:00:05"."""
        return i18n.moment(at, self.language, self.zone)

    def age(self, age_ms: int) -> str:
        """Return "12 分钟" or "3 hours": one unit, rounded down; less than nothing is nothing."""
        age = max(age_ms, 0)
        for key, unit_ms in AGE_UNITS:
            if age >= unit_ms:
                return self.tn(key, age // unit_ms)
        return self.tn("web.age.second", age // SECOND_MS)

    def time(self, at: int) -> str:
        """Return "18:00:05"."""
        return i18n.time_of_day(at, self.zone)
