"""A count and its noun agree."""

import pytest

from tongcheng.cli.counted import counted


@pytest.mark.parametrize(("count", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows")])
def test_counted(count: int, said: str) -> None:
    """Only one is singular; none is not."""
    assert counted(count, "row", "rows") == said
