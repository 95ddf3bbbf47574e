"""The files beside the home page: every indicator with its status, its proof and its instant."""

import csv
import io
import json

import msgspec
from litestar.testing import TestClient

from tests.web import site
from tongcheng.kernel.words import Words
from tongcheng.services.plan.export import as_of
from tongcheng.services.plan.model import Live

AS_OF = as_of(site.LIVE)


def _get(path: str, live: Live = site.LIVE) -> tuple[str, str]:
    with TestClient(site.app(live=live)) as client:
        answer = client.get(path)
    assert answer.status_code == 200
    return answer.text, answer.headers["content-type"]


def _rows(path: str, live: Live = site.LIVE) -> list[dict[str, str]]:
    text, media_type = _get(path, live)
    assert media_type == "text/csv; charset=utf-8"
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


def test_every_commitment_is_a_row() -> None:
    """The one that runs has its number, unit and proof; the others are empty, not zero."""
    rows = {row["commitment_id"]: row for row in _rows("/en/plan.csv")}

    assert len(rows) == 21
    assert rows["direct-settlement"] == {
        "area": "Shared public services",
        "commitment_id": "direct-settlement",
        "commitment": "Settle hospital costs directly in the other city",
        "services": "Settlement",
        "status": "live",
        "figure": "settlement.settled",
        "value": "187",
        "unit": "",
        "evidence": "/en/settlement/stays",
        "as_of": AS_OF,
        "synthetic": "1",
        "mark": "",
    }
    assert {(row["status"], row["value"]) for row in rows.values()} == {
        ("live", "187"),
        ("not_built", ""),
    }


def test_figures_of_one_commitment_are_rows_each() -> None:
    """With what is modelled of them beside it; the linked data has a list of them."""
    settled = site.LIVE.figures["settlement.settled"]
    assert settled is not None
    figures = {
        key: msgspec.structs.replace(settled, key=key, value=value, mark=Words("模型", "modelled"))
        for key, value in (("mobility.gained.jinxing", 7), ("mobility.gained.jingbin", 8))
    }
    live = msgspec.structs.replace(site.LIVE, figures=figures)
    rows = [row for row in _rows("/en/plan.csv", live) if row["commitment_id"] == "railways"]
    parts = json.loads(_get("/en/plan.json", live)[0])["hasPart"]
    result = next(each["result"] for each in parts if each["identifier"] == "railways")

    assert [(row["value"], row["mark"]) for row in rows] == [("7", "modelled"), ("8", "modelled")]
    assert [each["value"] for each in result] == [7, 8]
    assert {each["measurementTechnique"] for each in result} == {"modelled"}


def test_a_file_of_real_persons_says_so() -> None:
    """The mark of made-up data is the node's, not the file's."""
    live = msgspec.structs.replace(site.LIVE, synthetic=False)

    assert {row["synthetic"] for row in _rows("/zh/plan.csv", live)} == {"0"}
    assert json.loads(_get("/zh/plan.json", live)[0])["creativeWorkStatus"] == "live"


def test_the_flows_are_the_tables() -> None:
    """Whose funds pay where, in yuan."""
    first = _rows("/zh/plan/flows.csv")[0]

    assert first == {
        "insured_place": "beijing",
        "insured_name": "北京",
        "hospital_place": "tianjin",
        "hospital_name": "天津",
        "settlements": "131",
        "funds_yuan": "2623456.78",
        "as_of": AS_OF,
        "synthetic": "1",
    }


def test_linked_data_has_an_action_per_commitment() -> None:
    """What runs is active and has its observation; what is not built is potential."""
    text, media_type = _get("/en/plan.json")
    document = json.loads(text)
    parts = {part["identifier"]: part for part in document["hasPart"]}
    potential = "https://schema.org/PotentialActionStatus"

    assert media_type.startswith("application/ld+json")
    assert (document["@context"], document["@type"]) == ("https://schema.org", "Dataset")
    assert document["isBasedOn"]["datePublished"] == "2017"
    assert parts["direct-settlement"]["actionStatus"] == "https://schema.org/ActiveActionStatus"
    assert parts["direct-settlement"]["result"] == {
        "@type": "Observation",
        "name": "hospital settlements between cities",
        "identifier": "settlement.settled",
        "value": 187,
        "unitText": "",
        "observationDate": AS_OF,
        "url": "/en/settlement/stays",
        "creativeWorkStatus": "synthetic",
    }
    assert sum(part["actionStatus"] == potential for part in parts.values()) == 20
    assert sum("result" in part for part in parts.values()) == 1


def test_the_instant_is_utc() -> None:
    """A reader of the file needs no zone of ours."""
    assert as_of(Live(as_of_at=1_763_632_800_000)) == "2025-11-20T10:00:00+00:00"
