"""The page of an estimate: the answer, why, what would change it, and the form."""

from typing import Final

import msgspec
from litestar import Response

from tongcheng.kernel.home import Home
from tongcheng.services.settlement.estimate.form import FAULTS, Form, areas, insuring_areas
from tongcheng.services.settlement.estimate.model import ELSEWHERE, Estimate, Unknown, WhatIf
from tongcheng.services.settlement.explain_view import trees
from tongcheng.services.settlement.explain_words import (
    PERSON_TYPE_KEYS,
    money,
    rule_sentences,
    section_words,
    sentence,
    stated,
)
from tongcheng.services.settlement.rule_words import RuleWords
from tongcheng.web import Cell, Column, Empty, Page, Row, Table

ESTIMATE_PATH: Final = "/estimate"
NONE: Final = "settlement.estimate.option.none"

SCHEMES: Final = {"310": "settlement.scheme.310", "390": "settlement.scheme.390"}
TIERS: Final = {
    "": NONE,
    "low": "settlement.tier.low",
    "middle": "settlement.tier.middle",
    "high": "settlement.tier.high",
}
CATEGORIES: Final = {
    "general": "settlement.category.general",
    "poor": "settlement.category.poor",
}
LEVELS: Final = {
    "3": "settlement.level.3",
    "2": "settlement.level.2",
    "1": "settlement.level.1",
    "0": "settlement.level.0",
}
SUBTYPES: Final = {
    "": NONE,
    "provincial": "settlement.subtype.provincial",
    "municipal": "settlement.subtype.municipal",
    "district": "settlement.subtype.district",
    "other": "settlement.subtype.other",
}
FILINGS: Final = {
    "other": "settlement.filing.other",
    "long_stay": "settlement.filing.long_stay",
    "referral": "settlement.filing.referral",
    "emergency": "settlement.filing.emergency",
}
CHOSEN: Final = {
    "scheme": ("settlement.estimate.field.scheme", SCHEMES),
    "person": ("settlement.estimate.field.person", PERSON_TYPE_KEYS),
    "tier": ("settlement.estimate.field.tier", TIERS),
    "category": ("settlement.estimate.field.category", CATEGORIES),
    "level": ("settlement.estimate.field.level", LEVELS),
    "subtype": ("settlement.estimate.field.subtype", SUBTYPES),
    "filing": ("settlement.estimate.field.filing", FILINGS),
}
"""Fields with a list → their label and what stands in the list."""
TYPED: Final = {
    "on": ("settlement.estimate.field.on", "date"),
    "amount": ("settlement.estimate.field.amount", "decimal"),
    "number": ("settlement.estimate.field.number", "numeric"),
    "used": ("settlement.estimate.field.used", "decimal"),
}
PLACES: Final = {
    "area": "settlement.estimate.field.area",
    "visited": "settlement.estimate.field.visited",
}
ORDER: Final = (
    "amount",
    "area",
    "scheme",
    "person",
    "tier",
    "category",
    "visited",
    "level",
    "subtype",
    "filing",
    "on",
    "number",
    "used",
)
"""As a person would tell it."""


class Option(msgspec.Struct, frozen=True):
    """One entry of a list."""

    value: str
    text: str
    chosen: bool


class Field(msgspec.Struct, frozen=True):
    """One field: a list when it has options, else typed in; `fault` says what is wrong."""

    name: str
    label: str
    value: str
    kind: str
    options: tuple[Option, ...]
    fault: str


def page_of(page: Page, home: Home, form: Form, found: Estimate | Unknown | None) -> Response[str]:
    """Answer with the form, and above it what it was answered with."""
    values: dict[str, object] = {
        "headline": _headline(page, form, found),
        "fields": tuple(_field(page, home, form, name) for name in ORDER),
        "faults": len(form.faults),
        "found": None,
        "unknown": (),
    }
    if isinstance(found, Estimate):
        values["found"] = _answer(page, found)
    elif found is not None:
        values["unknown"] = _unknown(page, found)
    return page.render("settlement/estimate.html", values)


def _headline(page: Page, form: Form, found: Estimate | Unknown | None) -> str:
    if form.faults:
        return page.t("settlement.estimate.wrong")
    if found is None:
        return page.t("settlement.estimate.title")
    if isinstance(found, Unknown):
        is_figure = found.rule is not None
        return page.t("settlement.estimate.unknown" if is_figure else "settlement.estimate.refused")
    return page.t(
        "settlement.estimate.answer",
        amount=money(page.voice, found.question.in_scope_fen),
        person=money(page.voice, found.result.person_fen),
    )


def _unknown(page: Page, found: Unknown) -> tuple[str, ...]:
    if found.rule is None:
        said = page.console.errors.render(found.refused, page.language)
        return (said.what, said.do)
    section = section_words(page.voice, found.rule)
    figure = page.t("settlement.estimate.figure", section=section)
    return (figure, *rule_sentences(page.voice, found.rule))


def _answer(page: Page, found: Estimate) -> dict[str, object]:
    voice = page.voice
    scope, payers = trees(voice, found.explanation)
    silent = found.silent_readings
    return {
        "draft": found.result.book_status == "draft",
        "scope": next(iter(scope.parts), scope),
        "payers": payers,
        "table": _table(page, found),
        "filing": _filing(page, found),
        "silent": voice.tn("settlement.estimate.silent", silent) if silent else "",
    }


def _filing(page: Page, found: Estimate) -> str:
    """Return why it makes no difference how the stay is filed, where it makes none."""
    if found.filing_matters:
        return ""
    noted = [each for each in found.explanation.scope.children[:1] for each in each.children]
    told = next((each for each in noted if each.key == "filing"), None)
    if told is None:
        return page.t("settlement.estimate.filing.home")
    why = sentence(page.voice, told)
    return page.t("settlement.estimate.filing.deemed", why=why[0].lower() + why[1:])


def _table(page: Page, found: Estimate) -> Table:
    return Table(
        caption=page.t("settlement.estimate.what_if.caption"),
        columns=(
            Column(page.t("settlement.estimate.column.what"), main=True),
            Column(page.t("settlement.estimate.column.person"), "money"),
            Column(page.t("settlement.estimate.column.difference"), "money"),
        ),
        rows=tuple(_row(page, at, each) for at, each in enumerate(found.what_ifs)),
        empty=Empty("", ""),
    )


def _row(page: Page, at: int, what_if: WhatIf) -> Row:
    voice = page.voice
    if what_if.person_fen is None or what_if.difference_fen is None:
        cells = (Cell(_missing(page, what_if)), Cell())
    else:
        same = what_if.difference_fen == 0
        sign = "+" if what_if.difference_fen > 0 else ""
        difference = sign + voice.amount(what_if.difference_fen)
        cells = (
            Cell(voice.amount(what_if.person_fen)),
            Cell(page.t("settlement.estimate.same") if same else difference),
        )
    return Row(f"if-{at}", (Cell(_what(page, what_if)), *cells))


def _missing(page: Page, what_if: WhatIf) -> str:
    if what_if.refused is not None and what_if.refused.code == "HOSPITAL_SUBTYPE_NEEDED":
        return page.t("settlement.estimate.if.subtype")
    if what_if.rule is not None:
        section = section_words(page.voice, what_if.rule)
        return page.t("settlement.estimate.if.not_known", section=section)
    return page.t("settlement.estimate.if.none")


def _what(page: Page, what_if: WhatIf) -> str:
    value = what_if.value
    if what_if.kind == "level":
        return page.t("settlement.estimate.if.level", level=page.t(LEVELS[value]))
    if what_if.kind == "filing":
        return page.t("settlement.estimate.if.filing", filing=page.t(FILINGS[value]))
    if what_if.kind == "admission":
        if value == "1":
            return page.t("settlement.estimate.if.first")
        return page.t("settlement.estimate.if.later", number=value)
    return _reading(page, what_if)


def _reading(page: Page, what_if: WhatIf) -> str:
    """Return which figure, or which sections, another source has otherwise."""
    assert what_if.rule is not None, "a reading is about a rule"
    if what_if.rule.section == "alternatives":
        title = "" if what_if.title is None else page.voice.of(what_if.title)
        return page.t("settlement.estimate.if.alternative", title=title)
    section = section_words(page.voice, what_if.rule)
    if what_if.stated is None:
        return page.t("settlement.estimate.if.reading.unknown", section=section)
    other: RuleWords = msgspec.structs.replace(what_if.rule, value=what_if.stated)
    value = stated(page.voice, other)
    return page.t("settlement.estimate.if.reading", section=section, value=value)


def _field(page: Page, home: Home, form: Form, name: str) -> Field:
    fault = page.t(FAULTS[form.faults[name]]) if name in form.faults else ""
    value = form.values[name]
    if name in TYPED:
        label, kind = TYPED[name]
        return Field(name, page.t(label), value, kind, (), fault)
    if name in PLACES:
        places = insuring_areas(home) if name == "area" else areas(home)
        listed = [(each, page.voice.of(home.region.area(each).name)) for each in places]
        if name == "visited":
            region = page.voice.of(home.region.name)
            listed.append((ELSEWHERE, page.t("settlement.estimate.elsewhere", region=region)))
        label = PLACES[name]
    else:
        label, keys = CHOSEN[name]
        listed = [(each, page.t(key)) for each, key in keys.items()]
    options = tuple(Option(each, text, each == value) for each, text in listed)
    return Field(name, page.t(label), value, "list", options, fault)
