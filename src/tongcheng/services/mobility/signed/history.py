"""How a node keeps the versions of signed documents: in a table that only grows, and the journal.

Of each document the newest version counts. A version that is kept is a local decision, and a leaf
of the journal with the signed bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa

from tongcheng.kernel import adoption, journal
from tongcheng.kernel.accord import Accord
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Records, Snapshot, Transaction
from tongcheng.services.mobility.signed.document import Signed

RowT = TypeVar("RowT", bound=msgspec.Struct)
SignedT = TypeVar("SignedT", bound=Signed)


class _Kept(NamedTuple):
    """A row's values, whatever its table calls the first; see there."""

    name: str
    version: int
    digest: str
    kept_at: int
    document: bytes

    @property
    def content_id(self) -> str:
        """What the version is called in the journal and in findings."""
        return f"{self.name}/{self.version}"


@dataclass(frozen=True)
class History(Generic[RowT, SignedT]):
    """All versions of one kind of document.

    A row of `records` has the field of the version that tells the documents apart, `version`,
    `digest`, `kept_at` and `document`; the first two are its key. `kind` is that of the leaves,
    `noun` what findings call it. `read` refuses what is no such document. `member_of` says whose
    signature a row must have, by its first field.
    """

    records: Records[RowT]
    kind: str
    noun: str
    read: Callable[[bytes], SignedT]
    member_of: Callable[[str, Home], str]

    def newest(self, snapshot: Snapshot) -> list[RowT]:
        """Return the newest version of every document, in order of their names."""
        table, (name, _) = self.records.table, self.records.key
        last = sa.select(table.c[name], sa.func.max(table.c.version).label("version"))
        last_of = last.group_by(table.c[name]).subquery()
        is_last = sa.and_(table.c[name] == last_of.c[name], table.c.version == last_of.c.version)
        # Every page of a map asks: it shall not read every version that there was.
        rows = snapshot.fetch(self.records, sa.select(table).join(last_of, is_last))
        return sorted(rows, key=self.records.key_of)

    def keep(self, tx: Transaction, document: SignedT) -> RowT:
        """Keep a version that is new here; return its row."""
        kept = self._kept(document, tx.now_at)
        row = self.records.row_type(*kept)
        tx.add(self.records, row)
        journal.append(tx, self.kind, kept.content_id, kept.document)
        return row

    def _kept(self, document: SignedT, kept_at: int) -> _Kept:
        said = document.said
        name = getattr(said, self.records.key[0])
        return _Kept(name, said.version, said.digest(), kept_at, document.encoded())

    def check(self, snapshot: Snapshot, home: Home) -> Iterator[Finding]:
        """Check every version against the journal, its signature and the one before it."""
        accords = adoption.adopted(snapshot)
        kept = [_Kept(*msgspec.structs.astuple(row)) for row in snapshot.select(self.records)]
        before: _Kept | None = None
        for each in kept:
            if before is not None and before.name != each.name:
                before = None
            content = journal.content(snapshot, home.ring, self.kind, each.content_id)
            if content != each.document:
                fault = f"the {self.noun} differs from the journal"
                yield Finding(self.records.name, each.content_id, fault)
            for fault in self._faults(home, accords, before, each):
                yield Finding(self.records.name, each.content_id, fault)
            before = each
        known = {each.content_id for each in kept}
        for leaf in snapshot.select(journal.JOURNAL_LEAVES, kind=self.kind):
            if leaf.content_id not in known:
                yield Finding(self.records.name, leaf.content_id, f"the {self.noun} is gone")

    def _faults(
        self, home: Home, accords: Sequence[Accord], before: _Kept | None, row: _Kept
    ) -> Iterator[str]:
        """Yield what is wrong with a version, by itself and beside the one before."""
        try:
            document = self.read(row.document)
        except Refused as refused:
            yield f"it can not be read: {refused.code}"
            return
        if self._kept(document, row.kept_at) != row:
            yield "the row differs from its document"
        member_id = self.member_of(row.name, home)
        if not _is_signed_by(member_id, document, home, accords, row.kept_at):
            yield "the signature is not the member's"
        follows = (1, None) if before is None else (before.version + 1, before.digest)
        # Of others' versions some may never have come here.
        is_next = row.version == follows[0] or member_id == home.member_id
        if is_next and (row.version, document.said.previous) != follows:
            yield "it does not follow the version before"


def _is_signed_by(
    member_id: str, document: Signed, home: Home, accords: Sequence[Accord], kept_at: int
) -> bool:
    """Say whether it is this member's, by a key that was the member's when this node kept it."""
    # A neighbour's key is good, but only for what is the neighbour's.
    if document.said.member_id != member_id:
        return False
    if member_id == home.member_id:
        with suppress(Refused):
            document.check_signed_with(home.ring.signing.verify_key())
            return True
    for accord in accords:
        with suppress(Refused):
            document.check_signature(accord, kept_at)
            return True
    return False
