"""Judges one batch under both rules, the year's accumulators carried anew in each."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.arrays import (
    NONE,
    OPENING,
    SETTLE,
    Events,
    Results,
    blank_results,
)
from tongcheng.services.settlement.batch.codes import CODES
from tongcheng.services.settlement.batch.plan import Plan
from tongcheng.services.settlement.batch.run import plain, run
from tongcheng.services.settlement.batch.trace_columns import BEFORE
from tongcheng.services.settlement.bill import Accumulators
from tongcheng.services.settlement.what_if.joint import Joint
from tongcheng.services.settlement.what_if.measures import COMPARED_AT
from tongcheng.services.settlement.what_if.sums import Paired, Sums, sums_of

USED = len(Accumulators.__struct_fields__)


class Judged(NamedTuple):
    """A batch under both rules, row by row, and its sums.

    `new` says nothing of rows that are not `paired.concerned`: what became of them stands in `old`.
    """

    old: Results
    new: Results
    paired: Paired
    sums: Sums


def judge(
    joint: Joint,
    events: Events,
    age: NDArray[np.int16] | None,
    *,
    causes: bool = False,
    into: tuple[Results, Results] | None = None,
) -> Judged:
    """Judge events that `joint` has numbered.

    With `causes` each change is told to be direct or a consequence, which takes another pass over
    what changed; without, none is direct. `into` are results that nobody needs any more, of at
    least so many rows, to be overwritten (the old ones with room for a trace where causes are
    told).
    """
    plans, events = joint.plans, plain(events)
    old_events, new_events = joint.events_of(events, 0), joint.events_of(events, 1)
    into_old, into_new = into or (None, None)
    old = run(plans[0], old_events, trace=causes, into=into_old)
    concerned = joint.concerned(events)
    into_new = blank_results(concerned.size, trace=False) if into_new is None else into_new
    new = run(plans[1], new_events, into=into_new, only=concerned)
    new_code = np.where(concerned, new.code, old.code)
    standing = (events.kind == SETTLE) & (old.code == 0) & (new_code == 0)
    standing &= ~old.voided
    direct = np.zeros(standing.size, np.bool_)
    if causes:
        rows = np.flatnonzero(standing & concerned & _differ(old, new))
        direct[rows] = _directly(plans[1], new_events, old, rows)
    paired = Paired(
        person=events.person,
        kind=events.kind,
        standing=standing,
        direct=direct,
        concerned=concerned,
        codes=joint.groups_of(events, age),
        old=old.amounts,
        new=new.amounts,
        old_code=old.code,
        new_code=new_code,
    )
    return Judged(old, new, paired, sums_of(joint.layout, paired, len(CODES)))


def _differ(old: Results, new: Results) -> NDArray[np.bool_]:
    columns = list(COMPARED_AT)
    differs: NDArray[np.bool_] = (old.amounts[:, columns] != new.amounts[:, columns]).any(axis=1)
    return differs


def _directly(
    plan: Plan, events: Events, old: Results, rows: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell of changed rows whether each would change though the year before it had not.

    Each is judged as a person of its own, who had used what the year stood at under the old rules.
    """
    count = rows.size
    twice = np.repeat(rows, 2)
    first = np.arange(0, 2 * count, 2)
    kind = np.full(2 * count, SETTLE, events.kind.dtype)
    kind[first] = OPENING
    ended = events.ended_on[twice]
    ended[first] = _new_year(old.year[rows])
    opening = np.full(2 * count, NONE, np.int64)
    opening[first] = np.arange(count)
    picked = {
        name: getattr(events, name)[twice] for name in events._fields if name != "opening_fen"
    }
    alone = Events(
        **{
            **picked,
            "person": np.repeat(np.arange(count, dtype=np.int64), 2),
            "kind": kind,
            "reverses": np.full(2 * count, NONE, np.int64),
            "ended_on": ended,
            "opening": opening,
            "opening_fen": old.trace[rows, BEFORE : BEFORE + USED],
        }
    )
    again = run(plan, alone)
    columns = list(COMPARED_AT)
    amounts = again.amounts[first + 1][:, columns]
    differs: NDArray[np.bool_] = (amounts != old.amounts[rows][:, columns]).any(axis=1)
    refused: NDArray[np.bool_] = again.code[first + 1] != 0
    return differs | refused


def _new_year(years: NDArray[np.int16]) -> NDArray[np.int32]:
    """Return 1 January of each year, in days since 1970."""
    known = np.unique(years)
    of_year = np.array([np.datetime64(f"{year:04d}-01-01", "D").astype(int) for year in known])
    found: NDArray[np.int32] = of_year[np.searchsorted(known, years)].astype(np.int32)
    return found
