"""The versions of rule books: the list, the timeline, two of them side by side."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests import officers
from tests.services.settlement import samples_books
from tests.services.settlement.hospital import Hospital, on_two_nodes
from tests.services.settlement.two_cities import TwoCities
from tests.web import site
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.recall import recall
from tongcheng.kernel.rulebook import RuleBook, from_document
from tongcheng.services.settlement.explain_model import Reason
from tongcheng.services.settlement.explain_view import why
from tongcheng.services.settlement.policy import diff_view, pages, view
from tongcheng.services.settlement.policy.links import rule_path
from tongcheng.services.settlement.policy.view import Adopted, Version
from tongcheng.services.settlement.rule_words import RuleWords
from tongcheng.web import Page

TOOLS = site.toolkit()
TAG = re.compile(r"<[^>]*>")


def _page() -> Page:
    return Page(TOOLS, "en", "/en/rulebooks")


def _book(book_id: str) -> RuleBook:
    return pages.find(samples_books.versions(), book_id, samples_books.TODAY).book


def _changed(book: RuleBook, **head: Plain) -> RuleBook:
    return from_document({**book.document, **head})


def test_one_ratio_changed_is_one_row_in_words() -> None:
    """From 85 % to 86 %: the figure by its name, both values, and where it stands."""
    book = _book("beijing-employee-inpatient")
    document: Any = msgspec.json.decode(msgspec.json.encode(book.document))
    document["rules"]["bands"][0]["steps"][0]["ratio"]["value"] = "0.86"
    document["effective"]["from"] = "2027-01-01"
    after = from_document(document)

    html = str(diff_view.diff(_page(), Version(book, None), Version(after, None)).content)
    text = " ".join(TAG.sub(" ", html).split())

    assert "The versions differ in 1 figure " in text
    assert "Tertiary hospitals, up to ¥30,000: share that the fund pays 85% 86%" in text
    assert f'href="/en{rule_path(after.digest, "rules.bands[0].steps[0].ratio")}"' in html
    assert "In force from 1 Jan 2022 on from 1 Jan 2027 on" in text


def test_the_same_version_twice_differs_in_nothing() -> None:
    """The page says so instead of an empty table."""
    version = Version(_book("cross-region-overlay"), None)

    html = str(diff_view.diff(_page(), version, version).content)

    assert "The figures of both versions are the same" in html
    assert "Nothing differs." in html


def test_the_list_tells_who_adopted_only_by_number() -> None:
    """Status, days and counts of every version; officers by number, and other readings counted."""
    html = str(view.books(_page(), samples_books.versions()).content)
    text = " ".join(TAG.sub(" ", html).split())

    assert "15 versions of rule books; 14 are drafts" in text
    assert "from 1 Jan 2022 on 45 23 3 1 Adopted signed by 2 officers, adopted" in text
    assert (
        "Tianjin employee basic medical insurance, inpatient benefits from 1 Jan 2023 on 39 30 7 1"
        in text
    )


def test_a_timeline_has_every_version_and_what_replaced_it() -> None:
    """A version that is in force on no day is said so, and each is compared with the one before."""
    book = _book("cross-region-overlay")
    earlier = Version(_changed(book, note="earlier"), Adopted(2, 0), in_force=False)
    now = Version(msgspec.structs.replace(book, status="adopted"), Adopted(2, 0))

    text = str(view.book(_page(), (earlier, now), now).content)

    assert "in force on no day now" in text
    assert f"/en/rulebooks/cross-region-overlay/diff?from={earlier.book.digest}&amp;to=" in text
    assert "this page" in text
    assert "Draft: no officer" not in text


FOUND = """
cross-region-overlay 2023-02-01 2023-01-01
cross-region-overlay 2026-11-22 2023-04-01
cross-region-overlay 2020-01-01 2023-04-01
"""


@pytest.mark.parametrize("row", FOUND.strip().splitlines())
def test_an_id_leads_to_the_version_of_the_day(row: str) -> None:
    """The version in force; before the first, the last."""
    book_id, on, begins = row.split()

    found = pages.find(samples_books.versions(), book_id, on)

    assert found.book.effective_from == date.fromisoformat(begins)


def test_an_unknown_book_is_refused_by_name() -> None:
    """Neither an id nor a digest of this node."""
    with pytest.raises(Refused, match="RULE_BOOK_MISSING"):
        pages.find(samples_books.versions(), "nowhere", samples_books.TODAY)


def test_an_adoption_shows_by_number_and_day(tmp_path: Path) -> None:
    """What two officers adopted is adopted on the node's list, with two signatures.

    A draft that is in force on no day is still found by its digest, as past decisions name it.
    """

    async def work(cities: TwoCities, _hospital: Hospital) -> None:
        node = cities.beijing
        book = next(each for each in node.home.shelf if each.kind == "benefit")
        await node.run(officers.appoint)
        await node.run(lambda tx: officers.adopt(tx, book))
        with node.database.snapshot() as snapshot:
            recall(node.home, snapshot, cities.clock.now())
            listed = pages.versions_of(snapshot, node.home)
            draft = _changed(book, note="a draft beside the adopted version")
            node.home.shelf = node.home.shelf.holding([draft], {book.digest: None})
            also = pages.versions_of(snapshot, node.home, draft.digest)

        found = pages.find(listed, book.digest, samples_books.TODAY)
        assert found.adopted is not None
        assert (found.adopted.officers, found.book.status, found.in_force) == (2, "adopted", True)
        assert sum(each.adopted is not None for each in listed) == 1
        assert not pages.find(also, draft.digest, samples_books.TODAY).in_force

    on_two_nodes(tmp_path, work)


@pytest.mark.parametrize(("here", "place"), [(True, "#rules-pool_cap"), (False, "")])
def test_an_explained_rule_leads_to_its_place(*, here: bool, place: str) -> None:
    """Where the book is on this node, the explanation links to the rule's place on its page."""
    rule = RuleWords(book_digest="d" * 64, path="rules.pool_cap", here=here)
    shown = why(TOOLS.voices["en"], Reason("cash", 1, rule=rule))

    assert shown.places == (f"/rulebooks/{'d' * 64}{place}" if place else "",)
