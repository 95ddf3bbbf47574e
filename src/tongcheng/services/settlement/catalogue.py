"""The visited place's catalogue (就医地目录): what of a bill's line insurance covers at all.

A catalogue is CSV under a header of comments that say where it comes from::

    # sample, not official
    # catalogue: tianjin-sample
    # admdvs: 120000
    # source: made up for tests and demonstrations
    # unverified: class, price_ceiling_yuan, first_self_pay_ratio
    med_list_codg,name,class,price_ceiling_yuan,first_self_pay_ratio,charge_category,from,to

Classes: A (甲类) in scope from the first fen; B (乙类) after a first self-paid share; C (丙类)
wholly self-paid. An empty ceiling, or 999999 as the national interface writes it, is no ceiling. An
empty ratio is unknown and refuses the line that needs it. Dates are inclusive, an empty `to` open.
This module is handed the text and reads no file.
"""

import csv
import hashlib
from collections.abc import Iterable
from datetime import date
from typing import Final, Literal, NoReturn

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


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """All items of one place. `digest` is SHA-256 of the text's bytes, as of any data set."""

    catalogue_id: str
    admdvs: str
    source: str
    sample: bool
    unverified: tuple[str, ...]
    digest: str
    items: dict[str, tuple[Item, ...]]

    def item(self, code: str, on: date) -> Item:
        """Return the version of an item on a day; refuses CATALOGUE_ITEM_UNKNOWN."""
        for item in self.items.get(code, ()):
            if item.valid_from <= on and (item.valid_to is None or on <= item.valid_to):
                return item
        raise Refused(
            "CATALOGUE_ITEM_UNKNOWN", code=code, on=on.isoformat(), catalogue=self.catalogue_id
        )


def parse(text: str) -> Catalogue:
    """Read a catalogue; refuses CATALOGUE_FORM with the line of the fault."""
    lines = text.removeprefix("\ufeff").splitlines()
    count = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
    header = _header(lines[:count])
    reader = csv.reader(lines[count:], strict=True)
    versions: dict[str, list[Item]] = {}
    try:
        if tuple(next(reader, ())) != COLUMNS:
            _refuse(count + 1, "the columns must be " + ",".join(COLUMNS))
        for row in reader:
            item = _item(row, count + reader.line_num)
            versions.setdefault(item.code, []).append(item)
            if _overlaps(versions[item.code]):
                _refuse(count + reader.line_num, f"{item.code} has two versions on one day")
    except csv.Error as fault:
        _refuse(count + reader.line_num, str(fault))
    return Catalogue(
        catalogue_id=header["catalogue"],
        admdvs=header["admdvs"],
        source=header["source"],
        sample=SAMPLE_MARK in header,
        unverified=tuple(name.strip() for name in header.get("unverified", "").split(",") if name),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        items={code: tuple(items) for code, items in versions.items()},
    )


def _refuse(line: int, fault: str) -> NoReturn:
    raise Refused("CATALOGUE_FORM", line=line, fault=fault)


def _header(lines: Iterable[str]) -> dict[str, str]:
    header: dict[str, str] = {}
    for line in lines:
        key, _, value = line.removeprefix("#").partition(":")
        header[key.strip()] = value.strip()
    for key in ("catalogue", "admdvs", "source"):
        if not header.get(key):
            _refuse(1, f"the header does not say `# {key}: …`")
    return header


def _item(row: list[str], line: int) -> Item:
    if len(row) != len(COLUMNS):
        _refuse(line, f"{len(row)} columns, expected {len(COLUMNS)}")
    code, name, item_class, ceiling, ratio, category, begins, ends = row
    if not code or not name or not category:
        _refuse(line, "code, name and charge category may not be empty")
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
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.isoformat() != text:
        _refuse(line, f"{text!r} is no date YYYY-MM-DD")
    return parsed


def _scaled(text: str, digits: int, line: int) -> int | None:
    if not text:
        return None
    try:
        value = parse_scaled(text, digits)
    except Refused:
        value = -1
    if value < 0:
        _refuse(line, f"{text!r} is no number of at most {digits} decimal digits")
    return value


def _overlaps(items: list[Item]) -> bool:
    """Whether the newest of an item's versions shares a day with an earlier one."""
    newest = items[-1]
    return any(
        (other.valid_to is None or newest.valid_from <= other.valid_to)
        and (newest.valid_to is None or other.valid_from <= newest.valid_to)
        for other in items[:-1]
    )
