"""A disk that loses power: what SQLite wrote after its last commit may be there, torn, or not.

The node's file lies in memory and is never synced; durability is modelled instead. SQLite's own
promise (WAL, synchronous=FULL) is that a commit which returned is in the write-ahead log for good.
So after every commit the length of the log is noted as durable, and a power cut leaves the
database file and the log cut at some byte at or after that length. In a commit, the cut falls
anywhere between the durable length and what the commit was writing. In a checkpoint, the log is
whole and each page of the database file is old or new, in any mixture.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from io import FileIO
from pathlib import Path

from tongcheng.kernel.store import Database
from tongcheng.node.core import DATABASE_NAME
from tongcheng.simulation.faults import Chance, Profile, Tally

GARBAGE_BYTES_MAX = 20_000
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 files of a mode-0700 folder, in memory
WAL_SUFFIX = "-wal"
SHM_SUFFIX = "-shm"
WAL_HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
INDEX_HEAD_BYTES = 20


def _valid_bytes(index_head: bytes) -> int:
    frames = int.from_bytes(index_head[16:20], sys.byteorder)
    page = int.from_bytes(index_head[14:16], sys.byteorder)
    return WAL_HEADER_BYTES + frames * (FRAME_HEADER_BYTES + page) if frames else 0


class PowerCut(BaseException):
    """The machine died here; nothing after this line has happened."""


def temporary_folder() -> Path:
    """Return a new private folder, in memory where the system has it."""
    where = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    return Path(tempfile.mkdtemp(prefix="tongcheng-simulation-", dir=where))


class Disk:
    """One machine's disk: a folder per life of the machine, and what survives from the last one."""

    def __init__(self, root: Path, chance: Chance, profile: Profile, tally: Tally) -> None:
        self._root = root
        self._chance = chance
        self._profile = profile
        self._tally = tally
        self._life = 0
        self.calm = False
        self.folder = root / "0"
        self.folder.mkdir(parents=True)

    @property
    def path(self) -> Path:
        """The database file of this life."""
        return self.folder / DATABASE_NAME

    def wal_bytes(self) -> int:
        """Return how long the valid part of the log is; rubbish of an earlier life may follow it.

        Read from the header of SQLite's index of the log (mxFrame and szPage of WalIndexHdr,
        sqlite.org/walformat.html, section 2), which every commit brings up to date.
        """
        with self.index_path.open("rb") as index:
            return _valid_bytes(index.read(INDEX_HEAD_BYTES))

    @property
    def index_path(self) -> Path:
        """SQLite's index of this life's log."""
        return self.path.with_name(DATABASE_NAME + SHM_SUFFIX)

    # what a power cut leaves

    def survive(self, durable_bytes: int) -> None:
        """Cut the power between two commits: all that was durable is there, then rubbish maybe."""
        garbage = b""
        if self._chance.happens(0.5):
            self._tally.fault("crash with a torn tail")
            garbage = self._chance.bytes(self._chance.whole(1, GARBAGE_BYTES_MAX))
        else:
            self._tally.fault("crash between commits")
        self._next_life(self._database_bytes(), self._wal()[:durable_bytes] + garbage)

    def survive_commit(self, durable_bytes: int) -> None:
        """Cut the power in a commit: nothing, some or all of what it wrote is there."""
        wal = self._wal()[: self.wal_bytes()]
        written = len(wal) - durable_bytes
        assert written >= 0, "the log only grows between checkpoints"
        which = self._chance.whole(0, 3)
        part = self._chance.whole(0, written)
        flip_at, flips = self._chance.whole(0, max(0, written - 1)), which == 3  # noqa: PLR2004
        kept = (0, written, part, written)[which]
        image = bytearray(wal[: durable_bytes + kept])
        kind = ("nothing written", "all written", "cut", "damaged")[which]
        if flips and written:
            image[durable_bytes + flip_at] ^= 1 << self._chance.whole(0, 7)
        self._tally.fault(f"crash in a commit, {kind}")
        self._next_life(self._database_bytes(), bytes(image))

    def survive_checkpoint(self, before: bytes, wal: bytes, after: bytes) -> None:
        """Cut the power in a checkpoint: the log is whole, the pages are old or new."""
        page = int.from_bytes(before[16:18], "big")
        page = 65_536 if page == 1 else page
        torn = bytearray(after)
        for start in range(0, len(before), page):
            if self._chance.happens(0.5):
                torn[start : start + page] = before[start : start + page]
        self._tally.fault("crash in a checkpoint")
        self._next_life(bytes(torn), wal)

    def _database_bytes(self) -> bytes:
        return self.path.read_bytes()

    def _wal(self) -> bytes:
        wal = self.path.with_name(DATABASE_NAME + WAL_SUFFIX)
        return wal.read_bytes() if wal.exists() else b""

    def _next_life(self, database: bytes, wal: bytes) -> None:
        self._life += 1
        self.folder = self._root / str(self._life)
        self.folder.mkdir()
        self.path.write_bytes(database)
        self.path.with_name(DATABASE_NAME + WAL_SUFFIX).write_bytes(wal)

    def forget_before(self) -> None:
        """Delete the files of the lives before this one."""
        for folder in self._root.iterdir():
            if folder != self.folder:
                shutil.rmtree(folder)

    # decisions of the moment

    def crashes_in_commit(self) -> bool:
        """Tell whether the power fails in the commit under way."""
        return self._chance.happens(self._profile.commit_crash) and not self.calm

    def checkpoints(self) -> bool:
        """Tell whether the log is copied into the database after this commit."""
        return self._chance.happens(self._profile.checkpoint)

    def crashes_in_checkpoint(self) -> bool:
        """Tell whether the power fails in the checkpoint under way."""
        return self._chance.happens(self._profile.checkpoint_crash) and not self.calm


class SimulatedDatabase(Database):
    """The node's database on a simulated disk; `on_power_cut` is told before PowerCut is raised."""

    def __init__(self, disk: Disk, mac_key: bytes, on_power_cut: Callable[[], None]) -> None:
        super().__init__(disk.path, mac_key, synchronous="OFF")
        self._disk = disk
        self._on_power_cut = on_power_cut
        self._index: FileIO | None = None
        self.durable_bytes = 0

    def open_writing(self, now_at: int) -> None:
        """Open as the node does, then take the checkpoints into our own hands."""
        super().open_writing(now_at)
        self.writing.execute("PRAGMA wal_autocheckpoint = 0")
        self._index = self._disk.index_path.open("rb", buffering=0)
        self._note_durable()

    def close(self) -> None:
        """Close as the node does, and the log's index with it."""
        super().close()
        if self._index is not None:
            self._index.close()
            self._index = None

    def _note_durable(self) -> None:
        # The file stays open: this is asked after every commit.
        assert self._index is not None, "the database is open for writing"
        head = os.pread(self._index.fileno(), INDEX_HEAD_BYTES, 0)
        self.durable_bytes = _valid_bytes(head)

    def commit(self) -> None:
        """Commit; the power may fail before this returns."""
        super().commit()
        if self._disk.crashes_in_commit():
            self._disk.survive_commit(self.durable_bytes)
            self._die()
        self._note_durable()
        if self._disk.checkpoints():
            self._checkpoint()

    def _checkpoint(self) -> None:
        dies = self._disk.crashes_in_checkpoint()
        before = self._disk.path.read_bytes() if dies else b""
        wal = self._disk.path.with_name(DATABASE_NAME + WAL_SUFFIX).read_bytes() if dies else b""
        self.writing.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if dies:
            self._disk.survive_checkpoint(before, wal, self._disk.path.read_bytes())
            self._die()
        self._note_durable()

    def _die(self) -> None:
        self._on_power_cut()
        raise PowerCut

    def fill(self) -> None:
        """Let the file grow no more: the next page that is needed is refused by SQLite."""
        pages = self.writing.execute("PRAGMA page_count").fetchone()[0]
        self.writing.execute(f"PRAGMA max_page_count = {pages}")

    def free(self) -> None:
        """Let the file grow again."""
        self.writing.execute("PRAGMA max_page_count = 1073741823")
