"""Forms that a page sends: whose they are is checked before a word of them is read.

Three things stand against a form that another site sends in a reader's name (CSRF): the session's
cookie is `SameSite=Strict`; what the browser says comes from elsewhere is refused; and whoever is
signed in sends a token along that only a page made for them carries. Afterwards the browser is
sent to a page by GET, so that going back repeats nothing::

    @post("/accounts", include_in_schema=False, opt=needs("account.manage"))
    async def add(page: NamedDependency[Page], request: AnyRequest) -> Redirect:
        form = await read_form(request)
        ...
        return see_other(page, "/accounts")
"""

import hmac
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from litestar.exceptions import InternalServerException
from litestar.response import Redirect

from tongcheng.kernel.errors import Refused
from tongcheng.web.toolkit import READER, VISITOR, AnyRequest, Page

FORM_TOKEN_FIELD: Final = "form_token"  # noqa: S105 the name of a field
FORM_BYTES_MAX: Final = 8_192
"""A text of 500 characters, each percent-encoded from three bytes, and the form's own fields."""

FIELDS_MAX: Final = 64
MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
SEE_OTHER: Final = 303
SAME_SITE: Final = frozenset({"same-origin", "none"})
"""What `Sec-Fetch-Site` says of our own pages, and of what the reader did without any page."""


async def read_form(request: AnyRequest, bytes_max: int = FORM_BYTES_MAX) -> dict[str, str]:
    """Return the fields of a form that one of our own pages has sent, each at most once.

    Raises:
        Refused: FORM_FOREIGN, FORM_TOO_LARGE, FORM_MALFORMED; and FORM_STALE where somebody is
            signed in and the form was not made for this session.
    """
    check_origin(request)
    fields = _fields(request, await _body(request, bytes_max))
    given = fields.pop(FORM_TOKEN_FIELD, "")
    expected = request.scope["state"].get(READER, VISITOR).form_token
    # A visitor has no token: then there is nothing that another site could do in their name.
    if expected and not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise Refused("FORM_STALE")
    return fields


def see_other(page: Page, path: str) -> Redirect:
    """Send the browser to one of our pages (without language) by GET, in the page's language."""
    return Redirect(page.href(path), status_code=SEE_OTHER)


def check_origin(request: AnyRequest) -> None:
    """Refuse FORM_FOREIGN for what the browser says comes from another site.

    `Origin: null` says nothing: our own pages ask for it by `Referrer-Policy: no-referrer`.
    Browsers since 2023 say `Sec-Fetch-Site` beside it; for older ones the token alone decides.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in SAME_SITE:
        raise Refused("FORM_FOREIGN")
    origin = request.headers.get("origin", "null")
    if origin != "null" and _host_of(origin) != request.headers.get("host", "").lower():
        raise Refused("FORM_FOREIGN")


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


async def _body(request: AnyRequest, bytes_max: int) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > bytes_max:
                raise Refused("FORM_TOO_LARGE", limit=bytes_max)
    except InternalServerException:
        # Litestar's word for a client that hung up; nobody will read the answer.
        raise Refused("FORM_MALFORMED") from None
    return bytes(body)


def _fields(request: AnyRequest, body: bytes) -> dict[str, str]:
    media_type, _, _ = request.headers.get("content-type", MEDIA_TYPE).partition(";")
    if media_type.strip().lower() != MEDIA_TYPE:
        raise Refused("FORM_MALFORMED")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError:
        raise Refused("FORM_MALFORMED") from None
    fields = dict(pairs)
    # Of a field that stands twice two readers could take two values.
    if len(fields) != len(pairs):
        raise Refused("FORM_MALFORMED")
    return fields
