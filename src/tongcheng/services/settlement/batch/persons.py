"""Puts the rows of whole persons into the order of what happened, and finds what voids take back.

A person's events go by `sequence` where each of them has one, else by `ended_on`; where these are
equal, by the file (pure).
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tongcheng.services.settlement.batch.arrays import NONE, OPENING, VOID, Days, Events
from tongcheng.services.settlement.batch.codes import CODE_OF
from tongcheng.services.settlement.batch.decoding import Ids
from tongcheng.services.settlement.batch.events import Ordered

Ints = NDArray[np.int64]

STEPS_BACK: Final = 16
"""So many rows before a void its claim is looked for one by one; farther off by sorting."""
_TWICE: Final = CODE_OF["CLAIM_ID_TWICE"]


def runs_of(person: Ids) -> Ints:
    """Return a number for each row that changes where the person does; rows are adjacent.

    A row without a person is given the one before: it can not be judged, so it moves nothing.
    """
    rows = len(person.values)
    if person.are_numbers and not person.values.null_count:
        numbers: Ints = person.values.to_numpy()
        return numbers
    there = person.values.is_valid().to_numpy(zero_copy_only=False)
    kept = person.values.filter(pa.array(there)) if not there.all() else person.values
    run = np.zeros(rows, np.int64)
    run[there] = np.concatenate([[0], np.cumsum(changes(kept))])[: len(kept)]
    if not there.all():
        last = np.maximum.accumulate(np.where(there, np.arange(rows), -1))
        run = np.where(last < 0, 0, run[np.maximum(last, 0)])
    return run


def changes(values: pa.Array) -> NDArray[np.bool_]:
    """Return for each value but the first whether it differs from the one before; none is null."""
    if len(values) < 2:  # noqa: PLR2004 one value has none before it
        return np.zeros(0, np.bool_)
    differs = pc.not_equal(values.slice(1), values.slice(0, len(values) - 1))
    found: NDArray[np.bool_] = differs.to_numpy(zero_copy_only=False)
    return found


def groups_of(person: Ids) -> Ints:
    """Return a number for each row that is the person's; rows may lie anywhere."""
    if person.are_numbers:
        numbers: Ints = pc.fill_null(person.values, 0).to_numpy()
        return numbers
    places = person.values.dictionary_encode().indices
    codes: Ints = pc.fill_null(pc.cast(places, pa.int64()), 0).to_numpy()
    return codes


def order_of(ordered: Ordered, group: Ints, *, adjacent: bool) -> Ints | None:
    """Return the rows in the order of persons and of their events; None where they are so.

    `adjacent` says that the rows of each group lie together already.
    """
    together = None if adjacent else np.argsort(group, kind="stable")
    key = _key(ordered, group, together)
    sorted_group = group if together is None else group[together]
    changed = sorted_group[1:] != sorted_group[:-1]
    if not (~changed & (key[1:] < key[:-1])).any():
        return together
    run = np.zeros(len(group), np.int64)
    np.cumsum(changed, out=run[1:])
    order = np.lexsort((key, run))
    return order if together is None else together[order]


def _key(ordered: Ordered, group: Ints, together: Ints | None) -> Ints | Days:
    """Return what the events of a person go by, in the order of `together`."""
    ended = ordered.events.ended_on
    key: Ints | Days = ended
    if ordered.sequence is not None:
        key, gone = ordered.sequence
        if gone is not None:
            # Not by the faults: then books would decide the order, and two sets of books two.
            without = gone & ~ordered.unreadable
            key = np.where(np.isin(group, np.unique(group[without])), ended, key)
    return key if together is None else key[together]


def arranged(events: Events, order: Ints | None) -> Events:
    """Return the events in another order; the table of openings stays as it is."""
    if order is None:
        return events
    moved: dict[str, Any] = {
        name: value[order]
        for name, value in events._asdict().items()
        if name not in {"opening_fen", "reverses", "person"}
    }
    return events._replace(**moved)


def reversed_rows(events: Events, claim: Ids, reverses: Ids | None) -> Ints:
    """Return for each void the row of its claim, an earlier one of the person; else NONE.

    No void of a file takes back an opening: what it says was used is another's to correct.
    `events.person` is filled, and ids are in the order of the events.
    """
    found = np.full(len(events.kind), NONE, np.int64)
    voids = np.flatnonzero((events.kind == VOID) & (events.fault == 0))
    if not len(voids) or reverses is None:
        return found
    claims, wanted = _alike(claim.values, reverses.values.take(pa.array(voids)))
    open_ones = np.arange(len(voids))
    for step in range(1, STEPS_BACK + 1):
        before = voids[open_ones] - step
        within = before >= 0
        within[within] = events.person[before[within]] == events.person[voids[open_ones][within]]
        open_ones, before = open_ones[within], before[within]
        if not len(open_ones):
            return found
        equal = pc.equal(claims.take(pa.array(before)), wanted.take(pa.array(open_ones)))
        here = pc.fill_null(equal, fill_value=False).to_numpy(zero_copy_only=False)
        here &= (events.fault[before] != _TWICE) & (events.kind[before] != OPENING)
        found[voids[open_ones[here]]] = before[here]
        open_ones = open_ones[~here]
    found[voids[open_ones]] = _far_back(events, claims, wanted, voids, open_ones)
    return found


def _far_back(
    events: Events, claims: pa.Array, wanted: pa.Array, voids: Ints, open_ones: Ints
) -> Ints:
    """Return the same of voids whose claim is not near, by sorting their persons' claims."""
    persons = np.unique(events.person[voids[open_ones]])
    found = np.isin(events.person, persons) & (events.fault != _TWICE)
    rows = np.flatnonzero(found & (events.kind != OPENING))
    both = pa.concat_arrays([claims.take(pa.array(rows)), wanted.take(pa.array(open_ones))])
    encoded = both.dictionary_encode()
    code = pc.fill_null(pc.cast(encoded.indices, pa.int64()), NONE).to_numpy()
    size = len(encoded.dictionary) + 1
    of_row = np.searchsorted(persons, events.person[rows]) * size + code[: len(rows)] + 1
    of_void = (
        np.searchsorted(persons, events.person[voids[open_ones]]) * size + code[len(rows) :] + 1
    )
    order = np.argsort(of_row, kind="stable")
    place = np.searchsorted(of_row[order], of_void)
    at = rows[order[np.minimum(place, len(rows) - 1)]]
    hit = (place < len(rows)) & (of_row[order[np.minimum(place, len(rows) - 1)]] == of_void)
    hit &= (at < voids[open_ones]) & (code[len(rows) :] != NONE)
    earlier: Ints = np.where(hit, at, NONE)
    return earlier


def _alike(claims: pa.Array, wanted: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return ids that can be compared: both numbers, or both text."""
    if claims.type == wanted.type:
        return claims, wanted
    return pc.cast(claims, pa.string()), pc.cast(wanted, pa.string())
