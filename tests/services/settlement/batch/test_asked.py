"""A question about two columns is asked once for each pair, and each row has its own answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.services.settlement.batch import asked
from tongcheng.services.settlement.batch.asked import Asked
from tongcheng.services.settlement.batch.decoding import Distinct

WORDS = st.sampled_from(["110000", "120000", "130100", "rubbish", None])
ROWS = st.lists(st.tuples(WORDS, WORDS), max_size=12)


def _column(values: list[str | None]) -> Distinct:
    """Return a column as the decoder does: different values in the order of their rows, None."""
    different = [each for each in dict.fromkeys(values) if each is not None]
    places = [len(different) if each is None else different.index(each) for each in values]
    return Distinct(np.array(places, np.int32), [*different, None])


def _code(first: str | None, second: str | None) -> int:
    return hash((first, second)) % 1_000 - 500


@pytest.mark.parametrize("cells", [asked.CELLS_MOST, 20, 8, 1])
@given(batches=st.lists(ROWS, max_size=4))
def test_each_row_has_its_answer(cells: int, batches: list[list[tuple[str | None, ...]]]) -> None:
    """Whatever was asked in batches before, and however few values are remembered."""
    often: list[tuple[str | None, str | None]] = []

    def ask(first: str | None, second: str | None) -> int:
        often.append((first, second))
        return _code(first, second)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asked, "CELLS_MOST", cells)
        answers = Asked(ask)
        for rows in batches:
            first, second = [row[0] for row in rows], [row[1] for row in rows]
            found = answers.of_rows(_column(first), _column(second)).tolist()

            assert found == [_code(*pair) for pair in zip(first, second, strict=True)]
    if cells == asked.CELLS_MOST:
        assert len(often) == len(set(often))
    assert set(often) <= {(row[0], row[1]) for rows in batches for row in rows}
