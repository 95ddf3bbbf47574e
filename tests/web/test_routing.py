"""Routes of several applications: none sees the other."""

from collections.abc import Sequence
from typing import Any

import pytest
from litestar import Litestar, Request, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import ImproperlyConfiguredException, NotAuthorizedException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import FromPath
from litestar.testing import TestClient

from tongcheng.web.routing import OwnRouter, parsed, refuse_options


@get("/of/{name:str}", include_in_schema=False, sync_to_thread=True)
def show(request: Request[Any, Any, State], name: FromPath[str], who: NamedDependency[str]) -> str:
    """Tell whose application and whose router answers."""
    return f"{request.app.state.owner} {who} {name}"


@post("/of/{name:str}", status_code=200)
async def change(name: FromPath[str]) -> str:
    """Answer a form at the same address."""
    return f"changed {name}"


PAGES = (show, change)


def app_of(owner: str, routes: Sequence[HTTPRouteHandler] = PAGES) -> Litestar:
    """Return an application whose routers `zh` and `en` both have the same handlers."""

    def router(language: str) -> OwnRouter:
        who = Provide(lambda: f"{owner}-{language}", sync_to_thread=False)
        return OwnRouter(
            f"/{language}",
            route_handlers=routes,
            dependencies={"who": who},
            response_headers={"x-of": f"{owner}-{language}"},
        )

    return Litestar(
        [router("zh"), router("en")],
        state=State({"owner": owner}),
        openapi_config=None,
        logging_config=None,
    )


def test_applications_of_the_same_handlers_do_not_see_each_other() -> None:
    """What is made later takes nothing from what is there: state, dependencies, headers."""
    clients = [TestClient(app_of(owner)) for owner in ("first", "second")]
    answers = [each.get(f"/{to}/of/li") for each in clients for to in ("zh", "en")]
    whose = [(owner, f"{owner}-{to}") for owner in ("first", "second") for to in ("zh", "en")]

    assert [each.text for each in answers] == [f"{owner} {who} li" for owner, who in whose]
    assert [each.headers["x-of"] for each in answers] == [who for _, who in whose]


def test_a_router_is_of_one_application() -> None:
    """A second one would never ask its guards: the handlers keep whom the first lets in."""

    def nobody(_connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        raise NotAuthorizedException

    router = OwnRouter("/zh", route_handlers=[change])
    Litestar([router], openapi_config=None, logging_config=None)

    with pytest.raises(ImproperlyConfiguredException, match="one for each"):
        Litestar([router], guards=[nobody], openapi_config=None, logging_config=None)


def test_pages_share_a_signature_and_what_is_described_does_not() -> None:
    """Describing writes into a signature: into that of one copy, in one application."""
    apps = [app_of(owner, parsed(PAGES)) for owner in ("first", "second")]
    signatures: dict[str, set[int]] = {"show": set(), "change": set()}
    for app in apps:
        for route in app.routes:
            for handler in route.route_handlers:  # type: ignore[union-attr]  # HTTP, all of them
                signatures.get(handler.handler_name, set()).add(id(handler.parsed_fn_signature))

    assert {name: len(each) for name, each in signatures.items()} == {"show": 1, "change": 4}


def test_options_are_refused_and_the_rest_answers() -> None:
    """One handler for all addresses; two pages at one address are one address."""
    client = TestClient(app_of("first", [refuse_options(PAGES), *PAGES]))
    asked = [client.options(f"/{to}/of/li").status_code for to in ("zh", "en")]

    assert asked == [405, 405]
    assert client.post("/en/of/li").text == "changed li"
    assert client.get("/en/of/li").text == "first first-en li"
