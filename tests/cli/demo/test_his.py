"""How a hospital's system behaves when answers are lost: never assumes, never settles twice."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.services.settlement.test_demo import DEMO, generator
from tongcheng.cli.demo.course import Course, Outcome
from tongcheng.cli.demo.his import Failed, Habits, HospitalSystem, read_answer
from tongcheng.services.settlement.demo import PlannedStay

ZONE = "Asia/Shanghai"
LOST = None
"""An answer that never comes."""

Script = Callable[[dict[str, Any]], dict[str, Any] | None]


def answer(code: str | None = None, **output: Any) -> dict[str, Any]:
    """Return an answer of the interface: success, or a refusal under a code."""
    message = "" if code is None else f"[{code}] 甲 · 乙"
    return {"infcode": 0 if code is None else -1, "err_msg": message, "output": output}


def settled(settlement_id: str = "S1") -> dict[str, Any]:
    """Return the answer to a 2304 of ten yuan, of which the pool pays seven."""
    amounts = {"medfee_sumamt": 10.00, "psn_part_amt": 3.00, "hosp_part_amt": 0.00}
    funds = {"hifp_pay": 7.00, "hifob_pay": 0.00, "fund_pay_sumamt": 7.00}
    return answer(setlinfo={"setl_id": settlement_id, **amounts, **funds})


def settle_with(script: Script, habits: Habits, *, stay: PlannedStay | None = None) -> Outcome:
    """Play the settlement of a discharged stay of ten yuan against a scripted interface."""

    def handle(request: httpx.Request) -> httpx.Response:
        given = script(json.loads(request.content))
        if given is None:
            raise httpx.ReadTimeout("lost", request=request)
        return httpx.Response(200, json=given)

    async def work() -> Outcome:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
            system = HospitalSystem(
                client, "http://node", DEMO.hospitals[0], "tc_0", zone=ZONE, habits=habits
            )
            course = Course(system, stay or generator().stay(1), ZONE)
            course.totals = {"medfee_sumamt": 1_000}
            return await course.settle()

    return asyncio.run(work())


def only(choice: str) -> Habits:
    """Return the habits of a system that always does the same, at once."""
    same, anew, reverse = (int(choice == each) for each in ("same", "anew", "reverse"))
    return Habits("test", wait_s=0.0, same=same, anew=anew, reverse=reverse)


def seen_of(replies: list[dict[str, Any] | None]) -> tuple[list[tuple[str, str]], Script]:
    """Return a script that gives these replies in turn, and the (infno, msgid) it was sent."""
    seen: list[tuple[str, str]] = []
    left = iter(replies)

    def script(given: dict[str, Any]) -> dict[str, Any] | None:
        about = given["input"]["data"].get("omsgid", given["msgid"])
        seen.append((given["infno"], about))
        return next(left)

    return seen, script


def test_the_same_message_again() -> None:
    """Lost, then pending, then settled: three times one msgid."""
    seen, script = seen_of([LOST, answer("SETTLE-PENDING"), settled()])

    outcome = settle_with(script, only("same"))

    assert (outcome.ending, outcome.funds["hifp_pay"]) == ("settled", 700)
    assert [infno for infno, _ in seen] == ["2304"] * 3
    assert len({msgid for _, msgid in seen}) == 1


def test_a_new_message() -> None:
    """Each try under a msgid of its own, in the form the interface demands."""
    seen, script = seen_of([LOST, settled()])

    settle_with(script, only("anew"))

    ids = [msgid for _, msgid in seen]
    assert len(set(ids)) == 2
    assert all(len(one) == 30 and one[12:].isdigit() for one in ids)
    assert all(one.startswith(DEMO.hospitals[0].institution_id) for one in ids)


def test_a_reversal_first() -> None:
    """Before it begins anew it reverses exactly the message that was not answered."""
    seen, script = seen_of([LOST, LOST, answer(), settled()])

    settle_with(script, only("reverse"))

    assert [infno for infno, _ in seen] == ["2304", "2601", "2601", "2304"]
    assert seen[0][1] == seen[1][1] == seen[2][1] != seen[3][1]


def test_a_decision_is_not_retried() -> None:
    """A refusal by name ends the stay."""
    seen, script = seen_of([answer("AREA_WITHOUT_RULE_BOOK")])

    outcome = settle_with(script, only("same"))

    assert (outcome.ending, outcome.code) == ("refused", "AREA_WITHOUT_RULE_BOOK")
    assert len(seen) == 1


@pytest.mark.parametrize("field", ["psn_part_amt", "hifp_pay", "medfee_sumamt"])
def test_amounts_that_do_not_close_are_noticed(field: str) -> None:
    """The interface is held to its identity, and to the bill that was sent."""

    def script(_given: dict[str, Any]) -> dict[str, Any]:
        wrong = settled()
        wrong["output"]["setlinfo"][field] = 9.99
        return wrong

    with pytest.raises(Failed):
        settle_with(script, only("same"))


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"<html>", b'{"infcode": null}', b"\xff"])
def test_what_is_no_answer(raw: bytes) -> None:
    """A proxy's page, half an answer, nothing at all: asked again, never believed."""
    found = read_answer(raw)

    assert found is None or found.code == "UNNAMED"
