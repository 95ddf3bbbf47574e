"""The demonstration's data: nobody's, the same for the same seed, and bills that add up."""

from collections import Counter
from pathlib import Path

import pytest

from tests.services.settlement.books import REGION
from tests.services.settlement.two_cities import INSURED, NOW_AT, VISITED, running
from tongcheng.kernel import region
from tongcheng.kernel.calendar import local_date
from tongcheng.services.settlement import catalogue as catalogues
from tongcheng.services.settlement import demo as demos
from tongcheng.services.settlement import store
from tongcheng.services.settlement.demo import Demo, Generator, PlannedStay
from tongcheng.services.settlement.lines import Line, split_lines

DEMO = demos.load(REGION / "demo.yaml")
PACK = region.load("jingjinji")
CATALOGUES = {
    path.name: catalogues.parse(path.read_text("utf-8"))
    for path in (REGION / "catalogues").glob("*.csv")
}


def generator(seed: int = 7) -> Generator:
    """Return the generator of the shipped data."""
    return Generator(DEMO, CATALOGUES, seed=seed, now_at=NOW_AT)


def some(count: int = 300) -> list[PlannedStay]:
    """Return the first stays."""
    one = generator()
    return [one.stay(number) for number in range(1, count + 1)]


def test_persons_can_be_nobody() -> None:
    """No province 99, no check digit T, no name without 示例; and no number twice."""
    people = DEMO.everybody()

    assert all(one.id_number.startswith("99") for one in people)
    assert all(one.id_number.endswith("T") and len(one.id_number) == 18 for one in people)
    assert all(one.name.startswith("示例·") for one in people)
    assert all(one.id_number[6:14] == one.born_on.replace("-", "") for one in people)
    assert len({one.id_number for one in people}) == len(people)


def test_hospitals_can_be_none() -> None:
    """A code has 12 characters, and a letter where a real one has a figure."""
    codes = [one.institution_id for one in DEMO.hospitals]

    assert all(len(code) == 12 and not code[1:].isdigit() for code in codes)
    assert all("示例" in one.name.zh and "Sample" in one.name.en for one in DEMO.hospitals)
    assert len(set(codes)) == len(codes)


def test_the_story_comes_first() -> None:
    """A woman insured in Beijing, retired, treated in Tianjin: the first stay of all."""
    stay = generator().stay(1)

    assert stay.person.gender == "2"
    assert PACK.member_of(stay.person.admdvs, "settlement").id == INSURED
    assert PACK.member_of(stay.hospital.admdvs, "settlement").id == VISITED
    assert stay.twist == "plain"


def test_same_seed_same_stays() -> None:
    """A stay depends on seed and number alone, in whatever order they are drawn."""
    assert generator(7).stay(40) == some(40)[-1]
    assert generator(8).stay(40) != generator(7).stay(40)


def test_bills_add_up_and_fit_the_catalogue() -> None:
    """20 to 60 lines, refunds among them, each split without a refusal, none below zero."""
    for stay in some(120):
        assert 20 <= len(stay.lines) <= 60, (stay.number, len(stay.lines))
        split = split_lines(CATALOGUES[stay.hospital.catalogue], _lines(stay))

        assert sum(one.split.total_fen for one in split) > 0
        assert stay.admitted_at < min(one.charged_at for one in stay.lines)
        assert max(one.charged_at for one in stay.lines) < stay.discharged_at < NOW_AT
    assert any(line.quantity_e4 < 0 for stay in some(20) for line in stay.lines)


def _lines(stay: PlannedStay) -> list[Line]:
    return [
        Line(
            line_id=one.line_id,
            item_code=one.item_code,
            quantity=one.quantity_e4,
            unit_price=one.unit_price_e6,
            amount_fen=one.amount_fen,
            occurred_on=local_date(one.charged_at, PACK.zone),
            original_id=one.original_line_id,
        )
        for one in stay.lines
    ]


def test_variety() -> None:
    """Every place treats, every area sends, some are retired, some bills reach the cap."""
    stays = some()
    totals = [sum(line.amount_fen for line in stay.lines) for stay in stays]

    assert {stay.hospital.institution_id for stay in stays} == {
        one.institution_id for one in DEMO.hospitals
    }
    assert all(stay.hospital.admdvs[:2] != stay.person.admdvs[:2] for stay in stays)
    assert {stay.person.admdvs[:2] for stay in stays} == {"11", "12", "13"}
    assert {stay.twist for stay in stays} == {twist for twist, _ in demos.TWISTS}
    assert {stay.person.person_type for stay in stays} == {
        "active",
        "retired",
        "resident",
        "elder",
    }
    assert sum(total > 100_000_00 for total in totals) >= 3
    assert max(Counter(stay.person.id_number for stay in stays).values()) >= 3


@pytest.mark.parametrize("times", [1, 2])
def test_enrolling_again_changes_nothing(tmp_path: Path, times: int) -> None:
    """Each member takes its own; a second time adds no person, no opening, no hospital."""
    with running(tmp_path) as city:
        beijing, tianjin = city.cities.beijing, city.cities.tianjin
        for _ in range(times - 1):
            city.run(beijing.run(lambda tx: demos.enrol_persons(tx, DEMO, 2026)))
            city.run(tianjin.run(lambda tx: demos.enrol_hospitals(tx, DEMO)))
        insured = city.run(beijing.run(lambda tx: demos.enrol_persons(tx, DEMO, 2026)))
        hospitals = city.run(tianjin.run(lambda tx: demos.enrol_hospitals(tx, DEMO)))
        people = city.run(beijing.read(lambda s: len(s.select(store.PERSONS))))
        openings = city.run(beijing.read(lambda s: s.select(store.ENTRIES)))

    assert insured == _insured_in(DEMO, "11")
    assert people == insured + 6
    assert hospitals == ["H1200000S001", "H1200000S002", "H1200000S003"]
    assert [one.origin for one in openings] == ["opening", "opening"]


def _insured_in(demo: Demo, prefix: str) -> int:
    return sum(one.admdvs.startswith(prefix) for one in demo.everybody())


def test_next_number_goes_on() -> None:
    """A second run goes on after the last stay of the first; foreign numbers do not count."""
    assert demos.next_number([]) == 1
    assert demos.next_number(["ZY00000007", "ZY00000002", "A-9"]) == 8
