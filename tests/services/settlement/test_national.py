"""The national shape over two nodes: each message once, amounts that close, nothing of others."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.services.settlement.hospital import Hospital
from tests.services.settlement.two_cities import (
    DAY_MS,
    FIRST_HOSPITAL,
    OTHER_HOSPITAL,
    TwoCities,
    stored_digest,
    two_cities,
)
from tongcheng.kernel.audit import AUDIT
from tongcheng.kernel.ledger import ACCOUNTS
from tongcheng.kernel.rulebook import Shelf
from tongcheng.services.settlement import messages
from tongcheng.services.settlement.national_fields import profile_of
from tongcheng.services.settlement.store import CLAIMS, DECISIONS, MESSAGES

Json = dict[str, Any]


def _run(folder: Path, work: Callable[[TwoCities, Hospital], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        async with two_cities(folder) as cities:
            await work(cities, Hospital(cities))

    asyncio.run(all_of_it())


def _fen(value: str | None) -> int:
    assert value is not None
    assert value[-3] == "."
    return int(value.replace(".", ""))


async def _settled(hospital: Hospital, number: int = 0) -> tuple[Json, Json]:
    """Settle a stay; return the input of its 2304 and the answer's setlinfo."""
    given = await hospital.discharged(number)
    answer = await hospital.call("2304", given)
    assert answer["infcode"] == "0", answer["err_msg"]
    setlinfo: Json = answer["output"]["setlinfo"]
    return given, setlinfo


def _taking_back(setlinfo: Json) -> Json:
    return {"data": {name: setlinfo[name] for name in ("mdtrt_id", "setl_id", "psn_no")}}


def _reversing(given: Json, msgid: str) -> Json:
    return {"data": {"psn_no": given["data"]["psn_no"], "omsgid": msgid, "oinfno": "2304"}}


def _claims(cities: TwoCities) -> list[str]:
    with cities.tianjin.database.snapshot() as snapshot:
        return [row.state for row in snapshot.select(CLAIMS)]


# each message once


def test_the_same_2304_twice(tmp_path: Path) -> None:
    """Byte-identical final answers, times included, and one settlement on either side."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        message = hospital.envelope("2304", await hospital.discharged())
        await hospital.send(message)
        first = hospital.received
        cities.clock.advance(3_600_000)
        await hospital.send({**message, "inf_time": hospital.time(), "opter": "0002"})

        assert hospital.received == first
        assert _claims(cities) == ["settled"]
        with cities.beijing.database.snapshot() as snapshot:
            assert [row.state for row in snapshot.select(DECISIONS)] == ["settled"]

    _run(tmp_path, work)


def test_the_same_stay_under_a_new_msgid(tmp_path: Path) -> None:
    """The existing settlement, to the fen, with a warning that it had been settled before."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        first = await hospital.call("2304", given)
        cities.clock.advance(60_000)
        second = await hospital.call("2304", given)

        one, two = first["output"]["setlinfo"], second["output"]["setlinfo"]
        assert {**one, "medins_setl_id": ""} == {**two, "medins_setl_id": ""}
        assert "SETTLED_BEFORE" in second["warn_msg"]
        assert _claims(cities) == ["settled"]

    _run(tmp_path, work)


def test_the_same_msgid_with_another_body(tmp_path: Path) -> None:
    """Refused by name, and the settlement stays as it is."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        message = hospital.envelope("2304", await hospital.discharged())
        await hospital.send(message)
        changed = {"data": {**message["input"]["data"], "invono": "1"}}
        refused = await hospital.send({**message, "input": changed})

        assert refused["infcode"] == "-1"
        assert refused["err_msg"].startswith("[MSGID_REUSED] ")
        assert " · " in refused["err_msg"]

    _run(tmp_path, work)


def test_2601_before_a_late_2304(tmp_path: Path) -> None:
    """The late message is refused and nothing is settled; a new msgid settles."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        late = hospital.envelope("2304", given)
        reversed_first = await hospital.call("2601", _reversing(given, late["msgid"]))
        refused = await hospital.send(late)
        new = await hospital.call("2304", given)

        assert reversed_first["infcode"] == "0"
        assert "REVERSAL_UNSEEN" in reversed_first["warn_msg"]
        assert refused["err_msg"].startswith("[MESSAGE_REVERSED] ")
        assert new["infcode"] == "0"
        assert _claims(cities) == ["settled"]

    _run(tmp_path, work)


def test_a_msgid_of_another_transaction_is_no_conflict(tmp_path: Path) -> None:
    """Real systems repeat msgids within a second; only the same transaction's counts."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        msgid = hospital.msgid()
        settled = await hospital.call("2304", given, msgid=msgid)
        voided = await hospital.call(
            "2305", _taking_back(settled["output"]["setlinfo"]), msgid=msgid
        )

        assert (settled["infcode"], voided["infcode"]) == ("0", "0")

    _run(tmp_path, work)


def test_every_writing_message_is_done_once(tmp_path: Path) -> None:
    """2401, 2301, 2302, 2402, 2305, 2601: the same message again, the same bytes, no change."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        person = await hospital.identify()
        admitted = await _twice(hospital, "2401", hospital.admission(person))
        stay = admitted["output"]["result"]["mdtrt_id"]
        await _twice(hospital, "2301", hospital.lines(person, stay, days=2))
        gone = {"feedetl_sn": "0000", "mdtrt_id": stay, "psn_no": person}
        await _twice(hospital, "2302", {"data": gone})
        split = await _twice(hospital, "2301", hospital.lines(person, stay))
        await _twice(hospital, "2402", hospital.leaving(person, stay))
        given = hospital.bill(person, stay, split["output"]["result"])
        settled = await hospital.call("2304", given)
        setlinfo = settled["output"]["setlinfo"]
        await _twice(hospital, "2305", _taking_back(setlinfo))
        await _twice(hospital, "2601", _reversing(given, hospital.msgid()))
        await cities.quiet()

        assert _claims(cities) == ["voided"]

    _run(tmp_path, work)


async def _twice(hospital: Hospital, infno: str, given: Json) -> Json:
    message = hospital.envelope(infno, given)
    answer = await hospital.send(message)
    first = hospital.received
    hospital.cities.clock.advance(1_000)
    await hospital.cities.quiet()
    before = stored_digest(hospital.cities.tianjin)
    await hospital.send(message)
    assert answer["infcode"] == "0", answer["err_msg"]
    assert hospital.received == first, infno
    assert stored_digest(hospital.cities.tianjin) == before, infno
    return answer


def test_a_crash_between_decision_and_answer(tmp_path: Path) -> None:
    """The message was noted with the intent: sent again, it gets the decision, once."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        message = hospital.envelope("2304", await hospital.discharged())
        node = cities.tianjin
        real_run = node.run

        async def dying(command: Any) -> Any:
            if "finish" in command.__code__.co_names:
                raise KeyboardInterrupt
            return await real_run(command)

        node.run = dying  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            await hospital.send(message)
        node.run = real_run  # type: ignore[method-assign]
        answer = await hospital.send(message)

        assert answer["infcode"] == "0"
        assert "SETTLED_BEFORE" not in answer["warn_msg"]
        assert _claims(cities) == ["settled"]

    _run(tmp_path, work)


def test_the_insured_sides_refusal_is_a_final_answer(tmp_path: Path) -> None:
    """Its decision is kept under the msgid; the stay is free, and a new msgid asks anew."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        message = hospital.envelope("2304", given)
        shelf = cities.beijing.home.shelf
        cities.beijing.home.shelf = Shelf([])
        refused = await hospital.send(message)
        first = hospital.received
        cities.beijing.home.shelf = shelf
        cities.clock.advance(60_000)
        await hospital.send(message)
        again = hospital.received
        new = await hospital.call("2304", given)

        assert refused["err_msg"].startswith("[AREA_WITHOUT_RULE_BOOK] ")
        assert again == first
        assert new["infcode"] == "0"
        assert _claims(cities) == ["refused", "settled"]

    _run(tmp_path, work)


def test_pending_is_no_final_answer(tmp_path: Path) -> None:
    """While the insured side is silent nothing is kept; the same msgid waits on and settles."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        impatient = Hospital(cities, wait_ms=0)
        message = impatient.envelope("2304", await impatient.discharged())
        cities.wire.cut = True
        pending = await impatient.send(message)
        cities.wire.cut = False
        settled = await hospital.send(message)

        assert pending["err_msg"].startswith("[SETTLE-PENDING] ")
        assert settled["infcode"] == "0"
        assert _claims(cities) == ["settled"]

    _run(tmp_path, work)


def test_giving_up_while_pending(tmp_path: Path) -> None:
    """2601 while undecided says cancelled at once; whatever the other side did is taken back."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        impatient = Hospital(cities, wait_ms=0)
        given = await impatient.discharged()
        message = impatient.envelope("2304", given)
        cities.wire.deaf = True
        await impatient.send(message)
        await cities.quiet()
        given_up = await impatient.call("2601", _reversing(given, message["msgid"]))
        late = await impatient.send(message)
        cities.wire.deaf = False
        new = await hospital.call(
            "2304", given, msgid=hospital.institution + "20261122190000" + "0001"
        )

        assert given_up["infcode"] == "0"
        assert late["err_msg"].startswith("[MESSAGE_REVERSED] ")
        assert new["infcode"] == "0"
        assert sorted(_claims(cities)) == ["settled", "voided"]

    _run(tmp_path, work)


def test_reversing_one_of_two_messages(tmp_path: Path) -> None:
    """A settlement stands while one message that was answered with it stands."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        first, second = (hospital.envelope("2304", given) for _ in range(2))
        await hospital.send(first)
        await hospital.send(second)
        one = await hospital.call("2601", _reversing(given, first["msgid"]))
        states = _claims(cities)
        both = await hospital.call("2601", _reversing(given, second["msgid"]))
        await cities.quiet()

        assert "REVERSAL_STANDS" in one["warn_msg"]
        assert states == ["settled"]
        assert both["warn_msg"] is None
        assert _claims(cities) == ["voided"]

    _run(tmp_path, work)


# amounts


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
        assert sum(_fen(one["fund_payamt"]) for one in details) == _fen(info["fund_pay_sumamt"])
        assert {one["fund_pay_type"] for one in details} == {"310101"}
        assert info["acct_pay"] == "0.00"
        assert info["balc"] is None

    _run(tmp_path, work)


def _check_identities(info: Json) -> None:
    fen = {name: _fen(value) for name, value in info.items() if value and value[-3:-2] == "."}
    scopes = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
    payers = ("fund_pay_sumamt", "hosp_part_amt", "psn_part_amt")
    funds = ("hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "maf_pay", "oth_pay")
    assert fen["medfee_sumamt"] == sum(fen[name] for name in scopes)
    assert fen["medfee_sumamt"] == sum(fen[name] for name in payers)
    assert fen["psn_part_amt"] == fen["acct_pay"] + fen["psn_cash_pay"]
    assert fen["fund_pay_sumamt"] == sum(fen[name] for name in funds)


def test_a_large_bill_reaches_the_second_fund(tmp_path: Path) -> None:
    """Beyond the pool's cap the large-amount fund pays; both stand in setldetail by their type."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged(days=40_000)
        settled = await hospital.call("2304", given)
        info = settled["output"]["setlinfo"]

        _check_identities(info)
        assert _fen(info["hifob_pay"]) > 0
        types = [one["fund_pay_type"] for one in settled["output"]["setldetail"]]
        assert types == ["310101", "330101"]

    _run(tmp_path, work)


def test_a_void_is_the_exact_negative(tmp_path: Path) -> None:
    """2305 answers every amount with its sign turned, and both ledgers come back to zero."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        _, info = await _settled(hospital)
        voided = await hospital.call("2305", _taking_back(info))
        again = await hospital.call("2305", _taking_back(info))
        await cities.quiet()
        back = voided["output"]["setlinfo"]
        money = [n for n, value in info.items() if value and value[-3:-2] == "." and n in back]

        _check_identities(back)
        assert {name: -_fen(info[name]) for name in money} == {n: _fen(back[n]) for n in money}
        assert again["output"]["setlinfo"]["medfee_sumamt"] == back["medfee_sumamt"]
        for node in (cities.tianjin, cities.beijing):
            rows = await node.read(lambda snapshot: snapshot.select(ACCOUNTS))
            assert {row.balance_fen for row in rows} == {0}

    _run(tmp_path, work)


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
        assert _claims(cities) == []

    _run(tmp_path, work)


def test_split_is_optional_when_settling(tmp_path: Path) -> None:
    """2304 may leave the four parts out; the total decides."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        parts = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
        total = {"data": {k: v for k, v in given["data"].items() if k not in parts}}
        answer = await hospital.call("2304", total)

        assert answer["infcode"] == "0"

    _run(tmp_path, work)


# what is refused before anything is asked


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mid_setl_flag": "1"}, "MID_STAY_NOT_OFFERED"),
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

    _run(tmp_path, work)


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

    _run(tmp_path, work)


def test_personal_accounts_are_not_used(tmp_path: Path) -> None:
    """acct_used_flag 1 is answered with a warning, and nothing is taken from an account."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        asked = {"data": {**given["data"], "acct_used_flag": "1"}}
        answer = await hospital.call("2304", asked)

        assert "ACCOUNT_NOT_USED" in answer["warn_msg"]
        assert answer["output"]["setlinfo"]["acct_pay"] == "0.00"

    _run(tmp_path, work)


# signing in


def test_signing_in_for_the_day(tmp_path: Path) -> None:
    """With a profile that demands it: no number, another's, yesterday's, signed out: refused."""
    strict = profile_of({**BASELINE, "sign_in_required": "Y"})

    async def work(cities: TwoCities, _hospital: Hospital) -> None:
        hospital = Hospital(cities, profile=strict)
        other = Hospital(cities, OTHER_HOSPITAL, strict)
        refused = await hospital.call("1101", {"data": {}})
        signed = await hospital.call("9001", {"signIn": {"opter_no": "1", "ip": "10.0.0.1"}})
        number = signed["output"]["signinoutb"]["sign_no"]
        other.sign_no = hospital.sign_no = number
        person = await hospital.identify()
        stolen = await other.call("1101", {"data": {}})
        ended = await hospital.call("9002", {"signOut": {"sign_no": number, "opter_no": "1"}})
        after = await hospital.call("1101", {"data": {}})
        signed = await hospital.call("9001", {"signIn": {"opter_no": "1", "ip": "10.0.0.1"}})
        hospital.sign_no = signed["output"]["signinoutb"]["sign_no"]
        cities.clock.advance(6 * 3_600_000)
        next_day = await hospital.call("1101", {"data": {}})

        assert person
        assert ended["infcode"] == "0"
        for answer in (refused, stolen, after, next_day):
            assert answer["err_msg"].startswith("[SIGN_IN_NEEDED] ")

    _run(tmp_path, work)


BASELINE = {
    "name": "other",
    "path": "/other/gateway",
    "per_transaction": "Y",
    "header": "x-credential",
    "scheme": "N",
    "encoding": "gb18030",
    "infcode": "string",
    "sign_in_required": "N",
}


def test_a_profile_is_data(tmp_path: Path) -> None:
    """GB18030, infcode as text, a header of its own: a whole stay with no line of code more."""

    async def work(cities: TwoCities, _hospital: Hospital) -> None:
        hospital = Hospital(cities, profile=profile_of(BASELINE))
        caller = await hospital.edge.identify(cities.tokens[FIRST_HOSPITAL])
        _, info = await _settled(hospital)

        assert caller.institution_id == FIRST_HOSPITAL
        assert b'"infcode":"0"' in hospital.received
        assert "测试0".encode("gb18030") in hospital.received
        assert info["psn_name"] == "测试0"

    _run(tmp_path, work)


# who reads what


def test_nothing_of_another_hospital(tmp_path: Path) -> None:
    """Every transaction with another's ids is answered as with ids that never were."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        given, info = await _settled(hospital)
        other = Hospital(cities, OTHER_HOSPITAL)
        ids = {"stay": info["mdtrt_id"], "person": info["psn_no"], "setl": info["setl_id"]}
        nobodys = {"stay": "0" * 26, "person": "1" * 26, "setl": "2" * 26}
        await cities.quiet()
        before = stored_digest(cities.tianjin)
        for infno in ("2401", "2301", "2302", "2402", "2303", "2304", "2305"):
            told = [
                await other.call(infno, _asking(other, infno, of, given)) for of in (ids, nobodys)
            ]
            mine, unknown = (answer["err_msg"] for answer in told)
            for name, value in ids.items():
                mine = mine.replace(value, nobodys[name])
            assert mine == unknown, infno
            assert mine[1:].split("]")[0] in {"STAY_UNKNOWN", "PERSON_NOT_IDENTIFIED"}, mine
            assert told[0]["output"] is None
        theirs = await other.call("2601", _reversing(given, info["medins_setl_id"]))
        forged = await other.call(
            "2304", given, fixmedins_code=FIRST_HOSPITAL, msgid=hospital.msgid()
        )

        assert theirs["err_msg"].startswith("[MSGID_MALFORMED] ")
        assert forged["err_msg"].startswith("[INSTITUTION_NOT_YOURS] ")
        assert stored_digest(cities.tianjin) == before

    _run(tmp_path, work)


def _asking(hospital: Hospital, infno: str, of: dict[str, str], given: Json) -> Json:
    person, stay = of["person"], of["stay"]
    made: dict[str, Callable[[], Json]] = {
        "2401": lambda: hospital.admission(person),
        "2301": lambda: hospital.lines(person, stay),
        "2302": lambda: {"data": {"feedetl_sn": "0000", "mdtrt_id": stay, "psn_no": person}},
        "2402": lambda: hospital.leaving(person, stay),
        "2305": lambda: {"data": {"mdtrt_id": stay, "setl_id": of["setl"], "psn_no": person}},
    }
    settling = {"data": {**given["data"], "psn_no": person, "mdtrt_id": stay}}
    return made[infno]() if infno in made else settling


def test_reading_a_person_is_audited(tmp_path: Path) -> None:
    """1101, 2303, 2304 and the repeated 2304 each leave an entry: who, what, whom."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        await hospital.call("2303", given)
        message = hospital.envelope("2304", given)
        await hospital.send(message)
        await hospital.send(message)
        rows = await cities.tianjin.read(lambda snapshot: snapshot.select(AUDIT))
        person = given["data"]["psn_no"]
        read = [row.action for row in rows if row.subject == person]

        assert read == ["settlement.person/1", "national.2303", "national.2304", "national.2304"]
        assert {row.actor for row in rows if row.subject == person} == {FIRST_HOSPITAL}

    _run(tmp_path, work)


def test_kept_answers_are_sealed(tmp_path: Path) -> None:
    """A kept answer names a person: it is not readable in the database."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        await _settled(hospital)
        raw = hospital.received
        msgid = hospital.decode(hospital.sent)["msgid"]
        node = cities.tianjin
        row = await node.read(lambda s: s.get(MESSAGES, FIRST_HOSPITAL, "2304", msgid))

        assert row is not None
        assert "测试0".encode() not in row.answer
        assert messages.kept_answer(node.home, row) == raw

    _run(tmp_path, work)


def test_a_stay_of_yesterday(tmp_path: Path) -> None:
    """Times of the future are refused by their field."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        person = await hospital.identify()
        admission = hospital.admission(person)
        admission["mdtrtinfo"]["begntime"] = hospital.time(-DAY_MS)
        refused = await hospital.call("2401", admission)

        assert refused["err_msg"].startswith("[DATE_IN_FUTURE] ")

    _run(tmp_path, work)
