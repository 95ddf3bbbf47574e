"""`tongcheng mobility feed take --from`: a neighbour's bundle from its node, honest or not."""

import asyncio
import functools
import json
import shutil
import socket
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from click.testing import CliRunner, Result

from tests.services.mobility.bundle.neighbour import FILES, MANIFEST, Neighbour
from tests.services.mobility.bundle.stage import OWNER, TAKER, Sender, digest, feed_bytes
from tongcheng.cli import main
from tongcheng.kernel.keys import KeyRing
from tongcheng.node import launch
from tongcheng.node.core import open_database
from tongcheng.node.files import open_home
from tongcheng.services.mobility.bundle import source
from tongcheng.services.mobility.bundle.files import FileStore
from tongcheng.services.mobility.bundle.source import HttpSource

WORDS = ("--source", "synthetic", "--licence", "CC0-1.0")
TIMEOUT_MS = 400


class Stage(NamedTuple):
    """Two nodes under an accord in `folder`; the owner is to answer at `port`."""

    folder: Path
    port: int

    @property
    def taker(self) -> Path:
        """The directory of the node that takes."""
        return self.folder / TAKER

    def take(self, exit_code: int = 0) -> str:
        """Let it take the owner's bundle from the owner's node."""
        words = ("mobility", "feed", "take", "--from", OWNER, "--data", str(self.taker))
        result = _call(*words, exit_code=exit_code)
        return result.output + result.stderr

    def kept(self) -> list[str]:
        """Return what lies in its folder of files, and apart."""
        found = (self.taker / "mobility").rglob("*")
        return sorted(str(each.relative_to(self.taker / "mobility")) for each in found)

    def bundles(self) -> Any:
        """Return what it lists."""
        listed = _call("mobility", "feed", "list", "--data", str(self.taker), "--json")
        return json.loads(listed.output)["bundles"]


def _call(*words: str | Path, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(word) for word in words], env={"LC_ALL": "C"})

    assert result.exit_code == exit_code, result.output + result.stderr
    assert "Traceback" not in result.output + result.stderr
    return result


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The nodes, the accord that says where the owner answers, and a feed in its bundle."""
    folder, port = tmp_path_factory.mktemp("region"), _free_port()
    _call("node", "init", "--data", folder / OWNER, "--member", OWNER, "--port", str(port))
    _call("node", "init", "--data", folder / TAKER, "--member", TAKER)
    cards = [folder / each / "member-card.json" for each in (OWNER, TAKER)]
    accord = folder / "accord.json"
    _call("accord", "init", "--card", cards[0], "--card", cards[1], "-o", accord)
    _call("accord", "sign", accord, "--data", folder)
    _call("accord", "adopt", accord, "--data", folder)
    (folder / "metro.zip").write_bytes(feed_bytes(folder))
    _call("mobility", "feed", "add", folder / "metro.zip", "--data", folder / OWNER, *WORDS)
    return Stage(folder, port)


@pytest.fixture
def stage(laid_out: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The owner's node as it is, and a copy of the taker's; nobody waits for long."""
    shutil.copytree(laid_out.folder / TAKER, tmp_path / TAKER)
    (tmp_path / OWNER).symlink_to(laid_out.folder / OWNER)
    quick = functools.partial(HttpSource, timeout_ms=TIMEOUT_MS)
    monkeypatch.setattr(source, "HttpSource", quick)
    return laid_out._replace(folder=tmp_path)


@pytest.fixture
def neighbour(stage: Stage) -> Neighbour:
    """A server that has the owner's key, and a bundle of two feeds."""
    return _of_version(stage, 1, None)


def _of_version(stage: Stage, version: int, previous: str | None, **changes: Any) -> Neighbour:
    sender = Sender(stage.folder)
    metro, files = sender.entry()
    sender.feed = feed_bytes(stage.folder, "8:00")
    rail, more = sender.entry(id="rail")
    manifest = sender.manifest([metro, rail], version=version, previous=previous, **changes)
    return Neighbour(sender.sign(manifest), files | more)


def _last_path(neighbour: Neighbour) -> str:
    """Return where the file lies that is asked for last."""
    return max(each for each in neighbour.bodies if each.startswith(FILES))


# honest


def test_a_bundle_goes_from_node_to_node(stage: Stage) -> None:
    """Both real: the owner's runs, its console closed; the taker's files are the owner's."""
    running = launch.start_process((stage.folder / OWNER).resolve())
    try:
        first, again = stage.take(), stage.take()
        (entry,) = stage.bundles()[0]["entries"]
        lost = stage.taker / "mobility" / entry["sha256"]
        lost.unlink()
        healed = stage.take()
        broken = stage.folder / OWNER / "mobility" / entry["report_sha256"]
        raw = broken.read_bytes()
        broken.write_bytes(raw[:-1] + b"?")
        (stage.taker / "mobility" / entry["report_sha256"]).unlink()
        damaged = stage.take(exit_code=1)
        broken.write_bytes(raw)
    finally:
        running.kill()
    gone = stage.take(exit_code=1)

    assert "2 files fetched" in first
    assert f"{OWNER}: version 1, 1 file, " in first
    assert "0 files fetched" in again
    assert "taken before" in again
    assert "1 file fetched" in healed
    assert digest(lost.read_bytes()) == entry["sha256"]
    assert lost.stat().st_mode & 0o077 == 0
    assert "[BUNDLE_UNREACHABLE]" in damaged
    assert "[BUNDLE_UNREACHABLE]" in gone
    _call("journal", "verify", "--data", stage.taker, exit_code=1)


def test_only_what_is_missing_is_fetched(stage: Stage, neighbour: Neighbour) -> None:
    """After a download that broke off the files that came whole are not asked for again."""
    last = _last_path(neighbour)
    neighbour.lies[last] = "cut"
    with neighbour.serving(stage.port):
        broken = stage.take(exit_code=1)
        between, kept = stage.bundles(), stage.kept()
        neighbour.lies.clear()
        neighbour.asked.clear()
        taken = stage.take()
    asked = list(neighbour.asked)

    assert "[BUNDLE_UNREACHABLE]" in broken
    assert between == []
    assert len(kept) == 1 + 3
    assert all(each.startswith("incoming") for each in kept)
    assert asked == [MANIFEST, last]
    assert "4 files fetched" in taken
    assert stage.kept() == sorted(each.removeprefix(FILES) for each in neighbour.bodies)[1:]
    _call("journal", "verify", "--data", stage.taker)


def test_files_come_while_the_node_runs(stage: Stage, neighbour: Neighbour) -> None:
    """Adopting needs the store; what to do is said, and then no file is fetched again."""
    database = open_database(stage.taker, open_home(stage.taker).ring.mac_key)
    with neighbour.serving(stage.port):
        database.open_writing(0)
        try:
            refused = stage.take(exit_code=1)
        finally:
            database.close()
        neighbour.asked.clear()
        taken = stage.take()

    assert "[STORE_IN_USE]" in refused
    assert "stop it, give the command, and start it again" in refused
    assert neighbour.asked == [MANIFEST]
    assert f"{OWNER}: version 1, 2 files, " in taken


def test_two_do_not_fetch_at_once(stage: Stage) -> None:
    """They would write the same files; pruning waits for its turn, too."""
    with FileStore.of(open_home(stage.taker)).apart():
        refused = stage.take(exit_code=1)
        pruned = _call("mobility", "feed", "prune", "--data", stage.taker, exit_code=1)

    assert "[BUNDLE_FETCHING]" in refused
    assert "[BUNDLE_FETCHING]" in pruned.output
    assert stage.kept() == []


# not honest

LIES = {
    "other_bytes": "BUNDLE_FILE",
    "shorter": "BUNDLE_FILE",
    "empty": "BUNDLE_FILE",
    "longer": "BUNDLE_LONG",
    "endless": "BUNDLE_LONG",
    "packed": "BUNDLE_",
    "drop": "BUNDLE_SLOW",
    "silent": "BUNDLE_SLOW",
    "cut": "BUNDLE_UNREACHABLE",
    "gibberish": "BUNDLE_UNREACHABLE",
    "endless_head": "BUNDLE_UNREACHABLE",
    "redirect": "BUNDLE_REDIRECTED",
    "problem": "BUNDLE_ANSWER",
    "endless_problem": "BUNDLE_ANSWER",
}
OF_THE_BUNDLE = ("other_bytes", "shorter", "empty", "longer", "endless", "packed")
"""Lies about what was signed; the others only keep it from coming."""


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_about_a_file_is_refused(stage: Stage, neighbour: Neighbour, lie: str) -> None:
    """By name, and nothing is taken; of a bundle that is refused nothing is left."""
    neighbour.lies[_last_path(neighbour)] = lie
    with neighbour.serving(stage.port):
        said = stage.take(exit_code=1)

    assert f"[{LIES[lie]}" in said
    assert "\x1b" not in said
    assert stage.bundles() == []
    assert bool(stage.kept()) == (lie not in OF_THE_BUNDLE)
    assert not [each for each in stage.kept() if each.endswith(".part")]
    assert "/elsewhere" not in neighbour.asked


@pytest.mark.parametrize("lie", ["endless", "silent", "redirect", "problem", "empty"])
def test_each_lie_about_the_manifest_is_refused(
    stage: Stage, neighbour: Neighbour, lie: str
) -> None:
    """No file is asked for before the manifest is sound."""
    neighbour.lies[MANIFEST] = lie
    with neighbour.serving(stage.port):
        said = stage.take(exit_code=1)

    assert f"[{'CANONICAL_FORM' if lie == 'empty' else LIES[lie]}]" in said
    assert neighbour.asked == [MANIFEST]
    assert (stage.bundles(), stage.kept()) == ([], [])


def test_what_is_not_signed_by_the_member_is_not_fetched(stage: Stage) -> None:
    """The signature is checked before any file is asked for, and so is whose bundle it is."""
    sender = Sender(stage.folder)
    entry, files = sender.entry()
    key = KeyRing.load(stage.folder / TAKER / "keys").signing
    forged = sender.sign(sender.manifest([entry]), key)
    other = sender.sign(sender.manifest([entry], member_id="hebei-hsb"))
    for document, code in ((forged, "KEY_UNKNOWN"), (other, "BUNDLE_OF_ANOTHER")):
        neighbour = Neighbour(document, files)
        with neighbour.serving(stage.port):
            said = stage.take(exit_code=1)

        assert f"[{code}]" in said
        assert neighbour.asked == [MANIFEST]
        assert stage.kept() == []


def test_a_file_that_is_not_what_its_entry_says(stage: Stage) -> None:
    """All came as it was signed, and cannot be used: nothing of it is left."""
    sender = Sender(stage.folder)
    entry, files = sender.entry(valid_to="2027-12-31")
    with Neighbour(sender.sign(sender.manifest([entry])), files).serving(stage.port):
        said = stage.take(exit_code=1)

    assert "[BUNDLE_ENTRY]" in said
    assert (stage.bundles(), stage.kept()) == ([], [])


def test_a_refused_version_leaves_the_last_one_whole(stage: Stage, neighbour: Neighbour) -> None:
    """Files that both versions name stay; those of the refused one go."""
    with neighbour.serving(stage.port):
        stage.take()
    before, rows = stage.kept(), stage.bundles()
    sender = Sender(stage.folder)
    metro, files = sender.entry()
    sender.feed = feed_bytes(stage.folder, "9:00")
    other, more = sender.entry(id="bus", valid_to="2027-12-31")
    previous = rows[0]["digest"]
    manifest = sender.manifest([other, metro], version=2, previous=previous)
    newer = Neighbour(sender.sign(manifest), files | more)
    with newer.serving(stage.port):
        said = stage.take(exit_code=1)

    assert "[BUNDLE_ENTRY]" in said
    assert FILES + digest(sender.feed) in newer.asked
    assert (stage.kept(), stage.bundles()) == (before, rows)
    _call("journal", "verify", "--data", stage.taker)


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["--from", TAKER], 1, "[BUNDLE_OWN]"),
        (["--from", "gansu"], 1, "[MEMBER_UNKNOWN]"),
        (["--from", OWNER, "b.zip"], 2, "either a FILE or a member"),
        ([], 2, "either a FILE or a member"),
    ],
)
def test_whom_it_can_not_be_taken_from(
    stage: Stage, words: list[str], exit_code: int, said: str
) -> None:
    """Not from oneself, nor from whom the accord does not know."""
    refused = _call("mobility", "feed", "take", *words, "--data", stage.taker, exit_code=exit_code)

    assert said in refused.output + refused.stderr


def test_without_an_accord_there_is_no_address(tmp_path: Path) -> None:
    """A node of its own takes from nobody."""
    _call("node", "init", "--data", tmp_path / TAKER, "--member", TAKER)
    refused = _call(
        "mobility", "feed", "take", "--from", OWNER, "--data", tmp_path / TAKER, exit_code=1
    )

    assert "[ACCORD_MISSING]" in refused.output


def test_a_password_in_an_address_is_not_shown() -> None:
    """An accord's address may have one; refusals are read aloud and kept in logs."""

    async def main() -> str:
        async with HttpSource("http://one:secret@127.0.0.1:1", timeout_ms=TIMEOUT_MS) as there:
            with pytest.raises(source.BrokenOff) as refused:
                await there.get(MANIFEST, 1, len)
        return str(msgspec.json.encode(refused.value.facts))

    said = asyncio.run(main())

    assert "127.0.0.1:1" in said
    assert "secret" not in said
