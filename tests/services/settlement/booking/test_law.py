"""Whatever the lots and the files, booking comes to what the engine says row after row."""

import shutil
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.settlement.booking.agency import HOSPITAL, Agency, Row, agency, claim, void
from tests.services.settlement.books import beijing
from tests.services.settlement.laws import LAW
from tongcheng.kernel.ledger import ACCOUNTS
from tongcheng.services.settlement.bill import Accumulators, Bill, admission_number
from tongcheng.services.settlement.booking import lots
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.outcome import Benefit, accumulate, reverse

PERSONS = 2
AMOUNTS = st.one_of(
    st.integers(0, 400_000), st.integers(0, 15_000_000), st.sampled_from([60_000_000, 46_116_860])
)


@st.composite
def histories(draw: st.DrawFn) -> list[Row]:
    """Return rows in the order of their days: claims, voids near and far, and what is refused."""
    rows: list[Row] = []
    made: list[tuple[str, int]] = []
    for at in range(draw(st.integers(4, 20))):
        day = f"{2025 + at // 10}-{3 + at % 10:02d}-03"
        kind = draw(st.sampled_from(["claim"] * 3 + ["void"] * 3 + ["period", "wrong"]))
        if kind == "void" and made:
            name, person = draw(st.sampled_from(made))
            rows.append(void(f"v{at}", name, person, day))
            continue
        person, fen = draw(st.integers(0, PERSONS - 1)), draw(AMOUNTS)
        more: dict[str, Any] = {"total_fen": fen - 1} if kind == "wrong" else {}
        if kind == "period":
            more["period_number"] = 2
        rows.append(claim(f"c{at}", person, day, fen, **more))
        made.append((f"c{at}", person))
    return rows


class Cashier:
    """The engine, asked one row after another."""

    def __init__(self) -> None:
        self.years: dict[tuple[int, int], Accumulators] = {}
        self.funds: dict[str, int] = {}
        self._tables = compile_benefit(beijing())
        self._stands: dict[str, tuple[tuple[int, int], Benefit]] = {}

    def row(self, row: Row, person: int) -> None:
        """Settle a claim, or take one back that stands."""
        if row.get("event") == "void":
            found = self._stands.pop(str(row["reverses"]), None)
            if found is not None:
                self._count(found[0], reverse(found[1]))
            return
        fen, period = int(row["in_scope_fen"]), int(row.get("period_number", 1))
        if int(row["total_fen"]) < fen:
            return
        key = (person, int(str(row["ended_on"])[:4]))
        used = self.years.get(key, Accumulators())
        bill = Bill(
            in_scope_fen=fen,
            total_fen=fen,
            person_type="retired",
            hospital_level=3,
            admission_number=admission_number(used.admissions, period),
            period_number=period,
        )
        benefit = settle(self._tables, bill, used)
        self._count(key, benefit)
        self._stands[str(row["claim_id"])] = (key, benefit)

    def _count(self, key: tuple[int, int], benefit: Benefit) -> None:
        self.years[key] = accumulate(self.years.get(key, Accumulators()), benefit)
        for fund, fen in benefit.funds:
            self.funds[fund] = self.funds.get(fund, 0) + fen


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Make room for nodes, one after another."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def owed(node: Agency, fund: str) -> int:
    """Return what the hospital is owed by a fund."""
    account = node.read(lambda s: s.get(ACCOUNTS, f"payable/{HOSPITAL}/beijing/310/{fund}"))
    return 0 if account is None else account.credited_fen - account.debited_fen


@settings(LAW, max_examples=40)
@given(st.data(), histories())
def test_lots_and_files_change_nothing(folder: Path, data: Any, rows: list[Row]) -> None:
    """Years, money of each fund and journal; also when every file comes a second time."""
    cashier = Cashier()
    numbers = {str(claim("", each, "", 0)["person_id"]): each for each in range(PERSONS)}
    for row in rows:
        cashier.row(row, numbers[str(row["person_id"])])
    cuts = data.draw(st.lists(st.integers(1, len(rows) - 1), min_size=1, max_size=3))
    most = data.draw(st.integers(1, 6))
    is_again = data.draw(st.booleans())

    shutil.rmtree(folder / "node", ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch, agency(folder / "node") as node:
        patch.setattr(lots, "ROWS_MOST", most)
        files = [rows[begin:end] for begin, end in pairwise([0, *sorted(cuts), len(rows)])]
        for file in files:
            told = []
            for _ in range(1 + is_again):
                summary, passed = node.book(*file)
                done = summary.claims + summary.voids + summary.already
                assert done + len(passed) == summary.rows == len(file)
                told.append(sorted(passed))
            assert told[0] == told[-1], "what is not booked is told alike, however often"
        for person in numbers.values():
            for year in (2025, 2026):
                assert node.year(person, year) == cashier.years.get((person, year), Accumulators())
        for fund in ("pool", "large"):
            assert owed(node, fund) == cashier.funds.get(fund, 0)
        assert node.findings() == []
