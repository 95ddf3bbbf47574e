"""Rule engines of others, given the same claims. Both are under the AGPL: run, never imported."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.peer import Peer, python_of, run
from tongcheng.services.settlement.batch import arrays, trace_columns
from tongcheng.services.settlement.batch.arrays import Events, Results
from tongcheng.services.settlement.batch.plan import Plan
from tongcheng.services.settlement.rules import PERSON_TYPES
from tongcheng.services.settlement.tables import BASIS, UNIT, BandCell, Cell

SCRIPT = Path(__file__).parent / "peers" / "benefit.py"
FEN = 100
ASKED = {
    "deductible": arrays.DEDUCTIBLE_FEN,
    "pool": arrays.POOL_FEN,
    "large": arrays.LARGE_FEN,
    "burden": arrays.BURDEN_FEN,
}
"""What a peer computes, and the column of ours."""

Fen = NDArray[np.int64]


OPENFISCA = Peer("OpenFisca-core", "openfisca-core", "46.0.1", "openfisca_core")
POLICYENGINE = Peer("PolicyEngine-core", "policyengine-core", "3.33.12", "policyengine_core")


class Told(msgspec.Struct, frozen=True):
    """What a peer said: its best seconds, and the kind of number it computes with."""

    seconds: float
    kind: str


class Compared(NamedTuple):
    """Claims with any amount that differs from ours, and the largest difference in fen."""

    wrong: int
    most_fen: int


def ask(peer: Peer, folder: Path) -> Told:
    """Let a peer compute what lies in the folder."""
    run([str(python_of(peer)), str(SCRIPT), peer.module, str(folder)])
    return msgspec.json.decode((folder / "told.json").read_bytes(), type=Told)


# pure


def terms_of(plan: Plan) -> dict[str, object]:
    """Return the figures that a plan of one book of employees has at hospital levels 1 to 3, yuan.

    The bands are those of persons in work; what the retired bear is a share of theirs.
    """
    tables = plan.versions[0].tables
    cells = {level: tables.cells[level, None, "active", None] for level in (1, 2, 3)}
    retired = {level: tables.cells[level, None, "retired", None] for level in (1, 2, 3)}
    shares = {
        (UNIT - old) / (UNIT - work)
        for level, cell in cells.items()
        for work, old in zip(cell.bands.ratio, retired[level].bands.ratio, strict=True)
    }
    assert len({round(share, 9) for share in shares}) == 1, "one share for the retired"
    large = {name: _large(cell[3]) for name, cell in (("active", cells), ("retired", retired))}
    return {
        "bands": {str(level): _bands(cell.bands) for level, cell in cells.items()},
        "first": {str(level): cell.deductible.first_fen / FEN for level, cell in cells.items()},
        "later": {str(level): cell.deductible.later_fen / FEN for level, cell in cells.items()},
        "retired_share": round(shares.pop(), 9),
        "pool_cap": tables.pool_cap_fen / FEN,
        "large_cap": large["active"][1],
        "large_active": large["active"][0],
        "large_retired": large["retired"][0],
    }


def _bands(bands: BandCell) -> list[dict[str, float]]:
    begins = (0, *bands.to_fen[:-1])
    return [
        {"from": begin / FEN, "rate": ratio / UNIT}
        for begin, ratio in zip(begins, bands.ratio, strict=True)
    ]


def _large(cell: Cell) -> tuple[float, float]:
    assert cell.large is not None, "the book has a large-amount fund"
    return cell.large.ratio / BASIS, cell.large.cap_fen / FEN


def hand_over(folder: Path, plan: Plan, events: Events, results: Results) -> None:
    """Write the claims as a peer reads them: with what our trace says the year stood at."""
    before = results.trace[:, trace_columns.BEFORE :]
    columns = {
        "in_scope": events.in_scope_fen / FEN,
        "pool_paid": before[:, 0] / FEN,
        "large_paid": before[:, 1] / FEN,
        "level": events.hospital_level.astype(np.int32),
        "admission": results.marks[:, trace_columns.ADMISSION_NUMBER],
        "retired": events.person_type == PERSON_TYPES.index("retired"),
    }
    for name, column in columns.items():
        np.save(folder / f"{name}.npy", column)
    (folder / "terms.json").write_text(json.dumps(terms_of(plan)), "utf-8")


def compared(found: Mapping[str, NDArray[np.float64]], ours: Fen) -> Compared:
    """Return how far a peer's amounts (fen) are from ours, which have a column for each."""
    apart = np.stack([np.abs(found[name] - ours[:, at]) for name, at in ASKED.items()])
    return Compared(int((apart.max(axis=0) > 0).sum()), int(apart.max(initial=0)))


def found_in(folder: Path) -> dict[str, NDArray[np.float64]]:
    """Return the amounts that a peer wrote."""
    return {name: np.load(folder / f"{name}.out.npy") for name in ASKED}
