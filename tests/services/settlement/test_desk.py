"""The use cases of a hospital's desk, over two nodes in one process."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from tests.services.settlement.two_cities import (
    DAY_MS,
    INSURED,
    TwoCities,
    id_number,
    stored_digest,
    two_cities,
)
from tongcheng.kernel import audit
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.ledger import ACCOUNTS
from tongcheng.services.settlement.bills import ALL_LINES
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.store import PATIENTS
from tongcheng.services.settlement.visited import Admission

Work = Callable[[TwoCities], Awaitable[object]]


def _run(folder: Path, work: Work) -> None:
    async def all_of_it() -> None:
        async with two_cities(folder) as cities:
            await work(cities)

    asyncio.run(all_of_it())


async def _code(asked: Awaitable[object]) -> str:
    """Return the code under which something is refused."""
    with pytest.raises(Refused) as caught:
        await asked
    return caught.value.code


def test_one_stay_from_identity_to_settlement(tmp_path: Path) -> None:
    """The estimate is what the settlement pays, and both sides hold the same amounts."""

    async def work(cities: TwoCities) -> None:
        stay, total_fen = await cities.discharged()
        _, totals, estimate = await cities.desk.estimate(cities.caller, stay.stay_id, total_fen)
        claim = await cities.desk.settle(cities.caller, stay.stay_id, total_fen)
        owed = {}
        for node in (cities.tianjin, cities.beijing):
            rows = await node.read(lambda snapshot: snapshot.select(ACCOUNTS))
            between = [row for row in rows if row.account_id.startswith("due_")]
            owed[node.home.member_id] = sum(row.balance_fen for row in between)

        assert claim.state == "settled"
        assert totals.total_fen == claim.total_fen == claim.fund_fen + claim.person_fen
        assert (claim.fund_fen, claim.person_fen) == (estimate.fund_fen, estimate.person_fen)
        assert sum(owed.values()) == 0
        assert claim.fund_fen in owed.values()

    _run(tmp_path, work)


# finding a person


def test_who_is_asked(tmp_path: Path) -> None:
    """A local area, an area of nobody, a member that says no, members that are silent."""

    async def work(cities: TwoCities) -> None:
        ask, caller = cities.desk.identify, cities.caller
        local = await _code(ask(caller, id_number(0), "120000"))
        nobodys = await _code(ask(caller, id_number(0), "990000"))
        unknown = await _code(ask(caller, "11010119500101999T"))
        cities.wire.cut = True
        silent = await _code(ask(caller, id_number(0)))

        assert (local, nobodys) == ("PERSON_IS_LOCAL", "REGION_UNKNOWN_AREA")
        assert (unknown, silent) == ("PERSON_NOT_FOUND", "PERSON_MEMBERS_SILENT")
        noted = await cities.tianjin.read(lambda s: s.select(audit.AUDIT))
        tried = [row.actor for row in noted if row.detail == "not found"]
        assert tried == [caller.institution_id]
        assert "11010119500101999T" not in str(noted)

    _run(tmp_path, work)


def test_the_same_person_keeps_the_same_id(tmp_path: Path) -> None:
    """One id for both hospitals of a city, sealed in the store, and each must identify first."""

    async def work(cities: TwoCities) -> None:
        first = await cities.desk.identify(cities.caller, id_number(0))
        person_id = first.patient.person_id
        before = await _code(cities.desk.patient(cities.other, person_id))
        second = await cities.desk.identify(cities.other, id_number(0))
        row = await cities.tianjin.read(lambda s: s.get(PATIENTS, person_id))

        assert before == "PERSON_NOT_IDENTIFIED"
        assert second.patient.person_id == person_id
        assert row is not None
        assert row.insured_member == INSURED
        assert id_number(0).encode() not in row.identity

    _run(tmp_path, work)


# stay and bill


def test_repetitions_change_nothing(tmp_path: Path) -> None:
    """The same admission, lines and discharge again are the ones that are there."""

    async def work(cities: TwoCities) -> None:
        stay, _ = await cities.discharged()
        before = await cities.desk.lines(cities.caller, stay.stay_id)
        again = await cities.admitted()
        await cities.desk.add_lines(cities.caller, stay.stay_id, cities.bill())
        assert stay.discharged_at is not None
        closed = await cities.desk.discharge(cities.caller, stay.stay_id, stay.discharged_at)

        assert again.stay_id == stay.stay_id
        assert await cities.desk.lines(cities.caller, stay.stay_id) == before
        assert closed == stay

    _run(tmp_path, work)


def test_what_a_stay_refuses(tmp_path: Path) -> None:
    """Each misuse has its code, and none of them leaves anything behind."""

    async def work(cities: TwoCities) -> None:
        desk, who = cities.desk, cities.caller
        stay = await cities.admitted()
        now_at = cities.clock.now()
        other = Admission(stay.person_id, "310", stay.inpatient_no, stay.admitted_at + 1)
        resident = Admission(stay.person_id, "390", "ZY9", stay.admitted_at)
        changed = [msgspec.structs.replace(one, hospital_code="x") for one in cities.bill()]
        wrong = [msgspec.structs.replace(changed[0], amount_fen=1)]
        before = stored_digest(cities.tianjin)
        found = [
            await _code(desk.admit(who, other)),
            await _code(desk.admit(who, resident)),
            await _code(desk.add_lines(who, stay.stay_id, wrong)),
            await _code(desk.revoke_lines(who, stay.stay_id, "L9")),
            await _code(desk.discharge(who, stay.stay_id, stay.admitted_at - DAY_MS)),
            await _code(desk.discharge(who, stay.stay_id, now_at + DAY_MS)),
            await _code(desk.settle(who, stay.stay_id, 0)),
            await _code(desk.estimate(who, stay.stay_id, 0)),
        ]

        assert found == [
            "INPATIENT_NO_USED",
            "SCHEME_DIFFERS",
            "LINE_AMOUNT_MISMATCH",
            "LINE_UNKNOWN",
            "DISCHARGE_BEFORE_ADMISSION",
            "DATE_IN_FUTURE",
            "STAY_NOT_DISCHARGED",
            "STAY_NOT_DISCHARGED",
        ]
        assert stored_digest(cities.tianjin) == before

    _run(tmp_path, work)


def test_a_settled_stay_stands(tmp_path: Path) -> None:
    """No line, no discharge, no estimate after settling; after a void all of it again."""

    async def work(cities: TwoCities) -> None:
        desk, who = cities.desk, cities.caller
        claim = await cities.settled()
        stay_id, total = claim.stay_id, claim.total_fen
        found = {
            await _code(desk.revoke_lines(who, stay_id, ALL_LINES)),
            await _code(desk.discharge(who, stay_id, cities.clock.now())),
            await _code(desk.estimate(who, stay_id, total)),
        }
        differs = await _code(desk.settle(who, stay_id, total + 1))
        await desk.void(who, claim.settlement_id)
        await cities.quiet()
        revoked = await desk.revoke_lines(who, stay_id, ALL_LINES)
        empty = await _code(desk.settle(who, stay_id, 0))

        assert found == {"STAY_STATE"}
        assert (differs, revoked, empty) == ("UPLOADED_DIFFERS", 4, "BILL_EMPTY")

    _run(tmp_path, work)


# settling while the other side is away


def test_an_estimate_needs_the_insured_side(tmp_path: Path) -> None:
    """Silence is refused by the member's name, and nothing waits for it."""

    async def work(cities: TwoCities) -> None:
        stay, total = await cities.discharged()
        cities.wire.cut = True
        code = await _code(cities.desk.estimate(cities.caller, stay.stay_id, total))

        assert code == "INSURED_SIDE_SILENT"

    _run(tmp_path, work)


def test_a_pending_settlement_is_joined(tmp_path: Path) -> None:
    """Asked again while undecided, under whatever message, it is the same settlement."""

    async def work(cities: TwoCities) -> None:
        stay, total = await cities.discharged()
        impatient = Desk(cities.tianjin, wait_ms=0)
        cities.wire.cut = True
        codes = [
            await _code(impatient.settle(cities.caller, stay.stay_id, total)) for _ in range(2)
        ]
        held = await cities.tianjin.read(lambda snapshot: snapshot.select(ACCOUNTS))
        cities.wire.cut = False
        claim = await cities.desk.settle(cities.caller, stay.stay_id, total)
        after = await cities.tianjin.read(lambda snapshot: snapshot.select(ACCOUNTS))

        assert codes == ["SETTLE-PENDING"] * 2
        assert {row.debit_held_fen for row in held if row.account_id.startswith("due_from")} == {
            claim.in_scope_fen
        }
        assert claim.state == "settled"
        assert {row.debit_held_fen for row in after} == {0}

    _run(tmp_path, work)


def test_two_stays_use_one_deductible(tmp_path: Path) -> None:
    """Settled at the same moment, the second is a later admission of the same year."""

    async def work(cities: TwoCities) -> None:
        here, there = await asyncio.gather(
            cities.discharged(), cities.discharged(caller=cities.other)
        )
        one, two = await asyncio.gather(
            cities.desk.settle(cities.caller, here[0].stay_id, here[1]),
            cities.desk.settle(cities.other, there[0].stay_id, there[1]),
        )

        assert {one.decision_no, two.decision_no} == {1, 2}
        assert one.fund_fen != two.fund_fen

    _run(tmp_path, work)
