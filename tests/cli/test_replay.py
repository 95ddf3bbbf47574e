"""`tongcheng rulebook replay`: what it prints, lists and ends with; made-up nodes, no store."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from tests.services.settlement.past_years import history
from tests.services.settlement.test_replay import HALF, flat, replayed
from tongcheng.cli import main, replay
from tongcheng.cli.replay import Node
from tongcheng.kernel import rulebook
from tongcheng.kernel.region import PACKS_DIR
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.node import files
from tongcheng.services.settlement.replay import Replayed

BOOK = PACKS_DIR / "jingjinji" / "rulebooks" / "beijing-employee-inpatient.yaml"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a way to replay one made-up node of 30 persons with three stays each."""

    def command(edited: RuleBook, *words: str, known: bool = True) -> Result:
        def read(_folder: Path, question: Any, *, passphrase: bytes | None) -> Node:
            assert passphrase is None
            told, book = question.keywords["told"], question.keywords["book"]
            years = [history(HALF, [("stay", 1_000_00 * (at + 1))] * 3) for at in range(30)]
            found, changes = replayed(book, *([HALF] if known else []), years=years)
            for change in changes:
                told(change)
            return Node("away", found, {HALF.digest: rulebook.diff(HALF, book)})

        monkeypatch.setattr(replay, "read_snapshot", read)
        monkeypatch.setattr(files, "node_directories", lambda folder: [folder])
        path = tmp_path / "edited.yaml"
        path.write_bytes(msgspec.json.encode(edited.document))
        return CliRunner().invoke(
            main, ["rulebook", "replay", str(path), "--data", str(tmp_path), *words]
        )

    return command


def test_what_an_officer_reads(run: Callable[..., Result]) -> None:
    """What differs, how many settlements, who pays, who gains, and the largest settlements."""
    result = run(flat("0.6"))

    assert result.exit_code == 0, result.output
    for words in (
        "which differs in 1 place\n",
        "bands[0].steps[0].ratio: 0.5 → 0.6",
        "90 settlements replayed, 90 under this book.",
        "1 person would pay less",
        "difference",
        "the 20 largest of",
        "every stored decision follows again",
    ):
        assert words in result.output


def test_every_change_can_be_listed(run: Callable[..., Result]) -> None:
    """`--all` lists each one; nothing is said about the largest."""
    few, every = run(flat("0.6")), run(flat("0.6"), "--all")

    assert "largest" not in every.output
    assert len(every.output.splitlines()) > len(few.output.splitlines()) + 20


def test_decision_that_is_not_reproduced_ends_with_one(run: Callable[..., Result]) -> None:
    """A node that does not know the book of a decision: each is named, and the exit code is 1."""
    result = run(flat("0.6"), known=False)

    assert result.exit_code == 1
    assert (
        "decision 1 (T1) is not reproduced: the rule book that it was decided by" in result.output
    )
    assert "90 stored decisions do NOT follow" in result.output


def test_refusals_are_said_first_of_all(run: Callable[..., Result]) -> None:
    """A figure that the edited book leaves unknown: who then pays is not made up."""
    unknown = flat("0.5")
    document = msgspec.json.decode(msgspec.json.encode(unknown.document))
    document["rules"]["pool_cap"]["value"] = None

    result = run(rulebook.from_document(document))

    assert "90 would have been REFUSED: left out of the sums." in result.output
    assert "refused: RULE_UNKNOWN" in result.output


def test_figure_is_named_with_what_it_is_about(tmp_path: Path, monkeypatch: Any) -> None:
    """A ratio of Beijing's first band is said with the level of hospital that it holds for."""
    edited = tmp_path / "edited.yaml"
    edited.write_text(BOOK.read_text("utf-8").replace('value: "0.85"', 'value: "0.88"', 1), "utf-8")
    before, after = (
        rulebook.parse(BOOK.read_text("utf-8")),
        rulebook.parse(edited.read_text("utf-8")),
    )
    node = Node("away", Replayed(), {before.digest: rulebook.diff(before, after)})
    monkeypatch.setattr(replay, "read_snapshot", lambda *_given, **_named: node)
    monkeypatch.setattr(files, "node_directories", lambda folder: [folder])

    words = ["rulebook", "replay", str(edited), "--data", str(tmp_path)]
    result = CliRunner().invoke(main, words)

    assert "bands[0].steps[0].ratio (levels 3): 0.85 → 0.88" in result.output
    assert "0 settlements replayed" in result.output


def test_a_book_of_another_kind_is_refused(tmp_path: Path) -> None:
    """Only benefit books decide amounts; a book that does not compile is refused by its code."""
    kind = ["rulebook", "replay", "cross-region-overlay", "--data", str(tmp_path)]
    day = ["rulebook", "replay", f"{BOOK.stem}@June", "--data", str(tmp_path)]

    refused, usage = CliRunner().invoke(main, kind), CliRunner().invoke(main, day)

    assert (refused.exit_code, usage.exit_code) == (1, 2)
    assert "RULE_BOOK_KIND" in refused.output
    assert "is no day" in usage.output


def test_diff_takes_ids_with_a_day() -> None:
    """Two versions of a shipped book are named by their days."""
    names = [f"beijing-resident-inpatient@{year}-06-30" for year in (2018, 2020)]

    result = CliRunner().invoke(main, ["rulebook", "diff", *names, "--json"])

    assert result.exit_code == 0, result.output
    changes = {each["path"]: each for each in msgspec.json.decode(result.output)}
    assert changes["rules.pool_cap.value"] == {
        "path": "rules.pool_cap.value",
        "before": "200000",
        "after": "250000",
    }
