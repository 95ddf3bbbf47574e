"""The same words in the two languages of the console: names of members, hospitals, commitments."""

from typing import Literal

import msgspec

Language = Literal["zh", "en"]

LANGUAGES: tuple[Language, ...] = ("zh", "en")


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One phrase, written in both languages (neither is a translation left to the reader)."""

    zh: str
    en: str

    def of(self, language: Language) -> str:
        """Return the phrase in the language of the page."""
        return self.zh if language == "zh" else self.en
