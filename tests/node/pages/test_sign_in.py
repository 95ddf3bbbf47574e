"""Signing in over HTTP: the same answer to every stranger, a new secret each time, and its end."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from tests.kernel.access.people import PASSWORD
from tests.node.pages.door import COOKIE, NEW_PASSWORD, Door, opened
from tests.signed_in import signed_in
from tongcheng.kernel.access import accounts, passwords
from tongcheng.kernel.access.accounts import OPERATOR, STAFF_PASSWORDS
from tongcheng.node.pages.access.sign_in import local_path


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """A node where li may sign in."""
    client, node = opened(tmp_path)
    with client:
        yield Door(client, node)


def test_a_visitor_is_asked_to_sign_in_and_brought_back(door: Door) -> None:
    """With the query of the page; a part of a page takes the whole page along."""
    asked = door.get("/zh/settlement/stays?state=pending")
    part = door.client.get(
        "/zh/settlement/stays", headers={"HX-Request": "true"}, follow_redirects=False
    )
    where = "/zh/sign-in?then=/settlement/stays%3Fstate%3Dpending"
    form = door.get(where)
    entered = door.sign_in(then="/settlement/stays?state=pending")

    assert (asked.status_code, asked.headers["location"]) == (303, where)
    assert part.headers["hx-redirect"].startswith("/zh/sign-in")
    assert 'value="/settlement/stays?state=pending"' in form.text
    assert entered.headers["location"] == "/zh/settlement/stays?state=pending"
    assert door.get("/zh/settlement/stays?state=pending").status_code == 200


def test_the_cookie(door: Door) -> None:
    """Out of reach of scripts and of other sites; until the browser is closed."""
    given = door.sign_in().headers["set-cookie"]
    parts = {part.strip().lower() for part in given.split(";")[1:]}

    assert given.startswith(f"{COOKIE}=")
    assert {"httponly", "samesite=strict", "path=/"} <= parts
    assert not [part for part in parts if part.startswith(("max-age", "expires", "domain"))]
    assert "secure" not in parts


def test_the_cookie_of_a_node_with_tls(tmp_path: Path) -> None:
    """By TLS alone, and for this host alone: the browser holds the name to it."""
    client, node = opened(tmp_path, address="https://console.example")
    with client:
        given = Door(client, node).sign_in().headers["set-cookie"]

    assert given.startswith(f"__Host-{COOKIE}=")
    assert "Secure" in given
    assert "Path=/" in given


STRANGERS = [("nobody", PASSWORD), ("li", "wrong"), ("closed", PASSWORD), ("locked", PASSWORD)]


def test_every_failure_says_the_same(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown, wrong, closed or locked: one page, one status, one hash computed."""
    for name, change in (("closed", accounts.close), ("locked", accounts.lock)):
        row = door.hire(name)
        door.call(door.node.run, lambda tx, c=change, r=row: c(tx, OPERATOR, r.account_id))
    hashed: list[str] = []
    real = passwords.is_right

    def counted(stored: str | None, password: str) -> bool:
        hashed.append(password)
        return real(stored, password)

    monkeypatch.setattr(passwords, "is_right", counted)
    answers = [door.sign_in(name, password) for name, password in STRANGERS]

    pages = {
        re.sub(rf'value="{name}"|[0-9:]{{8}}', "", answer.text)
        for (name, _), answer in zip(STRANGERS, answers, strict=True)
    }
    assert len(pages) == 1
    assert [answer.status_code for answer in answers] == [403] * 4
    assert [answer.headers.get("set-cookie") for answer in answers] == [None] * 4
    assert len(hashed) == len(STRANGERS)


def test_an_account_waits_and_an_address_too(door: Door) -> None:
    """Five wrong tries make the account wait; twenty from one address, whatever the names."""
    for _ in range(5):
        door.sign_in(password="wrong")  # noqa: S106 a wrong one
    assert door.sign_in().status_code == 403
    door.clock.advance(30_000)
    assert door.sign_in().status_code == 303
    door.client.cookies.clear()
    for number in range(14):
        door.sign_in(f"nobody{number}")

    assert door.sign_in().status_code == 429
    door.clock.advance(60_001)
    assert door.sign_in().status_code == 303


def test_no_session_can_be_planted(door: Door) -> None:
    """A sign-in makes a new secret, and ends what the browser had before."""
    door.client.cookies.set(COOKIE, "f" * 64)
    one = door.sign_in().cookies[COOKIE]
    door.client.cookies.set(COOKIE, one)
    token = door.token()
    two = door.sign_in(form_token=token).cookies[COOKIE]

    assert len({"f" * 64, one, two}) == 3
    door.client.cookies.clear()
    door.client.cookies.set(COOKIE, one)
    assert door.get("/zh/account").status_code == 303


def test_signing_out_ends_the_session(door: Door) -> None:
    """In the node, not only in the browser; and only from a page of our own."""
    secret = door.sign_in().cookies[COOKIE]
    assert door.post("/zh/sign-out").status_code == 403
    assert door.get("/zh/account").status_code == 200
    gone = door.post("/zh/sign-out", form_token=door.token())

    assert gone.headers["location"] == "/zh/sign-in"
    door.client.cookies.clear()
    door.client.cookies.set(COOKIE, secret)
    assert door.get("/zh/account").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
    ],
)
def test_another_site_cannot_send_forms(door: Door, headers: dict[str, str]) -> None:
    """Not the sign-in itself, nor with a token that it could not know."""
    assert door.post_from(headers, "/zh/sign-in", name="li", password=PASSWORD).status_code == 403
    door.sign_in()
    token = door.token()
    answer = door.post_from(headers, "/zh/account/sessions", form_token=token)

    assert (answer.status_code, "FORM_FOREIGN" in answer.text) == (403, True)


def test_a_token_belongs_to_one_session(door: Door) -> None:
    """None, another account's and an earlier session's are refused alike."""
    other = door.call(signed_in, door.node, "clerk")
    door.sign_in()
    for token in ("", other.form_token, "0" * 64):
        answer = door.post("/zh/account/sessions", form_token=token)
        assert (answer.status_code, "FORM_STALE" in answer.text) == (403, True)
    assert door.post("/zh/account/sessions", form_token=door.token()).status_code == 303


WHERE = [
    ("/settlement/stays?state=pending", "/settlement/stays?state=pending"),
    ("/", "/"),
    ("", "/"),
    ("//evil.example", "/"),
    ("https://evil.example", "/"),
    ("/\\evil.example", "/"),
    ("/a\r\nSet-Cookie: a=b", "/"),
    ("/a\tb", "/"),
    ("javascript:alert(1)", "/"),
    ("/" + "x" * 600, "/"),
    ("/é", "/"),
]


@pytest.mark.parametrize(("then", "where"), WHERE)
def test_only_to_pages_of_our_own(door: Door, then: str, where: str) -> None:
    """Whatever the query says, a sign-in leads to this node."""
    answer = door.sign_in(then=then)

    assert local_path(then) == where
    assert answer.headers["location"] == ("/zh" if where == "/" else f"/zh{where}")


def test_an_old_digest_is_renewed_at_the_sign_in(door: Door) -> None:
    """When the parameters grow, nobody has to choose another password; no session ends."""
    weak = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    door.call(door.node.run, lambda tx: accounts.rehash(tx, door.li.account_id, weak))
    assert door.sign_in().status_code == 303
    with door.node.database.snapshot() as snapshot:
        kept = snapshot.get(STAFF_PASSWORDS, door.li.account_id)

    assert kept is not None
    assert kept.digest != weak
    assert not passwords.is_outdated(kept.digest)
    assert door.get("/zh/account").status_code == 200
    assert door.sign_in(form_token=door.token()).status_code == 303


def test_a_forbidden_page_says_who_may(door: Door) -> None:
    """In the page's words: the action, and the roles of the table."""
    door.sign_in()
    answer = door.get("/zh/accounts")

    assert answer.status_code == 403
    assert "您的岗位不能办理：管理账号" in answer.text
    assert "由以下岗位办理：账号管理" in answer.text
    assert "manage accounts" in door.get("/en/accounts").text


def test_another_password(door: Door) -> None:
    """The old one is asked for; every session ends, and this browser goes on with a new one."""
    door.sign_in()
    form = {"old": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    for wrong, code in (
        ({"again": "x"}, "两次输入的新密码不一致"),
        ({"old": "x"}, "现在的密码不正确"),
        ({"new": "short", "again": "short"}, "密码不符合要求"),
    ):
        refused = door.post("/zh/account/password", **{**form, **wrong, "form_token": door.token()})
        assert (refused.status_code, code in refused.text) == (422, True)
    before = door.client.cookies[COOKIE]
    changed = door.post("/zh/account/password", **form, form_token=door.token())

    assert changed.status_code == 303
    assert door.get("/zh/account").status_code == 200
    door.client.cookies.clear()
    door.client.cookies.set(COOKIE, before)
    assert door.get("/zh/account").status_code == 303
    door.client.cookies.clear()
    assert door.sign_in().status_code == 403
    assert door.sign_in(password=NEW_PASSWORD).status_code == 303


def test_an_administrator_hires_and_the_new_one_chooses_a_password(door: Door) -> None:
    """The first password is shown once and opens nothing but its own change."""
    door.hire("zhao", "administrator")
    door.sign_in("zhao")
    fields = {"name": "wang", "display": "测试王", "role": "auditor", "from": "2026-11-22"}
    made = door.post("/zh/accounts", **fields, form_token=door.token("/zh/accounts"))
    given = re.search(r'class="given">([^<]+)<', made.text)
    assert given is not None
    assert given.group(1) not in door.get("/zh/accounts").text

    door.client.cookies.clear()
    door.sign_in("wang", given.group(1))
    sent = door.get("/zh/audit")
    assert sent.headers["location"] == "/zh/account/password"
    assert door.get("/zh/settlement/stays").status_code == 303
    form = {"old": given.group(1), "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    door.post("/zh/account/password", **form, form_token=door.token("/zh/account/password"))
    assert door.get("/zh/audit").status_code == 200


def test_an_administrator_changes_roles_and_states(door: Door) -> None:
    """Of others; what cannot be done to oneself is refused, and not offered."""
    own = door.hire("zhao", "administrator")
    door.sign_in("zhao")
    path = f"/zh/accounts/{door.li.account_id}"
    token = door.token(path)
    for sent, fields in (
        ("roles", {"role": "auditor", "from": "2026-11-22", "to": "2026-12-31"}),
        ("roles", {"take": "0"}),
        ("state", {"change": "lock"}),
        ("state", {"change": "unlock"}),
    ):
        assert door.change(path, sent, **fields, form_token=token).status_code == 303
    shown = door.get(path).text
    assert "稽核" in shown
    assert "2026年11月22日至2026年12月31日" in shown
    assert door.post(f"{path}/roles", role="clerk", form_token=token).status_code == 422
    assert door.post(f"{path}/state", change="x", form_token=token).status_code == 400
    assert door.post(f"{path}/state", change="close", form_token=token).status_code == 303
    assert door.post(f"{path}/password", form_token=token).status_code == 409
    mine = f"/zh/accounts/{own.account_id}"
    assert "由另一位账号管理人员办理" in door.get(mine).text
    assert door.post(f"{mine}/state", change="lock", form_token=token).status_code == 403
    assert door.post(f"{mine}/password", form_token=token).status_code == 403


def test_sample_people_are_for_demonstrations(tmp_path: Path) -> None:
    """Elsewhere neither offered nor taken; there, only who is made up enters without a password."""
    for demo in (False, True):
        client, node = opened(tmp_path / str(demo), demo=demo, synthetic=True)
        with client:
            door = Door(client, node)
            sample = door.hire("sample", sample=True)
            offered = sample.account_id in door.get("/zh/sign-in").text
            entered = door.post("/zh/sign-in/sample", account=sample.account_id)
            real = door.post("/zh/sign-in/sample", account=door.li.account_id)

        assert offered is demo
        assert entered.status_code == (303 if demo else 404)
        assert real.status_code in {403, 404}
