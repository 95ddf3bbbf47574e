"""What is compiled is never older than its sources."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compiled_sources import sources_forgotten
from tests.services.settlement.batch.batches import batch, shelves
from tests.services.settlement.laws import LAW
from tongcheng.services.settlement.batch import entry, run
from tongcheng.services.settlement.batch.arrays import VOID
from tongcheng.services.settlement.batch.plan import plan_of


@settings(LAW, max_examples=30)
@given(shelves(), st.integers(0, 2**32))
def test_there_is_room_for_every_year_that_is_moved(books: Any, seed: int) -> None:
    """Law: compiled code looks at no bound, so none of its persons may have more years."""
    plan = plan_of(books)
    events = batch(plan, books, 80, seed)

    results = run.run(plan, events)

    years: dict[int, set[tuple[str, int]]] = {}
    for row in range(80):
        if events.kind[row] != VOID and results.year[row]:
            area = plan.places[events.place[row]].area_id
            years.setdefault(int(events.person[row]), set()).add((area, int(results.year[row])))
    assert max(map(len, years.values()), default=0) <= entry.years_most(plan, events, 0, 80)


def test_every_source_of_the_kernel_is_in_its_fingerprint() -> None:
    """Whatever a part of the kernel imports of ours may be compiled into it as a constant."""
    parts = {"kernel", "kernel_checks", "kernel_pays", "kernel_years"}

    assert sources_forgotten(entry.FILES, parts) == []
