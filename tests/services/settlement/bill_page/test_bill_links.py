"""Who opens a bill: by the link and the last four characters, nobody else, all of it audited."""

import re
from pathlib import Path

import pytest

from tests.services.settlement.bill_page.reader import PATIENT, Json, Ward, ward
from tests.services.settlement.two_cities import DAY_MS, FIRST_HOSPITAL, OTHER_HOSPITAL
from tongcheng.services.settlement.bill_page.links import (
    SESSION_MS,
    WRONG_TRIES_MAX,
    digest_of,
    read_token,
)
from tongcheng.services.settlement.bill_page.store import BILL_LINKS, BILL_SESSIONS

QUESTION = 'name="characters"'
UNKNOWN = "/zh/bill/" + "7" * 26
WRONG = "9999"


def test_the_last_four_open_the_bill_and_every_step_is_audited(tmp_path: Path) -> None:
    """Question, cookie, bill: each entry of the audit stands before its answer, by who reads."""
    with ward(tmp_path) as desk:
        settled = desk.settled()
        link = desk.link(settled["settlement_id"])
        before = desk.get(link["page"])
        opened = desk.open(link["page"], " ０00t")
        cookies = opened.headers.get_list("set-cookie")
        bill = desk.get(link["page"])
        english = desk.get(link["page"].replace("/zh/", "/en/"))
        audited = [
            (row.actor, row.action, row.subject, row.detail)
            for row in desk.audited()
            if row.action.startswith("bill.")
        ]
        stay = desk.ok("GET", f"/stays/{settled['stay_id']}")
        person = f"person {stay['person_id']}"

    subject, link_id = settled["settlement_id"], link["link_id"]
    assert (before.status_code, QUESTION in before.text) == (200, True)
    assert (opened.status_code, opened.headers["location"]) == (303, link["page"])
    assert [each.split("; ", 1)[1] for each in cookies] == [
        f"HttpOnly; Max-Age=1800; Path=/{language}/bill/{link['token']}; SameSite=strict"
        for language in ("zh", "en")
    ]
    assert QUESTION not in bill.text + english.text
    assert "总费用" in bill.text
    assert audited == [
        (FIRST_HOSPITAL, "bill.link", subject, link_id),
        (person, "bill.open", subject, link_id),
        (person, "bill.read", subject, link_id),
        (person, "bill.read", subject, link_id),
    ]


def test_only_digests_are_stored(tmp_path: Path) -> None:
    """Whoever reads the database can open no bill: neither token nor secret is in it."""
    with ward(tmp_path) as desk:
        link = desk.link(desk.settled()["settlement_id"])
        desk.open(link["page"])
        secret = next(iter(desk.http.cookies.jar)).value or ""
        with desk.cities.tianjin.database.snapshot() as snapshot:
            links, sessions = snapshot.select(BILL_LINKS), snapshot.select(BILL_SESSIONS)

    stored = repr((links, sessions))
    assert links[0].token_digest == digest_of(link["token"])
    assert sessions[0].session_digest == digest_of(secret)
    assert link["token"] not in stored
    assert secret not in stored


SHUT = {
    "wrong characters": WRONG,
    "no characters": "",
    "more characters": "1000T",
    "not ascii": "林女士员",
    "unknown": PATIENT,
    "no token": PATIENT,
    "expired": PATIENT,
    "revoked": PATIENT,
    "worn": PATIENT,
}
MADE_AT = re.compile("页面生成于[^<]*")


def _shut(desk: Ward, link: Json, how: str) -> str:
    """Do to a link what shuts it; return the page to open."""
    page: str = link["page"]
    if how == "expired":
        desk.cities.clock.advance(30 * DAY_MS)
    if how == "revoked":
        path = f"/settlements/{link['settlement_id']}/bill-link/{link['link_id']}"
        assert desk.ok("DELETE", path) == desk.ok("DELETE", path)
    if how == "worn":
        for _ in range(WRONG_TRIES_MAX):
            assert desk.open(page, WRONG).status_code == 403
    return {"unknown": UNKNOWN, "no token": "/zh/bill/x"}.get(how, page)


def test_every_shut_link_answers_the_same(tmp_path: Path) -> None:
    """Whatever is wrong, question and answer are one page: nobody learns that a link was one."""
    questions, answers = set(), set()
    for how, characters in SHUT.items():
        with ward(tmp_path / how) as desk:
            settlement = desk.settled()["settlement_id"]
            page = _shut(desk, {**desk.link(settlement), "settlement_id": settlement}, how)
            asked = desk.get(page, follow_redirects=True)
            address = asked.url.path
            answer = desk.open(address, characters)
            shown = [
                MADE_AT.sub("", each.text.replace(address[3:], "ADDRESS"))
                for each in (asked, answer)
            ]
            questions.add((asked.status_code, shown[0]))
            answers.add((answer.status_code, shown[1], "set-cookie" in answer.headers))

    assert len(questions) == 1
    assert [(status, cookie) for status, _, cookie in answers] == [(403, False)]


def test_wrong_tries_are_counted_over_the_whole_life(tmp_path: Path) -> None:
    """Four wrong, one right, one wrong: closed, though the page that was open stays open."""
    with ward(tmp_path) as desk:
        link = desk.link(desk.settled()["settlement_id"])
        for _ in range(WRONG_TRIES_MAX - 1):
            desk.open(link["page"], WRONG)
        opened = desk.open(link["page"])
        last = desk.open(link["page"], WRONG)
        after = desk.open(link["page"])
        still = desk.get(link["page"])

    assert (opened.status_code, last.status_code, after.status_code) == (303, 403, 403)
    assert QUESTION not in still.text


def test_an_opened_page_closes(tmp_path: Path) -> None:
    """After half an hour, and at once when she says so."""
    with ward(tmp_path) as desk:
        link = desk.link(desk.settled()["settlement_id"])
        desk.open(link["page"])
        form = desk.get(link["page"]).text.split('name="form" value="')[1].split('"')[0]
        secret = next(iter(desk.http.cookies.jar)).value or ""
        closed = desk.post(f"{link['page']}/close", form=form)
        replayed = desk.get(link["page"], headers={"Cookie": f"bill={secret}"})
        desk.open(link["page"])
        desk.cities.clock.advance(SESSION_MS)
        late = desk.get(link["page"])

    assert closed.status_code == 303
    assert QUESTION in replayed.text
    assert QUESTION in late.text


@pytest.mark.parametrize("change", ["other link", "tampered", "none"])
def test_a_cookie_opens_no_other_bill(tmp_path: Path, change: str) -> None:
    """The secret of one bill is nothing on another's pages, nor is one that was made up."""
    with ward(tmp_path) as desk:
        mine = desk.link(desk.settled(0)["settlement_id"])
        other = desk.link(desk.settled(2)["settlement_id"])
        desk.open(mine["page"])
        secret = next(iter(desk.http.cookies.jar)).value or ""
        desk.http.cookies.clear()
        page = other["page"] if change == "other link" else mine["page"]
        sent = {"other link": secret, "tampered": secret[::-1], "none": ""}[change]
        answers = [
            desk.get(page + path, headers={"Cookie": f"bill={sent}"}) for path in ("", "/line/1")
        ]
        asked = desk.send("POST", f"{page}/line/1", data={}, headers={"Cookie": f"bill={sent}"})

    assert QUESTION in answers[0].text
    assert (answers[1].status_code, asked.status_code) == (303, 303)
    assert asked.headers["location"] == page


def test_a_link_is_the_hospitals_own(tmp_path: Path) -> None:
    """Another hospital makes and ends none; an undecided or voided settlement has none."""
    with ward(tmp_path) as desk:
        settled = desk.settled()
        path = f"/settlements/{settled['settlement_id']}/bill-link"
        link = desk.link(settled["settlement_id"])
        other = Ward(desk.running, desk.http, OTHER_HOSPITAL)
        answers = [
            other.call("POST", path, {}),
            other.call("DELETE", f"{path}/{link['link_id']}"),
            desk.call("DELETE", f"{path}/none"),
            desk.call("POST", path, {"days": 91}),
        ]
        ended = desk.link(settled["settlement_id"], end_earlier=True)
        first, second = desk.open(link["page"]), desk.open(ended["page"])
        desk.ok("POST", f"/settlements/{settled['settlement_id']}/void")
        answers.append(desk.call("POST", path, {}))

    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (404, "SETTLEMENT_UNKNOWN"),
        (404, "SETTLEMENT_UNKNOWN"),
        (404, "BILL_LINK_UNKNOWN"),
        (400, "REQUEST_MALFORMED"),
        (409, "BILL_LINK_NOT_SETTLED"),
    ]
    assert (first.status_code, second.status_code) == (403, 303)


def test_links_of_one_settlement_are_limited(tmp_path: Path) -> None:
    """A system that asks in a loop is told to stop."""
    with ward(tmp_path) as desk:
        settlement = desk.settled()["settlement_id"]
        answers = [desk.call("POST", f"/settlements/{settlement}/bill-link", {}) for _ in range(51)]

    assert [each.status_code for each in answers] == [201] * 50 + [409]
    assert answers[-1].json()["code"] == "BILL_LINKS_TOO_MANY"


def test_a_stranger_is_slowed_down(tmp_path: Path) -> None:
    """Sixty refusals a minute from one address, then the node looks at nothing more of it."""
    with ward(tmp_path) as desk:
        answers = [desk.open(UNKNOWN).status_code for _ in range(61)]

    assert answers == [403] * 60 + [429]


def test_a_copied_link_is_read_as_it_was_meant(tmp_path: Path) -> None:
    """Capitals, hyphens, an O for a zero: the short path leads to the language of the browser."""
    assert read_token("OIL0-abcd") == "0110abcd"
    with ward(tmp_path) as desk:
        link = desk.link(desk.settled()["settlement_id"])
        spelled = "-".join(link["token"].upper()[at : at + 5] for at in range(0, 26, 5))
        short = desk.get(f"/b/{spelled}", headers={"Accept-Language": "en"})
        spelled_page = desk.get(f"/zh/bill/{spelled}")

    assert short.headers["location"] == f"/en/bill/{link['token']}"
    assert spelled_page.headers["location"] == link["page"]


def test_a_node_may_serve_no_bills(tmp_path: Path) -> None:
    """With `bill_pages` closed there is no page and no link."""
    with ward(tmp_path, bill_pages=False) as desk:
        settlement = desk.settled()["settlement_id"]
        link = desk.call("POST", f"/settlements/{settlement}/bill-link", {})
        pages = [desk.get(UNKNOWN), desk.get("/b/" + "7" * 26)]

    assert link.json()["code"] == "BILL_PAGES_CLOSED"
    assert [each.status_code for each in pages] == [404, 404]


def test_the_console_stays_closed(tmp_path: Path) -> None:
    """A person's page is no way into the console: nothing else has an address."""
    with ward(tmp_path) as desk:
        answers = [desk.get(path).status_code for path in ("/", "/zh", "/zh/settlement/stays")]

    assert answers == [404, 404, 404]
