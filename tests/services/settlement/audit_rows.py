"""Makes a file of settlements for the audit, with planted mistakes whose causes are known.

    python -m tests.services.settlement.audit_rows OUT.csv --rows 100000 --planted 37

Every person and every stay is made up. Rows that are right come from the engine; what a planted
row says was paid is reckoned apart (`audit_reckon`), so that the audit is not held against itself.
OUT.parquet gives Parquet; OUT.planted.json is the plan: settlement id → cause.
"""

import csv
import json
import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import click
import polars as pl

from tests.services.settlement.audit_plants import PLANTS
from tests.services.settlement.audit_reckon import COLUMNS, Record
from tongcheng.kernel import region
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.node import files
from tongcheng.services.settlement.audit_books import Books
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.outcome import Benefit, accumulate
from tongcheng.services.settlement.rules import FILINGS

FIRST, LAST = date(2018, 1, 1), date(2026, 6, 30)
OVERLAY_FROM = date(2023, 4, 1)
ROWS_A_PERSON = 4
VOIDED = 0.01
"""So many of the right rows are taken back by the next."""


class Maker:
    """Makes rows that are right: persons of all books, years, levels and ways of filing."""

    def __init__(self, seed: int, rows: int) -> None:
        self._chance = random.Random(seed)
        shelf = files.read_shelf(files.pack_folder("jingjinji"), allow_drafts=True)
        self._books = Books(shelf, region.load("jingjinji"))
        self._benefit = [book for book in shelf if book.kind == "benefit"]
        self._rows = rows
        self._years: dict[tuple[str, int], Accumulators] = {}

    def rows(self) -> Iterator[Record]:
        """Yield the rows in the order of their days."""
        made = 0
        while made < self._rows:
            on = FIRST + timedelta(days=made * (LAST - FIRST).days // self._rows)
            row = self._row(f"S{made:08d}", on)
            if row is None:
                continue
            yield row
            made += 1
            if self._chance.random() < VOIDED and made < self._rows:
                yield self._void(f"S{made:08d}", row)
                made += 1

    def _row(self, name: str, on: date) -> Record | None:
        """Return one settlement; None where the book does not know a figure it needs."""
        chance = self._chance
        book = chance.choice([each for each in self._benefit if each.covers(on)])
        number = chance.randrange(max(1, self._rows // ROWS_A_PERSON))
        person_id = f"{book.book_id}-{number}"
        tables = self._books.tables(book.book_id, on)
        used = self._years.get((person_id, on.year), Accumulators())
        bill = self._bill(book, on, number, used)
        try:
            benefit = settle(tables, bill, used, self._books.cut(bill.filing, on))
        except Refused:
            return None
        self._years[person_id, on.year] = accumulate(used, benefit)
        return _record(name, person_id, book.book_id, on, bill, used, benefit)

    def _bill(self, book: RuleBook, on: date, number: int, used: Accumulators) -> Bill:
        chance, kind = self._chance, random.Random(number)
        persons = self._books.tables(book.book_id, on).persons
        in_scope = min(90_000_000, int(chance.lognormvariate(14.2, 1.1)))
        return Bill(
            in_scope_fen=in_scope,
            total_fen=in_scope + chance.randrange(2_000_000),
            person_type=kind.choice(persons),
            hospital_level=chance.choice((1, 2, 3, 3)),
            admission_number=used.admissions + 1,
            hospital_subtype=chance.choice(("provincial", "municipal", "district", "other")),
            tier=kind.choice(("low", "middle", "high")) if "resident" in book.book_id else None,
            category="poor" if kind.random() < 0.1 else "general",
            filing=chance.choice(FILINGS) if on >= OVERLAY_FROM else "local",
        )

    def _void(self, name: str, row: Record) -> Record:
        back: Record = {
            key: -int(value) if key.endswith("_fen") and value else value
            for key, value in row.items()
        }
        key = (str(row["person_id"]), date.fromisoformat(str(row["settled_on"])).year)
        now = self._years[key]
        fields = [field for field in now.__struct_fields__ if field != "admissions"]
        stated = {f"opening_{field}": getattr(now, field) for field in fields}
        self._years[key] = Accumulators(
            admissions=now.admissions - 1,
            **{field: int(row[f"opening_{field}"]) for field in fields},
        )
        later = {"settlement_id": name, "voids": row["settlement_id"]}
        return back | stated | {"opening_admissions": now.admissions} | later


def _record(
    name: str, person_id: str, book: str, on: date, bill: Bill, used: Accumulators, paid: Benefit
) -> Record:
    row: Record = dict.fromkeys(COLUMNS, "")
    row |= {
        "settlement_id": name,
        "person_id": person_id,
        "settled_on": on.isoformat(),
        "book": book,
        "person_type": bill.person_type,
        "tier": bill.tier or "",
        "category": bill.category,
        "hospital_level": bill.hospital_level,
        "hospital_subtype": bill.hospital_subtype or "",
        "filing": bill.filing,
        "admission_number": bill.admission_number,
        "period_number": bill.period_number,
        "in_scope_fen": bill.in_scope_fen,
        "total_fen": bill.total_fen or 0,
        "opening_admissions": used.admissions,
        "deductible_fen": paid.deductible_fen,
        "pool_fen": paid.pool_fen,
        "large_fen": paid.large_fen,
        "catastrophic_fen": paid.catastrophic_fen,
        "assistance_fen": paid.assistance_fen,
        "person_in_scope_fen": paid.person_in_scope_fen,
        "person_total_fen": paid.personal_total_fen or 0,
    }
    for field in used.__struct_fields__:
        if field != "admissions":
            row[f"opening_{field}"] = getattr(used, field)
    return row


def make(rows: int, planted: int, seed: int = 1) -> tuple[Iterator[Record], dict[str, str]]:
    """Return the rows of a file and its plan; the plan is whole once the rows were read."""
    plan: dict[str, str] = {}
    chance = random.Random(seed + 1)
    groups = []
    for number in range(planted):
        plant = PLANTS[number % len(PLANTS)]
        found = plant.make(f"X{number:04d}", chance)
        plan[str(found[-1]["settlement_id"])] = plant.cause
        groups.append(found)
    plain = rows - sum(len(group) for group in groups)
    places = sorted(chance.sample(range(plain), planted))

    def all_rows() -> Iterator[Record]:
        waiting = list(zip(places, groups, strict=True))
        order = 0
        for at, row in enumerate(Maker(seed, plain).rows()):
            here = [row]
            if waiting and waiting[0][0] == at:
                here += waiting.pop(0)[1]
            for each in here:
                order += 1
                yield each | {"decided_order": order}

    return all_rows(), plan


def write(path: Path, rows: Iterator[Record]) -> None:
    """Write CSV, or Parquet where the name says so."""
    if path.suffix == ".parquet":
        texts = [row | {name: None for name, value in row.items() if value == ""} for row in rows]
        pl.DataFrame(texts, infer_schema_length=None).write_parquet(path)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


@click.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--rows", default=100_000, show_default=True)
@click.option("--planted", default=37, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(out: Path, rows: int, planted: int, seed: int) -> None:
    """Write OUT (CSV or Parquet) and OUT.planted.json beside it."""
    made, plan = make(rows, planted, seed)
    write(out, made)
    out.with_suffix(".planted.json").write_text(json.dumps(plan, indent=1), "utf-8")
    click.echo(f"{out}: {rows} rows, {planted} planted")


if __name__ == "__main__":
    main()
