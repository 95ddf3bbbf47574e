"""Settling by the national message 2304, so that repeated answers can be compared byte by byte."""

import json
import re
from functools import cache
from typing import Any

from tongcheng.kernel.authority import Caller
from tongcheng.kernel.calendar import local_text
from tongcheng.kernel.errors import Catalogue, Refused
from tongcheng.kernel.money import format_yuan
from tongcheng.node.console import catalogue
from tongcheng.node.services import SERVICES
from tongcheng.services.settlement.desk import Desk
from tongcheng.services.settlement.kept_lines import LineRow
from tongcheng.services.settlement.national import Edge
from tongcheng.services.settlement.national_fields import profiles
from tongcheng.services.settlement.store import StayRow
from tongcheng.simulation.counter import Counter, NoAnswer

SETTLE = "2304"
SERIALS = 10_000
_CODE = re.compile(r"\[([A-Z0-9_-]+)\]")


@cache
def errors() -> Catalogue:
    """Return every refusal's words, read once."""
    return catalogue(SERVICES)


def settle_message(
    stay: StayRow, lines: list[LineRow], id_number: str, *, number: int, at: int, zone: str
) -> bytes:
    """Return a 2304 for a discharged stay; `number` makes its msgid, `at` (UTC ms) its time."""
    second = local_text(at + number // SERIALS * 1_000, zone)
    digits = "".join(each for each in second if each.isdecimal())
    data = {
        "psn_no": stay.person_id,
        "mdtrt_cert_type": "02",
        "mdtrt_cert_no": id_number,
        "psn_setlway": "01",
        "mdtrt_id": stay.stay_id,
        "insutype": stay.scheme,
        "acct_used_flag": "0",
        "mid_setl_flag": "0",
        "medfee_sumamt": format_yuan(sum(line.total_fen for line in lines)),
        "fulamt_ownpay_amt": format_yuan(sum(line.self_paid_fen for line in lines)),
        "overlmt_selfpay": format_yuan(sum(line.over_ceiling_fen for line in lines)),
        "preselfpay_amt": format_yuan(sum(line.first_self_pay_fen for line in lines)),
        "inscp_scp_amt": format_yuan(sum(line.in_scope_fen for line in lines)),
    }
    message = {
        "infno": SETTLE,
        "msgid": f"{stay.institution_id}{digits}{number % SERIALS:04d}",
        "mdtrtarea_admvs": stay.institution_id[1:7],
        "insuplc_admdvs": stay.admdvs,
        "recer_sys_code": "TONGCHENG",
        "infver": "V1.0",
        "opter_type": "1",
        "opter": "0001",
        "opter_name": "模拟收费员",
        "inf_time": local_text(at, zone),
        "fixmedins_code": stay.institution_id,
        "fixmedins_name": "模拟医院",
        "sign_no": None,
        "input": {"data": data},
    }
    return json.dumps(message, ensure_ascii=False).encode()


async def insist(counter: Counter, raw: bytes) -> tuple[bytes, dict[str, Any]]:
    """Send the same bytes until the answer is final; return its bytes and its value."""

    async def answer(desk: Desk, caller: Caller) -> bytes:
        edge = Edge(desk.node, errors(), profiles()[0], wait_ms=counter.wait_ms)
        return await edge.answer(caller, raw)

    calls = 0
    while True:
        calls += 1
        try:
            written = await counter.call(answer)
        except NoAnswer:
            await counter.pause(calls)
            continue
        value: dict[str, Any] = json.loads(written)
        code = code_of(value)
        if code is None or not counter.is_passing(Refused(code)):
            return written, value
        await counter.pause(calls)


def code_of(value: dict[str, Any]) -> str | None:
    """Return the code of a refusal, None for a success."""
    if value["infcode"] == 0:
        return None
    found = _CODE.match(str(value["err_msg"]))
    return found[1] if found else "NO_CODE"
