"""A hospital's system as tests play it: writes the national messages of one synthetic stay."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from tests.services.settlement.two_cities import (
    DAY_MS,
    FIRST_HOSPITAL,
    ITEMS,
    SCHEME,
    TwoCities,
    id_number,
    two_cities,
)
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.calendar import local_text
from tongcheng.node.console import catalogue
from tongcheng.services.settlement.desk import HOSPITAL_WAIT_MS
from tongcheng.services.settlement.national import Edge
from tongcheng.services.settlement.national_fields import Profile, profiles
from tongcheng.services.settlement.store import CLAIMS

ZONE = "Asia/Shanghai"
CARD = "02"


class Hospital:
    """Sends messages through one edge, counts its msgids and remembers the last bytes sent."""

    def __init__(
        self,
        cities: TwoCities,
        institution: str = FIRST_HOSPITAL,
        profile: Profile | None = None,
        *,
        wait_ms: int = HOSPITAL_WAIT_MS,
    ) -> None:
        node = cities.tianjin
        self.cities = cities
        self.institution = institution
        self.profile = profile or profiles()[0]
        self.caller = Caller(institution, "his")
        self.errors = catalogue(node.services)
        self.edge = Edge(node, self.errors, self.profile, wait_ms=wait_ms)
        self.insuplc = "110000"
        self.sign_no: str | None = None
        self.sent = b""
        self._serial = 0

    def time(self, before_ms: int = 0) -> str:
        """Return a local time, some milliseconds ago."""
        return local_text(self.cities.clock.now() - before_ms, ZONE)

    def msgid(self) -> str:
        """Return a new message id: institution, time, serial number."""
        self._serial += 1
        second = "".join(each for each in self.time() if each.isdecimal())
        return f"{self.institution}{second}{self._serial:04d}"

    def envelope(
        self, infno: str, given: Mapping[str, Any], *, msgid: str | None = None, **changes: Any
    ) -> dict[str, Any]:
        """Return a whole message; `changes` replace fields of its header."""
        header = {
            "infno": infno,
            "msgid": msgid or self.msgid(),
            "mdtrtarea_admvs": "120000",
            "insuplc_admdvs": self.insuplc,
            "recer_sys_code": "TONGCHENG",
            "infver": "V1.0",
            "opter_type": "1",
            "opter": "0001",
            "opter_name": "测试收费员",
            "inf_time": self.time(),
            "fixmedins_code": self.institution,
            "fixmedins_name": "样例医院",
            "sign_no": self.sign_no,
            "input": given,
        }
        return {**header, **changes}

    async def send(self, message: Mapping[str, Any] | bytes) -> dict[str, Any]:
        """Send a message and return the answer, numbers as their text."""
        raw = message if isinstance(message, bytes) else self.encode(message)
        answer = await self.edge.answer(self.caller, raw)
        self.sent, self.received = raw, answer
        return self.decode(answer)

    def encode(self, message: Mapping[str, Any]) -> bytes:
        """Return the bytes of a message in the profile's encoding."""
        return json.dumps(message, ensure_ascii=False).encode(self.profile.encoding)

    def decode(self, answer: bytes) -> dict[str, Any]:
        """Return an answer as a value, numbers as their text."""
        found: dict[str, Any] = json.loads(
            answer.decode(self.profile.encoding), parse_float=str, parse_int=str
        )
        return found

    async def call(self, infno: str, given: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """Send one new message and return its answer."""
        return await self.send(self.envelope(infno, given, **changes))

    # the messages of a stay

    async def identify(self, number: int = 0) -> str:
        """1101: return the person's number."""
        card = {"mdtrt_cert_type": CARD, "mdtrt_cert_no": id_number(number), "psn_cert_type": "01"}
        answer = await self.call("1101", {"data": card})
        person: str = answer["output"]["baseinfo"]["psn_no"]
        return person

    def admission(self, person: str, number: int = 0) -> dict[str, Any]:
        """Return the input of 2401."""
        mdtrtinfo = {
            "psn_no": person,
            "insutype": SCHEME,
            "begntime": self.time(5 * DAY_MS),
            "mdtrt_cert_type": CARD,
            "mdtrt_cert_no": id_number(number),
            "med_type": "21",
            "ipt_no": f"ZY{number:06d}",
            "atddr_no": "D0001",
            "chfpdr_name": "测试医师",
            "adm_diag_dscr": "测试诊断",
            "adm_dept_codg": "A01",
            "adm_dept_name": "测试科室",
            "adm_bed": "1-1",
            "dscg_maindiag_code": "Z00.000",
            "dscg_maindiag_name": "测试诊断",
        }
        return {"mdtrtinfo": mdtrtinfo, "diseinfo": []}

    def lines(self, person: str, stay: str, *, days: int = 30) -> dict[str, Any]:
        """Return the input of 2301: one line for each of ITEMS."""
        rows = [
            {
                "feedetl_sn": f"L{position}",
                "mdtrt_id": stay,
                "psn_no": person,
                "med_type": "21",
                "fee_ocur_time": self.time(3 * DAY_MS),
                "med_list_codg": code,
                "medins_list_codg": f"h-{code}",
                "det_item_fee_sumamt": f"{days * 12345 // 100}.{days * 12345 % 100:02d}",
                "cnt": f"{days}.0000",
                "pric": "123.450000",
                "bilg_dept_codg": "A01",
                "bilg_dept_name": "测试科室",
                "bilg_dr_codg": "D0001",
                "bilg_dr_name": "测试医师",
            }
            for position, code in enumerate(ITEMS, start=1)
        ]
        return {"feedetail": rows}

    def leaving(self, person: str, stay: str) -> dict[str, Any]:
        """Return the input of 2402."""
        dscginfo = {
            "mdtrt_id": stay,
            "psn_no": person,
            "insutype": SCHEME,
            "endtime": self.time(1_000),
            "dscg_dept_codg": "A01",
            "dscg_dept_name": "测试科室",
            "dscg_way": "1",
        }
        return {"dscginfo": dscginfo}

    def bill(
        self, person: str, stay: str, rows: list[dict[str, Any]], number: int = 0
    ) -> dict[str, Any]:
        """Return the input of 2303 and 2304: the sums of what 2301 answered."""
        sums = {
            "medfee_sumamt": _sum(rows, "det_item_fee_sumamt"),
            "fulamt_ownpay_amt": _sum(rows, "fulamt_ownpay_amt"),
            "overlmt_selfpay": _sum(rows, "overlmt_amt"),
            "preselfpay_amt": _sum(rows, "preselfpay_amt"),
            "inscp_scp_amt": _sum(rows, "inscp_scp_amt"),
        }
        data = {
            "psn_no": person,
            "mdtrt_cert_type": CARD,
            "mdtrt_cert_no": id_number(number),
            "psn_setlway": "01",
            "mdtrt_id": stay,
            "insutype": SCHEME,
            "acct_used_flag": "0",
            "mid_setl_flag": "0",
            **sums,
        }
        return {"data": data}

    async def discharged(self, number: int = 0, *, days: int = 30) -> dict[str, Any]:
        """Bring a stay to its discharge; return the input that settles it (2304)."""
        person = await self.identify(number)
        admitted = await self.call("2401", self.admission(person, number))
        stay = admitted["output"]["result"]["mdtrt_id"]
        split = await self.call("2301", self.lines(person, stay, days=days))
        left = await self.call("2402", self.leaving(person, stay))
        assert left["infcode"] == "0", left
        return self.bill(person, stay, split["output"]["result"], number)


def _sum(rows: list[dict[str, Any]], field: str) -> str:
    fen = sum(int(row[field].replace(".", "")) for row in rows)
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def on_two_nodes(folder: Path, work: Callable[[TwoCities, Hospital], Awaitable[None]]) -> None:
    """Run a story with the first hospital over two fresh nodes."""

    async def all_of_it() -> None:
        async with two_cities(folder) as cities:
            await work(cities, Hospital(cities))

    asyncio.run(all_of_it())


def fen(value: str | None) -> int:
    """Read an amount of an answer, which shows every decimal."""
    assert value is not None
    assert value[-3] == "."
    return int(value.replace(".", ""))


async def settled(hospital: Hospital, number: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settle a stay; return the input of its 2304 and the answer's setlinfo."""
    given = await hospital.discharged(number)
    answer = await hospital.call("2304", given)
    assert answer["infcode"] == "0", answer["err_msg"]
    setlinfo: dict[str, Any] = answer["output"]["setlinfo"]
    return given, setlinfo


def taking_back(setlinfo: dict[str, Any]) -> dict[str, Any]:
    """Return the input of 2305 for a settlement."""
    return {"data": {name: setlinfo[name] for name in ("mdtrt_id", "setl_id", "psn_no")}}


def reversing(given: dict[str, Any], msgid: str) -> dict[str, Any]:
    """Return the input of 2601 for a 2304."""
    return {"data": {"psn_no": given["data"]["psn_no"], "omsgid": msgid, "oinfno": "2304"}}


def claim_states(cities: TwoCities) -> list[str]:
    """Return the states of the visited side's settlements, in their order."""
    with cities.tianjin.database.snapshot() as snapshot:
        return [row.state for row in snapshot.select(CLAIMS)]
