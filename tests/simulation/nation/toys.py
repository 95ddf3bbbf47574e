"""Reports and ends of seeds as tests need them."""

from pathlib import Path

import msgspec

from tongcheng.simulation.nation.results import Finished, Header
from tongcheng.simulation.region import Plan, simulate
from tongcheng.simulation.report import Report

HEADER = Header(sources="a" * 64, first_seed=1, stays_per_seed=4)


def report_of(seed: int, **changed: object) -> Report:
    """Return a real seed's report under another number, with figures of its own."""
    return msgspec.structs.replace(_report(), seed=seed, **changed)


def finished(seed: int, **changed: object) -> Finished:
    """Return a seed's end."""
    return Finished(
        report=report_of(seed, **changed),
        processor_seconds=1.5,
        seconds=2,
        memory_mib=100 + seed,
        ended_at=1_795_400_000_000,
    )


def lines(path: Path) -> list[bytes]:
    """Return the file's lines."""
    return path.read_bytes().splitlines()


_KEPT: list[Report] = []


def _report() -> Report:
    if not _KEPT:
        _KEPT.append(simulate(Plan(5, 4, "none")))
    return _KEPT[0]
