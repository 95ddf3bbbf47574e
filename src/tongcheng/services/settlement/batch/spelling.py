"""One spelling of each person while a file is read: who is written in two ways is one person."""

from collections.abc import Callable, Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from tongcheng.services.settlement.batch.source import Source, Span

Spell = Callable[[str], str]
"""Gives the one spelling of an id; of ASCII digits and capitals it is what they are."""
_SPELT: Final = "^[0-9A-Z]*$"


class SpeltSource:
    """An open file, its person_id spelt in one way where it is text."""

    def __init__(self, source: Source, spell: Spell) -> None:
        self._source, self._spell = source, spell
        self.path, self.columns = source.path, source.columns
        self.id_type, self.starts = source.id_type, source.starts
        self.has_spans = source.has_spans

    def batches(
        self, columns: tuple[str, ...] | None = None, span: Span | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the file; refuses as it does."""
        for batch in self._source.batches(columns, span):
            yield self._spelt(batch)

    def _spelt(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        at = batch.schema.get_field_index("person_id")
        if at < 0 or not pa.types.is_string(batch.schema.field(at).type):
            return batch
        column = batch.column(at)
        if pc.all(pc.match_substring_regex(column, _SPELT)).as_py() is not False:
            return batch
        spelt = [None if each is None else self._spell(each) for each in column.to_pylist()]
        return batch.set_column(at, "person_id", pa.array(spelt, pa.string()))
