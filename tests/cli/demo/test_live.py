"""What goes on after the first stays: who arrives follows from the seed, hospitals are patient."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.services.settlement.test_demo import CATALOGUES, DEMO
from tongcheng.cli.demo.his import ATTEMPTS_MAX, Habits
from tongcheng.cli.demo.live import IN_BED_S, arriving, in_bed_s, patient_habits
from tongcheng.cli.demo.region import DemoRegion

NOW_AT = 1_795_000_000_123
DAY_MS = 86_400_000
REGION = DemoRegion(Path(), (), {}, DEMO, CATALOGUES, "Asia/Shanghai", 1, {})


def bare(stay: Any) -> Any:
    """Return a stay without its instants."""
    lines = [msgspec.structs.replace(line, charged_at=0) for line in stay.lines]
    return msgspec.structs.replace(stay, admitted_at=0, discharged_at=0, lines=tuple(lines))


def test_the_same_patients_arrive_whenever_it_is() -> None:
    """Seed and number say who, where and with which bill; the clock says only when."""
    later = [bare(arriving(REGION, 7, number, NOW_AT + DAY_MS)) for number in range(20, 40)]

    assert [bare(arriving(REGION, 7, number, NOW_AT)) for number in range(20, 40)] == later
    assert [in_bed_s(7, number) for number in range(9)] == [in_bed_s(7, n) for n in range(9)]
    assert bare(arriving(REGION, 8, 20, NOW_AT)) != later[0]


@pytest.mark.parametrize("number", range(1, 30))
def test_a_stay_ends_today_with_all_its_charges_before(number: int) -> None:
    """The patient leaves on the day he is seen to leave; nothing is charged in the future."""
    stay = arriving(REGION, 7, number, NOW_AT)

    assert stay.discharged_at == NOW_AT - NOW_AT % 1_000
    charged = [line.charged_at for line in stay.lines]
    assert stay.admitted_at <= min(charged)
    assert max(charged) <= stay.discharged_at
    assert IN_BED_S[0] <= in_bed_s(7, number) <= IN_BED_S[1]


def test_patient_systems_ask_without_end_and_ever_more_slowly() -> None:
    """Others give up and say so, at an even pace."""
    patient, other = patient_habits(7), Habits("test")

    assert [patient.pause_s(attempt) for attempt in (1, 2, 3, 4, 5, 1_000_000)] == [
        1.0, 2.0, 4.0, 8.0, 15.0, 15.0,
    ]  # fmt: skip
    assert not patient.gives_up(1_000_000)
    assert {other.pause_s(attempt) for attempt in (1, 2, 50)} == {0.2}
    assert (other.gives_up(ATTEMPTS_MAX - 1), other.gives_up(ATTEMPTS_MAX)) == (False, True)
