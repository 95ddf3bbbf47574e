"""A file judged here and by any workers: the same bytes, the same sums, and nothing left behind."""

import os
import signal
import stat
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.test_spread import in_process
from tests.services.settlement.batch.claim_files import columns_of, synthetic, write_parquet
from tongcheng.kernel import region, spread
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.node import files
from tongcheng.services.settlement.batch import work, writing
from tongcheng.services.settlement.batch.tally import Tally
from tongcheng.services.settlement.batch.work import (
    Adjudication,
    Found,
    Part,
    adjudicate,
    do_part,
)

CLAIMS = 900
BEFORE = b"of before"


@cache
def books() -> tuple[RuleBook, ...]:
    """Return the region pack's books."""
    return tuple(files.read_shelf(files.pack_folder("jingjinji"), allow_drafts=True))


def written(path: Path, *, seed: int, scattered: bool, rows_a_group: int = 100) -> Path:
    """Write synthetic claims, some of them flawed, of persons who lie together or do not."""
    table = synthetic(CLAIMS, seed=seed, flaws=50_000)
    if scattered:
        order = np.random.Generator(np.random.PCG64(seed)).permutation(CLAIMS)
        table = table.take(pa.array(order))
    if path.suffix == ".csv":
        plain = [
            pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type)
            for f in table.schema
        ]
        pyarrow.csv.write_csv(table.cast(pa.schema(plain)), path)
    else:
        pq.write_table(table, path, row_group_size=rows_a_group)
    return path


def asked(
    claims: Path, out: Path, *, trace: bool = False, sample: int | None = None
) -> Adjudication:
    """Return what is asked of the region pack's books."""
    return Adjudication(
        books=books(),
        region=region.load("jingjinji"),
        claims=claims,
        out=out,
        trace=trace,
        sample=sample,
    )


class Cut(NamedTuple):
    """Into what a file is cut."""

    rows_a_part: int
    rows_at_once: int


def small(patch: pytest.MonkeyPatch, cut: Cut) -> None:
    """Cut files of hundreds of rows as those of millions are."""
    patch.setattr(work, "ROWS_A_PART", cut.rows_a_part)
    patch.setattr(work, "ROWS_AT_ONCE", cut.rows_at_once)
    patch.setattr(writing, "ROWS_A_GROUP", 130)
    patch.setattr(writing, "ROWS_A_WINDOW", 170)


def by_threads(patch: pytest.MonkeyPatch) -> None:
    """Let threads do what workers would: with the same parts, and in no time."""

    def spread_here(task: object, parts: list[object], **_workers: object) -> object:
        return spread.spread(task, parts)  # type: ignore[arg-type]

    patch.setattr(work, "spread", spread_here)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(1, 5),
    scattered=st.booleans(),
    suffixes=st.tuples(*[st.sampled_from([".parquet", ".csv"])] * 2),
    trace=st.booleans(),
    sample=st.sampled_from([None, 60]),
    cut=st.builds(Cut, st.integers(30, 1_000), st.integers(20, 400)),
)
def test_bytes_follow_from_the_claims_alone(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int, suffixes: tuple[str, str], sample: int | None, cut: Cut,
    *, scattered: bool, trace: bool,
) -> None:  # fmt: skip
    """However a file is cut, and whoever judges it: one file of results, one count."""
    folder = tmp_path_factory.mktemp("cut")
    claims = written(folder / f"claims{suffixes[0]}", seed=seed, scattered=scattered)
    outs = [folder / f"{name}{suffixes[1]}" for name in ("whole", "here", "parts")]
    wanted = [asked(claims, out, trace=trace, sample=sample) for out in outs]
    with pytest.MonkeyPatch.context() as patch:
        small(patch, Cut(CLAIMS, CLAIMS))
        found = [adjudicate(wanted[0])]
        small(patch, cut)
        found.append(adjudicate(wanted[1]))
        by_threads(patch)
        found.append(adjudicate(wanted[2], workers=1))

    assert found[1] == found[2] == found[0]
    assert outs[1].read_bytes() == outs[2].read_bytes() == outs[0].read_bytes()
    assert found[0].tally.rows == CLAIMS
    assert sorted(folder.iterdir()) == sorted([claims, *outs])


@pytest.mark.parametrize("scattered", [False, True])
def test_any_number_of_processes_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, scattered: bool
) -> None:
    """One and three processes and this one alone; what is done is told as it grows."""
    small(monkeypatch, Cut(200, 200))
    claims = written(tmp_path / "claims.parquet", seed=7, scattered=scattered)
    told: list[tuple[int, int]] = []
    here = adjudicate(asked(claims, tmp_path / "here.parquet", trace=True, sample=100))
    for workers in (1, 3):
        out = tmp_path / f"{workers}.parquet"
        found = adjudicate(
            asked(claims, out, trace=True, sample=100),
            workers=workers,
            progress=lambda done, rows: told.append((done, rows)),
        )
        assert found == here
        assert out.read_bytes() == (tmp_path / "here.parquet").read_bytes()

    assert here.checked is not None
    assert here.checked.rows > 0 == here.checked.differing
    assert told == sorted(told[: len(told) // 2]) * 2, "twice the same, growing"
    assert len(told) > 6
    assert told[-1] == (CLAIMS, CLAIMS)
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "1.parquet", "3.parquet", "claims.parquet", "here.parquet",
    ]  # fmt: skip


def dies_once(part: Part) -> Found:
    """Judge a part, and let the third one kill its process first: when its file is half written."""
    killed = part.asked.out.with_suffix(".killed")
    if part.written.name.endswith("2.arrow") and not killed.exists():
        killed.touch()
        part.written.with_name(f".{part.written.name}.half").write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    return do_part(part)


def test_a_killed_process_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL in the middle: the same bytes, and its half file is gone too."""
    small(monkeypatch, Cut(200, 200))
    for scattered in (False, True):
        claims = written(tmp_path / "claims.parquet", seed=7, scattered=scattered)
        here = adjudicate(asked(claims, tmp_path / "here.csv"))
        monkeypatch.setattr(work, "do_part", dies_once)
        found = adjudicate(asked(claims, tmp_path / "out.csv"), workers=2)
        monkeypatch.setattr(work, "do_part", do_part)

        assert found == here
        assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "here.csv").read_bytes()
        (tmp_path / "out.killed").unlink()
        assert sorted(each.name for each in tmp_path.iterdir()) == [
            "claims.parquet", "here.csv", "out.csv",
        ]  # fmt: skip


def test_dask_gives_the_same(tmp_path: Path) -> None:
    """A real scheduler with two workers, one of which is killed at a part."""
    claims = written(tmp_path / "claims.csv", seed=7, scattered=True)
    # In a process of its own: Dask warns, and warnings are errors here.
    program = f"""
    from pathlib import Path
    from distributed import LocalCluster
    from tests.services.settlement.batch import test_work as test
    if __name__ == "__main__":
        test.small(test.pytest.MonkeyPatch(), test.Cut(200, 200))
        claims, folder = Path({str(claims)!r}), Path({str(tmp_path)!r})
        here = test.adjudicate(test.asked(claims, folder / "here.parquet"))
        test.work.do_part = test.dies_once
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None,
                          host="127.0.0.1") as cluster:
            asked = test.asked(claims, folder / "out.parquet")
            found = test.adjudicate(asked, scheduler=cluster.scheduler_address)
        print(found == here)
    """
    assert in_process(program).strip().endswith("True")
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "claims.csv", "here.parquet", "out.killed", "out.parquet",
    ]  # fmt: skip


def looks_around(part: Part) -> Found:
    """Judge a part; keep beside the output who may read what lies in the run's directory."""
    found = do_part(part)
    folder = part.written.parent
    modes = set()
    for each in folder.iterdir():
        # What another thread has written may be taken over, and removed, at any moment.
        with suppress(FileNotFoundError):
            modes.add(stat.S_IMODE(each.stat().st_mode))
    told = msgspec.json.encode([stat.S_IMODE(folder.stat().st_mode), sorted(modes)])
    part.asked.out.with_suffix(f".{part.written.stem}").write_bytes(told)
    return found


def test_what_a_worker_leaves_is_its_owners(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows on their way lie in a directory and in files that nobody else may read."""
    small(monkeypatch, Cut(200, 200))
    by_threads(monkeypatch)
    monkeypatch.setattr(work, "do_part", looks_around)
    claims = written(tmp_path / "claims.parquet", seed=7, scattered=True)
    adjudicate(asked(claims, tmp_path / "out.parquet"), workers=1)

    told = [msgspec.json.decode(path.read_bytes()) for path in tmp_path.glob("out.results-*")]
    assert len(told) > 2
    assert all(each == [0o700, [0o600]] for each in told)


def test_a_fault_in_a_worker_leaves_the_file_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full is told by the code that it has here, and nothing is left."""
    small(monkeypatch, Cut(200, 200))
    by_threads(monkeypatch)
    out = tmp_path / "out.csv"
    out.write_bytes(BEFORE)
    monkeypatch.setattr(work, "do_part", _disk_is_full)
    claims = written(tmp_path / "claims.parquet", seed=7, scattered=True)
    with pytest.raises(Refused, match="CLAIMS_OUT"):
        adjudicate(asked(claims, out), workers=1)

    assert out.read_bytes() == BEFORE
    assert sorted(each.name for each in tmp_path.iterdir()) == ["claims.parquet", "out.csv"]


def _disk_is_full(_part: Part) -> Found:
    raise OSError(28, "No space left on device")


def test_a_file_without_rows(tmp_path: Path) -> None:
    """It has results without rows, whoever judges it."""
    columns = {name: values.slice(0, 0) for name, values in columns_of([_ROW]).items()}
    claims = write_parquet(tmp_path / "claims.parquet", columns)
    here = adjudicate(asked(claims, tmp_path / "here.parquet"))
    found = adjudicate(asked(claims, tmp_path / "out.parquet"), workers=2)

    assert found.tally.rows == here.tally.rows == 0
    assert found.tally.judged == Tally().judged
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()


_ROW = dict.fromkeys(
    ("claim_id", "person_id", "admdvs", "scheme", "ended_on", "person_type", "hospital_level",
     "in_scope_fen"), "1",
)  # fmt: skip
