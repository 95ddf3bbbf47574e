"""The list of scenarios, and the page on which one is drawn: its text, what is wrong, who gains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from litestar import Response

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.console import compare_view
from tongcheng.services.mobility.console.query import Asked
from tongcheng.services.mobility.console.words import name_of
from tongcheng.web import Badge, Page

if TYPE_CHECKING:
    from tongcheng.services.mobility.console.board import Board
    from tongcheng.services.mobility.console.drafting import Piece
    from tongcheng.services.mobility.console.scenario_list import Listed

LIST: Final = "/mobility/scenarios"
NEW: Final = "/mobility/scenarios/new"
TRY: Final = "/mobility/scenarios/try"
KEEP: Final = "/mobility/scenarios/keep"
DRAW_ACTION: Final = "mobility.scenario.draw"
KEEP_ACTION: Final = "mobility.scenario.keep"
WITHDRAW_ACTION: Final = "mobility.scenario.withdraw"
AROUND: Final = 2
"""Lines shown before and after one that is wrong."""
KINDS: Final = {
    "add_line": "mobility.console.change.add_line",
    "remove_line": "mobility.console.change.remove_line",
    "reroute": "mobility.console.change.reroute",
    "headway": "mobility.console.change.headway",
    "speed": "mobility.console.change.speed",
    "dwell": "mobility.console.change.dwell",
    "close_stop": "mobility.console.change.close_stop",
    "process": "mobility.console.change.process",
    "add_road": "mobility.console.change.add_road",
}


class Card(msgspec.Struct, frozen=True):
    """A scenario of the list: where it leads, how far it is, what it leaves out.

    `withdraw` is its id where the reader may withdraw it.
    """

    title: str
    status: Badge
    link: str
    draw: str
    days: str
    limits: str
    kept: str
    withdraw: str


class Drawing(NamedTuple):
    """What one draws with: pieces of text, and a map to click on."""

    pieces: tuple[Piece, ...]
    board: Board


class TextLine(msgspec.Struct, frozen=True):
    """A line of a text with its number; `wrong` is the one that is refused."""

    number: int
    text: str
    wrong: bool


class Fault(msgspec.Struct, frozen=True):
    """Why a text is refused, and where."""

    what: str
    why: str
    do: str
    line: int
    excerpt: tuple[TextLine, ...]


def scenario_list(page: Page, scenarios: tuple[Listed, ...]) -> Response[str]:
    """Answer with every scenario there is."""
    cards = tuple(_card(page, each) for each in scenarios)
    values = {
        "headline": page.voice.tn("mobility.console.scenarios.title", len(cards)),
        "shipped": tuple(card for card in cards if not card.kept),
        "kept": tuple(card for card in cards if card.kept),
        "new": page.href(NEW) if page.may(DRAW_ACTION) else "",
    }
    return page.render("mobility/scenarios.html", values)


def _card(page: Page, each: Listed) -> Card:
    scenario, kept = each.scenario, each.kept
    query = Asked(scenario_id=scenario.scenario_id).query()
    days = "" if scenario.base_on is None else page.voice.day(scenario.base_on)
    return Card(
        name_of(page, scenario.title),
        compare_view.status_badge(page, scenario),
        page.href(compare_view.PATH) + query,
        page.href(NEW) + query if page.may(DRAW_ACTION) else "",
        page.t("mobility.console.scenario.base", day=days) if days else "",
        "" if scenario.limits is None else name_of(page, scenario.limits),
        ""
        if kept is None
        else page.t(
            "mobility.console.scenario.kept",
            version=page.voice.number(kept.version),
            moment=page.voice.moment(kept.kept_at),
        ),
        "" if kept is None or not page.may(WITHDRAW_ACTION) else scenario.scenario_id,
    )


def editor(
    page: Page,
    text: str,
    drawing: Drawing,
    *,
    fault: Refused | None = None,
    tried: dict[str, Any] | None = None,
) -> Response[str]:
    """Answer with a text that is being drawn: as it is, refused, or with what it changes."""
    told = None if fault is None else _fault(page, fault, text)
    title = "mobility.console.draw.title"
    if told is not None:
        title = "mobility.console.draw.title.refused"
    values: dict[str, Any] = {
        "headline": page.t(title) if tried is None else tried["headline"],
        "text": text,
        "fault": told,
        "tried": tried is not None,
        "pieces": tuple(
            (each.kind, page.t(KINDS[each.kind]), each.text) for each in drawing.pieces
        ),
        "board": drawing.board,
        "action": page.href(TRY),
        "keep": page.href(KEEP) if page.may(KEEP_ACTION) else "",
        **(tried or {}),
    }
    status = 422 if told is not None else 200
    return page.render("mobility/draw.html", values, status=status)


def _fault(page: Page, fault: Refused, text: str) -> Fault:
    said = page.console.errors.render(fault, page.language)
    line = fault.facts.get("line", 0)
    line = line if isinstance(line, int) else 0
    lines = text.split("\n")
    shown = range(max(line - AROUND, 1), min(line + AROUND, len(lines)) + 1) if line else range(0)
    excerpt = tuple(TextLine(number, lines[number - 1], number == line) for number in shown)
    return Fault(said.what, said.why, said.do, line, excerpt)
