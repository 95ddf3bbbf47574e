"""Which code and which books a run is of: results of two different ones are never added up."""

import hashlib
import sqlite3
import sys
from pathlib import Path

import tongcheng

SUFFIXES = frozenset({".py", ".yaml", ".toml", ".json", ".csv", ".sql"})
"""Code, rule books, region packs, catalogues, texts. Pages, styles and pictures decide nothing."""


def digest() -> str:
    """Return the digest of the package's code and books, and of what runs them."""
    root = Path(tongcheng.__file__).parent
    whole = hashlib.sha256(f"{sys.version}\n{sqlite3.sqlite_version}\n".encode())
    for path in sorted(root.rglob("*")):
        if path.suffix in SUFFIXES:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            whole.update(f"{path.relative_to(root)} {content}\n".encode())
    return whole.hexdigest()
