"""A forger at work on a copy of a node's store, and whether verification names what he did.

The original is opened for reading only. Its copy lies in a directory of the caller's alone and is
removed, whatever happens. One value of one row is changed in it as somebody with access to the
file would, by plain SQL; a forger who also has the node's own keys makes the row's code (MAC) fit
again, so that only what the row can be rebuilt from still contradicts it.
"""

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args

import msgspec

from tongcheng.kernel.audit import AUDIT
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.journal import JOURNAL_LEAVES
from tongcheng.kernel.journal.checks.view import Progress
from tongcheng.kernel.journal.verify import Report, silent, verify
from tongcheng.kernel.ledger import TRANSFERS
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Database, Records
from tongcheng.kernel.store.records import Value, show_key
from tongcheng.node.core import DATABASE_NAME, open_database
from tongcheng.node.services import SERVICES
from tongcheng.services.settlement.store import CLAIMS, DECISIONS

Target = Literal["settlement", "transfer", "audit", "journal"]
TARGETS: Final[tuple[Target, ...]] = get_args(Target)

MORE_FEN: Final = 100_000
"""What a forger adds to an amount: a thousand yuan, which somebody could want."""

PAGES_AT_ONCE: Final = 4_096


class Aim(NamedTuple):
    """Which row is forged, and in which column: the newest of those that `where` leaves."""

    records: Records[Any]
    column: str
    newest: str
    where: str = "1"


AIMS: Final[dict[Target, tuple[Aim, ...]]] = {
    "settlement": (
        Aim(CLAIMS, "fund_fen", "changed_at", "state = 'settled' AND fund_fen > 0"),
        Aim(DECISIONS, "fund_fen", "decision_no", "state = 'settled' AND fund_fen > 0"),
    ),
    "transfer": (Aim(TRANSFERS, "amount_fen", "at", "kind <> 'hold'"),),
    "audit": (Aim(AUDIT, "actor", "number"),),
    "journal": (Aim(JOURNAL_LEAVES, "digest", "leaf_index"),),
}
"""What is forged for each choice: the first aim that has a row in this node's store."""


class Forged(msgspec.Struct, frozen=True):
    """One value that was changed in the copy; `before` and `after` as people read them."""

    table: str
    key: str
    column: str
    before: str
    after: str


class Outcome(msgspec.Struct, frozen=True):
    """What a forger did to a copy, and what verification said of it.

    `found` is what names the forged row, `besides` what else contradicts as a consequence, and
    `skipped` the checks that rest on the damaged table. `untouched` tells that the original still
    has what it had, with its code. `rows` were verified, in `seconds` with the copying.
    """

    member_id: str
    target: Target
    with_keys: bool
    forged: Forged
    found: tuple[Finding, ...]
    besides: tuple[Finding, ...]
    skipped: tuple[str, ...]
    untouched: bool
    rows: int
    seconds: float
    copy: str | None = None

    @property
    def named(self) -> bool:
        """Tell whether verification named this table and key, and without the keys no other."""
        return bool(self.found) and (self.with_keys or not self.besides)


def forge(
    directory: Path,
    home: Home,
    target: Target,
    *,
    with_keys: bool = False,
    keep_in: Path | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Forge one value in a copy of a node's store and verify the copy; the node may be running.

    `keep_in` is an existing folder for the copy, which then is kept.

    Raises:
        Refused: FORGERY_NOTHING when the store has no such record yet, FORGERY_FAILED when the
            copy cannot be made.
    """
    begun = time.monotonic()
    original = open_database(directory, home.ring.mac_key)
    try:
        with _folder_for(keep_in) as folder:
            path = folder / DATABASE_NAME
            _copy(original, path, progress)
            aim, stored = _choose(path, target)
            forged = _change(path, aim, stored, home.ring.mac_key if with_keys else None)
            report = _verified(path, home, progress)
            untouched = _is_untouched(original, aim, stored)
    finally:
        original.close()
    place = (forged.table, forged.key)
    return Outcome(
        member_id=home.member_id,
        target=target,
        with_keys=with_keys,
        forged=forged,
        found=tuple(one for one in report.findings if (one.table, one.key) == place),
        besides=tuple(one for one in report.findings if (one.table, one.key) != place),
        skipped=tuple(dict.fromkeys(report.skipped)),
        untouched=untouched,
        rows=report.rows,
        seconds=round(time.monotonic() - begun, 2),
        copy=None if keep_in is None else str(path),
    )


@contextmanager
def _folder_for(keep_in: Path | None) -> Iterator[Path]:
    if keep_in is not None:
        yield keep_in
        return
    try:
        # Made for its owner alone (0700), and gone with everything in it however this ends.
        made = tempfile.TemporaryDirectory(prefix="tongcheng-forgery-")
    except OSError as fault:
        raise Refused("FORGERY_FAILED", fault=str(fault)) from None
    with made as folder:
        yield Path(folder)


def _copy(original: Database, path: Path, progress: Progress) -> None:
    """Copy the committed state at one instant, while the node may go on writing."""

    def told(_status: int, remaining: int, total: int) -> None:
        progress("copy", total - remaining, total)

    with original.snapshot() as snapshot:
        try:
            with _writing(path) as copy:
                path.chmod(0o600)
                snapshot.raw.backup(copy, pages=PAGES_AT_ONCE, progress=told)
                copy.execute("PRAGMA journal_mode = DELETE")
        except (OSError, sqlite3.Error) as fault:
            raise Refused("FORGERY_FAILED", fault=str(fault)) from None


@contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def _choose(path: Path, target: Target) -> tuple[Aim, tuple[Any, ...]]:
    """Return what is forged: the aim, and the newest row that fits it, as it is stored."""
    with _writing(path) as copy:
        for aim in AIMS[target]:
            # Every name comes from the table of aims, never from input.
            order = f"{aim.newest} DESC, {', '.join(aim.records.key)} DESC"
            sql = f"{aim.records.sql_select} WHERE {aim.where} ORDER BY {order} LIMIT 1"
            stored = copy.execute(sql).fetchone()
            if stored is not None:
                return aim, stored
    raise Refused("FORGERY_NOTHING", target=target)


def _change(path: Path, aim: Aim, stored: tuple[Any, ...], mac_key: bytes | None) -> Forged:
    """Change the value in the copy; with the key, give the row a code that fits it again."""
    at = aim.records.fields.index(aim.column)
    before: Value = stored[at]
    after = _other(before)
    key = aim.records.key_in(stored)
    with _writing(path) as copy:
        where = " AND ".join(f"{field} = ?" for field in aim.records.key)
        sql = f"UPDATE {aim.records.name} SET {aim.column} = ? WHERE {where}"  # noqa: S608 as above
        copy.execute(sql, (after, *key))
        if mac_key is not None:
            row = aim.records.row_type(*(*stored[:at], after, *stored[at + 1 : -1]))
            copy.execute(aim.records.sql_put, aim.records.encode(row, mac_key))
    return Forged(aim.records.name, show_key(key), aim.column, _shown(before), _shown(after))


def _other(value: Value) -> Value:
    """Return what a forger would rather have there."""
    if isinstance(value, int):
        return value + MORE_FEN
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1, *value[1:]])
    return "-"


def _shown(value: Value) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _verified(path: Path, home: Home, progress: Progress) -> Report:
    """Verify the copy as `tongcheng journal verify` verifies a node's store."""
    copy = Database(path, home.ring.mac_key)
    try:
        return verify(copy, home, SERVICES, progress=progress)
    finally:
        copy.close()


def _is_untouched(original: Database, aim: Aim, stored: tuple[Any, ...]) -> bool:
    """Tell whether the original has the row as it was, or as the node itself has changed it."""
    with original.snapshot() as snapshot:
        now = snapshot.raw.execute(aim.records.sql_get, aim.records.key_in(stored)).fetchone()
    return now == stored or (now is not None and aim.records.is_intact(now, original.mac_key))
