"""People by area, as commands of mobility tell them: to a machine all, to a person the most."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import click
import msgspec
from rich.console import Console
from rich.table import Table

from tongcheng.cli.claims_run import result_console

if TYPE_CHECKING:
    from tongcheng.services.mobility.study.circle import Count

AREAS_MAX: Final = 20
"""Areas on a screen; a file and --json have all."""
SAID: Final = ("people", "trains", "walked", "roads", "beside_roads")
"""What a figure must not be read without."""


class Area(msgspec.Struct):
    """People of an area, and by regime those within each time, in the order of the minutes."""

    area_id: str
    name: str
    people: int
    within: dict[str, tuple[int, ...]]
    departures: int | None


class Counted(msgspec.Struct):
    """Areas in order of their ids, and all of them together."""

    minutes: tuple[int, ...]
    people: int
    within: dict[str, tuple[int, ...]]
    areas: list[Area]

    @classmethod
    def of(cls, counts: "Sequence[Count]", minutes: Sequence[int]) -> "Counted":
        """Return counts with their sums."""
        regimes = list(counts[0].within) if counts else []
        sums = {
            regime: tuple(
                sum(each.within[regime][at] for each in counts) for at in range(len(minutes))
            )
            for regime in regimes
        }
        people = sum(each.people for each in counts)
        return cls(tuple(minutes), people, sums, [Area(*each) for each in counts])


def show_counts(console: Console, counted: Counted, assumed: Mapping[str, str | int]) -> None:
    """Show the areas with the most people within the longest time, and what was assumed."""
    table = Table(box=None, pad_edge=False)
    table.add_column("area")
    table.add_column("people", justify="right")
    for regime in counted.within:
        for limit in counted.minutes:
            table.add_column(f"{regime} ≤{limit}", justify="right")
    is_timed = any(each.departures is not None for each in counted.areas)
    if is_timed:
        table.add_column("departures", justify="right")
    reached = [each for each in counted.areas if any(last[-1] for last in each.within.values())]
    reached.sort(key=lambda each: (-max(last[-1] for last in each.within.values()), each.area_id))
    for each in reached[:AREAS_MAX]:
        cells = [f"{number:,}" for numbers in each.within.values() for number in numbers]
        last = [str(each.departures)] if is_timed else []
        table.add_row(each.name, f"{each.people:,}", *cells, *last)
    sums = [f"{number:,}" for numbers in counted.within.values() for number in numbers]
    table.add_row("all", f"{counted.people:,}", *sums, *([""] if is_timed else []))
    console.print(table)
    left = len(reached) - AREAS_MAX
    if left > 0:
        console.print(f"and {left} areas more")
    show_assumed(console, assumed)


def show_assumed(console: Console, assumed: Mapping[str, str | int]) -> None:
    """Say what the figures rest on that was not counted, timed or seen."""
    for name in SAID:
        if name in assumed:
            console.print(f"{name.replace('_', ' ')}: {assumed[name]}")


class Done(msgspec.Struct):
    """What came of asking from one place, for a machine."""

    out: str
    method: str
    place: str
    lon: float
    lat: float
    assumed: dict[str, str | int]
    counted: Counted
    reading_s: float
    asking_s: float


def show_asked(done: Done, direction: str, *, as_json: bool) -> None:
    """Print what came of asking; `direction` says whether the place is where one goes."""
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
        return
    console = result_console()
    console.print(f"{direction} {done.place} ({done.lon:.4f}, {done.lat:.4f})")
    show_counts(console, done.counted, done.assumed)
    console.print(f"{done.out}; method {done.method}")
