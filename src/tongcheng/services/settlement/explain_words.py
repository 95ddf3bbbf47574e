"""The explanation in plain sentences, for the person who pays (pure).

Every node of the tree has one sentence, every rule another; a path or a code of ours is never
shown to a person.
"""

from collections.abc import Callable, Mapping
from typing import Final

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import format_yuan, parse_scaled, parse_yuan, round_half_up
from tongcheng.services.settlement.explain_lines import ELSEWHERE
from tongcheng.services.settlement.explain_model import Reason
from tongcheng.services.settlement.rule_words import RuleWords
from tongcheng.services.settlement.tables import BASIS, UNIT
from tongcheng.web.voice import Voice

DIGEST_SHOWN: Final = 12
_PERCENT: Final = frozenset({"ratio", "cut", "factor", "add_points"})
_YUAN: Final = frozenset(
    {"amount", "minus", "minus_each", "floor", "to", "cap", "pool_cap", "deductible"}
)
_TENTHS: Final = "零一二三四五六七八九"
"""As people say a share in Chinese: 少付四成."""
_WORDS: Final = {"yes": "settlement.rule.yes", "no": "settlement.rule.no"}
_SECTIONS: Final = {
    "deductible": "settlement.rule.section.deductible",
    "bands": "settlement.rule.section.bands",
    "adjustments": "settlement.rule.section.adjustments",
    "filing": "settlement.rule.section.filing",
    "deemed": "settlement.rule.section.deemed",
    "pool_cap": "settlement.rule.section.pool_cap",
    "large": "settlement.rule.section.large",
    "catastrophic": "settlement.rule.section.catastrophic",
    "assistance": "settlement.rule.section.assistance",
}
_CONFIDENCES: Final = {
    "high": "settlement.rule.confidence.high",
    "medium": "settlement.rule.confidence.medium",
    "low": "settlement.rule.confidence.low",
    "own": "settlement.rule.confidence.own",
}
PERSON_TYPE_KEYS: Final[Mapping[str, str]] = {
    "active": "settlement.person_type.active",
    "retired": "settlement.person_type.retired",
    "resident": "settlement.person_type.resident",
    "child": "settlement.person_type.child",
    "elder": "settlement.person_type.elder",
}
_FILINGS: Final = {
    "deemed": "settlement.why.filing.deemed",
    "long_stay": "settlement.why.filing.long_stay",
    "referral": "settlement.why.filing.referral",
    "emergency": "settlement.why.filing.emergency",
    "other": "settlement.why.filing.other",
}
_WHEN: Final = {
    "year_end": "settlement.why.when.year_end",
    "on_claim": "settlement.why.when.on_claim",
}
_PLAIN: Final = {
    "bill": "settlement.why.bill",
    "in_scope": "settlement.why.in_scope",
    "first_self_pay": "settlement.why.first_self_pay",
    "over_ceiling": "settlement.why.over_ceiling",
    "self_paid": "settlement.why.self_paid",
    "lines_differ": "settlement.why.lines_differ",
    "no_deductible": "settlement.why.deductible.none",
    "unexplained": "settlement.why.unexplained",
    "unexplained_payment": "settlement.why.unexplained",
    "unexplained_payment_more": "settlement.why.unexplained",
    "unexplained_payment_less": "settlement.why.unexplained",
    "rounding_more": "settlement.why.rounding.part",
    "rounding_less": "settlement.why.rounding.part",
    "hospital": "settlement.why.hospital",
    "hospital_bears_more": "settlement.why.hospital",
    "hospital_bears_less": "settlement.why.hospital",
    "account": "settlement.why.account",
    "cash": "settlement.why.cash",
    "from_account": "settlement.why.from_account",
}


def sentence(voice: Voice, reason: Reason) -> str:
    """Return what a node says, in one sentence without its amount."""
    if reason.key in _PLAIN:
        said = voice.t(_PLAIN[reason.key])
        if reason.facts.get("lines") == ELSEWHERE:
            return voice.t("settlement.why.elsewhere", said=said)
        return said
    return _TELLERS[reason.key](_Facts(voice, reason))


def rule_sentences(voice: Voice, rule: RuleWords) -> tuple[str, ...]:
    """Return by which rule, what it says, where that was read, and what speaks against it."""
    if not rule.here:
        return (voice.t("settlement.rule.elsewhere", digest=rule.book_digest[:DIGEST_SHOWN]),)
    title = rule.title_zh if voice.language == "zh" else rule.title_en
    clause = rule.clause
    said = voice.t("settlement.rule.unknown") if rule.value is None else stated(voice, rule)
    sentences = [
        voice.t(
            "settlement.rule.by",
            title=title or "",
            draft=voice.t("settlement.rule.draft") if rule.status == "draft" else "",
            clause=voice.t("settlement.rule.clause", clause=clause) if clause else "",
            section=section_words(voice, rule),
            value=voice.t("settlement.rule.value", value=said) if said else "",
        )
    ]
    if rule.confidence in _CONFIDENCES:
        sentences.append(voice.t(_CONFIDENCES[rule.confidence]))
    if rule.sources:
        read = "; ".join(each.what for each in rule.sources)
        sentences.append(voice.t("settlement.rule.sources", sources=read))
    sentences += [
        voice.t("settlement.rule.other.unknown")
        if other.value is None
        else voice.t("settlement.rule.other", value=_figure(voice, rule.path, other.value))
        for other in rule.conflicts
    ]
    if rule.remark:
        sentences.append(voice.t("settlement.rule.remark", remark=rule.remark))
    return tuple(sentences)


def section_words(voice: Voice, rule: RuleWords) -> str:
    """Return the part of a book that a rule stands in, in words: deductible, ratio."""
    return voice.t(_SECTIONS.get(rule.section, "settlement.rule.section.other"))


def stated(voice: Voice, rule: RuleWords) -> str:
    """Return the value of a rule as a person says it: 85%, 30,000 yuan, yes."""
    return "" if rule.value is None else _figure(voice, rule.path, rule.value)


def _figure(voice: Voice, path: str, value: str) -> str:
    name = path.rpartition(".")[2]
    if value in _WORDS:
        return voice.t(_WORDS[value])
    try:
        if name == "personal_share_times":
            return voice.t("settlement.rule.times", ratio=voice.percent(parse_scaled(value, 4)))
        if name in _PERCENT:
            return voice.percent(parse_scaled(value, 4))
        if name in _YUAN:
            return money(voice, parse_yuan(value))
    except Refused:
        return value
    return value


def money(voice: Voice, fen: int) -> str:
    """Return an amount as people say it: whole yuan without decimals."""
    text = voice.money(fen)
    return text.replace(".00", "") if fen % 100 == 0 else text


class _Facts:
    """What one sentence is filled with."""

    def __init__(self, voice: Voice, reason: Reason) -> None:
        self.voice = voice
        self.reason = reason

    def number(self, name: str) -> int:
        value = self.reason.facts[name]
        assert isinstance(value, int), f"{self.reason.key}: {name}"
        return value

    def text(self, name: str) -> str:
        return str(self.reason.facts.get(name) or "")

    def money(self, name: str) -> str:
        return money(self.voice, self.number(name))

    def t(self, key: str, **values: str | int) -> str:
        return self.voice.t(key, **values)

    def share(self, e8: int) -> str:
        """Return a share over 10**8 as a percentage."""
        return self.voice.percent(round_half_up(e8, BASIS))

    def range(self) -> str:
        start, end = self.number("from_fen"), self.money("to_fen")
        if start == 0:
            return self.t("settlement.why.range.to", end=end)
        return self.t("settlement.why.range", start=money(self.voice, start), end=end)

    def fund(self) -> str:
        title = self.text(f"title_{self.voice.language}")
        return title or self.t("settlement.why.fund.other")


def _filing(facts: _Facts) -> str:
    return facts.t(_FILINGS[facts.text("filing")])


def _deductible(facts: _Facts) -> str:
    number, period = facts.number("admission_number"), facts.number("period_number")
    if facts.reason.amount_fen == facts.number("in_scope_fen"):
        said = facts.t("settlement.why.deductible.all")
    elif period > 1:
        said = facts.t("settlement.why.deductible.period", number=period)
    elif number > 1:
        said = facts.t("settlement.why.deductible.later", number=number)
    else:
        said = facts.t("settlement.why.deductible.first")
    how = [_adjusted(facts.voice, each) for each in facts.reason.modified_by]
    if facts.number("paid_before_fen"):
        paid = facts.money("paid_before_fen")
        how.append(facts.t("settlement.why.deductible.paid", paid=paid))
    return said + _in_brackets(facts.voice, how)


def _pool(facts: _Facts) -> str:
    reason, voice = facts.reason, facts.voice
    how = [_adjusted(voice, each) for each in reason.modified_by]
    if how and reason.rule is not None and reason.rule.value is not None:
        base, told = stated(voice, reason.rule), reason.modified_by[0]
        who = PERSON_TYPE_KEYS["active"] if told.persons == ("retired",) else None
        how.insert(
            0,
            voice.t("settlement.why.how.base", ratio=base)
            if who is None
            else voice.t("settlement.why.how.base.of", who=voice.t(who), ratio=base),
        )
    ratio = facts.share(facts.number("ratio_e8"))
    return facts.t(
        "settlement.why.pool", range=facts.range(), ratio=ratio, how=_in_brackets(voice, how)
    )


def _adjusted(voice: Voice, rule: RuleWords) -> str:
    """Return what a rule changes about another one's figure."""
    name = rule.path.rpartition(".")[2]
    try:
        value = parse_scaled(rule.value or "", 4)
    except Refused:
        return voice.t("settlement.why.how.unseen")
    points = format_yuan(value).removesuffix(".00")
    who = [voice.t(PERSON_TYPE_KEYS[each]) for each in rule.persons if each in PERSON_TYPE_KEYS]
    if name == "personal_share_times" and who:
        less = _less(voice, BASIS - value)
        return voice.t("settlement.why.how.less", who=_listed(voice, who), less=less)
    if name == "add_points":
        return (
            voice.t("settlement.why.how.more.of", who=_listed(voice, who), points=points)
            if who
            else voice.t("settlement.why.how.more", points=points)
        )
    if name == "cut":
        return voice.t("settlement.why.how.cut", points=points)
    return voice.t("settlement.why.how.unseen")


def _less(voice: Voice, points: int) -> str:
    """Return a share in basis points: 四成 where that is how people say it, else 45%."""
    tenths, odd = divmod(points, BASIS // 10)
    if voice.language == "zh" and not odd and 0 < tenths < len(_TENTHS):
        return f"{_TENTHS[tenths]}成"
    return voice.percent(points)


def _listed(voice: Voice, names: list[str]) -> str:
    return ("、" if voice.language == "zh" else ", ").join(names)


def _in_brackets(voice: Voice, steps: list[str]) -> str:
    if not steps:
        return ""
    joined = ("，" if voice.language == "zh" else ", ").join(steps)
    return voice.t("settlement.why.how", steps=joined)


def _pool_cap(facts: _Facts) -> str:
    at, used = facts.money("at_fen"), facts.money("used_before_fen")
    rule = facts.reason.rule
    if rule is None or rule.value is None:
        return facts.t("settlement.why.pool_cap.unseen", at=at, used=used)
    return facts.t("settlement.why.pool_cap", cap=stated(facts.voice, rule), at=at, used=used)


def _large(facts: _Facts) -> str:
    ratio = facts.share(facts.number("ratio_e8"))
    return facts.t("settlement.why.large", range=facts.range(), fund=facts.fund(), ratio=ratio)


def _line(facts: _Facts) -> str:
    name = facts.text("item_name") or facts.text("item_code")
    if facts.reason.amount_fen < 0:
        return facts.t("settlement.why.line.refund", name=name)
    return facts.t("settlement.why.line.class_c", name=name)


def _line_over(facts: _Facts) -> str:
    if facts.reason.amount_fen < 0 or "ceiling_e6" not in facts.reason.facts:
        return _line(facts)
    name = facts.text("item_name") or facts.text("item_code")
    price, ceiling = (_price(facts, each) for each in ("unit_price_e6", "ceiling_e6"))
    quantity = _decimal(facts.number("quantity_e4"), 4)
    return facts.t(
        "settlement.why.line.over_ceiling",
        name=name,
        price=price,
        ceiling=ceiling,
        quantity=quantity,
    )


def _line_first(facts: _Facts) -> str:
    if facts.reason.amount_fen < 0 or "ratio_bp" not in facts.reason.facts:
        return _line(facts)
    name = facts.text("item_name") or facts.text("item_code")
    ratio = facts.voice.percent(facts.number("ratio_bp"))
    return facts.t("settlement.why.line.first_self_pay", name=name, ratio=ratio)


def _price(facts: _Facts, name: str) -> str:
    """Return a unit price: as money, or with all its decimals where it is no whole fen."""
    price = facts.number(name)
    if price % 10_000 == 0:
        return money(facts.voice, price // 10_000)
    return _decimal(price, 6)


def _decimal(value: int, digits: int) -> str:
    whole, rest = divmod(value, 10**digits)
    return f"{whole}.{rest:0{digits}d}".rstrip("0").rstrip(".")


def _announced(facts: _Facts) -> str:
    when = facts.t(_WHEN[facts.text("paid_at")]) if facts.text("paid_at") in _WHEN else ""
    if not facts.reason.facts.get("expected_fen"):
        return facts.t("settlement.why.announced", fund=facts.fund(), when=when)
    amount = facts.money("expected_fen")
    return facts.t("settlement.why.announced.about", fund=facts.fund(), amount=amount, when=when)


def _share_own(facts: _Facts) -> str:
    ratio = facts.share(UNIT - facts.number("ratio_e8"))
    return facts.t("settlement.why.share.own", range=facts.range(), ratio=ratio)


def _share_fund(facts: _Facts) -> str:
    ratio = facts.share(facts.number("ratio_e8"))
    return facts.t("settlement.why.share.fund", range=facts.range(), ratio=ratio)


def _cover_step(facts: _Facts) -> str:
    ratio = facts.share(facts.number("ratio_e8"))
    return facts.t("settlement.why.cover.step", range=facts.range(), ratio=ratio)


_TELLERS: Final[dict[str, Callable[[_Facts], str]]] = {
    "filing": _filing,
    "deductible": _deductible,
    "pool": _pool,
    "large": _large,
    "pool_cap": _pool_cap,
    "uncovered": lambda facts: facts.t("settlement.why.uncovered", range=facts.range()),
    "stretch_fund": _share_fund,
    "stretch_own": _share_own,
    "line_class_c": _line,
    "line_over_ceiling": _line_over,
    "line_first_self_pay": _line_first,
    "line_others": lambda facts: facts.t("settlement.why.line.others", count=facts.number("count")),
    "cover": lambda facts: facts.t(
        "settlement.why.cover", fund=facts.fund(), paid=facts.money("moved_fen")
    ),
    "cover_more": lambda facts: facts.t("settlement.why.cover.more", fund=facts.fund()),
    "cover_less": lambda facts: facts.t("settlement.why.cover.less", fund=facts.fund()),
    "cover_step": _cover_step,
    "rounding": lambda facts: facts.t("settlement.why.rounding", paid=facts.money("moved_fen")),
    "hospital_bears": lambda facts: facts.t(
        "settlement.why.hospital_bears", paid=facts.money("moved_fen")
    ),
    "fund": lambda facts: facts.t("settlement.why.fund", fund=facts.fund()),
    "announced": _announced,
}
