"""The home page: the joint plan, with what runs here beside each commitment."""

import msgspec
from litestar import Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from tongcheng.services.plan.model import Commitment, Figure, Figures, Plan, WorkArea
from tongcheng.web import Badge, Page
from tongcheng.web.toolkit import needs

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


class CommitmentView(msgspec.Struct, frozen=True):
    """One line of the plan as it is shown; `figure` is None when it is not built."""

    commitment: Commitment
    services: tuple[str, ...]
    badge: Badge
    figure: Figure | None


class AreaView(msgspec.Struct, frozen=True):
    """One area with its lines, and how many of them run."""

    area: WorkArea
    lines: tuple[CommitmentView, ...]
    running: int


def home(page: Page, plan: Plan, figures: Figures) -> Response[str]:
    """Answer with the plan; each figure is computed now, once."""
    areas = tuple(_area(page, area, figures) for area in plan.areas)
    lines = [line for area in areas for line in area.lines]
    running = sum(area.running for area in areas)
    return page.render(
        "plan/home.html",
        {
            "plan": plan,
            "headline": _headline(page, running, len(lines)),
            "areas": areas,
            "running": [line.figure for line in lines if line.figure is not None],
        },
    )


def _headline(page: Page, running: int, count: int) -> str:
    total = page.voice.number(count)
    if running == 0:
        return page.t("plan.headline.none", total=total)
    return page.voice.tn("plan.headline", running, total=total)


def _area(page: Page, area: WorkArea, figures: Figures) -> AreaView:
    lines = tuple(_line(page, commitment, figures) for commitment in area.commitments)
    return AreaView(area, lines, sum(line.badge.tone == "good" for line in lines))


def _line(page: Page, commitment: Commitment, figures: Figures) -> CommitmentView:
    compute = figures.get(commitment.figure) if commitment.figure else None
    runs = commitment.status == "live" and compute is not None
    badge = Badge(page.t("plan.live"), "good") if runs else Badge(page.t("plan.not_built"), "quiet")
    return CommitmentView(
        commitment,
        tuple(page.t(SERVICE_KEYS[name]) for name in commitment.services),
        badge,
        compute() if runs and compute is not None else None,
    )


@get("/", include_in_schema=False, sync_to_thread=True, opt=needs("plan.read"))
def home_page(page: NamedDependency[Page], state: State) -> Response[str]:
    """Serve the home page from `state.plan` and `state.figures`, both set by the node."""
    return home(page, state["plan"], state["figures"])


HANDLERS: tuple[HTTPRouteHandler, ...] = (home_page,)
