"""Which book, which version, which year: as a node finds them."""

from typing import Any

import pytest

from tests.services.settlement.batch.batches import day, overlay
from tests.services.settlement.books import figure, flat_rules, made_up, shipped
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.region import RegionPack, load
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.batch import run, trace_columns
from tongcheng.services.settlement.batch.arrays import NONE, OPENING, Events, Results, blank_events
from tongcheng.services.settlement.batch.codes import CODES
from tongcheng.services.settlement.batch.plan import DAY_MAX, DAY_MIN, Plan, plan_of
from tongcheng.services.settlement.rules import FILINGS

JINGJINJI = load("jingjinji")


def _book(year_of: str | None = "discharge", **head: Plain) -> RuleBook:
    rules: Any = flat_rules("0.5")
    rules["period"]["year_of"] = figure(year_of)
    return made_up(rules, **{"admdvs": "110000", **head})


def _refused(books: list[RuleBook], region: RegionPack | None = None) -> str:
    with pytest.raises(Refused) as refused:
        plan_of(books, region)
    return refused.value.code


def _claims(*stays: tuple[str, str]) -> Events:
    """Return stays of one person, each from day to day, of 1,000 yuan in scope."""
    events = blank_events(len(stays))
    for row, (begins, ends) in enumerate(stays):
        events.admitted_on[row] = events.period_from_on[row] = day(begins)
        events.ended_on[row] = day(ends)
    events.in_scope_fen.fill(100_000)
    return events


def _told(results: Results) -> list[str]:
    return [CODES[code] or str(year) for code, year in zip(results.code, results.year, strict=True)]


def test_the_regions_own_books() -> None:
    """Every shipped book has a place, divisions are found by prefix, and none is borrowed."""
    plan = plan_of(shipped(), JINGJINJI)

    assert len(plan.places) == 8
    assert plan.place_of("110105", "310") == plan.place_of("110000", "310")
    with pytest.raises(Refused, match="AREA_WITHOUT_RULE_BOOK"):
        plan.place_of("110105", "999")
    with pytest.raises(Refused, match="REGION_UNKNOWN_AREA"):
        plan.place_of("310000", "310")
    resident = plan.place_of("110000", "390")
    ids = [
        plan.versions[plan.version_at(resident, day(on))].tables.digest
        for on in ("2018-12-31", "2019-01-01")
    ]
    assert len(set(ids)) == 2
    assert plan.version_at(resident, day("1999-01-01")) == NONE


def test_what_is_refused_at_load() -> None:
    """Two books of one place, two versions of one day, two cross-region books, a foreign area."""
    always: dict[str, Plain] = {"from": "2025-01-01", "to": None}
    elsewhere = overlay(always, ["0"], [])
    other = made_up({**_rules(elsewhere)}, kind="cross_region", book_id="other", effective=always)

    assert _refused([_book(book_id="a"), _book(book_id="b")]) == "RULE_BOOKS_RIVAL"
    assert _refused([_book(), _book("admission")]) == "RULE_BOOK_OVERLAP"
    assert _refused([elsewhere, other]) == "RULE_BOOKS_RIVAL"
    assert _refused([_book(admdvs="310000")], JINGJINJI) == "REGION_UNKNOWN_AREA"
    many = [["11", f"12{group:02d}"] for group in range(31)]
    rules = {
        **_rules(elsewhere),
        "deemed": [{"between": each, "filed": figure("yes")} for each in many],
    }
    assert _refused([made_up(rules, kind="cross_region")]) == "BATCH_TOO_MANY_BOOKS"


def _rules(book: RuleBook) -> dict[str, Any]:
    rules: Any = book.document["rules"]
    return dict(rules)


@pytest.mark.parametrize(
    ("year_of", "told"),
    [
        ("discharge", ["2025", "2026", "2026"]),
        ("admission", ["2025", "2025", "2025"]),
        ("split", ["2025", "PERIOD_CROSSES_YEAR", "2026"]),
        (None, ["2025", "RULE_UNKNOWN", "RULE_UNKNOWN"]),
    ],
)
def test_whose_year(year_of: str | None, told: list[str]) -> None:
    """A stay over the turn of the year; its last period began on the first day of the new one."""
    plan = plan_of([_book(year_of)])
    crossing = ("2025-12-20", "2026-01-10")
    events = _claims(("2025-01-01", "2025-12-31"), crossing, crossing)
    events.period_from_on[2] = day("2026-01-01")

    assert _told(run.run(plan, events)) == told


def test_days_that_do_not_stand() -> None:
    """No version, days out of order, and days that no calendar has."""
    plan = plan_of([_book()])
    events = _claims(
        ("2024-12-31", "2024-12-31"), ("2025-02-02", "2025-02-01"), *[("2025-02-02",) * 2] * 3
    )
    events.period_from_on[2] = day("2025-02-01")
    events.ended_on[3] = DAY_MAX + 1
    events.admitted_on[4] = DAY_MIN - 1

    results = run.run(plan, events)

    assert _told(results) == ["RULE_BOOK_MISSING", *["STAY_DATES"] * 4]


def test_two_schemes_of_one_area_share_a_year() -> None:
    """The pooling area keeps a person's year, not the scheme; another area keeps its own."""
    plan = plan_of(
        [
            _book(book_id="a"),
            _book(book_id="b", scheme="390"),
            _book(book_id="c", admdvs="120000"),
        ]
    )
    events = _claims(*[("2025-02-01", "2025-02-02")] * 3)
    places = [("110000", "310"), ("110000", "390"), ("120000", "310")]
    events.place[:] = [plan.place_of(*each) for each in places]

    results = run.run(plan, events, trace=True)

    numbers = results.marks[:, trace_columns.ADMISSION_NUMBER]
    assert (_told(results), numbers.tolist()) == (["2025"] * 3, [1, 2, 1])


def test_how_a_stay_counts() -> None:
    """One division is at home, an agreement goes before the claim's word, else the word holds."""
    always: dict[str, Plain] = {"from": "2025-01-01", "to": None}
    elsewhere = overlay(always, ["0", "0.1", "0.1", "0.2"], ["11", "12"])
    filings = ["local", "deemed", "other", "other", "local"]
    visited = ["110000", "120000", "310000", None, "310000"]
    asked = ["other", "other", "other", "other", "local"]
    events = _claims(*[("2025-02-01", "2025-02-02")] * 5)
    events.filing[:] = [FILINGS.index(each) for each in asked]
    counted, paid = [], []
    for books in ([_book(), elsewhere], [_book()]):
        plan = plan_of(books)
        events.pair[:] = [plan.pair_of("110000", each) for each in visited]
        results = run.run(plan, events, trace=True)
        counted.append([FILINGS[at] for at in results.marks[:, trace_columns.FILING]])
        paid.append(
            [
                CODES[c] or int(fen)
                for c, fen in zip(results.code, results.amounts[:, 1], strict=True)
            ]
        )

    assert counted[0] == filings
    assert paid[0] == [50_000, 50_000, 30_000, 30_000, 50_000]
    # Without a book on stays elsewhere nobody knows what a filing takes off: as the engine says.
    assert paid[1] == [50_000, "RULE_UNKNOWN", "RULE_UNKNOWN", "RULE_UNKNOWN", 50_000]


def test_a_cross_region_book_that_does_not_hold_yet() -> None:
    """Is missing wherever a node would ask it: where the hospital is known, or a filing is told."""
    late: dict[str, Plain] = {"from": "2025-07-01", "to": None}
    plan = plan_of([_book(), overlay(late, ["0"], [])])
    events = _claims(*[("2025-02-01", "2025-02-02")] * 3)
    events.pair[:] = [plan.pair_of("110000", "110000"), NONE, NONE]
    events.filing[2] = FILINGS.index("other")

    assert _told(run.run(plan, events)) == ["RULE_BOOK_MISSING", "2025", "RULE_BOOK_MISSING"]


def test_an_opening_and_a_void() -> None:
    """What was used before the file begins counts; what is taken back does not; and never twice."""
    plan: Plan = plan_of([_book()])
    events = _claims(*[("2025-02-01", "2025-02-02")] * 6)
    opened = blank_events(6, openings=1)
    events = events._replace(opening=opened.opening, opening_fen=opened.opening_fen)
    events.opening_fen[0] = [900_000, 0, 0, 4, 900_000, 0, 0]
    events.kind[:] = [OPENING, 0, 0, 1, 1, 0]
    events.opening[0] = 0
    events.in_scope_fen[1:3] = 300_000
    events.reverses[3:5] = 1

    results = run.run(plan, events, trace=True)

    assert _told(results) == ["2025", "2025", "2025", "2025", "CLAIM_VOID_TWICE", "2025"]
    assert results.voided.tolist() == [False, True, False, False, False, False]
    # The cap of 10,000 yuan leaves 1,000; then nothing; then what the void gave back.
    assert results.amounts[:, 1].tolist() == [0, 100_000, 0, -100_000, 0, 50_000]
    assert results.marks[:, trace_columns.ADMISSION_NUMBER].tolist() == [0, 5, 6, 0, 0, 6]
