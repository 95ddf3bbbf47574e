"""The national shape over two nodes: each message is done once, whatever happens between."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.services.settlement.hospital import (
    Hospital,
    claim_states,
    on_two_nodes,
    reversing,
    taking_back,
)
from tests.services.settlement.two_cities import (
    TwoCities,
    stored_digest,
)
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.rulebook import Shelf
from tongcheng.services.settlement.persons import Identified
from tongcheng.services.settlement.store import CLAIMS, DECISIONS

Json = dict[str, Any]


def test_the_same_2304_twice(tmp_path: Path) -> None:
    """Byte-identical final answers, times included, and one settlement on either side."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        message = hospital.envelope("2304", await hospital.discharged())
        await hospital.send(message)
        first = hospital.received
        cities.clock.advance(3_600_000)
        await hospital.send({**message, "inf_time": hospital.time(), "opter": "0002"})

        assert hospital.received == first
        assert claim_states(cities) == ["settled"]
        with cities.beijing.database.snapshot() as snapshot:
            assert [row.state for row in snapshot.select(DECISIONS)] == ["settled"]

    on_two_nodes(tmp_path, work)


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
        assert claim_states(cities) == ["settled"]

    on_two_nodes(tmp_path, work)


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

    on_two_nodes(tmp_path, work)


def test_2601_before_a_late_2304(tmp_path: Path) -> None:
    """The late message is refused and nothing is settled; a new msgid settles."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        late = hospital.envelope("2304", given)
        reversed_first = await hospital.call("2601", reversing(given, late["msgid"]))
        refused = await hospital.send(late)
        new = await hospital.call("2304", given)

        assert reversed_first["infcode"] == "0"
        assert "REVERSAL_UNSEEN" in reversed_first["warn_msg"]
        assert refused["err_msg"].startswith("[MESSAGE_REVERSED] ")
        assert new["infcode"] == "0"
        assert claim_states(cities) == ["settled"]

    on_two_nodes(tmp_path, work)


def test_a_msgid_of_another_transaction_is_no_conflict(tmp_path: Path) -> None:
    """Real systems repeat msgids within a second; only the same transaction's counts."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        msgid = hospital.msgid()
        settled = await hospital.call("2304", given, msgid=msgid)
        voided = await hospital.call(
            "2305", taking_back(settled["output"]["setlinfo"]), msgid=msgid
        )

        assert (settled["infcode"], voided["infcode"]) == ("0", "0")

    on_two_nodes(tmp_path, work)


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
        await _twice(hospital, "2305", taking_back(setlinfo))
        await _twice(hospital, "2601", reversing(given, hospital.msgid()))
        await cities.quiet()

        assert claim_states(cities) == ["voided"]

    on_two_nodes(tmp_path, work)


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
        assert claim_states(cities) == ["settled"]

    on_two_nodes(tmp_path, work)


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
        assert claim_states(cities) == ["refused", "settled"]

    on_two_nodes(tmp_path, work)


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
        assert claim_states(cities) == ["settled"]

    on_two_nodes(tmp_path, work)


def test_giving_up_while_pending(tmp_path: Path) -> None:
    """2601 while undecided says cancelled at once; whatever the other side did is taken back."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        impatient = Hospital(cities, wait_ms=0)
        given = await impatient.discharged()
        message = impatient.envelope("2304", given)
        cities.wire.deaf = True
        await impatient.send(message)
        await cities.quiet()
        given_up = await impatient.call("2601", reversing(given, message["msgid"]))
        late = await impatient.send(message)
        cities.wire.deaf = False
        new = await hospital.call(
            "2304", given, msgid=hospital.institution + "20261122190000" + "0001"
        )

        assert given_up["infcode"] == "0"
        assert late["err_msg"].startswith("[MESSAGE_REVERSED] ")
        assert new["infcode"] == "0"
        assert sorted(claim_states(cities)) == ["settled", "voided"]

    on_two_nodes(tmp_path, work)


def test_reversing_one_of_two_messages(tmp_path: Path) -> None:
    """A settlement stands while one message that was answered with it stands."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        first, second = (hospital.envelope("2304", given) for _ in range(2))
        await hospital.send(first)
        await hospital.send(second)
        one = await hospital.call("2601", reversing(given, first["msgid"]))
        states = claim_states(cities)
        both = await hospital.call("2601", reversing(given, second["msgid"]))
        await cities.quiet()

        assert "REVERSAL_STANDS" in one["warn_msg"]
        assert states == ["settled"]
        assert both["warn_msg"] is None
        assert claim_states(cities) == ["voided"]

    on_two_nodes(tmp_path, work)


def test_a_settlement_taken_back_before_its_2304_is_answered(tmp_path: Path) -> None:
    """A void between the decision and the answer: the late answer must not say settled."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        message = hospital.envelope("2304", await hospital.discharged())
        desk = hospital.edge._desk  # noqa: SLF001 the moment between is inside the edge
        patient = desk.patient

        async def void_first(caller: Caller, person_id: str) -> Identified:
            with cities.tianjin.database.snapshot() as snapshot:
                claim = snapshot.select(CLAIMS)[0]
            await desk.void(caller, claim.settlement_id)
            return await patient(caller, person_id)

        with patch.object(desk, "patient", void_first):
            answer = await hospital.send(message)

        assert answer["infcode"] == "-1"
        assert "SETTLEMENT_NOT_IN_FORCE" in answer["err_msg"]
        await cities.quiet()
        assert claim_states(cities) == ["voided"]

    on_two_nodes(tmp_path, work)
