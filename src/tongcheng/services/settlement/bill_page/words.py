"""The sentences of the person's bill, and the figures as she reads them. Pure."""

from typing import Final

from tongcheng.services.settlement.bill_page.views import Announced, Bill, BillLine
from tongcheng.services.settlement.explain_model import PERSON, Reason, leaves
from tongcheng.services.settlement.explain_words import sentence
from tongcheng.services.settlement.lines import Part
from tongcheng.web.voice import Voice

CATEGORY_KEYS: Final = {
    "bed": "settlement.bill.category.bed",
    "consultation": "settlement.bill.category.consultation",
    "examination": "settlement.bill.category.examination",
    "laboratory": "settlement.bill.category.laboratory",
    "treatment": "settlement.bill.category.treatment",
    "surgery": "settlement.bill.category.surgery",
    "nursing": "settlement.bill.category.nursing",
    "material": "settlement.bill.category.material",
    "western_drug": "settlement.bill.category.western_drug",
    "patent_drug": "settlement.bill.category.patent_drug",
    "herbal": "settlement.bill.category.herbal",
}
_WHEN_KEYS: Final = {
    "year_end": "settlement.bill.later.year_end",
    "on_claim": "settlement.bill.later.on_claim",
}
_REASON_KEYS: Final = {
    "class_c": "settlement.bill.reason.class_c",
    "over_ceiling": "settlement.bill.reason.over_ceiling",
    "first_self_pay": "settlement.bill.reason.first_self_pay",
}


def headline(voice: Voice, bill: Bill) -> str:
    """Return the answer of the page: what it cost, who pays what."""
    boxes = bill.boxes
    values = {
        "total": voice.money(boxes.total_fen),
        "paid": voice.money(boxes.total_fen - boxes.person_fen),
        "person": voice.money(boxes.person_fen),
    }
    if bill.state == "voided":
        return voice.t("settlement.bill.headline.voided", **values)
    if boxes.hospital_fen:
        return voice.t("settlement.bill.headline.hospital", **values)
    return voice.t("settlement.bill.headline", **values)


def sentences(voice: Voice, bill: Bill) -> tuple[str, ...]:
    """Return at most three sentences below the headline: the biggest share, and what follows."""
    if bill.state == "voided":
        return ()
    said = []
    biggest = biggest_share(bill.explanation.payers)
    if biggest is not None:
        why, amount = sentence(voice, biggest), voice.money(biggest.amount_fen)
        said.append(voice.t("settlement.bill.biggest", amount=amount, why=why))
    if bill.boxes.not_covered_fen:
        amount = voice.money(bill.boxes.not_covered_fen)
        said.append(voice.t("settlement.bill.not_covered", amount=amount))
    if any(each.expected_fen for each in bill.announced):
        most = voice.money(sum(each.expected_fen or 0 for each in bill.announced))
        said.append(voice.t("settlement.bill.may_return", amount=most))
    elif bill.announced:
        said.append(voice.t("settlement.bill.may_return.unknown"))
    return tuple(said)


def biggest_share(payers: Reason) -> Reason | None:
    """Return the largest single reason of what the person pays, None where she pays nothing."""
    found = [
        reason
        for child in payers.children
        if child.key == "cash"
        for reason in leaves(child)
        if reason.amount_fen > 0 and reason.facts.get("payer", PERSON) == PERSON
    ]
    return max(found, key=lambda reason: reason.amount_fen, default=None)


def category(voice: Voice, name: str) -> str:
    """Return a charge category in words; one that only the catalogue knows, as it is written."""
    key = CATEGORY_KEYS.get(name)
    if key is not None:
        return voice.t(key)
    return name or voice.t("settlement.bill.category.other")


def reasons(voice: Voice, line: BillLine) -> tuple[str, ...]:
    """Return why parts of a line are not in scope; nothing for one that is, wholly."""
    return tuple(_reason(voice, part) for part in line.parts if part.reason in _REASON_KEYS)


def _reason(voice: Voice, part: Part) -> str:
    values: dict[str, str | int] = {"amount": voice.money(part.amount_fen)}
    if part.reason == "over_ceiling":
        values["ceiling"] = price(voice, part.ceiling_e6 or 0)
    if part.reason == "first_self_pay":
        values["ratio"] = voice.percent(part.ratio_bp or 0)
    return voice.t(_REASON_KEYS[part.reason], **values)


def later(voice: Voice, each: Announced) -> str:
    """Return when a fund may still pay, and at most how much."""
    key = _WHEN_KEYS.get(each.paid_at)
    when = each.paid_at if key is None else voice.t(key)
    if each.expected_fen is None:
        return voice.t("settlement.bill.later.unknown", when=when)
    if each.expected_fen == 0:
        return voice.t("settlement.bill.later.none", when=when)
    return voice.t("settlement.bill.later", when=when, amount=voice.money(each.expected_fen))


def quantity(value_e4: int) -> str:
    """Return a quantity without zeros that say nothing: "1.5", "−2"."""
    return _decimal(value_e4, 4, 0)


def price(voice: Voice, value_e6: int) -> str:
    """Return a unit price in yuan: two decimals, and more where it has more."""
    if value_e6 % 10_000 == 0:
        return voice.amount(value_e6 // 10_000)
    return _decimal(value_e6, 6, 2)


def _decimal(value: int, digits: int, least: int) -> str:
    whole, rest = divmod(abs(value), 10**digits)
    decimals = f"{rest:0{digits}d}".rstrip("0").ljust(least, "0")
    sign = "\u2212" if value < 0 else ""
    return f"{sign}{whole:,}.{decimals}" if decimals else f"{sign}{whole:,}"
