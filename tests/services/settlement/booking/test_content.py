"""The columns of a commit's leaf."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.services.settlement.booking.content import packed
from tongcheng.services.settlement.booking.model import Lot

INT64 = st.integers(-(2**63), 2**63 - 1)
EDGES = st.sampled_from(
    [
        edge + by
        for bits in (7, 8, 15, 16, 31, 32)
        for edge in (2**bits, -(2**bits))
        for by in (-1, 0)
    ]
)


@given(st.lists(EDGES | INT64 | st.integers(-3, 3)))
def test_column_is_read_as_it_was_packed(numbers: list[int]) -> None:
    """Whatever 64-bit integers a column has, they come back from the narrowest that hold them."""
    claim_ids = [str(number) for number in numbers]
    column = packed(np.array(numbers, np.int64))
    lot = Lot([], [], {}, {"claim_id": claim_ids}, {"some": column}, [])
    assert lot.column("some") == tuple(numbers)


def test_small_numbers_take_a_byte() -> None:
    """A column of words' places, or of nothing but -1, is a byte a row in the leaf."""
    assert packed(np.array([-1, 0, 127], np.int64)) == "ff007f"
