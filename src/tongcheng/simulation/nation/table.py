"""What a run comes to, as a table for a terminal, as a section of a page, and as JSON."""

from collections.abc import Iterator

import msgspec

from tongcheng.kernel.calendar import local_date
from tongcheng.simulation.nation.results import Finished, Header
from tongcheng.simulation.nation.totals import Totals

SHOWN_MAX = 12
COUNTS = ("seeds", "stays", "settlements", "settled", "refused", "cancelled")
DAY_S = 86_400
HOUR_S = 3_600
WIDTH = 44


def to_json(totals: Totals) -> str:
    """Return the sums as JSON in one line, keys in order."""
    failed = {str(seed): words for seed, words in totals.failed.items()}
    value = {**msgspec.structs.asdict(totals), "failed": failed, "sound": totals.sound}
    return msgspec.json.encode(value, order="sorted").decode()


def to_text(totals: Totals) -> str:
    """Return the sums as lines of text."""
    return "\n".join(_lines(totals))


def _lines(totals: Totals) -> Iterator[str]:
    for name in COUNTS:
        yield _line(name, getattr(totals, name))
    yield from _indented(totals.refusals)
    yield _line("funds paid (fen)", totals.paid_fen)
    yield ""
    for name, value in totals.must_be_zero.items():
        yield _line(name, value) + ("" if value == 0 else "   must be 0")
    yield _line("broken invariants", sum(totals.broken.values()))
    yield from _indented(totals.broken)
    yield ""
    yield _line("faults injected", sum(totals.faults.values()))
    yield from _indented(totals.faults)
    yield _line("starts of nodes", totals.lives)
    yield ""
    yield (
        f"  {_days(totals)} days of the regions' time in {_hours(totals)} hours of processor,"
        f" {_each_ms(totals):.1f} ms a settlement; at most {totals.memory_mib} MiB a seed"
    )
    yield from _verdict(totals)


def _verdict(totals: Totals) -> Iterator[str]:
    yield from (f"  NOT SOUND: {command}" for command in totals.unsound[:SHOWN_MAX])
    for seed, words in list(totals.failed.items())[:SHOWN_MAX]:
        yield f"  NO REPORT of seed {seed}: {words}"
    if totals.missing:
        yield f"  NOT RUN: {totals.missing} seeds; the same command goes on"
    if totals.sound:
        yield "  nothing lost, doubled or one-sided in any seed; no fen between the two sides"


def _line(name: str, value: int) -> str:
    return f"  {name:<{WIDTH - 2}}{value:>16,}"


def _indented(counts: dict[str, int]) -> Iterator[str]:
    for name, count in counts.items():
        yield f"    {name:<{WIDTH - 4}}{count:>16,}"


def _days(totals: Totals) -> str:
    return f"{totals.virtual_seconds / DAY_S:,.1f}"


def _hours(totals: Totals) -> str:
    return f"{totals.processor_seconds / HOUR_S:,.2f}"


def _each_ms(totals: Totals) -> float:
    return totals.processor_seconds * 1_000 / max(1, totals.settlements)


def to_markdown(header: Header, finished: list[Finished], totals: Totals) -> str:
    """Return the sums as a section of docs/performance.md, every figure from the file."""
    return "\n".join(_section(header, finished, totals))


def _section(header: Header, finished: list[Finished], totals: Totals) -> Iterator[str]:
    seeds = sorted(one.report.seed for one in finished)
    ended_on = local_date(max(one.ended_at for one in finished), "UTC") if finished else "-"
    profiles = ", ".join(f"{count} {name}" for name, count in totals.seeds_by_faults.items())
    yield "## A nation's settlements, simulated"
    yield ""
    yield (
        f"`make simulate-nation`, ended {ended_on} (UTC): {totals.seeds} seeds"
        f" ({seeds[0] if seeds else '-'} to {seeds[-1] if seeds else '-'}; faults: {profiles}),"
        f" about {header.stays_per_seed:,} stays each;"
        f" Python {header.python}, SQLite {header.sqlite}; code and books `{header.sources[:16]}`."
    )
    yield (
        f"{_days(totals)} days of the regions' time took {_hours(totals)} hours of processor:"
        f" {_each_ms(totals):.1f} ms a settlement, all checks among it; at most"
        f" {totals.memory_mib} MiB a process."
    )
    yield ""
    yield "| settlements | |"
    yield "|---|---:|"
    for name in COUNTS[1:]:
        yield f"| {name} | {getattr(totals, name):,} |"
    for name, value in totals.must_be_zero.items():
        yield f"| **{name}** | **{value:,}** |"
    yield f"| **broken invariants** | **{sum(totals.broken.values()):,}** |"
    unreported = len(totals.failed) + totals.missing
    yield f"| **seeds without a report, or not run** | **{unreported:,}** |"
    yield ""
    yield "| what was made to fail | times |"
    yield "|---|---:|"
    for name, count in totals.faults.items():
        yield f"| {name} | {count:,} |"
    yield f"| starts of nodes | {totals.lives:,} |"
    yield from ([""] if totals.unsound else [])
    yield from (f"- not sound: `{command}`" for command in totals.unsound)
