"""Judges a CSV of claims by hand: a row after the other, with nothing of the batch engine.

What the commands must equal. Only what synthetic claims contain is read; a row that has a flaw is
expected to be refused and counts for nothing.
"""

import csv
from datetime import date
from pathlib import Path
from typing import Any

from tongcheng.kernel import region
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import Shelf
from tongcheng.node import files
from tongcheng.services.settlement.bill import Accumulators, Bill, admission_number
from tongcheng.services.settlement.books import (
    benefit_book_id,
    overlay_book,
    overlay_of,
    tables_of,
)
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.outcome import Benefit, accumulate, reverse
from tongcheng.services.settlement.rules import AT_HOME
from tongcheng.services.settlement.tables import NO_CUT, Cut

Row = dict[str, str]
_PACK = region.load("jingjinji")
_OPENING = ("pool_paid_fen", "deductible_paid_fen", "admissions", "burden_fen")


def benefits(path: Path) -> list[Benefit | str | None]:
    """Return for each row what it comes to, the code of a refusal, or None for an opening."""
    shelf = files.read_shelf(files.pack_folder("jingjinji"), allow_drafts=True)
    years: dict[tuple[str, str, int], Accumulators] = {}
    settled: dict[str, tuple[tuple[str, str, int], Benefit]] = {}
    found: list[Benefit | str | None] = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            try:
                found.append(_one(row, shelf, years, settled))
            except Refused as refused:
                found.append(refused.code)
            except (ValueError, KeyError):
                found.append("unreadable")
    return found


def _one(row: Row, shelf: Shelf, years: dict[Any, Any], settled: dict[Any, Any]) -> Benefit | None:
    if row["event"] == "void":
        key, original = settled.pop(row["reverses"])
        back = reverse(original)
        years[key] = accumulate(years[key], back)
        return back
    if row["claim_id"] in settled or (row["event"] == "settle" and row["reverses"]):
        raise ValueError(row["claim_id"])
    ended = date.fromisoformat(row["ended_on"])
    area = _PACK.area_of(row["admdvs"], "settlement")
    book = shelf.at(benefit_book_id(shelf, _PACK, row["admdvs"], row["scheme"]), ended)
    tables = tables_of(book)
    admitted = date.fromisoformat(row["admitted_on"])
    year = admitted.year if tables.year_of == "admission" else ended.year
    key = (row["person_id"], area.id, year)
    before = years.get(key, Accumulators())
    if row["event"] == "opening":
        more = {name: int(row[name]) for name in _OPENING}
        years[key] = Accumulators(**{k: getattr(before, k) + v for k, v in more.items()})
        return None
    terms, cut, filing = overlay_book(shelf, ended), NO_CUT, row["filing"]
    overlay = None if terms is None else overlay_of(terms)
    if row["admdvs"] == row["visited_admdvs"]:
        filing = "local"
    elif overlay and overlay.deemed_between(row["admdvs"], row["visited_admdvs"]):
        filing = "deemed"
    elif filing not in AT_HOME:
        cut = overlay.cut(filing) if overlay else Cut(-1)  # type: ignore[arg-type] # a filing
    period = int(row["period_number"])
    bill = Bill(
        in_scope_fen=int(row["in_scope_fen"]),
        total_fen=int(row["total_fen"]),
        person_type=row["person_type"],  # type: ignore[arg-type] # the engine says if it is none
        hospital_level=int(row["hospital_level"]),
        hospital_subtype=row["hospital_subtype"] or None,  # type: ignore[arg-type]
        tier=row["tier"] or None,  # type: ignore[arg-type]
        category=row["category"],  # type: ignore[arg-type]
        filing=filing,  # type: ignore[arg-type]
        admission_number=admission_number(before.admissions, period),
        period_number=period,
    )
    benefit = settle(tables, bill, before, cut)
    years[key] = accumulate(before, benefit)
    settled[row["claim_id"]] = (key, benefit)
    return benefit
