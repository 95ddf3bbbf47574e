"""How much the bill that a hospital states may differ from the lines that it uploaded."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.services.settlement.books import REGION
from tests.services.settlement.two_cities import TwoCities, running
from tongcheng.kernel import rulebook
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook, Shelf
from tongcheng.services.settlement.store import ClaimRow

BOOK = "tianjin-visited-management"


def _shelf(cities: TwoCities, value: str | None) -> Shelf:
    """Return the node's shelf with another tolerance; `absent` leaves the rule out."""

    def changed(book: RuleBook) -> RuleBook:
        if book.book_id != BOOK:
            return book
        rules: Any = dict(book.document)["rules"]
        rules = dict(rules)
        rules["uploaded_differs_most"] = {"value": value, "source": "own", "confidence": "own"}
        if value == "absent":
            del rules["uploaded_differs_most"]
        return msgspec.structs.replace(book, document={**book.document, "rules": rules})

    return Shelf([changed(book) for book in cities.tianjin.home.shelf], allow_drafts=True)


async def _settle(cities: TwoCities, more_fen: int) -> ClaimRow:
    stay, total_fen = await cities.discharged()
    return await cities.desk.settle(cities.caller, stay.stay_id, total_fen + more_fen)


# tolerance in yuan, stated more than uploaded in fen → the difference noted, or the code
TABLE = [
    ("0.00", 0, 0),
    ("0.00", 1, "UPLOADED_DIFFERS"),
    ("0.05", 5, 5),
    ("0.05", -5, -5),
    ("0.05", 6, "UPLOADED_DIFFERS"),
    ("0.05", -6, "UPLOADED_DIFFERS"),
    ("absent", 0, 0),
    ("absent", 1, "UPLOADED_DIFFERS"),
    (None, 0, "RULE_UNKNOWN"),
    ("-1", 0, "RULE_BOOK_SCHEMA"),
]


@pytest.mark.parametrize(("value", "more_fen", "expected"), TABLE)
def test_tolerance(tmp_path: Path, value: str | None, more_fen: int, expected: int | str) -> None:
    """Within it the uploaded lines are settled and the difference noted; beyond it, nothing is."""
    with running(tmp_path) as here:
        cities = here.cities
        cities.tianjin.home.shelf = _shelf(cities, value)
        if isinstance(expected, str):
            with pytest.raises(Refused) as refused:
                here.run(_settle(cities, more_fen))
            assert refused.value.code == expected
            return
        claim = here.run(_settle(cities, more_fen))

        assert claim.state == "settled"
        assert claim.stated_difference_fen == expected
        assert claim.total_fen == claim.fund_fen + claim.hospital_fen + claim.person_fen


def test_without_a_book_nothing_may_differ(tmp_path: Path) -> None:
    """A place that has no such book, or only a draft that may not be used, demands equality."""
    with running(tmp_path) as here:
        home = here.cities.tianjin.home
        books = [book for book in home.shelf if book.book_id != BOOK]
        for shelf in (Shelf(books, allow_drafts=True), Shelf(home.shelf)):
            home.shelf = shelf
            with pytest.raises(Refused, match="UPLOADED_DIFFERS"):
                here.run(_settle(here.cities, 1))


Ask = Callable[..., Awaitable[object]]


def test_estimate_and_repetition_go_by_the_same_tolerance(tmp_path: Path) -> None:
    """2303 and a 2304 that is repeated accept and refuse what the first 2304 does."""
    with running(tmp_path) as here:
        cities = here.cities
        cities.tianjin.home.shelf = _shelf(cities, "0.05")
        stay, total_fen = here.run(cities.discharged())
        calls: tuple[Ask, ...] = (cities.desk.estimate, cities.desk.settle, cities.desk.settle)
        for call in calls:
            with pytest.raises(Refused, match="UPLOADED_DIFFERS"):
                here.run(_asked(call, cities, stay.stay_id, total_fen + 6))
            here.run(_asked(call, cities, stay.stay_id, total_fen + 3))


async def _asked(call: Ask, cities: TwoCities, stay_id: str, total_fen: int) -> None:
    await call(cities.caller, stay_id, total_fen)


def test_stated_parts_within_the_tolerance(tmp_path: Path) -> None:
    """A stated split is compared part by part with the same measure."""
    with running(tmp_path) as here:
        cities = here.cities
        cities.tianjin.home.shelf = _shelf(cities, "0.05")
        stay, total_fen = here.run(cities.discharged())
        _, found, _ = here.run(cities.desk.estimate(cities.caller, stay.stay_id, total_fen))
        close = msgspec.structs.replace(
            found, total_fen=total_fen + 5, in_scope_fen=found.in_scope_fen + 5
        )
        far = msgspec.structs.replace(
            found, in_scope_fen=found.in_scope_fen - 6, self_paid_fen=found.self_paid_fen + 6
        )

        here.run(cities.desk.estimate(cities.caller, stay.stay_id, total_fen + 5, close))
        with pytest.raises(Refused, match="SPLIT_DIFFERS"):
            here.run(cities.desk.estimate(cities.caller, stay.stay_id, total_fen, far))


def test_the_shipped_books_demand_equality() -> None:
    """No place is known to allow a difference, and the books say so themselves."""
    for path in (REGION / "rulebooks").glob("*-visited-management.yaml"):
        book = rulebook.parse(path.read_text("utf-8"))
        values = dict(rulebook.rule_values(book))
        assert values["rules.uploaded_differs_most"].value == "0.00", path.name
