"""One stay, played by a hospital's system from the door to its end.

It finds the patient, admits, uploads the bill, discharges, asks what it will come to and settles;
now and then it sends a message again, revokes a line, voids or reverses.
"""

import asyncio
from typing import Any, Final, Literal

import msgspec

from tongcheng.cli.demo.his import WAITING, Answered, HospitalSystem, fail
from tongcheng.kernel.calendar import local_text
from tongcheng.kernel.money import parse_yuan
from tongcheng.services.settlement.bills import LineInput
from tongcheng.services.settlement.demo import PlannedStay
from tongcheng.services.settlement.national_messages import number

LINES_A_MESSAGE: Final = 100

PARTS: Final = {
    "medfee_sumamt": "det_item_fee_sumamt",
    "fulamt_ownpay_amt": "fulamt_ownpay_amt",
    "overlmt_selfpay": "overlmt_amt",
    "preselfpay_amt": "preselfpay_amt",
    "inscp_scp_amt": "inscp_scp_amt",
}
"""Field of the bill (2303, 2304) → field of the line's answer (2301) that it is the sum of."""

FUNDS: Final = ("hifp_pay", "hifob_pay")
"""The funds that the shipped rule book pays from at discharge: pool, large amounts."""

Ending = Literal["settled", "refused", "cancelled", "broken"]
"""`broken`: the interface did not keep a promise; `code` says which."""


class Outcome(msgspec.Struct, frozen=True):
    """How a stay ended; amounts in fen, by fund (hifp_pay, hifob_pay) and whom they fall on."""

    number: int
    ending: Ending
    code: str | None = None
    settlement_id: str | None = None
    total_fen: int = 0
    funds: dict[str, int] = {}
    person_fen: int = 0
    hospital_fen: int = 0


async def play(
    system: HospitalSystem, stay: PlannedStay, zone: str, *, in_bed_s: float = 0
) -> Outcome:
    """Take one stay from the door to the end that its plan says; `in_bed_s` before discharge."""
    course = Course(system, stay, zone)
    refusal = await course.identify() or await course.admit() or await course.upload()
    if refusal is None:
        await asyncio.sleep(in_bed_s)
        refusal = await course.discharge()
    if refusal is not None:
        return Outcome(stay.number, "refused", code=refusal)
    await course.estimate()
    return await course.settle()


class Course:
    """One stay under way: what the nodes have told so far."""

    def __init__(self, system: HospitalSystem, stay: PlannedStay, zone: str) -> None:
        self._system = system
        self._stay = stay
        self._zone = zone
        self._psn_no = ""
        self._insured_in = ""
        self._mdtrt_id = ""
        self.totals: dict[str, int] = {}
        """The bill by field of 2303, in fen, as the answers to 2301 split it."""

    async def _insist(self, infno: str, content: dict[str, Any]) -> Answered:
        return await self._system.insist(infno, content, insured_in=self._insured_in)

    @property
    def _certificate(self) -> dict[str, str]:
        return {"mdtrt_cert_type": "02", "mdtrt_cert_no": self._stay.person.id_number}

    async def identify(self) -> str | None:
        """Find the patient (1101); return the code of a refusal."""
        data = {**self._certificate, "psn_cert_type": "01", "psn_name": self._stay.person.name}
        answer = await self._insist("1101", {"data": data})
        if answer.code is not None:
            return answer.code
        self._psn_no = answer.output["baseinfo"]["psn_no"]
        self._insured_in = answer.output["insuinfo"][0]["insuplc_admdvs"]
        return None

    def _diagnosis(self) -> list[dict[str, Any]]:
        return [
            {
                "psn_no": self._psn_no,
                "diag_type": "1",
                "maindiag_flag": "1",
                "diag_srt_no": 1,
                "diag_code": "SAMPLE",
                "diag_name": "示例诊断",
                "diag_dept": "示例科室",
                "dise_dor_no": "0001",
                "dise_dor_name": "示例医生",
                "diag_time": local_text(self._stay.admitted_at, self._zone),
            }
        ]

    async def admit(self) -> str | None:
        """Register the admission (2401)."""
        data = {
            **self._certificate,
            "psn_no": self._psn_no,
            "insutype": self._stay.person.scheme,
            "begntime": local_text(self._stay.admitted_at, self._zone),
            "med_type": "21",
            "ipt_no": self._stay.inpatient_no,
            "atddr_no": "0001",
            "chfpdr_name": "示例医生",
            "adm_diag_dscr": "示例诊断",
            "adm_dept_codg": "01",
            "adm_dept_name": "示例科室",
            "adm_bed": "1",
            "dscg_maindiag_code": "SAMPLE",
            "dscg_maindiag_name": "示例诊断",
        }
        answer = await self._insist("2401", {"mdtrtinfo": data, "diseinfo": self._diagnosis()})
        if answer.code is None:
            self._mdtrt_id = answer.output["result"]["mdtrt_id"]
        return answer.code

    async def upload(self) -> str | None:
        """Upload the bill (2301) in parts; revoke one line and upload it again, if planned."""
        lines = self._stay.lines
        for start in range(0, len(lines), LINES_A_MESSAGE):
            code = await self._upload(lines[start : start + LINES_A_MESSAGE])
            if code is not None:
                return code
        if self._stay.twist == "revoke":
            return await self._revoke_one()
        return None

    async def _upload(self, lines: tuple[LineInput, ...]) -> str | None:
        answer = await self._insist("2301", {"feedetail": [self._line(one) for one in lines]})
        if answer.code is not None:
            return answer.code
        for name in PARTS:
            said = sum(parse_yuan(row[PARTS[name]]) for row in answer.output["result"])
            self.totals[name] = self.totals.get(name, 0) + said
        return None

    def _line(self, one: LineInput) -> dict[str, Any]:
        return {
            "feedetl_sn": one.line_id,
            "init_feedetl_sn": one.original_line_id,
            "mdtrt_id": self._mdtrt_id,
            "psn_no": self._psn_no,
            "med_type": "21",
            "fee_ocur_time": local_text(one.charged_at, self._zone),
            "med_list_codg": one.item_code,
            "medins_list_codg": one.hospital_code,
            "det_item_fee_sumamt": number(one.amount_fen, 2),
            "cnt": number(one.quantity_e4, 4),
            "pric": number(one.unit_price_e6, 6),
            "bilg_dept_codg": "01",
            "bilg_dept_name": "示例科室",
            "bilg_dr_codg": "0001",
            "bilg_dr_name": "示例医生",
        }

    async def _revoke_one(self) -> str | None:
        refunded = {one.original_line_id for one in self._stay.lines}
        line = next(
            one for one in self._stay.lines if one.quantity_e4 > 0 and one.line_id not in refunded
        )
        data = {"feedetl_sn": line.line_id, "mdtrt_id": self._mdtrt_id, "psn_no": self._psn_no}
        answer = await self._insist("2302", {"data": [data]})
        # Asked twice, the first answer lost: the line is gone already, which is what was wanted.
        if answer.code not in {None, "LINE_UNKNOWN"}:
            return answer.code
        before = dict(self.totals)
        code = await self._upload((line,))
        self.totals = before
        return code

    async def discharge(self) -> str | None:
        """Register the discharge (2402)."""
        data = {
            "mdtrt_id": self._mdtrt_id,
            "psn_no": self._psn_no,
            "insutype": self._stay.person.scheme,
            "endtime": local_text(self._stay.discharged_at, self._zone),
            "dscg_dept_codg": "01",
            "dscg_dept_name": "示例科室",
            "dscg_way": "1",
        }
        answer = await self._insist("2402", {"dscginfo": data, "diseinfo": self._diagnosis()})
        return answer.code

    # settlement

    def _bill(self) -> dict[str, Any]:
        return {
            **self._certificate,
            **{name: number(fen, 2) for name, fen in self.totals.items()},
            "psn_no": self._psn_no,
            "psn_setlway": "01",
            "mdtrt_id": self._mdtrt_id,
            "insutype": self._stay.person.scheme,
            "acct_used_flag": "0",
            "mid_setl_flag": "0",
        }

    async def estimate(self) -> None:
        """Ask what it will come to (2303); a refusal is left for the settlement to repeat."""
        await self._system.post("2303", {"data": self._bill()}, insured_in=self._insured_in)

    async def settle(self) -> Outcome:
        """Settle (2304) and do what the plan says besides."""
        msgid, answer = await self._settle()
        twist = self._stay.twist
        if answer.code is not None:
            return Outcome(self._stay.number, "refused", code=answer.code)
        if twist == "repeat":
            self._check(answer.raw == (await self._again(msgid)).raw, "2304 again differs")
        elif twist == "new_msgid":
            again = await self._again(self._system.new_msgid())
            same = again.output["setlinfo"]["setl_id"] == answer.output["setlinfo"]["setl_id"]
            self._check(same, "2304 under a new msgid is another settlement")
        elif twist == "reverse":
            await self._reverse(msgid)
            return Outcome(self._stay.number, "cancelled", code="2601")
        elif twist in {"void", "void_again"}:
            await self._void(answer)
            if twist == "void":
                return Outcome(self._stay.number, "cancelled", code="2305")
            _, answer = await self._settle()
            if answer.code is not None:
                return Outcome(self._stay.number, "refused", code=answer.code)
        return self._outcome(answer)

    async def _post_settle(self, msgid: str) -> Answered | None:
        content = {"data": self._bill()}
        return await self._system.post("2304", content, insured_in=self._insured_in, msgid=msgid)

    async def _settle(self) -> tuple[str, Answered]:
        """Send 2304 until it is decided, as the system's habits say when nothing comes back."""
        msgid = self._system.new_msgid()
        habits = self._system.habits
        attempts = 0
        while True:
            answer = await self._post_settle(msgid)
            if answer is not None and answer.code not in WAITING:
                return msgid, answer
            attempts += 1
            self._check(not habits.gives_up(attempts), "2304 was never answered")
            habits.retries += 1
            await asyncio.sleep(habits.pause_s(attempts))
            then = habits.choose()
            if then == "reverse":
                await self._reverse(msgid)
            if then != "same":
                msgid = self._system.new_msgid()

    async def _again(self, msgid: str) -> Answered:
        answer = await self._system.insist(
            "2304", {"data": self._bill()}, insured_in=self._insured_in, msgid=msgid
        )
        self._check(answer.code is None, f"2304 again: {answer.code}")
        return answer

    async def _reverse(self, msgid: str) -> None:
        data = {"psn_no": self._psn_no, "omsgid": msgid, "oinfno": "2304"}
        answer = await self._insist("2601", {"data": data})
        self._check(answer.code is None, f"2601: {answer.code}")

    async def _void(self, settled: Answered) -> None:
        data = {
            "mdtrt_id": self._mdtrt_id,
            "setl_id": settled.output["setlinfo"]["setl_id"],
            "psn_no": self._psn_no,
        }
        answer = await self._insist("2305", {"data": data})
        self._check(answer.code is None, f"2305: {answer.code}")
        back = parse_yuan(answer.output["setlinfo"]["fund_pay_sumamt"])
        paid = parse_yuan(settled.output["setlinfo"]["fund_pay_sumamt"])
        self._check(back == -paid, "2305 is not the exact negative")

    def _check(self, keeps: bool, promise: str) -> None:  # noqa: FBT001 reads as an assertion
        if not keeps:
            fail(f"stay {self._stay.number}: {promise}")

    def _outcome(self, answer: Answered) -> Outcome:
        """Read the amounts, and hold the interface to its identity."""
        said = answer.output["setlinfo"]
        funds = {name: parse_yuan(said[name]) for name in FUNDS}
        total, person = parse_yuan(said["medfee_sumamt"]), parse_yuan(said["psn_part_amt"])
        hospital = parse_yuan(said["hosp_part_amt"])
        self._check(total == self.totals["medfee_sumamt"], "2304 is about another bill")
        self._check(total == sum(funds.values()) + person + hospital, "2304 does not add up")
        return Outcome(
            number=self._stay.number,
            ending="settled",
            settlement_id=said["setl_id"],
            total_fen=total,
            funds=funds,
            person_fen=person,
            hospital_fen=hospital,
        )
