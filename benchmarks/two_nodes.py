"""Two real nodes that settle with each other: `tongcheng serve` as users run it, made-up persons.

Beijing insures, Tianjin has the hospital. Keys, accord, persons, hospitals and the credential are
made by the functions that the commands use; nothing is switched off, and every commit is synced.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.in_process import HOST, PACK
from tongcheng.kernel import accord as accords
from tongcheng.kernel import adoption, authority
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.entropy import SystemEntropy
from tongcheng.kernel.store import Transaction
from tongcheng.node import files
from tongcheng.node.accords import draw_up
from tongcheng.node.files import Settings
from tongcheng.node.launch import NodeProcess, await_ready, spawn
from tongcheng.node.offline import run_command
from tongcheng.node.serve import listen
from tongcheng.node.services import SERVICES
from tongcheng.services.settlement import demo as demos
from tongcheng.services.settlement import insured
from tongcheng.services.settlement.model import Identity
from tongcheng.services.settlement.rules import PersonType

INSURED, VISITED = "beijing-hsb", "tianjin-hsb"
INSURED_ADMDVS = "110000"
SCHEME = "310"
ENROLLED_AT_ONCE = 5_000


class Cities(msgspec.Struct, frozen=True):
    """Where the nodes are, and what a hospital needs to call the visited one."""

    insured: NodeProcess
    visited: NodeProcess
    folder: Path
    institution_id: str
    token: str

    @property
    def pids(self) -> tuple[int, int]:
        """The processes of the visited and of the insured side."""
        return self.visited.pid, self.insured.pid


def id_number(number: int) -> str:
    """Return the id number of a made-up person; 99 is no province, and T no check digit."""
    return f"99{number // 1_000:04d}19500101{number % 1_000:03d}T"


def person_type(number: int) -> PersonType:
    """Return what a made-up person is: every other one is retired."""
    return "retired" if number % 2 else "active"


def free_port() -> int:
    """Return a port that nobody listens on now."""
    listening = listen(HOST, 0)
    try:
        return int(listening.getsockname()[1])
    finally:
        listening.close()


@contextmanager
def two_nodes(folder: Path, persons: int) -> Iterator[Cities]:
    """Lay out both nodes in `folder` with so many persons insured, and run them until the end."""
    directories = [folder / member for member in (INSURED, VISITED)]
    for directory in directories:
        _create(directory)
    _bring_accord_into_force(directories)
    _enrol(directories[0], persons)
    institution_id, token = _contract(directories[1])
    started = [spawn(directory) for directory in directories]
    try:
        for one in started:
            await_ready(one)
        yield Cities(started[0], started[1], folder, institution_id, token)
    finally:
        for one in started:
            one.stop()


def _create(directory: Path) -> None:
    port = free_port()
    settings = Settings(
        member_id=directory.name,
        region=PACK,
        address=f"http://{HOST}:{port}",
        host=HOST,
        port=port,
        allow_draft_rulebooks=True,
        synthetic=True,
    )
    files.create(directory, settings, SystemEntropy(), None)


def _bring_accord_into_force(directories: list[Path]) -> None:
    document = draw_up(
        [files.read_card(each / files.CARD_FILE) for each in directories],
        services=SERVICES,
        books=files.read_shelf(files.pack_folder(PACK), allow_drafts=True),
        valid_from_at=SystemClock().now(),
    )
    for each in directories:
        home = files.open_home(each)
        document = accords.sign(document, home.member_id, home.ring.signing)
    raw = document.encoded()
    for each in directories:
        run_command(each, lambda tx: adoption.adopt(tx, raw))


def _enrol(directory: Path, persons: int) -> None:
    """Insure persons."""
    for first in range(0, persons, ENROLLED_AT_ONCE):
        numbers = range(first, min(first + ENROLLED_AT_ONCE, persons))

        def command(tx: Transaction, numbers: range = numbers) -> None:
            for number in numbers:
                identity = Identity(f"示例·{number}", id_number(number), "1", "1950-01-01")
                kind = person_type(number)
                insured.enrol(tx, identity, admdvs=INSURED_ADMDVS, scheme=SCHEME, person_type=kind)

        run_command(directory, command)


def _contract(directory: Path) -> tuple[str, str]:
    """Contract the region's made-up hospitals; return the first one with a credential."""
    demo = demos.load(files.pack_folder(PACK) / "demo.yaml")

    def command(tx: Transaction) -> tuple[str, str]:
        institution_id = demos.enrol_hospitals(tx, demo)[0]
        return institution_id, authority.issue(tx, institution_id, "bench")

    institution_id, token = run_command(directory, command)
    return institution_id, token
