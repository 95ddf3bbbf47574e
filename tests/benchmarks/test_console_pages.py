"""Which pages there are, and how a reader comes to each."""

from litestar import Litestar, Response, Router, get, post
from litestar.params import FromPath

from benchmarks.console_pages import (
    ADDRESSES_A_ROUTE,
    Found,
    assets_of,
    follow,
    in_language,
    links_in,
    route_of,
    routes_of,
)
from tongcheng.web.toolkit import needs


@get("/", opt=needs("plan.read"), sync_to_thread=False)
def home() -> str:
    """Answer as the home page."""
    return ""


@get("/stays/{stay_id:str}", opt=needs("stay.read"), sync_to_thread=False)
def stay(stay_id: FromPath[str]) -> str:
    """Answer as the page of a stay."""
    return stay_id


@get("/stays/rows", opt=needs("stays.read"), sync_to_thread=False)
def rows() -> str:
    """Answer as the part of a list that changes."""
    return ""


@get("/bill/{token:str}", sync_to_thread=False)
def bill(token: FromPath[str]) -> str:
    """Answer as a page that is not the console's: it needs no action."""
    return token


@post("/stays/rows", opt=needs("stays.write"), sync_to_thread=False)
def change() -> Response[str]:
    """Answer to a form."""
    return Response("")


HANDLERS = [home, stay, rows, bill, change]
APP = Litestar(
    [Router("/zh", route_handlers=HANDLERS), Router("/en", route_handlers=HANDLERS)],
    openapi_config=None,
)
ROUTES = routes_of(APP)


def site(pages: dict[str, str]) -> Found:
    """Follow the links of a few pages."""

    def get_page(address: str) -> tuple[int, str, str]:
        text = pages.get(address)
        return (404, "", "") if text is None else (200, "text/html; charset=utf-8", text)

    return follow(ROUTES, get_page)


def test_every_page_that_names_an_action_is_found_once() -> None:
    """Both languages are one page; forms and what is no page of the console are none."""
    assert [route.path for route in ROUTES] == ["/", "/stays/rows", "/stays/{stay_id:str}"]


def test_an_address_belongs_to_the_page_that_names_it_most_exactly() -> None:
    """The rows of a list are no stay with the id "rows"."""
    addresses = ("/zh", "/zh/stays/rows?state=open", "/zh/stays/1", "/zhang", "/assets/a.css")
    found = [route_of(ROUTES, address) for address in addresses]

    assert [route.path if route else None for route in found] == [
        "/",
        "/stays/rows",
        "/stays/{stay_id:str}",
        None,
        None,
    ]


def test_links_lead_from_page_to_page() -> None:
    """What the pages themselves show is what is measured, what refreshes itself included."""
    found = site(
        {
            "/zh": '<a href="/zh/stays/1">1</a> <div hx-get="/zh/stays/rows?a=1&amp;b=2"></div>',
            "/zh/stays/1": '<a href="https://elsewhere.example/">x</a>',
            "/zh/stays/rows?a=1&b=2": "",
        }
    )

    assert found == Found(
        {
            "/": ["/zh"],
            "/stays/{stay_id:str}": ["/zh/stays/1"],
            "/stays/rows": ["/zh/stays/rows?a=1&b=2"],
        },
        unreached=[],
        broken=[],
    )


def test_what_nothing_leads_to_and_what_does_not_open_is_told() -> None:
    """A page that is not measured is a finding, not a gap."""
    found = site({"/zh": '<a href="/zh/stays/1">1</a>'})

    assert found.unreached == ["/stays/rows", "/stays/{stay_id:str}"]
    assert found.broken == ["/zh/stays/1: 404"]


def test_a_page_that_asks_to_sign_in_is_somebody_elses() -> None:
    """It is not measured for this reader, and it is no fault."""
    found = follow(ROUTES, lambda _address: (303, "", ""))

    assert (found.addresses, found.broken) == ({}, [])


def test_of_links_that_differ_in_an_id_only_some_are_followed() -> None:
    """A list of a thousand stays is not a thousand measurements."""
    stays = {f"/zh/stays/{number}": f'<a href="/zh/stays/{number + 1}">' for number in range(50)}
    found = site({"/zh": "".join(f'<a href="{each}">' for each in stays), **stays})

    assert len(found.addresses["/stays/{stay_id:str}"]) == ADDRESSES_A_ROUTE
    assert found.broken == []


def test_a_page_is_weighed_with_what_it_loads() -> None:
    """Sheets, scripts and images, each once; icons and other languages are links, not weight."""
    page = (
        '<link rel="icon" href="/assets/1/mark.svg"><link rel="stylesheet" href="/assets/2/a.css">'
        '<script src="/assets/3/b.js" defer></script><img src="/assets/1/mark.svg" alt="">'
        '<script src="/assets/3/b.js" defer></script><a href="/en">English</a>'
    )

    assert assets_of(page) == ["/assets/2/a.css", "/assets/3/b.js", "/assets/1/mark.svg"]
    assert "/en" in links_in(page)


def test_the_same_page_in_another_language() -> None:
    """Only the first part of the path tells the language."""
    assert in_language("/zh", "en") == "/en"
    assert in_language("/zh/stays/zh?state=zh", "en") == "/en/stays/zh?state=zh"
