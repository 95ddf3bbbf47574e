"""How long every page of the console takes, and what it weighs, with 20,000 stays in the store.

A node runs as users run it (`tongcheng serve`, uvicorn, a writer thread); one reader opens one page
after the other, signed in with every role that a page may need. Beside the pages, in the same run:
an answer that shows nothing (/health/live), files from memory, and what the disk takes for one
write that is kept, which is what a page costs that must be audited before it is shown. Exit code 1
when a page is too slow or too heavy, or could not be measured.
"""

import argparse
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from litestar import Litestar

from benchmarks import twenty_thousand
from benchmarks.console_pages import (
    Found,
    Route,
    follow,
    in_language,
    routes_of,
)
from benchmarks.in_process import HOST
from benchmarks.reader import Browser, Times, Weight, disk_write, sign_in
from benchmarks.row import Row
from benchmarks.runs import quick, tell
from benchmarks.twenty_thousand import MEMBER, STAYS_WANTED, Made
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
HEALTH = "/health/live"
QUICK_STAYS, QUICK_TIMES = 300, 5

NOT_THERE = {
    "/access/emergency": "offered where a reader is refused a record",
    "/audit/seal.json": "a download, there once the job has sealed the day before",
    "/demo/forged": "there once a record has been falsified, by a form",
    "/journal/proofs/{given:path}": "what the script of an entry's page fetches, to check it",
    "/mobility/ground.geojson": "what the script of the map fetches, to draw it",
    "/mobility/scenarios/keep": "what a form is sent to; opened, it leads back to the drawing",
    "/mobility/scenarios/try": "what a form is sent to; opened, it leads back to the drawing",
}
"""Pages that the data does not show, each with the reason: they are not measured."""

Tell = Callable[[str], None]


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


def faults_of(pages: Sequence[Measured], found: Found) -> list[str]:
    """Return a sentence for every promise that is not kept, of each page by its worst address."""
    said = [f"{one} could not be opened" for one in found.broken]
    said += [f"no link leads to {path}" for path in found.unreached if path not in NOT_THERE]
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


def rows_of(result: Result) -> list[Row]:
    """Return what is promised of the pages, each by the one that keeps it worst."""
    pages = worst_by_route([one for one in result.pages if one.is_page])
    slowest = max(pages, key=lambda one: one.times.p95)
    heaviest = max(pages, key=lambda one: one.weight.sent)
    stays = f"{result.made.stays:,} stays"
    missing = [said for said in result.faults if ": p95 is " not in said and "weighs" not in said]
    return [
        Row(
            "console",
            f"the slowest page, {stays}, the 95th of a hundred",
            slowest.times.p95,
            "ms",
            P95_MS_MAX,
            "at most",
            f"an answer that shows nothing, {HEALTH}",
            result.health.p95,
            f"{slowest.address} of {len(pages)} pages in each language",
        ),
        Row(
            "console",
            "the heaviest page with sheets and scripts, without map and chart",
            heaviest.weight.sent / 1_000,
            "kB",
            WEIGHT_BYTES_MAX / 1_000,
            "at most",
            note=heaviest.address,
        ),
        Row(
            "console",
            "pages that could not be opened or that no link leads to",
            len(missing),
            "pages",
            0,
            "at most",
            note="; ".join(missing),
        ),
    ]


# measuring


def measure() -> list[Row]:
    """Measure every page and return the rows of the table of all benchmarks."""
    stays, times = (QUICK_STAYS, QUICK_TIMES) if quick() else (STAYS_WANTED, TIMES)
    return rows_of(run(stays, times, tell))


def open_all(browser: Browser, found: Found, times: int, tell: Tell) -> list[Measured]:
    """Open every address so many times, one after the other, in every language."""
    measured = []
    for route, addresses in sorted(found.addresses.items()):
        for address in (in_language(each, to) for each in addresses for to in LANGUAGES):
            taken = browser.times(address, times)
            is_page, weight = browser.weigh(address)
            measured.append(Measured(route, address, taken, weight, is_page))
        slowest = max(one.times.p95 for one in measured if one.route == route)
        tell(f"{route}: {len(addresses)} addresses, p95 up to {slowest} ms")
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


def application(directory: Path) -> tuple[Node, Litestar]:
    """Return a node that is not running, and its application: for its routes and assets."""
    settings, home = files.read_settings(directory), files.open_home(directory)
    database = open_database(directory, home.ring.mac_key)
    transport = HttpTransport(lambda: home.accord.limits.batch_bytes)
    node = Node(home, database, SystemClock(), transport, threaded=False)
    console = make_console(node, synthetic=settings.synthetic, demo=settings.demo)
    return node, create_app(node, console, pages=True, run_node=False)


def run(stays: int, times: int, say: Tell) -> Result:
    """Make the data if need be, start the node on a copy of it, and measure."""
    kept, made = twenty_thousand.ready(wanted=stays, tell=say)
    with tempfile.TemporaryDirectory(dir=kept.parent) as name:
        directory = Path(name) / MEMBER
        # Reading writes the audit, and every run must meet the same rows.
        shutil.copytree(kept / MEMBER, directory)
        node, app = application(directory)
        cookies = sign_in(directory, node)
        served = start_process(directory)
        try:
            port = files.read_settings(directory).port
            # The last one has not signed in: the page to sign in is for nobody else.
            browsers = [Browser(HOST, port, pid=served.pid, cookie=each) for each in (*cookies, "")]
            health = browsers[0].times(HEALTH, times)
            sizes = same_sizes(browsers[0], app, times)
            pages, found = everything(browsers, routes_of(app), times, say)
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


def everything(
    browsers: Sequence[Browser], routes: tuple[Route, ...], times: int, tell: Tell
) -> tuple[list[Measured], Found]:
    """Measure what each reader comes to and none before did; return what is left over, too."""
    measured: list[Measured] = []
    broken: list[str] = []
    left = routes
    for browser in browsers:
        found = follow(routes, browser.text)
        mine = {route.path: found.addresses.get(route.path, []) for route in left}
        reached = Found({path: some for path, some in mine.items() if some}, [], [])
        measured += open_all(browser, reached, times, tell)
        broken += found.broken
        left = tuple(route for route in left if route.path not in reached.addresses)
    return measured, Found({}, [route.path for route in left], broken)


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
    parser.add_argument("--stays", type=int, default=STAYS_WANTED, help="how many stays there are")
    parser.add_argument("--times", type=int, default=TIMES, help="how often each address is opened")
    parser.add_argument("--json", action="store_true", help="write JSON for a machine")
    given = parser.parse_args()
    result = run(given.stays, given.times, tell)
    print(msgspec.json.encode(result).decode() if given.json else table(result))
    if result.faults:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
