"""Whom the new rules do not concern is judged once, and that is as good as twice."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.settlement.batch.batches import batch, shelves
from tests.services.settlement.laws import LAW
from tongcheng.services.settlement.batch.arrays import NONE, SETTLE, Events
from tongcheng.services.settlement.batch.codes import CODES
from tongcheng.services.settlement.batch.plan import plan_of
from tongcheng.services.settlement.batch.run import run
from tongcheng.services.settlement.what_if.joint import Joint
from tongcheng.services.settlement.what_if.judging import judge
from tongcheng.services.settlement.what_if.sums import sums_of

ROWS = 150
VISITED = (None, "110105", "120000", "310000")


def numbered(joint: Joint, events: Events, seed: int) -> Events:
    """Return events with the places and pairs that a joint numbering gives them."""
    known = {(place.area_id, place.scheme) for plan in joint.plans for place in plan.places}
    places = [joint.place_of(*each) for each in sorted(known)]
    pairs = [joint.pair_of(area, visited) for area, _ in sorted(known) for visited in VISITED]
    chance = np.random.default_rng(seed)
    # A person is insured in one place or two, so that many are not concerned.
    of_person = (np.unique(events.person, return_inverse=True)[1] + chance.integers(9)) % len(
        places
    )
    moved = np.where(chance.random(ROWS) < 0.1, chance.integers(len(places), size=ROWS), of_person)
    place = np.where(chance.random(ROWS) < 0.03, NONE, np.array(places)[moved])
    return events._replace(
        place=place.astype(np.int16), pair=chance.choice(pairs, ROWS).astype(np.int32)
    )


@settings(LAW, max_examples=40)
@given(shelves(), shelves(), st.integers(0, 15), st.integers(0, 2**32))
def test_judged_once_is_as_good_as_twice(books: Any, others: Any, changed: int, seed: int) -> None:
    """Law: any books of which some are changed, and perhaps the cross-region book."""
    ids = ["a", "b", "c", "elsewhere"]
    replaced = {name for at, name in enumerate(ids) if changed >> at & 1}
    new = [book for book in books if book.book_id not in replaced]
    new += [book for book in others if book.book_id in replaced]
    joint = Joint(plan_of(books), plan_of(new), None)
    events = numbered(joint, batch(joint.plans[0], books, ROWS, seed), seed)

    judged = judge(joint, events, None)

    old, again = (run(plan, joint.events_of(events, at)) for at, plan in enumerate(joint.plans))
    concerned = judged.paired.concerned
    assert np.array_equal(judged.old.amounts, old.amounts)
    for name in ("code", "year", "voided", "amounts"):
        ours = np.where(
            concerned.reshape(-1, *[1] * (getattr(old, name).ndim - 1)),
            getattr(judged.new, name),
            getattr(judged.old, name),
        )
        assert np.array_equal(ours, getattr(again, name)), name
    twice = judged.paired._replace(
        concerned=np.ones(ROWS, np.bool_), new=again.amounts, new_code=again.code
    )
    for one, other in zip(judged.sums, sums_of(joint.layout, twice, len(CODES)), strict=True):
        assert np.array_equal(one, other)
    if not replaced:
        assert not concerned.any()
    assert (
        judged.paired.standing
        == ((events.kind == SETTLE) & (old.code == 0) & (again.code == 0) & ~old.voided)
    ).all()
