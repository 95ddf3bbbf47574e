"""Pre-flight checks and the mapping of codes over REST, and what 2303 and 2304 say of them."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from tests.services.settlement.hospital import Hospital, on_two_nodes
from tests.services.settlement.two_cities import (
    DAY_MS,
    FIRST_HOSPITAL,
    ITEMS,
    OTHER_HOSPITAL,
    Running,
    TwoCities,
    running,
    stored_digest,
)
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.services.settlement.national import ERROR_CHARACTERS_MAX
from tongcheng.services.settlement.preflight import CODES

API = "/api/settlement/v1"
Json = dict[str, Any]


def _lines(cities: TwoCities) -> list[Json]:
    return [
        {
            "line_id": line.line_id,
            "item_code": line.item_code,
            "hospital_code": line.hospital_code,
            "quantity": f"{line.quantity_e4 // 10_000}",
            "unit_price": "123.45",
            "amount_fen": line.amount_fen,
            "charged_at": line.charged_at,
            "doctor_code": "D1",
            "department_code": "A01",
        }
        for line in cities.bill()
    ]


def _client(here: Running) -> TestClient[Any]:
    node = here.cities.tianjin
    return TestClient(create_app(node, make_console(node), run_node=False))


def _as(here: Running, institution: str = FIRST_HOSPITAL) -> dict[str, str]:
    return {"Authorization": f"Bearer {here.cities.tokens[institution]}"}


def _said(found: Json) -> list[tuple[str, str, str | None]]:
    return [(one["severity"], one["code"], one["line_id"]) for one in found["findings"]]


def test_a_bill_before_it_is_uploaded(tmp_path: Path) -> None:
    """The faults of all lines at once, with words in both languages; nothing is stored."""
    with running(tmp_path) as here, _client(here) as client:
        lines = _lines(here.cities)
        total = sum(line["amount_fen"] for line in lines)
        now_at = here.cities.clock.now()
        days = {"admitted_at": now_at - 5 * DAY_MS, "discharged_at": now_at - 1_000}
        before = stored_digest(here.cities.tianjin, "settlement_")
        clean = client.post(
            f"{API}/preflight", json={"lines": lines, "total_fen": total, **days}, headers=_as(here)
        ).json()
        lines[0]["item_code"] = "UNKNOWN"
        lines[1]["amount_fen"] += 1
        lines[2] = {**lines[3], "line_id": "L3"}
        del lines[3]["doctor_code"]
        found = client.post(
            f"{API}/preflight", json={"lines": lines, "total_fen": 1, **days}, headers=_as(here)
        ).json()

        assert (clean["errors"], clean["findings"], clean["totals"]["total_fen"]) == (0, [], total)
        assert _said(found) == [
            ("error", "CATALOGUE_ITEM_UNKNOWN", "L1"),
            ("error", "LINE_AMOUNT_MISMATCH", "L2"),
            ("warning", "LINE_LIKELY_DUPLICATE", "L4"),
            ("warning", "DOCTOR_CODE_MISSING", None),
        ]
        assert (found["errors"], found["warnings"], found["totals"]) == (2, 2, None)
        assert "UNKNOWN" in found["findings"][0]["zh"]["what"]
        assert found["findings"][0]["en"]["do"]
        assert stored_digest(here.cities.tianjin, "settlement_") == before


def test_a_bill_for_a_person(tmp_path: Path) -> None:
    """What the insured side said of a person is compared; a stranger's id is nobody."""
    with running(tmp_path) as here, _client(here) as client:
        stay = here.run(here.cities.admitted())
        body = {
            "lines": _lines(here.cities),
            "admitted_at": stay.admitted_at,
            "person_id": stay.person_id,
            "scheme": "390",
            "person_type": "active",
        }
        found = client.post(f"{API}/preflight", json=body, headers=_as(here)).json()
        other = client.post(f"{API}/preflight", json=body, headers=_as(here, OTHER_HOSPITAL))

        assert _said(found) == [
            ("error", "SCHEME_DIFFERS", None),
            ("warning", "PERSON_TYPE_DIFFERS", None),
        ]
        assert (other.status_code, other.json()["code"]) == (404, "PERSON_NOT_IDENTIFIED")


def test_a_stay_as_it_is_kept(tmp_path: Path) -> None:
    """Uploaded lines, days and the stated total; another hospital's stay does not exist."""
    with running(tmp_path) as here, _client(here) as client:
        cities = here.cities
        stay = here.run(cities.admitted())
        path = f"{API}/stays/{stay.stay_id}/preflight"
        empty = client.post(path, json={}, headers=_as(here)).json()
        late = [
            msgspec.structs.replace(line, charged_at=stay.admitted_at - DAY_MS)
            for line in cities.bill()[:1]
        ]
        here.run(cities.desk.add_lines(cities.caller, stay.stay_id, late))
        found = client.post(path, json={"total_fen": 1}, headers=_as(here)).json()
        other = client.post(path, json={}, headers=_as(here, OTHER_HOSPITAL))

        assert _said(empty) == [
            ("error", "STAY_NOT_DISCHARGED", None),
            ("error", "BILL_EMPTY", None),
        ]
        assert _said(found) == [
            ("error", "STAY_NOT_DISCHARGED", None),
            ("error", "UPLOADED_DIFFERS", None),
            ("warning", "LINE_OUTSIDE_STAY", "L1"),
            ("warning", "DOCTOR_CODE_MISSING", None),
            ("warning", "DEPARTMENT_CODE_MISSING", None),
        ]
        assert other.status_code == 404


def test_mapping_is_put_and_shown(tmp_path: Path) -> None:
    """Its own table alone; a lenient one warns, a strict one refuses, at upload and before."""
    with running(tmp_path) as here, _client(here) as client:
        rows = [{"hospital_code": "h", "item_code": "N", "from_on": "2020-01-01", "to_on": None}]
        put = client.put(f"{API}/mapping", json={"rows": rows}, headers=_as(here))
        lines = {"lines": _lines(here.cities)[:1]}
        lenient = client.post(f"{API}/preflight", json=lines, headers=_as(here)).json()
        client.put(f"{API}/mapping", json={"rows": [], "strict": True}, headers=_as(here))
        strict = client.post(f"{API}/preflight", json=lines, headers=_as(here)).json()
        shown = client.get(f"{API}/mapping", headers=_as(here)).json()
        other = client.get(f"{API}/mapping", headers=_as(here, OTHER_HOSPITAL)).json()
        bad = [{**rows[0], "from_on": "2020-02-30"}]
        no_day = client.put(f"{API}/mapping", json={"rows": bad}, headers=_as(here))

        assert put.json() == {"count": 1}
        assert _said(lenient) == [("warning", "MAPPING_MISSING", "L1")]
        assert _said(strict) == [("error", "MAPPING_MISSING", "L1")]
        assert shown == {"rows": rows, "strict": True, "next_after": None}
        assert other == {"rows": [], "strict": False, "next_after": None}
        assert (no_day.status_code, no_day.json()["code"]) == (422, "DATE_MALFORMED")


def test_mapping_page_by_page(tmp_path: Path) -> None:
    """The table is read in pages that follow one another."""
    with running(tmp_path) as here, _client(here) as client:
        rows = [
            {"hospital_code": f"院{at:03d}", "item_code": "N", "from_on": "2020-01-01"}
            for at in range(101)
        ]
        client.put(f"{API}/mapping", json={"rows": rows}, headers=_as(here))
        seen: list[list[str]] = []
        after: dict[str, str] = {}
        while True:
            page = client.get(
                f"{API}/mapping", params={"limit": 50, **after}, headers=_as(here)
            ).json()
            seen.append([row["hospital_code"] for row in page["rows"]])
            if page["next_after"] is None:
                break
            after = {"after": page["next_after"]}

        assert [len(one) for one in seen] == [50, 50, 1]
        assert [code for one in seen for code in one] == [row["hospital_code"] for row in rows]


def test_a_line_without_a_national_code(tmp_path: Path) -> None:
    """The mapping fills it in when it is uploaded."""
    with running(tmp_path) as here, _client(here) as client:
        stay = here.run(here.cities.admitted())
        (line,) = _lines(here.cities)[:1]
        row = {"hospital_code": line["hospital_code"], "item_code": ITEMS[0]}
        rows = [{**row, "from_on": "2020-01-01"}]
        client.put(f"{API}/mapping", json={"rows": rows}, headers=_as(here))
        del line["item_code"]
        found = client.post(
            f"{API}/stays/{stay.stay_id}/lines", json={"lines": [line]}, headers=_as(here)
        ).json()

        assert [one["item_code"] for one in found["lines"]] == [ITEMS[0]]


@pytest.mark.parametrize("infno", ["2303", "2304"])
def test_a_refused_bill_names_all_that_is_wrong(tmp_path: Path, infno: str) -> None:
    """The first code decides; the others follow it in err_msg, which stays bounded."""

    async def work(_cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        revoked = await hospital.call("2302", _all_lines(given))
        assert revoked["infcode"] == "0", revoked
        lines = hospital.lines(given["data"]["psn_no"], given["data"]["mdtrt_id"])
        for one in lines["feedetail"]:
            one["fee_ocur_time"] = hospital.time(9 * DAY_MS)
        uploaded = await hospital.call("2301", lines)
        assert uploaded["infcode"] == "0", uploaded
        given["data"]["medfee_sumamt"] = "1.00"
        answer = await hospital.call(infno, given)

        assert answer["err_msg"].startswith("[UPLOADED_DIFFERS]")
        assert answer["err_msg"].endswith("另有：[LINE_OUTSIDE_STAY]")

    on_two_nodes(tmp_path, work)


def _all_lines(given: Json) -> Json:
    names = ("mdtrt_id", "psn_no")
    return {"data": {"feedetl_sn": "0000", **{name: given["data"][name] for name in names}}}


def test_all_codes_fit_into_one_message() -> None:
    """Even a bill with everything wrong is told within the length of err_msg."""
    listed = " ".join(f"[{code}]" for code in CODES)

    assert len(listed) < ERROR_CHARACTERS_MAX // 2
