"""The national interface's field tables, code values and edge profiles: data, read once.

A table is what the interface's specification prints: field, name, type, length, coded, required.
Everything here is immutable and says where it comes from; see the yaml files beside this module.
"""

from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from tongcheng.kernel import yaml_file
from tongcheng.kernel.words import Words

_HERE = Path(__file__).parent

Kind = Literal["字符型", "数值型", "日期时间型", "日期型"]
TEXT: Kind = "字符型"
NUMBER: Kind = "数值型"
INSTANT: Kind = "日期时间型"
DAY: Kind = "日期型"


class Field(msgspec.Struct, frozen=True):
    """One row of a table. `length` is in characters or digits, 0 when none is given.

    `decimals` are the digits after the point of a number; a number is kept as a whole number of
    units of 10**-decimals.
    """

    name: str
    title: str
    kind: Kind
    length: int
    decimals: int
    coded: bool
    required: bool


class Node(msgspec.Struct, frozen=True):
    """One node of an input or output: an object, or a list of them."""

    name: str
    is_list: bool
    fields: tuple[Field, ...]


class TransactionTable(msgspec.Struct, frozen=True):
    """One transaction (交易): what it takes and what it answers."""

    infno: str
    title: str
    unverified: bool
    request: tuple[Node, ...]
    answer: tuple[Node, ...]

    def answer_node(self, name: str) -> Node:
        """Return a node of the answer that the code knows to be there."""
        return next(node for node in self.answer if node.name == name)


class Tables(msgspec.Struct, frozen=True):
    """All tables: the header's fields and the transactions by number."""

    source: str
    header: tuple[Field, ...]
    transactions: dict[str, TransactionTable]


class FundPayType(msgspec.Struct, frozen=True):
    """How one layer of a scheme is called in `setldetail` (基金支付类型)."""

    scheme: str
    layer: str
    code: str
    name: str
    source: str


class Codes(msgspec.Struct, frozen=True):
    """The code values in use, keyed by what they stand for."""

    offered: dict[str, tuple[str, ...]]
    funds: dict[tuple[str, str], FundPayType]
    fund_fields: dict[tuple[str, str], str]
    item_classes: dict[str, str]
    charge_types: dict[str, str]
    person_types: dict[str, str]
    constants: dict[str, str]
    aliases: dict[str, str]
    warnings: dict[str, Words]


class Profile(msgspec.Struct, frozen=True):
    """How one kind of hospital system speaks the national shape (see profiles.yaml)."""

    name: str
    path: str
    per_transaction: bool
    header: str
    scheme: str
    encoding: Literal["utf-8", "gb18030"]
    infcode: Literal["number", "string"]
    sign_in_required: bool


def _field(row: list[str]) -> Field:
    name, title, kind, length, coded, required = row
    digits, _, decimals = length.partition(",")
    return Field(
        name=name,
        title=title,
        kind=msgspec.convert(kind, Kind),
        length=int(digits),
        decimals=int(decimals or "0"),
        coded=coded == "Y",
        required=required == "Y",
    )


def _nodes(given: Any) -> tuple[Node, ...]:
    if not isinstance(given, dict):
        return ()
    return tuple(
        Node(name.removesuffix("[]"), name.endswith("[]"), tuple(_field(row) for row in rows))
        for name, rows in given.items()
    )


@cache
def tables() -> Tables:
    """Return the field tables that ship with the program."""
    document: Any = yaml_file.load(_HERE / "national_fields.yaml")
    return Tables(
        source=document["source"],
        header=tuple(_field(row) for row in document["header"]),
        transactions={
            infno: TransactionTable(
                infno=infno,
                title=one["title"],
                unverified=one.get("unverified") == "Y",
                request=_nodes(one["request"]),
                answer=_nodes(one["answer"]),
            )
            for infno, one in document["transactions"].items()
        },
    )


@cache
def codes() -> Codes:
    """Return the code values that ship with the program."""
    given: Any = yaml_file.load(_HERE / "national_codes.yaml")
    funds = [msgspec.convert(one, FundPayType) for one in given["fund_pay_types"]]
    return Codes(
        offered={one["field"]: tuple(one["values"]) for one in given["offered"]},
        funds={(one.scheme, one.layer): one for one in funds},
        fund_fields={(one["scheme"], one["layer"]): one["field"] for one in given["fund_fields"]},
        item_classes={one["class"]: one["code"] for one in given["item_classes"]},
        charge_types={one["category"]: one["code"] for one in given["charge_types"]},
        person_types={one["type"]: one["code"] for one in given["person_types"]},
        constants={one["field"]: one["value"] for one in given["constants"]},
        aliases={other: name for name, other in given["aliases"]},
        warnings={one["code"]: Words(one["zh"], one["en"]) for one in given["warnings"]},
    )


def profile_of(entry: dict[str, str]) -> Profile:
    """Return the profile that an entry of profiles.yaml describes; Y and N are yes and no."""
    flags = {name: entry[name] == "Y" for name in ("per_transaction", "sign_in_required")}
    scheme = "" if entry["scheme"] == "N" else entry["scheme"]
    return msgspec.convert({**entry, **flags, "scheme": scheme}, Profile)


@cache
def profiles() -> tuple[Profile, ...]:
    """Return the profiles that ship with the program."""
    entries: Any = yaml_file.load(_HERE / "profiles.yaml")
    return tuple(profile_of(entry) for entry in entries)
