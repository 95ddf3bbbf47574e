"""A table is declared by the frozen Struct of its rows; every row carries a MAC.

The MAC covers the table's name and every value of the row, so a byte changed in any stored value
is found, and named by table and key, whoever changed it without the node's key: `journal verify`
reads every row of every table, and the node itself refuses to compute on a damaged one.
"""

import functools
import hashlib
import hmac
import operator
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa

RowT = TypeVar("RowT", bound=msgspec.Struct)

METADATA = sa.MetaData()
DECLARED: "dict[str, Records[Any]]" = {}
"""Every table of this process by name: what a database has, and what verification reads."""

MAC_COLUMN = "row_mac"
MAC_BYTES = 16
"""128 bits: a forger has no oracle and no second chance before the next verification."""

Value = int | str | bytes | None

_BLOCK_BYTES = 64
_encode = msgspec.msgpack.Encoder().encode

_COLUMN_TYPES: dict[type, sa.types.TypeEngine[Any]] = {
    int: sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    bool: sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    str: sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
    bytes: sa.LargeBinary(),
}


class StoredValueDamaged(Exception):
    """A stored row is not what this node wrote; nothing may be computed from it."""

    def __init__(self, table: str, key: tuple[Value, ...]) -> None:
        super().__init__(f"stored value damaged: table {table}, key {show_key(key)}")
        self.table = table
        self.key = key


def show_key(key: Sequence[Value]) -> str:
    """Show a row's key to a person: text as it is, bytes as hex."""
    parts = [part.hex() if isinstance(part, bytes) else str(part) for part in key]
    return "/".join(parts)


def _scalar_type(annotation: object) -> tuple[type, bool]:
    """Return (scalar type, nullable) of a field's annotation."""
    origin = typing.get_origin(annotation)
    if origin in {types.UnionType, typing.Union}:
        arms = [arm for arm in typing.get_args(annotation) if arm is not types.NoneType]
        assert len(arms) == 1, f"a column has one type, not {annotation}"
        return arms[0], True
    assert isinstance(annotation, type), f"not a column type: {annotation}"
    return annotation, False


@functools.lru_cache(maxsize=1_024)
def values_getter(fields: tuple[str, ...]) -> Callable[[Any], tuple[Value, ...]]:
    """Return what reads these attributes of a row, also where there is one of them or none."""
    if not fields:
        return lambda _: ()
    getter: Callable[[Any], Any] = operator.attrgetter(*fields)
    # Of a single one attrgetter gives no tuple.
    return getter if len(fields) > 1 else lambda row: (getter(row),)


class Records(Generic[RowT]):
    """One table: its name, its row type, its key, and how a row becomes values and back.

    `key` names the fields of the primary key; `indexes` names the field tuples read by equality.
    `clustered` stores rows in key order without a hidden row number: for time-ordered keys.
    `kept` lets the writer remember rows that it has read or written: for those of every command.
    `only_grows` says that rows are added and never changed; the store refuses to overwrite one.
    """

    def __init__(
        self,
        name: str,
        row_type: type[RowT],
        *,
        key: tuple[str, ...],
        indexes: tuple[tuple[str, ...], ...] = (),
        clustered: bool = False,
        kept: bool = False,
        only_grows: bool = False,
    ) -> None:
        self.name = name
        self.is_kept = kept
        self.only_grows = only_grows
        self.row_type = row_type
        self.fields: tuple[str, ...] = row_type.__struct_fields__
        self.key = key
        assert set(key) <= set(self.fields), f"{name}: key {key} is not in {self.fields}"
        hints = typing.get_type_hints(row_type)
        scalars = [_scalar_type(hints[field]) for field in self.fields]
        self._bools = tuple(i for i, (scalar, _) in enumerate(scalars) if scalar is bool)
        self._key_at = tuple(self.fields.index(field) for field in key)
        self._key_of = values_getter(key)
        columns = [
            sa.Column(field, _COLUMN_TYPES[scalar], primary_key=field in key, nullable=nullable)
            for field, (scalar, nullable) in zip(self.fields, scalars, strict=True)
        ]
        self.table = sa.Table(
            name,
            METADATA,
            *columns,
            sa.Column(MAC_COLUMN, sa.LargeBinary(), nullable=False),
            *(sa.Index(f"{name}_by_{'_'.join(fields)}", *fields) for fields in indexes),
            sqlite_strict=True,
            # Room on each page, so that a row that often changes is rewritten beside itself.
            postgresql_with={"fillfactor": 50} if kept else {},
            sqlite_with_rowid=not clustered,
        )
        self.c = self.table.c
        DECLARED[name] = self
        names = ", ".join((*self.fields, MAC_COLUMN))
        marks = ", ".join("?" * (len(self.fields) + 1))
        values = [field for field in (*self.fields, MAC_COLUMN) if field not in key]
        changes = ", ".join(f"{field} = excluded.{field}" for field in values)
        # Every name comes from a Struct of ours, never from input.
        self.sql_select = f"SELECT {names} FROM {name}"  # noqa: S608
        self.sql_add = f"INSERT INTO {name} ({names}) VALUES ({marks})"  # noqa: S608
        self.sql_put = f"{self.sql_add} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
        self.sql_count = f"SELECT count(*) FROM {name}"  # noqa: S608
        self.sql_get = f"{self.sql_select} WHERE " + " AND ".join(f"{field} = ?" for field in key)

    def __repr__(self) -> str:
        return f"Records({self.name})"

    @functools.lru_cache(maxsize=512)  # noqa: B019 tables live as long as the process
    def sql_by(self, fields: tuple[str, ...]) -> str:
        """Return the query for rows by equality of these fields, in key order."""
        assert set(fields) <= set(self.fields), f"{self.name}: {sorted(fields)}"
        where = " AND ".join(f"{field} = ?" for field in fields)
        order = ", ".join(self.key)
        return self.sql_select + (f" WHERE {where}" if where else "") + f" ORDER BY {order}"

    def key_of(self, row: RowT) -> tuple[Value, ...]:
        """Return the row's primary key, in the order of `key`."""
        return self._key_of(row)

    def encode(self, row: RowT, mac_key: bytes) -> tuple[Value, ...]:
        """Return the row's values followed by their MAC."""
        return self.encode_many((row,), mac_key)[0]

    def encode_many(self, rows: Iterable[RowT], mac_key: bytes) -> list[tuple[Value, ...]]:
        """Return each row's values followed by their MAC."""
        values = map(msgspec.structs.astuple, rows)
        if self._bools:
            values = map(self._with_integers, values)
        name, mac = self.name, keyed_mac(mac_key)
        return [(*one, mac(_encode((name, *one)))) for one in values]

    def _with_integers(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        stored = list(values)
        for position in self._bools:
            stored[position] = int(stored[position])
        return tuple(stored)

    def decode(self, stored: Sequence[Any], mac_key: bytes) -> RowT:
        """Return the row of the stored values, or raise StoredValueDamaged."""
        if not self.is_intact(stored, mac_key):
            raise StoredValueDamaged(self.name, self.key_in(stored))
        values = list(stored[:-1])
        for position in self._bools:
            values[position] = bool(values[position])
        return self.row_type(*values)

    def is_intact(self, stored: Sequence[Any], mac_key: bytes) -> bool:
        """Tell whether stored values are what this node wrote, by their MAC."""
        mac = stored[-1]
        return isinstance(mac, bytes) and hmac.compare_digest(mac, self._mac(stored[:-1], mac_key))

    def key_in(self, stored: Sequence[Any]) -> tuple[Value, ...]:
        """Return the primary key in stored values, in the order of `key`."""
        return tuple(stored[position] for position in self._key_at)

    def _mac(self, values: Sequence[Any], mac_key: bytes) -> bytes:
        # MessagePack tags every value with its type and length: no two rows share an encoding.
        return keyed_mac(mac_key)(_encode((self.name, *values)))


@functools.lru_cache(maxsize=64)
def keyed_mac(key: bytes) -> Callable[[bytes], bytes]:
    """Return HMAC-SHA-256 under this key, cut to MAC_BYTES.

    The key's two blocks are hashed once (RFC 2104, section 4), which a call of `hmac.digest` does
    anew for every row: 0.8 µs against 2.8 µs.
    """
    assert len(key) <= _BLOCK_BYTES, "a longer key would be hashed first"
    block = key.ljust(_BLOCK_BYTES, b"\0")
    inner_copy = hashlib.sha256(bytes(byte ^ 0x36 for byte in block)).copy
    outer_copy = hashlib.sha256(bytes(byte ^ 0x5C for byte in block)).copy

    def mac(message: bytes) -> bytes:
        inner, outer = inner_copy(), outer_copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()[:MAC_BYTES]

    return mac
