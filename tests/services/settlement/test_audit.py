"""The audit of settlements computed elsewhere: it finds what was planted, and nothing else."""

import struct
from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.settlement.audit_plants import PLANTS
from tests.services.settlement.audit_reckon import Record, beijing, settled
from tests.services.settlement.audit_rows import make
from tongcheng.kernel import region
from tongcheng.kernel.errors import Refused
from tongcheng.node import files
from tongcheng.services.settlement.audit import Auditor
from tongcheng.services.settlement.audit_books import Books
from tongcheng.services.settlement.audit_model import Finding, Unjudged
from tongcheng.services.settlement.audit_rounding import to_float32
from tongcheng.services.settlement.audit_rows import check_columns, read_row

BOOKS = Books(
    files.read_shelf(files.pack_folder("jingjinji"), allow_drafts=True), region.load("jingjinji")
)
BATCH = 700


class DictMemory:
    """Remembers in a dict."""

    def __init__(self) -> None:
        self._kept: dict[bytes, bytes] = {}

    def recall(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return what is kept under these keys."""
        return {key: self._kept[key] for key in keys if key in self._kept}

    def keep(self, items: Mapping[bytes, bytes]) -> None:
        """Keep values, in place of those kept before."""
        self._kept.update(items)


def audited(
    records: Iterable[Record], *, complete: bool = False
) -> tuple[Auditor, list[Finding | Unjudged]]:
    """Audit records in batches, as the command does."""
    auditor = Auditor(BOOKS, DictMemory(), complete=complete)
    rows = [read_row(line, record, BOOKS.book_of) for line, record in enumerate(records, start=2)]
    found: list[Finding | Unjudged] = []
    for begin in range(0, len(rows), BATCH):
        found += auditor.batch(rows[begin : begin + BATCH])
    return auditor, found


def only(records: Iterable[Record], *, complete: bool = False) -> Finding:
    """Return the one finding there is."""
    (found,) = audited(records, complete=complete)[1]
    assert isinstance(found, Finding), found
    return found


@pytest.mark.parametrize("complete", [False, True])
def test_finds_exactly_what_was_planted(complete: bool) -> None:  # noqa: FBT001 a case
    """3,000 rows of all books, 37 planted: these 37 and no other, each with its cause."""
    rows, plan = make(3_000, 37, seed=4)

    auditor, found = audited(rows, complete=complete)

    causes = {each.settlement_id: each.cause_keys for each in found if isinstance(each, Finding)}
    assert causes == plan
    assert len(found) == len(plan) == auditor.tally.differing == 37
    assert auditor.tally.equal == 3_000 - 37
    assert set(plan.values()) == {plant.cause for plant in PLANTS}


def test_every_fen_is_listed_with_its_clause() -> None:
    """A finding names each figure that differs, the rule it rests on, and where that stands."""
    row = settled("S1", beijing(), 2_000_001)
    row["pool_fen"] = int(row["pool_fen"]) - 7
    row["person_in_scope_fen"] = int(row["person_in_scope_fen"]) + 7
    row["person_total_fen"] = int(row["person_total_fen"]) + 7

    found = only([row])

    assert {each.figure: each.more_fen for each in found.differences} == {
        "pool": -7, "person_in_scope": 7, "person_total": 7,
    }  # fmt: skip
    assert found.fund_more_fen == -7
    assert found.cause_keys == "unexplained"
    (rule,) = (rule for rule in found.rules if rule.path.startswith("rules.bands"))
    assert (rule.value, rule.clause, rule.confidence) == ("0.85", "第三十六条", "high")


def test_one_fen_without_a_rounding_that_gives_it() -> None:
    """A fen that no known rounding gives is called what it is, if the sums are closed."""
    row = settled("S1", beijing(), 2_000_000)  # the pool's payment is a whole number of fen
    for name, more in (("pool_fen", 1), ("person_in_scope_fen", -1), ("person_total_fen", -1)):
        row[name] = int(row[name]) + more

    assert only([row]).cause_keys == "one_fen"


def test_what_is_taken_back_may_be_settled_again() -> None:
    """A settlement, its exact void and the same stay again are three right rows."""
    row = settled("S1", beijing(), 2_000_000)
    back: Record = {k: -int(v) if k.endswith("_fen") and v else v for k, v in row.items()}
    back |= {"settlement_id": "S2", "voids": "S1"}

    auditor, found = audited([row, back, row | {"settlement_id": "S3"}])

    assert (auditor.tally.equal, found) == (3, [])


def test_opening_that_is_higher() -> None:
    """More used than the file accounts for may come from elsewhere; unless it is all there is."""
    first = settled("S1", beijing(), 2_000_000)
    second = settled("S2", beijing(later=True), 2_100_000)
    second |= {
        "person_id": first["person_id"],
        "opening_pool_paid_fen": int(first["pool_fen"]) + 5,
        "opening_deductible_paid_fen": 130_000,
        "opening_burden_fen": 2_000_000 - int(first["pool_fen"]),
    }

    auditor, found = audited([first, second])

    assert (found, auditor.tally.higher) == ([], 1)
    differing = only([first, second], complete=True)
    assert differing.cause_keys == "opening_not_following"
    assert [(each.figure, each.more_fen) for each in differing.differences] == [
        ("opening_pool_paid", 5)
    ]


UNJUDGED: list[tuple[dict[str, str | int], str]] = [
    ({"in_scope_fen": "12.5"}, "AUDIT_VALUE"),
    ({"in_scope_fen": ""}, "AUDIT_VALUE"),
    ({"settled_on": "2025-02-30"}, "AUDIT_VALUE"),
    ({"person_type": "pensioner"}, "AUDIT_VALUE"),
    ({"hospital_level": ""}, "AUDIT_VALUE"),
    ({"hospital_level": 7}, "BILL_INVALID"),
    ({"total_fen": 1}, "BILL_INVALID"),
    ({"opening_pool_paid_fen": -1}, "ACCUMULATORS_INVALID"),
    ({"book": "nowhere"}, "RULE_BOOK_MISSING"),
    ({"settled_on": "1999-01-01"}, "RULE_BOOK_MISSING"),
    ({"book": "hebei-langfang-resident-inpatient", "person_type": "resident",
      "admission_number": 2, "hospital_subtype": "municipal"}, "RULE_UNKNOWN"),
    ({"voids": "S9"}, "AUDIT_VOID_OF"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "code"), UNJUDGED, ids=[str(each) for each, _ in UNJUDGED])
def test_row_that_can_not_be_judged(changes: dict[str, str | int], code: str) -> None:
    """It is listed with its code, counted, and does not stop the file."""
    row = settled("S1", beijing(), 2_000_000)

    auditor, found = audited([row | changes, row | {"settlement_id": "S2", "person_id": "P2"}])

    assert [(each.line, each.code) for each in found if isinstance(each, Unjudged)] == [(2, code)]
    assert (auditor.tally.rows, auditor.tally.unjudged, auditor.tally.equal) == (2, 1, 1)


def test_rows_of_a_person_out_of_order() -> None:
    """A year that runs backwards can not be followed; the row says behind which line it is."""
    row = settled("S1", beijing(), 2_000_000) | {"decided_order": 5}

    _, found = audited([row, row | {"settlement_id": "S2", "decided_order": 4, "in_scope_fen": 1}])

    assert [each.code for each in found if isinstance(each, Unjudged)] == ["AUDIT_ORDER"]


COLUMNS = ["settlement_id", "person_id", "settled_on", "person_type", "hospital_level", "book",
           "in_scope", "admission_number", "pool"]  # fmt: skip


def test_columns() -> None:
    """A file needs what a row needs, once; a column that nobody reads is refused."""
    check_columns(COLUMNS)
    cases = [(list(set(COLUMNS) - {name}), name) for name in COLUMNS]
    cases += [([*COLUMNS, "poool"], "poool"), ([*COLUMNS, "pool_fen"], "pool")]
    for columns, named in cases:
        with pytest.raises(Refused, match="AUDIT_COLUMNS") as refused:
            check_columns(columns)
        assert refused.value.facts["columns"] == named


def test_book_by_division_and_scheme() -> None:
    """Without a book's name, the division's pooling area and the scheme give it."""
    assert BOOKS.book_of("130102", "310") == "hebei-shijiazhuang-employee-inpatient"
    assert BOOKS.book_of("110105", "390") == "beijing-resident-inpatient"
    assert BOOKS.tables("beijing-resident-inpatient", date(2018, 5, 1)).pool_cap_fen == 20_000_000
    with pytest.raises(Refused, match="AREA_WITHOUT_RULE_BOOK"):
        BOOKS.book_of("130102", "999")


@given(st.integers(1, 10**12), st.integers(1, 10**8))
def test_binary_fractions_bit_for_bit(numerator: int, denominator: int) -> None:
    """Whole numbers give the machine's own 32-bit fractions."""
    value = numerator / 2 ** (denominator % 60)

    (machine,) = struct.unpack("f", struct.pack("f", value))

    assert to_float32(Fraction(value)) == Fraction(machine)
    assert to_float32(Fraction(-value)) == -Fraction(machine)
