"""`tongcheng up`: a region from nothing, continued, and its end; in real processes."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result

from tests.kill_loop import free_ports
from tongcheng.cli import main
from tongcheng.cli.demo.region import ACCORD_FILE, CREDENTIALS_FILE
from tongcheng.kernel.region import PACKS_DIR
from tongcheng.node import files
from tongcheng.node.core import DATABASE_NAME
from tongcheng.node.serve import listen

MEMBERS = ["beijing-hsb", "hebei-hsb", "tianjin-hsb"]
COMMAND = [sys.executable, "-c", "from tongcheng.cli import main; main()"]


def tongcheng(*words: str) -> Result:
    """Run a command here, without a process of its own."""
    return CliRunner().invoke(main, list(words))


def up(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Bring the region up and down again, as a process with processes of its own."""
    given = ["up", "--no-serve", "--data", str(folder), "--seed", "7", *words]
    return subprocess.run(  # noqa: S603 our own interpreter and our own words
        [*COMMAND, *given], capture_output=True, text=True, timeout=200, check=False
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A region that was brought up twice: its folder and what each run said."""
    folder = tmp_path_factory.mktemp("up") / "region"
    port = str(free_ports(3))
    runs = [up(folder, "--stays", "12", "--port", port, "--json") for _ in range(2)]
    assert [(run.returncode, run.stderr) for run in runs if run.returncode] == []
    return folder, [msgspec.json.decode(run.stdout) for run in runs]


@pytest.mark.timeout(300)
def test_every_stay_is_accounted_for_and_the_books_mirror(
    played: tuple[Path, list[Any]],
) -> None:
    """Both sides owe and are owed the same, and that is what the funds paid on the bills."""
    _, runs = played
    for run in runs:
        summary = run["summary"]

        assert run["mirrored"]
        assert (run["in_flight"], run["unaccounted"]) == (0, [])
        assert summary["stays"] == 12
        ends = summary["settled"] + summary["cancelled"] + sum(summary["refused"].values())
        assert ends == 12
        parts = sum(summary["funds"].values()) + summary["person_fen"] + summary["hospital_fen"]
        assert summary["total_fen"] == parts
        assert run["due_from_fen"] == run["due_to_fen"]
    assert runs[0]["summary"]["refused"] == {"AREA_WITHOUT_RULE_BOOK": 1}


@pytest.mark.timeout(300)
def test_a_second_run_continues(played: tuple[Path, list[Any]]) -> None:
    """The same keys, accord and credentials; new stays under the next numbers."""
    folder, runs = played
    paid = [sum(run["summary"]["funds"].values()) for run in runs]

    assert sorted(each.name for each in files.node_directories(folder)) == MEMBERS
    assert runs[0]["due_from_fen"] == paid[0]
    assert runs[1]["due_from_fen"] == paid[0] + paid[1]
    assert (folder / ACCORD_FILE).exists()
    assert (folder / CREDENTIALS_FILE).stat().st_mode & 0o077 == 0


@pytest.mark.timeout(300)
def test_reconcile_reads_a_region_and_a_single_node(played: tuple[Path, list[Any]]) -> None:
    """Both exit 0; one node alone says that the other side's books were not read."""
    folder, _ = played

    whole = tongcheng("settlement", "reconcile", "--data", str(folder), "--json")
    one = tongcheng("settlement", "reconcile", "--data", str(folder / "tianjin-hsb"))
    found = msgspec.json.decode(whole.stdout)

    assert (whole.exit_code, found["mirrored"]) == (0, True)
    assert {pair["source"] for pair in found["pairs"]} == {"books"}
    assert one.exit_code == 0
    assert "were not read" in one.stdout
    assert "signed answers" in one.stdout


def tampered(folder: Path, copy: Path, statement: str) -> Path:
    """Copy a region and change the books of Beijing behind the node's back."""
    shutil.copytree(folder, copy)
    connection = sqlite3.connect(copy / "beijing-hsb" / DATABASE_NAME)
    with connection:
        changed = connection.execute(statement).rowcount
    connection.close()
    assert changed == 1, statement
    return copy


WHERE_ONE = (
    "WHERE settlement_id = "
    "(SELECT settlement_id FROM settlement_decisions WHERE state = 'settled' LIMIT 1)"
)


@pytest.mark.timeout(300)
def test_reconcile_names_what_the_other_side_has_lost(
    played: tuple[Path, list[Any]], tmp_path: Path
) -> None:
    """A decision deleted with a database tool: exit code 1, the settlement is named."""
    folder, _ = played
    statement = f"DELETE FROM settlement_decisions {WHERE_ONE}"  # noqa: S608 our own words
    copy = tampered(folder, tmp_path / "region", statement)

    run = tongcheng("settlement", "reconcile", "--data", str(copy))
    verify = tongcheng("journal", "verify", "--data", str(copy / "beijing-hsb"))

    assert run.exit_code == 1
    assert "only at the visited side" in run.stdout
    assert "NOT mirrored" in run.stdout
    assert verify.exit_code == 1
    assert "settlement_decision_head" in verify.stdout


@pytest.mark.timeout(300)
def test_replay_under_an_edited_book(played: tuple[Path, list[Any]], tmp_path: Path) -> None:
    """The book in force changes nothing; one higher ratio is gained by persons, paid by funds."""
    folder, _ = played
    book = PACKS_DIR / "jingjinji" / "rulebooks" / "beijing-employee-inpatient.yaml"
    edited = tmp_path / "edited.yaml"
    edited.write_text(book.read_text("utf-8").replace('value: "0.85"', 'value: "0.88"'), "utf-8")

    same = tongcheng("rulebook", "replay", f"{book.stem}@2025-06-29", "--data", str(folder))
    run = tongcheng("rulebook", "replay", str(edited), "--data", str(folder), "--json")

    assert same.exit_code == 0, same.output
    assert " 0 would change" in same.output
    assert "every stored decision follows again, to the fen" in same.output
    assert run.exit_code == 0, run.output
    found = msgspec.json.decode(run.stdout)
    sums = found["sums"]
    assert 0 < sums["direct"] <= found["under_book"]
    more = sum(fund["after_fen"] - fund["before_fen"] for fund in sums["funds"])
    assert more == sums["persons_before_fen"] - sums["persons_after_fen"] == sums["gained_fen"] > 0
    assert all(not faults for faults in found["not_reproduced"].values())


@pytest.mark.timeout(300)
def test_reconcile_says_what_it_cannot_read(played: tuple[Path, list[Any]], tmp_path: Path) -> None:
    """A changed value and a malformed file are messages, not tracebacks."""
    folder, _ = played
    statement = f"UPDATE settlement_decisions SET fund_fen = fund_fen + 1 {WHERE_ONE}"  # noqa: S608
    copy = tampered(folder, tmp_path / "region", statement)

    changed = tongcheng("settlement", "reconcile", "--data", str(copy))
    (copy / "beijing-hsb" / DATABASE_NAME).write_bytes(b"not a database " * 1_000)
    malformed = tongcheng("settlement", "reconcile", "--data", str(copy))

    assert (changed.exit_code, malformed.exit_code) == (1, 1)
    assert "settlement_decisions" in changed.stderr
    assert "STORE_UNREADABLE" in malformed.stderr
    assert "Traceback" not in changed.stderr + malformed.stderr


@pytest.mark.timeout(300)
def test_a_port_in_use_is_a_message(played: tuple[Path, list[Any]]) -> None:
    """Nothing is started, nothing is written, and the port is named."""
    folder, _ = played
    settings = files.read_settings(folder / "beijing-hsb")

    with listening(settings.port):
        run = up(folder, "--stays", "1")

    assert run.returncode == 1
    assert "ADDRESS_IN_USE" in run.stderr
    assert str(settings.port) in run.stderr
    assert "Traceback" not in run.stderr


def listening(port: int) -> socket.socket:
    """Return an open listening socket, to be closed by `with`."""
    return listen("127.0.0.1", port)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nodes_end_with_their_parent(played: tuple[Path, list[Any]], how: signal.Signals) -> None:
    """Ctrl-C ends it all with exit code 0; a killed parent leaves no orphans either."""
    folder, _ = played
    words = ["up", "--data", str(folder), "--stays", "0"]
    process = subprocess.Popen(  # noqa: S603 our own interpreter and our own words
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "keep serving" in line:
            break
    urls = [files.read_settings(folder / member).address for member in MEMBERS]
    alive = [httpx.get(f"{url}/health/live", trust_env=False).status_code for url in urls]
    os.kill(process.pid, how)
    code = process.wait(60)
    process.stdout.close()
    until = time.monotonic() + 20
    while any(answers(url) for url in urls) and time.monotonic() < until:
        time.sleep(0.1)

    assert alive == [200, 200, 200]
    assert code == (-signal.SIGKILL if how == signal.SIGKILL else 0)
    assert not any(answers(url) for url in urls)


def answers(url: str) -> bool:
    """Tell whether somebody still answers there."""
    try:
        httpx.get(f"{url}/health/live", trust_env=False, timeout=1.0)
    except httpx.HTTPError:
        return False
    return True
