"""Settlement rows rebuilt and compared: sound books say nothing, each planted lie is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.services.settlement.two_cities import TwoCities, running
from tongcheng.kernel import canonical
from tongcheng.kernel.ledger import HOLDS, TRANSFERS
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Database, Records, Snapshot, Transaction
from tongcheng.node.core import Node
from tongcheng.services.settlement import store
from tongcheng.services.settlement.accumulators import import_opening
from tongcheng.services.settlement.bill import Accumulators
from tongcheng.services.settlement.service import SERVICE
from tongcheng.services.settlement.verify import VERIFY


async def _findings(node: Node) -> list[Finding]:
    def question(snapshot: Snapshot) -> list[Finding]:
        return [found for each in SERVICE.verify for found in each(snapshot, node.home)]

    return await node.read(question)


async def _story(cities: TwoCities) -> None:
    """Import an opening, settle three stays, void one."""

    def openings(tx: Transaction) -> None:
        person = tx.select(store.PERSONS)[0]
        used = Accumulators(
            pool_paid_fen=5_000_00,
            large_paid_fen=0,
            deductible_paid_fen=1_300_00,
            admissions=1,
        )
        import_opening(tx, person.person_key, 2026, used, "core system")

    await cities.beijing.run(openings)
    await cities.settled(0)
    gone = await cities.settled(1)
    await cities.desk.void(cities.caller, gone.settlement_id)
    await cities.settled(2, days=2_000)
    await cities.quiet()


def _change(
    records: Records[Any], which: int = 0, **values: object
) -> Callable[[Transaction], None]:
    """Return a command that replaces values of a table's row, under a sound MAC."""

    def command(tx: Transaction) -> None:
        row = tx.select(records)[which]
        tx.put(records, msgspec.structs.replace(row, **values))

    return command


def test_sound_books_say_nothing(tmp_path: Path) -> None:
    """Openings, settlements and voids verify on both sides."""
    assert set(VERIFY) < set(SERVICE.verify)
    with running(tmp_path) as city:
        city.run(_story(city.cities))

        assert city.run(_findings(city.cities.beijing)) == []
        assert city.run(_findings(city.cities.tianjin)) == []


def _damaged_result(tx: Transaction) -> None:
    row = next(one for one in tx.select(store.DECISIONS) if one.state == "settled")
    result = canonical.decode(row.result)
    assert isinstance(result, dict)
    result["deductible_fen"] = 1
    tx.put(store.DECISIONS, msgspec.structs.replace(row, result=canonical.encode(result)))


def _voided_to_settled(tx: Transaction) -> None:
    row = next(one for one in tx.select(store.DECISIONS) if one.state == "voided")
    tx.put(store.DECISIONS, msgspec.structs.replace(row, state="settled"))


INSURED_SIDE = {
    "year": (_change(store.YEARS, pool_paid_fen=1), "not the sum of its entries"),
    "entry": (_change(store.ENTRIES, subject_id="other"), "differs from the journal"),
    "number": (_change(store.DECISION_HEAD, count=9), "9 decisions were counted"),
    "amounts": (_change(store.DECISIONS, person_fen=1), "do not add up to the stored result"),
    "facts": (_change(store.DECISIONS, facts=b"{}"), "differ from the envelope that asked"),
    "month": (_change(store.DECISIONS, month="2026-01"), "month differ from the answer"),
    "state": (_voided_to_settled, "entries of the year are not"),
    "result": (_damaged_result, "result differs from the answer that was sent"),
}


@pytest.mark.parametrize("lie", INSURED_SIDE)
def test_lies_of_the_insured_side(tmp_path: Path, lie: str) -> None:
    """Each row that was changed under a sound MAC contradicts another, and is named."""
    command, problem = INSURED_SIDE[lie]
    with running(tmp_path) as city:
        city.run(_story(city.cities))
        node = city.cities.beijing
        city.run(node.run(command))
        found = city.run(_findings(node))

    assert any(problem in one.problem for one in found), found


def test_lie_in_the_ledger(tmp_path: Path) -> None:
    """A transfer that was changed around the writer, which never changes one, is named as well."""
    with running(tmp_path) as city:
        city.run(_story(city.cities))
        node = city.cities.beijing
        with node.database.snapshot() as snapshot:
            lie = msgspec.structs.replace(snapshot.select(TRANSFERS)[0], amount_fen=1)
        assert isinstance(node.database, Database)
        values = TRANSFERS.encode(lie, node.database.mac_key)
        node.database.writing.execute(TRANSFERS.sql_put, values)
        found = city.run(_findings(node))

    assert any("ledger does not owe what was decided" in one.problem for one in found), found


def _in_force(tx: Transaction) -> store.ClaimRow:
    return next(one for one in tx.select(store.CLAIMS) if one.state == "settled")


def _change_claim(**values: object) -> Callable[[Transaction], None]:
    def command(tx: Transaction) -> None:
        tx.put(store.CLAIMS, msgspec.structs.replace(_in_force(tx), **values))

    return command


def _free_stay(tx: Transaction) -> None:
    stay = tx.need(store.STAYS, _in_force(tx).stay_id)
    tx.put(store.STAYS, msgspec.structs.replace(stay, claim_id=None))


def _wrong_stay(tx: Transaction) -> None:
    stays = [one for one in tx.select(store.STAYS) if one.claim_id is not None]
    tx.put(store.STAYS, msgspec.structs.replace(stays[0], claim_id=stays[1].claim_id))


def _open_hold(tx: Transaction) -> None:
    hold = tx.select(HOLDS)[0]
    tx.put(HOLDS, msgspec.structs.replace(hold, closed_by=None))


VISITED_SIDE = {
    "amounts": (_change_claim(fund_fen=1), "not those of the stored result"),
    "answer": (_change_claim(answer_id=None), "no answer that it came from"),
    "result": (_change_claim(result=b""), "ledger is not owed what was settled"),
    "stay": (_free_stay, "without a settlement"),
    "wrong stay": (_wrong_stay, "is not this stay's"),
    "hold": (_open_hold, "a hold is open after the answer"),
    "state": (_change_claim(state="refused"), "the stay is settled, its settlement refused"),
}


@pytest.mark.parametrize("lie", VISITED_SIDE)
def test_lies_of_the_visited_side(tmp_path: Path, lie: str) -> None:
    """The same on the side of the hospitals: claims, stays, holds."""
    command, problem = VISITED_SIDE[lie]
    with running(tmp_path) as city:
        city.run(_story(city.cities))
        node = city.cities.tianjin
        city.run(node.run(command))
        found = city.run(_findings(node))

    assert any(problem in one.problem for one in found), found
