"""The visited place's catalogue (就医地目录): what of a bill's line insurance covers at all.

A catalogue is CSV in UTF-8 under a header of comments that say where it comes from::

    # sample, not official
    # catalogue: tianjin-sample
    # admdvs: 120000
    # source: made up for tests and demonstrations
    # unverified: class, price_ceiling_yuan, first_self_pay_ratio
    # effective: 2026-12-01
    med_list_codg,name,class,price_ceiling_yuan,first_self_pay_ratio,charge_category,from,to

Classes: A (甲类) in scope from the first fen; B (乙类) after a first self-paid share; C (丙类)
wholly self-paid. An empty ceiling, or 999999 as the national interface writes it, is no ceiling. An
empty ratio is unknown and refuses the line that needs it. Dates are inclusive, an empty `to` open.
`effective` is the first day whose lines the whole file decides about, all days without it.
This module is handed bytes or text and reads no file; a large catalogue is read row by row.
"""

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import Final, Literal, NoReturn, Protocol

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import parse_scaled

ItemClass = Literal["A", "B", "C"]

COLUMNS: Final = (
    "med_list_codg",
    "name",
    "class",
    "price_ceiling_yuan",
    "first_self_pay_ratio",
    "charge_category",
    "from",
    "to",
)
SAMPLE_MARK: Final = "sample, not official"
PRICE_DIGITS: Final = 6
RATIO_DIGITS: Final = 4
NO_CEILING: Final = 999_999 * 10**PRICE_DIGITS
"""定价上限金额 999999: seen in real messages for an item without a ceiling."""
LINE_BYTES_MAX: Final = 8_192
"""A row has eight short fields; whatever is longer is no row."""
HEADER_LINES_MAX: Final = 100
ITEMS_MAX: Final = 1_000_000
"""Rows of one catalogue; a province's is known to have some 200,000."""
CODE_LENGTH: Final = 50
"""med_list_codg of the national interface."""
NAME_LENGTH: Final = 500
ALWAYS: Final = date.min
_CACHED: Final = 65_536


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One item for one span of days.

    `price_ceiling` is in 10**-6 yuan, None without a ceiling; `first_self_pay` in basis points,
    None when unknown.
    """

    code: str
    name: str
    item_class: ItemClass
    price_ceiling: int | None
    first_self_pay: int | None
    charge_category: str
    valid_from: date
    valid_to: date | None


class Items(Protocol):
    """Whatever can say what an item is on a day: a catalogue in memory, or in the store."""

    @property
    def catalogue_id(self) -> str:
        """What a refusal calls it."""
        ...

    def item(self, code: str, on: date) -> Item:
        """Return the version of an item on a day; refuses CATALOGUE_ITEM_UNKNOWN."""
        ...


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a catalogue says of itself above its rows."""

    catalogue_id: str
    admdvs: str
    source: str
    sample: bool
    unverified: tuple[str, ...]
    effective_from: date


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """All items of one place. `digest` is SHA-256 of the text's bytes, as of any data set."""

    catalogue_id: str
    admdvs: str
    source: str
    sample: bool
    unverified: tuple[str, ...]
    effective_from: date
    digest: str
    items: dict[str, tuple[Item, ...]]

    def item(self, code: str, on: date) -> Item:
        """Return the version of an item on a day; refuses CATALOGUE_ITEM_UNKNOWN."""
        found = version(self.items.get(code, ()), on)
        if found is None:
            raise unknown_item(code, on, self.catalogue_id)
        return found


def version(items: Iterable[Item], on: date) -> Item | None:
    """Return the one of an item's versions that is in force on a day, None without."""
    for item in items:
        if item.valid_from <= on and (item.valid_to is None or on <= item.valid_to):
            return item
    return None


def unknown_item(code: str, on: date, catalogue_id: str) -> Refused:
    """Return the refusal of an item that is not in a catalogue on a day."""
    return Refused("CATALOGUE_ITEM_UNKNOWN", code=code, on=on.isoformat(), catalogue=catalogue_id)


class Rows:
    """A catalogue read row by row: `header` at once, the items by iterating, once.

    Refuses CATALOGUE_FORM, and FILE_ENCODING for bytes that are not UTF-8, with the line of
    the fault; what was read before a fault is not to be used. Memory is two dates for each row.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = decoded(lines, _refuse)
        self.header, first = _header(self._lines)
        self._before = first[0] - 1
        self._first = first[1]

    def __iter__(self) -> Iterator[Item]:
        """Yield each item as its row is read."""
        reader = csv.reader(self._rest(), strict=True)
        spans: dict[str, list[tuple[date, date | None]]] = {}
        count = 0
        try:
            if tuple(next(reader, ())) != COLUMNS:
                _refuse(self._before + 1, "the columns must be " + ",".join(COLUMNS))
            for row in reader:
                at = self._before + reader.line_num
                item = _item(row, at)
                known = spans.get(item.code)
                if known is None:
                    spans[item.code] = [(item.valid_from, item.valid_to)]
                elif any(_overlap(item, other) for other in known):
                    _refuse(at, f"{item.code} has two versions on one day")
                else:
                    known.append((item.valid_from, item.valid_to))
                count += 1
                if count > ITEMS_MAX:
                    _refuse(at, f"more than {ITEMS_MAX} rows")
                yield item
        except csv.Error as fault:
            _refuse(self._before + reader.line_num, str(fault))

    def _rest(self) -> Iterator[str]:
        yield self._first
        yield from (line for _, line in self._lines)


def parse(given: str | bytes) -> Catalogue:
    """Read a whole catalogue into memory; refuses as `Rows` does."""
    raw = given.encode() if isinstance(given, str) else given
    rows = Rows(raw.splitlines(keepends=True))
    versions: dict[str, list[Item]] = {}
    for item in rows:
        versions.setdefault(item.code, []).append(item)
    header = rows.header
    return Catalogue(
        catalogue_id=header.catalogue_id,
        admdvs=header.admdvs,
        source=header.source,
        sample=header.sample,
        unverified=header.unverified,
        effective_from=header.effective_from,
        digest=hashlib.sha256(raw).hexdigest(),
        items={code: tuple(items) for code, items in versions.items()},
    )


def _refuse(line: int, fault: str) -> NoReturn:
    raise Refused("CATALOGUE_FORM", line=line, fault=fault)


def decoded(
    lines: Iterable[bytes], refuse: Callable[[int, str], NoReturn]
) -> Iterator[tuple[int, str]]:
    """Yield lines as text with their numbers from 1, a byte order mark dropped.

    Refuses FILE_ENCODING for what is not UTF-8; `refuse` a line beyond all measure.
    """
    for number, raw in enumerate(lines, start=1):
        if len(raw) > LINE_BYTES_MAX:
            refuse(number, f"a line of more than {LINE_BYTES_MAX} bytes")
        line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        try:
            yield number, line.decode()
        except UnicodeDecodeError:
            raise Refused("FILE_ENCODING", line=number) from None


def _header(lines: Iterator[tuple[int, str]]) -> tuple[Header, tuple[int, str]]:
    """Return what the comments say, and the first line after them with its number."""
    said: dict[str, str] = {}
    number, line = 0, ""
    for number, line in lines:
        if not line.startswith("#"):
            break
        if number > HEADER_LINES_MAX:
            _refuse(number, f"a header of more than {HEADER_LINES_MAX} lines")
        key, _, value = line.removeprefix("#").partition(":")
        said[key.strip()] = value.strip()
    else:
        number, line = number + 1, ""
    for key in ("catalogue", "admdvs", "source"):
        if not said.get(key):
            _refuse(1, f"the header does not say `# {key}: …`")
    effective = _date(said.get("effective", ""), 1)
    header = Header(
        catalogue_id=said["catalogue"],
        admdvs=said["admdvs"],
        source=said["source"],
        sample=SAMPLE_MARK in said,
        unverified=tuple(name.strip() for name in said.get("unverified", "").split(",") if name),
        effective_from=ALWAYS if effective is None else effective,
    )
    return header, (number, line)


def _item(row: list[str], line: int) -> Item:
    if len(row) != len(COLUMNS):
        _refuse(line, f"{len(row)} columns, expected {len(COLUMNS)}")
    code, name, item_class, ceiling, ratio, category, begins, ends = row
    if not code or not name or not category:
        _refuse(line, "code, name and charge category may not be empty")
    if len(code) > CODE_LENGTH or max(len(name), len(category)) > NAME_LENGTH:
        _refuse(line, f"a code of more than {CODE_LENGTH} or a name of more than {NAME_LENGTH}")
    if not (code + name + category).isprintable():
        _refuse(line, "a control character")
    valid_from = _date(begins, line)
    if valid_from is None:
        _refuse(line, "from may not be empty")
    valid_to = _date(ends, line)
    if valid_to is not None and valid_to < valid_from:
        _refuse(line, "to is before from")
    price_ceiling = _scaled(ceiling, PRICE_DIGITS, line)
    first_self_pay = _scaled(ratio, RATIO_DIGITS, line)
    if first_self_pay is not None and first_self_pay > 10**RATIO_DIGITS:
        _refuse(line, f"the ratio {ratio} is more than one")
    return Item(
        code=code,
        name=name,
        item_class=_class(item_class, line),
        price_ceiling=None if price_ceiling == NO_CEILING else price_ceiling,
        first_self_pay=first_self_pay,
        charge_category=category,
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _class(text: str, line: int) -> ItemClass:
    if text == "A":
        return "A"
    if text == "B":
        return "B"
    if text == "C":
        return "C"
    _refuse(line, f"the class {text!r} is none of A, B, C")


def _date(text: str, line: int) -> date | None:
    if not text:
        return None
    found = day(text)
    if found is None:
        _refuse(line, f"{text[:20]!r} is no date YYYY-MM-DD")
    return found


def _scaled(text: str, digits: int, line: int) -> int | None:
    if not text:
        return None
    value = _units(text, digits)
    if value is None:
        _refuse(line, f"{text[:40]!r} is no number of at most {digits} decimal digits")
    return value


# Few dates and ratios stand in very many rows; a read is twice as fast when each is read once.


@lru_cache(maxsize=_CACHED)
def day(text: str) -> date | None:
    """Read a day written YYYY-MM-DD, None when it is none."""
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.isoformat() == text else None


@lru_cache(maxsize=_CACHED)
def _units(text: str, digits: int) -> int | None:
    try:
        value = parse_scaled(text, digits)
    except Refused:
        return None
    return value if value >= 0 else None


def _overlap(item: Item, other: tuple[date, date | None]) -> bool:
    """Whether an item's version shares a day with an earlier one."""
    begins, ends = other
    return (ends is None or item.valid_from <= ends) and (
        item.valid_to is None or begins <= item.valid_to
    )
