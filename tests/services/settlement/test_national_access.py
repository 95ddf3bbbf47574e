"""Who may do and read what through the national shape; profiles and signing in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.services.settlement.hospital import (
    Hospital,
    on_two_nodes,
    reversing,
    settled,
)
from tests.services.settlement.two_cities import (
    DAY_MS,
    FIRST_HOSPITAL,
    OTHER_HOSPITAL,
    TwoCities,
    stored_digest,
)
from tongcheng.kernel.audit import AUDIT
from tongcheng.services.settlement import messages
from tongcheng.services.settlement.national_fields import profile_of
from tongcheng.services.settlement.store import MESSAGES

Json = dict[str, Any]


def test_signing_in_for_the_day(tmp_path: Path) -> None:
    """With a profile that demands it: no number, another's, yesterday's, signed out: refused."""
    strict = profile_of({**BASELINE, "sign_in_required": "Y"})

    async def work(cities: TwoCities, _hospital: Hospital) -> None:
        hospital = Hospital(cities, profile=strict)
        other = Hospital(cities, OTHER_HOSPITAL, strict)
        refused = await hospital.call("1101", {"data": {}})
        signed = await hospital.call("9001", {"signIn": {"opter_no": "1", "ip": "10.0.0.1"}})
        number = signed["output"]["signinoutb"]["sign_no"]
        other.sign_no = hospital.sign_no = number
        person = await hospital.identify()
        stolen = await other.call("1101", {"data": {}})
        ended = await hospital.call("9002", {"signOut": {"sign_no": number, "opter_no": "1"}})
        after = await hospital.call("1101", {"data": {}})
        signed = await hospital.call("9001", {"signIn": {"opter_no": "1", "ip": "10.0.0.1"}})
        hospital.sign_no = signed["output"]["signinoutb"]["sign_no"]
        cities.clock.advance(6 * 3_600_000)
        next_day = await hospital.call("1101", {"data": {}})

        assert person
        assert ended["infcode"] == "0"
        for answer in (refused, stolen, after, next_day):
            assert answer["err_msg"].startswith("[SIGN_IN_NEEDED] ")

    on_two_nodes(tmp_path, work)


BASELINE = {
    "name": "other",
    "path": "/other/gateway",
    "per_transaction": "Y",
    "header": "x-credential",
    "scheme": "N",
    "encoding": "gb18030",
    "infcode": "string",
    "sign_in_required": "N",
}


def test_a_profile_is_data(tmp_path: Path) -> None:
    """GB18030, infcode as text, a header of its own: a whole stay with no line of code more."""

    async def work(cities: TwoCities, _hospital: Hospital) -> None:
        hospital = Hospital(cities, profile=profile_of(BASELINE))
        caller = await hospital.edge.identify(cities.tokens[FIRST_HOSPITAL])
        _, info = await settled(hospital)

        assert caller.institution_id == FIRST_HOSPITAL
        assert b'"infcode":"0"' in hospital.received
        assert "测试0".encode("gb18030") in hospital.received
        assert info["psn_name"] == "测试0"

    on_two_nodes(tmp_path, work)


def test_nothing_of_another_hospital(tmp_path: Path) -> None:
    """Every transaction with another's ids is answered as with ids that never were."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        given, info = await settled(hospital)
        other = Hospital(cities, OTHER_HOSPITAL)
        ids = {"stay": info["mdtrt_id"], "person": info["psn_no"], "setl": info["setl_id"]}
        nobodys = {"stay": "0" * 26, "person": "1" * 26, "setl": "2" * 26}
        await cities.quiet()
        before = stored_digest(cities.tianjin)
        for infno in ("2401", "2301", "2302", "2402", "2303", "2304", "2305"):
            told = [
                await other.call(infno, _asking(other, infno, of, given)) for of in (ids, nobodys)
            ]
            mine, unknown = (answer["err_msg"] for answer in told)
            for name, value in ids.items():
                mine = mine.replace(value, nobodys[name])
            assert mine == unknown, infno
            assert mine[1:].split("]")[0] in {"STAY_UNKNOWN", "PERSON_NOT_IDENTIFIED"}, mine
            assert told[0]["output"] is None
        theirs = await other.call("2601", reversing(given, info["medins_setl_id"]))
        forged = await other.call(
            "2304", given, fixmedins_code=FIRST_HOSPITAL, msgid=hospital.msgid()
        )

        assert theirs["err_msg"].startswith("[MSGID_MALFORMED] ")
        assert forged["err_msg"].startswith("[INSTITUTION_NOT_YOURS] ")
        assert stored_digest(cities.tianjin) == before

    on_two_nodes(tmp_path, work)


def _asking(hospital: Hospital, infno: str, of: dict[str, str], given: Json) -> Json:
    person, stay = of["person"], of["stay"]
    made: dict[str, Callable[[], Json]] = {
        "2401": lambda: hospital.admission(person),
        "2301": lambda: hospital.lines(person, stay),
        "2302": lambda: {"data": {"feedetl_sn": "0000", "mdtrt_id": stay, "psn_no": person}},
        "2402": lambda: hospital.leaving(person, stay),
        "2305": lambda: {"data": {"mdtrt_id": stay, "setl_id": of["setl"], "psn_no": person}},
    }
    settling = {"data": {**given["data"], "psn_no": person, "mdtrt_id": stay}}
    return made[infno]() if infno in made else settling


def test_reading_a_person_is_audited(tmp_path: Path) -> None:
    """1101, 2303, 2304 and the repeated 2304 each leave an entry: who, what, whom."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        await hospital.call("2303", given)
        message = hospital.envelope("2304", given)
        await hospital.send(message)
        await hospital.send(message)
        rows = await cities.tianjin.read(lambda snapshot: snapshot.select(AUDIT))
        person = given["data"]["psn_no"]
        read = [row.action for row in rows if row.subject == person]

        assert read == ["settlement.person/1", "national.2303", "national.2304", "national.2304"]
        assert {row.actor for row in rows if row.subject == person} == {FIRST_HOSPITAL}

    on_two_nodes(tmp_path, work)


def test_kept_answers_are_sealed(tmp_path: Path) -> None:
    """A kept answer names a person: it is not readable in the database."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        await settled(hospital)
        raw = hospital.received
        msgid = hospital.decode(hospital.sent)["msgid"]
        node = cities.tianjin
        row = await node.read(lambda s: s.get(MESSAGES, FIRST_HOSPITAL, "2304", msgid))

        assert row is not None
        assert "测试0".encode() not in row.answer
        assert messages.kept_answer(node.home, row) == raw

    on_two_nodes(tmp_path, work)


def test_a_stay_of_yesterday(tmp_path: Path) -> None:
    """Times of the future are refused by their field."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        person = await hospital.identify()
        admission = hospital.admission(person)
        admission["mdtrtinfo"]["begntime"] = hospital.time(-DAY_MS)
        refused = await hospital.call("2401", admission)

        assert refused["err_msg"].startswith("[DATE_IN_FUTURE] ")

    on_two_nodes(tmp_path, work)
