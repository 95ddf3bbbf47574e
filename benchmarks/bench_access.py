"""Measures of access beside PySAL's: the same figures, and how much sooner.

Both are given the same made-up table of travel times and compute the two-step floating catchment
area method (plain and enhanced) and gravity. Theirs is the time of computing from a frame of pairs
that are reached; ours walks every pair of the table, reached or not, in blocks of rows.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.peer import Peer, PeerError, python_of, run
from benchmarks.row import Row
from benchmarks.runs import not_measured, quick, tell
from tongcheng.services.mobility.measures.catchment import Access, Demand
from tongcheng.services.mobility.measures.decay import Decay, Exponential, Steps, within
from tongcheng.services.mobility.measures.inequality import gini, theil
from tongcheng.services.mobility.measures.reach import Collected, Gravity, TimeToKth, Within
from tongcheng.services.mobility.numbers import UNREACHED, Float64, Int64, UInt16

AREA = "access"
PYSAL = Peer("PySAL access", "access", "1.1.10.post3", "access", ("inequality==1.1.2",))
SCRIPT = Path(__file__).parent / "peers" / "catchment.py"
SIZE, QUICK_SIZE = (4_000, 400), (200, 30)
BLOCK = 256
WITHIN_S, HORIZON_S, SCALE_S = 1_800, 7_200, 1_800
STEPS = Steps((600, 1_200, 1_800), (1_000_000, 680_000, 220_000))
TIMES_PYSAL = 10
APART_MAX = 1e-12
"""How far two sums of some hundred floats, in two orders, may lie apart, relative."""
ROUNDS = 3
SEED = 20_261_123


class Instance(NamedTuple):
    """A made-up table of travel times, the people at its origins, the supply at its ends."""

    seconds: UInt16
    people: Int64
    supply: Int64


class Told(msgspec.Struct, frozen=True):
    """What the peer said: its best seconds, and two indices."""

    floating_s: float
    enhanced_s: float
    gravity_s: float
    gini: float
    theil: float


class Ours(NamedTuple):
    """Our figures of one measure, and the best seconds."""

    figures: Float64
    seconds: float


def instance(origins: int, destinations: int, seed: int) -> Instance:
    """Return places on a plane of 60 × 60 minutes; a tenth of the pairs is not connected."""
    made = np.random.default_rng(seed)
    home, end = made.random((origins, 1, 2)) * 3_600, made.random((1, destinations, 2)) * 3_600
    seconds = np.hypot(*np.moveaxis(home - end, 2, 0)).astype(np.uint16)
    seconds[made.random(seconds.shape) < 0.1] = UNREACHED  # noqa: PLR2004 see above
    return Instance(seconds, made.integers(1, 5_000, origins), made.integers(0, 300, destinations))


def shared(given: Instance, decay: Decay) -> Float64:
    """Return access by both steps, block by block."""
    demand = Demand(given.supply, decay, HORIZON_S)
    for begin in range(0, len(given.seconds), BLOCK):
        part = slice(begin, begin + BLOCK)
        demand.add(given.seconds[part], given.people[part])
    return collected(Access(demand.ratios(), decay, HORIZON_S), given)


def collected(
    measure: Access | Gravity | Within | TimeToKth, given: Instance
) -> NDArray[np.float64]:
    """Return a measure of every origin, block by block."""
    into: Collected[NDArray[np.float64]] = Collected(measure)  # type: ignore[arg-type]  # any kind
    for begin in range(0, len(given.seconds), BLOCK):
        into.add(given.seconds[begin : begin + BLOCK])
    return into.result()


def timed(work: Callable[[], Float64]) -> Ours:
    """Return figures and the best time of several, the first (which compiles) left out."""
    figures, times = work(), []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return Ours(figures, min(times))


def ask(given: Instance, spread: Int64, folder: Path) -> Told:
    """Let the peer compute the same; its figures are written to the folder."""
    for name, array in given._asdict().items():
        np.save(folder / f"{name}.npy", array)
    np.save(folder / "spread.npy", spread)
    steps = zip(STEPS.until_s, STEPS.weight_millionths, strict=True)
    asked = {
        "within_s": WITHIN_S,
        "horizon_s": HORIZON_S,
        "scale_s": SCALE_S,
        "steps": {str(until): weight / 1_000_000 for until, weight in steps},
    }
    (folder / "asked.json").write_text(json.dumps(asked), "utf-8")
    run([str(python_of(PYSAL)), str(SCRIPT), str(folder)])
    return msgspec.json.decode((folder / "told.json").read_bytes(), type=Told)


def apart(ours: Float64, theirs: Float64, slack: float = 0.0) -> int:
    """Return how many places' figures lie farther apart than rounding explains."""
    return int((np.abs(ours - theirs) > APART_MAX * np.abs(theirs) + slack).sum())


def measure() -> list[Row]:
    """Return the rows of this area."""
    given = instance(*(QUICK_SIZE if quick() else SIZE), SEED)
    ours = {
        "floating": timed(lambda: shared(given, within(WITHIN_S))),
        "enhanced": timed(lambda: shared(given, STEPS)),
        "gravity": timed(
            lambda: collected(Gravity(given.supply, Exponential(SCALE_S), HORIZON_S), given)
        ),
    }
    spread = given.people
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            told = ask(given, spread, folder)
        except PeerError as fault:
            return [not_measured(AREA, "access beside PySAL", "pairs/s", 0, str(fault))]
        theirs = {each: np.load(folder / f"{each}.out.npy") for each in ours}
    tell(f"{given.seconds.size} pairs: {told}")
    rows = [row for each in ours for row in compared(each, ours[each], theirs[each], told, given)]
    return [*rows, index_row(spread, told), *alone(given)]


TITLES = {
    "floating": "two-step floating catchment (2SFCA)",
    "enhanced": "enhanced 2SFCA, three zones",
    "gravity": "gravity, negative exponential",
}


def compared(name: str, ours: Ours, theirs: Float64, told: Told, given: Instance) -> list[Row]:
    """Return equality and speed of one measure."""
    pairs = given.seconds.size
    # A weight of ours is rounded to a thousand millionth, so that its sums are exact.
    slack = 0.5e-9 * int(given.supply.sum()) if name == "gravity" else 0.0
    peer = f"{PYSAL.title} {PYSAL.version}"
    speed = pairs / getattr(told, f"{name}_s")
    what = TITLES[name]
    origins, ends = given.seconds.shape
    return [
        Row(
            AREA,
            f"{what}: places whose figure differs, of {origins:,}",
            apart(ours.figures, theirs, slack),
            "places",
            0,
            "at most",
            reference=peer,
            note=f"{'beyond the rounding of weights' if slack else 'beyond 1e-12, relative'}",
        ),
        Row(
            AREA,
            f"{what}: {origins:,} × {ends:,} pairs, one core",
            pairs / ours.seconds,
            "pairs/s",
            TIMES_PYSAL * speed,
            reference=peer,
            reference_figure=speed,
        ),
    ]


def index_row(spread: Int64, told: Told) -> Row:
    """Return how far Gini and Theil lie from PySAL's, which knows no weights: one person each."""
    ones = np.ones(len(spread), np.int64)
    ours = np.array([gini(spread, ones).value, theil(spread, ones).value], np.float64)
    return Row(
        AREA,
        "Gini and Theil T: indices that differ, of 2",
        apart(ours, np.array([told.gini, told.theil])),
        "indices",
        0,
        "at most",
        reference="PySAL inequality 1.1.2",
        note="beyond 1e-12, relative",
    )


def alone(given: Instance) -> list[Row]:
    """Return what PySAL does not compute."""
    pairs = given.seconds.size
    reach = timed(lambda: collected(Within(given.supply, range(600, 7_201, 600)), given))
    kth = timed(lambda: collected(TimeToKth(given.supply, (1, 100, 1_000)), given))
    return [
        Row(AREA, "opportunities within 12 times at once", pairs / reach.seconds, "pairs/s"),
        Row(AREA, "seconds to the 1st, 100th, 1,000th closest", pairs / kth.seconds, "pairs/s"),
    ]
