"""Structs of scalars are written the short way: with the bytes and refusals of the long one."""

import math

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tongcheng.kernel import canonical
from tongcheng.kernel.canonical import INTEGER_MAX
from tongcheng.kernel.errors import Refused


class Flat(msgspec.Struct):
    """A type of scalars, which is written without a walk."""

    name: str
    code: str | None
    total_fen: int
    rate: int | None
    final: bool


def _outcome(value: object) -> bytes | str:
    try:
        return canonical.encode(value)
    except Refused as refused:
        return refused.code


NUMBERS = st.integers(-INTEGER_MAX - 3, INTEGER_MAX + 3) | st.integers(-3, 3)
WORDS = st.text(st.characters(), max_size=6) | st.sampled_from(["\0", "\\u0000", "\ud800", "é"])


@given(flat=st.builds(Flat, WORDS, st.none() | WORDS, NUMBERS, st.none() | NUMBERS, st.booleans()))
@example(flat=Flat("a\0", None, 1, None, final=True))
@example(flat=Flat("\\u0000", None, INTEGER_MAX, -INTEGER_MAX, final=False))
@example(flat=Flat("a", "\ud800", 1, 2, final=False))
@example(flat=Flat("\0", "\ud800", 1, 2, final=False))
@example(flat=Flat("a", None, -INTEGER_MAX - 1, None, final=False))
def test_a_type_of_scalars_is_written_and_refused_like_its_fields(flat: Flat) -> None:
    """The short way has the bytes and the refusals of the long one."""
    plain = {field: getattr(flat, field) for field in Flat.__struct_fields__}

    assert _outcome(flat) == _outcome(plain)


FLATS = st.builds(Flat, WORDS, st.none() | WORDS, NUMBERS, st.none() | NUMBERS, st.booleans())


def _outcome_of_each(values: list[Flat]) -> list[bytes] | str:
    try:
        return canonical.encode_each(values)
    except Refused as refused:
        return refused.code


@given(flats=st.lists(FLATS, max_size=4))
@example(flats=[Flat("a", None, 1, None, final=True), Flat("\0", None, 1, None, final=True)])
@example(flats=[Flat("a", None, INTEGER_MAX + 1, None, final=True)])
def test_several_are_written_and_refused_like_each(flats: list[Flat]) -> None:
    """Checked together, they have the bytes and the first refusal that they have one by one."""
    one_by_one = [_outcome(flat) for flat in flats]
    refused = [each for each in one_by_one if isinstance(each, str)]

    assert _outcome_of_each(flats) == (refused[0] if refused else one_by_one)


def test_a_float_in_a_type_of_scalars_is_refused() -> None:
    """A number that is none, put where a whole one belongs, has no canonical form."""
    wrong = Flat("a", None, 1.5, None, final=False)  # type: ignore[arg-type]

    assert _outcome(wrong) == "CANONICAL_FLOAT"


@pytest.mark.parametrize(
    ("held", "code"),
    [
        (1.5, "CANONICAL_FLOAT"),
        (math.nan, "CANONICAL_FLOAT"),
        ([1.5], "CANONICAL_FLOAT"),
        ({"A b": 1}, "CANONICAL_KEY"),
        ("\0", "CANONICAL_NUL"),
        (["\0"], "CANONICAL_NUL"),
        (INTEGER_MAX + 1, "CANONICAL_INTEGER_RANGE"),
    ],
)
@pytest.mark.parametrize("field", ["name", "code"])
def test_what_is_no_text_is_refused_where_a_text_belongs(
    field: str, held: object, code: str
) -> None:
    """A Struct does not check what it is made of, so whoever writes it does."""
    right = Flat("a", None, 1, None, final=False)
    wrong = msgspec.structs.replace(right, **{field: held})

    assert _outcome(wrong) == code
    assert _outcome_of_each([right, wrong]) == code


ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=4,
)


@given(flat=st.builds(Flat, ANYTHING, ANYTHING, ANYTHING, ANYTHING, ANYTHING))
def test_whatever_a_type_of_scalars_holds_is_written_like_its_fields(flat: Flat) -> None:
    """No field lets by what the long way refuses, or writes it otherwise."""
    plain = {field: getattr(flat, field) for field in Flat.__struct_fields__}

    assert _outcome(flat) == _outcome(plain)


class Renamed(msgspec.Struct, rename="camel"):
    """A type whose keys are not its fields."""

    total_fen: int


class Tagged(msgspec.Struct, tag="Of"):
    """A type that adds a key of its own."""

    total_fen: int


def test_the_keys_that_are_written_are_checked() -> None:
    """A type that renames its fields is held to the names that it writes."""
    assert _outcome(Renamed(1)) == "CANONICAL_KEY"
    assert _outcome(Tagged(1)) == b'{"total_fen":1,"type":"Of"}'
