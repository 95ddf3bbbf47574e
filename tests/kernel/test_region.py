"""Region packs: who answers for a division code, and what is refused rather than guessed."""

from datetime import date
from pathlib import Path

import pytest

from tongcheng.kernel import region
from tongcheng.kernel.errors import Refused

PACK = region.load("jingjinji")

PLACED = """
    admdvs   member        area
    110105   beijing-hsb   beijing
    119900   beijing-hsb   beijing
    120000   tianjin-hsb   tianjin
    130102   hebei-hsb     hebei-shijiazhuang
    131002   hebei-hsb     hebei-langfang
    131100   hebei-hsb     hebei-hengshui
"""


@pytest.mark.parametrize("line", PLACED.strip().splitlines()[1:])
def test_the_longest_prefix_places_a_division(line: str) -> None:
    """A person is placed by the insurance division code alone, down to the prefecture."""
    admdvs, member, area = line.split()

    assert PACK.member_of(admdvs).id == member
    assert PACK.member_of(admdvs, "settlement").id == member
    assert PACK.area_of(admdvs).id == area


@pytest.mark.parametrize("admdvs", ["139900", "310000", "13", "", "1"])
def test_an_area_nobody_covers_is_refused_by_name(admdvs: str) -> None:
    """Hebei's own provincial scheme is not listed: nobody's rules are borrowed for it."""
    with pytest.raises(Refused) as refused:
        PACK.area_of(admdvs)

    assert refused.value.code == "REGION_UNKNOWN_AREA"
    assert refused.value.facts == {"admdvs": admdvs, "region": "jingjinji"}


def test_a_service_that_a_member_does_not_run_has_no_area() -> None:
    """An insurance bureau does not answer for air: the place alone is not enough."""
    with pytest.raises(Refused, match="REGION_UNKNOWN_AREA"):
        PACK.member_of("110105", "air")


def test_members_and_areas_are_found_by_their_codes() -> None:
    """A page that shows an area or a member finds its names by code."""
    assert PACK.member("hebei-hsb").name.zh == "河北省医疗保障局"
    assert PACK.area("hebei-langfang").name.en == "Langfang"
    assert PACK.jurisdiction_of(PACK.member("tianjin-hsb")).short.zh == "天津"
    with pytest.raises(Refused, match="REGION_UNKNOWN_MEMBER"):
        PACK.member("shanghai-hsb")
    with pytest.raises(Refused, match="REGION_UNKNOWN_AREA"):
        PACK.area("hebei-xiongan")


def test_working_days_follow_the_published_year_only() -> None:
    """A worked Saturday is worked, a day off is off, and 2027 is not assumed."""
    days = PACK.working_days()

    assert days.is_working(date(2026, 2, 14))
    assert not days.is_working(date(2026, 2, 16))
    assert not days.is_working(date(2026, 10, 1))
    assert days.is_working(date(2026, 10, 10))
    with pytest.raises(Refused, match="CALENDAR_UNKNOWN"):
        days.is_working(date(2027, 1, 4))


FAULTS = {
    "is listed twice": (
        'prefixes: ["12"]}',
        'prefixes: ["12"]}\n  - {id: tianjin, name: {zh: 天津, en: T}, prefixes: ["1299"]}',
    ),
    "which is not listed": ("jurisdiction: tianjin", "jurisdiction: shanghai"),
    "is claimed by": ('prefixes: ["12"]', 'prefixes: ["1301"]'),
    "colour": ('colour: "#2d6fa3"', "colour: blue"),
    "tianjin: `at` is not in its shape": ("at: [38, 34.5]", "at: [28.5, 24.5]"),
    "jurisdictions[1].at[1]": ("at: [38, 34.5]", "at: [38, 65]"),
    "tianjin: its shape is not a row of points": ("shape: M37.5 24 40", "shape: M37.5 40"),
    "tianjin: its shape leaves the box": ("shape: M37.5 24", "shape: M37.5 240"),
    "jurisdictions[1].shape": ("shape: M37.5 24", "shape: m37.5 24"),
    "unknown field": ("zone: Asia/Shanghai", "zone: Asia/Shanghai\nzones: 1"),
    "stands twice": ("zone: Asia/Shanghai", "zone: Asia/Shanghai\nzone: UTC"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_pack_that_contradicts_itself_is_refused(fault: str, tmp_path: Path) -> None:
    """Whoever writes a pack is told where it is wrong, in words of the file."""
    good = (region.PACKS_DIR / "jingjinji" / "pack.yaml").read_text("utf-8")
    before, after = FAULTS[fault]
    (tmp_path / "pack.yaml").write_text(good.replace(before, after, 1), "utf-8")

    with pytest.raises(Refused, match="REGION_MALFORMED") as refused:
        region.load(tmp_path)

    assert fault in str(refused.value.facts["where"])


def test_a_region_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    """A mistyped name or an empty folder is a message, not a traceback."""
    for missing in ("jingjinjj", tmp_path, tmp_path / "pack.yaml"):
        with pytest.raises(Refused, match="REGION_UNKNOWN"):
            region.load(missing)
