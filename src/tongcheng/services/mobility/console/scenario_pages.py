"""The addresses on which scenarios are listed, drawn, tried and kept."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from tongcheng.kernel import audit
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Transaction
from tongcheng.services.mobility.console import (
    compare_pages,
    compare_view,
    drafting,
    pages,
    scenario_view,
)
from tongcheng.services.mobility.console.board import board
from tongcheng.services.mobility.console.desk import Desk
from tongcheng.services.mobility.console.query import Asked, shown
from tongcheng.services.mobility.console.scenario_list import listed, named
from tongcheng.services.mobility.console.scenario_view import Drawing
from tongcheng.web import Page
from tongcheng.web.forms import read_form, see_other
from tongcheng.web.toolkit import AnyRequest, needs

if TYPE_CHECKING:
    from tongcheng.services.mobility.console.atlas import Atlas
    from tongcheng.services.mobility.scenario.kept import Kept
    from tongcheng.services.mobility.scenario.model import Scenario

DRAW = needs(scenario_view.DRAW_ACTION)
KEEP = needs(scenario_view.KEEP_ACTION)
WITHDRAW = needs(scenario_view.WITHDRAW_ACTION)
FILE: Final = "scenario.yaml"
"""What refusals call a text that has no file."""
FORM_BYTES_MAX: Final = 393_216
"""A text of 40,000 characters, in Chinese, each percent-encoded from three bytes."""


@get(scenario_view.LIST, include_in_schema=False, opt=pages.READ)
async def list_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve the scenarios that came with the region, and those that were kept here."""
    desk = pages.desk_at(request)
    atlas = await desk.ready()
    if atlas is None:
        return pages.waiting(page, desk)
    return scenario_view.scenario_list(page, await listed(pages.node_at(request), atlas))


@get(scenario_view.NEW, include_in_schema=False, opt=DRAW)
async def draw_page(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Serve an empty scenario, or another as it stands, to be drawn further."""
    desk = pages.desk_at(request)
    atlas = await desk.ready()
    if atlas is None:
        return pages.waiting(page, desk)
    text = drafting.head(pages.today(pages.node_at(request)))
    scenario_id = request.query_params.get("scenario", "")
    if scenario_id:
        from tongcheng.services.mobility.scenario.writing import text_of  # noqa: PLC0415 an extra

        found = named(await listed(pages.node_at(request), atlas), scenario_id)
        document = found.scenario.document
        key = ("written", found.scenario.digest)
        text = await desk.answered(key, partial(text_of, document))
    return scenario_view.editor(page, text, await _drawing(page, request, desk, atlas))


@post(scenario_view.TRY, include_in_schema=False, opt=DRAW)
async def try_scenario(page: NamedDependency[Page], request: AnyRequest) -> Response[str]:
    """Answer with what a text changes, or why it is refused; nothing of it is kept."""
    form = await read_form(request, FORM_BYTES_MAX)
    text = _text(form)
    desk = pages.desk_at(request)
    atlas = await desk.ready()
    if atlas is None:
        return pages.waiting(page, desk)
    drawing = await _drawing(page, request, desk, atlas)
    if form.get("do") == "insert":
        wanted = next((each.text for each in drawing.pieces if each.kind == form.get("piece")), "")
        return scenario_view.editor(page, text + wanted, drawing)
    try:
        tried = await _tried(page, request, atlas, text)
    except Refused as refused:
        return scenario_view.editor(page, text, drawing, fault=refused)
    return scenario_view.editor(page, text, drawing, tried=tried)


@get([scenario_view.TRY, scenario_view.KEEP], include_in_schema=False, opt=DRAW)
async def draw_anew(page: NamedDependency[Page]) -> Redirect:
    """Lead to where a text is drawn whoever asks for a form's own address, as by its language."""
    return see_other(page, scenario_view.NEW)


@post(scenario_view.KEEP, include_in_schema=False, opt=KEEP)
async def keep_scenario(
    page: NamedDependency[Page], request: AnyRequest
) -> Response[str] | Redirect:
    """Keep a text as a signed scenario of this node, and lead to what it changes."""
    from tongcheng.services.mobility.scenario import kept  # noqa: PLC0415 needs the extra

    text = _text(await read_form(request, FORM_BYTES_MAX))
    desk = pages.desk_at(request)
    atlas = await desk.ready()
    if atlas is None:
        return pages.waiting(page, desk)
    actor = page.reader.actor

    def command(scenario: Scenario, tx: Transaction) -> Kept:
        found = kept.keep(tx, scenario)
        entry = audit.Entry(
            actor, scenario_view.KEEP_ACTION, found.scenario.scenario_id, found.scenario.digest
        )
        audit.note(tx, entry)
        return found

    try:
        scenario = await _read(desk, text)
        _check_free(atlas, scenario)
        # Applied before it is kept: what the region does not have is refused here, with its line.
        await pages.sides_of(pages.node_at(request), desk, atlas, scenario)
        found: Kept = await pages.node_at(request).run(partial(command, scenario))
    except Refused as refused:
        drawing = await _drawing(page, request, desk, atlas)
        return scenario_view.editor(page, text, drawing, fault=refused)
    query = Asked(scenario_id=found.scenario.scenario_id).query()
    return see_other(page, compare_view.PATH + query)


@post(scenario_view.LIST, include_in_schema=False, opt=WITHDRAW)
async def withdraw_scenario(page: NamedDependency[Page], request: AnyRequest) -> Redirect:
    """Keep a scenario no longer, and show the others; refuses SCENARIO_NOT_KEPT."""
    from tongcheng.services.mobility.scenario import kept  # noqa: PLC0415 needs the extra

    scenario_id = shown((await read_form(request)).get("scenario", "").strip())
    entry = audit.Entry(page.reader.actor, scenario_view.WITHDRAW_ACTION, scenario_id)

    def command(tx: Transaction) -> None:
        kept.withdraw(tx, scenario_id)
        audit.note(tx, entry)

    await pages.node_at(request).run(command)
    return see_other(page, scenario_view.LIST)


async def _drawing(page: Page, request: AnyRequest, desk: Desk, atlas: Atlas) -> Drawing:
    """Return what can be put into a text, with the figures of today, and today's map."""
    node = pages.node_at(request)
    # The board is the region's own, whoever lives there; its day is that of the map's people.
    peopled, asked = await pages.peopled(node, desk, atlas, Asked())
    prepared, _ = await pages.prepared_for(node, desk, peopled, asked)
    stops = prepared.ready.timetable.stops
    railway = {each.name.zh for each in atlas.named if each.kind == "rail"}
    taken = Counter(
        seconds
        for name, seconds in zip(stops.names, stops.enter_s.tolist(), strict=True)
        if name in railway
    )
    pieces = drafting.pieces(atlas.facts, max(taken, key=lambda each: (taken[each], each)))
    return Drawing(pieces, board(page, atlas, prepared))


def _check_free(atlas: Atlas, scenario: Scenario) -> None:
    """Refuse the id of one that came with the region: two would answer to one name."""
    if scenario.scenario_id in {each.scenario_id for each in atlas.region.scenarios}:
        raise Refused("MOBILITY_SCENARIO_TAKEN", scenario=scenario.scenario_id)


async def _tried(page: Page, request: AnyRequest, atlas: Atlas, text: str) -> dict[str, Any]:
    desk = pages.desk_at(request)
    scenario = await _read(desk, text)
    node = pages.node_at(request)
    atlas, asked = await pages.peopled(node, desk, atlas, Asked(), scenario)
    sides, compared, place = await compare_pages.look(node, desk, atlas, (scenario, asked))
    return compare_view.values_of(page, atlas, sides, compared, place, scenario, ())


async def _read(desk: Desk, text: str) -> Scenario:
    from tongcheng.services.mobility.scenario.reading import read_scenario  # noqa: PLC0415 an extra

    return await desk.answered(("text", text), partial(read_scenario, FILE, text))


def _text(form: dict[str, str]) -> str:
    # Lines of a form end in CR LF, which no file of ours has.
    text = form.get("text", "").replace("\r\n", "\n")
    return text if text.endswith("\n") else text + "\n"


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    list_page,
    draw_page,
    draw_anew,
    try_scenario,
    keep_scenario,
    withdraw_scenario,
)
