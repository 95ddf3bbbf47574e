"""Every fault as an answer: RFC 9457 problem details in both languages, or a page.

A refusal of ours is explained by the catalogue. A refusal that a peer decided may carry a code we
have never heard of: it is shown as PEER_REFUSED and trips nothing. Whatever is neither a refusal
nor HTTP's own is our fault: the caller gets a number, the log gets where it happened, and neither
gets the data.
"""

import traceback
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from tongcheng.kernel import ids
from tongcheng.kernel.entropy import Entropy
from tongcheng.kernel.errors import Catalogue, Refused, RenderedError
from tongcheng.kernel.exchange.transport import PeerRefused, Unreachable
from tongcheng.kernel.store import StoredValueDamaged, WriterStopped
from tongcheng.kernel.words import LANGUAGES, Language
from tongcheng.node.guard import Elsewhere
from tongcheng.web import i18n
from tongcheng.web.toolkit import Toolkit, is_page, path_of

PROBLEM_MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
"""Overload passes, and a restart takes about a second; callers add jitter of their own."""

FRAMES_LOGGED_MAX = 12
DETAIL_CHARACTERS_MAX = 400
TOO_MANY_REQUESTS = 429
UNAVAILABLE = 503

_HTTP_CODES = {404: "PATH_UNKNOWN", 405: "METHOD_NOT_ALLOWED", 413: "REQUEST_TOO_LARGE"}

log = structlog.get_logger("tongcheng.node")

AnyRequest = Request[Any, Any, State]


class Problem(msgspec.Struct, frozen=True):
    """A refusal as JSON (RFC 9457). `title` and `detail` are in the caller's language.

    `type` leads to the code's entry in the catalogue; `what`, `why` and `do` are in zh and en;
    `peer` names the member that decided, when it was not this node.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    facts: dict[str, str | int]
    what: dict[str, str]
    why: dict[str, str]
    do: dict[str, str]
    peer: str | None = None


def settled(refused: Refused, catalogue: Catalogue) -> Refused:
    """Return a refusal that the catalogue can put into words; an unknown one is PEER_REFUSED."""
    try:
        catalogue.render(refused, LANGUAGES[0])
    except AssertionError:
        if not isinstance(refused, PeerRefused):
            raise
        shown = ascii(refused.code[:80])
        return PeerRefused(refused.peer, "PEER_REFUSED", member=refused.peer, refusal=shown)
    return refused


def render(refused: Refused, catalogue: Catalogue, language: Language) -> Problem:
    """Put a refusal into the problem document."""
    known = settled(refused, catalogue)
    said: dict[str, RenderedError] = {each: catalogue.render(known, each) for each in LANGUAGES}
    chosen = said[language]
    return Problem(
        type=f"/api/errors/{known.code}",
        title=chosen.what,
        status=chosen.status,
        detail=f"{chosen.why} {chosen.do}",
        code=known.code,
        facts=dict(known.facts),
        what={name: words.what for name, words in said.items()},
        why={name: words.why for name, words in said.items()},
        do={name: words.do for name, words in said.items()},
        peer=known.peer if isinstance(known, PeerRefused) else None,
    )


def respond(refused: Refused, catalogue: Catalogue, request: AnyRequest) -> Response[bytes]:
    """Answer a refusal as application/problem+json."""
    language = i18n.preferred(request.headers.get("accept-language", ""))
    problem = render(refused, catalogue, language)
    headers: dict[str, str] = {"Content-Language": language}
    if problem.status in {TOO_MANY_REQUESTS, UNAVAILABLE}:
        # A fact may be a peer's: only a number goes into a header.
        seconds = refused.facts.get("retry_after_s")
        headers["Retry-After"] = str(seconds if isinstance(seconds, int) else RETRY_AFTER_S)
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=PROBLEM_MEDIA_TYPE,
        headers=headers,
    )


class Faults:
    """Turns whatever a handler raised into an answer; registered for every exception.

    `to_person`: the pages are a person's, and stand without the console.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        entropy: Entropy,
        toolkit: Toolkit | None,
        *,
        to_person: bool = False,
    ) -> None:
        self._catalogue = catalogue
        self._entropy = entropy
        self._toolkit = toolkit
        self._to_person = to_person

    def __call__(self, request: AnyRequest, fault: Exception) -> Response[Any]:
        """Answer as a page where a page was asked for, else as a problem document."""
        if isinstance(fault, Elsewhere):
            return fault.response(request)
        refused = self._named(request, fault)
        try:
            known = settled(refused, self._catalogue)
        except AssertionError as bug:
            # A code of ours without words: the refusal stands, its explanation is our fault.
            known = self._incident(request, bug, refusal=refused.code)
        if self._toolkit is not None and (self._to_person or is_page(request)):
            shown = fault if isinstance(fault, HTTPException) else known
            return self._toolkit.error_response(request, shown, to_person=self._to_person)
        return respond(known, self._catalogue, request)

    def _named(self, request: AnyRequest, fault: Exception) -> Refused:
        if isinstance(fault, Refused):
            return fault
        if isinstance(fault, WriterStopped):
            return Refused("NODE_STOPPING")
        if isinstance(fault, Unreachable):
            return Refused("PEER_UNREACHABLE", peer=fault.peer)
        if isinstance(fault, HTTPException) and fault.status_code < 500:  # noqa: PLR2004
            return _of_http(request, fault)
        if isinstance(fault, StoredValueDamaged):
            return self._incident(request, fault, damaged=str(fault))
        return self._incident(request, fault)

    def _incident(self, request: AnyRequest, fault: Exception, **facts: str) -> Refused:
        """Log where it happened, without a word of anybody's data, and return its number."""
        number = ids.random_short(self._entropy)
        handler = request.scope.get("route_handler")
        log.error(
            "incident",
            incident=number,
            fault=type(fault).__name__,
            handler=str(handler),
            frames=_frames(fault),
            **facts,
        )
        return Refused("INTERNAL_FAULT", incident=number)


def _frames(fault: BaseException) -> list[str]:
    """Return where it was raised, outermost first; the message may hold data and stays out."""
    found = traceback.extract_tb(fault.__traceback__)[-FRAMES_LOGGED_MAX:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in found]


def _of_http(request: AnyRequest, fault: HTTPException) -> Refused:
    code = _HTTP_CODES.get(fault.status_code)
    if code == "PATH_UNKNOWN":
        return Refused(code, path=path_of(request)[:DETAIL_CHARACTERS_MAX])
    if code == "METHOD_NOT_ALLOWED":
        return Refused(code, method=str(request.method))
    if code is not None:
        return Refused(code)
    return Refused("REQUEST_MALFORMED", detail=_detail(fault)[:DETAIL_CHARACTERS_MAX])


def _detail(fault: HTTPException) -> str:
    """Return what Litestar found wrong, field by field when it says so."""
    extra = fault.extra
    if isinstance(extra, list):
        parts = [
            f"{one.get('key', '?')}: {one.get('message', '?')}"
            for one in extra
            if isinstance(one, Mapping)
        ]
        if parts:
            return "; ".join(parts)
    return str(fault.detail)
