"""The REST interface over two nodes: what a hospital's own system would call."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.services.settlement.rest import Client, Json, on_rest
from tests.services.settlement.two_cities import DAY_MS, FIRST_HOSPITAL, NOW_AT, SCHEME
from tongcheng.services.settlement.api_caller import PATH
from tongcheng.services.settlement.api_model import NewLine, NewReversal, PersonQuery
from tongcheng.services.settlement.messages import MessageKey

KEY = {"Idempotency-Key": "stay-0001"}


def test_a_stay_from_identity_to_void(tmp_path: Path) -> None:
    """Estimate and settlement agree, amounts add up, a void comes with both sides' evidence."""

    async def work(client: Client, _other: Client) -> None:
        stay_id, total = await client.discharged()
        bill = {"total_fen": total}
        estimate = await client.ok("POST", f"/stays/{stay_id}/estimate", bill)
        settled = await client.ok("POST", f"/stays/{stay_id}/settlement", bill, **KEY)
        shown = await client.ok("GET", f"/settlements/{settled['settlement_id']}")
        stay = await client.ok("GET", f"/stays/{stay_id}")
        voided = await client.ok("POST", f"/settlements/{settled['settlement_id']}/void")
        await client.cities.quiet()
        after = await client.ok("GET", f"/settlements/{settled['settlement_id']}")

        benefit = settled["benefit"]
        assert settled["state"] == "settled"
        assert shown == settled
        assert stay["settlement_id"] == settled["settlement_id"]
        assert benefit["fund_fen"] + benefit["person_fen"] + benefit["hospital_fen"] == total
        assert {k: benefit[k] for k in ("funds", "person_fen", "trace")} == {
            k: estimate[k] for k in ("funds", "person_fen", "trace")
        }
        assert [one["direction"] for one in settled["evidence"]] == ["sent", "taken"]
        assert all(isinstance(one["leaf_index"], int) for one in settled["evidence"])
        assert voided["state"] == "voiding"
        assert after["state"] == "voided"
        assert [one["direction"] for one in after["evidence"]] == ["sent", "taken"] * 2

    on_rest(tmp_path, work)


def test_the_same_key_is_the_same_call(tmp_path: Path) -> None:
    """Same key: same bytes. Other key: the same settlement. Same key, other bill: refused."""

    async def work(client: Client, _other: Client) -> None:
        stay_id, total = await client.discharged()
        path, bill = f"/stays/{stay_id}/settlement", {"total_fen": total}
        first = await client.call("POST", path, bill, **KEY)
        client.cities.clock.advance(60_000)
        again = await client.call("POST", path, bill, **KEY)
        other = await client.ok("POST", path, bill, **{"Idempotency-Key": "stay-0002"})
        reused = await client.call("POST", path, {"total_fen": total + 1}, **KEY)

        assert first.content == again.content
        assert other["settlement_id"] == first.json()["settlement_id"]
        assert (reused.status_code, reused.json()["code"]) == (409, "MSGID_REUSED")

    on_rest(tmp_path, work)


def test_undecided_is_202_and_can_be_given_up(tmp_path: Path) -> None:
    """While the insured side is silent the call says where to look; a reversal ends it."""

    async def work(client: Client, _other: Client) -> None:
        stay_id, total = await client.discharged()
        client.cities.wire.cut = True
        path, bill = f"/stays/{stay_id}/settlement?wait_ms=0", {"total_fen": total}
        pending = await client.call("POST", path, bill, **KEY)
        location = pending.headers["location"]
        shown = await client.ok("GET", location.removeprefix(PATH))
        body = {"idempotency_key": KEY["Idempotency-Key"]}
        given_up = await client.ok("POST", "/reversals", body)
        late = await client.call("POST", path, bill, **KEY)

        assert pending.status_code == 202
        assert shown["state"] == "pending"
        assert given_up == {"meaning": "cancelled"}
        assert (late.status_code, late.json()["code"]) == (409, "MESSAGE_REVERSED")

    on_rest(tmp_path, work)


def test_a_reversal_before_its_call_refuses_it(tmp_path: Path) -> None:
    """What was reversed before it came is refused when it comes, and nothing is settled."""

    async def work(client: Client, _other: Client) -> None:
        stay_id, total = await client.discharged()
        body = {"idempotency_key": KEY["Idempotency-Key"]}
        early = await client.ok("POST", "/reversals", body)
        late = await client.call(
            "POST", f"/stays/{stay_id}/settlement", {"total_fen": total}, **KEY
        )
        stay = await client.ok("GET", f"/stays/{stay_id}")

        assert early == {"meaning": "unseen"}
        assert late.json()["code"] == "MESSAGE_REVERSED"
        assert (stay["state"], stay["settlement_id"]) == ("discharged", None)

    on_rest(tmp_path, work)


OPERATIONS: list[tuple[str, str, Json | None]] = [
    ("GET", "/stays/{stay}", None),
    ("GET", "/stays/{stay}/lines", None),
    ("POST", "/stays/{stay}/lines", {"lines": []}),
    ("DELETE", "/stays/{stay}/lines", None),
    ("POST", "/stays/{stay}/discharge", {"discharged_at": 1}),
    ("POST", "/stays/{stay}/estimate", {"total_fen": 1}),
    ("POST", "/stays/{stay}/settlement", {"total_fen": 1}),
    ("GET", "/settlements/{settlement}", None),
    ("POST", "/settlements/{settlement}/void", None),
]


LINE = {
    "line_id": "X",
    "item_code": "SAMPLE-TJ-X0001",
    "hospital_code": "h",
    "quantity": "1",
    "unit_price": "1",
    "amount_fen": 100,
    "charged_at": NOW_AT - DAY_MS,
}


def test_nothing_of_another_hospital(tmp_path: Path) -> None:
    """Another hospital's ids get the answer of ids that never were, and change nothing."""

    async def work(client: Client, other: Client) -> None:
        stay_id, total = await client.discharged()
        done = await client.ok("POST", f"/stays/{stay_id}/settlement", {"total_fen": total}, **KEY)
        real = {"stay": stay_id, "settlement": done["settlement_id"]}
        made_up = {"stay": "0" * 26, "settlement": "1" * 26}
        for method, template, body in OPERATIONS:
            sent = {"lines": [LINE]} if body == {"lines": []} else body
            mine, nobodys = [
                await other.call(method, template.format(**ids), sent, **KEY)
                for ids in (real, made_up)
            ]
            told = mine.text
            for name, value in real.items():
                told = told.replace(value, made_up[name])
            assert mine.status_code == 404, (template, mine.text)
            assert told == nobodys.text, template
        after = await client.ok("GET", f"/settlements/{done['settlement_id']}")
        assert after == done

    on_rest(tmp_path, work)


def test_a_person_belongs_to_who_identified_them(tmp_path: Path) -> None:
    """A person id that another hospital got is of no use; neither is another's reversal."""

    async def work(client: Client, other: Client) -> None:
        stay_id, total = await client.discharged()
        await client.ok("POST", f"/stays/{stay_id}/settlement", {"total_fen": total}, **KEY)
        stay = await client.ok("GET", f"/stays/{stay_id}")
        admission = {
            "person_id": stay["person_id"],
            "scheme": SCHEME,
            "inpatient_no": "X1",
            "admitted_at": stay["admitted_at"],
        }
        refused = await other.call("POST", "/stays", admission)
        reversal = await other.ok("POST", "/reversals", {"idempotency_key": KEY["Idempotency-Key"]})
        after = await client.ok("GET", f"/stays/{stay_id}")

        assert (refused.status_code, refused.json()["code"]) == (404, "PERSON_NOT_IDENTIFIED")
        assert reversal == {"meaning": "unseen"}
        assert after == stay

    on_rest(tmp_path, work)


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer tc_00"}, {"Authorization": "x"}])
def test_without_a_credential(tmp_path: Path, header: dict[str, str]) -> None:
    """No credential, a wrong one, or another scheme: 401, whatever is asked."""

    async def work(client: Client, _other: Client) -> None:
        for method, template, body in OPERATIONS:
            path = PATH + template.format(stay="0" * 26, settlement="1" * 26)
            sent = {"lines": [LINE]} if body == {"lines": []} else body
            response = await client.http.request(method, path, json=sent, headers={**header, **KEY})
            assert response.status_code == 401, response.text

    on_rest(tmp_path, work)


def test_message_keys_of_rest_and_national_never_meet() -> None:
    """A key of the REST interface is no message of any transaction."""
    rest = MessageKey(FIRST_HOSPITAL, "REST", "same")

    assert rest != MessageKey(FIRST_HOSPITAL, "2304", "same")


@pytest.mark.parametrize(
    ("shape", "given"),
    [
        (PersonQuery, {"id_number": "110101199003074477\n"}),
        (NewReversal, {"idempotency_key": "abcdefgh\n"}),
        (NewLine, {**LINE, "line_id": "L1\n"}),
        (NewLine, {**LINE, "quantity": "1\n"}),
        (NewLine, {**LINE, "item_code": "X\n"}),
    ],
)
def test_a_newline_after_an_id_is_another_id(shape: type[Any], given: Json) -> None:
    """Python's `$` also matches before a last newline: an id must not be two texts."""
    clean = {
        name: value.strip() if isinstance(value, str) else value for name, value in given.items()
    }

    assert msgspec.convert(clean, shape)
    with pytest.raises(msgspec.ValidationError, match="regex"):
        msgspec.convert(given, shape)
