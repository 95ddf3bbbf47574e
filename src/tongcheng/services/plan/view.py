"""What the home page shows: the plan's lines, the figures in words, and the map of flows."""

import msgspec
from markupsafe import Markup

from tongcheng.kernel.region import Jurisdiction
from tongcheng.kernel.words import Words
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


class Offer(msgspec.Struct, frozen=True):
    """A link and its words."""

    link: str
    text: str


class FigureView(msgspec.Struct, frozen=True):
    """A figure in words; `offer` leads to what proves it, `mark` says what of it is modelled."""

    number: str
    said: str
    name: str
    mark: str
    offer: Offer | None


class ServiceView(msgspec.Struct, frozen=True):
    """A service's name; `link` is empty where it has no page for this reader."""

    name: str
    link: str


class LineView(msgspec.Struct, frozen=True):
    """One commitment; it has no `figures` while there is nothing to count."""

    id: str
    text: str
    services: tuple[ServiceView, ...]
    figures: tuple[FigureView, ...]


class AreaView(msgspec.Struct, frozen=True):
    """One area: what runs, and what is not built."""

    id: str
    name: str
    running: tuple[LineView, ...]
    not_built: tuple[LineView, ...]


class StepView(msgspec.Struct, frozen=True):
    """One step of the story; `offer` leads to what it tells of."""

    title: str
    text: str
    badge: Badge
    offer: Offer | None


def runs(commitment: Commitment, live: Live) -> bool:
    """Tell whether a commitment runs here: the plan says so, and the node has its figure."""
    return commitment.status == "live" and commitment.figure in live.figures


def figures_of(commitment: Commitment, live: Live) -> tuple[Figure, ...]:
    """Return what the node can say of a commitment now."""
    found = (live.figures.get(key) for key in commitment.keys)
    return tuple(figure for figure in found if figure is not None)


def area_views(page: Page, plan: Plan, live: Live) -> tuple[AreaView, ...]:
    """Return the areas in the order of the plan."""
    return tuple(_area(page, area, live) for area in plan.areas)


def _area(page: Page, area: WorkArea, live: Live) -> AreaView:
    def lines(*, running: bool) -> tuple[LineView, ...]:
        chosen = (each for each in area.commitments if runs(each, live) == running)
        return tuple(_line(page, each, live) for each in chosen)

    return AreaView(area.id, page.voice.of(area.name), lines(running=True), lines(running=False))


def _line(page: Page, commitment: Commitment, live: Live) -> LineView:
    return LineView(
        id=commitment.id,
        text=page.voice.of(commitment.text),
        services=tuple(
            _service(page, name, live.service_pages.get(name)) for name in commitment.services
        ),
        figures=tuple(figure_view(page, each) for each in figures_of(commitment, live)),
    )


def _service(page: Page, name: str, its_page: ServicePage | None) -> ServiceView:
    has_page = its_page is not None and page.may(its_page.action)
    link = page.href(its_page.path) if its_page is not None and has_page else ""
    return ServiceView(page.t(SERVICE_KEYS[name]), link)


def highlights(page: Page, live: Live) -> tuple[FigureView, ...]:
    """Return the figures at the top; what cannot be counted yet is left out.

    A page that proves several of them is offered once, beside the first.
    """
    found = (live.figures.get(key) for key in live.highlights)
    views = [figure_view(page, figure) for figure in found if figure is not None]
    offers = [each.offer for each in views]
    return tuple(
        msgspec.structs.replace(each, offer=None) if each.offer in offers[:index] else each
        for index, each in enumerate(views)
    )


def figure_view(page: Page, figure: Figure) -> FigureView:
    """Return a figure in the words of the page."""
    voice = page.voice
    return FigureView(
        number=_number(page, figure),
        said=voice.said(figure.value) if figure.measure == "fen" else "",
        name=voice.of(figure.name),
        mark="" if figure.mark is None else voice.of(figure.mark),
        offer=_offer(page, figure.evidence_path, figure.evidence_action, figure.evidence),
    )


def _offer(page: Page, path: str, action: str, words: Words) -> Offer | None:
    """Offer a page to whoever may open it, and to a visitor: the console asks who it is first."""
    text = page.voice.of(words)
    if page.may(action):
        return Offer(page.href(path), text)
    if not page.reader.signed_in:
        return Offer(page.href(path), page.t("plan.sign_in", what=text))
    return None


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
    return Table(
        caption=page.t("plan.flows.caption"),
        columns=(
            Column(page.t("plan.flows.way"), main=True),
            Column(page.t("plan.flows.count"), "number"),
            Column(page.t("plan.flows.fund"), "money"),
        ),
        rows=tuple(
            Row(
                key=f"{flow.insured_place_id}-{flow.hospital_place_id}",
                cells=(
                    Cell(_way(page, flow), colour=_payer(page, flow).colour),
                    Cell(page.voice.number(flow.count)),
                    Cell(page.voice.amount(flow.fund_fen)),
                ),
            )
            for flow in live.flows
        ),
        totals=(
            Cell(page.t("plan.flows.total")),
            Cell(page.voice.number(sum(flow.count for flow in live.flows))),
            Cell(page.voice.amount(sum(flow.fund_fen for flow in live.flows))),
        ),
        empty=Empty(page.t("plan.flows.empty"), page.t("plan.flows.empty.text")),
    )


def _payer(page: Page, flow: FundFlow) -> Jurisdiction:
    return place_of(page.console.region, flow.insured_place_id)


def _names(page: Page, flow: FundFlow) -> dict[str, str]:
    hospital = place_of(page.console.region, flow.hospital_place_id)
    of = page.voice.of
    return {"payer": of(_payer(page, flow).short), "hospital": of(hospital.short)}


def _way(page: Page, flow: FundFlow) -> str:
    return page.t("plan.flow.way", **_names(page, flow))


def _said(page: Page, flow: FundFlow) -> str:
    fund = page.voice.money(flow.fund_fen)
    return page.voice.tn("plan.flow", flow.count, fund=fund, **_names(page, flow))


def story_steps(page: Page, story: Story, live: Live) -> tuple[StepView, ...]:
    """Return the story's steps, with the way to the stay where this node holds it."""
    offer = None
    if live.story_path is not None:
        offer = _offer(page, live.story_path, STAY_ACTION, story.link)
    return tuple(_step(page, step, offer if step.leads_to_stay else None) for step in story.steps)


def state_badges(page: Page) -> dict[bool, Badge]:
    """Return how it is said that something runs (True), or is not built (False)."""
    return {
        True: Badge(page.t("plan.live"), "good"),
        False: Badge(page.t("plan.not_built"), "quiet"),
    }


def _step(page: Page, step: Step, offer: Offer | None) -> StepView:
    return StepView(
        title=page.voice.of(step.title),
        text=page.voice.of(step.text),
        badge=state_badges(page)[step.status == "live"],
        offer=offer,
    )
