"""Sums and samples of a file: the same however it is cut."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.services.settlement.batch.claim_files import plan, synthetic
from tongcheng.services.settlement.batch.reading import open_claims
from tongcheng.services.settlement.batch.run import run
from tongcheng.services.settlement.batch.tally import LISTED_MOST, Checked, Sample, Tally

CLAIMS = 1_000


@pytest.mark.parametrize("rows_at_once", [90, CLAIMS])
def test_parts_put_together_are_the_whole(tmp_path: Path, rows_at_once: int) -> None:
    """Counts and differences of batches, merged in any order; the first of the file are listed."""
    file = tmp_path / "claims.parquet"
    pq.write_table(synthetic(CLAIMS, flaws=50_000), file)
    tally, merged = Tally(), Tally()
    sample, checked = Sample(plan(), CLAIMS, CLAIMS), Checked()
    parts = []
    with open_claims(file) as claims:
        for batch in claims.batches(plan(), rows_at_once):
            results = run(plan(), batch.events)
            results.amounts[batch.row % 7 == 0, 2] += 1
            results.book[batch.row % 14 == 0] += 1
            own, mine = Tally(), Sample(plan(), CLAIMS, CLAIMS)
            tally.add(batch, results)
            own.add(batch, results)
            sample.check(batch, results)
            mine.check(batch, results)
            parts.append((own, mine.found))
    for own, found in reversed(parts):
        merged.merge(own)
        checked.merge(found)

    assert merged == tally
    assert checked == sample.found
    assert tally.codes
    assert checked.differing == len(range(0, CLAIMS, 7))
    assert len(checked.listed) == LISTED_MOST
    columns = [(each.row, each.column) for each in checked.listed]
    first = [(0, "book"), (0, "amounts[2]"), (7, "amounts[2]"), (14, "book")]
    assert columns[:4] == first
