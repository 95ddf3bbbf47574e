"""Ways between things, kept in rows: the shortest of each pair, and the same from either end."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.services.mobility.links import Links, links_of, turned

ROWS, COLUMNS = 5, 4
WAYS = st.lists(
    st.tuples(st.integers(0, ROWS - 1), st.integers(0, COLUMNS - 1), st.integers(0, 900)),
    max_size=30,
)


def _as_dict(links: Links) -> dict[tuple[int, int], int]:
    return {
        (row, int(links.to[at])): int(links.seconds[at])
        for row in range(links.rows)
        for at in range(links.start[row], links.start[row + 1])
    }


@given(WAYS)
def test_the_shortest_way_of_a_pair_is_kept(ways: list[tuple[int, int, int]]) -> None:
    """Whatever the order in which ways come, a pair has one, and it is the shortest."""
    shortest: dict[tuple[int, int], int] = {}
    for origin, to, seconds in ways:
        shortest[origin, to] = min(seconds, shortest.get((origin, to), seconds))

    links = links_of(ROWS, [w[0] for w in ways], [w[1] for w in ways], [w[2] for w in ways])

    assert _as_dict(links) == shortest
    assert len(links.to) == len(shortest)


@given(WAYS)
def test_turned_twice_is_the_same(ways: list[tuple[int, int, int]]) -> None:
    """Seen from the other end and back, nothing is lost; rows ascend in what they lead to."""
    links = links_of(ROWS, [w[0] for w in ways], [w[1] for w in ways], [w[2] for w in ways])

    back = turned(turned(links, COLUMNS), ROWS)

    assert back.start.tolist() == links.start.tolist()
    assert back.to.tolist() == links.to.tolist()
    assert back.seconds.tolist() == links.seconds.tolist()
    for row in range(links.rows):
        assert np.all(np.diff(links.to[links.start[row] : links.start[row + 1]]) > 0)
