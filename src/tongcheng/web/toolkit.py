"""Rendering: one Jinja environment for all packages, one `Page` per request.

How a node uses it::

    console = Console(member_id="tianjin-hsb", region=pack, texts=..., errors=..., now=...)
    toolkit = Toolkit(console, templates={"plan": ..., "settlement": ...})
    Litestar(
        route_handlers=[*toolkit.routes(plan.SERVICE.pages, settlement.SERVICE.pages),
            toolkit.assets.handler(), ...],
        before_send=[secure],
        state=State({"console": console}),
        exception_handlers=...,  # is_page(request) -> toolkit.error_response(request, fault)
    )

How a service writes a page, once for all languages; its address is `/zh/stays`, `/en/stays`::

    @get("/stays", include_in_schema=False)
    def stays_page(page: NamedDependency[Page], ...) -> Response[str]:
        return page.render("settlement/stays.html", {"view": ...})
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from litestar import MediaType, Request, Response, Router, get
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect
from litestar.types import Guard

from tongcheng.kernel.access import Reader
from tongcheng.kernel.errors import Refused
from tongcheng.web import i18n
from tongcheng.web.assets import STATIC_DIR, Assets
from tongcheng.web.console import Console
from tongcheng.web.i18n import LANGUAGES, Language
from tongcheng.web.mark import mark_svg
from tongcheng.web.navigation import Section, sections
from tongcheng.web.routing import OwnRouter, parsed, refuse_options
from tongcheng.web.voice import Voice

AnyRequest = Request[Any, Any, State]
AnyConnection = ASGIConnection[Any, Any, Any, State]
ACTION = "action"
"""The key of a handler's `opt` that names what it does."""
BEFORE_CHANGE = "before_change"
"""The key of a handler's `opt` that opens it to a password that somebody else gave."""
READER = "reader"
"""The key of a request's own state that holds who asks."""
OFFER = "offer"
"""The key of a request's own state that holds what the page of its error may offer."""
VISITOR = Reader("visitor", frozenset())

PageFaults = Callable[[AnyRequest, Exception], Response[Any]]

TEMPLATES_DIR = Path(__file__).parent / "templates"
TEXTS_PATH = Path(__file__).parent / "texts.yaml"
ERRORS_PATH = Path(__file__).parent / "errors.yaml"

SERVER_FAULT = 500  # from here on an HTTP status is our fault, not the asker's
# HTTP statuses that have words of their own; any other 4xx is PAGE_REQUEST, any 5xx PAGE_FAULT.
STATUS_CODES = {
    401: "PAGE_FORBIDDEN",
    403: "PAGE_FORBIDDEN",
    404: "PAGE_NOT_FOUND",
    503: "PAGE_UNAVAILABLE",
}


class Offer(msgspec.Struct, frozen=True):
    """A way on from a page that did not open: an address of ours, and its words."""

    address: str
    text: str


def needs(action: str, *, before_change: bool = False) -> dict[str, str | bool]:
    """Return the `opt` of a page's handler: the action that its readers must be allowed.

    `before_change` opens it to whoever must change a password that somebody else gave them.
    """
    return {ACTION: action, BEFORE_CHANGE: before_change}


class Page(msgspec.Struct, frozen=True):
    """One request for a page: its language and address, and the words to answer it in."""

    toolkit: "Toolkit"
    language: Language
    path: str
    query: str = ""
    reader: Reader = VISITOR

    @property
    def console(self) -> Console:
        """The node that answers."""
        return self.toolkit.console

    @property
    def voice(self) -> Voice:
        """The words and figures of the page's language."""
        return self.toolkit.voices[self.language]

    def may(self, action: str) -> bool:
        """Tell whether the reader may do it: what they may not is not offered to them."""
        return self.reader.may(action)

    @property
    def roles(self) -> str:
        """The roles of whoever reads, in the page's words; empty for a visitor."""
        return self.t("web.list").join(self.voice.of(words) for words in self.reader.roles)

    @property
    def form_token(self) -> str:
        """What every form of this reader's carries; empty for a visitor (see `web.forms`)."""
        return self.reader.form_token

    def t(self, key: str, **values: str | int) -> str:
        """Return the text of a key in the page's language."""
        return self.voice.t(key, **values)

    @property
    def sections(self) -> tuple[Section, ...]:
        """The navigation for this reader at this page."""
        here = self.path.removeprefix(f"/{self.language}")
        return sections(self.console.nav, self.reader, here)

    def href(self, path: str) -> str:
        """Return the address of another page in the same language: "/zh" + path."""
        assert path.startswith("/"), path
        return f"/{self.language}{path}".rstrip("/")

    def html(self, template: str, values: Mapping[str, object]) -> str:
        """Render a template ("settlement/stays.html") with what it shows."""
        return self.toolkit.html(self, template, values)

    def render(
        self, template: str, values: Mapping[str, object], *, status: int = 200
    ) -> Response[str]:
        """Answer with a rendered template."""
        return Response(
            self.html(template, values),
            status_code=status,
            media_type=MediaType.HTML,
            headers={"Content-Language": self.language},
        )


class Toolkit:
    """Templates, assets and languages of one node. `templates`: package name → its folder.

    `visitor` is who reads where nobody has signed in.
    """

    def __init__(
        self, console: Console, templates: Mapping[str, Path], *, visitor: Reader = VISITOR
    ) -> None:
        assert "web" not in templates, "the toolkit's own templates are named web/…"
        self.console = console
        self.visitor = visitor
        self.voices: dict[Language, Voice] = {
            language: Voice(console.texts, language, console.region.zone) for language in LANGUAGES
        }
        self.assets = Assets.load(STATIC_DIR)
        self.assets.add("mark.svg", mark_svg(console.region, console.place.id).encode())
        folders = {"web": TEMPLATES_DIR, **templates}
        self._environment = jinja2.Environment(
            loader=jinja2.PrefixLoader(
                {name: jinja2.FileSystemLoader(path) for name, path in folders.items()}
            ),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(
            asset=self.assets.url, console=console, in_other_language=i18n.in_other_language
        )

    def routes(
        self, *pages: Sequence[HTTPRouteHandler], guards: Sequence[Guard] = ()
    ) -> tuple[HTTPRouteHandler | Router, ...]:
        """Return every route of the console: the services' pages under each language, and `/`.

        Page handlers may ask for `page: NamedDependency[Page]`. `guards` see each request first.
        """
        handlers = [handler for of_service in pages for handler in of_service]
        # First, so that Litestar finds an answer to OPTIONS wherever it adds a page.
        handlers.insert(0, refuse_options(handlers))
        return (choose_language, *self._routers(handlers, guards=list(guards)))

    def person_routes(
        self, faults: PageFaults, *pages: Sequence[HTTPRouteHandler]
    ) -> tuple[HTTPRouteHandler | Router, ...]:
        """Return every route of the pages for persons: they stand without the console.

        `faults` answers whatever goes wrong in them.
        """
        handlers = [handler for of_service in pages for handler in of_service]
        return self._routers(handlers, exception_handlers={Exception: faults})

    def _routers(self, handlers: list[HTTPRouteHandler], **settings: Any) -> tuple[Router, ...]:
        # One router per language, not one handler with two paths: Litestar 2.25 wraps a
        # `sync_to_thread` handler once per path, and the second wrapping breaks it.
        routers = (
            OwnRouter(
                f"/{language}",
                route_handlers=parsed(handlers),
                dependencies={"page": Provide(self.page, sync_to_thread=False)},
                **settings,
            )
            for language in LANGUAGES
        )
        return tuple(routers)

    def page(self, request: AnyRequest) -> Page:
        """Return the page a request asks for; its path, else its headers, say the language."""
        path = path_of(request)
        language = i18n.language_of_path(path)
        if language is None:
            language = i18n.preferred(request.headers.get("accept-language", ""))
            return Page(self, language, f"/{language}", reader=self.reader_of(request))
        query = request.scope["query_string"].decode("latin-1")
        return Page(self, language, path, query, self.reader_of(request))

    def reader_of(self, connection: AnyConnection) -> Reader:
        """Return who asks, as the guard found out; the visitor where it found nobody."""
        reader: Reader = connection.scope["state"].get(READER, self.visitor)
        return reader

    def html(self, page: Page, template: str, values: Mapping[str, object]) -> str:
        """Render a template for a page; a name the template misses is our bug."""
        voice = self.voices[page.language]
        return self._environment.get_template(template).render(
            values, page=page, voice=voice, t=voice.t, tn=voice.tn, href=page.href
        )

    def error_response(
        self, request: AnyRequest, fault: Exception, *, to_person: bool = False
    ) -> Response[str]:
        """Answer with a page that says what happened, why, and what to do.

        `to_person` leaves out the console around it.
        """
        page = self.page(request)
        refused = fault if isinstance(fault, Refused) else _refused(fault, page.path)
        error = self.console.errors.render(refused, page.language)
        template = "web/person_error.html" if to_person else "web/error.html"
        values = {"error": error, "offer": request.scope["state"].get(OFFER)}
        return page.render(template, values, status=error.status)


def _refused(fault: Exception, path: str) -> Refused:
    """Name a fault that is no refusal; its own message is for the log, not for the page."""
    status = fault.status_code if isinstance(fault, HTTPException) else SERVER_FAULT
    code = STATUS_CODES.get(status, "PAGE_REQUEST" if status < SERVER_FAULT else "PAGE_FAULT")
    return Refused(code, path=path)


def path_of(connection: AnyConnection) -> str:
    """Return the path that is asked for, with one slash before it.

    Litestar's `connection.url` fails where a stranger's Host has a port that is none.
    """
    path: str = connection.scope["path"]
    return "/" + path.lstrip("/")


def is_page(connection: AnyConnection) -> bool:
    """Tell whether an error should be answered as a page: by path, or because HTML is wanted."""
    if i18n.language_of_path(path_of(connection)) is not None:
        return True
    return "text/html" in connection.headers.get("accept", "")


@get("/", include_in_schema=False, sync_to_thread=False)
def choose_language(request: AnyRequest) -> Redirect:
    """Send the visitor to the home page in the language the browser asks for."""
    language = i18n.preferred(request.headers.get("accept-language", ""))
    return Redirect(f"/{language}", status_code=302, headers={"Vary": "Accept-Language"})
