"""The settlement pages: from frozen views to HTML, without a store and without a clock."""

from litestar import Response

from tongcheng.services.settlement import pages_related
from tongcheng.services.settlement.explain_view import trees
from tongcheng.services.settlement.explain_words import PERSON_TYPE_KEYS
from tongcheng.services.settlement.stay_tables import (
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
from tongcheng.services.settlement.stays_view import STAYS_PATH
from tongcheng.services.settlement.views import StayPage, StayState
from tongcheng.web import Page

SCHEME_KEYS = {"310": "settlement.scheme.310", "390": "settlement.scheme.390"}
"""Insurance schemes by the code of the national interface; another is shown by its code."""

PERSON_TYPE_UNKNOWN = "settlement.person_type.unknown"


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
            "next": _next(page, view),
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
            "draft": any(book.status == "draft" for book in view.books),
            "list_path": page.href(STAYS_PATH),
        },
    )


NEXT_KEYS: dict[StayState, str] = {
    "admitted": "settlement.stay.next.admitted",
    "discharged": "settlement.stay.next.discharged",
    "pending": "settlement.stay.next.pending",
    "voiding": "settlement.stay.next.voiding",
    "disputed": "settlement.stay.next.disputed",
}
"""State in which something is to come → what will happen next, and who does it."""


def _next(page: Page, view: StayPage) -> str:
    """Return what happens next and how long it has been waited for; empty when all is done."""
    key = NEXT_KEYS.get(view.state)
    if key is None:
        return ""
    said = page.t(key, place=page.voice.of(page.console.place_of(view.insured_member).short))
    if view.pending_since is None:
        return said
    age = page.voice.age(page.console.now() - view.pending_since)
    return page.t("settlement.stay.next.waited", age=age) + said


def _sides_title(view: StayPage) -> str:
    if len(view.sides) < 2:  # noqa: PLR2004  a comparison has two sides
        return "settlement.sides.title.open"
    if sides_differ(view):
        return "settlement.sides.title.differ"
    return "settlement.sides.title.equal"


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
        case "pending" | "voiding":
            assert view.pending_since is not None, "a pending stay waits since some moment"
            since = voice.moment(view.pending_since)
            asked = view.state == "pending"
            key = "settlement.stay.pending" if asked else "settlement.stay.voiding"
            return page.t(key, place=insured, moment=since)
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
