"""The sum of many seeds, and the ways in which it is not sound."""

import json

import pytest

from tests.simulation.nation.toys import HEADER, finished
from tongcheng.simulation.nation import table
from tongcheng.simulation.nation.totals import add_up

FIGURES = ("pending", "lost", "doubled", "one_sided", "mirror_fen", "unfinished")


def test_figures_are_sums() -> None:
    """Counts, faults by kind, starts of nodes."""
    faults = [{"partition": 2, "disk full": 1}, {"partition": 3}]
    ends = [finished(seed, faults=each, settlements=9) for seed, each in enumerate(faults, 1)]

    totals = add_up(ends, {}, 0)

    assert totals.sound
    assert totals.settlements == 18
    assert totals.seeds == 2
    assert totals.faults == {"partition": 5, "disk full": 1}
    assert totals.lives == 6
    assert totals.must_be_zero == dict.fromkeys(FIGURES, 0)
    assert totals.memory_mib == 102


@pytest.mark.parametrize("figure", FIGURES)
def test_one_seed_that_is_not_sound_spoils_the_sum(figure: str) -> None:
    """And is named by the command that shows it again."""
    totals = add_up([finished(1), finished(2, **{figure: 1})], {}, 0)

    assert not totals.sound
    assert totals.must_be_zero[figure] == 1
    assert "tongcheng simulate --seed 2" in table.to_text(totals)
    assert "must be 0" in table.to_text(totals)


def test_a_broken_invariant_spoils_the_sum() -> None:
    """Counted by its name."""
    totals = add_up([finished(1, broken={"holds": ["one", "two"]})], {}, 0)

    assert not totals.sound
    assert totals.broken == {"holds": 2}


@pytest.mark.parametrize(("failed", "missing"), [({7: "MemoryError"}, 0), ({}, 3)])
def test_what_has_no_report_is_not_sound(failed: dict[int, str], missing: int) -> None:
    """Silence proves nothing."""
    totals = add_up([finished(1)], failed, missing)

    assert not totals.sound
    assert "nothing lost" not in table.to_text(totals)
    assert json.loads(table.to_json(totals))["sound"] is False


def test_the_section_of_the_page_says_every_figure() -> None:
    """From the file alone: seeds, sources, zeros, faults."""
    ends = [finished(1, faults={"disk full": 1_234}), finished(2)]

    page = table.to_markdown(HEADER, ends, add_up(ends, {}, 0))

    assert page.startswith("## A nation's settlements, simulated\n")
    assert "2 seeds" in page
    assert "`aaaaaaaaaaaaaaaa`" in page
    assert "| disk full | 1,234 |" in page
    for figure in FIGURES:
        assert f"| **{figure}** | **0** |" in page
