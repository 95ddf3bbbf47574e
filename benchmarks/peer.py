"""Programs of others, each in an environment of its own: made at first use, run as a process.

They are run, never imported, whatever their licences. Their environments lie in `.bench/peers`.
"""

import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import FOLDER
from benchmarks.runs import tell

INSTALL_SECONDS_MAX, RUN_SECONDS_MAX = 900, 900


class Peer(NamedTuple):
    """A package with the version that figures are told for, and pinned ones it is run with."""

    title: str
    package: str
    version: str
    module: str
    besides: tuple[str, ...] = ()


class PeerError(Exception):
    """A peer could not be installed or run here; a word, and why."""

    def __str__(self) -> str:
        return str(self.args[1])


def python_of(peer: Peer) -> Path:
    """Return the peer's interpreter, with the peer installed at its version."""
    folder = FOLDER / "peers" / f"{peer.package}-{peer.version}"
    python, done = folder / "bin" / "python", folder / "installed"
    if done.exists():
        return python
    tell(f"installing {peer.package} {peer.version} into {folder}")
    venv.create(folder, clear=True, with_pip=True)
    wanted = (f"{peer.package}=={peer.version}", *peer.besides)
    run([str(python), "-m", "pip", "install", "--quiet", *wanted], INSTALL_SECONDS_MAX)
    done.touch()
    return python


def run(command: list[str], seconds_max: float = RUN_SECONDS_MAX) -> None:
    """Run a command to its end; refuses PeerError with the last that it said."""
    try:
        ended = subprocess.run(  # noqa: S603 our own command
            command, check=False, capture_output=True, text=True, timeout=seconds_max
        )
    except subprocess.TimeoutExpired:
        raise PeerError("TIME", f"more than {seconds_max:.0f} s") from None
    if ended.returncode:
        print(ended.stderr[-2_000:], file=sys.stderr)
        said = ended.stderr.strip().splitlines() or [f"code {ended.returncode}"]
        raise PeerError("FAILED", said[-1][:200])
