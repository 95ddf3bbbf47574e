"""The years of a node's persons as they were committed, some persons at a time."""

from collections.abc import Iterator
from itertools import groupby

import sqlalchemy as sa

from tongcheng.kernel import canonical
from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement.model import BenefitResult, StayFacts
from tongcheng.services.settlement.replay import Event, Past
from tongcheng.services.settlement.store import DECISIONS, ENTRIES, DecisionRow

PERSONS_AT_ONCE = 200
"""So many persons' entries and decisions are held in memory, however long the history is."""


def settlements(snapshot: Snapshot) -> int:
    """Return how many decisions there are to replay."""
    counted = snapshot.query(sa.select(sa.func.count()).select_from(DECISIONS.table))
    return int(counted[0][0])


def years(snapshot: Snapshot) -> Iterator[list[Event]]:
    """Every person's every year: its entries in order, each with the decision that made it."""
    last = ""
    while True:
        found, last = some_years(snapshot, last)
        yield from found
        if not last:
            return


def some_years(snapshot: Snapshot, after: str) -> tuple[Iterator[list[Event]], str]:
    """Return the years of the next persons after one, and the last of them; "" after the last."""
    keys = ENTRIES.table.c.person_key
    some = sa.select(keys).where(keys > after).distinct().order_by(keys).limit(PERSONS_AT_ONCE)
    persons = [row[0] for row in snapshot.query(some)]
    if not persons:
        return iter(()), ""
    return _years(snapshot, after, persons[-1]), persons[-1]


def _years(snapshot: Snapshot, after: str, upto: str) -> Iterator[list[Event]]:
    made_by = DECISIONS.table.c.person_key
    chosen = DECISIONS.table.select().where(made_by > after, made_by <= upto)
    decisions = {row.decision_no: _past(row) for row in snapshot.fetch(DECISIONS, chosen)}
    columns = ENTRIES.table.c
    of_persons = ENTRIES.table.select().where(
        columns.person_key > after, columns.person_key <= upto
    )
    order = [columns[name] for name in ENTRIES.key]
    entries = snapshot.fetch(ENTRIES, of_persons.order_by(*order))
    for _, group in groupby(entries, lambda one: (one.person_key, one.area_id, one.year)):
        yield [
            Event(each, None if each.origin == "opening" else decisions.get(each.decision_no))
            for each in group
        ]


def _past(row: DecisionRow) -> Past:
    return Past(
        row,
        canonical.decode_as(row.facts, StayFacts),
        canonical.decode_as(row.result, BenefitResult),
    )
