"""A toy service and nodes of two or three members in one process, for tests of the exchange.

`toy.ping/1` doubles a number and notes it in a table, refuses 3, and hands 13 to a bug of its own;
`toy.sum/1` is a question. Nothing here knows about insurance.
"""

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tongcheng.kernel import accord as accords
from tongcheng.kernel import adoption, ids, region
from tongcheng.kernel import envelope as envelopes
from tongcheng.kernel.accord import Accord, AccordKey, AccordMember, Limits, Permit, SignedAccord
from tongcheng.kernel.clock import Clock
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.envelope import Envelope
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange import acts
from tongcheng.kernel.exchange.transport import Transport, Unreachable
from tongcheng.kernel.home import Home
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.rulebook import Shelf
from tongcheng.kernel.service import Act, Ask, Reply, Service
from tongcheng.kernel.store import Reading, Records, Transaction, Writer
from tongcheng.node.core import Node, open_database

NOW_AT = 1_795_341_600_000
"""2026-11-22T10:00:00Z."""

MEMBERS = ("beijing-hsb", "tianjin-hsb", "hebei-hsb")
PACK = region.load("jingjinji")


class Ping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number to double."""

    n: int


class Pong(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Twice the number."""

    n: int


class PingRow(msgspec.Struct, frozen=True):
    """One ping that took effect (`what` ping), one answer that came (pong) or was refused."""

    number: int
    what: str
    n: int


class PingHeadRow(msgspec.Struct, frozen=True):
    """How many there are: a lost or doubled one shows."""

    head_id: str
    count: int


PINGS = Records("toy_pings", PingRow, key=("number",))
PING_HEAD = Records("toy_ping_head", PingHeadRow, key=("head_id",))


def _note(tx: Transaction, what: str, n: int) -> None:
    head = tx.get(PING_HEAD, "toy") or PingHeadRow("toy", 0)
    tx.put(PING_HEAD, PingHeadRow("toy", head.count + 1))
    tx.add(PINGS, PingRow(head.count + 1, what, n))


def _ping(tx: Transaction, _envelope: Envelope, body: Ping) -> Reply:
    _note(tx, "ping", body.n)
    if body.n == 3:
        raise Refused("AMOUNT_MALFORMED", given="3", digits=0)
    assert body.n != 13, "the toy's own bug"
    return Reply("toy.pong/1", Pong(n=body.n * 2))


def _pong(tx: Transaction, _envelope: Envelope, body: Pong) -> None:
    _note(tx, "pong", body.n)


def _refused(tx: Transaction, envelope: Envelope, _refusal: Refused) -> None:
    _note(tx, "refused", envelope.body["n"])


def _sum(_reading: Reading, _home: Home, _envelope: Envelope, body: Ping) -> Reply:
    if body.n == 3:
        raise Refused("AMOUNT_MALFORMED", given="3", digits=0)
    return Reply("toy.summed/1", Pong(n=body.n + 1))


TOY = Service(
    name="toy",
    acts=(Act("toy.ping/1", Ping, _ping, _refused), Act("toy.pong/1", Pong, _pong)),
    asks=(Ask("toy.sum/1", Ping, _sum, Pong, "toy.summed/1"),),
    tables=(PINGS, PING_HEAD),
)
UNKNOWN_TYPE = "toy.tomorrow/1"
"""Permitted by the toy accord, known to no node."""

TYPES = (
    "toy.ping/1",
    "toy.pong/1",
    "toy.sum/1",
    "toy.summed/1",
    UNKNOWN_TYPE,
    acts.REFUSED_TYPE,
    acts.PARKED_TYPE,
)


def ring_of(member_id: str, salt: str = "") -> KeyRing:
    """Return the keys of a toy member; the same every time."""
    return KeyRing.create(SeededEntropy(member_id + salt))


def toy_accord(
    members: Sequence[str] = MEMBERS[:2],
    *,
    limits: Limits | None = None,
    permits: list[Permit] | None = None,
    keys: dict[str, list[AccordKey]] | None = None,
    addresses: dict[str, str] | None = None,
) -> SignedAccord:
    """Return version 1, signed by all; `keys` replaces the signing keys of a member."""
    both = list(members)
    entries = []
    for member_id in members:
        key = ring_of(member_id).signing
        listed = AccordKey(key.kid, "ed25519-sha256-aes256gcm", key.public.hex(), 0)
        signing = (keys or {}).get(member_id, [listed])
        address = (addresses or {}).get(member_id, member_id)
        entries.append(AccordMember(member_id, member_id, member_id, [], address, signing, []))
    given = [Permit(each, both, both) for each in TYPES] if permits is None else permits
    accord = Accord("jingjinji", 1, None, 0, entries, given, [], limits or Limits())
    document = SignedAccord(accord, [])
    for member_id in members:
        document = accords.sign(document, member_id, ring_of(member_id).signing)
    return document


class QuietNode(Node):
    """A node that answers and does nothing by itself: no link, no job changes its store."""

    def start(self) -> None:
        """Start nothing."""


def toy_node(
    folder: Path,
    member_id: str,
    transport: Transport,
    clock: Clock,
    *,
    threaded: bool = False,
    quiet: bool = False,
    seed: str = "",
) -> Node:
    """Return a node of a toy member with its database in `folder`, not opened yet."""
    folder.mkdir(exist_ok=True, parents=True)
    entropy = SeededEntropy(f"node {member_id} {seed}")
    home = Home(member_id, ring_of(member_id), entropy, PACK, Shelf([]))
    database = open_database(folder, home.ring.mac_key, synchronous="OFF")
    kind = QuietNode if quiet else Node
    return kind(home, database, clock, transport, threaded=threaded, services=(TOY,))


def noted(node: Node) -> list[tuple[str, int]]:
    """Return what took effect on a node, in order."""
    with node.database.snapshot() as snapshot:
        return [(row.what, row.n) for row in snapshot.select(PINGS)]


def adopt(node: Node, document: SignedAccord) -> None:
    """Adopt an accord on a node that is not open."""
    node.database.open_writing(node.clock.now())
    writer = Writer(node.database, node.home, node.clock)
    outcome = writer.run([lambda tx: adoption.adopt(tx, document.encoded())])[0]
    node.database.close()
    assert outcome.error is None, outcome.error


async def send_pings(node: Node, dst: str, *numbers: int) -> list[str]:
    """Send pings in one commit; return the ids of their envelopes."""

    def command(tx: Transaction) -> list[str]:
        return [acts.send(tx, dst, Reply("toy.ping/1", Ping(n))).id for n in numbers]

    sent: list[str] = await node.run(command)
    return sent


class Nowhere:
    """A transport whose peers never answer."""

    async def post(
        self, address: str, path: str, body: bytes, *, timeout_ms: int
    ) -> tuple[int, bytes]:
        """Raise Unreachable."""
        del path, body, timeout_ms
        raise Unreachable(address, "nobody is there")


def ping(n: int, *, seq: int, salt: str = "", **changes: Any) -> Envelope:
    """Return an envelope as Tianjin would send it to Beijing; `salt` makes another id."""
    fields: dict[str, Any] = {
        "id": ids.uuid7(NOW_AT, SeededEntropy(f"ping {n} {seq} {salt}")),
        "src": MEMBERS[1],
        "dst": MEMBERS[0],
        "seq": seq,
        "type": "toy.ping/1",
        "made_at": NOW_AT,
        "accord": "0" * 64,
        "body": {"n": n},
    }
    return Envelope(**(fields | changes))


def batch(*sent: Envelope | bytes, salt: str = "", **changes: Any) -> bytes:
    """Return a batch from Tianjin to Beijing, signed with Tianjin's key."""
    fields: dict[str, Any] = {
        "src": MEMBERS[1],
        "dst": MEMBERS[0],
        "envelopes": [one if isinstance(one, bytes) else one.encoded() for one in sent],
        "acknowledged": 0,
        "sent_at": NOW_AT,
    }
    return envelopes.pack(ring_of(MEMBERS[1], salt).signing, **(fields | changes))


def state_digest(folder: Path) -> str:
    """Return a digest over every committed value of every table of a node's database."""
    connection = sqlite3.connect(f"{(folder / 'node.sqlite').as_uri()}?mode=ro", uri=True)
    found = hashlib.sha256()
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    for (name,) in names.fetchall():
        rows = connection.execute(f"SELECT * FROM {name}")  # noqa: S608 a name of the schema
        for line in sorted(repr(row) for row in rows):
            found.update(f"{name} {line}\n".encode())
    connection.close()
    return found.hexdigest()
