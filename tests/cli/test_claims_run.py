"""What stops a command over a file of claims: SIGTERM does as Ctrl-C does."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.services.settlement.batch.claim_files import claim, write_csv
from tests.tidy import ROOT
from tongcheng.node import files

BOOK = files.pack_folder("jingjinji") / "rulebooks" / "beijing-employee-inpatient.yaml"
BEFORE = "of before"
STOP_S = 100


def stopped(words: list[str], number: signal.Signals) -> tuple[int, str]:
    """Run a command that gets a signal when it is about to write its first rows."""
    program = """
    import os, sys
    from tongcheng.cli import main
    from tongcheng.services.settlement.batch import output
    def write(self, table):
        print("killed", file=sys.stderr)
        os.kill(os.getpid(), int(sys.argv[1]))
        kept(self, table)
    kept, output._Csv.write = output._Csv.write, write
    if __name__ == "__main__":
        main(sys.argv[2:])
    """
    done = subprocess.run(  # noqa: S603 our own interpreter and words
        [sys.executable, "-c", textwrap.dedent(program), str(int(number)), "settlement", *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=STOP_S,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "LC_ALL": "C"},
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("workers", [[], ["--workers", "2"]], ids=["threads", "workers"])
@pytest.mark.parametrize("command", [["adjudicate"], ["what-if", "--new", str(BOOK)]])
def test_sigterm_leaves_nothing_behind(
    tmp_path: Path, command: list[str], workers: list[str]
) -> None:
    """The file of before stays as it was; rows on their way are gone; 143 says what it was."""
    # Person B comes back, so that the rows lie in files of the run's own too.
    rows = [claim(at, person) for at, person in enumerate("ABABC")]
    claims, out = write_csv(tmp_path / "claims.csv", rows), tmp_path / "out.csv"
    out.write_text(BEFORE, "utf-8")
    words = [*command, "--claims", str(claims), "--out", str(out), *workers]

    code, told = stopped(words, signal.SIGTERM)
    assert (code, told.strip()) == (143, "killed")
    assert out.read_text("utf-8") == BEFORE
    assert sorted(each.name for each in tmp_path.iterdir()) == ["claims.csv", "out.csv"]


def test_ctrl_c_does_the_same(tmp_path: Path) -> None:
    """But for its exit code, which is 1."""
    claims, out = write_csv(tmp_path / "claims.csv", [claim(1, "A")]), tmp_path / "out.csv"
    code, _ = stopped(["adjudicate", "--claims", str(claims), "--out", str(out)], signal.SIGINT)

    assert code == 1
    assert [each.name for each in tmp_path.iterdir()] == ["claims.csv"]
