"""What a comparison of before and after tells: to a machine all, to a person the most of it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from tongcheng.services.mobility.measures.inequality import Inequality
    from tongcheng.services.mobility.measures.monotone import Comparison
    from tongcheng.services.mobility.study.compare import Gain, Mean

AREAS_MAX: Final = 20
PAIRS_MAX: Final = 5


class Gained(msgspec.Struct):
    """People of an area; by regime and time those within it before, after, gained and lost."""

    area_id: str
    name: str
    people: int
    within: dict[str, tuple[tuple[int, int, int, int], ...]]


class Seen(msgspec.Struct):
    """A place from which it was looked at; `all` are the sums over areas."""

    place: str
    lon: float
    lat: float
    all: dict[str, tuple[tuple[int, int, int, int], ...]]
    areas: list[Gained]


class City(msgspec.Struct):
    """Of an area's people, how many are within the time of their point, in the mean."""

    area_id: str
    name: str
    people: int
    mean: dict[str, tuple[float | None, float | None]]


class Pair(msgspec.Struct):
    """A journey that became longer; 65,535 seconds is none within the longest."""

    origin: str
    destination: str
    before_s: int
    after_s: int


class Monotony(msgspec.Struct):
    """What became of all pairs of points and places under a regime."""

    pairs: int
    faster: int
    slower: int
    connected: int
    cut: int
    offending: list[Pair]


class Unequal(msgspec.Struct):
    """How unequally it is spread over points by their people; None where it is not defined."""

    mean: float | None
    gini: float | None
    palma: float | None
    theil: float | None


class Points(msgspec.Struct):
    """Many points asked at once."""

    points: int
    minutes: int
    cities: list[City]
    monotone: dict[str, Monotony]
    unequal: dict[str, Unequal]


class Seconds(msgspec.Struct):
    """How long the parts took; `map` is from the scenario to the shapes seen from its places."""

    reading: float
    map: float
    points: float


class Done(msgspec.Struct):
    """What came of a comparison, for a machine. `keeps_all`: it can make no journey longer."""

    out: str
    method: str
    scenario: str
    title: str
    limits: str
    mode: str
    day: str
    minutes: tuple[int, ...]
    keeps_all: bool
    seen: list[Seen]
    points: Points | None
    assumed: dict[str, str | int]
    took_s: Seconds


def seen_of(place: str, lon: float, lat: float, rows: "Sequence[Gain]") -> Seen:
    """Return what is seen from a place, with its sums."""
    sums: dict[str, tuple[tuple[int, int, int, int], ...]] = {}
    for regime in rows[0].within if rows else ():
        count = len(rows[0].within[regime])
        sums[regime] = tuple(
            (
                sum(row.within[regime][at][0] for row in rows),
                sum(row.within[regime][at][1] for row in rows),
                sum(row.within[regime][at][2] for row in rows),
                sum(row.within[regime][at][3] for row in rows),
            )
            for at in range(count)
        )
    return Seen(place, lon, lat, sums, [Gained(*row) for row in rows])


def monotony_of(
    found: "Comparison", names: tuple[list[str], list[str]], *, turned: bool
) -> Monotony:
    """Return what became of the pairs, the offending ones by the names of origin and destination.

    Rows of the comparison are origins, or destinations where it is `turned`.
    """
    pairs = []
    for each in found.offending:
        rows = (each.destination, each.origin) if turned else (each.origin, each.destination)
        pairs.append(Pair(names[0][rows[0]], names[1][rows[1]], each.before_s, each.after_s))
    return Monotony(found.pairs, found.faster, found.slower, found.connected, found.cut, pairs)


def cities_of(means: "Mapping[str, Sequence[Mean]]") -> list[City]:
    """Return the areas with their means by regime."""
    first = next(iter(means.values()))
    return [
        City(
            each.area_id,
            each.name,
            each.people,
            {regime: (rows[at].before.value, rows[at].after.value)
             for regime, rows in means.items()},
        )
        for at, each in enumerate(first)
    ]  # fmt: skip


def unequal_of(found: "Inequality") -> Unequal:
    """Return the indices that are defined."""
    return Unequal(found.mean.value, found.gini.value, found.palma.value, found.theil.value)


def show(console: Console, done: Done) -> None:
    """Show what is gained and lost, seen from each place and in the mean of each area."""
    console.print(f"{done.title} ({done.scenario}), beside {done.day}")
    for seen in done.seen:
        _show_seen(console, seen, done.minutes)
    if done.points is not None:
        _show_points(console, done.points, keeps_all=done.keeps_all)
    if done.limits:
        console.print(f"limits: {done.limits}")


def _show_seen(console: Console, seen: Seen, minutes: tuple[int, ...]) -> None:
    console.print(f"seen from {seen.place} ({seen.lon:.4f}, {seen.lat:.4f})")
    table = Table(box=None, pad_edge=False)
    for name in ("area", "regime", "minutes"):
        table.add_column(name)
    for name in ("before", "after", "gained", "lost"):
        table.add_column(name, justify="right")
    for regime, sums in seen.all.items():
        for at, limit in enumerate(minutes):
            table.add_row("all", regime, str(limit), *(f"{each:,}" for each in sums[at]))
    changed = [
        (area, regime) for area in seen.areas for regime in area.within
        if any(area.within[regime][-1][2:])
    ]  # fmt: skip
    changed.sort(key=lambda each: (-each[0].within[each[1]][-1][2], each[0].area_id, each[1]))
    for area, regime in changed[:AREAS_MAX]:
        last = area.within[regime][-1]
        table.add_row(area.name, regime, str(minutes[-1]), *(f"{each:,}" for each in last))
    console.print(table)


def _show_points(console: Console, points: Points, *, keeps_all: bool) -> None:
    console.print(
        f"people within {points.minutes} minutes of {points.points} points, in the mean of each"
        " area's people"
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("area")
    regimes = list(points.monotone)
    for regime in regimes:
        for side in ("before", "after"):
            table.add_column(f"{regime} {side}", justify="right")
    for city in points.cities[:AREAS_MAX]:
        pairs = [each for regime in regimes for each in city.mean[regime]]
        table.add_row(city.name, *("" if each is None else f"{each:,.0f}" for each in pairs))
    for name in ("gini", "palma", "theil"):
        values = [getattr(each, name) for each in points.unequal.values()]
        table.add_row(name, *("" if each is None else f"{each:.4f}" for each in values))
    console.print(table)
    for regime, found in points.monotone.items():
        console.print(
            f"{regime}: {found.pairs:,} pairs, {found.faster:,} faster (of which"
            f" {found.connected:,} new), {found.slower:,} slower"
        )
        for pair in found.offending[:PAIRS_MAX]:
            console.print(
                f"  {pair.origin} – {pair.destination}: {pair.before_s} s, then {pair.after_s} s"
            )
        if keeps_all and found.slower:
            console.print("  a fault: this scenario can make no journey longer")
