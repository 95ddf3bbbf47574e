"""The desk: from frozen data to HTML. The title is the answer; every row leads to its stay."""

from litestar import Response
from markupsafe import Markup

from tongcheng.kernel.calendar import DAY_MS, local_date
from tongcheng.services.settlement import ages
from tongcheng.services.settlement.ages import Band
from tongcheng.services.settlement.desk_page.model import (
    DeskPage,
    Flow,
    Kind,
    Sums,
    Unsettled,
    Waiting,
    Why,
)
from tongcheng.services.settlement.stays_view import STAYS_PATH
from tongcheng.web import Badge, Cell, Column, Empty, Page, Row, Table, Tone
from tongcheng.web.charts import Column as Bar
from tongcheng.web.charts import column_chart

DESK_PATH = "/settlement"
REFRESH_PATH = "/settlement/desk/rows"
BAND_KEYS: dict[Band, str] = {
    "long": "settlement.desk.band.long",
    "slow": "settlement.desk.band.slow",
    "fresh": "settlement.desk.band.fresh",
}
KIND_KEYS: dict[Kind, str] = {
    "settle": "settlement.desk.kind.settle",
    "void": "settlement.desk.kind.void",
}
WHY_KEYS: dict[Why, str] = {
    "sending": "settlement.desk.why.sending",
    "silent": "settlement.desk.why.silent",
    "dead": "settlement.desk.why.dead",
    "deciding": "settlement.desk.why.deciding",
    "rejected": "settlement.desk.why.rejected",
}
HOURS_LABELLED = 3
"""Every third hour has its number: a phone has no room for all."""


def desk(page: Page, view: DeskPage) -> Response[str]:
    """Answer with the desk; it refreshes itself while `view.live`."""
    return page.render("settlement/desk.html", _values(page, view))


def desk_rows(page: Page, view: DeskPage) -> Response[str]:
    """Answer with the part that changes, for the page to put into itself."""
    return page.render("settlement/desk_rows.html", _values(page, view))


def headline(page: Page, view: DeskPage) -> str:
    """Return the answer in words: how many are open, or that everything is closed."""
    if view.ages.count:
        return page.voice.tn("settlement.desk.open", view.ages.count)
    if view.settled.count:
        return page.voice.tn("settlement.desk.closed", view.settled.count)
    return page.t("settlement.desk.quiet")


def _values(page: Page, view: DeskPage) -> dict[str, object]:
    voice = page.voice
    path = page.href(DESK_PATH)
    return {
        "headline": headline(page, view),
        "today": voice.day(view.today),
        "live": view.live,
        "refresh": page.href(REFRESH_PATH),
        "toggle": f"{path}?live=0" if view.live else path,
        "bands": _bands(page, view),
        "held": voice.money(view.held_fen) if view.ages.count else "",
        "mirror": _mirror(page, view),
        "waiting": waiting_table(page, view),
        "more_waiting": _more(page, "pending", view.ages.count - len(view.waiting)),
        "unsettled": unsettled_table(page, view),
        "unsettled_title": voice.tn("settlement.desk.unsettled", view.unsettled_count)
        if view.unsettled_count
        else page.t("settlement.desk.unsettled.none"),
        "undone": voice.tn("settlement.desk.undone", view.undone_count)
        if view.undone_count
        else "",
        "more_unsettled": _more(page, "discharged", view.unsettled_count - len(view.unsettled)),
        "settled_title": voice.tn("settlement.desk.settled", view.settled.count)
        if view.settled.count
        else page.t("settlement.desk.settled.none"),
        "figures": _figures(page, view.settled),
        "picture": _picture(page, view),
        "hours": hours_table(page, view),
        "flows": flows_table(page, view),
        "needs": _needs(page, view),
        "refusals": refusals_table(page, view),
    }


def _more(page: Page, state: str, count: int) -> dict[str, str]:
    """Return the link to what a table leaves out."""
    if count <= 0 or not page.may("settlement.stays.read"):
        return {}
    return {
        "text": page.voice.tn("settlement.desk.more", count),
        "link": f"{page.href(STAYS_PATH)}?state={state}",
    }


def _bands(page: Page, view: DeskPage) -> tuple[Badge, ...]:
    """Return how many wait how long, the longest first; a band of none is left out."""
    counted = ((band, getattr(view.ages, band)) for band in ages.BANDS)
    return tuple(
        Badge(page.voice.tn(BAND_KEYS[band], count), ages.BAND_TONES[band])
        for band, count in counted
        if count
    )


def _stay_link(page: Page, stay_id: str) -> str:
    may_open = page.may("settlement.stay.read")
    return page.href(f"{STAYS_PATH}/{stay_id}") if may_open else ""


def waiting_table(page: Page, view: DeskPage) -> Table:
    """Return what is not closed, the oldest first."""
    return Table(
        caption=page.t("settlement.desk.waiting.caption"),
        columns=(
            Column(page.t("settlement.desk.column.age"), "state"),
            Column(page.t("settlement.column.hospital"), main=True),
            Column(page.t("settlement.column.insured")),
            Column(page.t("settlement.desk.column.what")),
            Column(page.t("settlement.desk.column.held"), "money"),
            Column(page.t("settlement.desk.column.why")),
        ),
        rows=tuple(_waiting_row(page, view, each) for each in view.waiting),
        empty=Empty(page.t("settlement.desk.none"), page.t("settlement.desk.none.text")),
    )


def _instant(page: Page, view: DeskPage, at: int) -> str:
    """Return the time of an instant of today; of any other day, its day as well."""
    is_today = local_date(at, page.console.region.zone) == view.today
    return page.voice.time(at) if is_today else page.voice.moment(at)


def _waiting_row(page: Page, view: DeskPage, row: Waiting) -> Row:
    voice = page.voice
    age_ms = view.now_at - row.since_at
    tone = ages.BAND_TONES[ages.band_of(age_ms)]
    place = page.console.place_of(row.insured_member)
    since = "" if row.why_since is None else _instant(page, view, row.why_since)
    why = page.t(WHY_KEYS[row.why], place=voice.of(place.short), since=since, code=row.code)
    return Row(
        key=row.settlement_id,
        link=_stay_link(page, row.stay_id),
        cells=(
            Cell(badge=Badge(voice.age(age_ms), tone)),
            Cell(voice.of(row.hospital)),
            Cell(voice.of(row.insured_area), colour=place.colour),
            Cell(page.t(KIND_KEYS[row.kind])),
            Cell(voice.amount(row.held_fen)),
            Cell(why),
        ),
    )


def unsettled_table(page: Page, view: DeskPage) -> Table:
    """Return who has left without a settlement, the longest ago first."""
    return Table(
        caption=page.t("settlement.desk.unsettled.caption"),
        columns=(
            Column(page.t("settlement.desk.column.left"), "state"),
            Column(page.t("settlement.column.hospital"), main=True),
            Column(page.t("settlement.column.insured")),
            Column(page.t("settlement.desk.column.discharged"), "code"),
        ),
        rows=tuple(_unsettled_row(page, view, each) for each in view.unsettled),
        empty=Empty(page.t("settlement.desk.unsettled.none"), ""),
    )


def _unsettled_row(page: Page, view: DeskPage, row: Unsettled) -> Row:
    age_ms = view.now_at - row.discharged_at
    tone: Tone = "waiting" if age_ms >= DAY_MS else "quiet"
    return Row(
        key=f"left-{row.stay_id}",
        link=_stay_link(page, row.stay_id),
        cells=(
            Cell(badge=Badge(page.voice.age(age_ms), tone)),
            Cell(page.voice.of(row.hospital)),
            Cell(
                page.voice.of(row.insured_area),
                colour=page.console.place_of(row.insured_member).colour,
            ),
            Cell(page.voice.moment(row.discharged_at)),
        ),
    )


def _figures(page: Page, sums: Sums) -> tuple[tuple[str, str], ...]:
    if not sums.count:
        return ()
    named = (
        ("settlement.desk.total", sums.total_fen),
        ("settlement.desk.funds", sums.fund_fen),
        ("settlement.desk.person", sums.person_fen),
    )
    return tuple((page.t(key), page.voice.money(fen)) for key, fen in named)


def _hour(hour: int) -> str:
    return f"{hour:02}:00"


def _picture(page: Page, view: DeskPage) -> Markup | None:
    if not any(view.hours):
        return None
    bars = tuple(
        Bar("" if hour % HOURS_LABELLED else str(hour), count)
        for hour, count in enumerate(view.hours)
    )
    return column_chart(bars, page.t("settlement.desk.hours.title"))


def hours_table(page: Page, view: DeskPage) -> Table:
    """Return the settlements of each hour that had one."""
    return Table(
        caption=page.t("settlement.desk.hours.title"),
        columns=(
            Column(page.t("settlement.desk.column.hour"), main=True),
            Column(page.t("settlement.desk.column.count"), "number"),
        ),
        rows=tuple(
            Row(
                key=f"hour-{hour}",
                cells=(Cell(f"{_hour(hour)}–{_hour(hour + 1)}"), Cell(page.voice.number(count))),
            )
            for hour, count in enumerate(view.hours)
            if count
        ),
        empty=Empty(page.t("settlement.desk.settled.none"), ""),
    )


def flows_table(page: Page, view: DeskPage) -> Table:
    """Return what was settled today by place of treatment and place of insurance."""
    sums = view.settled
    return Table(
        caption=page.t("settlement.desk.flows.caption"),
        columns=(
            Column(page.t("settlement.desk.column.way"), main=True),
            Column(page.t("settlement.column.insured")),
            Column(page.t("settlement.desk.column.count"), "number"),
            Column(page.t("settlement.column.total"), "money"),
            Column(page.t("settlement.column.funds"), "money"),
            Column(page.t("settlement.column.person"), "money"),
        ),
        rows=tuple(_flow_row(page, flow) for flow in view.flows),
        empty=Empty(page.t("settlement.desk.settled.none"), ""),
        totals=(Cell(page.t("settlement.desk.together")), Cell(), *_sum_cells(page, sums))
        if len(view.flows) > 1
        else (),
    )


def _flow_row(page: Page, flow: Flow) -> Row:
    place = page.console.place_of(flow.insured_member)
    visited = page.voice.of(page.console.place_of(flow.visited_member).short)
    return Row(
        key=f"{flow.visited_member}-{flow.insured_area.en}",
        cells=(
            Cell(visited),
            Cell(page.voice.of(flow.insured_area), colour=place.colour),
            *_sum_cells(page, flow.sums),
        ),
    )


def _sum_cells(page: Page, sums: Sums) -> tuple[Cell, ...]:
    amounts = (sums.total_fen, sums.fund_fen, sums.person_fen)
    return (
        Cell(page.voice.number(sums.count)),
        *(Cell(page.voice.amount(each)) for each in amounts),
    )


def _mirror(page: Page, view: DeskPage) -> dict[str, str]:
    """Return in words how many settlements only one side has, and where the books are compared."""
    found = view.one_sided
    if found is None:
        return {}
    moment = _instant(page, view, found.since_at)
    text = page.voice.tn("settlement.desk.one_sided", found.count, moment=moment)
    if found.sums_differ and not found.count:
        text = page.t("settlement.desk.sums_differ", moment=moment)
    if found.unseen:
        text += page.voice.tn("settlement.desk.unseen", found.unseen)
    may_open = page.may("settlement.ledger.read")
    return {"text": text, "link": page.href("/ledger") if may_open else ""}


def _needs(page: Page, view: DeskPage) -> tuple[tuple[str, str], ...]:
    """Return what a clerk must do, each with where: disputes, and cases that are due."""
    found: list[tuple[str, str]] = []
    if view.disputed:
        text = page.voice.tn("settlement.desk.disputed", view.disputed)
        may_list = page.may("settlement.stays.read")
        found.append((text, f"{page.href(STAYS_PATH)}?state=disputed" if may_list else ""))
    if view.cases is not None and view.cases.open:
        key = "settlement.desk.cases_late" if view.cases.late else "settlement.desk.cases"
        late = page.voice.number(view.cases.late)
        text = page.voice.tn(key, view.cases.open, late=late)
        found.append((text, page.href("/settlement/cases")))
    return tuple(found)


def refusals_table(page: Page, view: DeskPage) -> Table:
    """Return the reasons for which settlements were refused today, and what to do."""
    return Table(
        caption=page.t("settlement.desk.refusals.caption"),
        columns=(
            Column(page.t("settlement.desk.column.reason"), main=True),
            Column(page.t("settlement.desk.column.by")),
            Column(page.t("settlement.desk.column.count"), "number"),
            Column(page.t("settlement.desk.column.do")),
        ),
        rows=tuple(
            Row(
                key=f"refused-{index}",
                cells=(
                    Cell(each.what or each.code, note=each.code if each.what else ""),
                    Cell(
                        page.t("settlement.desk.by.us" if each.ours else "settlement.desk.by.them")
                    ),
                    Cell(page.voice.number(each.count)),
                    Cell(each.do),
                ),
            )
            for index, each in enumerate(view.refusals)
        ),
        empty=Empty(page.t("settlement.desk.refusals.none"), ""),
    )
