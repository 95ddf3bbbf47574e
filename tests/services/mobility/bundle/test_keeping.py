"""Files by their digests, versions that count up, eras, and what verification finds of them."""

import io
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.kernel.store.stage import home
from tests.services.mobility.bundle.stage import OWNER, TAKER, Sender, digest, lay_out
from tongcheng.kernel import canonical, journal
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Transaction
from tongcheng.node.offline import Stopped, opened
from tongcheng.services.mobility.bundle import records
from tongcheng.services.mobility.bundle.eras import check_eras, common_days
from tongcheng.services.mobility.bundle.files import FileStore
from tongcheng.services.mobility.bundle.inputs import kept_study_inputs, said_of
from tongcheng.services.mobility.bundle.keeping import adding, prune, removing
from tongcheng.services.mobility.bundle.model import Entry
from tongcheng.services.mobility.bundle.records import BUNDLE_KIND, BUNDLES, BundleRow, KeptEntry

RAW = b"bytes"
DIGEST = digest(RAW)


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Sender:
    """Two nodes under an accord, and the keys of one."""
    folder = tmp_path_factory.mktemp("region")
    lay_out(folder)
    return Sender(folder)


@pytest.fixture
def node(sender: Sender, tmp_path: Path) -> Iterator[Stopped]:
    """A copy of the other node, with nothing kept yet, held open for writing."""
    shutil.copytree(sender.folder / TAKER, tmp_path / TAKER)
    with opened(tmp_path / TAKER) as stopped:
        yield stopped


# files


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """Other bytes, too many or too few leave nothing; the right ones are their owner's alone."""
    store = FileStore(tmp_path / "files")
    for wrong in (b"other", RAW + b"!", RAW[:-1], b""):
        with pytest.raises(Refused, match="BUNDLE_FILE"):
            store.put(io.BytesIO(wrong), DIGEST, len(RAW))

        assert list((tmp_path / "files").iterdir()) == []
    assert store.put(io.BytesIO(RAW), DIGEST, len(RAW))
    assert not store.put(io.BytesIO(RAW), DIGEST, len(RAW))

    assert store.read(DIGEST, len(RAW)) == RAW
    assert store.path(DIGEST).stat().st_mode & 0o777 == 0o600
    assert store.path("").stat().st_mode & 0o777 == 0o700


def test_a_damaged_file_is_named_refused_and_replaced(tmp_path: Path) -> None:
    """What lies under a digest is held against it whenever it is read."""
    store = FileStore(tmp_path)
    store.put(io.BytesIO(RAW), DIGEST, len(RAW))
    store.path(DIGEST).write_bytes(b"bytez")

    assert store.problem(DIGEST, len(RAW)) == "the bytes are not those of the digest"
    with pytest.raises(Refused, match="BUNDLE_FILE"):
        store.read(DIGEST, len(RAW))
    assert store.put(io.BytesIO(RAW), DIGEST, len(RAW))
    assert store.problem(DIGEST, len(RAW)) is None
    store.remove(DIGEST)
    store.remove(DIGEST)
    assert store.problem(DIGEST, len(RAW)) == "the file is missing"
    with pytest.raises(Refused, match="BUNDLE_FILE_MISSING"):
        store.read(DIGEST, len(RAW))


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A full or foreign disk is a refusal; so is a node without a directory."""
    (tmp_path / "files").write_bytes(b"in the way")
    with pytest.raises(Refused, match="BUNDLE_DISK"):
        FileStore(tmp_path / "files").put(io.BytesIO(RAW), DIGEST, len(RAW))
    with pytest.raises(Refused, match="BUNDLE_FOLDER"):
        FileStore.of(home())


# versions


def test_versions_count_up_and_name_the_one_before(sender: Sender, node: Stopped) -> None:
    """What changes nothing is no version; each is in the journal as it was signed."""
    entry, _ = sender.entry()
    other = msgspec.structs.replace(entry, licence="other")
    first, same, second = (
        node.run(partial(records.publish, change=adding(each))) for each in (entry, entry, other)
    )
    with node.database.snapshot() as snapshot:
        kept = journal.content(snapshot, node.home.ring, BUNDLE_KIND, f"{TAKER}/2")
        found = {each.problem for each in records.check_bundles(snapshot, node.home)}

    assert same is None
    assert (first.manifest.version, first.manifest.previous) == (1, None)
    assert second.manifest.version == 2
    assert second.manifest.previous == canonical.digest(first.manifest.encoded())
    assert second.manifest.entries == (other,)
    assert kept == second.encoded()
    assert found == {"the file is missing"}


# pruning


def _pruned(node: Stopped) -> tuple[int, int]:
    with node.database.snapshot() as snapshot:
        return prune(FileStore.of(node.home), snapshot)


def _two_versions(sender: Sender, node: Stopped) -> tuple[FileStore, set[str], set[str]]:
    """Publish a feed and then another in its place; return what the newest names, and the rest."""
    store = FileStore.of(node.home)
    old, old_files = sender.entry(id="old")
    new, new_files = sender.entry(raw=RAW)
    for name, raw in {**old_files, **new_files}.items():
        store.put(io.BytesIO(raw), name, len(raw))
    for change in (adding(old), adding(new), removing("old")):
        node.run(partial(records.publish, change=change))
    return store, set(new_files), set(old_files) - set(new_files)


def test_pruning_leaves_what_the_newest_bundles_name(sender: Sender, node: Stopped) -> None:
    """Removed files go, and what a crash left; what is nobody's of ours is not touched."""
    store, named, gone = _two_versions(sender, node)
    folder = store.path("")
    (folder / ("0" * 64 + ".part")).write_bytes(b"half")
    (folder / "notes.txt").write_bytes(b"an operator's")
    with store.apart() as apart:
        apart.put(io.BytesIO(RAW), DIGEST, len(RAW))
    size = sum(store.path(each).stat().st_size for each in gone) + 4 + len(RAW)

    assert len(gone) == 1
    assert _pruned(node) == (3, size)
    assert {each.name for each in folder.iterdir()} == named | {"notes.txt"}
    assert _pruned(node) == (0, 0)


@pytest.mark.parametrize("deleted", range(3))
def test_pruning_may_end_anywhere(
    sender: Sender, node: Stopped, monkeypatch: pytest.MonkeyPatch, deleted: int
) -> None:
    """However far it came, every file that a kept bundle names is there, whole."""
    store, named, _ = _two_versions(sender, node)
    for number in range(3):
        store.path(f"{number:x}" * 64).write_bytes(b"?")
    left = [deleted]
    unlink = Path.unlink

    def ends(path: Path, *, missing_ok: bool = False) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(5, "the disk is gone")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", ends)
    with pytest.raises(Refused, match="BUNDLE_DISK"):
        _pruned(node)
    monkeypatch.setattr(Path, "unlink", unlink)

    (document,) = (each for _, each in _kept_documents(node))
    assert set(document.manifest.files()) == named
    assert not [
        name for name, size in document.manifest.files().items() if store.problem(name, size)
    ]


def _kept_documents(node: Stopped) -> tuple[Any, ...]:
    with node.database.snapshot() as snapshot:
        return records.kept_documents(snapshot)


# verifying


def _row(sender: Sender, **changes: Any) -> BundleRow:
    document, _ = sender.sound()
    row = BundleRow(OWNER, 1, document.manifest.digest(), 2**45, document.encoded())
    return msgspec.structs.replace(row, **changes)


def _forged(sender: Sender) -> bytes:
    document, _ = sender.sound()
    return msgspec.structs.replace(document, signature="00" * 64).encoded()


def _kept(row: BundleRow, *, journaled: bool = True) -> Callable[[Transaction], None]:
    def command(tx: Transaction) -> None:
        tx.add(BUNDLES, row)
        if journaled:
            journal.append(tx, BUNDLE_KIND, f"{row.member_id}/{row.version}", row.document)

    return command


FINDINGS: dict[str, tuple[Callable[[Sender], Callable[[Transaction], None]], list[str]]] = {
    "as it should be, but its files": (
        lambda it: _kept(_row(it)),
        ["the file is missing", "the file is missing"],
    ),
    "not in the journal": (
        lambda it: _kept(_row(it), journaled=False),
        ["the bundle differs from the journal", *["the file is missing"] * 2],
    ),
    "another version's row": (
        lambda it: _kept(_row(it, version=2)),
        ["the row differs from its document", *["the file is missing"] * 2],
    ),
    "nobody's signature": (
        lambda it: _kept(_row(it, document=_forged(it))),
        ["the signature is not the member's", *["the file is missing"] * 2],
    ),
    "before its key was valid": (
        lambda it: _kept(_row(it, kept_at=1)),
        ["the signature is not the member's", *["the file is missing"] * 2],
    ),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_verification_names_each_fault(name: str, sender: Sender, node: Stopped) -> None:
    """What is wrong with a version is said of it, and no more."""
    make, problems = FINDINGS[name]
    node.run(make(sender))
    with node.database.snapshot() as snapshot:
        found = list(records.check_bundles(snapshot, node.home))

    assert [each.problem for each in found] == problems
    assert {each.key.split("/")[0] for each in found} == {OWNER}


def test_beside_one_that_can_not_be_read_the_others_files_are_checked(
    sender: Sender, node: Stopped
) -> None:
    """Its first version names one before; of the other member's files each is missed."""
    entry, _ = sender.entry()
    node.run(partial(records.publish, change=adding(entry)))
    unreadable, _ = sender.sound(previous=DIGEST)
    node.run(_kept(_row(sender, document=unreadable.encoded())))
    with node.database.snapshot() as snapshot:
        found = [(each.key, each.problem) for each in records.check_bundles(snapshot, node.home)]
    missing = [f"{TAKER}/1/{name}" for name in sorted([entry.sha256, entry.report_sha256])]

    assert found == [
        (f"{OWNER}/1", "it can not be read: BUNDLE_MALFORMED"),
        *((key, "the file is missing") for key in missing),
    ]


# eras


def _feed(sender: Sender, entry_id: str, first: str, last: str) -> KeptEntry:
    entry, _ = sender.entry(id=entry_id, valid_from=first, valid_to=last)
    return KeptEntry(OWNER, entry)


@pytest.mark.parametrize(
    ("spans", "common"),
    [
        ([], None),
        ([("2026-01-01", "2026-12-31")], ("2026-01-01", "2026-12-31")),
        ([("2026-01-01", "2026-06-30"), ("2026-06-30", "2027-01-01")], ("2026-06-30",) * 2),
        ([("2016-01-01", "2016-03-31"), ("2026-01-01", "2026-12-31")], None),
    ],
)
def test_days_that_feeds_have_in_common(
    sender: Sender, spans: list[tuple[str, str]], common: tuple[str, str] | None
) -> None:
    """Both ends are inside; of two eras there are none."""
    kept = [_feed(sender, f"f{number}", *span) for number, span in enumerate(spans)]

    assert common_days(each.entry for each in kept) == common
    for day in (common or ())[:1]:
        check_eras(kept, date.fromisoformat(day))


def test_a_feed_of_another_era_is_refused_by_all_spans(sender: Sender) -> None:
    """So that who reads it sees which one is the odd one out; named alone, it is no matter."""
    kept = [
        _feed(sender, "new", "2026-01-01", "2026-12-31"),
        _feed(sender, "old", "2016-01-01", "2016-03-31"),
    ]
    with pytest.raises(Refused) as refused:
        check_eras(kept, date(2026, 3, 11))

    assert (refused.value.code, refused.value.facts["day"]) == ("BUNDLE_ERAS", "2026-03-11")
    assert refused.value.facts["spans"] == (
        f"{OWNER}/new 2026-01-01 – 2026-12-31; {OWNER}/old 2016-01-01 – 2016-03-31"
    )
    check_eras(kept[:1], date(2026, 3, 11))


# inputs


def test_nothing_kept_is_no_feed(node: Stopped) -> None:
    """Then a region's facts stand: there is nothing to read, and no folder is needed."""
    found = kept_study_inputs((), node.home, date(2026, 3, 11))

    assert (found.feeds, found.entries) == ((), ())


def test_whose_data_it_is_does_not_depend_on_the_order(sender: Sender) -> None:
    """Each credit once; what a model made is named."""
    one, _ = sender.entry()
    other = msgspec.structs.replace(one, id="a", attribution="© A", modelled=True)
    entries: list[Entry] = [one, other, msgspec.structs.replace(one, id="c")]

    assert said_of(entries) == said_of(entries[::-1])
    assert dict(said_of(entries)) == {
        "credits": "© A (CC0-1.0); synthetic (CC0-1.0)",
        "modelled": "feed a",
    }
