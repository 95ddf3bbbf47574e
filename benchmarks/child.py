"""One benchmark in a process of its own: `python -m benchmarks.child MODULE FILE`.

Its rows are written to the file, so that whatever it or its own children print is no part of them.
"""

import importlib
import sys
from pathlib import Path

from benchmarks import runs
from benchmarks.row import Row


def main() -> None:
    """Measure."""
    name, path = sys.argv[1:]
    rows = importlib.import_module(name).measure()
    assert all(isinstance(row, Row) for row in rows), f"{name}.measure() must return rows"
    runs.write(rows, Path(path))


if __name__ == "__main__":
    main()
