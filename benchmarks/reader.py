"""One reader of a console: signed in, opening one page after the other, with a stop-watch."""

import http.client
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.console_pages import assets_of
from benchmarks.in_process import PACK
from tongcheng.kernel.access import accounts, sessions
from tongcheng.kernel.access.accounts import OPERATOR, NewAccount, RoleTerm
from tongcheng.kernel.access.table import ADMINISTRATOR_ROLE, TABLE_FILE, VISITOR_ROLE
from tongcheng.kernel.access.table import parse as parse_table
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.store import Transaction
from tongcheng.node import files
from tongcheng.node.app import actions_of
from tongcheng.node.core import Node
from tongcheng.node.guard import SessionCookie
from tongcheng.node.offline import run_command

WARM_UP = 2
SLOW_S = 0.5
TIMES_SLOW = 5
"""A page far beyond the bound need not be opened often to be found out."""
LIBRARIES = ("/vendor/echarts", "/vendor/maplibre")
"""Map and chart: what they weigh is told apart."""
PERCENTILE = 95


class Times(msgspec.Struct, frozen=True):
    """Milliseconds of one address: the middle, the 95th of a hundred, the longest.

    `cpu` is what the node itself computed for one answer: what else runs here does not change it.
    """

    p50: float
    p95: float
    max: float
    cpu: float = 0.0


class Weight(msgspec.Struct, frozen=True):
    """Bytes: of the page; of all that is sent for it to a new reader; of the same unpacked.

    `sent` and `unpacked` are with its own sheets and scripts, without `libraries`: map and chart.
    Sheets and scripts are sent packed (gzip) and kept by the browser, pages are sent as they are.
    """

    page: int
    sent: int
    unpacked: int
    libraries: int


def times_of(seconds: Sequence[float], cpu_seconds: float = 0.0) -> Times:
    """Return the middle, the 95th percentile (nearest rank), the longest and the mean CPU, ms."""
    ordered = sorted(seconds)
    rank = -(-PERCENTILE * len(ordered) // 100)
    middle, high = ordered[len(ordered) // 2], ordered[rank - 1]
    cpu = cpu_seconds / len(ordered)
    return Times(*(round(each * 1_000, 2) for each in (middle, high, ordered[-1], cpu)))


class Asset(msgspec.Struct, frozen=True):
    """Bytes of a style sheet, script or image: as a browser is sent it, and unpacked."""

    sent: int
    unpacked: int


class Browser:
    """One reader: one connection that stays open, nothing packed, nothing kept."""

    def __init__(self, host: str, port: int, *, pid: int, cookie: str) -> None:
        self._pid = pid
        self._connection = http.client.HTTPConnection(host, port, timeout=30)
        self._headers = {"Cookie": cookie}
        self._assets: dict[str, Asset] = {}

    def get(self, address: str, **headers: str) -> tuple[int, str, bytes]:
        """Return status, media type and body."""
        self._connection.request("GET", address, headers={**self._headers, **headers})
        answer = self._connection.getresponse()
        body = answer.read()
        return answer.status, answer.headers.get("Content-Type", ""), body

    def text(self, address: str) -> tuple[int, str, str]:
        """Return status, media type and text."""
        status, media_type, body = self.get(address)
        return status, media_type, body.decode("utf-8", "replace")

    def times(self, address: str, times: int) -> Times:
        """Open an address so many times; each from the request to the last byte."""
        warm = time.perf_counter()
        for _ in range(WARM_UP):
            self.get(address)
        if time.perf_counter() - warm > WARM_UP * SLOW_S:
            times = min(times, TIMES_SLOW)
        seconds = []
        computed = cpu_seconds(self._pid)
        for _ in range(times):
            begun = time.perf_counter()
            self.get(address)
            seconds.append(time.perf_counter() - begun)
        return times_of(seconds, cpu_seconds(self._pid) - computed)

    def asset(self, address: str) -> Asset:
        """Return what a style sheet, script or image weighs; asked for once."""
        if address not in self._assets:
            unpacked = len(self.get(address)[2])
            sent = len(self.get(address, **{"Accept-Encoding": "gzip"})[2])
            self._assets[address] = Asset(sent, unpacked)
        return self._assets[address]

    def weigh(self, address: str) -> tuple[bool, Weight]:
        """Return whether it is a page, and what it weighs with what it loads."""
        _, media_type, body = self.get(address)
        is_page = media_type.startswith("text/html")
        loaded = assets_of(body.decode("utf-8", "replace")) if is_page else []
        own = [self.asset(each) for each in loaded if not _is_library(each)]
        libraries = [self.asset(each) for each in loaded if _is_library(each)]
        return is_page, Weight(
            page=len(body),
            sent=len(body) + sum(each.sent for each in own),
            unpacked=len(body) + sum(each.unpacked for each in own),
            libraries=sum(each.sent for each in libraries),
        )


def cpu_seconds(pid: int) -> float:
    """Return what a process has computed so far, all its threads, from Linux's own books."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in threads) / 1e9


def _is_library(address: str) -> bool:
    return any(name in address for name in LIBRARIES)


def disk_write(folder: Path, times: int) -> Times:
    """Return what the disk takes for one row that is kept: 4 KiB appended and synced."""
    seconds = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(times):
            begun = time.perf_counter()
            os.write(file.fileno(), b"x" * 4_096)
            os.fdatasync(file.fileno())
            seconds.append(time.perf_counter() - begun)
    return times_of(seconds)


def sign_in(directory: Path, node: Node) -> list[str]:
    """Make accounts with every role, as roles may stand together; return their sessions' cookies.

    Who manages accounts has no other role, so there are two. Nobody can sign in by password.
    """
    table = parse_table(
        (files.pack_folder(PACK) / TABLE_FILE).read_text("utf-8"),
        agencies=[member.id for member in node.home.region.members],
        actions={action.name for action in actions_of(node)},
    )
    held = {role.id for role in table.roles} - {VISITOR_ROLE, ADMINISTRATOR_ROLE}

    def command(tx: Transaction) -> list[str]:
        today = local_date(tx.now_at, node.home.region.zone)
        secrets = []
        for name, roles in (("everything", held), ("accounts", {ADMINISTRATOR_ROLE})):
            terms = tuple(RoleTerm(role, today) for role in sorted(roles))
            row = accounts.add(tx, table, OPERATOR, NewAccount(name, name, terms, password=""))
            secrets.append(sessions.start(tx, row))
        return secrets

    address = files.read_settings(directory).address
    name = SessionCookie.of(node.home.member_id, address).name
    secrets: list[str] = run_command(directory, command)
    return [f"{name}={secret}" for secret in secrets]
