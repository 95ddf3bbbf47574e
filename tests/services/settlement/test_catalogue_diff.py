"""What differs between two catalogues, as a clerk would list it by hand."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.services.settlement.catalogue import COLUMNS, Catalogue, Item, parse, version
from tongcheng.services.settlement.catalogue_diff import FieldChange, counts, diff

HEAD = "# catalogue: c\n# admdvs: 120000\n# source: synthetic\n" + ",".join(COLUMNS) + "\n"
OPEN = "X1,one,B,10,0.1,drug,2024-01-01,\n"
YEAR = ("2024-01-01", None)

# older rows | newer rows | kind, first day, last day, fields
TABLE = [
    (OPEN, OPEN, []),
    ("", OPEN, [("added", "2024-01-01", None, ())]),
    (OPEN, "", [("ended", "2024-01-01", None, ())]),
    (OPEN, OPEN.replace(",\n", ",2026-06-30\n"), [("ended", "2026-07-01", None, ())]),
    (OPEN, OPEN.replace(",B,", ",A,"), [("changed", *YEAR, ("item_class",))]),
    (OPEN, OPEN.replace(",10,", ",12.5,"), [("changed", *YEAR, ("price_ceiling",))]),
    (OPEN, OPEN.replace(",10,", ",,"), [("changed", *YEAR, ("price_ceiling",))]),
    (OPEN, OPEN.replace("0.1", ""), [("changed", *YEAR, ("first_self_pay",))]),
    (OPEN, OPEN.replace("one", "eins"), [("changed", *YEAR, ("name",))]),
    (OPEN, OPEN.replace("drug", "service"), [("changed", *YEAR, ("charge_category",))]),
    # Closed and continued on the same terms: every day says what it said.
    (OPEN, OPEN.replace(",\n", ",2025-12-31\n") + OPEN.replace("2024", "2026"), []),
    # Closed and continued on other terms: different from that day on.
    (
        OPEN,
        OPEN.replace(",\n", ",2025-12-31\n") + "X1,one,A,10,0,drug,2026-01-01,\n",
        [("changed", "2026-01-01", None, ("item_class", "first_self_pay"))],
    ),
    # A gap.
    (
        OPEN,
        OPEN.replace(",\n", ",2024-12-31\n") + OPEN.replace("2024", "2026"),
        [("ended", "2025-01-01", "2025-12-31", ())],
    ),
    # It begins earlier now.
    (OPEN, OPEN.replace("2024", "2023"), [("added", "2023-01-01", "2023-12-31", ())]),
    # It begins later now.
    (OPEN, OPEN.replace("2024", "2025"), [("ended", "2024-01-01", "2024-12-31", ())]),
]


@pytest.mark.parametrize(("old", "new", "expected"), TABLE)
def test_difference_of_one_item(old: str, new: str, expected: list[tuple[object, ...]]) -> None:
    """Each difference names the days on which it counts, and what is different on them."""
    found = diff(parse(HEAD + old), parse(HEAD + new))

    assert [
        (
            one.kind,
            one.from_on.isoformat(),
            one.to_on and one.to_on.isoformat(),
            tuple(change.field for change in one.fields),
        )
        for one in found
    ] == expected


def test_counts_and_order() -> None:
    """Differences come by code; the counts say how many of each kind, and of each field."""
    old = parse(HEAD + OPEN + OPEN.replace("X1", "X3"))
    new = parse(HEAD + OPEN.replace("B,10", "A,9") + OPEN.replace("X1", "X2"))

    found = diff(old, new)

    assert [(one.code, one.kind) for one in found] == [
        ("X1", "changed"),
        ("X2", "added"),
        ("X3", "ended"),
    ]
    assert found[0].fields == (
        FieldChange("item_class", "B", "A"),
        FieldChange("price_ceiling", 10_000_000, 9_000_000),
    )
    assert {name: count for name, count in counts(found).items() if count} == {
        "added": 1,
        "ended": 1,
        "changed": 1,
        "item_class": 1,
        "price_ceiling": 1,
    }


FIRST = date(2025, 1, 1).toordinal()


@st.composite
def _catalogues(draw: st.DrawFn) -> Catalogue:
    """Versions of one item on some of twenty days, in any order."""
    starts = sorted(draw(st.sets(st.integers(0, 19), max_size=5)))
    versions = []
    for at, start in enumerate(starts):
        free = starts[at + 1] if at + 1 < len(starts) else 25
        end = draw(st.integers(start, free - 1))
        letter = draw(st.sampled_from("ABC"))
        days = (date.fromordinal(FIRST + each).isoformat() for each in (start, end))
        versions.append(f"X1,one,{letter},,0,drug,{','.join(days)}\n")
    return parse(HEAD + "".join(draw(st.permutations(versions))))


@given(old=_catalogues(), new=_catalogues())
def test_differences_are_those_of_the_days(old: Catalogue, new: Catalogue) -> None:
    """On every day there is a difference exactly when the two catalogues say different things."""
    found = diff(old, new)

    for day in range(30):
        on = date.fromordinal(FIRST + day)
        here = [
            one for one in found if one.from_on <= on and (one.to_on is None or on <= one.to_on)
        ]
        before, after = (version(each.items.get("X1", ()), on) for each in (old, new))
        if _terms(before) == _terms(after):
            assert here == []
        else:
            (one,) = here
            kind = "added" if before is None else "ended" if after is None else "changed"
            assert one.kind == kind


def _terms(item: Item | None) -> str | None:
    return None if item is None else item.item_class
