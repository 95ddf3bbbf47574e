"""A method has one spelling, and every part of it counts."""

import msgspec
import pytest

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.output.method import Method, Source

METHOD = Method(
    "isochrones",
    "docs/mobility-measures.md#isochrones",
    {"window_first_s": 25_200, "percentiles": [5, 50], "regime": "p50"},
    (Source("feed", "b", "0" * 64), Source("feed", "a", "1" * 64)),
    "scan 1",
)


def test_the_order_of_sources_is_no_part_of_a_method() -> None:
    """Who names the feeds in another order makes the same file."""
    turned = msgspec.structs.replace(METHOD, sources=METHOD.sources[::-1])

    assert turned.encoded() == METHOD.encoded()
    assert METHOD.encoded().startswith(b'{"definition":"docs/mobility-measures.md#isochrones",')


@pytest.mark.parametrize(
    "changed",
    [
        {"measure": "other"},
        {"definition": "other"},
        {"parameters": {"window_first_s": 25_201, "percentiles": [5, 50], "regime": "p50"}},
        {"sources": METHOD.sources[:1]},
        {"kernel": "scan 2"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_part_counts(changed: dict[str, object]) -> None:
    """Another parameter, feed or kernel is another method."""
    assert msgspec.structs.replace(METHOD, **changed).digest != METHOD.digest


def test_a_parameter_is_whole_or_a_word() -> None:
    """A fraction has many spellings; units in the names make it whole."""
    with pytest.raises(Refused, match="CANONICAL_FLOAT"):
        msgspec.structs.replace(METHOD, parameters={"speed": 1.2}).encoded()
