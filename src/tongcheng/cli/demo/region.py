"""A whole region on this machine: one node's directory for each member, an accord, made-up people.

What is there already is kept: keys, books, persons, credentials, the accord. Only what is missing
is made, so that a run that was broken off goes on where it stopped.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from tongcheng.cli.demo.people import enrol_people
from tongcheng.kernel import accord as accords
from tongcheng.kernel import adoption, authority, region
from tongcheng.kernel.accord import SignedAccord
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.entropy import SystemEntropy
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.node import accords as drawing
from tongcheng.node import files
from tongcheng.node.core import DATABASE_NAME
from tongcheng.node.files import Settings
from tongcheng.node.offline import read_snapshot, run_command
from tongcheng.node.serve import listen
from tongcheng.node.services import SERVICES
from tongcheng.services.settlement import catalogue as catalogues
from tongcheng.services.settlement import demo as demos
from tongcheng.services.settlement.catalogue import Catalogue
from tongcheng.services.settlement.demo import Demo
from tongcheng.services.settlement.store import STAYS

HOST: Final = "127.0.0.1"
ACCORD_FILE: Final = "accord.json"
CREDENTIALS_FILE: Final = "demo-credentials.json"
DEMO_FILE: Final = "demo.yaml"
SERVICE: Final = "settlement"


@dataclass(frozen=True)
class DemoRegion:
    """A region that is laid out: where, who, and what its hospitals need to call."""

    folder: Path
    directories: tuple[Path, ...]
    tokens: dict[str, str]
    demo: Demo
    catalogues: dict[str, Catalogue]
    zone: str
    next_number: int
    members: dict[str, str]
    """Institution → the member whose node it calls."""


def lay_out(folder: Path, pack_name: str, *, port: int) -> DemoRegion:
    """Make, or complete, the region in `folder`; new nodes listen from `port` upwards.

    Refuses ADDRESS_IN_USE before anything is written, and STORE_IN_USE while its nodes run.
    """
    pack = region.load(pack_name)
    pack_folder = files.pack_folder(pack_name)
    demo = demos.load(pack_folder / DEMO_FILE)
    members = [member.id for member in pack.members if SERVICE in member.services]
    _make_nodes(folder, pack_name, members, port)
    directories = tuple(folder / member for member in members)
    _bring_accord_into_force(folder, directories, pack_folder)
    enrol_people(folder, directories, pack_folder, pack)
    year = local_date(SystemClock().now(), pack.zone).year
    return DemoRegion(
        folder=folder,
        directories=directories,
        tokens=_enrol(folder, directories, demo, year),
        demo=demo,
        catalogues={
            name: catalogues.parse(raw.decode())
            for name, raw in files.read_datasets(pack_folder).items()
        },
        zone=pack.zone,
        next_number=demos.next_number(_inpatient_nos(directories)),
        members={
            one.institution_id: pack.member_of(one.admdvs, SERVICE).id for one in demo.hospitals
        },
    )


def _make_nodes(folder: Path, pack_name: str, members: Sequence[str], port: int) -> None:
    ports: list[int] = []
    missing: list[Settings] = []
    for number, member in enumerate(members):
        directory = folder / member
        if (directory / files.SETTINGS_FILE).exists():
            ports.append(files.read_settings(directory).port)
            continue
        settings = Settings(
            member_id=member,
            region=pack_name,
            address=f"http://{HOST}:{port + number}",
            host=HOST,
            port=port + number,
            console="open",
            allow_draft_rulebooks=True,
            synthetic=True,
            demo=True,
        )
        ports.append(settings.port)
        missing.append(settings)
    for each in ports:
        listen(HOST, each).close()
    for settings in missing:
        files.create(folder / settings.member_id, settings, SystemEntropy(), None)


def _bring_accord_into_force(folder: Path, directories: Sequence[Path], pack_folder: Path) -> None:
    """Draw up one accord, have every node sign it, and adopt it where none is adopted yet."""
    path = folder / ACCORD_FILE
    waiting = [each for each in directories if not _has_accord(each)]
    if not waiting:
        return
    if not path.exists():
        document = drawing.draw_up(
            [files.read_card(each / files.CARD_FILE) for each in directories],
            services=SERVICES,
            books=files.read_shelf(pack_folder, allow_drafts=True),
            valid_from_at=SystemClock().now(),
        )
        for each in directories:
            home = files.open_home(each)
            document = accords.sign(document, home.member_id, home.ring.signing)
        files.write_file(path, document.encoded() + b"\n")
    raw = _read(path).encoded()
    for each in waiting:
        run_command(each, lambda tx: adoption.adopt(tx, raw))


def _has_accord(directory: Path) -> bool:
    if not (directory / DATABASE_NAME).exists():
        return False
    return read_snapshot(directory, lambda snapshot, _home: bool(adoption.adopted(snapshot)))


def _read(path: Path) -> SignedAccord:
    return accords.parse(files.read_bytes(path).removesuffix(b"\n"))


def _enrol(folder: Path, directories: Sequence[Path], demo: Demo, year: int) -> dict[str, str]:
    """Add persons and hospitals to every node; return each hospital's token."""
    path = folder / CREDENTIALS_FILE
    tokens: dict[str, str] = {}
    if path.exists():
        tokens = msgspec.json.decode(path.read_bytes(), type=dict[str, str])

    def command(tx: Transaction) -> dict[str, str]:
        demos.enrol_persons(tx, demo, year)
        return {
            code: _token(tx, code, tokens.get(code)) for code in demos.enrol_hospitals(tx, demo)
        }

    for directory in directories:
        tokens |= run_command(directory, command)
    files.write_file(path, msgspec.json.format(msgspec.json.encode(tokens)) + b"\n", 0o600)
    return tokens


def _token(tx: Transaction, institution_id: str, known: str | None) -> str:
    """Return the token kept from an earlier run, if the node knows it; else a new one."""
    digest = None if known is None else authority.digest_of(known)
    if known is not None and digest is not None:
        row = tx.get(authority.CREDENTIALS, digest)
        if row is not None and row.institution_id == institution_id and row.to_at is None:
            return known
    authority.revoke(tx, institution_id)
    return authority.issue(tx, institution_id, "demo")


def _inpatient_nos(directories: Sequence[Path]) -> list[str]:
    def question(snapshot: Snapshot, _home: Home) -> list[str]:
        return [row.inpatient_no for row in snapshot.select(STAYS)]

    return [number for each in directories for number in read_snapshot(each, question)]


def default_folder() -> Path:
    """Return where `up` keeps its region when nobody says: in the current directory."""
    return Path(os.curdir) / "tongcheng-demo"
