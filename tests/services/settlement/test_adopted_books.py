"""What a draft may decide and what only an adopted book may, from hospital to ledger and page."""

from pathlib import Path

import pytest

from tests import officers
from tests.services.settlement.hospital import Hospital, claim_states, on_two_nodes
from tests.services.settlement.two_cities import TwoCities, stored_digest
from tongcheng.kernel.ledger import HOLDS, TRANSFERS
from tongcheng.kernel.recall import recall
from tongcheng.kernel.rulebook import RuleBook, Shelf
from tongcheng.services.settlement.pages_data import book_of
from tongcheng.services.settlement.stays_data import stays_page
from tongcheng.services.settlement.store import CLAIMS, DECISIONS, STAYS
from tongcheng.services.settlement.views import StaysQuery

BOOK_ID = "beijing-employee-inpatient"


def _forbid_drafts(cities: TwoCities) -> None:
    """Set Beijing's node as `allow_draft_rulebooks = false` would at its start."""
    cities.beijing.home.shelf = Shelf(list(cities.beijing.home.shelf))
    cities.beijing.home.allow_draft_rulebooks = False


async def _adopt(cities: TwoCities) -> RuleBook:
    """Have two made-up officers of Beijing adopt its book and the region's on stays elsewhere.

    The node recalls both; the area's own book is returned.
    """
    node = cities.beijing
    book = next(book for book in node.home.shelf if book.book_id == BOOK_ID)
    elsewhere = [book for book in node.home.shelf if book.kind == "cross_region"][-1]
    await node.run(officers.appoint)
    await node.run(lambda tx: officers.adopt(tx, elsewhere))
    await node.run(lambda tx: officers.adopt(tx, book))
    with node.database.snapshot() as snapshot:
        recall(node.home, snapshot, cities.clock.now())
    return book


@pytest.mark.parametrize("estimate_first", [True, False])
def test_draft_is_refused_until_two_officers_adopt(tmp_path: Path, *, estimate_first: bool) -> None:
    """Refused on either side under RULE_BOOK_DRAFT with nothing posted; adopted, it settles."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        _forbid_drafts(cities)
        given = await hospital.discharged()
        before = stored_digest(cities.beijing, "ledger")
        if estimate_first:
            estimate = await hospital.call("2303", given)
            assert estimate["err_msg"].startswith("[RULE_BOOK_DRAFT] ")
        refused = await hospital.call("2304", given)
        await cities.quiet()

        assert refused["err_msg"].startswith("[RULE_BOOK_DRAFT] ")
        assert stored_digest(cities.beijing, "ledger") == before
        with cities.tianjin.database.snapshot() as snapshot:
            assert [row.state for row in snapshot.select(STAYS)] == ["discharged"]
            assert all(row.closed_by is not None for row in snapshot.select(HOLDS))
            assert {row.kind for row in snapshot.select(TRANSFERS)} <= {"hold", "void"}

        book = await _adopt(cities)
        cities.clock.advance(60_000)
        settled = await hospital.call("2304", given)

        assert settled["infcode"] == "0"
        assert "BOOK_DRAFT" not in str(settled.get("warn_msg"))
        assert claim_states(cities) == ["refused", "settled"]
        with cities.tianjin.database.snapshot() as snapshot:
            result = snapshot.select(CLAIMS)[-1].result
            listed = stays_page(snapshot, cities.tianjin.home, StaysQuery(), 0)
        assert b'"book_status":"adopted"' in result
        assert book.digest.encode() in result
        assert [row.draft for row in listed.rows] == [False]

    on_two_nodes(tmp_path, work)


def test_draft_says_so_everywhere(tmp_path: Path) -> None:
    """Where drafts are allowed, the estimate, the settlement and its reversal each say so."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        given = await hospital.discharged()
        answers = [await hospital.call("2303", given), await hospital.call("2304", given)]

        assert all("BOOK_DRAFT" in answer["warn_msg"] for answer in answers)
        with cities.beijing.database.snapshot() as snapshot:
            assert b'"book_status":"draft"' in snapshot.select(DECISIONS)[0].result
        for node in (cities.beijing, cities.tianjin):
            with node.database.snapshot() as snapshot:
                listed = stays_page(snapshot, node.home, StaysQuery(), 0)
            assert [row.draft for row in listed.rows] == [True]

    on_two_nodes(tmp_path, work)


def test_old_decision_finds_its_book(tmp_path: Path) -> None:
    """A decision's book is found by its digest when an update of the pack has another file."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        book = await _adopt(cities)
        await hospital.call("2304", await hospital.discharged())
        cities.beijing.home.shelf = Shelf([])
        with cities.beijing.database.snapshot() as snapshot:
            recall(cities.beijing.home, snapshot, cities.clock.now())

        found = book_of(cities.beijing.home, book.digest)
        assert found is not None
        assert found.document == book.document

    on_two_nodes(tmp_path, work)
