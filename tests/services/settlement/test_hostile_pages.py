"""Attacks on what persons and hospitals reach over HTTP: bill, links, delegates, questions."""

import re
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.services.settlement.bill_page.reader import (
    PATIENT,
    delegate,
    form_of,
    rename_lines,
    ward,
)
from tongcheng.kernel.store import Transaction
from tongcheng.services.settlement.bill_page.store import BILL_LINKS
from tongcheng.services.settlement.store import INSTITUTIONS

QUESTION = 'name="characters"'
WRONG = "9999"
EVIL = "<img src=x onerror=alert(1)>\"'`&{{7*7}}</title><svg/onload=alert(2)>"


# forms and addresses


FORMS: dict[str, tuple[bytes, int]] = {
    "not a form": (b'{"characters": "000T"}', 400),
    "not ascii": (b"characters=\xff", 400),
    "half a character": (b"characters=%ed%a0%80", 400),
    "many fields": (b"&".join([b"a=1"] * 50), 400),
    "too long": (b"characters=" + b"0" * 9_000, 413),
    "only a NUL": (b"characters=%00", 403),
    "a wall": (b"characters=" + b"0" * 8_000, 403),
    "one field twice": (b"characters=9999&characters=000T", 400),
}


@pytest.mark.parametrize("how", FORMS)
def test_a_broken_form_is_refused_as_a_page(tmp_path: Path, how: str) -> None:
    """Whatever is posted, the answer is a person's page with every header, and opens nothing."""
    body, status = FORMS[how]
    with ward(tmp_path) as desk:
        page = desk.link(desk.settled()["settlement_id"])["page"]
        answer = desk.send("POST", page, content=body)
        after = desk.get(page)

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert "set-cookie" not in answer.headers
    _hold_headers(answer)
    assert QUESTION in after.text


NOTHING = "/zh/bill/" + "0" * 26
ADDRESSES = {
    "/b/x%0d%0aSet-Cookie:%20a=b": NOTHING,
    "/b/%2f%2fevil.example": NOTHING,
    "/b/https:%2f%2fevil.example": None,
    "/b//evil.example": NOTHING,
    "/zh/bill/%5c%5cevil.example": NOTHING,
    "/zh/bill/%00": NOTHING,
    "/zh/bill/%ff%fe": NOTHING,
    "/zh/bill/１２": NOTHING,
}
"""Address → where it leads; None: no such address."""


def test_no_address_leads_elsewhere(tmp_path: Path) -> None:
    """A token with line ends, hosts or odd bytes in it leads to the question, on this node."""
    with ward(tmp_path) as desk:
        token = desk.link(desk.settled()["settlement_id"])["token"]
        found = {path: desk.get(path, headers={"Host": "evil.example"}) for path in ADDRESSES}
        doubled = desk.get(f"http://127.0.0.1//zh//bill/{token}?a=%22%3E%3Cscript%3E")

    assert {path: answer.headers.get("location") for path, answer in found.items()} == ADDRESSES
    for answer in found.values():
        assert "set-cookie" not in answer.headers
        _hold_headers(answer)
    assert re.findall(r'(?:action|href)="(?=//)', doubled.text) == []
    assert "<script" not in doubled.text


@pytest.mark.parametrize("host", ["x:abc", "127.0.0.1:-1", "127.0.0.1:99999999", "::1", "@", ""])
def test_a_host_that_is_none_is_no_fault_of_ours(tmp_path: Path, host: str) -> None:
    """It neither opens nor breaks a page, and no answer goes out without its headers."""
    with ward(tmp_path) as desk:
        page = desk.link(desk.settled()["settlement_id"])["page"]
        headers = {"Host": host}
        found = [
            desk.get(page, headers=headers),
            desk.get("/nowhere", headers=headers),
            desk.get(f"/b/{page[-26:]}", headers=headers),
            desk.send("POST", page, headers=headers, data={"characters": PATIENT}),
        ]

    assert [each.status_code for each in found] == [200, 404, 302, 303]
    assert [each.headers.get("location") for each in found[2:]] == [page, page]
    for each in found:
        _hold_headers(each)


def test_https_is_read_from_the_connection(tmp_path: Path) -> None:
    """Behind TLS the cookie is Secure; a Host or a forged header from afar changes nothing."""
    with ward(tmp_path) as desk:
        page = desk.link(desk.settled()["settlement_id"])["page"]
        plain = desk.send("POST", page, data={"characters": PATIENT})
        safe = desk.send("POST", f"https://127.0.0.1{page}", data={"characters": PATIENT})

    for answer, secure in ((plain, False), (safe, True)):
        cookies = answer.headers.get_list("set-cookie")
        assert len(cookies) == 2
        assert ["Secure" in each for each in cookies] == [secure] * 2
        assert all("HttpOnly" in each and "SameSite=strict" in each for each in cookies)


def test_other_methods_do_nothing(tmp_path: Path) -> None:
    """No method but GET and POST, and no header that says another."""
    with ward(tmp_path) as desk:
        page = desk.link(desk.settled()["settlement_id"])["page"]
        desk.open(page)
        others = [
            desk.send(method, page).status_code for method in ("PUT", "DELETE", "TRACE", "PATCH")
        ]
        form = form_of(desk.get(page).text)
        override = desk.send(
            "GET",
            f"{page}/close",
            params={"form": form, "_method": "POST"},
            headers={"X-HTTP-Method-Override": "POST"},
        )
        still = desk.get(page)

    assert others == [405] * 4
    assert override.status_code == 405
    assert QUESTION not in still.text


def test_a_form_of_another_site_or_page_changes_nothing(tmp_path: Path) -> None:
    """Closing and asking need this page's own token, whatever cookie the browser sends along."""
    with ward(tmp_path) as desk:
        settlement = desk.settled()["settlement_id"]
        page, second = desk.link(settlement)["page"], desk.link(settlement)["page"]
        desk.open(second)
        strange = form_of(desk.get(second).text)
        desk.open(page)
        form = form_of(desk.get(page).text)
        answers = [
            desk.post(f"{page}/{path}", **fields).status_code
            for path in ("close", "line/1", "case/x")
            for fields in ({}, {"form": ""}, {"form": strange}, {"form": form.upper() + "\u0131"})
        ]
        crossed = [
            desk.send("POST", page + path, data={"form": form}, headers={"Sec-Fetch-Site": site})
            for path in ("/close", "/line/1")
            for site in ("cross-site", "same-site", "")
        ]
        still = desk.get(f"{page}/line/1")

    assert answers == [403] * 12
    assert [each.status_code for each in crossed] == [403] * 6
    assert 'class="query"' not in still.text


@pytest.mark.parametrize("number", ["-1", "0", "9223372036854775808", "9" * 5_000, "1e3", "x"])
def test_no_such_line(tmp_path: Path, number: str) -> None:
    """A number that no line has is not found, however it is written."""
    with ward(tmp_path) as desk:
        page = desk.link(desk.settled()["settlement_id"])["page"]
        desk.open(page)
        answer = desk.get(f"{page}/line/{number}")

    assert answer.status_code == 404
    assert len(answer.content) < 8_000


# what is shown


def _hold_headers(answer: httpx.Response) -> None:
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_markup_is_letters_everywhere(tmp_path: Path) -> None:
    """Items, categories, hospitals, delegates and questions: in text, titles and attributes."""

    def rename(tx: Transaction) -> None:
        rename_lines(tx, item_name=EVIL, charge_category=EVIL)
        for place in tx.select(INSTITUTIONS):
            tx.put(INSTITUTIONS, msgspec.structs.replace(place, name_zh=EVIL, name_en=EVIL))

    with ward(tmp_path) as desk:
        settled = desk.settled()
        desk.ok("POST", f"/stays/{settled['stay_id']}/delegates", delegate(name=EVIL[:64]))
        page = desk.link(settled["settlement_id"])["page"]
        desk.running.run(desk.cities.tianjin.run(rename))
        desk.open(page)
        form = form_of(desk.get(page).text)
        desk.post(f"{page}/line/1", form=form, text=EVIL)
        shown = [
            desk.get(address.replace("/zh/", language))
            for language in ("/zh/", "/en/")
            for address in (page, f"{page}/line/1", f"{page}?lines=all&x={EVIL}")
        ]

    for answer in shown:
        assert answer.status_code == 200
        assert QUESTION not in answer.text
        assert answer.text.count("&lt;img src=x") > 1
        for raw in ("<img", "<svg/", "</title><", "\"'`"):
            assert raw not in answer.text
        _hold_headers(answer)


CONTROLS = {"escape": "a\x1b[2Jb", "nul": "a\0b", "bell": "a\x07", "c1": "a\x9b31mb"}


@pytest.mark.parametrize("which", CONTROLS)
def test_a_question_steers_no_terminal(tmp_path: Path, which: str) -> None:
    """What a stranger writes is read on an officer's terminal: controls in it are refused."""
    with ward(tmp_path) as desk:
        page = desk.link(desk.settled()["settlement_id"])["page"]
        desk.open(page)
        form = form_of(desk.get(page).text)
        answer = desk.post(f"{page}/line/1", form=form, text=CONTROLS[which])
        good = desk.post(f"{page}/line/1", form=form, text="第一行\r\n\t第二行")

    assert (answer.status_code, good.status_code) == (422, 303)


NAMES = {
    "turned": "测试\u202eabc",
    "isolated": "测试\u2066abc",
    "new line": "测试\u2028abc",
    "c1": "测试\x9b31m",
    "control": "测试\x1b[31m",
}


@pytest.mark.parametrize("which", [*NAMES, "no number"])
def test_a_delegates_name_is_a_name(tmp_path: Path, which: str) -> None:
    """It stands in a sentence of the patient's page and must not rewrite the rest of it."""
    changes = {"name": NAMES[which]} if which in NAMES else {"id_number": "-()---"}
    with ward(tmp_path) as desk:
        path = f"/stays/{desk.settled()['stay_id']}/delegates"
        answer = desk.call("POST", path, delegate(**changes))
        kept = desk.ok("GET", path)["delegates"]

    assert (answer.status_code, kept) == (400, [])


# who learns what


def test_every_answer_with_a_delegates_name_is_audited(tmp_path: Path) -> None:
    """Recording, listing, ending, and ending once more: each tells the name, each is on record."""
    with ward(tmp_path) as desk:
        path = f"/stays/{desk.settled()['stay_id']}/delegates"
        made = desk.ok("POST", path, delegate())
        listed = desk.ok("GET", path)["delegates"]
        ended = [desk.ok("DELETE", f"{path}/{made['delegate_id']}") for _ in range(2)]
        audited = [row.action for row in desk.audited() if row.action.startswith("delegate")]

    assert {each["name"] for each in (made, *listed, *ended)} == {"测试女儿"}
    assert audited == ["delegate.record", "delegates.read", "delegate.revoke", "delegate.revoke"]


def test_nothing_personal_lies_open(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Names, numbers, last four, words, tokens and secrets: neither in the database nor the log."""
    words = "我没有做过这项检查"
    with ward(tmp_path) as desk:
        settled = desk.settled()
        desk.ok("POST", f"/stays/{settled['stay_id']}/delegates", delegate())
        link = desk.link(settled["settlement_id"])
        desk.open(link["page"], WRONG)
        desk.open(link["page"])
        secret = next(iter(desk.http.cookies.jar)).value or ""
        desk.post(f"{link['page']}/line/1", form=form_of(desk.get(link["page"]).text), text=words)
        desk.get(f"{link['page']}/line/1")
        desk.get(f"/zh/bill/{link['token']}/nowhere")
        metrics = desk.get("/metrics").text
        with desk.cities.tianjin.database.snapshot() as snapshot:
            snapshot.select(BILL_LINKS)
    stored = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    said = capfd.readouterr()

    for kept in ("测试女儿", "990101197501010021", link["token"], secret, words):
        assert kept.encode() not in stored
        assert kept not in said.out + said.err + metrics


def test_every_operation_asks_who_calls(tmp_path: Path) -> None:
    """Without a token, or with a made-up one, no operation answers, and none says what exists."""
    with ward(tmp_path) as desk:
        settled = desk.settled()
        link = desk.link(settled["settlement_id"])
        stay, settlement = settled["stay_id"], settled["settlement_id"]
        calls: list[tuple[str, str, Any]] = [
            ("POST", f"/settlements/{settlement}/bill-link", {}),
            ("DELETE", f"/settlements/{settlement}/bill-link/{link['link_id']}", None),
            ("GET", f"/settlements/{settlement}/explanation", None),
            ("POST", f"/stays/{stay}/delegates", delegate()),
            ("GET", f"/stays/{stay}/delegates", None),
            ("DELETE", f"/stays/{stay}/delegates/x", None),
            ("POST", f"/stays/{stay}/preflight", {}),
            ("POST", "/preflight", {"lines": []}),
            ("PUT", "/mapping", {"rows": []}),
            ("GET", "/mapping", None),
            ("POST", "/estimates", {"person_id": "x", "in_scope_fen": 1}),
            ("GET", "/cases", None),
            ("GET", "/cases/x", None),
            ("POST", "/cases/x/answer", {"action": "explained", "text": "x"}),
        ]
        desk.open(link["page"])
        answers = []
        for token in ("", "Bearer made-up"):
            desk.headers = {"Authorization": token}
            answers += [desk.call(*call).status_code for call in calls]

    assert answers == [401] * (2 * len(calls))


def test_a_closed_console_shows_persons_their_bill_only(tmp_path: Path) -> None:
    """With the console closed a node serves no other page, not even its list of rule books."""
    paths = ("", "/settlement/stays", "/settlement/cases", "/rulebooks", "/estimate", "/exchange")
    with ward(tmp_path) as desk:
        found = [desk.get(f"/zh{path}") for path in paths]

    assert [(each.status_code, each.json()["code"]) for each in found] == [
        (404, "PATH_UNKNOWN")
    ] * len(paths)
