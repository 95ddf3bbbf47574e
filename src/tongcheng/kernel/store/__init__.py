"""Where a node keeps its state: one SQLite file, one writer, every row under a MAC."""

from tongcheng.kernel.store.database import Database, Snapshot
from tongcheng.kernel.store.records import Records, StoredValueDamaged
from tongcheng.kernel.store.storage import Storage
from tongcheng.kernel.store.transaction import Reading, Signal, Transaction
from tongcheng.kernel.store.writer import Command, Writer, WriterStopped

__all__ = [
    "Command",
    "Database",
    "Reading",
    "Records",
    "Signal",
    "Snapshot",
    "Storage",
    "StoredValueDamaged",
    "Transaction",
    "Writer",
    "WriterStopped",
]
