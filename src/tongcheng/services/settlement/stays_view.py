"""The list of stays: its title, tabs, filters and rows, from a frozen view to HTML."""

import msgspec
from litestar import Response

from tongcheng.services.settlement.stay_tables import STATE_KEYS, state_badge
from tongcheng.services.settlement.stays_counts import COUNT_MAX
from tongcheng.services.settlement.stays_query import address, filters_of
from tongcheng.services.settlement.views import STATES, Choice, StayRow, StaysPage
from tongcheng.web import Cell, Column, Empty, Page, Row, Table

STAYS_PATH = "/settlement/stays"
REFRESH_PATH = "/settlement/stays/rows"
CSV_PATH = "/settlement/stays/download.csv"
ID_SHOWN = 8
"""The end of a stay's id: ids begin with the time, so ends differ."""


def stays(page: Page, view: StaysPage) -> Response[str]:
    """Answer with the list of stays; it refreshes itself while its query is live."""
    return page.render("settlement/stays.html", _values(page, view))


def stays_rows(page: Page, view: StaysPage) -> Response[str]:
    """Answer with the part of the list that changes, for the page to put into itself."""
    return page.render("settlement/stays_rows.html", _values(page, view) | {"refreshed": True})


def headline(page: Page, view: StaysPage) -> str:
    """Return the answer of the list in words: what is settled and what is not closed."""
    voice = page.voice
    if view.query.is_narrow:
        count = len(view.rows)
        key = "settlement.stays.found_many" if view.next_before else "settlement.stays.found"
        return voice.tn(key, count) if count else page.t("settlement.stays.found.none")
    settled = view.counts.get("settled", 0)
    unclosed = open_count(view)
    if settled == 0 and unclosed == 0:
        return page.t("settlement.stays.none")
    words = _count(page, settled)
    if unclosed == 0:
        return voice.tn("settlement.stays.settled", settled, settled=words)
    return page.t("settlement.stays.settled_open", settled=words, unclosed=voice.number(unclosed))


def open_count(view: StaysPage) -> int:
    """Return how many settlements wait for the other side: to be settled, or to be taken back."""
    return view.counts.get("pending", 0) + view.counts.get("voiding", 0)


def _count(page: Page, count: int) -> str:
    said = page.voice.number(count)
    return said if count < COUNT_MAX else page.t("settlement.stays.more_than", count=said)


def _values(page: Page, view: StaysPage) -> dict[str, object]:
    query = view.query
    more = msgspec.structs.replace(query, before=view.next_before)
    whole = msgspec.structs.replace(query, before=None)
    lasting = msgspec.structs.replace(whole, found="")
    path = page.href(STAYS_PATH)
    return {
        "headline": headline(page, view),
        "view": view,
        "live": query.live,
        "refreshed": False,
        "tabs": _tabs(page, view),
        "table": _table(page, view),
        "filters": _filters(page, view),
        "everything": path if query.is_narrow else "",
        "refresh": address(page.href(REFRESH_PATH), query),
        "toggle": address(path, lasting, live=not query.live),
        "older": address(path, more) if view.next_before else "",
        "newest": address(path, whole) if query.before else "",
        "download": address(page.href(CSV_PATH), whole) if view.rows and not query.found else "",
    }


def _tabs(page: Page, view: StaysPage) -> tuple[dict[str, object], ...]:
    """Return the states to choose from; their counts are of the whole store, unfiltered."""
    query = view.query
    shown = (None, *STATES)
    tabs = []
    for state in shown:
        chosen = msgspec.structs.replace(query, state=state, before=None, found="")
        count = view.counts.get(state, 0) if state else sum(view.counts.values())
        tabs.append(
            {
                "text": page.t("settlement.stays.all" if state is None else STATE_KEYS[state]),
                "count": "" if query.is_narrow else _count(page, count),
                "link": address(page.href(STAYS_PATH), chosen),
                "here": query.state == state,
            }
        )
    return tuple(tabs)


def _filters(page: Page, view: StaysPage) -> dict[str, object]:
    query, given = view.query, filters_of(view.query)
    return {
        "state": query.state or "",
        "found": query.found,
        "on": given.get("on", ""),
        "lists": tuple(
            {
                "name": name,
                "label": page.t(key),
                "options": _options(page, choices, chosen),
            }
            for name, key, choices, chosen in (
                ("hospital", "settlement.stays.filter.hospital", view.hospitals, query.hospital),
                ("area", "settlement.stays.filter.area", view.areas, query.area),
            )
        ),
    }


def _options(page: Page, choices: tuple[Choice, ...], chosen: str) -> tuple[dict[str, object], ...]:
    everything: dict[str, object] = {
        "value": "",
        "text": page.t("settlement.stays.filter.any"),
        "chosen": not chosen,
    }
    named = (
        {"value": each.code, "text": page.voice.of(each.name), "chosen": each.code == chosen}
        for each in choices
    )
    return (everything, *named)


def _table(page: Page, view: StaysPage) -> Table:
    return Table(
        caption=page.t("settlement.stays.caption"),
        columns=(
            Column(page.t("settlement.column.time"), "code"),
            Column(page.t("settlement.column.stay"), main=True),
            Column(page.t("settlement.column.insured")),
            Column(page.t("settlement.column.total"), "money"),
            Column(page.t("settlement.column.funds"), "money"),
            Column(page.t("settlement.column.person"), "money"),
            Column(page.t("settlement.column.state"), "state"),
        ),
        rows=tuple(_row(page, view, row) for row in view.rows),
        empty=_empty(page, view),
    )


def _empty(page: Page, view: StaysPage) -> Empty:
    if view.query.is_narrow or view.query.state:
        return Empty(
            page.t("settlement.stays.narrow.title"), page.t("settlement.stays.narrow.text")
        )
    return Empty(page.t("settlement.stays.empty.title"), page.t("settlement.stays.empty.text"))


def _row(page: Page, view: StaysPage, row: StayRow) -> Row:
    voice = page.voice
    amounts = (row.total_fen, row.fund_fen, row.person_fen)
    may_open = page.may("settlement.stay.read")
    note = page.t("settlement.draft.mark") if row.draft else ""
    if row.waits_since is not None:
        note = voice.age(view.now_at - row.waits_since)
    return Row(
        key=row.stay_id,
        link=page.href(f"{STAYS_PATH}/{row.stay_id}") if may_open else "",
        cells=(
            Cell(voice.moment(row.at)),
            Cell(voice.of(row.hospital), note=f"…{row.stay_id[-ID_SHOWN:]}"),
            Cell(
                voice.of(row.insured_area),
                colour=page.console.place_of(row.insured_member).colour,
            ),
            *(Cell("" if fen is None else voice.amount(fen)) for fen in amounts),
            Cell(badge=state_badge(page, row.state), note=note),
        ),
    )
