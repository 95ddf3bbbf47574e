"""The plan and its figures as files: every indicator with its status, its proof and its instant.

Aggregates only: nothing in them is about a person. Amounts are yuan, durations seconds.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from litestar import Response

from tongcheng.kernel.region import Jurisdiction
from tongcheng.services.plan.model import Commitment, Figure, Live, Measure, Plan
from tongcheng.services.plan.view import SERVICE_KEYS, figures_of, runs
from tongcheng.web import Page
from tongcheng.web.csv_file import Value, download
from tongcheng.web.maps import place_of

PLAN_COLUMNS = (
    "area",
    "commitment_id",
    "commitment",
    "services",
    "status",
    "figure",
    "value",
    "unit",
    "evidence",
    "as_of",
    "synthetic",
    "mark",
)
FLOW_COLUMNS = (
    "insured_place",
    "insured_name",
    "hospital_place",
    "hospital_name",
    "settlements",
    "funds_yuan",
    "as_of",
    "synthetic",
)
UNITS: dict[Measure, tuple[str, int]] = {"count": ("", 1), "fen": ("CNY", 100), "ms": ("s", 1000)}
"""Measure → the unit of the file (ISO 4217, SI), and how many of ours make one."""


def plan_csv(page: Page, plan: Plan, live: Live) -> Response[str]:
    """Answer with every commitment as a row, in the order of the plan; a row for each figure."""
    rows = (
        (
            page.voice.of(area.name),
            each.id,
            page.voice.of(each.text),
            _services(page, each),
            _status(each, live),
            *_figure_cells(page, figure),
            as_of(live),
            int(live.synthetic),
            "" if figure is None or figure.mark is None else page.voice.of(figure.mark),
        )
        for area in plan.areas
        for each in area.commitments
        for figure in figures_of(each, live) or (None,)
    )
    return download("plan.csv", PLAN_COLUMNS, rows)


def flows_csv(page: Page, live: Live) -> Response[str]:
    """Answer with what flows between the places, the largest first."""

    def named(place: Jurisdiction) -> tuple[str, str]:
        return place.id, page.voice.of(place.short)

    region = page.console.region
    rows = (
        (
            *named(place_of(region, flow.insured_place_id)),
            *named(place_of(region, flow.hospital_place_id)),
            flow.count,
            _value(flow.fund_fen, "fen"),
            as_of(live),
            int(live.synthetic),
        )
        for flow in live.flows
    )
    return download("flows.csv", FLOW_COLUMNS, rows)


def plan_json(page: Page, plan: Plan, live: Live) -> bytes:
    """Return the plan as a schema.org Dataset: an action per commitment, a figure its result."""
    voice, console = page.voice, page.console
    document = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "@id": page.href("/plan.json"),
        "name": voice.of(plan.name),
        "description": page.t("plan.export.description"),
        "inLanguage": page.language,
        "dateModified": as_of(live),
        "creativeWorkStatus": "synthetic" if live.synthetic else "live",
        "publisher": {"@type": "GovernmentOrganization", "name": voice.of(console.member.name)},
        "isBasedOn": {
            "@type": "CreativeWork",
            "name": voice.of(plan.source.title),
            "datePublished": plan.source.published,
        },
        "hasPart": [
            _action(page, area_name, each, live)
            for area in plan.areas
            for area_name in (voice.of(area.name),)
            for each in area.commitments
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def as_of(live: Live) -> str:
    """Return the instant of the figures, ISO 8601 in UTC."""
    return datetime.fromtimestamp(live.as_of_at / 1000, UTC).isoformat(timespec="seconds")


def _action(page: Page, area_name: str, commitment: Commitment, live: Live) -> dict[str, Any]:
    state = "ActiveActionStatus" if runs(commitment, live) else "PotentialActionStatus"
    action: dict[str, Any] = {
        "@type": "Action",
        "@id": f"{page.href('/')}#{commitment.id}",
        "identifier": commitment.id,
        "name": page.voice.of(commitment.text),
        "about": area_name,
        "instrument": _services(page, commitment),
        "actionStatus": f"https://schema.org/{state}",
    }
    results = [_observation(page, each, live) for each in figures_of(commitment, live)]
    if results:
        action["result"] = results[0] if len(results) == 1 else results
    return action


def _observation(page: Page, figure: Figure, live: Live) -> dict[str, Any]:
    observation: dict[str, Any] = {
        "@type": "Observation",
        "name": page.voice.of(figure.name),
        "identifier": figure.key,
        "value": float(_value(figure.value, figure.measure)),
        "unitText": UNITS[figure.measure][0],
        "observationDate": as_of(live),
        "url": page.href(figure.evidence_path),
        "creativeWorkStatus": "synthetic" if live.synthetic else "live",
    }
    if figure.mark is not None:
        observation["measurementTechnique"] = page.voice.of(figure.mark)
    return observation


def _status(commitment: Commitment, live: Live) -> str:
    return "live" if runs(commitment, live) else "not_built"


def _services(page: Page, commitment: Commitment) -> str:
    return " · ".join(page.t(SERVICE_KEYS[name]) for name in commitment.services)


def _figure_cells(page: Page, figure: Figure | None) -> tuple[Value, ...]:
    if figure is None:
        return ("", "", "", "")
    value = _value(figure.value, figure.measure)
    return (figure.key, value, UNITS[figure.measure][0], page.href(figure.evidence_path))


def _value(value: int, measure: Measure) -> Decimal:
    return Decimal(value) / UNITS[measure][1]
