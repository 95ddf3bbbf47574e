"""The settlement pages: from frozen views to HTML, without a store and without a clock."""

from litestar import Response

from tongcheng.services.settlement import pages_related
from tongcheng.services.settlement.explain_view import trees
from tongcheng.services.settlement.explain_words import PERSON_TYPE_KEYS
from tongcheng.services.settlement.stay_tables import (
    STATE_KEYS,
    bands_picture,
    bands_table,
    books_table,
    boxes_of_payers,
    boxes_of_scopes,
    chain_steps,
    sides_differ,
    sides_table,
    state_badge,
)
from tongcheng.services.settlement.views import STATES, StayPage, StayRow, StaysPage
from tongcheng.web import Cell, Column, Empty, Page, Row, Table

STAYS_PATH = "/settlement/stays"
REFRESH_PATH = "/settlement/stays/rows"

SCHEME_KEYS = {"310": "settlement.scheme.310", "390": "settlement.scheme.390"}
"""Insurance schemes by the code of the national interface; another is shown by its code."""

PERSON_TYPE_UNKNOWN = "settlement.person_type.unknown"


def stays(page: Page, view: StaysPage) -> Response[str]:
    """Answer with the list of stays; it refreshes itself while `view.live`."""
    return page.render("settlement/stays.html", _stays_values(page, view))


def stays_rows(page: Page, view: StaysPage) -> Response[str]:
    """Answer with the part of the list that changes, for the page to put into itself."""
    return page.render("settlement/stays_rows.html", _stays_values(page, view))


def stay(page: Page, view: StayPage) -> Response[str]:
    """Answer with one stay: the answer in words, the figures, the bands, the proof."""
    voice, amounts = page.voice, view.amounts
    residual = amounts.rounding_residual_fen if amounts else 0
    visited = page.console.place_of(view.visited_member)
    insured = page.console.place_of(view.insured_member)
    return page.render(
        "settlement/stay.html",
        {
            "view": view,
            "headline": stay_headline(page, view),
            "badge": state_badge(page, view.state),
            "route_colours": (visited.colour, insured.colour),
            "route": page.t(
                "settlement.stay.route",
                visited=voice.of(visited.short),
                insured=voice.of(view.insured_area),
            ),
            "facts": _stay_facts(page, view),
            "payers": boxes_of_payers(voice, amounts) if amounts else (),
            "scopes": boxes_of_scopes(voice, amounts) if amounts else (),
            "picture": bands_picture(voice, view) if view.bands else None,
            "bands": bands_table(voice, view),
            "residual": voice.money(residual) if residual else "",
            "sides": sides_table(page, view),
            "sides_title": page.t(_sides_title(view)),
            "steps": chain_steps(page, view),
            "books": books_table(page, view),
            "related": pages_related.table(page, view),
            "why": trees(voice, view.explanation) if view.explanation else (),
            "undecided": view.state in {"admitted", "discharged", "pending"},
            "draft": any(book.status == "draft" for book in view.books),
            "list_path": page.href(STAYS_PATH),
        },
    )


def _sides_title(view: StayPage) -> str:
    if len(view.sides) < 2:  # noqa: PLR2004  a comparison has two sides
        return "settlement.sides.title.open"
    if sides_differ(view):
        return "settlement.sides.title.differ"
    return "settlement.sides.title.equal"


def stays_headline(page: Page, view: StaysPage) -> str:
    """Return the answer of the list in words: how many, how much, and what is left open."""
    voice = page.voice
    settled = view.counts.get("settled", 0)
    if settled == 0:
        return page.t("settlement.stays.none")
    funds = voice.money(view.fund_fen)
    return voice.tn("settlement.stays.settled", settled, funds=funds)


def stay_headline(page: Page, view: StayPage) -> str:
    """Return the answer of one stay in words."""
    voice = page.voice
    insured = voice.of(page.console.place_of(view.insured_member).short)
    match view.state:
        case "settled":
            assert view.amounts is not None, "a settled stay has amounts"
            return page.t(
                "settlement.stay.settled",
                total=voice.money(view.amounts.total_fen),
                funds=voice.money(view.amounts.fund_fen),
                person=voice.money(view.amounts.person_fen),
            )
        case "pending":
            assert view.pending_since is not None, "a pending stay waits since some moment"
            since = voice.moment(view.pending_since)
            return page.t("settlement.stay.pending", place=insured, moment=since)
        case "refused":
            return page.t("settlement.stay.refused", place=insured)
        case "voided":
            return _voided_headline(page, view)
        case "disputed":
            return page.t("settlement.stay.disputed", place=insured)
        case "admitted" | "discharged":
            left = view.state == "discharged"
            return page.t("settlement.stay.discharged" if left else "settlement.stay.admitted")


def _voided_headline(page: Page, view: StayPage) -> str:
    """Tell a settlement that was taken back from one that never came about."""
    if view.amounts is None:
        return page.t("settlement.stay.voided.unsettled")
    return page.t("settlement.stay.voided", total=page.voice.money(view.amounts.total_fen))


def _stays_values(page: Page, view: StaysPage) -> dict[str, object]:
    pending = view.counts.get("pending", 0)
    said = page.voice.said(view.fund_fen)
    return {
        "headline": stays_headline(page, view),
        "said": page.t("settlement.stays.said", said=said) if said else "",
        "open": page.voice.tn("settlement.stays.pending", pending) if pending else "",
        "view": view,
        "tabs": _tabs(page, view),
        "table": _stays_table(page, view),
        "refresh": _address(page.href(REFRESH_PATH), view),
        "toggle": _address(page.href(STAYS_PATH), view, live=not view.live),
        "older": _address(page.href(STAYS_PATH), view, older_than=view.older_than)
        if view.older_than is not None
        else "",
    }


def _address(
    path: str, view: StaysPage, *, live: bool = True, older_than: int | None = None
) -> str:
    """Return the address of a list: only what differs from the plain list is in its query."""
    query = [f"state={view.state}"] if view.state else []
    query += [] if live else ["live=0"]
    query += [f"older_than={older_than}"] if older_than is not None else []
    return f"{path}?{'&'.join(query)}" if query else path


def _tabs(page: Page, view: StaysPage) -> tuple[dict[str, object], ...]:
    path = page.href(STAYS_PATH)
    total = sum(view.counts.values())
    tabs = [(page.t("settlement.stays.all"), total, path, view.state is None)]
    tabs += [
        (
            page.t(STATE_KEYS[state]),
            view.counts.get(state, 0),
            f"{path}?state={state}",
            view.state == state,
        )
        for state in STATES
    ]
    return tuple(
        {"text": text, "count": page.voice.number(count), "link": link, "here": here}
        for text, count, link, here in tabs
    )


def _stays_table(page: Page, view: StaysPage) -> Table:
    return Table(
        caption=page.t("settlement.stays.caption"),
        columns=(
            Column(page.t("settlement.column.time"), "code"),
            Column(page.t("settlement.column.hospital"), main=True),
            Column(page.t("settlement.column.insured")),
            Column(page.t("settlement.column.total"), "money"),
            Column(page.t("settlement.column.funds"), "money"),
            Column(page.t("settlement.column.person"), "money"),
            Column(page.t("settlement.column.state"), "state"),
        ),
        rows=tuple(_stay_row(page, row) for row in view.rows),
        empty=Empty(page.t("settlement.stays.empty.title"), page.t("settlement.stays.empty.text")),
    )


def _stay_row(page: Page, row: StayRow) -> Row:
    voice = page.voice
    amounts = (row.total_fen, row.fund_fen, row.person_fen)
    return Row(
        key=row.stay_id,
        link=page.href(f"{STAYS_PATH}/{row.stay_id}"),
        cells=(
            Cell(voice.moment(row.at)),
            Cell(voice.of(row.hospital)),
            Cell(
                voice.of(row.insured_area),
                colour=page.console.place_of(row.insured_member).colour,
            ),
            *(Cell("" if fen is None else voice.amount(fen)) for fen in amounts),
            Cell(
                badge=state_badge(page, row.state),
                note=page.t("settlement.draft") if row.draft else "",
            ),
        ),
    )


def _stay_facts(page: Page, view: StayPage) -> tuple[tuple[str, str], ...]:
    voice = page.voice
    start = voice.day(view.admitted_on)
    period = (
        page.t("settlement.stay.period.open", start=start)
        if view.discharged_on is None
        else page.t("settlement.stay.period.value", start=start, end=voice.day(view.discharged_on))
    )
    scheme = SCHEME_KEYS.get(view.scheme)
    cover = page.t(
        "settlement.stay.cover.value",
        scheme=view.scheme if scheme is None else page.t(scheme),
        person=page.t(PERSON_TYPE_KEYS.get(view.person_type or "", PERSON_TYPE_UNKNOWN)),
    )
    facts = [
        (page.t("settlement.stay.hospital"), voice.of(view.hospital)),
        (page.t("settlement.stay.cover"), cover),
        (page.t("settlement.stay.period"), period),
    ]
    if view.settled_at is not None:
        facts.append((page.t("settlement.stay.settled_at"), voice.moment(view.settled_at)))
    facts.append((page.t("settlement.stay.id"), view.stay_id))
    if view.settlement_id:
        facts.append((page.t("settlement.stay.settlement_id"), view.settlement_id))
    return tuple(facts)
