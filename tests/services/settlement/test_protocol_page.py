"""docs/protocol/05 names every body that crosses the border and every field in it."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest

from tests import tidy
from tongcheng.services.settlement.service import SERVICE

PAGE = (tidy.ROOT / "docs" / "protocol" / "05-settlement.md").read_text("utf-8")
WORDS = {word for code in re.findall(r"`([^`\n]+)`", PAGE) for word in re.findall(r"\w+", code)}

BODIES: dict[str, type[Any]] = {
    **{act.envelope_type: act.body for act in SERVICE.acts},
    **{ask.envelope_type: ask.body for ask in SERVICE.asks},
    **{ask.answer_type: ask.answer_body for ask in SERVICE.asks},
}


def _structs(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """Yield the structs that a type is made of, itself included."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
        for field in msgspec.structs.fields(kind):
            yield from _structs(field.type)
    for part in get_args(kind):
        yield from _structs(part)


@pytest.mark.parametrize("envelope_type", BODIES)
def test_every_field_is_specified(envelope_type: str) -> None:
    """Another implementation is written from the page: a field that it does not name is missing."""
    fields = {
        field.encode_name
        for struct in _structs(BODIES[envelope_type])
        for field in msgspec.structs.fields(struct)
    }

    assert envelope_type in PAGE
    assert sorted(fields - WORDS) == []
