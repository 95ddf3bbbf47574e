"""How long every page of the console takes, and what it weighs, with 20,000 stays in the store.

A node runs as users run it (`tongcheng serve`, uvicorn, a writer thread); one reader opens one page
after the other. Beside the pages, in the same rounds: an answer that shows nothing (/health/live),
a file of about the same size from memory, and what the disk takes for one write that is kept, which
is what a page costs that must be audited before it is shown. Exit code 1 when a page is too slow or
too heavy, or could not be measured.
"""

import argparse
import http.client
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from litestar import Litestar

from benchmarks import twenty_thousand
from benchmarks.console_pages import (
    Found,
    assets_of,
    follow,
    in_language,
    routes_of,
)
from benchmarks.in_process import HOST
from benchmarks.twenty_thousand import MEMBER, Made
from tongcheng.kernel.clock import SystemClock
from tongcheng.node import files
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.node.core import Node, open_database
from tongcheng.node.http_transport import HttpTransport
from tongcheng.node.launch import start_process
from tongcheng.web.i18n import LANGUAGES

P95_MS_MAX = 50.0
WEIGHT_BYTES_MAX = 100_000
TIMES = 40
WARM_UP = 2
HEALTH = "/health/live"
LIBRARIES = ("/vendor/echarts", "/vendor/maplibre")
"""Map and chart: what they weigh is told apart."""
PERCENTILE = 95

Tell = Callable[[str], None]


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


class Measured(msgspec.Struct, frozen=True):
    """One address with what it took; `is_page` is false for a download."""

    route: str
    address: str
    times: Times
    weight: Weight
    is_page: bool = True


class Result(msgspec.Struct, frozen=True):
    """Everything that was measured, for --json."""

    machine: str
    measured_on: str
    made: Made
    how: str
    health: Times
    same_size: dict[str, Times]
    disk_write: Times
    pages: list[Measured]
    faults: list[str]


# pure


def times_of(seconds: Sequence[float], cpu_seconds: float = 0.0) -> Times:
    """Return the middle, the 95th percentile (nearest rank), the longest and the mean CPU, ms."""
    ordered = sorted(seconds)
    rank = -(-PERCENTILE * len(ordered) // 100)
    middle, high = ordered[len(ordered) // 2], ordered[rank - 1]
    cpu = cpu_seconds / len(ordered)
    return Times(*(round(each * 1_000, 2) for each in (middle, high, ordered[-1], cpu)))


def faults_of(pages: Sequence[Measured], found: Found) -> list[str]:
    """Return a sentence for every promise that is not kept, of each page by its worst address."""
    said = [f"{one} could not be opened" for one in found.broken]
    said += [f"no link leads to {path}" for path in found.unreached]
    for one in worst_by_route([each for each in pages if each.is_page]):
        if one.times.p95 >= P95_MS_MAX:
            said.append(f"{one.address}: p95 is {one.times.p95} ms, not below {P95_MS_MAX:.0f}")
        if one.weight.sent >= WEIGHT_BYTES_MAX:
            said.append(f"{one.route}: weighs {one.weight.sent} bytes, not below 100 kB")
    return said


def worst_by_route(pages: Sequence[Measured]) -> list[Measured]:
    """Return of every route the address with the longest p95, with the heaviest weight of all."""
    worst: dict[str, Measured] = {}
    for one in pages:
        best = worst.get(one.route)
        if best is None or one.times.p95 > best.times.p95:
            worst[one.route] = one
    heaviest = {
        route: max(
            (one.weight for one in pages if one.route == route), key=lambda weight: weight.sent
        )
        for route in worst
    }
    return [
        msgspec.structs.replace(one, weight=heaviest[route]) for route, one in sorted(worst.items())
    ]


# measuring


class Asset(msgspec.Struct, frozen=True):
    """Bytes of a style sheet, script or image: as a browser is sent it, and unpacked."""

    sent: int
    unpacked: int


class Browser:
    """One reader: one connection that stays open, nothing packed, nothing kept."""

    def __init__(self, host: str, port: int, *, pid: int, cookie: str = "") -> None:
        self._pid = pid
        self._connection = http.client.HTTPConnection(host, port, timeout=30)
        self._headers = {"Cookie": cookie} if cookie else {}
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
        for _ in range(WARM_UP):
            self.get(address)
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


def measure(
    browser: Browser, found: Found, times: int, tell: Callable[[str], None]
) -> list[Measured]:
    """Open every address so many times, one after the other, in every language."""
    measured = []
    for route, addresses in sorted(found.addresses.items()):
        tell(f"{route}: {len(addresses)} addresses")
        for address in (in_language(each, to) for each in addresses for to in LANGUAGES):
            taken = browser.times(address, times)
            is_page, weight = browser.weigh(address)
            measured.append(Measured(route, address, taken, weight, is_page))
    return measured


def same_sizes(browser: Browser, app: Litestar, times: int) -> dict[str, Times]:
    """Return what files from memory take, by their size in bytes."""
    assets = app.state["toolkit"].assets
    sizes = {}
    for name in ("console.css", "vendor/htmx.min.js"):
        address = assets.url(name)
        size = len(browser.get(address)[2])
        sizes[str(size)] = browser.times(address, times)
    return sizes


def application(directory: Path) -> Litestar:
    """Return the application of a node that is not running: for its routes and assets."""
    home = files.open_home(directory)
    database = open_database(directory, home.ring.mac_key)
    transport = HttpTransport(lambda: home.accord.limits.batch_bytes)
    node = Node(home, database, SystemClock(), transport, threaded=False)
    return create_app(node, make_console(node, synthetic=True), pages=True, run_node=False)


def run(times: int, tell: Tell) -> Result:
    """Make the data if need be, start the node on a copy of it, and measure."""
    kept, made = twenty_thousand.ready(tell=tell)
    with tempfile.TemporaryDirectory(dir=kept.parent) as name:
        directory = Path(name) / MEMBER
        # Reading writes the audit, and every run must meet the same rows.
        shutil.copytree(kept / MEMBER, directory)
        app = application(directory)
        served = start_process(directory)
        try:
            settings = files.read_settings(directory)
            browser = Browser(HOST, settings.port, pid=served.pid)
            found = follow(routes_of(app), browser.text)
            health = browser.times(HEALTH, times)
            sizes = same_sizes(browser, app, times)
            pages = measure(browser, found, times, tell)
        finally:
            served.stop()
        disk = disk_write(directory, times)
    return Result(
        machine=f"{os.cpu_count()} cores, Python {platform.python_version()}",
        measured_on=datetime.now(UTC).date().isoformat(),
        made=made,
        how=twenty_thousand.HOW,
        health=health,
        same_size=sizes,
        disk_write=disk,
        pages=pages,
        faults=faults_of(pages, found),
    )


# telling


def table(result: Result) -> str:
    """Return what people read: a line for each page, the worst of its addresses."""
    made = result.made
    stays = f"{made.stays} stays: {made.stays_visited} here, {made.stays_insured} decided here"
    head = ("p50", "p95", "max", "cpu", "× health", "page kB", "sent kB", "unpacked", "libraries")
    lines = [
        f"{stays}; {made.lines} lines; {result.machine}; {result.measured_on}",
        result.how,
        "",
        f"{'one page after the other, ms':44} " + " ".join(f"{each:>9}" for each in head),
        _line(f"an empty answer, {HEALTH}", result.health, result.health),
    ]
    lines += [
        _line(f"a file of {int(size) / 1_000:.0f} kB from memory", times, result.health)
        for size, times in result.same_size.items()
    ]
    lines.append(_line("the disk: 4 KiB appended and synced", result.disk_write, result.health))
    for one in worst_by_route(result.pages):
        name = one.route if one.is_page else f"{one.route} (a download)"
        kilobytes = msgspec.structs.astuple(one.weight)
        weight = "".join(f" {each / 1_000:>9.1f}" for each in kilobytes)
        lines.append(_line(name, one.times, result.health) + weight)
    lines += ["", *result.faults]
    kept = "kept" if not result.faults else "NOT kept"
    lines.append(f"p95 below {P95_MS_MAX:.0f} ms and below 100 kB without map or chart: {kept}")
    return "\n".join(lines)


def _line(name: str, times: Times, health: Times) -> str:
    ratio = times.p50 / health.p50 if health.p50 else 0.0
    figures = (times.p50, times.p95, times.max, times.cpu, ratio)
    return f"{name:44} " + " ".join(f"{each:>9.2f}" for each in figures)


def main() -> None:
    """Measure and tell; exit 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES, help="how often each address is opened")
    parser.add_argument("--json", action="store_true", help="write JSON for a machine")
    given = parser.parse_args()
    result = run(given.times, lambda said: print(said, file=sys.stderr, flush=True))
    print(msgspec.json.encode(result).decode() if given.json else table(result))
    if result.faults:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
