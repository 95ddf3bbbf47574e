"""A whole file of claims, booked lot by lot."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from tongcheng.kernel import sealing
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.services.settlement.batch.plan import plan_of
from tongcheng.services.settlement.batch.reading import open_claims
from tongcheng.services.settlement.batch.run import warm
from tongcheng.services.settlement.booking.commit import Booked, Committing
from tongcheng.services.settlement.booking.lots import cut
from tongcheng.services.settlement.booking.prepare import IDS, Passed, Preparing

T = TypeVar("T")
ROWS_AT_ONCE = 100_000
"""Rows that are read and prepared at a time; each holds its ids as text."""


class Store(Protocol):
    """Where claims are booked: a node's store, by its only writer."""

    def run(self, command: Callable[[Transaction], Booked]) -> Booked:
        """Run a command durably."""
        ...

    def read(self, question: Callable[[Snapshot], T]) -> T:
        """Answer a question from what is committed."""
        ...


class Summary(NamedTuple):
    """What became of the rows of a file: booked, booked before, and not booked, by code."""

    rows: int
    claims: int
    voids: int
    already: int
    commits: int
    passed: dict[str, int]


def book_file(
    path: Path,
    home: Home,
    store: Store,
    *,
    tell: Callable[[Passed], None] = lambda _passed: None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Summary:
    """Book every claim of a file that is not booked yet, by the books of the node's own shelf.

    `tell` hears of each row that is not booked, `progress` of rows done and in all. What was booked
    stays when the run is broken off; the same file goes on from there. Refuses CLAIMS_FILE,
    CLAIMS_COLUMNS and RULE_BOOK_DRAFT.
    """
    plan = plan_of(home.shelf, home.region)
    warm()  # before the first commit: nothing is compiled while the writer waits
    preparing, committing = Preparing(home, plan), Committing(home, plan)
    claims = voids = commits = done = 0
    passed: Counter[str] = Counter()
    # A person is found by the id number however it is spelt, so all such rows are that person's.
    with open_claims(path, spell=sealing.normalise_id_number) as file:
        for batch in file.batches(plan, ROWS_AT_ONCE, ids=IDS):
            prepared, refused = store.read(partial(preparing.prepare, batch=batch))
            committing.check_drafts(prepared)
            for begin, end in cut(prepared.events.person, prepared.is_apart):
                booked = store.run(committing.command(prepared, begin, end))
                claims, voids, commits = claims + booked.claims, voids + booked.voids, commits + 1
                refused += booked.passed
                progress(done + end, file.rows)
            for each in refused:
                passed[each.code] += 1
                tell(each)
            done += len(batch.row)
        return Summary(file.rows, claims, voids, preparing.already, commits, dict(passed))
