"""How a worker hands on the rows that come of its part: in a file that the writer takes over.

The file lies in the run's own directory, which only its owner may read, so what a worker has done
takes disk and no memory, on neither side. It gets its name when all rows are in it: a part that is
done twice leaves one file, a worker that dies none.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa


@contextmanager
def handing_on(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
    """Give a way to write rows into a file that has its name when the block ends."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "wb") as file, pa.ipc.new_file(file, schema) as writer:
        yield writer.write_table
    Path(name).replace(path)


def taken_over(path: Path) -> Iterator[pa.Table]:
    """Yield the rows of a file as they were written, and delete it."""
    with pa.memory_map(str(path)) as source:
        opened = pa.ipc.open_file(source)
        for at in range(opened.num_record_batches):
            yield pa.Table.from_batches([opened.get_batch(at)])
    path.unlink()
