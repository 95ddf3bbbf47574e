"""`tongcheng up`: a whole region on this machine, with made-up data, and stays arriving.

Exit codes: 0 every stay is accounted for and the books mirror each other, 1 not, 130 stopped
before the stays were played.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tongcheng.cli import options
from tongcheng.cli.books import Reconciled, reconcile_nodes
from tongcheng.cli.demo import region as regions
from tongcheng.cli.demo.course import Outcome
from tongcheng.cli.demo.his import Habits
from tongcheng.cli.demo.live import PACE_S, Arrivals, go_on
from tongcheng.cli.demo.play import Summary, plan, play_all, summarise, unaccounted
from tongcheng.cli.demo.region import DemoRegion, lay_out
from tongcheng.kernel.money import format_yuan
from tongcheng.node import files
from tongcheng.node.launch import NodeProcess, await_ready, spawn
from tongcheng.services.settlement.demo import PlannedStay

PORT = 8100
STAYS = 200
SEED = 7
QUIET_WITHIN_S = 15.0
LOOK_EVERY_S = 0.3
STOPPED = 130
PLAIN_STEPS = 10
MISSING_SHOWN = 10
DRAFTS = "rule books that nobody has adopted are used (allow_draft_rulebooks): nothing is binding"
FUND_NAMES = {
    "hifp_pay": "基本医疗保险统筹基金 pooled funds",
    "hifob_pay": "职工大额医疗费用补助基金 large-amount funds",
}
"""Funds of all areas and schemes together, by their field of the national interface."""


class Result(msgspec.Struct, frozen=True):
    """What `up` prints as JSON; amounts in fen."""

    folder: str
    seed: int
    seconds: float
    summary: Summary
    mirrored: bool
    in_flight: int
    due_from_fen: int
    due_to_fen: int
    unaccounted: list[str]

    @property
    def good(self) -> bool:
        """Tell whether every stay is accounted for and nothing differs or hangs."""
        return self.mirrored and not self.unaccounted and not self.in_flight


@click.command()
@click.option(
    "--data",
    "folder",
    type=options.FOLDER,
    default=regions.default_folder,
    show_default="./tongcheng-demo",
    help="Where the region's nodes live; what is there is continued.",
)
@click.option("--region", "pack", default="jingjinji", show_default=True, help="Region pack.")
@click.option("--seed", default=SEED, show_default=True, help="Which made-up stays arrive.")
@click.option(
    "--stays", "count", type=click.IntRange(0), default=STAYS, show_default=True, help="How many."
)
@click.option(
    "--serve/--no-serve", default=True, show_default=True, help="Keep serving until Ctrl-C."
)
@click.option(
    "--pace",
    "pace_s",
    type=click.FloatRange(0, 3_600),
    default=PACE_S,
    show_default=True,
    metavar="SECONDS",
    help="Between two patients who arrive while it serves; 0: nobody comes.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65_000),
    default=PORT,
    show_default=True,
    help="First port of new nodes; nodes that are there keep theirs.",
)
@options.as_json
def up(
    folder: Path,
    pack: str,
    seed: int,
    count: int,
    pace_s: float,
    port: int,
    *,
    serve: bool,
    as_json: bool,
) -> None:
    """Start a whole region on this machine with made-up data and let stays arrive.

    Each member is a process of its own, with its own keys, books and database. Hospital systems
    call the national interface over HTTP; then both sides' ledgers are compared to the fen, and
    patients go on arriving until Ctrl-C. `tongcheng demo` breaks it on purpose.
    """
    console = Console(highlight=False, stderr=as_json)
    # Started in the background by a shell, a process is born deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)
    pack = str(Path(pack).absolute()) if "/" in pack else pack
    demo = lay_out(folder, pack, port=port)
    stays = plan(demo, seed=seed, count=count)
    with _running(demo.directories) as nodes:
        _announce(console, demo, nodes)
        result = _play(console, demo, nodes, stays, seed)
        if as_json:
            click.echo(msgspec.json.encode(result).decode())
        else:
            _print(console, result)
        if serve:
            console.print("the nodes keep serving and patients keep arriving; Ctrl-C stops them")
            _serve(demo, nodes, Arrivals(seed, demo.next_number + count, pace_s))
    if not result.good:
        raise SystemExit(1)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def _running(directories: Sequence[Path]) -> Iterator[list[NodeProcess]]:
    """Start a process for every node, side by side, and stop them all at the end."""
    nodes: list[NodeProcess] = []
    try:
        nodes.extend(spawn(directory) for directory in directories)
        for node in nodes:
            await_ready(node)
        yield nodes
    finally:
        # Side by side, and each told once: a node takes a second word for "without waiting".
        with ThreadPoolExecutor(max_workers=len(nodes) or 1) as pool:
            list(pool.map(NodeProcess.stop, nodes))


def _announce(console: Console, demo: DemoRegion, nodes: Sequence[NodeProcess]) -> None:
    console.print(f"{demo.demo.label.zh} · {demo.demo.label.en}", style="yellow")
    if any(files.read_settings(each).allow_draft_rulebooks for each in demo.directories):
        console.print(DRAFTS, style="yellow", soft_wrap=True)
    for node in nodes:
        console.print(f"{node.member_id:<14} {node.url}/", style="bold", soft_wrap=True)
    first = next((node for node in nodes if node.member_id == demo.demo.cut_off), nodes[0])
    if files.read_settings(first.directory).demo:
        console.print(f"open first     {first.url}/zh/demo, or /en/demo: a tour", soft_wrap=True)
        console.print("sign in        each console offers sample people, without a password")
    console.print(f"hospital credentials: {demo.folder / regions.CREDENTIALS_FILE}", soft_wrap=True)


def _play(
    console: Console,
    demo: DemoRegion,
    nodes: Sequence[NodeProcess],
    stays: Sequence[PlannedStay],
    seed: int,
) -> Result:
    """Let the stays arrive, wait for what is under way, and compare the books."""
    habits = Habits(f"habits {seed}")
    urls = {node.member_id: node.url for node in nodes}
    begun = time.monotonic()
    try:
        with _progress(console, len(stays)) as told:
            outcomes = asyncio.run(play_all(demo, urls, stays, told=told, habits=habits))
    except KeyboardInterrupt:
        console.print("stopped before all stays were played")
        raise SystemExit(STOPPED) from None
    seconds = time.monotonic() - begun
    books = _quiet(demo.directories)
    lines = [line for pair in books.pairs for line in pair.purses]
    return Result(
        folder=str(demo.folder),
        seed=seed,
        seconds=round(seconds, 1),
        summary=summarise(outcomes, habits.retries),
        mirrored=books.mirrored,
        in_flight=sum(len(pair.in_flight) for pair in books.pairs),
        due_from_fen=sum(line.due_from_fen for line in lines),
        due_to_fen=sum(line.due_to_fen for line in lines),
        unaccounted=unaccounted(demo.directories, stays, outcomes),
    )


def _quiet(directories: Sequence[Path]) -> Reconciled:
    """Compare the books once nothing is under way any more, or when patience is over."""
    until = time.monotonic() + QUIET_WITHIN_S
    while True:
        books = reconcile_nodes(directories)
        under_way = any(pair.in_flight for pair in books.pairs)
        if not under_way or time.monotonic() > until:
            return books
        time.sleep(LOOK_EVERY_S)


@contextmanager
def _progress(console: Console, count: int) -> Iterator[Callable[[Outcome], None]]:
    """Show a bar on a terminal, and a line now and then anywhere else."""
    if console.is_terminal:
        columns = (
            TextColumn("stays settled"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("stays", total=count)
            yield lambda _outcome: progress.advance(task)
        return
    step, done = max(1, count // PLAIN_STEPS), 0

    def told(_outcome: Outcome) -> None:
        nonlocal done
        done += 1
        if done % step == 0 or done == count:
            console.print(f"{done} of {count} stays")

    yield told


def _print(console: Console, result: Result) -> None:
    summary = result.summary
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_row("stays", str(summary.stays))
    table.add_row("  settled", str(summary.settled))
    for code, count in summary.refused.items():
        table.add_row(f"  refused: {code}", str(count))
    table.add_row("  cancelled", str(summary.cancelled))
    table.add_row("bills, yuan", format_yuan(summary.total_fen))
    for field, fen in summary.funds.items():
        table.add_row(f"  {FUND_NAMES.get(field, field)}", format_yuan(fen))
    table.add_row("  patients", format_yuan(summary.person_fen))
    table.add_row("  hospitals", format_yuan(summary.hospital_fen))
    table.add_row("ledgers: owed to the visited side", format_yuan(result.due_from_fen))
    table.add_row("ledgers: owed by the insured side", format_yuan(result.due_to_fen))
    table.add_row("in flight", str(result.in_flight))
    table.add_row("seconds", f"{result.seconds:.1f}")
    console.print(table)
    for problem in result.unaccounted[:MISSING_SHOWN]:
        console.print(problem, style="red")
    verdict = "mirrored to the fen" if result.mirrored else "NOT mirrored"
    console.print(f"ledgers {verdict}; {len(result.unaccounted)} stays not accounted for")


def _serve(demo: DemoRegion, nodes: Sequence[NodeProcess], arrivals: Arrivals) -> None:
    """Let the nodes serve and patients arrive until Ctrl-C, or until one of the nodes ends."""
    urls = {node.member_id: node.url for node in nodes}

    async def work() -> None:
        both = [_one_ends(nodes), *([go_on(demo, urls, arrivals)] if arrivals.pace_s else [])]
        tasks = [asyncio.create_task(each) for each in both]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    try:
        asyncio.run(work())
    except KeyboardInterrupt:
        return
    ended = ", ".join(node.member_id for node in nodes if not node.running())
    message = f"ended by itself: {ended}; see serve.log in its directory"
    raise click.ClickException(message)


async def _one_ends(nodes: Sequence[NodeProcess]) -> None:
    while all(node.running() for node in nodes):  # noqa: ASYNC110 a process sets no event
        await asyncio.sleep(LOOK_EVERY_S)
