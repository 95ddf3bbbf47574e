"""“I do not recognise this line” from the person's page to the hospital and back; delegates."""

from pathlib import Path

from tests.services.settlement.bill_page.reader import Json, Ward, form_of, ward
from tests.services.settlement.two_cities import FIRST_HOSPITAL, OTHER_HOSPITAL
from tongcheng.kernel import cases
from tongcheng.services.settlement.bill_page.store import DELEGATES

QUESTION = 'name="characters"'
DAUGHTER = {
    "name": "测试女儿",
    "id_number": "110101197501010021",
    "relationship": "child",
    "to_on": "2026-12-31",
}


def _opened(desk: Ward) -> tuple[str, str, Json]:
    """Return an open bill's address, the token of its forms, and the settlement."""
    settled = desk.settled()
    link = desk.link(settled["settlement_id"])
    desk.open(link["page"])
    return link["page"], form_of(desk.get(link["page"]).text), settled


def _cases(desk: Ward) -> list[Json]:
    found: list[Json] = desk.ok("GET", "/cases")["cases"]
    return found


def test_a_question_is_asked_answered_and_accepted(tmp_path: Path) -> None:
    """The page shows whose turn it is, until when, what was said, and every receipt."""
    with ward(tmp_path) as desk:
        page, form, _ = _opened(desk)
        line = f"{page}/line/3"
        first = desk.get(line).text
        asked = desk.post(line, form=form, text="我没有做过这一项。")
        waiting = desk.get(line).text
        case = _cases(desk)[0]
        said = {"action": "explained", "text": "当日 9 时完成，报告已出。"}
        receipt = desk.ok("POST", f"/cases/{case['case_id']}/answer", said)
        answered = desk.get(line).text
        accepted = desk.post(f"{page}/case/{case['case_id']}", form=form, action="accepted")
        closed = desk.get(line).text
        bill = desk.get(page).text
        audited = [(row.action, row.subject) for row in desk.audited() if row.action[:5] == "case."]

    assert "我不认识这一项" in first
    assert (asked.status_code, asked.headers["location"]) == (303, line)
    assert case["line_id"] == "L3"
    assert "等医院答复" in waiting
    assert "我没有做过这一项。" in waiting
    assert "最迟 2026年" in waiting
    assert said["text"] in answered
    assert receipt["digest"] in answered
    assert (accepted.status_code, accepted.headers["location"]) == (303, line)
    assert "参保人已认可" in closed
    assert "参保人已认可" in bill
    assert [action for action, _ in audited] == ["case.open", "case.accepted"]
    assert {subject for _, subject in audited} == {case["case_id"]}


def test_words_are_optional_and_asking_twice_is_asking_once(tmp_path: Path) -> None:
    """The button alone says enough; pressed again it leads to the question that is open."""
    with ward(tmp_path) as desk:
        page, form, _ = _opened(desk)
        for _ in range(2):
            assert desk.post(f"{page}/line/3", form=form, text=" ").status_code == 303
        found = _cases(desk)
        shown = desk.ok("GET", f"/cases/{found[0]['case_id']}")

    assert len(found) == 1
    assert [step["text"] for step in shown["steps"]] == ["我不认识这一项"]


def test_a_late_hospital_is_passed_over_with_a_reason(tmp_path: Path) -> None:
    """Before the deadline there is no button for it; afterwards it needs her words."""
    with ward(tmp_path) as desk:
        page, form, settled = _opened(desk)
        desk.post(f"{page}/line/3", form=form)
        early = desk.get(f"{page}/line/3").text
        case_id = _cases(desk)[0]["case_id"]
        desk.cities.clock.advance(10 * 86_400_000)
        link = desk.link(settled["settlement_id"])
        desk.open(link["page"])
        page, form = link["page"], form_of(desk.get(link["page"]).text)
        late = desk.get(f"{page}/line/3").text
        silent = desk.post(f"{page}/case/{case_id}", form=form, action="escalated")
        done = desk.post(f"{page}/case/{case_id}", form=form, action="escalated", text="没有答复")
        after = desk.get(f"{page}/line/3").text

    assert 'value="escalated"' not in early
    assert 'value="escalated"' in late
    assert "已逾期" in late
    assert (silent.status_code, "CASE_WORDS" in silent.text) == (422, True)
    assert done.status_code == 303
    assert "已提交就医地经办机构" in after


def test_a_form_must_be_of_this_page(tmp_path: Path) -> None:
    """No token, another's, or another site: nothing is asked, and nothing is closed."""
    with ward(tmp_path) as desk:
        page, form, _ = _opened(desk)
        other = {"Sec-Fetch-Site": "cross-site"}
        answers = [
            desk.post(f"{page}/line/3", text="x"),
            desk.post(f"{page}/line/3", form=form[::-1], text="x"),
            desk.post(f"{page}/close", form="é"),
            desk.send("POST", f"{page}/line/3", data={"form": form}, headers=other),
            desk.send("POST", f"{page}/line/3", content=b"\xff=%ff"),
            desk.send("POST", f"{page}/line/3", content=b"a=1&" * 9),
            desk.send("POST", f"{page}/line/3", content=b"a" * 9_000),
        ]
        still = desk.get(page)
        asked = _cases(desk)

    statuses = [each.status_code for each in answers]
    assert statuses == [403, 403, 403, 403, 400, 400, 413]
    assert all("<h1>" in each.text for each in answers)
    assert QUESTION not in still.text
    assert asked == []


def test_another_stays_case_and_line_do_not_exist(tmp_path: Path) -> None:
    """What one bill has open is that bill alone."""
    with ward(tmp_path) as desk:
        page, form, _ = _opened(desk)
        desk.post(f"{page}/line/3", form=form)
        case_id = _cases(desk)[0]["case_id"]
        other = desk.link(desk.settled(2)["settlement_id"])
        desk.open(other["page"], "002T")
        other_form = form_of(desk.get(other["page"]).text)
        answers = [
            desk.post(f"{other['page']}/case/{case_id}", form=other_form, action="withdrawn"),
            desk.post(f"{other['page']}/case/none", form=other_form, action="withdrawn"),
            desk.post(f"{other['page']}/case/{case_id}", form=other_form, action="upheld"),
            desk.post(f"{other['page']}/line/999", form=other_form),
        ]

    assert [each.status_code for each in answers] == [404, 404, 400, 404]


def test_a_delegate_reads_under_a_name_of_their_own(tmp_path: Path) -> None:
    """Her own last four, her record's number in the audit; the patient sees that she may."""
    with ward(tmp_path) as desk:
        page, _, settled = _opened(desk)
        stay = settled["stay_id"]
        recorded = desk.ok("POST", f"/stays/{stay}/delegates", DAUGHTER)
        link = desk.link(settled["settlement_id"], delegate_id=recorded["delegate_id"])
        patients = desk.open(link["page"])
        opened = desk.open(link["page"], "0021")
        bill, own = desk.get(link["page"]), desk.get(page)
        desk.post(f"{link['page']}/line/3", form=form_of(bill.text))
        asked = _cases(desk)
        actor = f"delegate {recorded['delegate_id']}"
        did = [row.action for row in desk.audited() if row.actor == actor]
        with desk.cities.tianjin.database.snapshot() as snapshot:
            stored = repr(snapshot.select(DELEGATES))

    assert (patients.status_code, opened.status_code) == (403, 303)
    assert "您是以代理人身份查看" in bill.text
    assert DAUGHTER["name"] not in bill.text
    assert "测试女儿（子女），到 2026年12月31日 为止" in own.text
    assert did == ["bill.open", "bill.read", "case.open"]
    assert len(asked) == 1
    assert DAUGHTER["name"] not in stored
    assert DAUGHTER["id_number"] not in stored


def test_a_delegates_right_ends(tmp_path: Path) -> None:
    """Revoked, it closes what is open at once; after its last day it opens nothing."""
    with ward(tmp_path) as desk:
        _, _, settled = _opened(desk)
        path = f"/stays/{settled['stay_id']}/delegates"
        pages = []
        for day in ("2026-12-31", "2026-11-22"):
            recorded = desk.ok("POST", path, {**DAUGHTER, "to_on": day})
            link = desk.link(settled["settlement_id"], delegate_id=recorded["delegate_id"])
            assert desk.open(link["page"], "0021").status_code == 303
            pages.append((link["page"], recorded["delegate_id"]))
        desk.ok("DELETE", f"{path}/{pages[0][1]}")
        revoked = desk.get(pages[0][0])
        desk.cities.clock.advance(6 * 3_600_000)
        over = desk.open(pages[1][0], "0021")
        listed = desk.ok("GET", path)["delegates"]
        refused = desk.call(
            "POST",
            f"/settlements/{settled['settlement_id']}/bill-link",
            {"delegate_id": pages[1][1]},
        )

    assert QUESTION in revoked.text
    assert over.status_code == 403
    assert {each["delegate_id"]: each["revoked_at"] is None for each in listed} == {
        pages[0][1]: False,
        pages[1][1]: True,
    }
    assert {each["name"] for each in listed} == {DAUGHTER["name"]}
    assert refused.json()["code"] == "DELEGATE_UNKNOWN"


def test_a_delegate_is_recorded_by_the_hospital_of_the_stay(tmp_path: Path) -> None:
    """Another hospital's stay does not exist; a day that is over, or none, is refused."""
    with ward(tmp_path) as desk:
        _, _, settled = _opened(desk)
        path = f"/stays/{settled['stay_id']}/delegates"
        other = Ward(desk.running, desk.http, OTHER_HOSPITAL)
        refused = [
            other.call("POST", path, DAUGHTER),
            other.call("GET", path),
            desk.call("DELETE", f"{path}/none"),
            desk.call("POST", path, {**DAUGHTER, "to_on": "2026-11-21"}),
            desk.call("POST", path, {**DAUGHTER, "to_on": "2026-02-30"}),
        ]
        made = [desk.call("POST", path, DAUGHTER).status_code for _ in range(11)]
        desk.ok("GET", path)
        entries = [(row.actor, row.action) for row in desk.audited()]

    assert [each.json()["code"] for each in refused] == [
        "STAY_UNKNOWN",
        "STAY_UNKNOWN",
        "DELEGATE_UNKNOWN",
        "DELEGATE_DAY",
        "DATE_MALFORMED",
    ]
    assert made == [201] * 10 + [409]
    assert entries[-1] == (FIRST_HOSPITAL, "delegates.read")
    assert entries.count((FIRST_HOSPITAL, "delegate.record")) == 10


def test_words_have_an_end(tmp_path: Path) -> None:
    """More than the case takes is refused by name, on a page that a person can read."""
    with ward(tmp_path) as desk:
        page, form, _ = _opened(desk)
        long = "长" * (cases.WORDS_CHARACTERS_MAX + 1)
        answer = desk.post(f"{page}/line/3", form=form, text=long)

    assert (answer.status_code, "CASE_WORDS" in answer.text) == (422, True)
