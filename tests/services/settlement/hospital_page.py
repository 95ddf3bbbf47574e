"""Writes the parts of docs/hospital.md that come from the code: calls, codes, errors.

`python -m tests.services.settlement.hospital_page` writes them anew; a test says when they are not
up to date. The calls are made, on two nodes in one process, and shown as they were answered; ids
and serial numbers, which differ each time, are replaced by their names.
"""

import asyncio
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from tests.services.settlement.hospital import Hospital
from tests.services.settlement.two_cities import two_cities
from tests.tidy import ROOT
from tongcheng.node.console import catalogue
from tongcheng.node.services import SERVICES
from tongcheng.services.settlement.national_fields import Field, codes, tables
from tongcheng.services.settlement.preflight import CODES

PAGE = ROOT / "docs" / "hospital.md"
HIDDEN = (
    "GOLDEN_",
    "RULE_BOOK_",
    "FILE_ENCODING",
    "MAPPING_FORM",
    "CATALOGUE_FORM",
    "CATALOGUE_TOO_LARGE",
    "RULE_OVERFLOW",
)
"""Codes that no hospital sees: they are about rule books and catalogues."""
OTHERS = (
    "CASE_ACTION",
    "CASE_UNKNOWN",
    "CASE_WORDS",
    "CREDENTIAL_EXPIRED",
    "CREDENTIAL_MISSING",
    "CREDENTIAL_UNKNOWN",
    "INSTITUTION_NOT_YOURS",
    "INTERNAL_FAULT",
    "NODE_STOPPING",
    "PEER_REFUSED",
    "REGION_UNKNOWN_AREA",
    "RULE_UNKNOWN",
    "STORE_UNAVAILABLE",
    "STORE_UNCERTAIN",
    "TOO_MANY_REFUSALS",
)
"""Codes of the node and its kernel that a hospital may see."""


class Exchange:
    """One call as it is shown."""

    def __init__(self, infno: str, given: Any, answer: Any, note: str = "") -> None:
        self.infno = infno
        self.given = given
        self.answer = answer
        self.note = note


def _numbers(raw: bytes) -> Any:
    """Return an answer with its numbers marked, so that they are printed as they came."""
    return json.loads(raw, parse_float="@{}@".format, parse_int="@{}@".format)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return re.sub(r'"@(-?[0-9.]+)@"', r"\1", text)


def _first_only(value: Any) -> Any:
    """Show one element of a list: the others look like it."""
    if isinstance(value, dict):
        return {name: _first_only(inner) for name, inner in value.items()}
    return [_first_only(value[0])] if isinstance(value, list) and value else value


async def _exchanges(hospital: Hospital) -> list[Exchange]:
    """Bring one stay from sign-in to its void, and note every call."""
    made: list[Exchange] = []

    async def call(infno: str, given: Any, note: str = "") -> Any:
        answer = await hospital.call(infno, given)
        assert answer["infcode"] == "0", answer
        made.append(Exchange(infno, given, _numbers(hospital.received), note))
        return answer["output"]

    signed = await call("9001", {"signIn": {"opter_no": "0001", "ip": "10.0.0.1"}})
    hospital.sign_no = signed["signinoutb"]["sign_no"]
    card = {"mdtrt_cert_type": "02", "mdtrt_cert_no": "11010119500101000T", "psn_cert_type": "01"}
    person = (await call("1101", {"data": card}))["baseinfo"]["psn_no"]
    stay = (await call("2401", hospital.admission(person)))["result"]["mdtrt_id"]
    split = await call("2301", hospital.lines(person, stay), "One of four lines is shown.")
    await call("2402", hospital.leaving(person, stay))
    bill = hospital.bill(person, stay, split["result"])
    await call("2303", bill)
    settled = await call("2304", bill)
    ids = {name: settled["setlinfo"][name] for name in ("mdtrt_id", "setl_id", "psn_no")}
    await call("2305", {"data": ids})
    original = hospital.msgid()
    reversal = {"psn_no": person, "omsgid": original, "oinfno": "2304"}
    await call("2601", {"data": reversal}, "Here for a message that never came.")
    line = {"feedetl_sn": "0000", "mdtrt_id": stay, "psn_no": person}
    await call("2302", {"data": line})
    await call("9002", {"signOut": {"sign_no": hospital.sign_no, "opter_no": "0001"}})
    names = {stay: "MDTRT_ID", person: "PSN_NO", ids["setl_id"]: "SETL_ID"}
    names[hospital.sign_no] = "SIGN_NO"
    for one in made:
        for real, name in names.items():
            one.given = json.loads(json.dumps(one.given).replace(real, name))
            one.answer = json.loads(json.dumps(one.answer).replace(real, name))
    return made


def _table(fields: tuple[Field, ...]) -> list[str]:
    rows = ["| field | 名称 | 类型 | 长度 | 必填 |", "|---|---|---|---|---|"]
    for one in fields:
        length = f"{one.length},{one.decimals}" if one.decimals else str(one.length or "")
        required = "Y" if one.required else ""
        rows.append(f"| `{one.name}` | {one.title} | {one.kind} | {length} | {required} |")
    return rows


def _call(one: Exchange) -> list[str]:
    table = tables().transactions[one.infno]
    lines = [f"### {one.infno} {table.title}", ""]
    if table.unverified:
        lines += ["*Unverified:* no public table shows its nodes.", ""]
    lines += ["`input`:", "```json", _shown(_first_only(one.given)), "```", ""]
    lines += ["`output`:", "```json", _shown(_first_only(one.answer["output"])), "```", ""]
    notes = [one.note] if one.note else []
    if one.answer["warn_msg"]:
        notes.append(f"`warn_msg`: {one.answer['warn_msg']}")
    lines += [*notes, ""] if notes else []
    for node in table.request:
        lines += [f"`{node.name}`{' (a list)' if node.is_list else ''}:", "", *_table(node.fields)]
        lines.append("")
    return lines


def calls() -> str:
    """Return every call with its request, its answer and its table."""

    async def work() -> list[Exchange]:
        with tempfile.TemporaryDirectory() as folder:
            async with two_cities(Path(folder)) as cities:
                return await _exchanges(Hospital(cities))

    lines: list[str] = []
    for one in asyncio.run(work()):
        lines += _call(one)
    return "\n".join(lines)


def header() -> str:
    """Return the table of the request's envelope."""
    return "\n".join([*_table(tables().header), ""])


def values() -> str:
    """Return which values of coded fields are taken, and what the warnings say."""
    lines = ["| field | values |", "|---|---|"]
    lines += [f"| `{name}` | {', '.join(taken)} |" for name, taken in codes().offered.items()]
    lines += ["", "| warning | zh | en |", "|---|---|---|"]
    lines += [f"| `{code}` | {words.zh} | {words.en} |" for code, words in codes().warnings.items()]
    return "\n".join([*lines, ""])


def preflight() -> str:
    """Return the table of every code that a pre-flight check can find."""
    known = catalogue(SERVICES)
    lines = ["| code | severity | 何时 · 怎么办 | when · what to do |", "|---|---|---|---|"]
    for code, severities in sorted(CODES.items()):
        entry = known.entry(code)
        said = [f"{entry.what[each]} · {entry.do[each]}" for each in ("zh", "en")]
        lines.append(f"| `{code}` | {', '.join(severities)} | {said[0]} | {said[1]} |")
    return "\n".join([*lines, ""])


def errors() -> str:
    """Return the table of every code that a hospital may see."""
    known = catalogue(SERVICES)
    path = next(
        path for service in SERVICES for path in service.errors if service.name == "settlement"
    )
    own = re.findall(r"^([A-Z][A-Z0-9_-]*):$", path.read_text("utf-8"), re.MULTILINE)
    shown = sorted({*OTHERS, *(code for code in own if not code.startswith(HIDDEN))})
    lines = ["| code | REST | 是什么 · 怎么办 | what · what to do |", "|---|---|---|---|"]
    for code in shown:
        entry = known.entry(code)
        said = [f"{entry.what[each]} · {entry.do[each]}" for each in ("zh", "en")]
        lines.append(f"| `{code}` | {entry.status} | {said[0]} | {said[1]} |")
    return "\n".join([*lines, ""])


PARTS = {
    "header": header,
    "calls": calls,
    "values": values,
    "preflight": preflight,
    "errors": errors,
}


def written(page: str) -> str:
    """Return the page with its parts written anew."""
    for name, part in PARTS.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, _, rest = page.partition(begin)
        _, found, after = rest.partition(end)
        assert found, f"the page has no part {name}"
        page = f"{before}{begin}\n{part()}\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), encoding="utf-8")
