"""The national shape's amounts: they close as those of real messages do, and refuse to differ."""

from pathlib import Path
from typing import Any

import pytest

from tests.services.settlement.hospital import (
    Hospital,
    claim_states,
    fen,
    on_two_nodes,
    settled,
    taking_back,
)
from tests.services.settlement.two_cities import (
    OTHER_HOSPITAL,
    TwoCities,
    stored_digest,
)
from tongcheng.kernel.ledger import ACCOUNTS

Json = dict[str, Any]


def test_identities_on_the_message_fields(tmp_path: Path) -> None:
    """The identities found on real messages hold on ours, to the fen; estimate = settlement."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        estimate = await hospital.call("2303", given)
        settled = await hospital.call("2304", given)
        info, before = settled["output"]["setlinfo"], estimate["output"]["setlinfo"]
        money = [name for name, value in info.items() if value and value[-3:-2] == "."]

        _check_identities(info)
        assert {name: info[name] for name in money} == {name: before[name] for name in money}
        assert settled["output"]["setldetail"] == estimate["output"]["setldetail"]
        details = settled["output"]["setldetail"]
        assert sum(fen(one["fund_payamt"]) for one in details) == fen(info["fund_pay_sumamt"])
        assert {one["fund_pay_type"] for one in details} == {"310101"}
        assert info["acct_pay"] == "0.00"
        assert info["balc"] is None

    on_two_nodes(tmp_path, work)


def _check_identities(info: Json) -> None:
    amounts = {name: fen(value) for name, value in info.items() if value and value[-3:-2] == "."}
    scopes = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
    payers = ("fund_pay_sumamt", "hosp_part_amt", "psn_part_amt")
    funds = ("hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "maf_pay", "oth_pay")
    assert amounts["medfee_sumamt"] == sum(amounts[name] for name in scopes)
    assert amounts["medfee_sumamt"] == sum(amounts[name] for name in payers)
    assert amounts["psn_part_amt"] == amounts["acct_pay"] + amounts["psn_cash_pay"]
    assert amounts["fund_pay_sumamt"] == sum(amounts[name] for name in funds)


def test_a_large_bill_reaches_the_second_fund(tmp_path: Path) -> None:
    """Beyond the pool's cap the large-amount fund pays; both stand in setldetail by their type."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged(days=40_000)
        settled = await hospital.call("2304", given)
        info = settled["output"]["setlinfo"]

        _check_identities(info)
        assert fen(info["hifob_pay"]) > 0
        types = [one["fund_pay_type"] for one in settled["output"]["setldetail"]]
        assert types == ["310101", "330101"]

    on_two_nodes(tmp_path, work)


def test_a_void_is_the_exact_negative(tmp_path: Path) -> None:
    """2305 answers every amount with its sign turned, and both ledgers come back to zero."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        _, info = await settled(hospital)
        voided = await hospital.call("2305", taking_back(info))
        again = await hospital.call("2305", taking_back(info))
        await cities.quiet()
        back = voided["output"]["setlinfo"]
        money = [n for n, value in info.items() if value and value[-3:-2] == "." and n in back]

        _check_identities(back)
        assert {name: -fen(info[name]) for name in money} == {n: fen(back[n]) for n in money}
        assert again["output"]["setlinfo"]["medfee_sumamt"] == back["medfee_sumamt"]
        for node in (cities.tianjin, cities.beijing):
            rows = await node.read(lambda snapshot: snapshot.select(ACCOUNTS))
            assert {row.balance_fen for row in rows} == {0}

    on_two_nodes(tmp_path, work)


def test_what_is_billed_must_be_what_was_uploaded(tmp_path: Path) -> None:
    """A total or a split that the lines do not come to is refused by name, before anything."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        for field, code in (
            ("medfee_sumamt", "UPLOADED_DIFFERS"),
            ("inscp_scp_amt", "SPLIT_DIFFERS"),
        ):
            changed = {"data": {**given["data"], field: "1.00"}}
            for infno in ("2303", "2304"):
                refused = await hospital.call(infno, changed)
                assert refused["err_msg"].startswith(f"[{code}] "), refused
        half = {"data": {k: v for k, v in given["data"].items() if k != "inscp_scp_amt"}}
        refused = await hospital.call("2304", half)

        assert refused["err_msg"].startswith("[NATIONAL_FIELD_REQUIRED] ")
        assert claim_states(cities) == []

    on_two_nodes(tmp_path, work)


def test_split_is_optional_when_settling(tmp_path: Path) -> None:
    """2304 may leave the four parts out; the total decides."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        parts = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
        total = {"data": {k: v for k, v in given["data"].items() if k not in parts}}
        answer = await hospital.call("2304", total)

        assert answer["infcode"] == "0"

    on_two_nodes(tmp_path, work)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mid_setl_flag": "1", "dscgTime": "2026-11-22"}, "PERIOD_DAY"),
        ({"psn_setlway": "02"}, "NATIONAL_FIELD_VALUE"),
        ({"mdtrt_cert_type": "03"}, "NATIONAL_FIELD_VALUE"),
        ({"mdtrt_cert_no": "11010119500101009T"}, "CARD_NOT_OF_PERSON"),
        ({"psn_no": "0" * 26}, "PERSON_NOT_OF_STAY"),
        ({"insutype": "390"}, "SCHEME_DIFFERS"),
        ({"mdtrt_id": "0" * 26}, "STAY_UNKNOWN"),
    ],
)
def test_settling_something_else(tmp_path: Path, changes: Json, code: str) -> None:
    """Each thing that is not offered, or not this stay's, has its code; nothing is stored."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        before = stored_digest(cities.tianjin)
        refused = await hospital.call("2304", {"data": {**given["data"], **changes}})

        assert refused["err_msg"].startswith(f"[{code}] "), refused
        assert stored_digest(cities.tianjin) == before

    on_two_nodes(tmp_path, work)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"insuplc_admdvs": "130100"}, "INSUPLC_DIFFERS"),
        ({"mdtrtarea_admvs": "110000"}, "MDTRTAREA_NOT_HERE"),
        ({"mdtrtarea_admvs": "990000"}, "REGION_UNKNOWN_AREA"),
        ({"fixmedins_code": OTHER_HOSPITAL}, "MSGID_MALFORMED"),
    ],
)
def test_headers_that_do_not_fit(tmp_path: Path, header: Json, code: str) -> None:
    """A message for another place, another insurer or in another's name is refused."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        refused = await hospital.call("2304", given, **header)

        assert refused["err_msg"].startswith(f"[{code}] "), refused

    on_two_nodes(tmp_path, work)


def test_personal_accounts_are_not_used(tmp_path: Path) -> None:
    """acct_used_flag 1 is answered with a warning, and nothing is taken from an account."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        asked = {"data": {**given["data"], "acct_used_flag": "1"}}
        answer = await hospital.call("2304", asked)

        assert "ACCOUNT_NOT_USED" in answer["warn_msg"]
        assert answer["output"]["setlinfo"]["acct_pay"] == "0.00"

    on_two_nodes(tmp_path, work)
