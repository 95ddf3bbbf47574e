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
    keys = ENTRIES.table.c.person_key
    last = ""
    while True:
        some = sa.select(keys).where(keys > last).distinct().order_by(keys).limit(PERSONS_AT_ONCE)
        persons = [row[0] for row in snapshot.query(some)]
        if not persons:
            return
        yield from _years(snapshot, last, persons[-1])
        last = persons[-1]


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
