"""A hospital's system as nodes meet it: messages of the national shape over HTTP, and patience.

When no answer comes it does what hospital systems were seen to do: send the same message again,
send it under a new msgid, or reverse it and begin anew. It never assumes; it asks until an answer
decides.
"""

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NoReturn

import httpx
import msgspec

from tongcheng.kernel.calendar import local_text
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.services.settlement.demo import Hospital

PATH: Final = "/national/baseline"
OK: Final = 200
ANSWER_WITHIN_S: Final = 40.0
ATTEMPTS_MAX: Final = 400
DOUBLINGS_MAX: Final = 12

WAITING: Final = frozenset(
    {
        "SETTLE-PENDING",
        "PERSON_MEMBERS_SILENT",
        "INSURED_SIDE_SILENT",
        "OVERLOADED",
        "NODE_STOPPING",
    }
)
"""Answers that say: not now. Everything else that is not success is a decision."""

_CODE = re.compile(r"^\[([A-Z0-9_-]+)\]")


class Failed(Exception):
    """The interface did not keep what it promises."""


def fail(what: str) -> NoReturn:
    """Say what was promised and not kept."""
    raise Failed(what)


class Answered(msgspec.Struct, frozen=True):
    """One answer: `code` is None on success; `raw` its bytes, `output` its nodes."""

    code: str | None
    message: str
    output: dict[str, Any]
    raw: bytes


@dataclass
class Habits:
    """How a system behaves when no answer comes; the dice decide, so a seed decides.

    `wait_s` is the pause before the first retry; it doubles up to `longest_s`. `patient` systems
    ask without end, the others give up in the end and say so. `same`, `anew`, `reverse` are what it
    does after a 2304 without an answer: the shares of sending it again, under a new msgid, or
    reversing it first.
    """

    seed: str
    wait_s: float = 0.2
    longest_s: float = 0.2
    patient: bool = False
    same: int = 60
    anew: int = 25
    reverse: int = 15
    retries: int = 0
    _entropy: SeededEntropy = field(init=False)

    def __post_init__(self) -> None:
        self._entropy = SeededEntropy(self.seed)

    def pause_s(self, attempt: int) -> float:
        """Return how long to wait after so many tries without an answer, counted from 1."""
        doubled: float = self.wait_s * 2 ** min(attempt - 1, DOUBLINGS_MAX)
        return min(max(self.wait_s, self.longest_s), doubled)

    def gives_up(self, attempt: int) -> bool:
        """Tell whether so many tries without an answer are enough."""
        return not self.patient and attempt >= ATTEMPTS_MAX

    def choose(self) -> Literal["same", "anew", "reverse"]:
        """Choose what to do after a 2304 that nobody answered."""
        drawn = int.from_bytes(self._entropy.bytes(4), "big")
        drawn %= self.same + self.anew + self.reverse
        if drawn < self.same:
            return "same"
        return "anew" if drawn < self.same + self.anew else "reverse"


class HospitalSystem:
    """One hospital's system: its credential, its counter of messages, its habits."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        hospital: Hospital,
        token: str,
        *,
        zone: str,
        habits: Habits,
    ) -> None:
        self.hospital = hospital
        self.habits = habits
        self._client = client
        self._address = url + PATH
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._zone = zone
        self._clock = SystemClock()
        self._serial = 0
        self._second = ""
        self._sign_no: str | None = None

    # messages

    def new_msgid(self) -> str:
        """Return a new id: the institution's code, the second, a number within it."""
        second = re.sub("[^0-9]", "", self._now())
        self._serial = (self._serial + 1) % 10_000 if second == self._second else 0
        self._second = second
        return f"{self.hospital.institution_id}{second}{self._serial:04d}"

    def _now(self) -> str:
        return local_text(self._clock.now(), self._zone)

    async def post(
        self, infno: str, content: dict[str, Any], *, insured_in: str = "", msgid: str = ""
    ) -> Answered | None:
        """Send one message once; None when no whole answer came."""
        envelope = {
            "infno": infno,
            "msgid": msgid or self.new_msgid(),
            "mdtrtarea_admvs": self.hospital.admdvs,
            "insuplc_admdvs": insured_in,
            "recer_sys_code": "DEMO",
            "infver": "V1.0",
            "opter_type": "1",
            "opter": "0001",
            "opter_name": "示例操作员",
            "inf_time": self._now(),
            "fixmedins_code": self.hospital.institution_id,
            "fixmedins_name": self.hospital.name.zh,
            "sign_no": self._sign_no or "",
            "input": content,
        }
        try:
            answer = await self._client.post(
                self._address,
                content=msgspec.json.encode(envelope),
                headers=self._headers,
                timeout=ANSWER_WITHIN_S,
            )
        except httpx.HTTPError:
            return None
        return read_answer(answer.content) if answer.status_code == OK else None

    async def insist(
        self, infno: str, content: dict[str, Any], *, insured_in: str = "", msgid: str = ""
    ) -> Answered:
        """Send until an answer decides: under one msgid if it is given, else under new ones."""
        attempt = 0
        while not self.habits.gives_up(attempt):
            answer = await self.post(infno, content, insured_in=insured_in, msgid=msgid)
            if answer is not None and answer.code not in WAITING:
                return answer
            attempt += 1
            self.habits.retries += 1
            await asyncio.sleep(self.habits.pause_s(attempt))
        fail(f"{infno}: no answer after {attempt} attempts")

    # the course of a stay

    async def sign_in(self) -> None:
        """Sign in for the day (9001)."""
        answer = await self.insist(
            "9001", {"signIn": {"opter_no": "0001", "mac": "0", "ip": "127.0.0.1"}}
        )
        self._sign_no = _needed(answer, "9001")["signinoutb"]["sign_no"]


def read_answer(raw: bytes) -> Answered | None:
    """Read an answer, numbers as their text; None when it is none of ours."""
    try:
        given = json.loads(raw, parse_float=str, parse_int=str)
        succeeded = given["infcode"] in {"0", 0}
        message = given.get("err_msg") or ""
    except (ValueError, KeyError, TypeError):
        return None
    found = _CODE.match(message)
    code = None if succeeded else found.group(1) if found else "UNNAMED"
    output = given.get("output")
    return Answered(code, message, output if isinstance(output, dict) else {}, raw)


def _needed(answer: Answered, infno: str) -> dict[str, Any]:
    if answer.code is not None:
        fail(f"{infno}: {answer.message}")
    return answer.output
