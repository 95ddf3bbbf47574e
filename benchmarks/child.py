"""One benchmark in a process of its own: `python -m benchmarks.child MODULE FILE`.

Its rows are written to the file, so that whatever it or its own children print is no part of them.
"""

import importlib
import sys
from pathlib import Path

import msgspec

from benchmarks.row import Row


def write(rows: list[Row], path: Path) -> None:
    """Write the rows."""
    path.write_bytes(msgspec.json.encode([row._asdict() for row in rows]))


def read(path: Path) -> list[Row]:
    """Read rows that `write` wrote; a figure that was not measured comes back as one."""
    rows = msgspec.json.decode(path.read_bytes())
    return [
        Row(**{**row, "figure": float("nan") if row["figure"] is None else row["figure"]})
        for row in rows
    ]


def main() -> None:
    """Measure."""
    name, path = sys.argv[1:]
    rows = importlib.import_module(name).measure()
    assert all(isinstance(row, Row) for row in rows), f"{name}.measure() must return rows"
    write(rows, Path(path))


if __name__ == "__main__":
    main()
