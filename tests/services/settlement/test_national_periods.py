"""Settling in the middle of a stay by the national interface: mid_setl_flag 1 of 2303 and 2304."""

from pathlib import Path
from typing import Any

import pytest

from tests.services.settlement.hospital import Hospital, on_two_nodes
from tests.services.settlement.two_cities import DAY_MS, TwoCities

Json = dict[str, Any]


async def _in_hospital(hospital: Hospital) -> tuple[str, str, Json]:
    """Return person and stay of an admission with lines of three days ago, and their bill."""
    person = await hospital.identify()
    admitted = await hospital.call("2401", hospital.admission(person))
    stay = admitted["output"]["result"]["mdtrt_id"]
    split = await hospital.call("2301", hospital.lines(person, stay))
    bill = hospital.bill(person, stay, split["output"]["result"])
    return person, stay, {"data": {**bill["data"], "mid_setl_flag": "1"}}


async def _more_lines(hospital: Hospital, person: str, stay: str) -> list[Json]:
    """Upload the lines of yesterday and return their split."""
    lines = hospital.lines(person, stay, days=7)["feedetail"]
    for row in lines:
        row["feedetl_sn"] += "b"
        row["fee_ocur_time"] = hospital.time(DAY_MS)
    split = await hospital.call("2301", {"feedetail": lines})
    rows: list[Json] = split["output"]["result"]
    return rows


@pytest.mark.parametrize("named", ["2026-11-20", None])
def test_a_period_then_the_rest(tmp_path: Path, named: str | None) -> None:
    """DscgTime names its last day; without one it is the last day charged."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        person, stay, bill = await _in_hospital(hospital)
        if named is not None:
            bill["data"]["dscgTime"] = named
        foreseen = await hospital.call("2303", bill)
        first = await hospital.call("2304", bill)
        rows = await _more_lines(hospital, person, stay)
        await hospital.call("2402", hospital.leaving(person, stay))
        rest = await hospital.call("2304", hospital.bill(person, stay, rows))
        answers = [one["output"]["setlinfo"] for one in (foreseen, first, rest)]

        assert [one["medfee_sumamt"] for one in answers[:2]] == [bill["data"]["medfee_sumamt"]] * 2
        assert answers[0]["fund_pay_sumamt"] == answers[1]["fund_pay_sumamt"]
        assert answers[1]["setl_id"] != answers[2]["setl_id"]

    on_two_nodes(tmp_path, work)


def test_a_repetition_is_the_same_settlement(tmp_path: Path) -> None:
    """Under a new msgid, before and after more lines have come, as long as the sum is the same."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        person, stay, bill = await _in_hospital(hospital)
        first = await hospital.call("2304", bill)
        again = await hospital.call("2304", bill)
        await _more_lines(hospital, person, stay)
        later = await hospital.call("2304", bill)
        settled = [one["output"]["setlinfo"]["setl_id"] for one in (first, again, later)]

        assert len(set(settled)) == 1
        assert "SETTLED_BEFORE" in str(again)

    on_two_nodes(tmp_path, work)


def test_taken_back_from_the_last_on(tmp_path: Path) -> None:
    """2305 and 2601 of the first period are refused while the second stands, and name it."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        person, stay, bill = await _in_hospital(hospital)
        message = hospital.envelope("2304", bill)
        first = await hospital.send(message)
        rows = await _more_lines(hospital, person, stay)
        await hospital.call("2402", hospital.leaving(person, stay))
        last = await hospital.call("2304", hospital.bill(person, stay, rows))
        ids = [one["output"]["setlinfo"]["setl_id"] for one in (first, last)]
        voids = [
            {
                "data": {
                    "mdtrt_id": stay,
                    "setl_id": each,
                    "psn_no": person,
                    "mdtrt_cert_type": "02",
                    "mdtrt_cert_no": bill["data"]["mdtrt_cert_no"],
                }
            }
            for each in ids
        ]
        reversal = {"data": {"psn_no": person, "omsgid": message["msgid"], "oinfno": "2304"}}
        early = await hospital.call("2305", voids[0])
        reversed_early = await hospital.call("2601", reversal)
        done = [await hospital.call("2305", voids[1]), await hospital.call("2601", reversal)]

        for refused in (early, reversed_early):
            assert refused["err_msg"].startswith("[SETTLEMENT_NOT_LAST] ")
            assert ids[1] in refused["err_msg"]
        assert [one["infcode"] for one in done] == ["0", "0"]

    on_two_nodes(tmp_path, work)
