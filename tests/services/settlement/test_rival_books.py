"""Which book decides is never a matter of its name: two about the same thing are refused."""

from datetime import date
from pathlib import Path

import pytest

from tests.services.settlement.test_periods import refusal
from tests.services.settlement.two_cities import running
from tongcheng.kernel import region
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import Shelf, from_document
from tongcheng.node import files
from tongcheng.services.settlement.audit_books import Books


@pytest.mark.parametrize("kind", ["benefit", "cross_region"])
@pytest.mark.parametrize("name", ["a-rival", "zz-rival"])
def test_two_books_about_the_same_are_refused(tmp_path: Path, kind: str, name: str) -> None:
    """Whether its name stands first or last: an adopted copy under another id decides nothing."""
    with running(tmp_path) as city:
        cities = city.cities
        home = cities.beijing.home
        book = next(
            book
            for book in home.shelf
            if (book.kind, book.admdvs[:2]) in {(kind, "11"), (kind, "00")}
        )
        rival = from_document({**book.document, "book_id": name})
        home.shelf = Shelf([*home.shelf, rival], allow_drafts=True)
        stay, total_fen = city.run(cities.discharged())
        found = city.run(refusal(cities.desk.settle(cities.caller, stay.stay_id, total_fen)))

    assert found == "RULE_BOOKS_RIVAL"


def test_an_audit_chooses_among_rivals_no_more_than_a_decision() -> None:
    """Whose figures a row is held against would otherwise hang on the name of a file."""
    shelf = files.read_shelf(files.pack_folder("jingjinji"), allow_drafts=True)
    rivals = [from_document({**book.document, "book_id": f"a-{book.book_id}"}) for book in shelf]
    books = Books(Shelf([*shelf, *rivals], allow_drafts=True), region.load("jingjinji"))

    with pytest.raises(Refused, match="RULE_BOOKS_RIVAL"):
        books.book_of("110000", "310")
    with pytest.raises(Refused, match="RULE_BOOKS_RIVAL"):
        books.cut("referral", date(2026, 6, 1))
