"""Readings: the book itself, each disputed figure put in, each alternative, and what they cost."""

from datetime import date
from typing import Any

import msgspec
import pytest

from tests.services.settlement.books import REGION
from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook, Shelf, from_document, parse
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.readings import (
    Reading,
    alternative,
    announced,
    difference,
    readings,
    settled,
    steps_of,
)

SHELF = Shelf(
    [parse(path.read_text("utf-8")) for path in sorted((REGION / "rulebooks").glob("*.yaml"))],
    allow_drafts=True,
)
BENEFIT_BOOKS = [book for book in SHELF if book.kind == "benefit"]
NOTHING = Accumulators()


def _book(book_id: str) -> RuleBook:
    return SHELF.at(book_id, date(2026, 11, 22))


def _bill(in_scope_fen: int, person: str = "active", **more: Any) -> Bill:
    case = {"person_type": person, "hospital_level": 3, "admission_number": 1, **more}
    return msgspec.convert({"in_scope_fen": in_scope_fen, "total_fen": None, **case}, Bill)


def _pair(book: RuleBook, path: str, value: str | None = None) -> tuple[Reading, Reading]:
    """Return the book itself and the reading of a path (and a value)."""
    base, *others = readings(book)
    return base, next(one for one in others if one.path == path and value in {None, one.value})


@pytest.mark.parametrize("book", BENEFIT_BOOKS, ids=[each.digest[:8] for each in BENEFIT_BOOKS])
def test_every_shipped_book_is_read_in_all_its_ways(book: RuleBook) -> None:
    """The book first and as it is, then a reading for each dispute; all of them compile."""
    base, *others = readings(book)

    text = str(canonical.encode(book.document))
    disputes = text.count('"conflicts"') + (1 if '"alternatives"' in text else 0)
    assert (base.path, base.tables) == ("", compile_benefit(book))
    assert len(others) == disputes
    assert [one.refused for one in (base, *others)] == [None] * (disputes + 1)


# yuan in scope, and what the person pays more by 500,000 for the pool than by 100,000. By hand:
# at 40,000 the pool has paid 24,395 + 9,000; 66,605 / 0.95 further, at 110,110.53, 100,000.
# Beyond that the pool's 0.95 stands against the large fund's 0.85: 10 % of 289,889.47.
BEIJING_CAP = """
in_scope  difference
20000     0.00
100000    0.00
400000    -28988.95
"""


@pytest.mark.parametrize("row", BEIJING_CAP.strip().splitlines()[1:])
def test_beijing_pool_cap_in_yuan(row: str) -> None:
    """100,000 or 500,000: the disputed cap costs a person in work nothing, or much."""
    in_scope, expected = row.split()
    base, other = _pair(_book("beijing-employee-inpatient"), "rules.pool_cap")

    found = difference(other, base, _bill(int(in_scope) * 100), NOTHING)

    assert (other.value, other.sources) == ("500000", ("tsbj",))
    assert found == round(float(expected) * 100)


# Deductible 1,700, then by the rules 80 % (retired 85 %). By the alternative 85 % (90 %) to 55,000,
# then 80 % for all, by the pool and then by the large fund: 5 % of 18,300 or 53,300 less to bear;
# a retiree bears 5 % more of what is beyond 55,000.
TIANJIN_B = """
in_scope  person   difference
20000     active   -915.00
20000     retired  -915.00
100000    active   -2665.00
100000    retired  -415.00
400000    active   -2665.00
400000    retired  14585.00
"""


@pytest.mark.parametrize("row", TIANJIN_B.strip().splitlines()[1:])
def test_tianjin_variant_b_in_yuan(row: str) -> None:
    """The other reading of Tianjin's bands: cheaper for most, dearer for a retiree's large bill."""
    in_scope, person, expected = row.split()
    base, other = _pair(_book("tianjin-employee-inpatient"), "rules.alternatives[0]")

    found = difference(other, base, _bill(int(in_scope) * 100, person), NOTHING)

    assert found == round(float(expected) * 100)


def test_the_alternative_s_sections_stand_in_place_of_the_rules() -> None:
    """What the alternative names is taken from it, the deductible from the book."""
    book = _book("tianjin-employee-inpatient")
    read = alternative(book, 0).document["rules"]
    assert isinstance(read, dict)
    rules = book.document["rules"]
    assert isinstance(rules, dict)

    assert "alternatives" not in read
    assert read["deductible"] == rules["deductible"]
    assert read["adjustments"] == []
    assert read["bands"] != rules["bands"]


def test_only_the_figure_is_replaced() -> None:
    """All pointers but the disputed one are those of the book."""
    base, other = _pair(_book("beijing-employee-inpatient"), "rules.pool_cap")
    assert base.tables is not None
    assert other.tables is not None

    changed = [
        (one.path, another.value, another.sources)
        for one, another in zip(base.tables.rules, other.tables.rules, strict=True)
        if (one.value, one.sources) != (another.value, another.sources)
    ]

    assert changed == [("rules.pool_cap", "500000", ("tsbj",))]
    assert other.tables.status == "draft"
    assert other.tables.digest != base.tables.digest


def test_a_figure_unknown_to_one_side_has_no_difference() -> None:
    """The book does not know the middle tier, the other source does: one of two refuses."""
    base, other = _pair(
        _book("tianjin-resident-inpatient"), "rules.bands[3].steps[0].ratio", "0.80"
    )
    bill = _bill(2_000_000, "resident", hospital_level=1, tier="middle")

    here, there = settled(base, bill, NOTHING), settled(other, bill, NOTHING)

    assert isinstance(here, Refused)
    assert here.code == "RULE_UNKNOWN"
    assert not isinstance(there, Refused)
    assert there.pool_fen == (2_000_000 - 50_000) * 8 // 10
    assert difference(other, base, bill, NOTHING) is None


def test_a_cover_that_pays_later_changes_what_is_announced() -> None:
    """28,000 or 20,000 before catastrophic insurance: the bill is the same, what follows is not."""
    base, other = _pair(
        _book("tianjin-resident-inpatient"), "rules.catastrophic.terms[0].deductible"
    )
    bill = _bill(10_000_000, "resident", tier="low")

    assert difference(other, base, bill, NOTHING) == 0
    later = [announced(each, bill, NOTHING) for each in (base, other)]
    assert None not in later
    assert later[1] == (later[0] or 0) + 800_000 * 6 // 10


def test_a_reading_that_does_not_compile_is_kept_with_its_refusal() -> None:
    """Another source's nonsense is shown as such; the book itself still stands."""
    document = dict(_book("beijing-employee-inpatient").document)
    rules = document["rules"]
    assert isinstance(rules, dict)
    cap = rules["pool_cap"]
    assert isinstance(cap, dict)
    nonsense: dict[str, Plain] = {**cap, "conflicts": [{"value": "much", "source": "tsbj"}]}
    base, other = readings(from_document({**document, "rules": {**rules, "pool_cap": nonsense}}))

    assert base.tables is not None
    assert other.tables is None
    assert other.refused is not None
    assert other.refused.code == "RULE_BOOK_NUMBER"
    assert difference(other, base, _bill(100), NOTHING) is None
    assert announced(other, _bill(100), NOTHING) is None


def test_steps_of_a_path() -> None:
    """Keys and places in their order."""
    assert steps_of("rules.bands[1].steps[0].ratio") == ("rules", "bands", 1, "steps", 0, "ratio")
