"""Writes a table to Parquet or CSV, by its suffix: whole under its name, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.whole_file import open_whole

PARQUET: Final = ".parquet"
CSV: Final = ".csv"
TEXT_COMPRESSION: Final = "lz4"
NUMBER_ENCODING: Final = "DELTA_BINARY_PACKED"
"""Differences in as few bits as they need: half the size of compressed numbers, half the time."""


class Output(Protocol):
    """A file being written."""

    def write(self, table: pa.Table) -> None:
        """Add rows; in Parquet each call is a row group."""
        ...


@contextmanager
def open_output(path: Path, schema: pa.Schema, notes: dict[str, str]) -> Iterator[Output]:
    """Open a file that takes its name when the block ends without a fault; else nothing is left.

    `notes` stand in a Parquet file's metadata; CSV has no place for them. Refuses CLAIMS_OUT for
    another suffix, or where the file can not be written.
    """
    suffix = path.suffix.lower()
    if suffix not in {PARQUET, CSV}:
        raise Refused("CLAIMS_OUT", file=str(path), fault=f"neither {PARQUET} nor {CSV}")
    try:
        with open_whole(path) as file:
            opened = _Parquet if suffix == PARQUET else _Csv
            output = opened(file, schema.with_metadata(notes))
            try:
                yield output
            except BaseException:
                # Arrow closes it otherwise; that it can not be closed is not what went wrong.
                with suppress(pa.ArrowException, OSError):
                    output.close()
                raise
            output.close()
    except OSError as fault:
        raise Refused("CLAIMS_OUT", file=str(path), fault=fault.strerror or "?") from None


class _Parquet:
    """A Parquet file: words by their dictionary, whole numbers and days as differences."""

    def __init__(self, file: object, schema: pa.Schema) -> None:
        few = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        numbers = [field.name for field in schema if _is_whole(field.type)]
        self._writer = pq.ParquetWriter(
            file,
            schema,
            compression={
                field.name: TEXT_COMPRESSION if _is_text(field.type) else "none" for field in schema
            },
            use_dictionary=few,
            column_encoding=dict.fromkeys(numbers, NUMBER_ENCODING),
            write_statistics=False,
            store_schema=True,
        )

    def write(self, table: pa.Table) -> None:
        """Add a row group."""
        self._writer.write_table(
            table.replace_schema_metadata(self._writer.schema.metadata),
            row_group_size=max(1, table.num_rows),
        )

    def close(self) -> None:
        """Write the end of the file."""
        self._writer.close()


class _Csv:
    """CSV in UTF-8 with a line of names; nothing is quoted that need not be."""

    def __init__(self, file: object, schema: pa.Schema) -> None:
        plain = [pa.field(field.name, _plain(field.type)) for field in schema]
        self._schema = pa.schema(plain)
        self._writer = pyarrow.csv.CSVWriter(
            file, self._schema, write_options=pyarrow.csv.WriteOptions(quoting_style="needed")
        )

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        self._writer.write_table(table.cast(self._schema))

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


def _is_whole(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_date32(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind))


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
