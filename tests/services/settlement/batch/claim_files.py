"""Files of claims for tests: small ones by hand, and synthetic ones; how to read results back."""

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tongcheng.kernel import region
from tongcheng.node import files
from tongcheng.services.settlement.batch import twin
from tongcheng.services.settlement.batch.codes import CODES
from tongcheng.services.settlement.batch.columns import CLAIM_COLUMNS, RESULT_AMOUNTS
from tongcheng.services.settlement.batch.plan import Plan, plan_of
from tongcheng.services.settlement.batch.reading import open_claims
from tongcheng.services.settlement.batch.synthetic import Region, blocks
from tongcheng.services.settlement.batch.synthetic_books import places_of
from tongcheng.services.settlement.batch.synthetic_file import table

Row = dict[str, Any]

PLAIN: Row = {
    "admdvs": "110105",
    "scheme": "310",
    "ended_on": "2025-03-10",
    "person_type": "active",
    "hospital_level": "3",
    "in_scope_fen": "1000000",
}
"""What a settlement needs beside its ids."""


@cache
def plan() -> Plan:
    """Return the plan of the region pack's books, compiled once."""
    shelf = files.read_shelf(files.pack_folder("jingjinji"), allow_drafts=True)
    return plan_of(shelf, region.load("jingjinji"))


def claim(claim_id: object, person_id: object, **more: object) -> Row:
    """Return a settlement that can be judged, but for what is said otherwise."""
    return {"claim_id": claim_id, "person_id": person_id, **PLAIN, **more}


def write_csv(path: Path, rows: Iterable[Row]) -> Path:
    """Write rows as CSV; None is left out."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_parquet(path: Path, columns: dict[str, pa.Array], rows_a_group: int = 1_000) -> Path:
    """Write columns as Parquet."""
    pq.write_table(pa.table(columns), path, row_group_size=rows_a_group)
    return path


def columns_of(rows: Iterable[Row]) -> dict[str, pa.Array]:
    """Return rows as columns of text."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    texts = [[None if row.get(name) is None else str(row[name]) for row in rows] for name in names]
    return {name: pa.array(each, pa.string()) for name, each in zip(names, texts, strict=True)}


def synthetic(claims: int, *, seed: int = 7, flaws: int = 0, year: int = 2025) -> pa.Table:
    """Return synthetic claims; `flaws` of a million settlements have one."""
    drawn = Region(places_of(plan(), year), year)
    return pa.concat_tables(table(each, drawn) for each in blocks(drawn, seed, claims, flaws))


def judged(path: Path, rows_at_once: int = 1_000_000) -> dict[int, tuple[Any, ...]]:
    """Return for each row of a file its code, the column of a fault, and its amounts."""
    found: dict[int, tuple[Any, ...]] = {}
    with open_claims(path, scratch=path.parent) as claims:
        for batch in claims.batches(plan(), rows_at_once):
            results = twin.run(plan(), batch.events)
            for at, row in enumerate(batch.row.tolist()):
                column = batch.column[at]
                about = CLAIM_COLUMNS[column].name if column >= 0 else ""
                amounts = tuple(results.amounts[at].tolist())
                claim_id = batch.claim_id[at].as_py()
                assert row not in found, "a row comes once"
                found[row] = (claim_id, CODES[results.code[at]], about, amounts)
    return found


def verdicts(path: Path) -> list[str]:
    """Return for each row, in the order of the file, its code and the column of a fault."""
    found = judged(path)
    assert sorted(found) == list(range(len(found))), "no row is lost"
    return [" ".join(each for each in found[row][1:3] if each) for row in range(len(found))]


def pool_fen(path: Path) -> list[int]:
    """Return what the pool pays for each row, in the order of the file."""
    found = judged(path)
    return [found[row][3][RESULT_AMOUNTS.index("pool_fen")] for row in range(len(found))]
