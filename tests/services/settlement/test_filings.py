"""Filings for treatment elsewhere: what is kept, what it decides, and that it can be verified."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from tests.services.settlement.two_cities import TwoCities, id_number, two_cities
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Transaction
from tongcheng.services.settlement import filings
from tongcheng.services.settlement.benefit import filed
from tongcheng.services.settlement.model import ScopeTotals, StayFacts
from tongcheng.services.settlement.rules import Filing
from tongcheng.services.settlement.store import FILINGS, PERSONS, FilingRow


def run(folder: Path, work: Callable[[TwoCities], Awaitable[None]]) -> None:
    """Run one test between two cities."""

    async def whole() -> None:
        async with two_cities(folder) as cities:
            await work(cities)

    asyncio.run(whole())


def _facts(**changes: object) -> StayFacts:
    facts = StayFacts(
        stay_id="stay",
        period=1,
        period_from_on="2023-02-01",
        period_to_on="2023-02-10",
        final=True,
        person_id="person",
        scheme="310",
        insured_admdvs="110000",
        institution_id="H1",
        institution_admdvs="120100",
        hospital_level=3,
        hospital_subtype=None,
        emergency=False,
        admitted_on="2023-02-01",
        discharged_on="2023-02-10",
        totals=ScopeTotals(0, 0, 0, 0, 0),
        catalogue="0" * 64,
        lines_root="0" * 64,
        line_count=1,
    )
    return msgspec.structs.replace(facts, **changes)


def _row(filing: Filing, place: str, from_on: str, to_on: str | None, number: int = 1) -> FilingRow:
    return FilingRow("key", number, filing, place, from_on, to_on, 0)


OPEN = _row("referral", "12", "2023-01-01", None)
AFTER_APRIL = {"period_to_on": "2023-04-10", "discharged_on": "2023-04-10"}
CASES = [
    ("no filing", (), {}, "other", 2000),
    ("a referral to the place", (OPEN,), {}, "referral", 1000),
    ("a referral elsewhere", (_row("referral", "13", "2023-01-01", None),), {}, "other", 2000),
    ("to another district", (_row("referral", "1202", "2023-01-01", None),), {}, "other", 2000),
    ("ended before", (_row("referral", "12", "2022-01-01", "2023-01-31"),), {}, "other", 2000),
    ("ends while in", (_row("referral", "12", "2022-01-01", "2023-02-01"),), {}, "referral", 1000),
    ("made while in", (_row("referral", "12", "2023-02-10", None),), {}, "referral", 1000),
    ("made after", (_row("referral", "12", "2023-02-11", None),), {}, "other", 2000),
    ("the latest", (OPEN, _row("long_stay", "12", "2023-01-01", None, 2)), {}, "long_stay", 0),
    ("an emergency", (), {"emergency": True}, "emergency", 1000),
    ("filed goes before it", (OPEN,), {"emergency": True}, "referral", 1000),
    ("since the region agreed", (), AFTER_APRIL, "deemed", 0),
    ("outside the region", (), {**AFTER_APRIL, "institution_admdvs": "310000"}, "other", 2000),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_how_a_stay_counts(
    tmp_path: Path, case: tuple[str, tuple[FilingRow, ...], dict[str, object], str, int]
) -> None:
    """By agreement of the region, by the latest filing that covers it, by emergency, or not."""
    _, rows, changes, filing, points = case

    async def work(cities: TwoCities) -> None:
        people = await cities.beijing.read(lambda s: s.select(PERSONS))
        how = filed(cities.beijing.home, people[0], _facts(**changes), rows)

        assert (how.filing, how.cut.points) == (filing, points)

    run(tmp_path, work)


def test_before_the_region_had_a_book_a_stay_elsewhere_is_refused(tmp_path: Path) -> None:
    """No rule of today is used for a day on which it did not hold."""

    async def work(cities: TwoCities) -> None:
        people = await cities.beijing.read(lambda s: s.select(PERSONS))
        old = _facts(period_to_on="2022-02-10", discharged_on="2022-02-10")

        with pytest.raises(Refused, match="RULE_BOOK_MISSING"):
            filed(cities.beijing.home, people[0], old, ())

    run(tmp_path, work)


WRONG: list[tuple[str, str, str, str | None, str]] = [
    ("deemed", "12", "2026-01-01", None, "FILING_FORM"),
    ("referral", "", "2026-01-01", None, "FILING_FORM"),
    ("referral", "1x", "2026-01-01", None, "FILING_FORM"),
    ("referral", "12", "2026-01-02", "2026-01-01", "FILING_FORM"),
    ("referral", "12", "2026-02-30", None, "DATE_MALFORMED"),
]


@pytest.mark.parametrize(("filing", "place", "from_on", "to_on", "code"), WRONG)
def test_what_is_no_filing_is_refused(
    tmp_path: Path, filing: Filing, place: str, from_on: str, to_on: str | None, code: str
) -> None:
    """A refusal by name, and nothing is kept."""

    async def work(cities: TwoCities) -> None:
        node = cities.beijing
        person = await node.read(lambda s: filings.person_of(s, node.home, id_number(0)))

        with pytest.raises(Refused, match=code):
            await node.run(lambda tx: filings.add(tx, person, filing, place, from_on, to_on))

        assert await node.read(lambda s: s.select(FILINGS)) == []

    run(tmp_path, work)


def test_kept_once_and_verified(tmp_path: Path) -> None:
    """The same filing twice is one; a changed or missing row is named by verification."""

    async def work(cities: TwoCities) -> None:
        node = cities.beijing

        def keep(tx: Transaction) -> FilingRow:
            key = filings.person_of(tx, tx.home, id_number(0))
            return filings.add(tx, key, "referral", "12", "2026-01-01", None)

        first, again = await node.run(keep), await node.run(keep)
        sound = await node.read(lambda s: list(filings.check_filings(s, node.home)))
        longer = msgspec.structs.replace(first, place="31")
        await node.run(lambda tx: tx.put(FILINGS, longer))
        changed = await node.read(lambda s: list(filings.check_filings(s, node.home)))

        assert first == again
        assert sound == []
        assert [one.problem for one in changed] == ["the filing differs from the journal"]

    run(tmp_path, work)
