"""What a broken or lying peer, and an unlucky order of events, may do to a settlement: little.

The peer is played by its own key: what is sent here is signed and numbered as it should be, and
wrong in one place.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.services.settlement.two_cities import (
    INSURED,
    VISITED,
    TwoCities,
    id_number,
    two_cities,
)
from tongcheng.kernel import canonical, envelope, ids, ledger
from tongcheng.kernel.envelope import Envelope
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import CHANNELS, TAKEN
from tongcheng.kernel.exchange.transport import PeerRefused
from tongcheng.node.core import Node
from tongcheng.services.settlement import model, reconcile, sides, visited
from tongcheng.services.settlement.lines import amount_of
from tongcheng.services.settlement.store import PATIENTS, ClaimRow

Body = dict[str, Any]


def _run(folder: Path, work: Callable[[TwoCities], Awaitable[None]]) -> None:
    async def main() -> None:
        async with two_cities(folder) as cities:
            await work(cities)

    asyncio.run(main())


async def _pending(cities: TwoCities) -> tuple[ClaimRow, Body]:
    """Ask for a settlement over a cut wire; return the claim and what Beijing would answer."""
    stay, total_fen = await cities.discharged()
    _, _, result = await cities.desk.estimate(cities.caller, stay.stay_id, total_fen)
    cities.wire.cut = True
    claim: ClaimRow = await cities.tianjin.run(
        lambda tx: visited.start_settlement(tx, cities.caller, stay.stay_id, total_fen)
    )
    body = model.SettledBody(claim.settlement_id, 1, "2026-11", result)
    plain: Body = msgspec.json.decode(canonical.encode(body))
    return claim, plain


async def forge(
    sender: Node,
    receiver: Node,
    envelope_type: str,
    body: Body,
    reply_to: str | None,
    *,
    case: str | None = None,
) -> str | None:
    """Send one act under the sender's key and next number; return the code it was refused with."""
    src, dst = sender.home.member_id, receiver.home.member_id
    channel = await receiver.read(lambda s: s.get(CHANNELS, src, dst))
    now_at = receiver.clock.now()
    act = Envelope(
        id=ids.uuid7(now_at, sender.home.entropy),
        src=src,
        dst=dst,
        seq=1 if channel is None else channel.next_seq,
        type=envelope_type,
        made_at=now_at,
        accord=sender.home.accord.digest(),
        body=body,
        reply_to=reply_to,
        case=case,
    )
    raw = envelope.pack(
        sender.home.ring.signing,
        src=src,
        dst=dst,
        envelopes=[act.encoded()],
        acknowledged=0,
        sent_at=now_at,
    )
    await receiver.exchange.receive(raw)
    taken = await receiver.read(lambda s: s.get(TAKEN, act.id))
    assert taken is not None
    return taken.refusal_code


def _result(**changes: Any) -> Callable[[Body], None]:
    return lambda body: body["result"].update(changes)


def _fund(index: int, **changes: Any) -> Callable[[Body], None]:
    return lambda body: body["result"]["funds"][index].update(changes)


def _trace(**changes: Any) -> Callable[[Body], None]:
    return lambda body: body["result"]["trace"][0].update(changes)


def _twice(body: Body) -> None:
    """Split one fund's payment into two entries: the sum still closes."""
    first = body["result"]["funds"][0]
    half = first["amount_fen"] // 2
    body["result"]["funds"].append(first | {"amount_fen": half})
    first["amount_fen"] -= half


def _moved(body: Body) -> None:
    """Let another fund's purse pay what the pool owes."""
    pool, large = body["result"]["funds"]
    pool["purse"] = large["purse"]


def _of(**changes: Any) -> Callable[[Body], None]:
    return lambda body: body.update(changes)


LIES: dict[str, tuple[Callable[[Body], None], str]] = {
    "a fund pays less than nothing": (_fund(0, amount_fen=-1), "SCHEMA_MISMATCH"),
    "a fund pays more than any bill": (_fund(0, amount_fen=2**53 - 1), "SCHEMA_MISMATCH"),
    "a fund pays a fen too much": (
        lambda body: _fund(0, amount_fen=body["result"]["funds"][0]["amount_fen"] + 1)(body),
        "SETTLED_DOES_NOT_ADD_UP",
    ),
    "the account pays more than the person": (
        lambda body: _result(account_fen=body["result"]["person_fen"] + 1)(body),
        "SETTLED_DOES_NOT_ADD_UP",
    ),
    "one fund twice": (_twice, "SETTLED_DOES_NOT_ADD_UP"),
    "another fund's purse": (_moved, "PURSE_UNKNOWN"),
    "a fund that nobody agreed on": (
        _fund(1, fund="river"),
        "PURSE_NOT_IN_ACCORD",
    ),
    "a share over nothing": (_trace(amount_over=0), "SETTLED_DOES_NOT_ADD_UP"),
    "no month of any year": (_of(month="9999-99"), "SCHEMA_MISMATCH"),
    "a month with a line end": (_of(month="2026-11\n"), "SCHEMA_MISMATCH"),
    "a month to come": (_of(month="2027-01"), "SETTLED_MONTH"),
    "a month that is closed": (_of(month="2026-10"), "SETTLED_MONTH"),
    "a decision without a number": (_of(decision_no=0), "SCHEMA_MISMATCH"),
    "a settlement of nobody's": (_of(settlement_id="nobody"), "SETTLEMENT_UNKNOWN"),
}


@pytest.mark.parametrize("lie", LIES)
def test_answer_that_lies_posts_nothing(tmp_path: Path, lie: str) -> None:
    """It is refused by name; the claim stays pending, its holds stay, no account has moved."""
    change, code = LIES[lie]

    async def work(cities: TwoCities) -> None:
        claim, body = await _pending(cities)
        change(body)

        refused = await forge(cities.beijing, cities.tianjin, model.SETTLED, body, claim.settle_id)

        after = await cities.desk.claim(cities.caller, claim.settlement_id)
        accounts = await cities.tianjin.read(lambda s: s.select(ledger.ACCOUNTS))
        assert refused == code
        assert after.state == "pending"
        assert [row.balance_fen for row in accounts] == [0] * 4
        assert all(row.debit_held_fen + row.credit_held_fen > 0 for row in accounts)

    _run(tmp_path, work)


def test_true_answer_is_taken(tmp_path: Path) -> None:
    """The lies above differ from this one in one place each."""

    async def work(cities: TwoCities) -> None:
        claim, body = await _pending(cities)
        refused = await forge(cities.beijing, cities.tianjin, model.SETTLED, body, claim.settle_id)
        after = await cities.desk.claim(cities.caller, claim.settlement_id)
        assert (refused, after.state) == (None, "settled")

    _run(tmp_path, work)


def test_cancelled_after_an_unacceptable_answer_holds_nothing(tmp_path: Path) -> None:
    """Nothing was posted, so the void closes the holds, whatever the peer had decided."""

    async def work(cities: TwoCities) -> None:
        claim, body = await _pending(cities)
        lie = msgspec.json.decode(msgspec.json.encode(body)) | {"month": "2026-10"}
        await forge(cities.beijing, cities.tianjin, model.SETTLED, lie, claim.settle_id)
        cancelled = await cities.desk.void(cities.caller, claim.settlement_id)
        voided = {
            "settlement_id": claim.settlement_id,
            "was": "settled",
            "later": [],
            "month": "2026-10",
            "funds": body["result"]["funds"],
        }
        refused = await forge(
            cities.beijing, cities.tianjin, model.VOIDED, voided, cancelled.void_id
        )

        after = await cities.desk.claim(cities.caller, claim.settlement_id)
        accounts = await cities.tianjin.read(lambda s: s.select(ledger.ACCOUNTS))
        assert (refused, after.state) == (None, "voided")
        assert {(row.balance_fen, row.debit_held_fen) for row in accounts} == {(0, 0)}

    _run(tmp_path, work)


def test_unacceptable_answer_is_no_settlement_in_flight(tmp_path: Path) -> None:
    """Beijing has decided and Tianjin cannot book it: reconcile must not wait for an answer."""

    async def work(cities: TwoCities) -> None:
        claim, body = await _pending(cities)
        before = await cities.tianjin.read(lambda s: sides.visited_side(s, INSURED, 1))
        await forge(
            cities.beijing,
            cities.tianjin,
            model.SETTLED,
            body | {"month": "2026-10"},
            claim.settle_id,
        )
        after = await cities.tianjin.read(lambda s: sides.visited_side(s, INSURED, 1))
        decided = msgspec.structs.replace(before.rows[0], state="settled", since_at=0)
        there = reconcile.Side((decided,), (), 1)
        found = reconcile.compare(VISITED, INSURED, after, there, now_at=1)

        assert [row.state for row in before.rows + after.rows] == ["pending", sides.UNACCEPTED]
        assert [row.kind for row in found.findings] == ["state"]
        assert not found.mirrored

    _run(tmp_path, work)


def test_peers_refusal_with_a_code_of_its_own_is_the_peers(tmp_path: Path) -> None:
    """The desk must be able to say it: a refusal of ours under an unknown code would be a bug."""

    async def work(cities: TwoCities) -> None:
        claim, _ = await _pending(cities)
        body = {"code": "NEW_IN_BEIJING", "facts": {"self": 1, "code": "x"}}
        await forge(cities.beijing, cities.tianjin, "exchange.refused/1", body, claim.settle_id)
        after = await cities.desk.claim(cities.caller, claim.settlement_id)
        refusal = visited.refusal_of(after)
        assert after.state == "refused"
        assert isinstance(refusal, PeerRefused)
        assert (refusal.peer, refusal.code) == (INSURED, "NEW_IN_BEIJING")

    _run(tmp_path, work)


def test_refusal_of_a_settled_claim_changes_nothing(tmp_path: Path) -> None:
    """The first answer is the decision; a second one is refused."""

    async def work(cities: TwoCities) -> None:
        claim, body = await _pending(cities)
        await forge(cities.beijing, cities.tianjin, model.SETTLED, body, claim.settle_id)
        no = {"code": "AMOUNT_MALFORMED", "facts": {}}
        again = await forge(
            cities.beijing, cities.tianjin, "exchange.refused/1", no, claim.settle_id
        )
        unasked = {
            "settlement_id": claim.settlement_id,
            "was": "settled",
            "later": [],
            "month": "2026-11",
            "funds": body["result"]["funds"],
        }
        void = await forge(cities.beijing, cities.tianjin, model.VOIDED, unasked, None)

        after = await cities.desk.claim(cities.caller, claim.settlement_id)
        assert (again, void, after.state) == ("SETTLEMENT_STATE", "SETTLEMENT_STATE", "settled")

    _run(tmp_path, work)


def _facts(**changes: Any) -> Callable[[Body], None]:
    return lambda body: body["facts"].update(changes)


FALSE_QUESTIONS: dict[str, tuple[Callable[[Body], None], str]] = {
    "a discharge in a year to come": (
        _facts(discharged_on="2999-01-01", period_to_on="2999-01-01"),
        "DATE_IN_FUTURE",
    ),
    "a day that does not exist": (
        _facts(discharged_on="2026-02-30", period_to_on="2026-02-30"),
        "DATE_MALFORMED",
    ),
    "an id with a path": (_of(settlement_id="../../etc"), "SCHEMA_MISMATCH"),
    "an id with a line end": (_of(settlement_id="abc\n"), "SCHEMA_MISMATCH"),
    "a person of nobody's": (_facts(person_id="0" * 26), "PERSON_UNKNOWN"),
    "another scheme": (_facts(scheme="390"), "PERSON_DIFFERS"),
    "a hospital where the person is at home": (
        _facts(institution_admdvs="110000"),
        "STAY_PLACE",
    ),
    "a hospital of a third member": (_facts(institution_admdvs="130100"), "STAY_PLACE"),
    "a hospital everywhere": (_facts(institution_admdvs="000000"), "STAY_PLACE"),
    "a hospital outside the region": (_facts(institution_admdvs="310000"), "STAY_PLACE"),
    "a bill that does not add up": (
        lambda body: body["facts"]["totals"].update(total_fen=1),
        "TOTALS_DO_NOT_ADD_UP",
    ),
}


@pytest.mark.parametrize("question", FALSE_QUESTIONS)
def test_false_question_is_refused_and_decides_nothing(tmp_path: Path, question: str) -> None:
    """The insured side checks what it is told; the refusal is its stored decision."""
    change, code = FALSE_QUESTIONS[question]

    async def work(cities: TwoCities) -> None:
        stay, _ = await cities.discharged()
        asked = await cities.tianjin.read(
            lambda s: visited.estimate_ask(
                s, cities.tianjin.home.region.zone, stay, None, cities.clock.now()
            )
        )
        facts = msgspec.json.decode(canonical.encode(asked.facts))
        body = {"settlement_id": "forged", "facts": facts}
        change(body)
        cities.wire.cut = True

        assert await forge(cities.tianjin, cities.beijing, model.SETTLE, body, None) == code
        accounts = await cities.beijing.read(lambda s: s.select(ledger.ACCOUNTS))
        assert accounts == []

    _run(tmp_path, work)


def test_scheme_that_the_accord_does_not_clear_is_refused_before_it_is_asked(
    tmp_path: Path,
) -> None:
    """Else the insured side would decide what this side cannot book: a one-sided settlement."""

    async def work(cities: TwoCities) -> None:
        stay, total_fen = await cities.discharged()
        for node in (cities.tianjin, cities.beijing):
            node.home.accord_in_force = msgspec.structs.replace(node.home.accord, purses=[])
        with pytest.raises(Refused) as refused:
            await cities.desk.settle(cities.caller, stay.stay_id, total_fen)

        after = await cities.desk.stay(cities.caller, stay.stay_id)
        assert refused.value.code == "PURSE_NOT_IN_ACCORD"
        assert after.state == "discharged"

    _run(tmp_path, work)


@pytest.mark.parametrize("change", [{"insured_member": "hebei-hsb"}, {"id_index": "other"}])
def test_members_cannot_take_over_a_persons_id(tmp_path: Path, change: dict[str, str]) -> None:
    """An id that one member gave for one person is not another member's, nor another person's."""

    async def work(cities: TwoCities) -> None:
        found = await cities.desk.identify(cities.caller, id_number(0))
        other = msgspec.structs.replace(found.patient, **change)
        with pytest.raises(Refused) as refused:
            await cities.tianjin.run(lambda tx: visited.remember_patient(tx, cities.other, other))

        kept = await cities.tianjin.read(lambda s: s.get(PATIENTS, found.patient.person_id))
        assert refused.value.code == "PERSON_DIFFERS"
        assert kept == found.patient

    _run(tmp_path, work)


def test_line_revoked_and_sent_again_keeps_the_order_of_the_bill(tmp_path: Path) -> None:
    """A refund of it then has a later number; with the same one the bill could not be read."""

    async def work(cities: TwoCities) -> None:
        stay = await cities.admitted()
        first, line = cities.bill()[:2]
        line = msgspec.structs.replace(line, line_id="Z")
        desk, caller = cities.desk, cities.caller
        await desk.add_lines(caller, stay.stay_id, [first, line])
        await desk.revoke_lines(caller, stay.stay_id, "Z")
        await desk.add_lines(caller, stay.stay_id, [line])
        quantity = -10_000
        refund = msgspec.structs.replace(
            line,
            line_id="B",
            quantity_e4=quantity,
            amount_fen=amount_of(quantity, line.unit_price_e6),
            original_line_id="Z",
        )
        await desk.add_lines(caller, stay.stay_id, [refund])
        again = await desk.add_lines(caller, stay.stay_id, [cities.bill()[2]])

        rows = await desk.lines(caller, stay.stay_id)
        assert [row.line_id for row in rows] == ["L1", "Z", "B", "L3"]
        assert len({row.number for row in rows}) == len(rows)
        assert again[0].line_id == "L3"

    _run(tmp_path, work)
