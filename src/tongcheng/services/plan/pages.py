"""The home page: the joint plan, with what runs here beside each commitment."""

from litestar import Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from tongcheng.services.plan import export, view
from tongcheng.services.plan.model import Live, Plan
from tongcheng.services.plan.story import Story
from tongcheng.web import Page
from tongcheng.web.toolkit import needs

JSON_LD_TYPE = "application/ld+json"
READ = needs("plan.read")


def home(page: Page, plan: Plan, live: Live, story: Story | None) -> Response[str]:
    """Answer with the plan as it stands at one instant."""
    running = sum(view.runs(each, live) for each in plan.commitments)
    return page.render(
        "plan/home.html",
        {
            "plan": plan,
            "headline": _headline(page, running, len(plan.commitments)),
            "highlights": view.highlights(page, live),
            "figures": live,
            "map": view.map_of(page, live),
            "payers": view.payers(page, live),
            "flows": view.flows_table(page, live),
            "story": story,
            "steps": () if story is None else view.story_steps(page, story, live),
            "areas": view.area_views(page, plan, live),
            "running": running,
            "running_badge": view.state_badges(page)[True],
        },
    )


def _headline(page: Page, running: int, count: int) -> str:
    total = page.voice.number(count)
    if running == 0:
        return page.t("plan.headline.none", total=total)
    return page.voice.tn("plan.headline", running, total=total)


@get("/", include_in_schema=False, sync_to_thread=True, opt=READ)
def home_page(page: NamedDependency[Page], state: State) -> Response[str]:
    """Serve the home page from what the node has set: `plan`, `figures`, `story`."""
    return home(page, state["plan"], state["figures"](), state["story"])


@get("/plan.csv", include_in_schema=False, sync_to_thread=True, opt=READ)
def plan_csv(page: NamedDependency[Page], state: State) -> Response[str]:
    """Serve the plan's lines as a table, each with its status and its figure."""
    return export.plan_csv(page, state["plan"], state["figures"]())


@get("/plan.json", include_in_schema=False, sync_to_thread=True, opt=READ)
def plan_json(page: NamedDependency[Page], state: State) -> Response[bytes]:
    """Serve the same as linked data (JSON-LD, words of schema.org)."""
    document = export.plan_json(page, state["plan"], state["figures"]())
    return Response(document, media_type=JSON_LD_TYPE)


@get("/plan/flows.csv", include_in_schema=False, sync_to_thread=True, opt=READ)
def flows_csv(page: NamedDependency[Page], state: State) -> Response[str]:
    """Serve the table of the map."""
    return export.flows_csv(page, state["figures"]())


HANDLERS: tuple[HTTPRouteHandler, ...] = (home_page, plan_csv, plan_json, flows_csv)
