"""Ways of known length from each of some things to some of others, in compressed rows.

The ways of thing `i` are `to[start[i]:start[i + 1]]`, and take `seconds[start[i]:start[i + 1]]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tongcheng.services.mobility.numbers import Int32, Int64


class Links(NamedTuple):
    """Ways from `len(start) - 1` things; each row ascends in `to`, which stands once in a row.

    `seconds` are whole and not negative: a way's length is rounded once, where it becomes a link.
    """

    start: Int64
    to: Int32
    seconds: Int32

    @property
    def rows(self) -> int:
        """How many things ways begin at."""
        return len(self.start) - 1


def links_of(
    rows: int,
    origin: Sequence[int] | NDArray[np.integer],
    to: Sequence[int] | NDArray[np.integer],
    seconds: Sequence[int] | NDArray[np.integer],
) -> Links:
    """Return links from `rows` things: of several ways between the same two the shortest."""
    origins, targets, lengths = (np.asarray(each, np.int64) for each in (origin, to, seconds))
    assert len(origins) == len(targets) == len(lengths), "one origin, target and length a way"
    assert not len(origins) or (origins.min() >= 0 and origins.max() < rows), "an origin is a row"
    assert not len(lengths) or lengths.min() >= 0, "no way takes less than no time"
    order = np.lexsort((lengths, targets, origins))
    origins, targets, lengths = origins[order], targets[order], lengths[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(origins) != 0) | (np.diff(targets) != 0)
    start = np.zeros(rows + 1, np.int64)
    np.cumsum(np.bincount(origins[first], minlength=rows), out=start[1:])
    return Links(start, targets[first].astype(np.int32), lengths[first].astype(np.int32))


def turned(links: Links, columns: int) -> Links:
    """Return the same ways seen from their other end, of which there are `columns`."""
    origins = np.repeat(np.arange(links.rows), np.diff(links.start))
    return links_of(columns, links.to, origins, links.seconds)
