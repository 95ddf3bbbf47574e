"""Catalogues in a node's store: imported as a whole, looked up item by item.

A small catalogue may come with the region pack and is read once into memory. A real one has some
200,000 rows; its rows are kept in the store, so that a line costs a read by key and neither memory
nor time at the start. Its bytes are kept too, by digest, for whoever must see what decided.

An institution is bound to a catalogue's name. An import under that name decides about lines from
the first day on that its header says (all days without one); of several the one that begins last,
and of those the one imported last. What came before stays for the lines of the days before.
"""

import hashlib
import io
import zlib
from collections.abc import Iterator
from datetime import date
from functools import lru_cache, partial
from itertools import islice
from typing import Final

import msgspec
import sqlalchemy as sa

from tongcheng.kernel import canonical, journal
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Command, Reading, Records, Snapshot, Transaction
from tongcheng.services.settlement import catalogue
from tongcheng.services.settlement.catalogue import Catalogue, Item, ItemClass, Rows

CATALOGUE_KIND: Final = "settlement_catalogue"
LOADING: Final = "loading"
KEPT: Final = "kept"
BATCH_ITEMS: Final = 5_000
"""Rows of one commit: some 50 ms of a writer's time."""
PIECE_BYTES: Final = 1_048_576
FILE_BYTES_MAX: Final = 256 * 1_048_576


class ImportRow(msgspec.Struct, frozen=True):
    """One catalogue as it was imported: `loading` until every row is in, then `kept` for ever."""

    import_no: int
    name: str
    state: str
    digest: str
    catalogue_id: str
    admdvs: str
    source: str
    sample: bool
    unverified: str
    effective_from: str
    items: int
    size_bytes: int
    at: int


class ItemRow(msgspec.Struct, frozen=True):
    """One version of one item; units as in `catalogue.Item`, days as text."""

    import_no: int
    code: str
    valid_from: str
    valid_to: str | None
    name: str
    item_class: str
    price_ceiling_e6: int | None
    first_self_pay_bp: int | None
    charge_category: str


class PieceRow(msgspec.Struct, frozen=True):
    """A piece of a catalogue's bytes, compressed."""

    digest: str
    piece_no: int
    content: bytes


IMPORTS = Records("settlement_catalogues", ImportRow, key=("import_no",), indexes=(("name",),))
ITEMS = Records(
    "settlement_catalogue_items", ItemRow, key=("import_no", "code", "valid_from"), clustered=True
)
PIECES = Records("settlement_catalogue_pieces", PieceRow, key=("digest", "piece_no"))
TABLES = (IMPORTS, ITEMS, PIECES)


# looking up


@lru_cache(maxsize=64)
def _parsed(raw: bytes) -> Catalogue:
    return catalogue.parse(raw)


def of_pack(home: Home, name: str) -> Catalogue:
    """Return a catalogue of the region pack by its file name; refuses CATALOGUE_MISSING."""
    raw = home.datasets.get(name)
    if raw is None:
        raise Refused("CATALOGUE_MISSING", catalogue=name)
    return _parsed(raw)


def imports(reading: Reading, name: str) -> list[ImportRow]:
    """Return what was imported under a name, what decides last first."""
    rows = [row for row in reading.select(IMPORTS, name=name) if row.state == KEPT]
    return sorted(rows, key=lambda row: (row.effective_from, row.import_no), reverse=True)


_SEEN: dict[tuple[str, str], tuple[Item, ...]] = {}
"""Versions of items by (digest of an import, code): what has a digest never changes."""
_SEEN_MAX = 50_000


class Dated:
    """The catalogues under one name, each for its days: `item` asks the one of the day."""

    def __init__(self, reading: Reading, home: Home, name: str) -> None:
        self.catalogue_id = name
        self._reading = reading
        self._home = home
        self._imports = imports(reading, name)
        self._by_day: dict[date, ImportRow | None] = {}
        self._of_pack = None if self._imports else of_pack(home, name)

    def item(self, code: str, on: date) -> Item:
        """Return the version of an item on a day; refuses CATALOGUE_ITEM_UNKNOWN."""
        row = self._on(on)
        if row is None:
            return self._first().item(code, on)
        found = catalogue.version(self._versions(row, code), on)
        if found is None:
            raise catalogue.unknown_item(code, on, row.catalogue_id)
        return found

    def digest(self, on: date) -> str:
        """Return the digest of the catalogue that decides about a day."""
        row = self._on(on)
        return self._first().digest if row is None else row.digest

    def _first(self) -> Catalogue:
        """Return the pack's catalogue, which decides before the first import."""
        if self._of_pack is None:
            self._of_pack = of_pack(self._home, self.catalogue_id)
        return self._of_pack

    def _on(self, on: date) -> ImportRow | None:
        try:
            return self._by_day[on]
        except KeyError:
            day = on.isoformat()
            found = next((row for row in self._imports if row.effective_from <= day), None)
            self._by_day[on] = found
            return found

    def _versions(self, row: ImportRow, code: str) -> tuple[Item, ...]:
        key = (row.digest, code)
        found = _SEEN.get(key)
        if found is None:
            rows = self._reading.select(ITEMS, import_no=row.import_no, code=code)
            if len(_SEEN) >= _SEEN_MAX:
                _SEEN.clear()
            found = _SEEN[key] = tuple(_item(each) for each in rows)
        return found


def _item(row: ItemRow) -> Item:
    return Item(
        code=row.code,
        name=row.name,
        item_class=msgspec.convert(row.item_class, ItemClass),
        price_ceiling=row.price_ceiling_e6,
        first_self_pay=row.first_self_pay_bp,
        charge_category=row.charge_category,
        valid_from=date.fromisoformat(row.valid_from),
        valid_to=None if row.valid_to is None else date.fromisoformat(row.valid_to),
    )


def content(reading: Reading, digest: str) -> bytes:
    """Return the bytes of an imported catalogue; refuses CATALOGUE_MISSING."""
    pieces = reading.select(PIECES, digest=digest)
    raw = b"".join(zlib.decompress(piece.content) for piece in pieces)
    if hashlib.sha256(raw).hexdigest() != digest:
        raise Refused("CATALOGUE_MISSING", catalogue=digest)
    return raw


def check_imports(snapshot: Snapshot, home: Home) -> Iterator[Finding]:
    """Compare every import with its bytes, the number of its rows and the journal."""
    for row in snapshot.select(IMPORTS):
        if row.state != KEPT:
            continue
        key = str(row.import_no)
        try:
            content(snapshot, row.digest)
        except (Refused, zlib.error):
            yield Finding(IMPORTS.name, key, "the bytes are not those of the digest")
        count = sa.select(sa.func.count()).where(ITEMS.c.import_no == row.import_no)
        if snapshot.query(count)[0][0] != row.items:
            yield Finding(IMPORTS.name, key, "items are missing or too many")
        if journal.content(snapshot, home.ring, CATALOGUE_KIND, key) != canonical.encode(row):
            yield Finding(IMPORTS.name, key, "the import differs from the journal")


# taking in a new one


def _put_piece(row: PieceRow, tx: Transaction) -> None:
    tx.put(PIECES, row)


class Importing:
    """One import: checked as a whole when it is made, then done by running `commands` in order.

    The commands are small commits, so that memory stays bounded; nothing counts before the last.
    An import that was interrupted leaves rows that nobody reads; do it again.
    """

    def __init__(self, raw: bytes, name: str) -> None:
        if len(raw) > FILE_BYTES_MAX:
            raise Refused("CATALOGUE_TOO_LARGE", most=FILE_BYTES_MAX)
        self._raw = raw
        self.name = name
        self.digest = hashlib.sha256(raw).hexdigest()
        rows = Rows(io.BytesIO(raw))
        self.header = rows.header
        self.items = sum(1 for _ in rows)
        self.steps = 2 + -(-self.items // BATCH_ITEMS) + -(-len(raw) // PIECE_BYTES)
        self.known = False
        self._import_no = 0

    def commands(self) -> Iterator[Command]:
        """Yield what is to be run, one commit each; ends early when it was imported before."""
        yield self._begin
        if self.known:
            return
        for piece_no, start in enumerate(range(0, len(self._raw), PIECE_BYTES)):
            piece = zlib.compress(self._raw[start : start + PIECE_BYTES])
            row = PieceRow(self.digest, piece_no, piece)
            yield partial(_put_piece, row)
        items = iter(Rows(io.BytesIO(self._raw)))
        while batch := list(islice(items, BATCH_ITEMS)):
            yield partial(self._put, batch)
        yield self._finish

    def _begin(self, tx: Transaction) -> None:
        before = tx.select(IMPORTS)
        same = [row for row in before if row.name == self.name and row.state == KEPT]
        if same and same[-1].digest == self.digest:
            self.known = True
            return
        self._import_no = len(before) + 1
        tx.add(IMPORTS, self._row(tx, LOADING))

    def _put(self, batch: list[Item], tx: Transaction) -> None:
        for item in batch:
            row = ItemRow(
                import_no=self._import_no,
                code=item.code,
                valid_from=item.valid_from.isoformat(),
                valid_to=None if item.valid_to is None else item.valid_to.isoformat(),
                name=item.name,
                item_class=item.item_class,
                price_ceiling_e6=item.price_ceiling,
                first_self_pay_bp=item.first_self_pay,
                charge_category=item.charge_category,
            )
            tx.put(ITEMS, row)

    def _finish(self, tx: Transaction) -> None:
        row = self._row(tx, KEPT)
        tx.put(IMPORTS, row)
        journal.append(tx, CATALOGUE_KIND, str(row.import_no), canonical.encode(row))

    def _row(self, tx: Transaction, state: str) -> ImportRow:
        return ImportRow(
            import_no=self._import_no,
            name=self.name,
            state=state,
            digest=self.digest,
            catalogue_id=self.header.catalogue_id,
            admdvs=self.header.admdvs,
            source=self.header.source,
            sample=self.header.sample,
            unverified=", ".join(self.header.unverified),
            effective_from=self.header.effective_from.isoformat(),
            items=self.items,
            size_bytes=len(self._raw),
            at=tx.now_at,
        )
