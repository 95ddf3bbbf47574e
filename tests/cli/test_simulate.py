"""`tongcheng simulate`: the report, the exit code, and what a failing seed says."""

import json

import pytest
from click.testing import CliRunner

from tongcheng.cli import main
from tongcheng.cli import simulate as command
from tongcheng.simulation.region import Plan
from tongcheng.simulation.region import simulate as run


def test_json_report_is_the_same_twice() -> None:
    """A machine reads one line of JSON; the same seed writes the same bytes."""
    words = ["simulate", "--seed", "5", "--settlements", "12", "--faults", "usual", "--json"]

    one, other = (CliRunner().invoke(main, words) for _ in range(2))

    assert one.exit_code == 0, one.output
    assert one.stdout == other.stdout
    found = json.loads(one.stdout)
    assert found["sound"] is True
    assert [found[name] for name in ("lost", "doubled", "one_sided", "mirror_fen")] == [0, 0, 0, 0]


def test_a_failing_seed_exits_with_1_and_says_how_to_see_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The seed is the bug report."""
    found = run(Plan(5, 4, "none"))
    found.lost, found.found = 1, ["something is gone"]
    monkeypatch.setattr(command, "run", lambda *_given: found)

    result = CliRunner().invoke(main, ["simulate", "--seed", "5", "--settlements", "4"])

    assert result.exit_code == 1
    assert "FOUND something is gone" in result.stdout
    assert "tongcheng simulate --seed 5 --settlements 4 --faults none" in result.stdout
