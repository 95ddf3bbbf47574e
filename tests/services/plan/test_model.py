"""The joint plan's file: what it may claim, and how a fault in it is named."""

from pathlib import Path

import pytest

from tests.web import site
from tongcheng.kernel.errors import Refused
from tongcheng.services.plan.model import load
from tongcheng.services.plan.view import SERVICE_KEYS

FAULTS = {
    # what is named: (in the good file, in the bad one)
    "stands twice": ("- id: canal", "- id: port"),
    "a figure and": ("    figure: settlement.settled\n", ""),
    "`also` stands": (
        "    services: [rivers]\n    status: not_built",
        "    services: [rivers]\n    status: not_built\n    also: [settlement.funds]",
    ),
    "names no service": ("services: [rivers]", "services: []"),
    "unknown field": ('published: "2017"', 'published: "2017"\n  person: x'),
    "status": ("    status: live", "    status: done"),
    "line": ("areas:", "areas: ["),
}


def test_the_regions_plan_is_whole() -> None:
    """Every area has commitments, every service has a name, and the source is named."""
    plan = load(site.PLAN_PATH)

    assert len(plan.areas) == 6
    assert all(area.commitments for area in plan.areas)
    assert {name for each in plan.commitments for name in each.services} <= SERVICE_KEYS.keys()
    assert [each.id for each in plan.commitments if each.status == "live"] == [
        "port",
        "railways",
        "one-hour",
        "ring-road",
        "direct-settlement",
    ]
    assert plan.source.published == "2017"
    assert plan.source.address is None


@pytest.mark.parametrize("named", FAULTS)
def test_a_fault_in_a_plan_is_named(named: str, tmp_path: Path) -> None:
    """Another region's author is told what is wrong and where."""
    before, after = FAULTS[named]
    good = site.PLAN_PATH.read_text("utf-8")
    assert before in good
    (tmp_path / "plan.yaml").write_text(good.replace(before, after, 1), "utf-8")

    with pytest.raises(Refused, match="PLAN_MALFORMED") as refused:
        load(tmp_path / "plan.yaml")

    assert named in str(refused.value.facts["where"])


def test_a_missing_plan_is_refused(tmp_path: Path) -> None:
    """A region without a plan is a message, not a traceback."""
    with pytest.raises(Refused, match="PLAN_MALFORMED"):
        load(tmp_path / "plan.yaml")
