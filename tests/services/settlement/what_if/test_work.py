"""The what-if of a file: the same for any workers, and what judging twice by hand gives."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from tests.documents import command_lines
from tests.tidy import ROOT
from tongcheng.cli import main
from tongcheng.kernel import rulebook, spread
from tongcheng.kernel.region import PACKS_DIR, load
from tongcheng.services.settlement.batch import synthetic, synthetic_books, synthetic_file
from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS
from tongcheng.services.settlement.batch.plan import plan_of
from tongcheng.services.settlement.batch.reading import open_claims
from tongcheng.services.settlement.batch.run import run
from tongcheng.services.settlement.what_if import work
from tongcheng.services.settlement.what_if.answer import PAYERS, Answer
from tongcheng.services.settlement.what_if.output import OUTPUT_COLUMNS
from tongcheng.services.settlement.what_if.versions import replaced
from tongcheng.services.settlement.what_if.work import Rules, WhatIf, what_if

BOOKS = PACKS_DIR / "jingjinji" / "rulebooks"
BEIJING = BOOKS / "beijing-employee-inpatient.yaml"
CLAIMS = 3_000


@pytest.fixture(scope="module")
def rules() -> Rules:
    """Return the shipped books, and with them a Beijing that pays more in its first band."""
    books = [rulebook.parse(path.read_text("utf-8")) for path in sorted(BOOKS.glob("*.yaml"))]
    text = BEIJING.read_text("utf-8")
    edited = text.replace('value: "0.85"', 'value: "0.88"', 1)
    assert edited != text
    return Rules(tuple(books), tuple(replaced(books, [rulebook.parse(edited)])), load("jingjinji"))


@pytest.fixture(scope="module")
def claims(rules: Rules, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of synthetic claims, some of them flawed."""
    path = tmp_path_factory.mktemp("claims") / "claims.parquet"
    plan = plan_of(rules.old, rules.region)
    year = synthetic_books.year_of(plan)
    region = synthetic.Region(synthetic_books.places_of(plan, year), year)
    synthetic_file.write_synthetic(path, region, seed=7, claims=CLAIMS, flaws=20)
    return path


@pytest.fixture
def asked(
    rules: Rules, claims: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Answer]:
    """Return a way to ask about the file in parts of a few hundred rows."""
    monkeypatch.setattr(work, "ROWS_A_PART", 400)

    def ask(out: str | None = None, file: Path = claims, workers: int | None = None) -> Answer:
        path = None if out is None else tmp_path / out
        return what_if(WhatIf(rules, file, path, causes=True), workers=workers)

    return ask


def test_any_number_of_workers_gives_the_same(
    asked: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads, one, two, three processes, and one whole part: equal answers, equal files."""
    found = asked("threads.parquet")
    for workers in (1, 2, 3):
        name = f"{workers}.parquet"
        assert asked(name, workers=workers) == found
        assert (tmp_path / name).read_bytes() == (tmp_path / "threads.parquet").read_bytes()
    monkeypatch.setattr(work, "ROWS_A_PART", 10**6)
    assert asked("whole.parquet") == found
    rows = [pq.read_table(tmp_path / name) for name in ("whole.parquet", "threads.parquet")]

    assert rows[0].equals(rows[1])
    assert found.all.changed > found.all.direct > 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_order_of_persons_in_the_file_does_not_matter(
    asked: Callable[..., Answer], claims: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose persons lie scattered is told the same, and workers share it too."""
    monkeypatch.setattr(work, "ROWS_AT_ONCE", 500)
    table = pq.read_table(claims)
    scattered = tmp_path / "scattered.parquet"
    pq.write_table(pa.concat_tables([table.slice(1_700), table.slice(0, 1_700)]), scattered)
    parts: list[Sequence[work.Part]] = []

    def seen(task: object, cut: Sequence[work.Part], **how: int | None) -> object:
        parts.append(cut)
        return spread.spread(task, cut, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(work, "spread", seen)

    assert asked("threads.csv", scattered) == asked("two.csv", scattered, workers=2) == asked()
    assert (tmp_path / "two.csv").read_bytes() == (tmp_path / "threads.csv").read_bytes()
    assert [len(each) for each in parts[:2]] == [7, 7]
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "scattered.parquet", "threads.csv", "two.csv",
    ]  # fmt: skip


def test_sums_are_those_of_two_runs(
    asked: Callable[..., Answer], rules: Rules, claims: Path, tmp_path: Path
) -> None:
    """Funds and persons: the sums over all rows of either run, voids taken off."""
    found = asked("out.parquet")
    sums: Counter[tuple[str, str]] = Counter()
    with open_claims(claims) as opened:
        for side, books in (("old", rules.old), ("new", rules.new)):
            plan = plan_of(books, rules.region)
            for batch in opened.batches(plan):
                results = run(plan, batch.events)
                for name, total in zip(
                    RESULT_AMOUNTS, results.amounts.sum(axis=0).tolist(), strict=True
                ):
                    sums[side, name] += total
    rows = pq.read_table(tmp_path / "out.parquet").to_pydict()

    for each in found.all.amounts:
        assert (each.old_fen, each.new_fen) == (sums["old", each.payer], sums["new", each.payer])
    assert sum(filter(None, rows["difference_fen"])) == found.all.amounts[-1].difference_fen
    assert found.all.amounts[-1].payer == PAYERS[-1]
    assert len(rows["row"]) == found.rows
    assert [each.name for each in OUTPUT_COLUMNS] == list(rows)
    assert sum(each.rows for each in found.not_judged) + sum(found.judged.values()) == found.rows
    assert sum(each.persons for each in found.deciles) == found.all.persons
    for groups in found.groups.values():
        assert sum(group.settlements for group in groups) == found.all.settlements
        assert sum(group.cost_fen for group in groups) == found.all.cost_fen


def test_same_books_change_nothing(rules: Rules, claims: Path) -> None:
    """The old rules against themselves."""
    same = Rules(rules.old, rules.old, rules.region)
    found = what_if(WhatIf(same, claims))

    assert found.all.changed == found.all.gaining == found.all.losing == found.all.cost_fen == 0
    assert found.old_books == found.new_books == ()
    assert found.all.settlements > 0


def test_command_prints_and_writes(claims: Path, tmp_path: Path) -> None:
    """A table for people, JSON for machines, a file claim by claim; drafts are named."""
    edited = tmp_path / "edited.yaml"
    edited.write_text(BEIJING.read_text("utf-8").replace('"0.85"', '"0.88"', 1), "utf-8")
    words = ["settlement", "what-if", "--claims", str(claims), "--new", str(edited)]
    out = tmp_path / "both.csv"
    printed = CliRunner().invoke(main, [*words, "--out", str(out)])
    told = CliRunner().invoke(main, [*words, "--json", "--workers", "2"])

    assert printed.exit_code == told.exit_code == 0, printed.output + told.output
    for expected in (
        "DRAFT, nobody's law yet",
        "would bear less",
        "in the order of their",
        "tenth",
    ):
        assert expected in printed.output
    answer = msgspec.json.decode(told.stdout)["answer"]
    assert answer["order"] == "sequence"
    assert answer["all"]["gaining"] > 0
    header, *lines = out.read_text("utf-8").splitlines()
    assert header.replace('"', "").split(",") == [each.name for each in OUTPUT_COLUMNS]
    assert len(lines) == answer["rows"]


def test_two_ways_to_divide_are_refused(claims: Path) -> None:
    """And so is a scheduler elsewhere without TLS, and writing over the claims."""
    words = ["settlement", "what-if", "--claims", str(claims), "--new", str(BEIJING)]
    both = [*words, "--workers", "2", "--scheduler", "tcp://127.0.0.1:1"]

    assert CliRunner().invoke(main, both).exit_code == 2
    for more, code in (
        (["--scheduler", "tcp://10.0.0.1:8786"], "SCHEDULER_UNPROTECTED"),
        (["--out", str(claims)], "CLAIMS_OUT"),
    ):
        refused = CliRunner().invoke(main, [*words, *more])
        assert refused.exit_code == 1
        assert code in refused.output


def test_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command line of docs/what-if.md, in its order, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    edited = BEIJING.read_text("utf-8").replace('"0.85"', '"0.88"', 1)
    (tmp_path / "edited.yaml").write_text(edited, "utf-8")
    lines = command_lines((ROOT / "docs" / "what-if.md").read_text("utf-8"))

    assert len(lines) == 4
    for words in lines:
        ran = CliRunner().invoke(main, words)
        assert ran.exit_code == 0, f"{words}: {ran.output}"
