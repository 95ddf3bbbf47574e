"""What figures of a rule book are called, and how their values are said, in a page's language."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import parse_scaled
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.services.settlement.readings import steps_of
from tongcheng.services.settlement.tables import BASIS, UNIT
from tongcheng.web.voice import Voice

LEVEL_KEYS: Final[Mapping[str, str]] = {
    "0": "settlement.policy.level.0",
    "1": "settlement.policy.level.1",
    "2": "settlement.policy.level.2",
    "3": "settlement.policy.level.3",
}
SUBTYPE_KEYS: Final[Mapping[str, str]] = {
    "provincial": "settlement.policy.subtype.provincial",
    "municipal": "settlement.policy.subtype.municipal",
    "district": "settlement.policy.subtype.district",
    "other": "settlement.policy.subtype.other",
}
PERSON_KEYS: Final[Mapping[str, str]] = {
    "active": "settlement.policy.person.active",
    "retired": "settlement.policy.person.retired",
    "resident": "settlement.policy.person.resident",
    "child": "settlement.policy.person.child",
    "elder": "settlement.policy.person.elder",
}
TIER_KEYS: Final[Mapping[str, str]] = {
    "low": "settlement.policy.tier.low",
    "middle": "settlement.policy.tier.middle",
    "high": "settlement.policy.tier.high",
}
CATEGORY_KEYS: Final[Mapping[str, str]] = {
    "general": "settlement.policy.category.general",
    "poor": "settlement.policy.category.poor",
}
FILING_KEYS: Final[Mapping[str, str]] = {
    "local": "settlement.policy.filing.local",
    "deemed": "settlement.policy.filing.deemed",
    "long_stay": "settlement.policy.filing.long_stay",
    "referral": "settlement.policy.filing.referral",
    "emergency": "settlement.policy.filing.emergency",
    "other": "settlement.policy.filing.other",
}
ADMISSION_KEYS: Final[Mapping[str, str]] = {
    "first": "settlement.policy.admission.first",
    "later": "settlement.policy.admission.later",
}
SELECTORS: Final = (
    ("levels", LEVEL_KEYS),
    ("subtypes", SUBTYPE_KEYS),
    ("persons", PERSON_KEYS),
    ("tiers", TIER_KEYS),
    ("categories", CATEGORY_KEYS),
    ("filings", FILING_KEYS),
)
WORD_KEYS: Final[Mapping[str, str]] = {
    "settlement_period": "settlement.policy.word.settlement_period",
    "calendar_year": "settlement.policy.word.calendar_year",
    "each_admission": "settlement.policy.word.each_admission",
    "annual": "settlement.policy.word.annual",
    "discharge": "settlement.policy.word.discharge",
    "admission": "settlement.policy.word.admission",
    "split": "settlement.policy.word.split",
    "as_later_admission": "settlement.policy.word.as_later_admission",
    "year_end": "settlement.policy.word.year_end",
    "on_claim": "settlement.policy.word.on_claim",
    "yes": "settlement.policy.word.yes",
    "no": "settlement.policy.word.no",
    "stated": "settlement.policy.word.stated",
}
FIELD_KEYS: Final[Mapping[str, str]] = {
    "amount": "settlement.policy.field.amount",
    "factor": "settlement.policy.field.factor",
    "minus_each": "settlement.policy.field.minus_each",
    "floor": "settlement.policy.field.floor",
    "minus": "settlement.policy.field.minus",
    "basis": "settlement.policy.field.basis",
    "ratio": "settlement.policy.field.ratio",
    "to": "settlement.policy.field.to",
    "personal_share_times": "settlement.policy.field.personal_share_times",
    "add_points": "settlement.policy.field.add_points",
    "cut": "settlement.policy.field.cut",
    "deductible": "settlement.policy.field.deductible",
    "cap": "settlement.policy.field.cap",
    "paid_at": "settlement.policy.field.paid_at",
    "pool_cap": "settlement.policy.field.pool_cap",
    "total_cap": "settlement.policy.field.total_cap",
    "filed": "settlement.policy.field.filed",
    "rule": "settlement.policy.field.rule",
    "emergency_filed": "settlement.policy.field.emergency_filed",
    "uploaded_differs_most": "settlement.policy.field.uploaded_differs_most",
    "hospital_answer_days": "settlement.policy.field.hospital_answer_days",
    "person_reply_days": "settlement.policy.field.person_reply_days",
    "agency_decision_days": "settlement.policy.field.agency_decision_days",
    "first_self_pay_class_b": "settlement.policy.field.first_self_pay_class_b",
    "first_self_pay_some_items": "settlement.policy.field.first_self_pay_some_items",
    "levels": "settlement.policy.column.hospital",
    "subtypes": "settlement.policy.field.subtypes",
    "tiers": "settlement.policy.field.tiers",
    "categories": "settlement.policy.field.categories",
    "filings": "settlement.policy.section.filing",
    "admission": "settlement.policy.period.deductible",
    "measure": "settlement.policy.field.measure",
    "status": "settlement.policy.field.status",
    "between": "settlement.policy.field.between",
    "conflicts": "settlement.policy.diff.conflicts",
    "title": "settlement.policy.field.title",
    "text": "settlement.policy.field.text",
    "persons": "settlement.policy.field.persons",
    "from": "settlement.policy.field.from",
    "note": "settlement.policy.field.note",
    "value": "settlement.policy.field.value",
    "source": "settlement.policy.field.source",
    "confidence": "settlement.policy.field.confidence",
    "clause": "settlement.policy.field.clause",
    "remark": "settlement.policy.field.remark",
}
PERIOD_KEYS: Final[Mapping[str, str]] = {
    "bands": "settlement.policy.period.bands",
    "deductible": "settlement.policy.period.deductible",
    "cap": "settlement.policy.period.cap",
    "year_of": "settlement.policy.period.year_of",
    "further_periods": "settlement.policy.period.further_periods",
    "days_most": "settlement.policy.period.days_most",
}
SECTION_KEYS: Final[Mapping[str, str]] = {
    "large": "settlement.policy.section.large",
    "catastrophic": "settlement.policy.section.catastrophic",
    "assistance": "settlement.policy.section.assistance",
    "filing": "settlement.policy.section.filing",
    "deemed": "settlement.policy.section.deemed",
    "principles": "settlement.policy.section.principles",
    "line_query": "settlement.policy.section.line_query",
}
_RATIOS: Final = frozenset({"ratio", "factor"})
_POINTS: Final = frozenset({"cut", "add_points"})
_DAYS: Final = frozenset({"days_most"})
_AMOUNT_DIGITS: Final = 2
_RATIO_DIGITS: Final = 4


def listed(voice: Voice, words: Sequence[str]) -> str:
    """Return words one after the other, as the language lists them."""
    return voice.t("settlement.policy.list").join(words)


def yuan(voice: Voice, fen: int) -> str:
    """Return an amount with its unit, whole yuan without the fen."""
    if fen % 100:
        return voice.money(fen)
    return voice.t("settlement.policy.yuan", yuan=voice.number(fen // 100))


def share(voice: Voice, ratio: int) -> str:
    """Return a share over UNIT in per cent, exactly."""
    if ratio % BASIS == 0:
        return voice.percent(ratio // BASIS)
    return f"{(Decimal(ratio) * 100 / UNIT).normalize():f}%"


def said(voice: Voice, path: str, value: str | None) -> str:
    """Return the value of a figure as people say it; a value without a unit as it is written."""
    if value is None:
        return voice.t("settlement.policy.unknown")
    steps = steps_of(path)
    field = str(steps[-1])
    if value == "none":
        key = "settlement.policy.word.nothing"
        return voice.t("settlement.policy.word.no_limit" if field == "cap" else key)
    if value in WORD_KEYS:
        return voice.t(WORD_KEYS[value])
    try:
        return _measured(voice, field, value, about="self_pay" in field)
    except Refused:
        return value


def _measured(voice: Voice, field: str, value: str, *, about: bool) -> str:
    if field in _DAYS or field.endswith("_days"):
        return voice.t("settlement.policy.days", days=voice.number(parse_scaled(value, 0)))
    if field == "personal_share_times":
        percent = voice.percent(parse_scaled(value, _RATIO_DIGITS))
        return voice.t("settlement.policy.times", percent=percent)
    if field in _POINTS:
        points = (Decimal(parse_scaled(value, _RATIO_DIGITS)) / 100).normalize()
        return voice.t("settlement.policy.points", points=f"{points:f}")
    if field in _RATIOS or about:
        return voice.percent(parse_scaled(value, _RATIO_DIGITS))
    return yuan(voice, parse_scaled(value, _AMOUNT_DIGITS))


def chosen(voice: Voice, row: Plain) -> str:
    """Return whom a row is about, from its selectors; "" for everybody."""
    if not isinstance(row, dict):
        return ""
    parts = []
    for field, keys in SELECTORS:
        given = row.get(field)
        names = (
            [keys[each] for each in given if isinstance(each, str) and each in keys]
            if (isinstance(given, list))
            else []
        )
        if names:
            parts.append(listed(voice, [voice.t(key) for key in names]))
    return voice.t("settlement.policy.comma").join(parts)


class Names:
    """The names of a document's figures: "tertiary hospital, up to ¥30,000: the fund's ratio"."""

    def __init__(self, voice: Voice, document: Mapping[str, Plain]) -> None:
        self._voice = voice
        self._document = document

    def of(self, path: str, *, inside: bool = False) -> str:
        """Return the name of the figure at a path; `inside` a section that is named already."""
        steps = steps_of(path)
        if steps[:2] == ("rules", "alternatives") and len(steps) > 4:  # noqa: PLR2004  [i].rules.x
            inner = self._inner(steps)
            return inner if inside else self._voice.t("settlement.policy.name.other", name=inner)
        if steps[:2] == ("rules", "period") and str(steps[-1]) in PERIOD_KEYS:
            return self._voice.t(PERIOD_KEYS[str(steps[-1])])
        return self._named(steps, inside=inside)

    def _inner(self, steps: tuple[str | int, ...]) -> str:
        node = self._at(steps[:4])
        rules: Plain = node if isinstance(node, dict) else {}
        rest = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in steps[4:])
        return Names(self._voice, {"rules": rules}).of(f"rules{rest}")

    def _named(self, steps: tuple[str | int, ...], *, inside: bool) -> str:
        voice = self._voice
        about: list[str] = []
        section = str(steps[1]) if len(steps) > 1 else ""
        if section in SECTION_KEYS and not inside:
            about.append(voice.t(SECTION_KEYS[section]))
        for end in range(3, len(steps)):
            node = self._at(steps[:end])
            if isinstance(steps[end - 1], int):
                about += self._row(steps[:end], node)
        field = str(steps[-1])
        name = voice.t(FIELD_KEYS[field]) if field in FIELD_KEYS else field.replace("_", " ")
        if not about:
            return name
        words = voice.t("settlement.policy.comma").join(about)
        return voice.t("settlement.policy.name", about=words, field=name)

    def _row(self, steps: tuple[str | int, ...], node: Plain) -> list[str]:
        """Return what a row says of itself: whom it is about, which stretch, which admission."""
        if not isinstance(node, dict):
            return []
        voice = self._voice
        if steps[-2] == "steps":
            return [self.stretch(steps)]
        words = [chosen(voice, node)]
        admission = node.get("admission")
        if isinstance(admission, str) and admission in ADMISSION_KEYS:
            words.append(voice.t(ADMISSION_KEYS[admission]))
        title = node.get("title")
        if isinstance(title, dict):
            words.append(str(title.get(voice.language, "")))
        return [word for word in words if word]

    def stretch(self, steps: tuple[str | int, ...]) -> str:
        """Return the limits of a step in words."""
        at = steps[-1]
        assert isinstance(at, int), steps
        group = self._at(steps[:-1])
        limits: list[str | None] = []
        for step in group if isinstance(group, list) else []:
            to = step.get("to") if isinstance(step, dict) else None
            value = to.get("value") if isinstance(to, dict) else None
            limits.append(said(self._voice, "rules.to", value) if isinstance(value, str) else None)
        low, high = limits[at - 1] if at else None, limits[at] if at < len(limits) else None
        return stretch(self._voice, low, high)

    def _at(self, steps: tuple[str | int, ...]) -> Plain:
        node: Plain = dict(self._document)
        for step in steps:
            if isinstance(node, dict) and isinstance(step, str):
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int) and step < len(node):
                node = node[step]
            else:
                return None
        return node


def stretch(voice: Voice, low: str | None, high: str | None) -> str:
    """Return a range in words; None is an open end."""
    if low is None and high is None:
        return voice.t("settlement.policy.stretch.all")
    if low is None:
        return voice.t("settlement.policy.stretch.to", high=str(high))
    if high is None:
        return voice.t("settlement.policy.stretch.from", low=low)
    return voice.t("settlement.policy.stretch.between", low=low, high=high)
