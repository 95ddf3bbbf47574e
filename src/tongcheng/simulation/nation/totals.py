"""The sum of many seeds: what was settled, what went wrong on purpose, and what must be zero."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from tongcheng.simulation import report as reports
from tongcheng.simulation.nation.results import Finished
from tongcheng.simulation.report import MUST_BE_ZERO


class Totals(msgspec.Struct, kw_only=True):
    """Sums over the finished seeds; `must_be_zero` and `broken` by name, `failed` by seed.

    `settlements` were asked for, and each is settled, refused or cancelled at its end. `lives` are
    starts of nodes. `unsound` are the commands that show each seed that is not sound again.
    """

    seeds: int = 0
    seeds_by_faults: dict[str, int] = {}
    stays: int = 0
    settlements: int = 0
    settled: int = 0
    refused: int = 0
    cancelled: int = 0
    refusals: dict[str, int] = {}
    paid_fen: int = 0
    faults: dict[str, int] = {}
    lives: int = 0
    must_be_zero: dict[str, int] = {}
    broken: dict[str, int] = {}
    unsound: list[str] = []
    failed: dict[int, str] = {}
    missing: int = 0
    virtual_seconds: int = 0
    processor_seconds: float = 0
    memory_mib: int = 0

    @property
    def sound(self) -> bool:
        """Tell whether every seed has come to its end and none lost, doubled or split anything."""
        return not (self.unsound or self.failed or self.missing)


def add_up(finished: Iterable[Finished], failed: dict[int, str], missing: int) -> Totals:
    """Add up the seeds; `failed` ended without a report, `missing` have not been run."""
    sums: Counter[str] = Counter()
    tables: dict[str, Counter[str]] = {
        name: Counter() for name in ("faults", "refusals", "broken", "must_be_zero", "seeds")
    }
    totals = Totals(failed=failed, missing=missing)
    for one in finished:
        report = one.report
        for name in ("settlements", "settled", "refused", "cancelled", "paid_fen", "stays"):
            sums[name] += getattr(report, name)
        totals.virtual_seconds += report.virtual_seconds
        totals.processor_seconds += one.processor_seconds
        totals.memory_mib = max(totals.memory_mib, one.memory_mib)
        totals.lives += sum(report.lives.values())
        totals.seeds += 1
        tables["seeds"][report.faults_profile] += 1
        tables["faults"].update(report.faults)
        tables["refusals"].update(report.refusals)
        tables["broken"].update({name: len(found) for name, found in report.broken.items()})
        # Kept at zero too: a figure that is not there says less than a zero.
        for name in MUST_BE_ZERO:
            tables["must_be_zero"][name] += getattr(report, name)
        if not report.sound:
            totals.unsound.append(reports.replay(report))
    for name, value in sums.items():
        setattr(totals, name, value)
    totals.seeds_by_faults = dict(sorted(tables.pop("seeds").items()))
    for name, table in tables.items():
        setattr(totals, name, dict(sorted(table.items())))
    return totals
