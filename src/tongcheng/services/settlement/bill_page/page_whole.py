"""The person's bill, from its view to HTML; and the question that stands before it."""

from typing import Any, Final

import msgspec
from litestar import Response
from markupsafe import Markup

from tongcheng.kernel.calendar import local_date
from tongcheng.services.settlement.bill_page import words
from tongcheng.services.settlement.bill_page.traces import Trace, Traces
from tongcheng.services.settlement.bill_page.views import Bill, BillLine, Group, Limit
from tongcheng.services.settlement.cases_view import STATES
from tongcheng.services.settlement.stay_tables import BAND_KEYS
from tongcheng.web import Badge, Page
from tongcheng.web.charts import Stretch, band_bar, share_bar
from tongcheng.web.voice import Voice

RELATIONSHIP_KEYS: Final = {
    "spouse": "settlement.bill.relationship.spouse",
    "child": "settlement.bill.relationship.child",
    "parent": "settlement.bill.relationship.parent",
    "other_relative": "settlement.bill.relationship.other_relative",
    "guardian": "settlement.bill.relationship.guardian",
    "other": "settlement.bill.relationship.other",
}


RIGHT_KEYS: Final = {
    "lent": "settlement.bill.traces.lent",
    "open": "settlement.bill.traces.open",
    "overdue": "settlement.bill.traces.overdue",
    "justified": "settlement.bill.traces.justified",
    "not_justified": "settlement.bill.traces.not_justified",
}


class Figure(msgspec.Struct, frozen=True):
    """One amount under its name; `fen` is the amount for whoever checks the sum."""

    key: str
    name: str
    amount: str
    fen: int
    note: str = ""


class LineCells(msgspec.Struct, frozen=True):
    """One line as the table shows it."""

    line: BillLine
    name: str
    notes: tuple[str, ...]
    quantity: str
    price: str
    amount: str
    in_scope: str
    own: str
    query: Badge | None
    address: str


class GroupCells(msgspec.Struct, frozen=True):
    """One charge category with its sums and its lines of this page."""

    name: str
    count: str
    amount: str
    fen: int
    in_scope: str
    own: str
    lines: tuple[LineCells, ...]


class LimitWords(msgspec.Struct, frozen=True):
    """How much of a limit is used, in words and as a bar; no bar where the limit is not known."""

    name: str
    text: str
    bar: Markup | None
    doubtful: bool


class TraceWords(msgspec.Struct, frozen=True):
    """One read by somebody else, in words; `right` only where it was not by a role of their own."""

    when: str
    who: str
    what: str
    right: str


def question(page: Page, *, failed: bool, status: int = 200) -> Response[Any]:
    """Answer with the question for the last four characters, the same whatever the link is."""
    values = {"failed": failed, "action": page.path}
    return page.render("settlement/bill_question.html", values, status=status)


def bill(page: Page, view: Bill, traces: Traces, token: str, form: str) -> Response[Any]:
    """Answer with the whole bill."""
    voice, address = page.voice, page.href(f"/bill/{token}")
    groups = tuple(_group(page, each, address) for each in view.groups)
    return page.render(
        "settlement/bill.html",
        {
            "view": view,
            "form": form,
            "address": address,
            "headline": words.headline(voice, view),
            "sentences": words.sentences(voice, view),
            "period": _period(voice, view),
            "boxes": _boxes(voice, view),
            "own": _own(voice, view),
            "picture": _picture(voice, view) if view.bands else None,
            "bands": _bands(voice, view),
            "groups": groups,
            "announced": tuple(
                (
                    voice.of(each.name) if each.name else page.t("settlement.why.fund.other"),
                    words.later(voice, each),
                )
                for each in view.announced
            ),
            "limits": _limits(voice, view),
            "delegates": _delegates(voice, view),
            "traces": tuple(_trace(page, each) for each in traces.shown),
            "traces_said": _traces_said(voice, traces),
            "traces_own": ""
            if traces.own_last_at is None
            else page.t(
                "settlement.bill.traces.own",
                count=voice.number(traces.own_count),
                moment=voice.moment(traces.own_last_at),
            ),
            "until": voice.moment(view.standing.session_to_at),
            "link_until": voice.day(local_date(view.standing.link_to_at - 1, voice.zone)),
        },
    )


def _traces_said(voice: Voice, traces: Traces) -> str:
    """Return how many reads by others there are, and how many of them are shown."""
    shown = len(traces.shown)
    if not shown:
        return voice.t("settlement.bill.traces.none")
    if shown == traces.count:
        return voice.tn("settlement.bill.traces.all", shown)
    count = voice.number(traces.count)
    return voice.t("settlement.bill.traces.last", count=count, shown=shown)


def _trace(page: Page, trace: Trace) -> TraceWords:
    voice, who = page.voice, page.voice.of(trace.who)
    if trace.roles:
        roles = page.t("settlement.bill.traces.list").join(voice.of(one) for one in trace.roles)
        who = page.t("settlement.bill.traces.roles", who=who, roles=roles)
    right = "" if trace.right == "own" else page.t(RIGHT_KEYS[trace.right])
    return TraceWords(voice.moment(trace.at), who, page.t(trace.what_key), right)


def _period(voice: Voice, view: Bill) -> str:
    start, end = voice.day(view.from_on), voice.day(view.to_on)
    if view.final and view.period == 1:
        return voice.t("settlement.stay.period.value", start=start, end=end)
    key = "settlement.bill.period.last" if view.final else "settlement.bill.period"
    return voice.t(key, start=start, end=end, number=view.period)


def _boxes(voice: Voice, view: Bill) -> tuple[Figure, ...]:
    """Return the boxes of the paper: the bill, then what adds up to it."""
    boxes = view.boxes
    hospital = ""
    if boxes.hospital_fen:
        amount = voice.amount(boxes.hospital_fen)
        hospital = voice.t("settlement.bill.box.other.hospital", amount=amount)
    found = (
        ("total", voice.t("settlement.bill.box.total"), boxes.total_fen, ""),
        ("pool", voice.t("settlement.bill.box.pool"), boxes.pool_fen, ""),
        ("other", voice.t("settlement.bill.box.other"), boxes.other_fen, hospital),
        ("account", voice.t("settlement.bill.box.account"), boxes.account_fen, ""),
        ("cash", voice.t("settlement.bill.box.cash"), boxes.cash_fen, ""),
    )
    return tuple(Figure(key, name, voice.amount(fen), fen, note) for key, name, fen, note in found)


def _own(voice: Voice, view: Bill) -> tuple[Figure, ...]:
    """Return what she pays, apart: her share of what is covered, and what is not covered."""
    boxes = view.boxes
    found = (
        ("person", voice.t("settlement.bill.box.person"), boxes.person_fen, ""),
        (
            "own_share",
            voice.t("settlement.bill.box.own_share"),
            boxes.own_share_fen,
            voice.t("settlement.bill.box.own_share.note"),
        ),
        (
            "not_covered",
            voice.t("settlement.bill.box.not_covered"),
            boxes.not_covered_fen,
            voice.t("settlement.bill.box.not_covered.note"),
        ),
    )
    return tuple(Figure(key, name, voice.amount(fen), fen, note) for key, name, fen, note in found)


def _picture(voice: Voice, view: Bill) -> Markup:
    stretches = tuple(
        Stretch(
            label=str(index),
            width=band.amount_fen,
            part=band.fund_fen,
            inside="" if band.rate_bp is None else voice.percent(band.rate_bp),
        )
        for index, band in enumerate(view.bands, 1)
    )
    total = voice.money(view.boxes.total_fen)
    return band_bar(stretches, voice.t("settlement.bands.picture", total=total))


def _bands(voice: Voice, view: Bill) -> tuple[tuple[str, str, str, str], ...]:
    """Return each band: its name with its rate, its width, the funds' part and hers."""
    found = []
    for index, band in enumerate(view.bands, 1):
        kind = voice.t(BAND_KEYS[band.kind])
        name = voice.t("settlement.band.numbered", index=index, kind=kind)
        if band.rate_bp is not None:
            rate = voice.percent(band.rate_bp)
            name = voice.t("settlement.bill.band.rated", band=name, rate=rate)
        amounts = (band.amount_fen, band.fund_fen, band.person_fen)
        width, fund, person = (voice.amount(fen) for fen in amounts)
        found.append((name, width, fund, person))
    return tuple(found)


def _group(page: Page, group: Group, address: str) -> GroupCells:
    voice = page.voice
    return GroupCells(
        name=words.category(voice, group.category),
        count=voice.tn("settlement.bill.lines.count", group.count),
        amount=voice.amount(group.amount_fen),
        fen=group.amount_fen,
        in_scope=voice.amount(group.in_scope_fen),
        own=voice.amount(group.amount_fen - group.in_scope_fen),
        lines=tuple(cells(page, line, address) for line in group.lines),
    )


def cells(page: Page, line: BillLine, address: str) -> LineCells:
    """Return one line in words and figures."""
    voice = page.voice
    notes = words.reasons(voice, line)
    if line.refund_of is not None:
        notes = (page.t("settlement.bill.refund"),)
    elif line.refund_elsewhere:
        notes = (page.t("settlement.bill.refund.elsewhere"),)
    query = None
    if line.query is not None:
        key, tone = STATES[line.query]
        query = Badge(page.t(key), tone)
    return LineCells(
        line=line,
        name=line.name,
        notes=(voice.day(line.on), *notes),
        quantity=words.quantity(line.quantity_e4),
        price=words.price(voice, line.unit_price_e6),
        amount=voice.amount(line.amount_fen),
        in_scope=voice.amount(line.in_scope_fen),
        own=voice.amount(line.own_fen),
        query=query,
        address=f"{address}/line/{line.number}",
    )


def _limits(voice: Voice, view: Bill) -> tuple[LimitWords, ...]:
    used = view.used
    deductible = voice.t(
        "settlement.bill.used.deductible",
        before=voice.money(used.deductible.before_fen),
        now=voice.money(used.deductible.now_fen),
    )
    name = voice.t("settlement.band.deductible")
    pool = _limit(voice, voice.t("settlement.bill.used.pool"), used.pool)
    found = [LimitWords(name, deductible, None, doubtful=False), pool]
    if used.large is not None:
        found.append(_limit(voice, voice.t("settlement.bill.used.large"), used.large))
    return tuple(found)


def _limit(voice: Voice, name: str, limit: Limit) -> LimitWords:
    spent = limit.before_fen + limit.now_fen
    values = {"spent": voice.money(spent), "now": voice.money(limit.now_fen)}
    if limit.cap_fen is None or limit.cap_fen <= 0:
        return LimitWords(
            name, voice.t("settlement.bill.used.no_cap", **values), None, doubtful=False
        )
    left = max(0, limit.cap_fen - spent)
    text = voice.t(
        "settlement.bill.used.cap",
        cap=voice.money(limit.cap_fen),
        left=voice.money(left),
        **values,
    )
    bar = share_bar(limit.before_fen, limit.now_fen, limit.cap_fen)
    return LimitWords(name, text, bar, limit.doubtful)


def _delegates(voice: Voice, view: Bill) -> tuple[str, ...]:
    return tuple(
        voice.t(
            "settlement.bill.delegate",
            name=each.name,
            relationship=voice.t(RELATIONSHIP_KEYS[each.relationship]),
            day=voice.day(each.to_on),
        )
        for each in view.standing.delegates
    )
