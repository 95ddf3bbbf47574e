"""The rows of one person: their order, and what voids find."""

from pathlib import Path

import pytest

from tests.services.settlement.batch.claim_files import claim, plan, pool_fen, verdicts, write_csv
from tongcheng.services.settlement.batch import persons
from tongcheng.services.settlement.batch.reading import open_claims


def test_order_within_a_person(tmp_path: Path) -> None:
    """By the sequence where each event has one, else by the day, else by the file."""
    days = ["2025-03-03", "2025-03-01", "2025-03-02"]
    for sequence, expected in (
        (["1", "2", "3"], [0, 1, 2]),
        (["3", "1", "1"], [1, 2, 0]),
        (["3", None, "1"], [1, 2, 0]),
        ([None, None, None], [1, 2, 0]),
    ):
        rows = [
            claim(at, "A", ended_on=day, sequence=number)
            for at, (day, number) in enumerate(zip(days, sequence, strict=True))
        ]
        with open_claims(write_csv(tmp_path / "claims.csv", rows)) as claims:
            (batch,) = claims.batches(plan())
            assert batch.row.tolist() == expected, sequence


def test_books_do_not_decide_the_order_of_a_person(tmp_path: Path) -> None:
    """A row without a sequence counts also where no book knows its place; rubbish never does."""
    days = ["2025-03-03", "2025-03-01", "2025-03-02"]
    for third, expected in (
        ({"admdvs": "650100"}, [1, 2, 0]),
        ({"scheme": "nobody"}, [1, 2, 0]),
        ({"total_fen": "much"}, [2, 0, 1]),
        ({"admdvs": "650100", "total_fen": "much"}, [2, 0, 1]),
    ):
        rows = [claim(0, "A", ended_on=days[0], sequence="1")]
        rows += [claim(1, "A", ended_on=days[1], sequence="2")]
        rows += [claim(2, "A", ended_on=days[2], sequence=None, **third)]
        with open_claims(write_csv(tmp_path / "claims.csv", rows)) as claims:
            (batch,) = claims.batches(plan())
            assert batch.row.tolist() == expected, third
            assert batch.events.fault.any(), third


def test_a_void_far_from_its_claim(tmp_path: Path) -> None:
    """A void finds its claim however many rows lie between, and only the same person's."""
    far = 2 * persons.STEPS_BACK + 8
    rows = [claim(0, "A"), *(claim(at, "A") for at in range(1, far))]
    rows += [claim(far, "A", event="void", reverses=0)]
    rows += [claim(far + 1, "A", event="void", reverses=far + 9), claim(far + 2, "B")]
    rows += [claim(far + 3, "B", event="void", reverses=1)]
    file = write_csv(tmp_path / "claims.csv", rows)

    assert verdicts(file)[far:] == ["", "CLAIM_VOID_UNKNOWN", "", "CLAIM_VOID_UNKNOWN"]
    assert pool_fen(file)[far] == -pool_fen(file)[0] != 0


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("between", [0, 2 * persons.STEPS_BACK])
def test_no_void_finds_a_row_without_a_person(tmp_path: Path, between: int, *, apart: bool) -> None:
    """Nobody knows whose it is, whether each person's rows lie together or not."""
    rows = [claim(0, "A"), claim(1, None), *(claim(at + 2, "A") for at in range(between))]
    rows += [claim("v", "A", event="void", reverses=1), claim("b", "B")]
    rows += [claim("last", "A")] if apart else []
    found = verdicts(write_csv(tmp_path / "claims.csv", rows))

    assert found[1] == "CLAIM_MISSING person_id"
    assert found[between + 2] == "CLAIM_VOID_UNKNOWN"


@pytest.mark.parametrize("between", [0, 2 * persons.STEPS_BACK])
def test_no_void_takes_back_an_opening(tmp_path: Path, between: int) -> None:
    """What was used before the file is another's to correct, be the opening near or far."""
    rows = [claim(0, "A", event="opening"), *(claim(at + 1, "A") for at in range(between))]
    rows += [claim(between + 1, "A", event="void", reverses=0)]

    assert verdicts(write_csv(tmp_path / "claims.csv", rows))[-1] == "CLAIM_VOID_UNKNOWN"
