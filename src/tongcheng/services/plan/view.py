"""What the home page shows: the plan's lines, the figures in words, and the map of flows."""

import msgspec
from markupsafe import Markup

from tongcheng.services.plan.model import (
    Commitment,
    Figure,
    FundFlow,
    Live,
    Plan,
    ServicePage,
    WorkArea,
)
from tongcheng.services.plan.story import Step, Story
from tongcheng.web import Badge, Cell, Column, Empty, Page, Row, Table
from tongcheng.web.maps import Flow, flow_map, place_of

# Which words name a service; a plan may only name services that have some.
SERVICE_KEYS: dict[str, str] = {
    "air": "plan.service.air",
    "approvals": "plan.service.approvals",
    "industry": "plan.service.industry",
    "innovation": "plan.service.innovation",
    "mobility": "plan.service.mobility",
    "plan": "plan.service.plan",
    "recognition": "plan.service.recognition",
    "rivers": "plan.service.rivers",
    "settlement": "plan.service.settlement",
}
STAY_ACTION = "settlement.stay.read"


class FigureView(msgspec.Struct, frozen=True):
    """A figure in words; `link` is empty for who may not open its evidence."""

    number: str
    said: str
    name: str
    evidence: str
    link: str


class ServiceView(msgspec.Struct, frozen=True):
    """A service's name; `link` is empty where it has no page for this reader."""

    name: str
    link: str


class LineView(msgspec.Struct, frozen=True):
    """One commitment; `figure` is None while there is nothing to count."""

    id: str
    text: str
    services: tuple[ServiceView, ...]
    figure: FigureView | None


class AreaView(msgspec.Struct, frozen=True):
    """One area: what runs, and what is not built."""

    id: str
    name: str
    running: tuple[LineView, ...]
    not_built: tuple[LineView, ...]


class StepView(msgspec.Struct, frozen=True):
    """One step of the story; `link` is empty where it leads nowhere for this reader."""

    title: str
    text: str
    badge: Badge
    link: str


def runs(commitment: Commitment, live: Live) -> bool:
    """Tell whether a commitment runs here: the plan says so, and the node has its figure."""
    return commitment.status == "live" and commitment.figure in live.figures


def area_views(page: Page, plan: Plan, live: Live) -> tuple[AreaView, ...]:
    """Return the areas in the order of the plan."""
    return tuple(_area(page, area, live) for area in plan.areas)


def _area(page: Page, area: WorkArea, live: Live) -> AreaView:
    def lines(*, running: bool) -> tuple[LineView, ...]:
        chosen = (each for each in area.commitments if runs(each, live) == running)
        return tuple(_line(page, each, live) for each in chosen)

    return AreaView(area.id, page.voice.of(area.name), lines(running=True), lines(running=False))


def _line(page: Page, commitment: Commitment, live: Live) -> LineView:
    figure = live.figures.get(commitment.figure or "")
    return LineView(
        id=commitment.id,
        text=page.voice.of(commitment.text),
        services=tuple(
            _service(page, name, live.service_pages.get(name)) for name in commitment.services
        ),
        figure=None if figure is None else figure_view(page, figure),
    )


def _service(page: Page, name: str, its_page: ServicePage | None) -> ServiceView:
    has_page = its_page is not None and page.may(its_page.action)
    link = page.href(its_page.path) if its_page is not None and has_page else ""
    return ServiceView(page.t(SERVICE_KEYS[name]), link)


def highlights(page: Page, live: Live) -> tuple[FigureView, ...]:
    """Return the figures at the top; what cannot be counted yet is left out."""
    found = (live.figures.get(key) for key in live.highlights)
    return tuple(figure_view(page, figure) for figure in found if figure is not None)


def figure_view(page: Page, figure: Figure) -> FigureView:
    """Return a figure in the words of the page."""
    voice = page.voice
    return FigureView(
        number=_number(page, figure),
        said=voice.said(figure.value) if figure.measure == "fen" else "",
        name=voice.of(figure.name),
        evidence=voice.of(figure.evidence),
        link=page.href(figure.evidence_path) if page.may(figure.evidence_action) else "",
    )


def _number(page: Page, figure: Figure) -> str:
    if figure.measure == "ms":
        return page.t("plan.seconds", seconds=f"{figure.value / 1000:.2f}")
    if figure.measure == "fen":
        return page.voice.money(figure.value)
    return page.voice.number(figure.value)


def map_of(page: Page, live: Live) -> Markup:
    """Draw what flows between the places."""
    console = page.console
    flows = tuple(
        Flow(flow.insured_place_id, flow.hospital_place_id, flow.fund_fen, _said(page, flow))
        for flow in live.flows
        if flow.fund_fen > 0
    )
    region = page.voice.of(console.region.name)
    said = " ".join(_said(page, flow) for flow in live.flows) or page.t("plan.flows.empty")
    title = page.t("plan.map", region=region, flows=said)
    return flow_map(console.region, console.place.id, page.language, title, flows)


def payers(page: Page, live: Live) -> tuple[tuple[str, str], ...]:
    """Return the legend: colour and words of each place whose funds pay."""
    ids = {flow.insured_place_id for flow in live.flows}
    return tuple(
        (place.colour, page.t("plan.map.payer", place=page.voice.of(place.short)))
        for place in page.console.region.jurisdictions
        if place.id in ids
    )


def flows_table(page: Page, live: Live) -> Table:
    """Return the map's table: the same flows with their figures."""
    places = page.console.region

    def place_cell(place_id: str) -> Cell:
        place = place_of(places, place_id)
        return Cell(page.voice.of(place.short), colour=place.colour)

    return Table(
        caption=page.t("plan.flows.caption"),
        columns=(
            Column(page.t("plan.flows.from")),
            Column(page.t("plan.flows.to")),
            Column(page.t("plan.flows.count"), "number"),
            Column(page.t("plan.flows.fund"), "money"),
        ),
        rows=tuple(
            Row(
                key=f"{flow.insured_place_id}-{flow.hospital_place_id}",
                cells=(
                    place_cell(flow.insured_place_id),
                    place_cell(flow.hospital_place_id),
                    Cell(page.voice.number(flow.count)),
                    Cell(page.voice.amount(flow.fund_fen)),
                ),
            )
            for flow in live.flows
        ),
        totals=(
            Cell(page.t("plan.flows.total")),
            Cell(),
            Cell(page.voice.number(sum(flow.count for flow in live.flows))),
            Cell(page.voice.amount(sum(flow.fund_fen for flow in live.flows))),
        ),
        empty=Empty(page.t("plan.flows.empty"), page.t("plan.flows.empty.text")),
    )


def _said(page: Page, flow: FundFlow) -> str:
    region, voice = page.console.region, page.voice
    return voice.tn(
        "plan.flow",
        flow.count,
        payer=voice.of(place_of(region, flow.insured_place_id).short),
        hospital=voice.of(place_of(region, flow.hospital_place_id).short),
        fund=voice.money(flow.fund_fen),
    )


def story_steps(page: Page, story: Story, live: Live) -> tuple[StepView, ...]:
    """Return the story's steps; the way to the stay stands where the reader may go it."""
    path = live.story_path if page.may(STAY_ACTION) else None
    return tuple(_step(page, step, "" if path is None else page.href(path)) for step in story.steps)


def state_badges(page: Page) -> dict[bool, Badge]:
    """Return how it is said that something runs (True), or is not built (False)."""
    return {
        True: Badge(page.t("plan.live"), "good"),
        False: Badge(page.t("plan.not_built"), "quiet"),
    }


def _step(page: Page, step: Step, stay_link: str) -> StepView:
    return StepView(
        title=page.voice.of(step.title),
        text=page.voice.of(step.text),
        badge=state_badges(page)[step.status == "live"],
        link=stay_link if step.leads_to_stay else "",
    )
