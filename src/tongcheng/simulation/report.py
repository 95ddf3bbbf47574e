"""What a simulation says: a table for people, JSON for machines, the same bytes for one plan."""

from collections.abc import Iterator

import msgspec

SHOWN_MAX = 12
MUST_BE_ZERO = ("pending", "lost", "doubled", "one_sided", "mirror_fen", "unfinished")


class MirrorLine(msgspec.Struct, frozen=True):
    """One purse and month between two members, by each side's ledger; fen."""

    visited_member: str
    insured_member: str
    purse: str
    month: str
    due_from_fen: int
    due_to_fen: int


class Report(msgspec.Struct, kw_only=True):
    """The end of one simulation.

    `settled`, `refused`, `cancelled` and `pending` count settlements by their last state; a stay
    may have several. `found` are the sentences behind the figures that must be zero, `broken` the
    other invariants that do not hold, by name.
    """

    seed: int
    faults_profile: str
    stays: int
    settlements: int
    settled: int
    refused: int
    cancelled: int
    pending: int
    lost: int
    doubled: int
    one_sided: int
    mirror_fen: int
    unfinished: int
    paid_fen: int
    refusals: dict[str, int]
    ways: dict[str, int]
    faults: dict[str, int]
    lives: dict[str, int]
    virtual_seconds: int
    mirror: list[MirrorLine]
    found: list[str]
    broken: dict[str, list[str]]
    books_digest: str
    whole_share: float | None = None
    under_way: int | None = None

    @property
    def sound(self) -> bool:
        """Tell whether nothing was lost, doubled or one-sided, and every invariant holds."""
        return not self.broken and not any(getattr(self, name) for name in MUST_BE_ZERO)


def to_json(report: Report) -> str:
    """Return the report as JSON in one line, keys in order."""
    return msgspec.json.encode(
        {**msgspec.structs.asdict(report), "sound": report.sound}, order="sorted"
    ).decode()


def replay(report: Report) -> str:
    """Return the command that runs this simulation again."""
    whole = "" if report.whole_share is None else f" --whole-share {report.whole_share}"
    under_way = "" if report.under_way is None else f" --under-way {report.under_way}"
    return (
        f"tongcheng simulate --seed {report.seed} --settlements {report.stays}"
        f" --faults {report.faults_profile}{whole}{under_way}"
    )


def to_text(report: Report) -> str:
    """Return the report as lines of text."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield (
        f"seed {report.seed}, {report.stays} stays, faults {report.faults_profile}:"
        f" {report.virtual_seconds} s of the region's time"
    )
    yield ""
    for name in ("settlements", "settled", "refused", "cancelled"):
        yield f"  {name:<22}{getattr(report, name):>12,}"
    for code, count in sorted(report.refusals.items()):
        yield f"    {code:<32}{count:>10,}"
    yield f"  {'funds paid (fen)':<22}{report.paid_fen:>12,}"
    yield ""
    for name in MUST_BE_ZERO:
        mark = "" if getattr(report, name) == 0 else "   must be 0"
        yield f"  {name:<22}{getattr(report, name):>12,}{mark}"
    yield ""
    yield from _counted("faults injected", report.faults)
    yield from _counted("starts of each node", report.lives)
    yield from _counted("last words to hospitals", report.ways)
    yield from _mirror(report)
    for name, sentences in sorted(report.broken.items()):
        yield f"  BROKEN {name}: {len(sentences)}"
        yield from (f"    {sentence}" for sentence in sentences[:SHOWN_MAX])
    yield from (f"  FOUND {sentence}" for sentence in report.found[:SHOWN_MAX])
    yield f"  books {report.books_digest}"
    if report.sound:
        yield "  nothing lost, doubled or one-sided; both sides' books mirror each other to the fen"
    else:
        yield f"  NOT SOUND; to see it again: {replay(report)}"


def _counted(title: str, counts: dict[str, int]) -> Iterator[str]:
    yield f"  {title}"
    for kind, count in sorted(counts.items()):
        yield f"    {kind:<32}{count:>10,}"
    yield ""


def _mirror(report: Report) -> Iterator[str]:
    yield "  ledgers, purse by purse and month by month (fen)"
    for line in report.mirror:
        pair = f"{line.visited_member} <- {line.insured_member}"
        yield (
            f"    {pair:<28} {line.purse:<20} {line.month}"
            f" {line.due_from_fen:>14,} {line.due_to_fen:>14,}"
        )
    yield ""
