"""A tiny node for tests of pages: the real toolkit, made-up views, no store."""

from pathlib import Path

import msgspec
from litestar import Litestar, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import PermissionDeniedException
from litestar.params import FromPath, FromQuery

import tongcheng
from tests.services.settlement import samples, samples_books, samples_cases, samples_desk
from tongcheng.kernel import region
from tongcheng.kernel.access import Reader
from tongcheng.kernel.errors import Catalogue
from tongcheng.kernel.texts import Texts
from tongcheng.kernel.words import Words
from tongcheng.services import plan
from tongcheng.services.plan.model import Figure, FundFlow, Live, ServicePage
from tongcheng.services.plan.model import load as load_plan
from tongcheng.services.plan.story import load as load_story
from tongcheng.services.settlement import cases_view, pages_view, stays_query, stays_view
from tongcheng.services.settlement.desk_page import view as desk_view
from tongcheng.services.settlement.views import StayState
from tongcheng.web import Console, NavItem, NavSection, Page, Toolkit
from tongcheng.web.security import secure
from tongcheng.web.toolkit import ERRORS_PATH, TEXTS_PATH, AnyRequest

SOURCE = Path(tongcheng.__file__).parent
SETTLEMENT = SOURCE / "services" / "settlement"
PLAN_PATH = region.PACKS_DIR / "jingjinji" / "plan.yaml"
STORY_PATH = PLAN_PATH.with_name("story.yaml")
TEXTS_PATHS = (
    TEXTS_PATH,
    *plan.SERVICE.texts,
    SETTLEMENT / "texts.yaml",
    SETTLEMENT / "bill_page" / "texts.yaml",
    SETTLEMENT / "desk_page" / "texts.yaml",
    SETTLEMENT / "policy" / "texts.yaml",
)
NAV = (
    NavSection("plan.nav", (NavItem("plan.nav", "/", "plan.read"),)),
    NavSection(
        "settlement.nav",
        (
            NavItem("settlement.desk.nav", "/settlement", "settlement.desk.read"),
            NavItem("settlement.nav", "/settlement/stays", "settlement.stays.read"),
            NavItem("settlement.cases.nav", "/settlement/cases", "settlement.cases.read"),
        ),
    ),
    NavSection(
        "settlement.policy.nav", (NavItem("settlement.policy.nav", "/rulebooks", "rulebook.read"),)
    ),
)
READER = Reader(
    "account/sample",
    frozenset({"settlement.stay.read", *(item.action for one in NAV for item in one.items)}),
)

# Every page of the shell, by its path without language.
PATHS = (
    "/",
    "/settlement",
    "/settlement?empty=1",
    "/settlement/stays",
    "/settlement/stays?live=0&state=pending",
    "/settlement/stays?empty=1",
    "/settlement/stays?q=nothing&empty=1",
    "/settlement/stays/settled",
    "/settlement/stays/pending",
    "/settlement/stays/admitted",
    "/settlement/stays/discharged",
    "/settlement/stays/refused",
    "/settlement/stays/voiding",
    "/settlement/stays/voided",
    "/settlement/cases",
    "/settlement/cases?empty=1",
    "/settlement/cases/asked",
    "/settlement/cases/upheld",
    *samples_books.PATHS,
    "/nowhere",
    "/forbidden",
)


def console(member_id: str = "tianjin-hsb", *, doubt: bool = True) -> Console:
    """Return a node as its pages know it."""
    return Console(
        member_id=member_id,
        region=region.load("jingjinji"),
        texts=Texts.load(*TEXTS_PATHS),
        errors=Catalogue.load(
            SOURCE / "kernel" / "errors.yaml",
            ERRORS_PATH,
            *plan.SERVICE.errors,
            SETTLEMENT / "errors.yaml",
        ),
        now=lambda: samples.NOW,
        nav=NAV,
        draft=doubt,
        synthetic=doubt,
    )


def toolkit(*, doubt: bool = True) -> Toolkit:
    """Return a toolkit with the templates of both services."""
    return Toolkit(
        console(doubt=doubt),
        {"plan": plan.TEMPLATES_DIR, "settlement": SETTLEMENT / "templates"},
        visitor=READER,
    )


def figure() -> Figure:
    """Return the figure that a node would compute from its store."""
    return Figure(
        key="settlement.settled",
        value=187,
        measure="count",
        name=Words("笔跨城住院结算", "hospital settlements between cities"),
        evidence=Words("看每一笔", "See each of them"),
        evidence_path="/settlement/stays",
        evidence_action="settlement.stays.read",
    )


def funds() -> Figure:
    """Return a second figure: money."""
    return msgspec.structs.replace(
        figure(),
        key="settlement.funds",
        value=312_345_678,
        measure="fen",
        name=Words("基金支付", "paid by the funds"),
    )


LIVE = Live(
    as_of_at=samples.NOW,
    figures={each.key: each for each in (figure(), funds())},
    highlights=("settlement.settled", "settlement.funds"),
    flows=(
        FundFlow("beijing", "tianjin", 131, 262_345_678),
        FundFlow("hebei", "tianjin", 40, 40_000_000),
        FundFlow("tianjin", "beijing", 16, 10_000_000),
    ),
    service_pages={"settlement": ServicePage("/settlement/stays", "settlement.stays.read")},
    story_path="/settlement/stays/settled",
    synthetic=True,
)


@get("/settlement", sync_to_thread=False)
def _desk(
    page: NamedDependency[Page], empty: FromQuery[int] = 0, live: FromQuery[int] = 1
) -> Response[str]:
    return desk_view.desk(page, samples_desk.desk(busy=not empty, live=bool(live)))


@get("/settlement/desk/rows", sync_to_thread=False)
def _desk_rows(page: NamedDependency[Page]) -> Response[str]:
    return desk_view.desk_rows(page, samples_desk.desk())


@get("/settlement/stays", sync_to_thread=False)
def _stays(
    page: NamedDependency[Page], request: AnyRequest, empty: FromQuery[int] = 0
) -> Response[str]:
    query = stays_query.read(request.query_params)
    return stays_view.stays(page, samples.stays(0 if empty else 12, query))


@get("/settlement/stays/rows", sync_to_thread=False)
def _rows(page: NamedDependency[Page]) -> Response[str]:
    return stays_view.stays_rows(page, samples.stays())


@get("/settlement/stays/{stay_state:str}", sync_to_thread=False)
def _stay(page: NamedDependency[Page], stay_state: FromPath[StayState]) -> Response[str]:
    return pages_view.stay(page, samples.stay(stay_state))


@get("/settlement/cases", sync_to_thread=False)
def _cases(page: NamedDependency[Page], empty: FromQuery[int] = 0) -> Response[str]:
    return cases_view.cases_list(page, samples_cases.cases_page(0 if empty else 3))


@get("/settlement/cases/{case_state:str}", sync_to_thread=False)
def _case(page: NamedDependency[Page], case_state: FromPath[str]) -> Response[str]:
    return cases_view.case(page, samples_cases.case_page(case_state))


@get("/forbidden", sync_to_thread=False)
def _forbidden() -> Response[str]:
    raise PermissionDeniedException


@get("/fault", sync_to_thread=False)
def _fault() -> Response[str]:
    message = "a secret of the program"
    raise ValueError(message)


HANDLERS = (
    _desk,
    _desk_rows,
    _stays,
    _rows,
    _stay,
    _cases,
    _case,
    _forbidden,
    _fault,
    *samples_books.HANDLERS,
)


def app(tools: Toolkit | None = None, live: Live = LIVE) -> Litestar:
    """Return the tiny node as an application."""
    tools = tools or toolkit()

    def answer_error(request: AnyRequest, fault: Exception) -> Response[str]:
        return tools.error_response(request, fault)

    return Litestar(
        route_handlers=[
            *tools.routes(plan.SERVICE.pages, HANDLERS),
            tools.assets.handler(),
        ],
        before_send=[secure],
        exception_handlers={Exception: answer_error},
        state=State(
            {
                "console": tools.console,
                "plan": load_plan(PLAN_PATH),
                "story": load_story(STORY_PATH),
                "figures": lambda: live,
            }
        ),
        openapi_config=None,
        logging_config=None,
    )
