"""Canonical bytes: one value, one spelling, and a name for every fault."""

from __future__ import annotations

import hashlib
import json
import time
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tongcheng.kernel import canonical
from tongcheng.kernel.canonical import DEPTH_MAX, INTEGER_MAX
from tongcheng.kernel.errors import Refused

VECTORS = json.loads(
    (Path(__file__).parents[2] / "docs/protocol/vectors/canonical.json").read_text("utf-8")
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
KEYS = st.text("abcxyz0189_", min_size=1, max_size=12)
SCALARS = (
    st.none() | st.booleans() | st.integers(min_value=-INTEGER_MAX, max_value=INTEGER_MAX) | TEXTS
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5)
)

# Bytes that JSON, UTF-8 and our rules care about, to make mutations land where it hurts.
FRAGMENTS = st.sampled_from(
    [
        *(bytes([byte]) for byte in b'{}[]:,"\\ \n\0\x01\x7f\x80\xc0\xff-+.0129aAeEu_'),
        b"\\ud800",
        b"\\udc00",
        b"\\ud83d\\ude00",
        b"\\u0000",
        b"\\u0061",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xef\xbb\xbf",
        b"NaN",
        b"Infinity",
        b"1e5",
        b"1e999",
        b"-0",
        b"9007199254740992",
        b"9" * 5000,
        b'"a":1,"a":2',
        b"[" * 50,
        b'{"a":' * 50,
    ]
)


def _code(raw: bytes) -> str:
    """Return the code under which `raw` is refused, or "" and check that it is canonical."""
    try:
        value = canonical.decode(raw)
    except Refused as refused:
        return refused.code
    assert canonical.encode(value) == raw
    return ""


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["name"])
def test_accepted_vectors(vector: dict[str, str]) -> None:
    """The documents of the specification that every implementation accepts."""
    raw = bytes.fromhex(vector["hex"])

    assert canonical.encode(canonical.decode(raw)) == raw
    assert raw.decode() == vector["text"]
    assert canonical.digest(raw) == vector["sha256"]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["name"])
def test_refused_vectors(vector: dict[str, str]) -> None:
    """The documents of the specification that every implementation refuses, each by its code."""
    assert _code(bytes.fromhex(vector["hex"])) == vector["code"]


@given(VALUES)
def test_what_is_written_is_read_back(value: canonical.Json) -> None:
    """Nothing is lost or changed between two nodes."""
    assert canonical.decode(canonical.encode(value)) == value


@given(VALUES)
def test_one_value_one_spelling(value: canonical.Json) -> None:
    """The writer agrees with the plain definition, as the standard library would carry it out."""
    plain = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    # The library leaves no choice but the six short escapes and \\u00xx, which are ours too.
    assert canonical.encode(value) == plain.encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """A stranger's bytes never do anything but decode or be refused."""
    code = _code(raw)

    assert code == "" or code.startswith("CANONICAL_")


@settings(max_examples=300)
@given(VALUES, st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3), FRAGMENTS), max_size=3))
@example({"a": 1}, [(0, 0, b"[" * 50)])
def test_damaged_documents_are_read_or_refused(
    value: canonical.Json, damage: list[tuple[int, int, bytes]]
) -> None:
    """Canonical documents with pieces replaced by what parsers stumble over."""
    raw = canonical.encode(value)
    for place, length, piece in damage:
        at = min(place, len(raw))
        raw = raw[:at] + piece + raw[at + length :]
    code = _code(raw)

    assert code == "" or code.startswith("CANONICAL_")


@given(VALUES, st.integers(0, 400), st.integers(1, 255))
def test_no_two_spellings(value: canonical.Json, place: int, change: int) -> None:
    """Any one byte changed gives another value or a refusal, never the same value."""
    raw = bytearray(canonical.encode(value))
    raw[place % len(raw)] ^= change
    try:
        other = canonical.decode(bytes(raw))
    except Refused:
        return

    assert canonical.encode(other) != canonical.encode(value)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"[" * 100_000, "CANONICAL_DEPTH"),
        (b"[" * 100_000 + b"]" * 100_000, "CANONICAL_DEPTH"),
        (b'{"a":' * 100_000, "CANONICAL_DEPTH"),
        (b'["' * 100_000, "CANONICAL_DEPTH"),
        (b'"' + b'\\"' * 200_000, "CANONICAL_FORM"),
        (b'"' + b"\\u0061" * 50_000 + b'"', "CANONICAL_FORM"),
        (b"9" * 250_000, "CANONICAL_INTEGER_RANGE"),
        (b"1." + b"9" * 250_000, "CANONICAL_FLOAT"),
        (b"[" + b'{"a":1,"a":1},' * 15_000 + b"1]", "CANONICAL_DUPLICATE_KEY"),
        (b"[" + b"[]," * 80_000 + b" 1]", "CANONICAL_FORM"),
    ],
    ids=[
        "lists",
        "closed lists",
        "objects",
        "quotes",
        "escaped quotes",
        "needless escapes",
        "long integer",
        "long fraction",
        "many objects",
        "wide",
    ],
)
def test_hostile_documents_are_cheap(raw: bytes, code: str) -> None:
    """A quarter of a megabyte made to exhaust the stack or the clock does neither."""
    started = time.process_time()

    assert _code(raw) == code
    assert time.process_time() - started < 2


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.5, "CANONICAL_FLOAT"),
        (float("nan"), "CANONICAL_FLOAT"),
        ({"a": [1.0]}, "CANONICAL_FLOAT"),
        (INTEGER_MAX + 1, "CANONICAL_INTEGER_RANGE"),
        (-INTEGER_MAX - 1, "CANONICAL_INTEGER_RANGE"),
        ("a\0b", "CANONICAL_NUL"),
        ("\ud800", "CANONICAL_SURROGATE"),
        ({"Name": 1}, "CANONICAL_KEY"),
        ({"a\n": 1}, "CANONICAL_KEY"),
        ({"": 1}, "CANONICAL_KEY"),
        (_nested(DEPTH_MAX + 1), "CANONICAL_DEPTH"),
        (_nested(100_000), "CANONICAL_DEPTH"),
    ],
    ids=[
        "float",
        "nan",
        "nested float",
        "large",
        "small",
        "nul",
        "surrogate",
        "capital",
        "newline",
        "empty key",
        "deep",
        "very deep",
    ],
)
def test_encode_refuses(value: object, code: str) -> None:
    """Values come from clerks and hospitals; what has no canonical form is refused by name."""
    with pytest.raises(Refused) as caught:
        canonical.encode(value)

    assert caught.value.code == code


@pytest.mark.parametrize("value", [b"bytes", {1: 2}, {"a": {3}}, object()])
def test_encode_of_what_is_not_json_is_our_bug(value: object) -> None:
    """Types that JSON lacks never reach the encoder from outside."""
    with pytest.raises(AssertionError):
        canonical.encode(value)


class Scheme(StrEnum):
    """An insurance scheme."""

    EMPLOYEE = "employee"


class Claim(msgspec.Struct, forbid_unknown_fields=True):
    """A wire type for the tests."""

    total_fen: int
    scheme: Scheme
    lines: list[str]


def test_structs_are_written_like_their_fields() -> None:
    """A wire type and the plain object it stands for have the same bytes."""
    claim = Claim(total_fen=1, scheme=Scheme.EMPLOYEE, lines=["a"])

    raw = canonical.encode(claim)

    assert raw == b'{"lines":["a"],"scheme":"employee","total_fen":1}'
    assert canonical.decode_as(raw, Claim) == claim


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (b'{"lines":[],"scheme":"employee","total_fen":"1"}', "$.total_fen"),
        (b'{"lines":["a",2],"scheme":"employee","total_fen":1}', "$.lines[1]"),
        (b'{"lines":[],"scheme":"resident","total_fen":1}', "$.scheme"),
        (b'{"lines":[],"scheme":"employee"}', "$"),
        (b'{"lines":[],"more":1,"scheme":"employee","total_fen":1}', "$"),
        (b"[]", "$"),
    ],
    ids=["type", "element", "choice", "missing", "unknown", "not an object"],
)
def test_schema_mismatch_names_the_place(raw: bytes, where: str) -> None:
    """The peer's engineer learns which field to look at."""
    with pytest.raises(Refused, match="SCHEMA_MISMATCH") as caught:
        canonical.decode_as(raw, Claim)

    assert caught.value.facts["where"] == where


def test_decode_as_refuses_other_spellings_first() -> None:
    """A document of the right shape in the wrong spelling is not canonical all the same."""
    with pytest.raises(Refused, match="CANONICAL_FORM"):
        canonical.decode_as(b'{"total_fen":1,"scheme":"employee","lines":[]}', Claim)


@pytest.mark.parametrize(
    "raw",
    [b' {"b": 1, "a": "\\u540c"} ', b'{"resourceType":"Claim"}', b"[1,\n2]", b"-0"],
    ids=["white space, order and escapes", "camel case", "line break", "minus zero"],
)
def test_diagnose_lets_harmless_spellings_pass(raw: bytes) -> None:
    """Outer documents need not be canonical, only clear."""
    canonical.diagnose(raw)


@pytest.mark.parametrize(
    "vector",
    [v for v in VECTORS["refused"] if v["code"] not in {"CANONICAL_FORM", "CANONICAL_KEY"}],
    ids=lambda vector: vector["name"],
)
def test_diagnose_refuses_what_two_readers_read_differently(vector: dict[str, str]) -> None:
    """Floats, duplicate keys, NUL, surrogates, depth, range and encoding are never harmless."""
    with pytest.raises(Refused) as caught:
        canonical.diagnose(bytes.fromhex(vector["hex"]))

    assert caught.value.code == vector["code"]


@pytest.mark.parametrize(
    ("raw", "code"),
    [(b'{"\\ud800":1}', "CANONICAL_SURROGATE"), (b'{"\\u0000":1}', "CANONICAL_NUL")],
)
def test_diagnose_reads_keys_too(raw: bytes, code: str) -> None:
    """A key is text like any other."""
    with pytest.raises(Refused, match=code):
        canonical.diagnose(raw)


@pytest.mark.parametrize(
    ("raw", "at"),
    [(b'{"b":1,"a":2}', 2), (b"1 ", 1), (b"[1, 2]", 3), ('["同",'.encode(), 7), (b"", 0)],
)
def test_form_names_the_byte(raw: bytes, at: int) -> None:
    """The first byte that a canonical writer would not have written."""
    with pytest.raises(Refused, match="CANONICAL_FORM") as caught:
        canonical.decode(raw)

    assert caught.value.facts == {"at": at}


def test_digest() -> None:
    """SHA-256 in lower-case hexadecimal."""
    assert canonical.digest(b"abc") == hashlib.sha256(b"abc").hexdigest()
