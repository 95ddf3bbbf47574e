"""The story is data of a region: whole, honest about what is not built, and optional."""

from pathlib import Path

import pytest
import yaml

from tests.web import site
from tongcheng.kernel.errors import Refused
from tongcheng.services.plan.story import load


def test_the_story_is_of_the_first_person_of_the_demonstration() -> None:
    """Its stay is the one that arrives first: hers, in the hospital that the demo names."""
    demo = yaml.safe_load(site.PLAN_PATH.with_name("demo.yaml").read_text("utf-8"))
    story = load(site.STORY_PATH)

    assert story is not None
    assert story.stay.institution_id == demo["persons"][0]["stay"]["institution_id"]
    assert story.stay.inpatient_no == "ZY00000001"
    assert [step.status for step in story.steps] == ["not_built", "live", "live", "live"]


def test_a_region_may_tell_none(tmp_path: Path) -> None:
    """Without a file there is no story, and no fault."""
    assert load(tmp_path / "story.yaml") is None


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ("status: not_built", "status: planned", "$.steps[0].status"),
        ("title:", "titel:", "titel"),
        ("steps:", "steps: [", "line"),
    ],
)
def test_a_fault_is_named(before: str, after: str, where: str, tmp_path: Path) -> None:
    """Whoever writes one is told where it is wrong."""
    good = site.STORY_PATH.read_text("utf-8")
    path = tmp_path / "story.yaml"
    path.write_text(good.replace(before, after, 1), "utf-8")

    with pytest.raises(Refused, match="PLAN_MALFORMED") as refused:
        load(path)

    assert where in str(refused.value.facts["where"])
