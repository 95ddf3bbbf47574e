"""Claims settled at home: judged as the cashier judges, counted in the year, owed to hospitals."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.services.settlement.booking.agency import HOSPITAL, Agency, agency, claim, void
from tests.services.settlement.books import beijing
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.ledger import ACCOUNTS
from tongcheng.kernel.rulebook import Shelf
from tongcheng.services.settlement import overlay
from tongcheng.services.settlement.bill import Accumulators, Bill, admission_number
from tongcheng.services.settlement.booking import lots
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.outcome import Benefit, accumulate
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Agency]:
    """Open a node of persons and one hospital."""
    with agency(tmp_path / "node") as made:
        yield made


def cashier(*in_scope: int) -> tuple[list[Benefit], Accumulators]:
    """Settle stays one after another by the engine alone."""
    tables, used, found = compile_benefit(beijing()), Accumulators(), []
    for fen in in_scope:
        number = admission_number(used.admissions, 1)
        bill = Bill(
            in_scope_fen=fen,
            total_fen=fen,
            person_type="retired",
            hospital_level=3,
            admission_number=number,
        )
        found.append(settle(tables, bill, used))
        used = accumulate(used, found[-1])
    return found, used


def test_year_moves_as_the_cashier_would_have_moved_it(node: Agency) -> None:
    """Two stays of one person, one of another: years, hospital's money and journal agree."""
    summary, passed = node.book(
        claim("a1", 0, "2026-02-03", 3_000_000),
        claim("a2", 0, "2026-03-03", 9_000_000),
        claim("b1", 1, "2026-02-03", 500_000),
    )
    assert (summary.claims, summary.commits, passed) == (3, 1, [])
    first, used = cashier(3_000_000, 9_000_000)
    assert node.year(0) == used
    owed = node.read(lambda s: s.get(ACCOUNTS, f"payable/{HOSPITAL}/beijing/310/pool"))
    assert owed is not None
    second, _ = cashier(500_000)
    assert owed.credited_fen == sum(each.pool_fen for each in (*first, *second))
    assert node.findings() == []


def test_file_that_comes_again_changes_nothing(node: Agency) -> None:
    """A claim, its void and another claim, twice: the second time all are passed over."""
    rows = [claim("a1", 0, "2026-02-03", 3_000_000), void("a2", "a1", 0, "2026-02-04")]
    rows.append(claim("a3", 0, "2026-02-05", 1_000_000))
    node.book(*rows)
    before = node.year(0)
    summary, passed = node.book(*rows)
    assert (summary.already, summary.claims, summary.voids, passed) == (3, 0, 0, [])
    assert node.year(0) == before == cashier(1_000_000)[1]
    assert node.findings() == []


def test_claim_of_an_earlier_file_is_taken_back_before_what_follows(node: Agency) -> None:
    """What follows a void is judged in a commit after it, by what was then left of the year."""
    node.book(claim("a1", 0, "2026-02-03", 3_000_000))
    summary, passed = node.book(
        claim("a2", 0, "2026-03-01", 2_000_000),
        void("v1", "a1", 0, "2026-03-02"),
        void("v2", "a2", 0, "2026-03-03"),
        claim("a3", 0, "2026-03-04", 4_000_000),
    )
    assert (summary.claims, summary.voids, summary.commits, passed) == (2, 2, 3, [])
    assert node.year(0) == cashier(4_000_000)[1]
    owed = node.read(lambda s: s.get(ACCOUNTS, f"payable/{HOSPITAL}/beijing/310/pool"))
    assert owed is not None
    assert owed.credited_fen - owed.debited_fen == cashier(4_000_000)[0][0].pool_fen
    assert node.findings() == []


def test_one_person_is_one_however_the_id_number_is_spelt(node: Agency, tmp_path: Path) -> None:
    """Blanks and small letters: the deductible is borne once, and a void finds its claim."""
    rows = [
        claim("a1", 0, "2026-02-03", 3_000_000),
        claim("a2", 0, "2026-03-03", 2_000_000),
        void("v1", "a1", 0, "2026-04-03"),
        claim("a3", 0, "2026-05-03", 4_000_000),
    ]
    written = str(rows[0]["person_id"])
    also = f" {written[:6]}\u3000{written[6:].lower()}"
    spelt = [rows[0], *(row | {"person_id": also} for row in rows[1:])]
    summary, passed = node.book(*spelt)
    assert (summary.claims, summary.voids, summary.commits, passed) == (3, 1, 1, [])
    with agency(tmp_path / "other") as other:
        other.book(*rows)
        assert node.year(0) == other.year(0)
    assert node.findings() == []


CANNOT = [
    (claim("x", 0, "2026-02-30", 1), "CLAIM_VALUE", "ended_on"),
    (claim("x", 77, "2026-02-03", 1), "PERSON_NOT_INSURED_HERE", ""),
    (claim("x", 0, "2026-02-03", 1, admdvs="120000"), "PERSON_NOT_INSURED_HERE", ""),
    (claim("x", 0, "2026-02-03", 1, institution_id="H0"), "INSTITUTION_UNKNOWN", "H0"),
    (claim("x", 0, "2026-02-03", 1, event="opening"), "CLAIM_OPENING", ""),
    (void("x", "nothing", 0, "2026-02-03"), "CLAIM_VOID_UNKNOWN", ""),
    (claim("x", 0, "2026-02-03", 5, total_fen=4), "BILL_INVALID", "total_fen"),
    (claim("x", 0, "1999-02-03", 5), "RULE_BOOK_MISSING", ""),
]


@pytest.mark.parametrize(("row", "code", "detail"), CANNOT)
def test_row_that_cannot_be_booked_is_named_and_holds_up_no_other(
    node: Agency, row: dict[str, str | int], code: str, detail: str
) -> None:
    """The row moves nothing, the row after it is booked."""
    good = claim("good", 1, "2026-02-03", 3_000_000)
    summary, passed = node.book(row, good)
    assert [(each.row, each.claim_id, each.code, each.detail) for each in passed] == [
        (0, "x", code, detail)
    ]
    assert summary.claims == 1
    assert node.year(0) == Accumulators()
    assert node.year(1) == cashier(3_000_000)[1]


def test_void_of_another_persons_claim_takes_nothing_back(node: Agency) -> None:
    """A void finds its claim only with the person whose it is."""
    node.book(claim("a1", 0, "2026-02-03", 3_000_000))
    summary, passed = node.book(void("v1", "a1", 1, "2026-02-04"))
    assert (summary.voids, [each.code for each in passed]) == (0, ["CLAIM_VOID_UNKNOWN"])
    assert node.year(0) == cashier(3_000_000)[1]


OTHERS = [
    (claim("a1", 1, "2026-02-03", 3_000_000), "person_id"),
    (claim("a1", 0, "2026-02-03", 3_000_001), "in_scope_fen"),
    (claim("a1", 0, "2026-02-04", 3_000_000, admitted_on="2026-02-03"), "ended_on"),
    (claim("a1", 0, "2026-02-03", 3_000_000, hospital_level="2"), "hospital_level"),
    (claim("a1", 0, "2026-02-03", 3_000_000, total_fen=3_000_001), "total_fen"),
    (claim("a1", 0, "2026-02-03", 3_000_000, filing="other"), "filing"),
    (claim("a1", 0, "2026-02-03", 3_000_000, institution_id="H0"), "institution_id"),
    (claim("a1", 0, "2026-02-03", 3_000_000, event="opening"), "event"),
]


@pytest.mark.parametrize(("row", "differs"), OTHERS)
def test_another_claim_under_a_booked_id_is_not_taken_for_it(
    node: Agency, row: dict[str, str | int], differs: str
) -> None:
    """It is told, with what differs; only the claim itself was booked before."""
    node.book(claim("a1", 0, "2026-02-03", 3_000_000))
    for _ in range(2):
        summary, passed = node.book(row)
        assert (summary.already, summary.claims) == (0, 0)
        assert [(each.code, each.detail) for each in passed] == [("CLAIM_ID_TWICE", differs)]


@pytest.mark.parametrize("taken", ["a1", "a2"])
def test_a_void_under_a_booked_id_takes_nothing_back(node: Agency, taken: str) -> None:
    """Neither under the id of the claim that it means, nor of another one."""
    node.book(
        claim("a1", 0, "2026-02-03", 3_000_000),
        claim("a2", 0, "2026-02-04", 9_000_000),
    )
    for _ in range(2):
        summary, passed = node.book(void(taken, "a1", 0, "2026-02-05"))
        assert (summary.already, summary.voids) == (0, 0)
        assert [(each.code, each.detail) for each in passed] == [("CLAIM_ID_TWICE", "event")]
    assert node.year(0) == cashier(3_000_000, 9_000_000)[1]


@pytest.mark.parametrize("is_apart", [False, True])
def test_second_void_of_a_claim_is_told_however_often_it_comes(
    node: Agency, *, is_apart: bool
) -> None:
    """In the file of its claim, after it, or in a file of its own: it is never taken for the first.

    With `is_apart` an earlier file has brought the claim, so its void begins a commit.
    """
    rows = [claim("a1", 0, "2026-02-03", 3_000_000)]
    if is_apart:
        node.book(*rows)
    rows += [void("v1", "a1", 0, "2026-02-04"), void("v2", "a1", 0, "2026-02-05")]
    for file in (rows, rows, rows[-1:]):
        _, passed = node.book(*file)
        assert [(each.claim_id, each.code) for each in passed] == [("v2", "CLAIM_VOID_TWICE")]
    assert node.book(rows[1])[0].already == 1
    assert node.year(0) == Accumulators()
    assert node.findings() == []


def test_void_before_its_claim_takes_nothing_back_however_often_the_file_comes(
    node: Agency,
) -> None:
    """The first time it has nothing to take back, and the second time is like the first."""
    rows = [void("v1", "a1", 0, "2026-02-02"), claim("a1", 0, "2026-02-03", 3_000_000)]
    for _ in range(2):
        _, passed = node.book(*rows)
        assert [each.code for each in passed] == ["CLAIM_VOID_UNKNOWN"]
        assert node.year(0) == cashier(3_000_000)[1]


def test_year_beyond_what_can_be_computed_stops_its_person_alone(node: Agency) -> None:
    """A claim of hers is told, another person's is booked; a void makes room again."""
    for at in (1, 2):
        node.book(claim(f"a{at}", 0, f"2026-02-0{at}", AMOUNT_MAX_FEN))
    assert node.year(0).burden_fen > AMOUNT_MAX_FEN
    more = claim("a3", 0, "2026-02-04", 1_000_000)
    summary, passed = node.book(more, claim("b1", 1, "2026-02-04", 500_000))
    assert [(each.claim_id, each.code, each.detail) for each in passed] == [
        ("a3", "ACCUMULATORS_INVALID", "burden_fen")
    ]
    assert summary.claims == 1
    _, passed = node.book(void("v2", "a2", 0, "2026-02-03"), more)
    assert passed == []
    assert node.year(0) == cashier(AMOUNT_MAX_FEN, 1_000_000)[1]
    assert node.findings() == []


def test_run_that_is_broken_off_goes_on_where_it_was(
    node: Agency, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was committed stands; the same file ends in what one run would have come to."""
    rows = [claim(f"c{at}", at % 8, f"2026-03-{at + 1:02d}", 700_000 * at) for at in range(24)]
    rows.sort(key=lambda row: str(row["person_id"]))
    monkeypatch.setattr(lots, "ROWS_MOST", 3)

    class BrokenOffError(Exception):
        """The machine stops."""

    def stop(done: int, _total: int) -> None:
        if done > 9:
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        node.book(*rows, progress=stop)
    assert 0 < sum(node.year(person).admissions for person in range(8)) < 24
    summary, _ = node.book(*rows)
    assert summary.already + summary.claims == 24
    with agency(tmp_path / "other") as whole:
        whole.book(*rows)
        assert [node.year(at) for at in range(8)] == [whole.year(at) for at in range(8)]
    assert node.findings() == []


def test_a_void_of_a_refused_claim_is_told_alike_when_the_file_comes_again(node: Agency) -> None:
    """Also where what lies between them parts them into two commits the first time only."""
    node.book(claim("a1", 0, "2026-02-03", 3_000_000))
    file = (
        claim("a2", 0, "2026-02-04", 3_000_000, total_fen=1),
        void("v1", "a1", 0, "2026-02-05"),
        void("v2", "a2", 0, "2026-02-06"),
        void("v3", "a9", 0, "2026-02-07"),
    )

    told = [sorted((one.claim_id, one.code) for one in node.book(*file)[1]) for _ in range(2)]

    assert told[0] == told[1]
    assert told[0][1:] == [("v2", "CLAIM_VOID_REFUSED"), ("v3", "CLAIM_VOID_UNKNOWN")]


def test_draft_books_nothing_where_none_may_decide(node: Agency) -> None:
    """The shipped books are drafts; a node of real money refuses the file, and books nothing."""
    books = list(node.home.shelf)
    node.home.shelf = Shelf(books, allow_drafts=False)
    with pytest.raises(Refused, match="RULE_BOOK_DRAFT"):
        node.book(claim("a1", 0, "2026-02-03", 3_000_000))
    assert node.year(0) == Accumulators()


def test_draft_cross_region_book_decides_no_stay_elsewhere(node: Agency) -> None:
    """A stay at home needs no such book; one elsewhere waits until it is adopted."""
    books = [
        msgspec.structs.replace(book, status="draft" if book.kind == overlay.KIND else "adopted")
        for book in node.home.shelf
    ]
    digests = {book.digest: None for book in books if book.kind != overlay.KIND}
    node.home.shelf = Shelf(books, allow_drafts=False, adopted=digests)
    node.book(claim("a1", 0, "2026-02-03", 3_000_000))
    assert node.year(0) == cashier(3_000_000)[1]
    for more in ({"visited_admdvs": "120000"}, {"visited_admdvs": "440100", "filing": "other"}):
        with pytest.raises(Refused, match="cross-region-overlay"):
            node.book(claim("a2", 0, "2026-02-04", 3_000_000, **more))
    assert node.year(0) == cashier(3_000_000)[1]


CHANGES = [
    ("UPDATE settlement_entries SET pool_fen = pool_fen + 1 WHERE entry_no = 1", "the entry"),
    ("DELETE FROM settlement_entries WHERE entry_no = 1", "the journal knows an entry"),
    ("UPDATE settlement_entries SET subject_id = 'home/zz' WHERE entry_no = 1", "the entry"),
    ("DELETE FROM ledger_transfers WHERE subject_id = 'home/a1'", "the ledger does not owe"),
]


@pytest.mark.parametrize(("sql", "problem"), CHANGES)
def test_change_behind_our_back_is_found(node: Agency, sql: str, problem: str) -> None:
    """Whoever can make row MACs too is still found: the leaf and the ledger say otherwise."""
    node.book(claim("a1", 0, "2026-02-03", 3_000_000))
    node.tamper(sql)
    assert any(each.problem.startswith(problem) for each in node.findings())
