"""Attacks on a bill's link by guessing: in bursts, from many sheets, from one address."""

import asyncio
import re
from collections import Counter
from pathlib import Path

import httpx

from tests.services.settlement.bill_page.reader import PATIENT, Ward, delegate, ward
from tongcheng.node.limits import REFUSALS_MAX
from tongcheng.services.settlement.bill_page.links import WRONG_TRIES_MAX
from tongcheng.services.settlement.bill_page.store import BILL_LINKS

UNKNOWN = "/zh/bill/" + "7" * 26
WRONG = "9999"


def _together(desk: Ward, requests: list[tuple[str, str]]) -> list[httpx.Response]:
    """Send forms at one moment: (page, characters)."""

    async def send() -> list[httpx.Response]:
        sent = (desk.http.post(page, data={"characters": given}) for page, given in requests)
        return await asyncio.gather(*sent)

    return desk.running.run(send())


def test_tries_at_one_moment_are_counted_one_by_one(tmp_path: Path) -> None:
    """Forty wrong tries and the right one in one burst: the sixth and all after it are shut."""
    with ward(tmp_path) as desk:
        page = desk.link(desk.settled()["settlement_id"])["page"]
        burst = _together(desk, [(page, WRONG)] * 40 + [(page, PATIENT)])
        with desk.cities.tianjin.database.snapshot() as snapshot:
            (row,) = snapshot.select(BILL_LINKS)

    assert {each.status_code for each in burst} == {403}
    assert row.wrong_tries == 40
    assert len({re.sub("页面生成于[^<]*", "", each.text) for each in burst}) == 1


def test_the_sheets_of_one_settlement_share_their_tries(tmp_path: Path) -> None:
    """Who finds three sheets has five tries, not fifteen; the hospital's next link opens again."""
    with ward(tmp_path) as desk:
        settlement = desk.settled()["settlement_id"]
        pages = [desk.link(settlement)["page"] for _ in range(3)]
        for number in range(WRONG_TRIES_MAX):
            desk.open(pages[number % 3], WRONG)
        shut = [desk.open(page).status_code for page in pages]
        fresh = desk.link(settlement)["page"]
        desk.open(pages[0], WRONG)
        opened = desk.open(fresh).status_code

    assert shut == [403] * 3
    assert opened == 303


def test_a_delegates_tries_are_not_the_patients(tmp_path: Path) -> None:
    """Wrong tries at the daughter's sheet shut hers, and leave the patient's open."""
    with ward(tmp_path) as desk:
        settled = desk.settled()
        stay, settlement = settled["stay_id"], settled["settlement_id"]
        made = desk.ok("POST", f"/stays/{stay}/delegates", delegate())
        hers = desk.link(settlement, delegate_id=made["delegate_id"])["page"]
        own = desk.link(settlement)["page"]
        for _ in range(WRONG_TRIES_MAX):
            desk.open(hers, PATIENT)
        answers = [desk.open(hers, "0021").status_code, desk.open(own).status_code]

    assert answers == [403, 303]


def test_an_address_has_its_share_also_in_one_moment(tmp_path: Path) -> None:
    """Two hundred at once get no more tries than one after the other; hospitals go on calling."""
    with ward(tmp_path) as desk:
        page = desk.link(desk.settled()["settlement_id"])["page"]
        burst = _together(desk, [(UNKNOWN, WRONG)] * 200)
        limited = desk.open(page)
        hospital = desk.call("GET", "/cases")
        desk.cities.clock.advance(60_000)
        later = [desk.open(page).status_code for _ in range(REFUSALS_MAX + 5)]

    found = Counter(each.status_code for each in burst)
    assert found == {403: REFUSALS_MAX, 429: 200 - REFUSALS_MAX}
    assert (limited.status_code, limited.headers["cache-control"]) == (429, "no-store")
    assert hospital.status_code == 200
    assert set(later) == {303}, "opening rightly costs nothing"
