"""A whole stay in one call: the same semantics, refusals and repetitions as the separate calls."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.services.settlement.rest import Client, Json, on_rest
from tests.services.settlement.two_cities import DAY_MS, INSURED, SCHEME, id_number
from tongcheng.kernel.audit import AUDIT
from tongcheng.services.settlement.api_caller import PATH
from tongcheng.services.settlement.model import PERSON
from tongcheng.services.settlement.store import CLAIMS, DECISIONS, LINES, MESSAGES, PATIENTS, STAYS

KEY = {"Idempotency-Key": "whole-0001"}
OTHER_KEY = {"Idempotency-Key": "whole-0002"}


def whole(client: Client, number: int = 0, **changes: Any) -> Json:
    """Return a stay of five days with its bill."""
    lines = client.lines()
    now_at = client.cities.clock.now()
    return {
        "patient": {"id_number": id_number(number)},
        "inpatient_no": f"ZY{number}",
        "admitted_at": now_at - 5 * DAY_MS,
        "discharged_at": now_at - 1_000,
        "lines": lines,
        "total_fen": sum(line["amount_fen"] for line in lines),
        **changes,
    }


def counts(client: Client) -> tuple[int, ...]:
    """Return how many stays, lines and claims are kept here."""
    with client.cities.tianjin.database.snapshot() as snapshot:
        return (
            len(snapshot.select(STAYS)),
            sum(row.count for row in snapshot.select(LINES)),
            len(snapshot.select(CLAIMS)),
        )


def test_one_call_is_what_five_calls_are(tmp_path: Path) -> None:
    """The same bill brought whole and in parts: the same split, amounts and kept stay."""

    async def work(client: Client, _other: Client) -> None:
        at_once = await client.ok("POST", "/settlements", whole(client), **KEY)
        stay_id, total = await client.discharged(1)
        bill = {"total_fen": total}
        in_parts = await client.ok("POST", f"/stays/{stay_id}/settlement", bill, **OTHER_KEY)
        lines = [
            (await client.ok("GET", f"/stays/{one['stay_id']}/lines"))["lines"]
            for one in (at_once, in_parts)
        ]
        stays = [await client.ok("GET", f"/stays/{one['stay_id']}") for one in (at_once, in_parts)]
        shown = await client.ok("GET", f"/settlements/{at_once['settlement_id']}")

        assert shown == at_once
        assert lines[0] == lines[1]
        for name in ("state", "scheme", "period", "line_count", "insured_member", "discharged_at"):
            assert stays[0][name] == stays[1][name], name
        for name in ("benefit", "state", "month", "period_from_on", "period_to_on", "final"):
            assert at_once[name] == in_parts[name], name
        assert [one["direction"] for one in at_once["evidence"]] == ["sent", "taken"]

    on_rest(tmp_path, work)


def test_who_was_asked_for_is_in_the_audit(tmp_path: Path) -> None:
    """An id number leaves the trace of 1101; a person identified before is asked for no more."""

    async def work(client: Client, _other: Client) -> None:
        first = await client.ok("POST", "/settlements", whole(client), **KEY)
        stay = await client.ok("GET", f"/stays/{first['stay_id']}")
        known = whole(client, patient=stay["person_id"], inpatient_no="ZY9", scheme=SCHEME)
        await client.ok("POST", "/settlements", known, **OTHER_KEY)
        with client.cities.tianjin.database.snapshot() as snapshot:
            here = snapshot.select(AUDIT, action=PERSON)
        with client.cities.beijing.database.snapshot() as snapshot:
            there = snapshot.select(AUDIT, action=PERSON)

        assert [row.subject for row in here] == [stay["person_id"]]
        assert len(there) == 1

    on_rest(tmp_path, work)


def test_the_same_call_gets_the_same_answer(tmp_path: Path) -> None:
    """Same key: same bytes, also after a void. Other key: the same settlement. Other body: no."""

    async def work(client: Client, _other: Client) -> None:
        body = whole(client)
        first = await client.call("POST", "/settlements", body, **KEY)
        client.cities.clock.advance(60_000)
        again = await client.call("POST", "/settlements", body, **KEY)
        other = await client.ok("POST", "/settlements", body, **OTHER_KEY)
        reused = await client.call("POST", "/settlements", body | {"inpatient_no": "Z"}, **KEY)
        settlement_id = first.json()["settlement_id"]
        await client.ok("POST", f"/settlements/{settlement_id}/void")
        await client.cities.quiet()
        after = await client.call("POST", "/settlements", body, **KEY)
        anew = await client.ok("POST", "/settlements", body, **{"Idempotency-Key": "whole-0003"})

        assert first.content == again.content == after.content
        assert other["settlement_id"] == settlement_id
        assert (reused.status_code, reused.json()["code"]) == (409, "MSGID_REUSED")
        assert anew["stay_id"] == other["stay_id"]
        assert anew["settlement_id"] != settlement_id
        assert anew["benefit"]["funds"] == other["benefit"]["funds"]

    on_rest(tmp_path, work)


def test_the_same_call_at_one_moment_is_one_settlement(tmp_path: Path) -> None:
    """Four at once under one key and four under others: one stay, one claim, one decision."""

    async def work(client: Client, _other: Client) -> None:
        body = whole(client)
        keys = ["whole-0001"] * 4 + [f"whole-1{number:03d}" for number in range(4)]
        answers = await asyncio.gather(
            *(client.ok("POST", "/settlements", body, **{"Idempotency-Key": key}) for key in keys)
        )
        with client.cities.beijing.database.snapshot() as snapshot:
            decisions = snapshot.select(DECISIONS)

        assert len({one["settlement_id"] for one in answers}) == 1
        assert counts(client) == (1, 4, 1)
        assert len(decisions) == 1

    on_rest(tmp_path, work)


def test_undecided_is_202_and_waits_on(tmp_path: Path) -> None:
    """The insured side falls silent after it was asked: 202, then the same call again is 200."""

    async def work(client: Client, _other: Client) -> None:
        person = await client.ok("POST", "/persons/identify", {"id_number": id_number(0)})
        body = whole(client, patient=person["person_id"])
        client.cities.wire.cut = True
        pending = await client.call("POST", "/settlements?wait_ms=0", body, **KEY)
        still = await client.call("POST", "/settlements?wait_ms=0", body, **KEY)
        shown = await client.ok("GET", pending.headers["location"].removeprefix(PATH))
        client.cities.wire.cut = False
        client.cities.tianjin.exchange.line_is_back(INSURED)
        settled = await client.ok("POST", "/settlements", body, **KEY)

        assert pending.status_code == still.status_code == 202
        assert pending.json() == shown == still.json()
        assert shown["state"] == "pending"
        assert settled["state"] == "settled"
        assert settled["settlement_id"] == shown["settlement_id"]

    on_rest(tmp_path, work)


def test_given_up_by_its_key(tmp_path: Path) -> None:
    """A reversal takes a call back that is undecided, and refuses one that had not come."""

    async def work(client: Client, _other: Client) -> None:
        person = await client.ok("POST", "/persons/identify", {"id_number": id_number(0)})
        body = whole(client, patient=person["person_id"])
        client.cities.wire.cut = True
        await client.call("POST", "/settlements?wait_ms=0", body, **KEY)
        meanings = [
            await client.ok("POST", "/reversals", {"idempotency_key": key["Idempotency-Key"]})
            for key in (KEY, OTHER_KEY)
        ]
        late = [await client.call("POST", "/settlements", body, **key) for key in (KEY, OTHER_KEY)]
        states = [(await client.ok("GET", "/settlements/" + sid))["state"] for sid in _ids(client)]

        assert meanings == [{"meaning": "cancelled"}, {"meaning": "unseen"}]
        assert [(one.status_code, one.json()["code"]) for one in late] == [
            (409, "MESSAGE_REVERSED")
        ] * 2
        assert states == ["cancelling"]

    on_rest(tmp_path, work)


def _ids(client: Client) -> list[str]:
    with client.cities.tianjin.database.snapshot() as snapshot:
        return [row.settlement_id for row in snapshot.select(CLAIMS)]


def _line(**changes: Any) -> Callable[[Json], None]:
    return lambda body: body["lines"][-1].update(changes)


FAULTS: dict[str, tuple[Callable[[Json], None], str]] = {
    "a total that the lines do not come to": (
        lambda body: body.update(total_fen=body["total_fen"] + 1_000),
        "UPLOADED_DIFFERS",
    ),
    "an item that is in no catalogue": (_line(item_code="NOWHERE"), "CATALOGUE_ITEM_UNKNOWN"),
    "a line twice": (_line(line_id="L1"), "LINE_DUPLICATE"),
    "an amount that price and quantity do not give": (_line(amount_fen=1), "LINE_AMOUNT_MISMATCH"),
    "a refund of nothing": (
        _line(quantity="-1", amount_fen=-12345, original_line_id="X"),
        "LINE_ORIGINAL_UNKNOWN",
    ),
    "a discharge before the admission": (
        lambda body: body.update(discharged_at=body["admitted_at"] - 1),
        "DISCHARGE_BEFORE_ADMISSION",
    ),
    "a discharge to come": (
        lambda body: body.update(discharged_at=body["discharged_at"] + DAY_MS),
        "DATE_IN_FUTURE",
    ),
    "another scheme than the person's": (lambda body: body.update(scheme="390"), "SCHEME_DIFFERS"),
    "a split that the lines do not give": (
        lambda body: body.update(
            split={
                "self_paid_fen": 0,
                "over_ceiling_fen": 0,
                "first_self_pay_fen": 0,
                "in_scope_fen": body["total_fen"],
            }
        ),
        "SPLIT_DIFFERS",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_refused_makes_nothing(tmp_path: Path, name: str) -> None:
    """No stay, no line, no claim, no message; the person stays identified, and that is audited."""
    spoil, code = FAULTS[name]

    async def work(client: Client, _other: Client) -> None:
        body = whole(client)
        spoil(body)
        refused = await client.call("POST", "/settlements", body, **KEY)
        await client.cities.quiet()
        with client.cities.tianjin.database.snapshot() as snapshot:
            rest = [len(snapshot.select(MESSAGES)), len(snapshot.select(PATIENTS))]
            noted = snapshot.select(AUDIT, action=PERSON)
        with client.cities.beijing.database.snapshot() as snapshot:
            decisions = snapshot.select(DECISIONS)

        assert refused.json()["code"] == code
        assert counts(client) == (0, 0, 0)
        assert rest == [0, 1]
        assert len(noted) == 1
        assert decisions == []
        # The key was not used up: the mended call goes through under it.
        await client.ok("POST", "/settlements", whole(client), **KEY)

    on_rest(tmp_path, work)


def test_nobody_and_somebody_elses_person(tmp_path: Path) -> None:
    """Who is insured nowhere, and a person id that another hospital got, settle nothing."""

    async def work(client: Client, other: Client) -> None:
        nobody = whole(client, patient={"id_number": "11010119500101999T"})
        unknown = await client.call("POST", "/settlements", nobody, **KEY)
        person = await client.ok("POST", "/persons/identify", {"id_number": id_number(0)})
        theirs = whole(client, patient=person["person_id"])
        refused = await other.call("POST", "/settlements", theirs, **KEY)

        assert (unknown.status_code, unknown.json()["code"]) == (404, "PERSON_NOT_FOUND")
        assert (refused.status_code, refused.json()["code"]) == (404, "PERSON_NOT_IDENTIFIED")
        assert counts(client) == (0, 0, 0)

    on_rest(tmp_path, work)


def test_a_settled_stay_with_other_lines_is_refused(tmp_path: Path) -> None:
    """Under a new key a settled stay is the one that it is, or it is refused; nothing changes."""

    async def work(client: Client, _other: Client) -> None:
        body = whole(client)
        first = await client.ok("POST", "/settlements", body, **KEY)
        more = whole(client)
        more["lines"].append(more["lines"][0] | {"line_id": "L9"})
        dearer = whole(client)
        dearer["lines"][0] |= {"quantity": "31", "amount_fen": 31 * 12345}
        later = whole(client, discharged_at=body["discharged_at"] + 500)
        codes = [
            (await client.call("POST", "/settlements", one, **OTHER_KEY)).json()["code"]
            for one in (more, dearer, later)
        ]
        after = await client.ok("GET", f"/settlements/{first['settlement_id']}")

        assert codes == ["STAY_STATE", "LINE_DUPLICATE", "STAY_STATE"]
        assert counts(client) == (1, 4, 1)
        assert after == first

    on_rest(tmp_path, work)


def test_a_refusal_of_the_insured_side_is_told_again(tmp_path: Path) -> None:
    """What the insured side decided against is refused as it said, and the stay is free again."""

    async def work(client: Client, _other: Client) -> None:
        body = whole(client)
        before = client.cities.beijing.home.shelf
        client.cities.beijing.home.shelf = type(before)([], allow_drafts=True)
        refused = [await client.call("POST", "/settlements", body, **KEY) for _ in range(2)]
        client.cities.beijing.home.shelf = before
        settled = await client.ok("POST", "/settlements", body, **OTHER_KEY)

        assert [one.json()["code"] for one in refused] == ["AREA_WITHOUT_RULE_BOOK"] * 2
        assert settled["state"] == "settled"
        assert counts(client) == (1, 4, 2)

    on_rest(tmp_path, work)


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer tc_00"}])
def test_without_a_credential(tmp_path: Path, header: dict[str, str]) -> None:
    """No credential, or a wrong one: 401, and nobody is asked for."""

    async def work(client: Client, _other: Client) -> None:
        response = await client.http.post(
            f"{PATH}/settlements", json=whole(client), headers={**header, **KEY}
        )
        with client.cities.beijing.database.snapshot() as snapshot:
            asked = snapshot.select(AUDIT, action=PERSON)

        assert response.status_code == 401
        assert asked == []
        assert counts(client) == (0, 0, 0)

    on_rest(tmp_path, work)
