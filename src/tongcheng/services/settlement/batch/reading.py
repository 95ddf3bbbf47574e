"""Reads a file of claims as batches of events: persons whole, their events in order.

    with open_claims(path) as claims:
        plan = plan_of(books, region)
        for batch in claims.batches(plan):
            results = run(plan, batch.events)

No row is lost: what can not be read is in a batch too, with a fault and the column it is about.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.arrays import Events

ROWS_AT_ONCE: Final = 1_000_000
"""Rows of a batch. A batch is cut between persons, so one with a very long history is longer."""
AGE_UNKNOWN: Final = -1


class Places(Protocol):
    """What the reader asks a plan: the numbers of places and of pairs of divisions."""

    def place_of(self, admdvs: str, scheme: str) -> int:
        """Return the place of a division and scheme.

        Refuses REGION_UNKNOWN_AREA, AREA_WITHOUT_RULE_BOOK and RULE_BOOKS_RIVAL.
        """
        ...

    def pair_of(self, insured: str, visited: str | None) -> int:
        """Return the pair of an insuring and a visited division; None where that is not known."""
        ...


class Batch(NamedTuple):
    """Whole persons. All arrays have one length and the order in which the events are judged.

    `row` is the row's place in the input, from 0. `claim_id` is as it stands in the file.
    `column` is the place in CLAIM_COLUMNS of the column that a fault is about, -1 for none.
    `age` is in years, AGE_UNKNOWN where the file does not say.
    """

    events: Events
    row: NDArray[np.int64]
    claim_id: pa.Array
    column: NDArray[np.int8]
    age: NDArray[np.int16]


class Claims(Protocol):
    """An open file of claims."""

    rows: int
    adjacent: bool

    def batches(
        self,
        plan: Places,
        rows_at_once: int = ROWS_AT_ONCE,
        span: tuple[int, int] | None = None,
    ) -> Iterator[Batch]:
        """Yield the rows (those of `span`), each once; may be called again."""
        ...

    def spans(self, parts: int) -> list[tuple[int, int]]:
        """Cut the file between persons into about so many spans, for workers that open it too."""
        ...
