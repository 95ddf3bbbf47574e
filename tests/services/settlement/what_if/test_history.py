"""A node's history through the kernel gives the changes that `replay` gives, to the fen."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings

from tests.services.settlement.past_years import MOVES, Move, history
from tests.services.settlement.test_replay import (
    CAPS,
    HALF,
    RATIOS,
    flat,
    plain,
    replayed,
    sums_of,
)
from tests.services.settlement.two_cities import TwoCities, running
from tongcheng.kernel.rulebook import RuleBook, parse
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement import replay_history
from tongcheng.services.settlement.batch import twin
from tongcheng.services.settlement.batch.arrays import OPENING, SETTLE, VOID
from tongcheng.services.settlement.batch.codes import CODES
from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS
from tongcheng.services.settlement.batch.plan import plan_of
from tongcheng.services.settlement.replay import Change, Event, Replay, Replayed
from tongcheng.services.settlement.replay_sums import Sums
from tongcheng.services.settlement.what_if.answer import Answer, answer
from tongcheng.services.settlement.what_if.history import history as told
from tongcheng.services.settlement.what_if.history import not_reproduced
from tongcheng.services.settlement.what_if.joint import Joint
from tongcheng.services.settlement.what_if.judging import judge
from tongcheng.services.settlement.what_if.sums import nothing, total
from tongcheng.services.settlement.what_if.versions import replaced

FUNDS = {"pool_fen": "pool", "large_fen": "large"}


def through_the_kernel(
    old: RuleBook, new: RuleBook, years: list[list[Event]]
) -> tuple[Answer, int]:
    """Return the answer about years under one old and one new book, and what is not reproduced."""
    books = ([old], replaced([old], [new]))
    joint = Joint(plan_of(books[0]), plan_of(books[1]), None)
    found = told(joint, years)
    assert found.left_out == 0
    judged = judge(joint, found.events, None, causes=True)
    sums = total([nothing(joint.layout, len(CODES)), judged.sums])
    whole = answer(joint.layout, sums, books, order="commit", causes=True)
    return whole, not_reproduced(found, judged)


def same_changes(whole: Answer, sums: Sums) -> None:
    """Compare what both say of changes; the replay's sums are over changed settlements alone."""
    ours, theirs = whole.all, sums
    assert (ours.direct, ours.changed - ours.direct) == (theirs.direct, theirs.consequence)
    assert (ours.gaining, ours.gained_fen) == (theirs.gaining, theirs.gained_fen)
    assert (ours.losing, ours.lost_fen) == (theirs.losing, theirs.lost_fen)
    person = ours.amounts[-1]
    assert person.difference_fen == theirs.persons_after_fen - theirs.persons_before_fen
    funds = {each.fund: each.difference_fen for each in theirs.funds}
    for each in ours.amounts[:2]:
        assert each.difference_fen == funds.get(FUNDS[each.payer], 0)


def placed(years: list[list[Event]]) -> list[list[Event]]:
    """Return years whose entries name the area of the made-up books."""
    return [
        [
            msgspec.structs.replace(
                event, entry=msgspec.structs.replace(event.entry, area_id="999999")
            )
            for event in events
        ]
        for events in years
    ]


@settings(deadline=None)  # a book that is compiled for the first time takes its time
@given(MOVES, RATIOS, RATIOS, CAPS, CAPS)
def test_kernel_and_replay_tell_the_same(
    moves: list[Move], ratio: str, other: str, cap: str, other_cap: str
) -> None:
    """Law: openings, voids, caps reached or not; direct changes and consequences alike."""
    old, new = plain(ratio, cap), plain(other, other_cap)
    years = [history(old, moves)]

    found, changes = replayed(new, old, years=years)
    whole, missing = through_the_kernel(old, new, placed(years))

    assert found.not_reproduced == []
    assert missing == 0
    same_changes(whole, sums_of([each for each in changes if not each.voided]))


def test_what_does_not_follow_is_counted() -> None:
    """Decisions of another book than the old rules hold are not reproduced."""
    _, missing = through_the_kernel(
        flat("0.9"), flat("0.8"), placed([history(HALF, [("stay", 1_000_00)] * 3)])
    )

    assert missing == 3


def test_a_claim_at_home_that_was_taken_back_leaves_the_rest_of_its_year_in() -> None:
    """What the claim used of the pool's 10,000 yuan counts until its void, and not after it.

    Of 6,000 yuan the pool pays 3,000 of the 4,000 that the claim left, and at a ratio of 0.8 all
    4,000. After the void it pays 5,000 of the next 10,000, and at 0.8 the 6,000 that are left.
    The twin says the same, row by row.
    """
    old, new = flat("0.5"), flat("0.8")
    moves: list[Move] = [("home", 6_000_00), ("stay", 6_000_00), ("home_void", 0)]
    years = placed([history(old, [*moves, ("stay", 10_000_00)])])
    joint = Joint(plan_of([old]), plan_of([new]), None)

    found = told(joint, years)
    judged = judge(joint, found.events, None, causes=True)

    assert (found.left_out, not_reproduced(found, judged)) == (0, 0)
    assert found.events.kind.tolist() == [OPENING, SETTLE, VOID, SETTLE]
    for side, results in enumerate((judged.old, judged.new)):
        alone = twin.run(joint.plans[side], joint.events_of(found.events, side))
        for name in ("code", "year", "voided", "amounts"):
            assert np.array_equal(getattr(results, name), getattr(alone, name)), name
    pool = RESULT_AMOUNTS.index("pool_fen")
    assert judged.old.amounts[:, pool].tolist() == [0, 3_000_00, 0, 5_000_00]
    assert judged.new.amounts[:, pool].tolist() == [0, 4_000_00, 0, 6_000_00]
    assert judged.sums.groups[0, 0] == 2


NOT_TOLD = {
    "a void of a claim that is not there": {"origin": "home_void", "pool_fen": -5_00},
    "a settlement without its decision": {"origin": "settlement"},
    "a void without its decision": {"origin": "void"},
    "less than nothing": {"pool_fen": -1},
}


@pytest.mark.parametrize("change", NOT_TOLD.values(), ids=NOT_TOLD)
def test_a_year_that_can_not_be_told_is_left_out(change: dict[str, Any]) -> None:
    """Its entries are counted, and in no sum."""
    joint = Joint(plan_of([HALF]), plan_of([flat("0.8")]), None)
    years = placed([history(HALF, [("opening", 5_00), ("stay", 1_000_00)])])
    entry = msgspec.structs.replace(years[0][0].entry, **change)
    years[0][0] = msgspec.structs.replace(years[0][0], entry=entry)

    found = told(joint, years)

    assert (found.left_out, found.events.kind.size) == (2, 0)


def test_a_void_of_another_amount_than_its_claim_can_not_be_told() -> None:
    """An event takes back exactly what the claim moved; a void that did not is left out."""
    joint = Joint(plan_of([HALF]), plan_of([flat("0.8")]), None)
    years = placed([history(HALF, [("home", 5_00), ("home_void", 0)])])
    entry = msgspec.structs.replace(years[0][1].entry, burden_fen=0)
    years[0][1] = msgspec.structs.replace(years[0][1], entry=entry)

    assert told(joint, years).left_out == 2


async def settle(cities: TwoCities) -> None:
    """Three persons, one with a void, one with a long bill."""
    await cities.settled(0)
    gone = await cities.settled(1)
    await cities.desk.void(cities.caller, gone.settlement_id)
    await cities.settled(2, days=2_000)
    await cities.quiet()


def test_a_nodes_own_history_gives_the_same_changes(tmp_path: Path) -> None:
    """Out of a node's store: every decision follows, and an edited book changes the same."""
    with running(tmp_path) as city:
        city.run(settle(city.cities))
        home = city.cities.beijing.home
        book = next(each for each in home.shelf if each.book_id == "beijing-employee-inpatient")
        document = msgspec.json.encode(book.document).replace(b'"0.85"', b'"0.5"')
        edited = parse(document.decode())
        changed: list[Change] = []

        def question(snapshot: Snapshot) -> tuple[Replayed, list[list[Event]]]:
            replay = Replay(edited, home.shelf.find, changed.append)
            years = list(replay_history.years(snapshot))
            for events in years:
                replay.year(events)
            return replay.found, years

        found, years = city.run(city.cities.beijing.read(question))
        old = list(home.shelf)
        joint = Joint(
            plan_of(old, home.region), plan_of(replaced(old, [edited]), home.region), home.region
        )

    exported = told(joint, years)
    judged = judge(joint, exported.events, None, causes=True)
    whole = answer(joint.layout, judged.sums, (old, [edited]), order="commit", causes=True)

    assert found.not_reproduced == []
    assert not_reproduced(exported, judged) == 0
    assert sums_of(changed).losing == whole.all.losing == 2
    same_changes(whole, sums_of(changed))
    assert [group.key for group in whole.groups["visited_area"]] == ["tianjin"]
