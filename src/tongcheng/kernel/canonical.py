"""Canonical bytes: one value, one spelling, so that a digest or a signature has one meaning.

The rules are docs/protocol/01-canonical-bytes.md: a subset of JSON, and of RFC 8785, without
floats. `decode` refuses whatever `encode` would not have written; it raises `Refused` for any
bytes whatsoever and nothing else.

The fast path is msgspec there and back and a comparison, which settles spelling, order and
duplicate keys in C, and one walk for what a comparison cannot see. Only a document that fails is
read again, slowly, to name its fault.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import json
import operator
import re
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, NoReturn, TypeAlias, TypeVar

import msgspec

from tongcheng.kernel.errors import Refused

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"
T = TypeVar("T")

INTEGER_MAX = 2**53 - 1
DEPTH_MAX = 32
"""Lists and mappings inside one another; the outermost is the first."""

_KEY = re.compile(r"[a-z0-9_]+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SURROGATE_BYTES = re.compile(rb"\xed[\xa0-\xbf]")
# A string without its closing quote is one token too: otherwise the search would start again at
# each of its quotes, and a hostile document would cost the square of its length.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
_INTEGER_LENGTH_MAX = len(str(-INTEGER_MAX))
_SHOWN_MAX = 40
_QUOTED_MAX = 200
# A tuple made once: a union written in place would be built anew for every value.
_CONTAINERS = (dict, list, tuple)

# Schemas use the same few hundred keys for ever; asking a set is cheaper than matching a pattern.
_KEYS_SEEN: set[str] = set()
_KEYS_SEEN_MAX = 4096

_decode_json = msgspec.json.Decoder().decode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_NUL_ESCAPED = rb"\u0000"
_NUMBERS = frozenset((int, bool, types.NoneType))
_TEXTS = frozenset((str, types.NoneType))


def encode(value: object) -> bytes:
    """Write a value (None, bool, int, str, list, dict, or a Struct of these) canonically.

    Refuses, under the same codes as `decode`, what has no canonical form. A type that is not JSON
    at all is our own bug and trips an assert.
    """
    try:
        if isinstance(value, msgspec.Struct):
            raw = _encode_flat(value)
            if raw is not None:
                return raw
            value = msgspec.to_builtins(value)
        _check(value, 1)
        return _encode_sorted(value)
    except UnicodeEncodeError:
        raise Refused("CANONICAL_SURROGATE") from None


def encode_each(values: Sequence[msgspec.Struct]) -> list[bytes]:
    """Write Structs of one type, each as `encode` does; of scalars, they are checked together."""
    scalars = _scalars_of(type(values[0])) if values else None
    if scalars is not None:
        assert len({type(value) for value in values}) == 1, "Structs of one type"
        numbers = list(itertools.chain.from_iterable(map(scalars.numbers, values)))
        texts = itertools.chain.from_iterable(map(scalars.texts, values))
        if _are_exact(numbers) and _TEXTS.issuperset(map(type, texts)):
            with contextlib.suppress(UnicodeEncodeError):
                written = list(map(_encode_sorted, values))
                if not any(_NUL_ESCAPED in raw for raw in written):
                    return written
    return [encode(value) for value in values]


def _are_exact(numbers: Sequence[int | None]) -> bool:
    if not _NUMBERS.issuperset(map(type, numbers)):
        return False
    given = list(filter(None, numbers))
    return not given or (max(given) <= INTEGER_MAX and min(given) >= -INTEGER_MAX)


def _encode_flat(value: msgspec.Struct) -> bytes | None:
    """Write a Struct of scalars without a walk; None where a walk must name its fault."""
    scalars = _scalars_of(type(value))
    # A Struct keeps whatever it was made of: its types say nothing of what is in it.
    if scalars is None or not _TEXTS.issuperset(map(type, scalars.texts(value))):
        return None
    try:
        raw = _encode_sorted(value)
    except UnicodeEncodeError:
        return None  # A NUL in another text is named first.
    return raw if _NUL_ESCAPED not in raw and _are_exact(scalars.numbers(value)) else None


class _Scalars(NamedTuple):
    """What reads the numbers of a Struct, and what its texts."""

    numbers: Callable[[object], tuple[Any, ...]]
    texts: Callable[[object], tuple[Any, ...]]


@functools.lru_cache(maxsize=512)
def _scalars_of(shape: type[msgspec.Struct]) -> _Scalars | None:
    """Return what reads a Struct's scalars; None for a shape that holds more than those."""
    if shape.__struct_encode_fields__ != shape.__struct_fields__ or shape.__struct_config__.tag:
        return None  # Its keys are not its fields.
    numbers: list[str] = []
    texts: list[str] = []
    for field, hint in typing.get_type_hints(shape).items():
        arms = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        if not set(arms) <= {str, int, bool, types.NoneType}:
            return None
        _check_key(field)
        (texts if set(arms) <= {str, types.NoneType} else numbers).append(field)
    return _Scalars(_reader(numbers), _reader(texts))


def _reader(fields: Sequence[str]) -> Callable[[object], tuple[Any, ...]]:
    if not fields:
        return lambda _: ()
    # Of one name it would return the bare value.
    return operator.attrgetter(*fields, fields[0])


def decode(raw: bytes) -> Json:
    """Read canonical bytes; whatever is not canonical is Refused under a CANONICAL_ code."""
    try:
        value: Json = _decode_json(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        _name_fault(raw)
    _check(value, 1)
    if _encode_sorted(value) != raw:
        _name_fault(raw)
    return value


def decode_as(raw: bytes, shape: type[T]) -> T:
    """Read canonical bytes as a `shape`, strictly; refuses SCHEMA_MISMATCH naming the place."""
    return convert(decode(raw), shape)


def decode_own(raw: bytes, shape: type[T]) -> T:
    """Read what this node wrote into a row that it has checked: there is no fault to look for."""
    return msgspec.json.decode(raw, type=shape)


def convert(value: object, shape: type[T]) -> T:
    """Give a decoded value its `shape`, strictly; refuses SCHEMA_MISMATCH naming the place."""
    try:
        return msgspec.convert(value, shape, strict=True)
    except msgspec.ValidationError as fault:
        what, _, where = str(fault).partition(" - at ")
        # The words quote the sender's own names and values: so much of them is enough to find it.
        place = where.strip("`")[:_QUOTED_MAX] or "$"
        raise Refused("SCHEMA_MISMATCH", where=place, what=what[:_QUOTED_MAX]) from None


def digest(raw: bytes) -> str:
    """Return SHA-256 of the bytes as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(raw).hexdigest()


def diagnose(raw: bytes) -> None:
    """Refuse a JSON document that two readers could understand in two ways, naming its fault.

    For outer documents that need not be canonical: white space, order of keys, escapes and the
    spelling of keys are free; everything else is refused as in `decode`.
    """
    _find_strings(_read_slowly(raw))


def _name_fault(raw: bytes) -> NoReturn:
    """Refuse `raw`, which is known not to be canonical, under the code that fits best."""
    value = _read_slowly(raw)
    _check(value, 1)
    _find_strings(value)
    pairs = zip(raw, _encode_sorted(value), strict=False)
    same = next((at for at, (given, meant) in enumerate(pairs) if given != meant), None)
    raise Refused("CANONICAL_FORM", at=len(_encode_sorted(value)) if same is None else same)


def _check(value: object, depth: int) -> None:
    """Refuse what a comparison of bytes cannot see; surrogates are left to the encoder."""
    if isinstance(value, _CONTAINERS):
        _check_container(value, depth)
    else:
        _check_container((value,), 0)


def _check_container(
    value: dict[str, object] | list[object] | tuple[object, ...], depth: int
) -> None:
    """Check every value inside; a document is mostly scalars, and a call for each would tell."""
    if depth > DEPTH_MAX:
        raise Refused("CANONICAL_DEPTH", most=DEPTH_MAX)
    for item in _members(value):
        kind = type(item)
        # Most are of these very types, and comparing those costs less than a call.
        if kind is str or isinstance(item, str):
            if "\0" in item:
                raise Refused("CANONICAL_NUL")
        elif kind is int or isinstance(item, int):
            if not -INTEGER_MAX <= item <= INTEGER_MAX:
                raise Refused("CANONICAL_INTEGER_RANGE", most=INTEGER_MAX)
        elif kind is dict or isinstance(item, _CONTAINERS):
            _check_container(item, depth + 1)
        elif item is not None:
            assert isinstance(item, float), f"{type(item)} has no canonical form"
            raise Refused("CANONICAL_FLOAT")


def _members(value: dict[str, object] | list[object] | tuple[object, ...]) -> Iterable[Any]:
    if not isinstance(value, dict):
        return value
    if not value.keys() <= _KEYS_SEEN:
        for key in value:
            if key not in _KEYS_SEEN:
                _check_key(key)
    return value.values()


def _check_key(key: str) -> None:
    assert type(key) is str, f"a key of type {type(key)}"
    if _KEY.fullmatch(key) is None:
        raise Refused("CANONICAL_KEY", key=ascii(key[:_SHOWN_MAX]))
    # Bounded both ways, because keys come from strangers; a full set only costs speed.
    if len(key) <= _SHOWN_MAX and len(_KEYS_SEEN) < _KEYS_SEEN_MAX:
        _KEYS_SEEN.add(key)


def _read_slowly(raw: bytes) -> Json:
    """Parse with a hook at every place where a fault can hide."""
    if b"\0" in raw:
        raise Refused("CANONICAL_NUL")
    try:
        text = raw.decode()
    except UnicodeDecodeError as fault:
        _refuse_bytes(raw, fault.start)
    _check_depth(raw)
    try:
        value: Json = json.loads(
            text,
            parse_float=_refuse_float,
            parse_constant=_refuse_float,
            parse_int=_read_integer,
            object_pairs_hook=_read_pairs,
        )
    except json.JSONDecodeError as fault:
        raise Refused("CANONICAL_FORM", at=len(text[: fault.pos].encode())) from None
    return value


def _refuse_bytes(raw: bytes, start: int) -> NoReturn:
    """Tell a surrogate written as three bytes (CESU-8) from other damage to UTF-8."""
    if _SURROGATE_BYTES.match(raw, start):
        raise Refused("CANONICAL_SURROGATE")
    raise Refused("CANONICAL_UTF8", at=start)


def _check_depth(raw: bytes) -> None:
    """Count brackets before a recursive parser sees them."""
    depth = 0
    for match in _TOKEN.finditer(raw):
        token = match[0]
        if token in b"[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise Refused("CANONICAL_DEPTH", most=DEPTH_MAX)
        elif token in b"]}":
            depth -= 1


def _refuse_float(_text: str) -> NoReturn:
    raise Refused("CANONICAL_FLOAT")


def _read_integer(text: str) -> int:
    if len(text) > _INTEGER_LENGTH_MAX or abs(int(text)) > INTEGER_MAX:
        raise Refused("CANONICAL_INTEGER_RANGE", most=INTEGER_MAX)
    return int(text)


def _read_pairs(pairs: list[tuple[str, Json]]) -> Json:
    result: dict[str, Json] = {}
    for key, item in pairs:
        if key in result:
            raise Refused("CANONICAL_DUPLICATE_KEY", key=ascii(key[:_SHOWN_MAX]))
        result[key] = item
    return result


def _find_strings(value: Json) -> None:
    """Refuse NUL and lone surrogates in any key or string; the depth is already bounded."""
    if isinstance(value, str):
        if "\0" in value:
            raise Refused("CANONICAL_NUL")
        if _SURROGATE.search(value):
            raise Refused("CANONICAL_SURROGATE")
    elif isinstance(value, dict):
        for key, item in value.items():
            _find_strings(key)
            _find_strings(item)
    elif isinstance(value, list):
        for item in value:
            _find_strings(item)
