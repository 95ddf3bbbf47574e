"""Two languages, and numbers, money and dates as people say them.

Chinese and English pages lie at `/zh/…` and `/en/…` under the same path. Money comes in as
integer fen and never passes through a float.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from tongcheng.kernel.texts import Texts
from tongcheng.kernel.words import LANGUAGES, Language

__all__ = [
    "LANGUAGES",
    "Language",
    "amount",
    "day",
    "in_other_language",
    "language_of_path",
    "moment",
    "money",
    "money_said",
    "month",
    "number",
    "other",
    "percent",
    "plural",
    "preferred",
    "time_of_day",
]

LOCALES: dict[Language, Locale] = {
    "zh": Locale("zh", script="Hans", territory="CN"),
    "en": Locale("en", "GB"),
}
MINUS = "\u2212"  # the sign as wide as a figure, so that columns of amounts line up

# From which amount on people say the large unit: 万 (10⁴), 亿 (10⁸); thousand is not said.
SAID: dict[Language, tuple[tuple[int, int, str], ...]] = {
    "zh": ((100_000_000, 100_000_000, "约 {} 亿元"), (10_000, 10_000, "约 {} 万元")),
    "en": (
        (1_000_000_000, 1_000_000_000, "about ¥{} billion"),
        (1_000_000, 1_000_000, "about ¥{} million"),
    ),
}


def other(language: Language) -> Language:
    """Return the language that a page is not in."""
    return "en" if language == "zh" else "zh"


def language_of_path(path: str) -> Language | None:
    """Return the language a path says it is in, or None (an API path, the root)."""
    first = path.lstrip("/").split("/", 1)[0]
    for language in LANGUAGES:
        if first == language:
            return language
    return None


def in_other_language(path: str, query: str = "") -> str:
    """Return the address of the same page in the other language, with the same query."""
    language = language_of_path(path)
    assert language is not None, f"{path} is not a page"
    address = f"/{other(language)}{path[1 + len(language) :]}"
    return f"{address}?{query}" if query else address


def preferred(accept_language: str) -> Language:
    """Choose a language from an Accept-Language header; Chinese when it names neither.

    Malformed weights count as zero: a header is a stranger's text, never an error of ours.
    """
    best: tuple[float, Language] | None = None
    for item in accept_language.split(","):
        tag, _, parameters = item.strip().partition(";")
        weight = _weight(parameters)
        for language in LANGUAGES:
            if tag.lower().split("-")[0] == language and weight > (best[0] if best else 0.0):
                best = (weight, language)
    return best[1] if best else "zh"


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def plural(texts: Texts, key: str, count: int, language: Language, **values: str | int) -> str:
    """Return `key.one` or `key.other` by the language's own rule; {count} is the number."""
    form = LOCALES[language].plural_form(count)
    return texts.get(f"{key}.{form}", language, count=number(count, language), **values)


def number(value: int, language: Language) -> str:
    """Return "1,234"."""
    return _signed(value, format_decimal(abs(value), locale=LOCALES[language]))


def amount(fen: int) -> str:
    """Return "1,234.56", for columns whose heading names the unit."""
    yuan, rest = divmod(abs(fen), 100)
    return _signed(fen, f"{yuan:,}.{rest:02d}")


def money(fen: int, language: Language) -> str:
    """Return "1,234.56 元" or "¥1,234.56": the exact value with its unit."""
    exact = amount(abs(fen))
    return _signed(fen, f"{exact}\u00a0元" if language == "zh" else f"¥{exact}")


def money_said(fen: int, language: Language) -> str:
    """Return how people say a large amount ("约 123.5 万元"), or "" when it is small."""
    yuan = Decimal(abs(fen)) / 100
    for least, unit, pattern in SAID[language]:
        if yuan >= least:
            figure = format_decimal(yuan / unit, format="#,##0.##", locale=LOCALES[language])
            return pattern.format(figure)
    return ""


def percent(basis_points: int, language: Language) -> str:
    """Return "85%" or "97.5%" for an integer rate in basis points."""
    share = Decimal(basis_points) / 10_000
    return format_decimal(share, format="#,##0.##%", locale=LOCALES[language])


def day(on: date, language: Language) -> str:
    """Return "2026年11月22日" or "22 Nov 2026"."""
    pattern = "y年M月d日" if language == "zh" else "d MMM y"
    return format_date(on, format=pattern, locale=LOCALES[language])


def month(of: str, language: Language) -> str:
    """Return "2026年11月" or "November 2026" for "2026-11"."""
    pattern = "y年M月" if language == "zh" else "MMMM y"
    return format_date(date.fromisoformat(f"{of}-01"), format=pattern, locale=LOCALES[language])


def moment(at: int, language: Language, zone: str) -> str:
    """Return an instant (Unix ms) in the region's zone: "11月22日 18:00:05"."""
    pattern = "M月d日 HH:mm:ss" if language == "zh" else "d MMM HH:mm:ss"
    return format_datetime(_local(at, zone), format=pattern, locale=LOCALES[language])


def time_of_day(at: int, zone: str) -> str:
    """Return "18:00:05" in the region's zone."""
    return _local(at, zone).strftime("%H:%M:%S")


def _local(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at // 1000, UTC).astimezone(ZoneInfo(zone))


def _signed(value: int, text: str) -> str:
    return f"{MINUS}{text}" if value < 0 else text
