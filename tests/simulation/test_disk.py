"""What a power cut leaves: every durable commit, nothing of a torn one, on any byte of the log."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tongcheng.kernel.store import Database, Records
from tongcheng.node.core import DATABASE_NAME
from tongcheng.simulation import disk as disks
from tongcheng.simulation.disk import WAL_SUFFIX, Disk, PowerCut, SimulatedDatabase
from tongcheng.simulation.faults import Chance, Profile, Tally

MAC_KEY = b"k" * 32
NOW_AT = 1_790_000_000_000


class NumberRow(msgspec.Struct, frozen=True):
    """A row of this test alone; big enough for several pages a commit."""

    number: int
    filler: bytes


NUMBERS = Records("simulation_test_numbers", NumberRow, key=("number",))


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder where the simulation keeps its own."""
    folder = disks.temporary_folder()
    yield folder
    for file in sorted(folder.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    folder.rmdir()


def _open(disk: Disk) -> SimulatedDatabase:
    database = SimulatedDatabase(disk, MAC_KEY, lambda: None)
    database.open_writing(NOW_AT)
    return database


def _put(database: Database, number: int, bytes_each: int = 3_000) -> None:
    database.begin()
    rows = [NumberRow(number * 10 + part, bytes([number % 251]) * bytes_each) for part in range(5)]
    database.persist([(NUMBERS, rows)])
    database.commit()


def _numbers(folder: Path) -> list[int]:
    database = Database(folder / DATABASE_NAME, MAC_KEY, synchronous="OFF")
    database.open_writing(NOW_AT)
    try:
        return sorted({row.number // 10 for row in database.select(NUMBERS)})
    finally:
        database.close()


def test_every_cut_keeps_the_durable_and_only_the_durable(tmp_path: Path) -> None:
    """Cut the log at many bytes from the last durable commit on: the torn one is wholly absent."""
    disk = Disk(tmp_path / "disk", Chance(1, "disk"), Profile(checkpoint=0), Tally())
    database = _open(disk)
    for number in range(3):
        _put(database, number)
    durable = database.durable_bytes
    _put(database, 3)
    written = disk.wal_bytes()
    file, log = disk.path.read_bytes(), disk.path.with_name(DATABASE_NAME + WAL_SUFFIX).read_bytes()
    database.close()
    assert written > durable + 10_000, "the torn commit has several pages to cut between"

    for at, cut in enumerate([*range(durable, written, 1_777), written - 1, written]):
        life = tmp_path / f"life-{at}"
        life.mkdir()
        (life / DATABASE_NAME).write_bytes(file)
        (life / (DATABASE_NAME + WAL_SUFFIX)).write_bytes(log[:cut])

        kept = _numbers(life)

        assert kept == ([0, 1, 2, 3] if cut == written else [0, 1, 2]), cut


def test_a_cut_before_the_durable_length_loses_something(tmp_path: Path) -> None:
    """The model is not vacuous: a disk that lied about its last commit would be seen."""
    disk = Disk(tmp_path / "disk", Chance(1, "disk"), Profile(checkpoint=0), Tally())
    database = _open(disk)
    _put(database, 0)
    before = database.durable_bytes
    _put(database, 1)
    disk.survive(before)
    database.close()

    assert _numbers(disk.folder) == [0]


@pytest.mark.parametrize("seed", range(12))
def test_a_crash_in_a_commit_keeps_what_was_durable(tmp_path: Path, seed: int) -> None:
    """Whatever the seed leaves of the commit under way, it is all of it or nothing."""
    disk = Disk(tmp_path / "disk", Chance(seed, "disk"), Profile(commit_crash=1), Tally())
    disk.calm = True
    database = _open(disk)
    _put(database, 0)
    disk.calm = False

    with pytest.raises(PowerCut):
        _put(database, 1)
    database.close()

    assert _numbers(disk.folder) in ([0], [0, 1])


def test_all_outcomes_of_a_crash_in_a_commit_happen(tmp_path: Path) -> None:
    """Over a few seeds the torn commit is sometimes there and sometimes not."""
    seen = set()
    for seed in range(12):
        disk = Disk(tmp_path / f"{seed}", Chance(seed, "disk"), Profile(commit_crash=1), Tally())
        disk.calm = True
        database = _open(disk)
        disk.calm = False
        with pytest.raises(PowerCut):
            _put(database, 0)
        database.close()
        seen.add(tuple(_numbers(disk.folder)))

    assert seen == {(), (0,)}


@pytest.mark.parametrize("seed", range(6))
def test_a_crash_in_a_checkpoint_loses_nothing(tmp_path: Path, seed: int) -> None:
    """Pages old and new in any mixture: the whole log repairs them."""
    profile = Profile(checkpoint=0.3, checkpoint_crash=1)
    disk = Disk(tmp_path / "disk", Chance(seed, "disk"), profile, Tally())
    disk.calm = True
    database = _open(disk)
    disk.calm = False
    committed: list[int] = []

    def work() -> None:
        for number in range(100):
            committed.append(number)
            _put(database, number)

    with pytest.raises(PowerCut):
        work()
    database.close()

    assert _numbers(disk.folder) == committed


def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    """SQLite itself says that the disk is full; nothing of the commit is kept, later ones are."""
    disk = Disk(tmp_path / "disk", Chance(1, "disk"), Profile(checkpoint=0), Tally())
    database = _open(disk)
    _put(database, 0)
    database.fill()

    with pytest.raises(Exception, match="full"):
        _put(database, 1, bytes_each=50_000)
    database.rollback()
    database.free()
    _put(database, 2)
    database.close()

    assert _numbers(disk.folder) == [0, 2]


def test_temporary_folders_are_private(root: Path) -> None:
    """The files hold a whole region's books, synthetic or not."""
    assert root.stat().st_mode & 0o077 == 0
