"""Writes results of claims as Parquet or CSV: whole or not at all, in the order of the input."""

from typing import Protocol

from tongcheng.services.settlement.batch.arrays import Results
from tongcheng.services.settlement.batch.reading import Batch


class Writer(Protocol):
    """A file of results being written; it takes its name when everything is in it."""

    def write(self, batch: Batch, results: Results) -> None:
        """Add a batch that `Claims.batches` yielded, with what became of it."""
        ...
