"""Replaying past settlements under an edited book: what changes, by which cause, and the laws.

Histories are made up: amounts, persons and books are synthetic.
"""

from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.settlement.books import figure, flat_rules, fund, made_up, simple_rules
from tests.services.settlement.past_years import MOVES, Move, history
from tests.services.settlement.two_cities import TwoCities, running
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement import replay_history
from tongcheng.services.settlement.replay import Change, Event, Replay, Replayed
from tongcheng.services.settlement.replay_sums import Summing, Sums


def replayed(
    edited: RuleBook, *known: RuleBook, years: list[list[Event]]
) -> tuple[Replayed, list[Change]]:
    """Replay some years under an edited book, the old ones known by their digests."""
    told: list[Change] = []
    shelf = {book.digest: book for book in known}
    replay = Replay(edited, shelf.get, told.append)
    for events in years:
        replay.year(events)
    return replay.found, told


def sums_of(changes: list[Change]) -> Sums:
    """Add up changes."""
    summing = Summing()
    for change in changes:
        summing.add(change)
    return summing.sums()


def flat(ratio: str, pool_cap: str = "10000", **head: Plain) -> RuleBook:
    """Return a book of one ratio without a deductible, with a pool cap and a large fund."""
    return made_up(flat_rules(ratio, pool_cap=figure(pool_cap)), **head)


HALF = flat("0.5")
STAYS: list[Move] = [("stay", 1_000_00), ("stay", 2_000_00)]


def kinds(changes: list[Change]) -> list[tuple[int, str, bool]]:
    """Return what a table of changes says first: number, kind, voided."""
    return [(each.decision_no, each.kind, each.voided) for each in changes]


def test_higher_ratio_changes_every_settlement_directly() -> None:
    """From 0.5 to 0.6 on 1,000 and 2,000 yuan: the pool pays 300 more, one person gains 300."""
    found, changes = replayed(flat("0.6"), HALF, years=[history(HALF, STAYS)])

    sums = sums_of(changes)
    assert (found.decisions, found.under_book, found.not_reproduced) == (2, 2, [])
    assert kinds(changes) == [(1, "direct", False), (2, "direct", False)]
    assert [(each.fund, each.difference_fen) for each in sums.funds] == [
        ("pool", 300_00),
        ("large", 0),
    ]
    assert (sums.gaining, sums.gained_fen, sums.losing, sums.even) == (1, 300_00, 0, 0)
    assert [(each.settlements, each.difference_fen) for each in sums.groups] == [(2, -300_00)]


def test_change_early_in_the_year_has_consequences_later() -> None:
    """A first admission that bears less leaves more for the cap: a later stay is changed by it.

    500 yuan of pool cap. Old: deductible 100 first, 50 later, 0.5 to 1,000: pays 450 of 1,000,
    then 50 of the next. New: 20 first, pays 490, then only 10: a consequence, since with what was
    used before it the second stay would be the same under either book.
    """
    caps: dict[str, Plain] = {"pool_cap": figure("500"), "large": [], "funds": [fund("pool")]}
    old = made_up(simple_rules(**caps))
    rules = simple_rules(**caps)
    rules["deductible"] = {
        "basis": figure("each_admission"),
        "rows": [
            {"admission": "first", "amount": figure("20")},
            {"admission": "later", "amount": figure("50")},
        ],
    }

    found, changes = replayed(
        made_up(rules), old, years=[history(old, [("stay", 1_000_00), ("stay", 1_000_00)])]
    )

    assert found.not_reproduced == []
    assert kinds(changes) == [(1, "direct", False), (2, "consequence", False)]
    paid = [(each.before.funds["pool"], each.after.funds["pool"]) for each in changes if each.after]
    assert paid == [(450_00, 490_00), (50_00, 10_00)]
    assert (sums_of(changes).direct, sums_of(changes).consequence, sums_of(changes).even) == (
        1,
        1,
        1,
    )


def test_void_takes_back_what_the_replay_gave_and_counts_for_nothing() -> None:
    """A voided stay is told and left out of the sums; the next finds the cap as if it never was."""
    moves: list[Move] = [("stay", 5_000_00), ("void", 0), ("stay", 1_000_00)]

    _, changes = replayed(flat("0.6"), HALF, years=[history(HALF, moves)])

    assert kinds(changes) == [(1, "direct", True), (2, "direct", False)]
    sums = sums_of(changes)
    assert (sums.voided, sums.direct, sums.funds[0].difference_fen) == (1, 1, 100_00)


def test_refusal_is_told_and_uses_nothing() -> None:
    """A figure that the edited book does not know refuses; nobody is said to gain or lose by it."""
    unknown = made_up(flat_rules("0.5", pool_cap=figure(None)))

    _, changes = replayed(unknown, HALF, years=[history(HALF, STAYS)])

    assert [(each.after, each.refused) for each in changes] == [(None, "RULE_UNKNOWN")] * 2
    sums = sums_of(changes)
    assert (sums.refused, sums.gaining, sums.losing, sums.funds) == (2, 0, 0, ())


@pytest.mark.parametrize(
    "head",
    [
        {"book_id": "another"},
        {"effective": {"from": "2026-03-02", "to": None}},
        {"effective": {"from": "2025-01-01", "to": "2026-02-28"}},
    ],
)
def test_other_books_and_other_days_stay(head: dict[str, Plain]) -> None:
    """An edited book stands in only for its own id, and only on the days that it covers."""
    found, changes = replayed(flat("0.9", "10000", **head), HALF, years=[history(HALF, STAYS)])

    assert (found.decisions, found.under_book, changes) == (2, 0, [])


def test_decision_that_does_not_follow_is_a_finding() -> None:
    """A changed amount, a changed year and a book that is not known are each named."""
    (first, second) = history(HALF, STAYS)
    assert first.past is not None
    assert second.past is not None
    result = msgspec.structs.replace(second.past.result, person_fen=1)
    told = Event(second.entry, msgspec.structs.replace(second.past, result=result))

    for years, known, fault in (
        ([[first, told]], [HALF], "amounts_differ"),
        ([[second]], [HALF], "before_differs"),
        ([[first]], [], "book_unknown"),
        ([[Event(first.entry, None)]], [HALF], "decision_missing"),
    ):
        found, _ = replayed(HALF, *known, years=years)
        assert [each.fault for each in found.not_reproduced] == [fault]


# A few, because a process compiles each of its books once and keeps it.
RATIOS = st.sampled_from(["0", "0.3333", "0.5", "0.85", "0.95", "1"])
CAPS = st.sampled_from(["0", "0.01", "500", "10000", "20000"])
plain = cache(flat)


@settings(deadline=None)  # a book that is compiled for the first time takes its time
@given(MOVES, RATIOS, CAPS)
def test_the_same_book_changes_nothing(moves: list[Move], ratio: str, cap: str) -> None:
    """Law: whatever a year held, it follows again, and an equal book gives no change."""
    book = plain(ratio, cap)

    found, changes = replayed(book, book, years=[history(book, moves)])

    assert (found.not_reproduced, changes) == ([], [])


@settings(deadline=None)  # a book that is compiled for the first time takes its time
@given(MOVES, RATIOS, RATIOS, CAPS, CAPS)
def test_replay_is_what_the_edited_book_would_have_decided(
    moves: list[Move], ratio: str, other: str, cap: str, other_cap: str
) -> None:
    """Law: the amounts after are those of a year decided by the edited book from its beginning."""
    old, new = plain(ratio, cap), plain(other, other_cap)
    events, wanted = history(old, moves), history(new, moves)

    found, changes = replayed(new, old, years=[events])

    assert found.not_reproduced == []
    after = {each.decision_no: each.after for each in changes}
    for was, now in zip(events, wanted, strict=True):
        if was.past is None or now.past is None:
            continue
        ours = after.get(was.past.row.decision_no)
        person_fen = was.past.result.person_fen if ours is None else ours.person_fen
        assert person_fen == now.past.result.person_fen
    assert all(each.kind == "direct" for each in changes if each.decision_no == 1)


@settings(deadline=None)  # a book that is compiled for the first time takes its time
@given(MOVES, RATIOS, RATIOS)
def test_higher_ratio_never_lowers_what_funds_pay(moves: list[Move], one: str, two: str) -> None:
    """Law: where no cap is reached, a higher ratio takes from nobody, and all of it is direct."""
    low, high = sorted((one, two))
    wide = "1000000"
    old, new = plain(low, wide), plain(high, wide)

    _, changes = replayed(new, old, years=[history(old, moves)])

    for each in changes:
        assert each.kind == "direct"
        assert each.after is not None
        assert sum(each.after.funds.values()) > sum(each.before.funds.values())
    assert sums_of(changes).losing == 0


def test_a_nodes_own_history_is_read_and_reproduced(tmp_path: Path) -> None:
    """Three persons' years out of a node's store, one with a void: all follow, by every book."""
    with running(tmp_path) as city:
        city.run(_settle(city.cities))
        home = city.cities.beijing.home
        book = next(each for each in home.shelf if each.book_id == "beijing-employee-inpatient")
        changed: list[Change] = []

        def question(snapshot: Snapshot) -> tuple[int, Replayed]:
            replay = Replay(book, home.shelf.find, changed.append)
            for events in replay_history.years(snapshot):
                replay.year(events)
            return replay_history.settlements(snapshot), replay.found

        count, found = city.run(city.cities.beijing.read(question))

    assert (count, found.decisions, found.under_book) == (3, 3, 3)
    assert (found.not_reproduced, changed) == ([], [])


async def _settle(cities: TwoCities) -> None:
    await cities.settled(0)
    gone = await cities.settled(1)
    await cities.desk.void(cities.caller, gone.settlement_id)
    await cities.settled(2, days=2_000)
    await cities.quiet()
