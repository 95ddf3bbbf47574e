"""All nodes of a region in one process, for making data: posts are calls, time can be moved.

They are the production nodes on real files; only the network, the clock and `synchronous` differ.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tongcheng.kernel import accord as accords
from tongcheng.kernel import region
from tongcheng.kernel.accord import SignedAccord
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.entropy import SystemEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.transport import (
    ASK_PATH,
    CATCH_UP_PATH,
    CHECKPOINT_PATH,
    INBOX_PATH,
    Unreachable,
)
from tongcheng.node import files
from tongcheng.node.accords import draw_up
from tongcheng.node.core import Node, open_database
from tongcheng.node.files import Settings
from tongcheng.node.services import SERVICES
from tongcheng.services.settlement import catalogue as catalogues
from tongcheng.services.settlement import demo as demos
from tongcheng.services.settlement.catalogue import Catalogue
from tongcheng.services.settlement.demo import Demo

PACK = "jingjinji"
SERVICE = "settlement"
HOST = "127.0.0.1"
PORT = 8480
OK = 200
REFUSED = 409


class MovedClock:
    """The machine's clock, moved to another instant; it runs on from there."""

    def __init__(self, at: int) -> None:
        self.move_to(at)

    def move_to(self, at: int) -> None:
        """Let it be `at` (UTC ms) now."""
        self._at = at
        self._since = time.monotonic_ns()

    def now(self) -> int:
        """Return Unix milliseconds, UTC."""
        return self._at + (time.monotonic_ns() - self._since) // 1_000_000


class Calls:
    """The network: a post is a call, as long as nobody has fallen silent."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.silent = False

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Hand the bytes to the node at the address; its refusal is 409, as over HTTP."""
        del timeout_ms
        if self.silent:
            raise Unreachable(address, "silent")
        node = self.nodes[address]
        lanes = {
            INBOX_PATH: node.exchange.receive,
            CATCH_UP_PATH: node.exchange.catch_up,
            ASK_PATH: node.exchange.answer_ask,
            CHECKPOINT_PATH: node.checkpoints.receive,
        }
        try:
            return OK, await lanes[path](body)
        except Refused as refusal:
            return REFUSED, msgspec.json.encode({"code": refusal.code, "facts": refusal.facts})


class Region:
    """All members' nodes in this process, on one moved clock."""

    def __init__(self, folder: Path, start_at: int) -> None:
        self.clock = MovedClock(start_at)
        self.calls = Calls()
        self.pack = region.load(PACK)
        pack_folder = files.pack_folder(PACK)
        self.demo: Demo = demos.load(pack_folder / "demo.yaml")
        self.catalogues: dict[str, Catalogue] = {
            name: catalogues.parse(raw.decode())
            for name, raw in files.read_datasets(pack_folder).items()
        }
        self.member_of = {
            one.institution_id: self.pack.member_of(one.admdvs, SERVICE).id
            for one in self.demo.hospitals
        }
        self.nodes: dict[str, Node] = {}
        self._folder = folder

    async def open(self) -> None:
        """Make and open every node, sign one accord, add persons and hospitals."""
        names = [member.id for member in self.pack.members if SERVICE in member.services]
        for number, name in enumerate(names):
            self._create(name, PORT + number)
        document = self._accord(names)
        year = local_date(self.clock.now(), self.pack.zone).year
        for node in self.nodes.values():
            node.open()
        for node in self.nodes.values():
            node.start()
            await node.adopt(document.encoded())
            await node.run(lambda tx: demos.enrol_persons(tx, self.demo, year))
            await node.run(lambda tx: demos.enrol_hospitals(tx, self.demo))

    def _create(self, name: str, port: int) -> None:
        directory = self._folder / name
        settings = Settings(
            member_id=name,
            region=PACK,
            address=f"http://{HOST}:{port}",
            port=port,
            console="open",
            allow_draft_rulebooks=True,
            synthetic=True,
            demo=True,
        )
        files.create(directory, settings, SystemEntropy(), None, self.clock)
        home = files.open_home(directory)
        database = open_database(directory, home.ring.mac_key, synchronous="OFF")
        node = Node(home, database, self.clock, self.calls, threaded=False)
        self.nodes[name] = self.calls.nodes[settings.address] = node

    def _accord(self, names: Sequence[str]) -> SignedAccord:
        document = draw_up(
            [files.read_card(self._folder / name / files.CARD_FILE) for name in names],
            services=SERVICES,
            books=files.read_shelf(files.pack_folder(PACK), allow_drafts=True),
            valid_from_at=self.clock.now(),
        )
        for node in self.nodes.values():
            document = accords.sign(document, node.home.member_id, node.home.ring.signing)
        return document

    async def close(self) -> None:
        """Stop every node in good order."""
        for node in self.nodes.values():
            await node.stop()
