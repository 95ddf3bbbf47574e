"""The addresses of the person's pages: who reads is proved, the reading audited, then answered.

A stranger sees one page whatever the link is: the question for the last four characters. Every
further page belongs to the opened link alone; its forms carry a token that other sites cannot know.
"""

import re
from typing import Any, Final

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Redirect

from tongcheng.kernel import audit, cases
from tongcheng.kernel.access.table import AuthorityTable
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.running import RunningNode
from tongcheng.kernel.store import Reading, Snapshot, Transaction
from tongcheng.services.settlement import line_query
from tongcheng.services.settlement.bill_page import data, links, page_line, page_whole
from tongcheng.services.settlement.bill_page.links import Reader
from tongcheng.services.settlement.bill_page.traces import Traces, traces_of
from tongcheng.services.settlement.bill_page.views import Bill
from tongcheng.services.settlement.line_query import PersonAction
from tongcheng.web import LANGUAGES, Page
from tongcheng.web.forms import read_form, see_other
from tongcheng.web.i18n import preferred
from tongcheng.web.toolkit import AnyRequest

BILL_PATH: Final = "/bill"
SHORT_PATH: Final = "/b"
"""Printed on the settlement sheet: short, and in whatever language the browser asks for."""

COOKIE: Final = "bill"
_PAGE: Final = re.compile(r"[0-9]{1,4}")
FORBIDDEN: Final = 403

_ACTIONS: Final[dict[str, PersonAction]] = {
    "accepted": "accepted",
    "escalated": "escalated",
    "withdrawn": "withdrawn",
}


@get(SHORT_PATH + "/{token:str}", include_in_schema=False, sync_to_thread=False)
def short_link(request: AnyRequest, token: FromPath[str]) -> Redirect:
    """Send a reader on to the bill in her browser's language; says nothing of the link."""
    if not request.app.state.bill_pages:
        raise Refused("PATH_UNKNOWN", path=SHORT_PATH)
    language = preferred(request.headers.get("accept-language", ""))
    path = f"/{language}{BILL_PATH}/{_token(token)}"
    return Redirect(path, status_code=302, headers={"Vary": "Accept-Language"})


@get(BILL_PATH + "/{token:str}", include_in_schema=False)
async def bill_page(
    page: NamedDependency[Page], request: AnyRequest, token: FromPath[str]
) -> Response[Any]:
    """Serve the bill to whoever has opened the link, and the question to everybody else."""
    written, token = token, _token(token)
    if written != token:
        return Redirect(page.href(f"{BILL_PATH}/{token}"), status_code=302)
    node: RunningNode = request.app.state["node"]
    now_at, query = node.clock.now(), request.query_params
    wanted = _PAGE.fullmatch(str(query.get("page", "")))
    number = int(wanted.group()) if wanted is not None else 1
    whole = query.get("lines") == "all"

    table: AuthorityTable | None = request.app.state["authority"]

    def question(snapshot: Snapshot) -> tuple[Reader, Bill, Traces] | None:
        reader = _reader(snapshot, request, token)
        if reader is None:
            return None
        found = data.bill(snapshot, node.home, reader, now_at, number, whole=whole)
        return reader, found, traces_of(snapshot, node.home, table, reader, now_at)

    found = await node.read(question)
    if found is None:
        return page_whole.question(page, failed=False)
    reader, view, traces = found
    await _note(node, reader, "bill.read")
    return page_whole.bill(page, view, traces, token, links.form_token(reader))


@post(BILL_PATH + "/{token:str}", include_in_schema=False)
async def open_bill(
    page: NamedDependency[Page], request: AnyRequest, token: FromPath[str]
) -> Response[Any]:
    """Open the bill with the last four characters; the answer to a wrong try tells nothing."""
    state, token = request.app.state, _token(token)
    node: RunningNode = state["node"]
    address = request.client.host if request.client is not None else ""
    # Noted before anything is awaited: what comes at one moment has no more tries than the rest.
    state["bill_tries"].check(address)
    state["bill_tries"].note(address)
    characters = (await read_form(request)).get("characters", "")
    secret: str | None = await node.run(lambda tx: links.open_bill(tx, token, characters))
    if secret is None:
        return page_whole.question(page, failed=True, status=FORBIDDEN)
    state["bill_tries"].forgive(address)
    answer = _see(page, token)
    _set_cookies(request, answer, token, secret, links.SESSION_MS // 1_000)
    return answer


@post(BILL_PATH + "/{token:str}/close", include_in_schema=False)
async def close_bill(
    page: NamedDependency[Page], request: AnyRequest, token: FromPath[str]
) -> Response[Any]:
    """Close the opened bill, on a phone that others use too."""
    node: RunningNode = request.app.state["node"]
    reader, _ = await _form_of_reader(request, token)
    if reader is not None:
        await node.run(lambda tx: links.close(tx, reader.secret))
    answer = _see(page, token)
    _set_cookies(request, answer, token, "", 0)
    return answer


@get(BILL_PATH + "/{token:str}/line/{number:int}", include_in_schema=False)
async def line_page(
    page: NamedDependency[Page], request: AnyRequest, token: FromPath[str], number: FromPath[int]
) -> Response[Any]:
    """Serve one line with what was asked about it."""
    node: RunningNode = request.app.state["node"]
    now_at = node.clock.now()

    def question(reading: Reading) -> tuple[Reader, Any] | None:
        reader = _reader(reading, request, token)
        if reader is None:
            return None
        return reader, data.line_page(reading, node.home, reader, number, now_at)

    found = await node.read(question)
    if found is None:
        return _see(page, token)
    reader, view = found
    await _note(node, reader, "bill.line.read", str(number))
    return page_line.line(page, view, token, links.form_token(reader), now_at)


@post(BILL_PATH + "/{token:str}/line/{number:int}", include_in_schema=False)
async def ask_about_line(
    page: NamedDependency[Page], request: AnyRequest, token: FromPath[str], number: FromPath[int]
) -> Response[Any]:
    """Ask the hospital about one line: "I do not recognise this line"."""
    node: RunningNode = request.app.state["node"]
    reader, form = await _form_of_reader(request, token)
    if reader is None:
        return _see(page, token)
    # The words are optional for a person; the case needs some, and these are hers by the button.
    text = form.get("text", "").strip() or page.t("settlement.bill.ask.button")

    def command(tx: Transaction) -> None:
        row = data.line_row(tx, node.home, reader, number)
        link = reader.link
        handed = line_query.open_query(tx, link.person_id, link.stay_id, row.line_id, text)
        audit.note(tx, audit.Entry(reader.actor, "case.open", handed.case.case_id))

    await node.run(command)
    return _see(page, token, f"/line/{number}")


@post(BILL_PATH + "/{token:str}/case/{case_id:str}", include_in_schema=False)
async def answer_case(
    page: NamedDependency[Page], request: AnyRequest, token: FromPath[str], case_id: FromPath[str]
) -> Response[Any]:
    """Go on with a question: be content, turn to the agency, or take it back."""
    node: RunningNode = request.app.state["node"]
    reader, form = await _form_of_reader(request, token)
    if reader is None:
        return _see(page, token)
    action = _ACTIONS.get(form.get("action", ""))
    if action is None:
        raise Refused("REQUEST_MALFORMED", detail="action")

    def command(tx: Transaction) -> int:
        case = cases.case_of(tx, case_id)
        if case.subject != reader.link.stay_id:
            raise Refused("CASE_UNKNOWN", case=case_id)
        link, text = reader.link, form.get("text", "").strip()
        line_query.answer_person(tx, link.person_id, case_id, action, text)
        audit.note(tx, audit.Entry(reader.actor, f"case.{action}", case_id))
        return data.number_of(tx, node.home, reader, case.item)

    number = await node.run(command)
    return _see(page, token, f"/line/{number}")


# what all of them need


def _token(written: str) -> str:
    """Return a token as it was given out; what is none stays what it is, and opens nothing."""
    read = links.read_token(written)
    return read if links.TOKEN_SHAPE.fullmatch(read) else "0" * 26


def _reader(reading: Reading, request: AnyRequest, token: str) -> Reader | None:
    node: RunningNode = request.app.state["node"]
    secret = request.cookies.get(COOKIE)
    return links.reader_of(reading, node.home.region.zone, token, secret, node.clock.now())


async def _form_of_reader(request: AnyRequest, token: str) -> tuple[Reader | None, dict[str, str]]:
    """Return who sends a form, and the form; refuses BILL_FORM_STALE for one not of this page."""
    node: RunningNode = request.app.state["node"]
    form = await read_form(request)
    reader = await node.read(lambda snapshot: _reader(snapshot, request, token))
    if reader is not None:
        links.check_form(reader, form.get("form", ""))
    return reader, form


async def _note(node: RunningNode, reader: Reader, action: str, detail: str = "") -> None:
    """Write a reading into the audit, before it is answered."""
    subject = reader.link.settlement_id
    entry = audit.Entry(reader.actor, action, subject, detail or reader.link.link_id)
    await node.run(lambda tx: audit.note(tx, entry))


def _see(page: Page, token: str, path: str = "") -> Response[Any]:
    """Send the browser to a page of this bill, by GET, so that going back repeats no form."""
    return see_other(page, f"{BILL_PATH}/{_token(token)}{path}")


def _set_cookies(
    request: AnyRequest, answer: Response[Any], token: str, secret: str, seconds: int
) -> None:
    """Give the browser the secret, for this bill's pages in either language and for no other."""
    for language in LANGUAGES:
        answer.set_cookie(
            Cookie(
                key=COOKIE,
                value=secret,
                path=f"/{language}{BILL_PATH}/{token}",
                max_age=seconds,
                secure=request.scope["scheme"] == "https",
                httponly=True,
                samesite="strict",
            )
        )


ROUTES: tuple[HTTPRouteHandler, ...] = (short_link,)
HANDLERS: tuple[HTTPRouteHandler, ...] = (
    bill_page,
    open_bill,
    close_bill,
    line_page,
    ask_about_line,
    answer_case,
)
