"""`tongcheng demo`: a live region of real processes is cut, killed, healed and forged."""

import time
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cli.demo.conftest import Live, command
from tongcheng.node import files
from tongcheng.node.forgery import TARGETS
from tongcheng.node.launch import await_ready, spawn

BEIJING, HEBEI, TIANJIN = "beijing-hsb", "hebei-hsb", "tianjin-hsb"
WITHIN_S = 60


def asked(region: Live, *words: str) -> Any:
    """Run a command of `tongcheng demo` on the region and return what it says as JSON."""
    run = command("demo", *words, "--data", str(region.folder), "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    return msgspec.json.decode(run.stdout)


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.2)


def pending(lines: Sequence[dict[str, Any]], member: str) -> int:
    """Return how many settlements wait over the lines of a member."""
    return sum(line["pending"] for line in lines if member in (line["first"], line["second"]))


@pytest.mark.timeout(300)
def test_cut_lines_hold_settlements_and_healed_ones_let_them_go(region: Live) -> None:
    """Pending with an age, whoever dies meanwhile; afterwards 0 pending and 0 one-sided."""
    until(lambda: bool(asked(region, "status")["compared"]))
    asked(region, "cut")
    until(lambda: pending(asked(region, "status")["lines"], TIANJIN) >= 3)
    region.nodes[TIANJIN].kill()
    region.nodes[TIANJIN] = spawn(region.folder / TIANJIN)
    await_ready(region.nodes[TIANJIN])
    time.sleep(2)
    stood = asked(region, "status")
    said = command("demo", "status", "--data", str(region.folder)).stdout
    others = [line for line in stood["lines"] if TIANJIN not in (line["first"], line["second"])]
    cut = [line for line in stood["lines"] if line["since_at"] is not None]
    healed = asked(region, "heal", "--wait")
    after = asked(region, "status")

    assert [TIANJIN in (line["first"], line["second"]) for line in cut] == [True, True]
    assert pending(cut, TIANJIN) >= 3
    assert max(line["oldest_ms"] for line in cut) > 2_000
    assert "pending, the oldest since" in said
    assert [line["since_at"] for line in others] == [None]
    assert healed["pending_before"] >= 3
    assert (healed["pending"], healed["one_sided"]) == (0, 0)
    assert healed["seconds"] < 20
    assert healed["compared"] > stood["compared"] - 1
    assert [line["since_at"] for line in after["lines"]] == [None, None, None]


@pytest.mark.timeout(300)
def test_one_line_can_be_cut_while_the_others_work(region: Live) -> None:
    """The members may be named in either order; a line that does not exist is refused."""
    stood = asked(region, "cut", "--line", TIANJIN, BEIJING)
    healed = command(
        "demo", "heal", "--data", str(region.folder), "--line", BEIJING, TIANJIN, "--wait"
    )
    plain = asked(region, "heal")
    unknown = command("demo", "cut", "--data", str(region.folder), "--line", BEIJING, BEIJING)

    cut = [(one["first"], one["second"]) for one in stood["lines"] if one["since_at"] is not None]
    assert cut == [(BEIJING, TIANJIN)]
    assert healed.returncode == 0, healed.stdout
    assert "one-sided: 0 of" in healed.stdout
    assert {one["since_at"] for one in plain["lines"]} == {None}
    assert unknown.returncode == 1
    assert "DEMO_LINE_UNKNOWN" in unknown.stderr


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("member", "target"), list(zip(cycle([BEIJING, TIANJIN]), TARGETS, strict=False))
)
def test_forged_record_is_named(region: Live, member: str, target: str) -> None:
    """Exactly the table and key that were changed, while the node goes on working."""
    until(lambda: asked(region, "status")["compared"] > 10)
    run = command(
        "demo", "tamper", "--data", str(region.folder), "--node", member, "--what", target
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert "found: verification names exactly that table and key" in run.stdout
    assert "the original is untouched" in run.stdout
    assert command("journal", "verify", "--data", str(region.folder / member)).returncode == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("target", TARGETS)
def test_forger_with_the_keys(region: Live, target: str) -> None:
    """The rest of the books contradicts him; only an audit entry of today nothing else knows."""
    run = command(
        "demo", "tamper", "--data", str(region.folder), "--what", target, "--with-keys", "--json"
    )
    outcome = msgspec.json.decode(run.stdout)
    place = (outcome["forged"]["table"], outcome["forged"]["key"])

    assert outcome["untouched"]
    assert outcome["named"] is (target != "audit")
    assert run.returncode == (0 if outcome["named"] else 1)
    assert {(one["table"], one["key"]) for one in outcome["found"]} <= {place}
    assert all(one["problem"] != "a stored value was changed" for one in outcome["found"])


@pytest.mark.timeout(300)
def test_unfound_forgery_is_said_to_be(region: Live) -> None:
    """In words, with the reason, and as an exit code."""
    words = ("--what", "audit", "--with-keys")
    run = command("demo", "tamper", "--data", str(region.folder), *words)

    assert run.returncode == 1
    assert "NOT found: an audit entry of today" in run.stdout


@pytest.mark.timeout(300)
def test_copy_is_kept_when_asked_for(region: Live) -> None:
    """Its place is said; it is its owner's alone."""
    run = command("demo", "tamper", "--data", str(region.folder), "--keep", "--json")
    copy = Path(msgspec.json.decode(run.stdout)["copy"])

    assert copy.stat().st_mode & 0o077 == 0
    assert copy.parent.stat().st_mode & 0o077 == 0
    copy.unlink()
    copy.parent.rmdir()


@pytest.mark.timeout(300)
def test_unknown_node_is_refused(region: Live) -> None:
    """The nodes that are there are named."""
    run = command("demo", "tamper", "--data", str(region.folder), "--node", "shanxi-hsb")

    assert run.returncode == 1
    assert "DEMO_NODE_UNKNOWN" in run.stderr
    assert BEIJING in run.stderr


@pytest.mark.parametrize("words", [("cut",), ("heal",), ("status",), ("tamper",)])
def test_other_nodes_are_left_alone(region: Live, tmp_path: Path, words: tuple[str]) -> None:
    """A node that is no demonstration is refused by name, and nothing is written."""
    settings = files.read_settings(region.folder / BEIJING)
    (tmp_path / BEIJING).mkdir()
    plain = msgspec.structs.replace(settings, demo=False)
    lines = [
        f"{field} = {msgspec.json.encode(value).decode()}\n"
        for field, value in msgspec.structs.asdict(plain).items()
    ]
    (tmp_path / BEIJING / files.SETTINGS_FILE).write_text("".join(lines))
    run = command("demo", *words, "--data", str(tmp_path))

    assert run.returncode == 1
    assert "DEMO_NOT_ON" in run.stderr
    assert [each.name for each in tmp_path.iterdir()] == [BEIJING]
