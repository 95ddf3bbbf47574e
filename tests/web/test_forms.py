"""Forms: what our own pages send is read, and whatever could be another's is refused by name."""

from collections.abc import Iterator

import pytest
from litestar import Litestar, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect
from litestar.testing import TestClient

from tests.web import site
from tongcheng.kernel.access import Reader
from tongcheng.kernel.errors import Refused
from tongcheng.web import Page
from tongcheng.web.forms import FIELDS_MAX, FORM_BYTES_MAX, read_form, see_other
from tongcheng.web.toolkit import READER, AnyRequest

TOKEN = "f" * 64
OWN = "http://testserver.local"
MEDIA_TYPE = {"content-type": "application/x-www-form-urlencoded"}


@post("/echo", status_code=200)
async def _echo(request: AnyRequest) -> dict[str, str]:
    return await read_form(request)


@post("/then")
async def _then(page: NamedDependency[Page], request: AnyRequest) -> Redirect:
    await read_form(request)
    return see_other(page, "/stays?of=today")


@get("/token", sync_to_thread=False)
def _token(page: NamedDependency[Page]) -> dict[str, str]:
    return {"token": page.form_token}


def _sign_in(request: AnyRequest) -> None:
    if "signed-in" in request.headers:
        request.scope["state"][READER] = Reader(
            "account/1", frozenset(), account_id="1", form_token=TOKEN
        )


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient[Litestar]]:
    """Pages that echo a form; the header `signed-in` stands for a session."""
    routes = site.toolkit().routes((_echo, _then, _token))
    refusals: list[str] = []

    def answer(_request: AnyRequest, fault: Exception) -> dict[str, str]:
        assert isinstance(fault, Refused), fault
        refusals.append(fault.code)
        return {"code": fault.code}

    app = Litestar(
        routes,
        before_request=_sign_in,
        exception_handlers={Refused: lambda request, fault: _said(answer(request, fault))},
        openapi_config=None,
    )
    with TestClient(app) as opened:
        yield opened


def _said(code: dict[str, str]) -> Redirect:
    return Redirect(f"/refused/{code['code']}", status_code=303)


def _send(client: TestClient[Litestar], body: str | bytes, **headers: str) -> str:
    """Post a form; return the refusal's code, or what the handler read of it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.post(
        "/zh/echo", content=body, headers={**MEDIA_TYPE, **named}, follow_redirects=False
    )
    return answer.headers.get("location", "").removeprefix("/refused/") or answer.text


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("", "{}"),
        ("a=1&b=", '{"a":"1","b":""}'),
        ("name=%E6%9D%8E&text=a+b", '{"name":"李","text":"a b"}'),
        ("a=1&a=2", "FORM_MALFORMED"),
        ("a", "FORM_MALFORMED"),
        ("a=%FF", "FORM_MALFORMED"),
        ("a=é".encode("latin-1"), "FORM_MALFORMED"),
        ("&".join(f"f{n}=" for n in range(FIELDS_MAX + 1)), "FORM_MALFORMED"),
        ("a=" + "x" * (FORM_BYTES_MAX - 1), "FORM_TOO_LARGE"),
    ],
)
def test_a_form_is_read_or_refused_by_name(
    client: TestClient[Litestar], body: str | bytes, read: str
) -> None:
    """Small, once each, UTF-8; nothing of another kind is guessed at."""
    assert _send(client, body) == read


def test_another_kind_of_body_is_no_form(client: TestClient[Litestar]) -> None:
    """JSON and plain text can be sent across origins without a preflight; they are not read."""
    assert _send(client, "a=1", content_type="text/plain") == "FORM_MALFORMED"


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({}, True),
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"sec_fetch_site": "same-origin", "origin": "null"}, True),
        ({"origin": OWN}, True),
        ({"sec_fetch_site": "same-site"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "cross-site", "origin": OWN}, False),
        ({"sec_fetch_site": "same-origin", "origin": "https://evil.example"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": OWN + ".evil.example"}, False),
        ({"origin": OWN + ":8100"}, False),
        ({"origin": "http://["}, False),
        ({"origin": ""}, False),
    ],
)
def test_a_form_of_another_site_is_refused(
    client: TestClient[Litestar], headers: dict[str, str], *, taken: bool
) -> None:
    """By what the browser says of where it comes from."""
    assert _send(client, "a=1", **headers) == ('{"a":"1"}' if taken else "FORM_FOREIGN")


@pytest.mark.parametrize(
    ("given", "taken"),
    [(TOKEN, True), ("", False), ("e" * 64, False), (TOKEN[:-1], False), ("%E6%9D%8E", False)],
)
def test_who_is_signed_in_sends_the_session_token(
    client: TestClient[Litestar], given: str, *, taken: bool
) -> None:
    """A form without it, or with another session's, does nothing; the token is no field."""
    body = f"a=1&form_token={given}" if given else "a=1"

    assert _send(client, body, signed_in="1") == ('{"a":"1"}' if taken else "FORM_STALE")


def test_a_page_gives_its_reader_the_token(client: TestClient[Litestar]) -> None:
    """And a visitor none."""
    assert client.get("/zh/token", headers={"signed-in": "1"}).json() == {"token": TOKEN}
    assert client.get("/zh/token").json() == {"token": ""}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_after_a_form_the_browser_is_sent_on_by_get(
    client: TestClient[Litestar], language: str
) -> None:
    """303, in the language of the page that sent it."""
    answer = client.post(f"/{language}/then", headers=MEDIA_TYPE, follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, f"/{language}/stays?of=today")
