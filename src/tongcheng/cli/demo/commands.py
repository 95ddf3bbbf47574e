"""`tongcheng demo …`: break a running demonstration on purpose, and see that it holds.

Exit codes: 0 it held, 1 it did not or was refused, 2 the command was not understood.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tongcheng.cli import options
from tongcheng.cli.counted import counted
from tongcheng.cli.demo import healing
from tongcheng.cli.demo.healing import Standing
from tongcheng.cli.demo.region import DEMO_FILE, default_folder
from tongcheng.kernel.clock import SystemClock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal.checks.view import Progress as Told
from tongcheng.node import files, forgery
from tongcheng.node.files import Settings
from tongcheng.node.forgery import TARGETS, Outcome, Target
from tongcheng.node.line import CutLines, Line, line_between, lines_of, lines_to
from tongcheng.services.settlement import demo as demos

SHOWN_MAX = 5

region_folder = click.option(
    "--data",
    "folder",
    type=options.FOLDER,
    default=default_folder,
    show_default="./tongcheng-demo",
    help="Where `tongcheng up` keeps the region.",
)
which_line = click.option(
    "--line",
    "named",
    nargs=2,
    metavar="MEMBER MEMBER",
    help="The line between two members [every line of the place that demo.yaml names].",
)


@click.group()
def demo() -> None:
    """Break a running demonstration on purpose: cut a line, heal it, forge a record."""


@demo.command()
@region_folder
@which_line
@options.as_json
def cut(folder: Path, named: tuple[str, str] | None, *, as_json: bool) -> None:
    """Cut lines between nodes: nothing crosses them, and settlements wait, pending.

    The nodes need not know; it lasts until the lines are healed, over every restart.
    """
    settings = _demo_nodes(folder)
    lines = _lines(settings, named)
    cut_lines = _state(settings)
    cut_lines.cut(lines)
    _tell(healing.standing(list(settings), cut_lines), as_json=as_json)


@demo.command()
@region_folder
@options.as_json
def status(folder: Path, *, as_json: bool) -> None:
    """Tell which lines are cut and since when, what waits, and whether anything is one-sided."""
    settings = _demo_nodes(folder)
    _tell(healing.standing(list(settings), _state(settings)), as_json=as_json)


@demo.command()
@region_folder
@which_line
@click.option("--wait", is_flag=True, help="Wait until what was pending is settled; exit 1 if not.")
@options.as_json
def heal(folder: Path, named: tuple[str, str] | None, *, wait: bool, as_json: bool) -> None:
    """Put lines together again; without --line, every one that is cut."""
    settings = _demo_nodes(folder)
    cut_lines = _state(settings)
    lines = _lines(settings, named) if named else list(cut_lines.all())
    directories = list(settings)
    if not wait:
        cut_lines.heal(lines)
        _tell(healing.standing(directories, cut_lines), as_json=as_json)
        return
    console = Console(highlight=False, stderr=True)
    with _progress(console) as told:
        healed = healing.heal_and_wait(directories, cut_lines, lines, told)
    if as_json:
        click.echo(msgspec.json.encode(healed).decode())
    else:
        before = counted(healed.pending_before, "settlement was", "settlements were")
        click.echo(f"{before} pending over {counted(len(lines), 'cut line', 'cut lines')}")
        click.echo(f"after {healed.seconds:.1f} s: {healed.pending} of them pending")
        compared = counted(healed.compared, "settlement", "settlements")
        click.echo(f"one-sided: {healed.one_sided} of {compared} in both sides' books")
    if healed.pending or healed.one_sided:
        raise SystemExit(1)


@demo.command()
@region_folder
@click.option("--node", "member_id", help="Whose store is copied [the place demo.yaml names].")
@click.option(
    "--what",
    "target",
    type=click.Choice(TARGETS),
    default="settlement",
    show_default=True,
    help="Which newest record is forged.",
)
@click.option("--with-keys", is_flag=True, help="The forger has the node's own keys.")
@click.option("--keep", is_flag=True, help="Keep the forged copy, and say where.")
@options.as_json
def tamper(
    folder: Path,
    member_id: str | None,
    target: Target,
    *,
    with_keys: bool,
    keep: bool,
    as_json: bool,
) -> None:
    """Forge one value in a copy of a node's store, and verify the copy.

    The original is only read. Exit code 1 when verification does not name exactly that table and
    key: with the node's own keys not everything can be found, and then it says so.
    """
    settings = _demo_nodes(folder)
    directory = _node(settings, member_id)
    keep_in = Path(mkdtemp(prefix="tongcheng-forgery-")) if keep else None
    console = Console(highlight=False, stderr=True)
    with _progress(console) as told:
        home = files.open_home(directory)
        outcome = forgery.forge(
            directory, home, target, with_keys=with_keys, keep_in=keep_in, progress=told
        )
    if as_json:
        data = {**msgspec.structs.asdict(outcome), "named": outcome.named}
        click.echo(msgspec.json.encode(data).decode())
    else:
        _print(outcome)
    if not (outcome.named and outcome.untouched):
        raise SystemExit(1)


def _demo_nodes(folder: Path) -> dict[Path, Settings]:
    """Return the nodes in the folder; refuses DEMO_NOT_ON when one of them is not for this."""
    settings = {each: files.read_settings(each) for each in files.node_directories(folder)}
    for each in settings.values():
        if not each.demo:
            raise Refused("DEMO_NOT_ON", member=each.member_id)
    return settings


def _state(settings: dict[Path, Settings]) -> CutLines:
    return lines_of(next(iter(settings)))


def _cut_off(settings: dict[Path, Settings]) -> str:
    """Return the member that the region's demonstration cuts off."""
    pack = next(iter(settings.values())).region
    return demos.load(files.pack_folder(pack) / DEMO_FILE).cut_off


def _lines(settings: dict[Path, Settings], named: tuple[str, str] | None) -> list[Line]:
    members = [each.member_id for each in settings.values()]
    if not named:
        return lines_to(_cut_off(settings), members)
    one, other = named
    if one == other or not {one, other} <= set(members):
        raise Refused("DEMO_LINE_UNKNOWN", one=one, other=other, members=", ".join(members))
    return [line_between(one, other)]


def _node(settings: dict[Path, Settings], member_id: str | None) -> Path:
    wanted = member_id or _cut_off(settings)
    for directory, each in settings.items():
        if each.member_id == wanted:
            return directory
    names = ", ".join(each.member_id for each in settings.values())
    raise Refused("DEMO_NODE_UNKNOWN", member=wanted, members=names)


@contextmanager
def _progress(console: Console) -> Iterator[Told]:
    """Show what is being done on a terminal while it lasts, and nothing anywhere else."""
    with ExitStack() as stack:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        progress = stack.enter_context(
            Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        )
        task = progress.add_task("")
        yield lambda stage, done, total: progress.update(
            task, description=f"{stage} {done:,}/{total:,}"
        )


def _tell(standing: Standing, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(standing).decode())
        return
    now_at = SystemClock().now()
    for line in standing.lines:
        state = "whole"
        if line.since_at is not None:
            state = f"cut since {_age(now_at - line.since_at)}"
        waits = counted(line.pending, "settlement pending", "settlements pending")
        oldest = f", the oldest since {_age(line.oldest_ms)}" if line.pending else ""
        click.echo(f"{line.first} - {line.second}: {state}; {waits}{oldest}")
    compared = counted(standing.compared, "settlement", "settlements")
    click.echo(f"one-sided: {standing.one_sided} of {compared} in both sides' books")


def _age(age_ms: int) -> str:
    seconds = age_ms // 1_000
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"  # noqa: PLR2004 two minutes


def _print(outcome: Outcome) -> None:
    console = Console(highlight=False, soft_wrap=True)
    forged = outcome.forged
    who = "a forger with the node's own keys" if outcome.with_keys else "a forger"
    console.print(f"{outcome.member_id}: in a copy of its store, {who} changed")
    console.print(f"  table {forged.table}, key {forged.key}, {forged.column}: "
                  f"{forged.before} -> {forged.after}", markup=False)  # fmt: skip
    rows = counted(outcome.rows, "row", "rows")
    console.print(f"verified {rows} in {outcome.seconds:.1f} s, copying included:")
    for one in (*outcome.found, *outcome.besides[:SHOWN_MAX]):
        console.print(escape(f"  table {one.table}, key {one.key}: {one.problem}"))
    if len(outcome.besides) > SHOWN_MAX:
        console.print(f"  and {len(outcome.besides) - SHOWN_MAX} more that follow from it")
    if outcome.skipped:
        names: Sequence[str] = outcome.skipped
        console.print(f"  not carried out because of the above: {', '.join(names)}")
    console.print(_verdict(outcome))
    console.print("the original is untouched" if outcome.untouched else "THE ORIGINAL DIFFERS")
    if outcome.copy is not None:
        console.print(f"the copy is kept at {outcome.copy}")


def _verdict(outcome: Outcome) -> str:
    if outcome.named:
        return "found: verification names exactly that table and key"
    if outcome.found:
        return "found, but verification names other rows as well"
    if outcome.target == "audit" and outcome.with_keys:
        return (
            "NOT found: an audit entry of today is protected by its code alone, which the keys "
            "can make anew; once a day the entries are sealed into the journal"
        )
    return "NOT found"
