"""Messages of the national interface as values: read exactly, checked by table, written exactly.

Numbers stay text until a table says what they are, so no amount ever passes through a float: JSON
numbers and strings are taken alike, and an exponent, NaN or a digit too many is refused. What is
wrong is refused with node, field, 名称 and length, and never with the value, which may be a
person's. Unknown fields are let be.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, NoReturn, TypeAlias

import msgspec

from tongcheng.kernel import calendar
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import parse_scaled
from tongcheng.services.settlement.national_fields import (
    DAY,
    INSTANT,
    NUMBER,
    TEXT,
    Field,
    Node,
    Tables,
    TransactionTable,
)

DEPTH_MAX = 12
"""The interface nests three deep; exp_content may hold a little more."""
LIST_MAX = 2_000
"""Elements of a list in one message: longer bills are uploaded in parts."""
YEAR_MIN, YEAR_MAX = "1900", "2100"
"""Outside of it a time is a mistake."""
HEADER_NODE = "header"
INPUT = "input"
MSGID_SECONDS = 14
MSGID_SERIAL = 4
MSGID_INSTITUTION = 12

_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")

Value: TypeAlias = str | int
Given: TypeAlias = dict[str, Any]


class Header(msgspec.Struct, frozen=True):
    """The parts of the request's envelope that decide anything."""

    infno: str
    msgid: str
    mdtrtarea_admvs: str
    insuplc_admdvs: str
    fixmedins_code: str
    sign_no: str


class Message(msgspec.Struct, frozen=True):
    """A checked request: every field of its tables has its type, absent ones are absent.

    Text is str, a number a whole number of its last decimal, an instant UTC ms, a day its text.
    `digest` is over what the message means: see `meaning`.
    """

    header: Header
    nodes: dict[str, tuple[dict[str, Value], ...]]
    digest: str

    def one(self, node: str) -> dict[str, Value]:
        """Return the only element of a node that is an object."""
        return self.nodes[node][0]


def read(raw: bytes, encoding: str) -> Given:
    """Decode a message's bytes into JSON objects, numbers as their text."""
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as fault:
        raise Refused("NATIONAL_ENCODING", encoding=encoding, at=fault.start) from None
    try:
        given = json.loads(
            text.removeprefix("\ufeff"),
            parse_float=str,
            parse_int=str,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise Refused("NATIONAL_DEPTH", limit=DEPTH_MAX) from None
    except json.JSONDecodeError as fault:
        raise Refused("NATIONAL_JSON", at=fault.pos) from None
    if not isinstance(given, dict):
        raise Refused("NATIONAL_JSON", at=0)
    _check_texts(given, 1)
    return given


def _refuse_constant(_text: str) -> NoReturn:
    # NaN and Infinity: Python would take them, JSON does not know them.
    raise Refused("NATIONAL_JSON", at=0)


def _object(pairs: list[tuple[str, Any]]) -> Given:
    found: Given = {}
    for name, value in pairs:
        if name in found:
            raise Refused("NATIONAL_FIELD_TWICE", field=shown(name), other=shown(name))
        found[name] = value
    return found


def shown(name: str) -> str:
    """Return a stranger's name of something so that it can be printed."""
    return ascii(name[:40])[1:-1]


def _check_texts(value: Any, depth: int) -> None:
    """Refuse what no system keeps unchanged: NUL, halves of characters, bottomless nesting."""
    if depth > DEPTH_MAX:
        raise Refused("NATIONAL_DEPTH", limit=DEPTH_MAX)
    if isinstance(value, str):
        if _UNKEEPABLE.search(value):
            raise Refused("NATIONAL_TEXT")
    elif isinstance(value, list):
        for each in value:
            _check_texts(each, depth + 1)
    elif isinstance(value, dict):
        for name, each in value.items():
            _check_texts(name, depth)
            _check_texts(each, depth + 1)


class Checker:
    """Checks messages by the tables; `zone` is where their local times are."""

    def __init__(self, tables: Tables, aliases: Mapping[str, str], zone: str) -> None:
        self._tables = tables
        self._aliases = aliases
        self._zone = zone

    def header(self, given: Given) -> Header:
        """Check the envelope and the form of its msgid."""
        fields = self._fields(HEADER_NODE, self._tables.header, given)
        header = msgspec.convert(
            {name: fields.get(name, "") for name in Header.__struct_fields__}, Header
        )
        _check_msgid("msgid", header.msgid, header.fixmedins_code)
        return header

    def table(self, infno: str) -> TransactionTable:
        """Return the table of a transaction, or refuse one that is not offered."""
        table = self._tables.transactions.get(infno)
        if table is None:
            offered = ", ".join(sorted(self._tables.transactions))
            raise Refused("NATIONAL_TRANSACTION", infno=shown(infno), offered=offered)
        return table

    def message(self, given: Given, header: Header) -> Message:
        """Check the input of a message whose header is checked."""
        found = given.get(INPUT)
        if not isinstance(found, dict):
            raise Refused("NATIONAL_NODE", node=INPUT, transaction=header.infno)
        table = self.table(header.infno)
        nodes = {node.name: self._node(node, found, table) for node in table.request}
        return Message(header, nodes, digest_of(header, found, nodes))

    def _node(
        self, node: Node, found: Given, table: TransactionTable
    ) -> tuple[dict[str, Value], ...]:
        value = found.get(node.name)
        is_first = node is table.request[0]
        if value is None and not is_first:
            return ()
        if value is None and table.unverified:
            return ({},)
        elements = [value] if isinstance(value, dict) else value
        if not isinstance(elements, list) or not all(isinstance(one, dict) for one in elements):
            raise Refused("NATIONAL_NODE", node=node.name, transaction=table.infno)
        if len(elements) > LIST_MAX:
            raise Refused("NATIONAL_LIST_TOO_LONG", node=node.name, limit=LIST_MAX)
        if (is_first and not elements) or (not node.is_list and len(elements) != 1):
            raise Refused("NATIONAL_NODE", node=node.name, transaction=table.infno)
        return tuple(self._fields(node.name, node.fields, one) for one in elements)

    def _fields(self, node: str, fields: Sequence[Field], given: Given) -> dict[str, Value]:
        given = self._spelled(given)
        checked = {}
        for field in fields:
            value = given.get(field.name)
            if value is None or value == "":
                if field.required:
                    raise Refused(
                        "NATIONAL_FIELD_REQUIRED", node=node, field=field.name, title=field.title
                    )
                continue
            checked[field.name] = self._value(node, field, value)
        return checked

    def _spelled(self, given: Given) -> Given:
        """Give each field its table's spelling; two spellings must not say two things."""
        spelled: Given = {}
        for name, value in given.items():
            usual = self._aliases.get(name, name)
            if usual in spelled and spelled[usual] != value:
                raise Refused("NATIONAL_FIELD_TWICE", field=usual, other=name)
            spelled[usual] = value
        return spelled

    def _value(self, node: str, field: Field, value: Any) -> Value:
        if not isinstance(value, str):
            raise _form(node, field, field.kind)
        text = str(value)
        if field.kind == TEXT:
            if field.length and len(text) > field.length:
                raise Refused(
                    "NATIONAL_FIELD_LENGTH",
                    node=node,
                    field=field.name,
                    title=field.title,
                    length=field.length,
                )
            return text
        if field.kind == NUMBER:
            return _number(node, field, text)
        if field.kind == INSTANT:
            return self._instant(node, field, text)
        assert field.kind == DAY, field
        return _day(node, field, text)

    def _instant(self, node: str, field: Field, text: str) -> int:
        try:
            at = calendar.parse_local(text, self._zone)
        except Refused:
            raise _form(node, field, "yyyy-MM-dd HH:mm:ss") from None
        if not YEAR_MIN <= text[:4] < YEAR_MAX:
            raise _form(node, field, f"{YEAR_MIN}–{YEAR_MAX} yyyy-MM-dd HH:mm:ss")
        return at


def _form(node: str, field: Field, expected: str) -> Refused:
    return Refused(
        "NATIONAL_FIELD_FORM", node=node, field=field.name, title=field.title, expected=expected
    )


def _number(node: str, field: Field, text: str) -> int:
    expected = f"{field.length},{field.decimals}" if field.decimals else str(field.length)
    try:
        value = parse_scaled(text, field.decimals)
    except Refused:
        raise _form(node, field, expected) from None
    if field.length and len(str(abs(value))) > field.length:
        raise _form(node, field, expected)
    return value


def _day(node: str, field: Field, text: str) -> str:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            pass
    raise _form(node, field, "yyyy-MM-dd")


def _check_msgid(field: str, msgid: str, institution: str) -> None:
    """A msgid is the institution's code (12), a time (14) and a serial number (4)."""
    digits = msgid[MSGID_INSTITUTION:]
    length = MSGID_SECONDS + MSGID_SERIAL
    fits = len(digits) == length and digits.isascii() and digits.isdecimal()
    if not fits or msgid[:MSGID_INSTITUTION] != institution[:MSGID_INSTITUTION]:
        raise Refused("MSGID_MALFORMED", field=field)


def check_original_msgid(msgid: str, institution: str) -> None:
    """Refuse an `omsgid` that no message of this institution can carry."""
    _check_msgid("omsgid", msgid, institution)


def digest_of(header: Header, found: Given, nodes: Mapping[str, Any]) -> str:
    """Return the digest that tells a repeated message from another under its msgid.

    It covers the input, by its checked values where a table knows them ("12.3" is "12.30"), and
    the two divisions of the header. It leaves out what changes when a person presses the button
    again: time, operator, device, sign-in, signature (docs/decisions/0009-same-message.md).
    """
    rest = {name: value for name, value in found.items() if name not in nodes}
    extra = {
        name: [_unknown(one, known) for one, known in zip(_list(found[name]), kept, strict=True)]
        for name, kept in nodes.items()
        if kept and found.get(name) is not None
    }
    meaning = [header.mdtrtarea_admvs, header.insuplc_admdvs, nodes, extra, rest]
    text = json.dumps(meaning, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _unknown(given: Given, known: Mapping[str, Value]) -> Given:
    """Return the fields that no table knows; absent and empty are the same."""
    return {name: value for name, value in given.items() if name not in known and value}


# writing

Written: TypeAlias = msgspec.Raw | str | None


def number(value: int, decimals: int) -> msgspec.Raw:
    """Write a whole number of units of 10**-decimals as a JSON number, every decimal shown."""
    if not decimals:
        return msgspec.Raw(str(value).encode())
    whole, rest = divmod(abs(value), 10**decimals)
    sign = "-" if value < 0 else ""
    return msgspec.Raw(f"{sign}{whole}.{rest:0{decimals}d}".encode())


def fill(node: Node, values: Mapping[str, Value | None]) -> dict[str, Written]:
    """Return a node of an answer in the order of its table; what is not known is null."""
    names = {field.name for field in node.fields}
    assert names.issuperset(values), f"{node.name} has no {sorted(set(values) - names)}"
    return {field.name: _written(field, values.get(field.name)) for field in node.fields}


def _written(field: Field, value: Value | None) -> Written:
    if value is None:
        return None
    if field.kind == NUMBER:
        assert isinstance(value, int), field
        return number(value, field.decimals)
    assert isinstance(value, str), field
    return value


class Answer(msgspec.Struct, frozen=True):
    """The answer's envelope (交易输出), in the order of the specification."""

    infcode: int | str
    inf_refmsgid: str
    refmsg_time: str
    respond_time: str
    enctype: str | None
    signtype: str | None
    cainfo: str | None
    warn_msg: str | None
    err_msg: str | None
    output: msgspec.Raw


def dress(raw: bytes, encoding: str, infcode: Literal["number", "string"]) -> bytes:
    """Put an answer that was written in our own way into a profile's encoding and infcode."""
    answer = msgspec.json.decode(raw, type=Answer)
    if infcode == "string":
        answer = msgspec.structs.replace(answer, infcode=str(answer.infcode))
    written = msgspec.json.encode(answer)
    return written if encoding == "utf-8" else written.decode("utf-8").encode(encoding)
