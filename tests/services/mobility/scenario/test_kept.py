"""Scenarios as signed documents: written, kept, withdrawn, and found out where changed."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.store.stage import Stage
from tests.services.mobility.scenario.scenario_texts import CHANGES, document
from tests.toy import NOW_AT, ring_of
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Command, Transaction, Writer
from tongcheng.services.mobility.scenario import kept, signing
from tongcheng.services.mobility.scenario.reading import read_scenario
from tongcheng.services.mobility.scenario.writing import text_of

TEXT = document(CHANGES["speed"])
OTHER = document(CHANGES["dwell"])


@pytest.fixture(name="stage")
def _stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.database.close()


def _run(stage: Stage, command: Command, at: int = NOW_AT) -> Any:
    outcome = Writer(stage.database, stage.home, ManualClock(at)).run([command])[0]
    if outcome.error is not None:
        raise outcome.error
    return outcome.answer


def _keep(stage: Stage, text: str, at: int = NOW_AT) -> kept.Kept:
    scenario = read_scenario("a.yaml", text)
    found: kept.Kept = _run(stage, lambda tx: kept.keep(tx, scenario), at)
    return found


def _add(row: kept.ScenarioRow, tx: Transaction) -> None:
    tx.add(kept.SCENARIOS, row)


def _kept(stage: Stage) -> tuple[kept.Kept, ...]:
    with stage.database.snapshot() as snapshot:
        return kept.kept(snapshot)


def _findings(stage: Stage) -> list[str]:
    with stage.database.snapshot() as snapshot:
        return [each.problem for each in kept.check_scenarios(snapshot, stage.home)]


def test_versions(stage: Stage) -> None:
    """The newest counts; the same again is no new version; each names the one before."""
    first = _keep(stage, TEXT)
    same = _keep(stage, "# again\n" + TEXT, NOW_AT + 1)
    second = _keep(stage, OTHER, NOW_AT + 2)

    assert (first.version, same.version, second.version) == (1, 1, 2)
    assert second.signed.scenario.previous == first.signed.scenario.digest()
    assert [each.scenario.digest for each in _kept(stage)] == [
        read_scenario("a.yaml", OTHER).digest
    ]
    assert _findings(stage) == []


def test_withdrawn(stage: Stage) -> None:
    """It is listed no more, may come back as a next version, and what is not there is refused."""
    _keep(stage, TEXT)
    _run(stage, lambda tx: kept.withdraw(tx, "test"))

    assert _kept(stage) == ()
    with pytest.raises(Refused, match="SCENARIO_NOT_KEPT"):
        _run(stage, lambda tx: kept.withdraw(tx, "test"))
    assert _keep(stage, TEXT).version == 3
    assert _findings(stage) == []


def test_pages_do_not_parse_what_was_parsed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often they ask, each newest version is parsed once, and none by the writer."""
    parsed: list[int] = []

    def counted(version: signing.Version) -> object:
        parsed.append(version.version)
        return whole(version)

    whole = signing.scenario_of
    monkeypatch.setattr(signing, "scenario_of", counted)
    text = TEXT.replace("test", "parsed-once")
    for number in (1, 2, 3):
        _keep(stage, text + f"limits: {{zh: {number}, en: {number}}}\n", NOW_AT + number)
    assert parsed == []
    for _ in range(5):
        assert [each.version for each in _kept(stage)] == [3]
    assert parsed == [3]


def test_changed_rows_are_found(stage: Stage) -> None:
    """A row whose document, signature or past is another's is named by verification."""
    made = _keep(stage, TEXT)
    stranger = signing.signed(made.signed.scenario, ring_of("other").signing)
    said = msgspec.structs.replace(made.signed.scenario, version=2, previous="ab" * 32)
    forged = signing.signed(said, stage.home.ring.signing)
    for version, signed in ((2, forged), (3, stranger)):
        row = kept.ScenarioRow("test", version, signed.scenario.digest(), NOW_AT, signed.encoded())
        _run(stage, partial(_add, row))

    assert _findings(stage) == [
        "the scenario differs from the journal",
        "it does not follow the version before",
        "the scenario differs from the journal",
        "the row differs from its document",
        "the signature is not the member's",
        "it does not follow the version before",
    ]


def test_another_id_within_is_refused() -> None:
    """A version can not be called otherwise than its scenario."""
    version = signing.Version(
        member_id="m",
        scenario_id="other",
        version=1,
        previous=None,
        signed_at=0,
        document=read_scenario("a.yaml", TEXT).document,
    )

    with pytest.raises(Refused, match="SCENARIO_DOCUMENT"):
        signing.read(signing.signed(version, ring_of("m").signing).encoded())


LINES = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=("Cc", "Cs", "Zl", "Zp"),
        exclude_characters=[chr(each) for each in (*range(0x202A, 0x206A), 0xFEFF)],
    ),
    min_size=1,
)


@given(st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, unique=True), LINES)
def test_written_and_read_is_the_same(names: list[str], title: str) -> None:
    """YAML that is written for a document says just that document."""
    found = read_scenario("a.yaml", document(*(CHANGES[name] for name in names))).document
    said = found | {"title": {"zh": title[:100], "en": "null"}, "limits": {"zh": "1\n2", "en": "~"}}

    assert read_scenario("a.yaml", text_of(said)).document == said


def test_a_node_needs_no_analysis_to_keep_them() -> None:
    """Keeping scenarios imports none of the libraries that compute with them."""
    code = """
        import sys
        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in {"numpy", "numba", "pyarrow", "shapely"}:
                    raise ImportError(name)
        sys.meta_path.insert(0, Missing())
        import tongcheng.services.mobility.scenario.kept
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)  # noqa: S603
