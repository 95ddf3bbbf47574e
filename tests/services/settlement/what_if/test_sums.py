"""The sums of a what-if: the laws that hold for any amounts, and a count by hand."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongcheng.services.settlement.batch.arrays import UNKNOWN_FEN
from tongcheng.services.settlement.batch.columns import RESULT_AMOUNTS
from tongcheng.services.settlement.what_if import loops
from tongcheng.services.settlement.what_if.measures import (
    AMOUNTS,
    ANNOUNCED,
    BANDS,
    DIMENSIONS,
    FUNDS,
    MEASURES,
    PERSON,
    age_band,
    band_of,
)
from tongcheng.services.settlement.what_if.sums import (
    DECILE_COLUMNS,
    DIFFERENCE,
    OLD,
    Layout,
    Paired,
    Sums,
    decile_cuts,
    deciles,
    sums_of,
    total,
)

LAYOUT = Layout((("all",), *((f"{name}-a", f"{name}-b", "") for name in DIMENSIONS[1:])))
CODES = 3
AT = {name: MEASURES.index(name) for name in MEASURES}
Row = tuple[int, bool, int, list[int], list[int], int, int]
"""Person, standing, group, old and new amounts of AMOUNTS, old and new code."""


def amounts(person_and_funds: list[int]) -> list[int]:
    """Return a row of results; what is not asked about is 0, and nothing is announced."""
    named = dict(zip(AMOUNTS, person_and_funds, strict=True))
    return [UNKNOWN_FEN if "expected" in name else named.get(name, 0) for name in RESULT_AMOUNTS]


def paired(rows: list[Row]) -> Paired:
    """Return rows as a batch; each is in the same group of every dimension."""
    starts = np.array(LAYOUT.starts)
    codes = [[start + (row[2] if at else 0) for row in rows] for at, start in enumerate(starts)]
    return Paired(
        person=np.array([row[0] for row in rows], np.int64),
        kind=np.zeros(len(rows), np.int8),
        standing=np.array([row[1] for row in rows], np.bool_),
        direct=np.array([row[1] for row in rows], np.bool_),
        concerned=np.ones(len(rows), np.bool_),
        codes=np.array(codes, np.int16).reshape(len(DIMENSIONS), len(rows)),
        old=np.array([amounts(row[3]) for row in rows], np.int64).reshape(-1, len(RESULT_AMOUNTS)),
        new=np.array([amounts(row[4]) for row in rows], np.int64).reshape(-1, len(RESULT_AMOUNTS)),
        old_code=np.array([row[5] for row in rows], np.int16),
        new_code=np.array([row[6] for row in rows], np.int16),
    )


def same_in_scope(old: list[int], shares: list[int]) -> list[int]:
    """Return new amounts that come to as much as the old ones, divided by `shares`."""
    whole = sum(old)
    moved = [min(share, whole) for share in shares]
    left = whole
    new = []
    for share in moved:
        new.append(min(share, left))
        left -= new[-1]
    return [*new, left]


FEN = st.one_of(st.integers(0, 300), st.integers(0, 10**11))
ANNOUNCED_FEN = st.one_of(st.just(UNKNOWN_FEN), FEN)


@given(st.data(), st.integers(0, 30))
def test_who_is_not_concerned_counts_as_under_the_old_rules(data: st.DataObject, rows: int) -> None:
    """Law: whatever stands in `new` of the others; announced amounts add up where known."""
    shape = (rows, len(RESULT_AMOUNTS))
    every = st.lists(ANNOUNCED_FEN, min_size=shape[1], max_size=shape[1])
    tables = [
        np.array([data.draw(every) for _ in range(rows)], np.int64).reshape(shape) for _ in range(2)
    ]
    for table in tables:
        known = [at for at, name in enumerate(RESULT_AMOUNTS) if "expected" not in name]
        table[:, known] = np.maximum(table[:, known], 0)
    concerned = np.array([data.draw(st.booleans()) for _ in range(rows)], np.bool_)
    blank = [(at // 3, data.draw(st.booleans()), 0, [0] * 5, [0] * 5, 0, 0) for at in range(rows)]
    batch = paired(blank)._replace(old=tables[0], new=tables[1], concerned=concerned)
    told = np.where(concerned[:, None], tables[1], tables[0])
    whole = batch._replace(new=told, concerned=np.ones(rows, np.bool_))

    found, expected = (sums_of(LAYOUT, each, CODES) for each in (batch, whole))

    for name, one, other in zip(Sums._fields, found, expected, strict=True):
        assert np.array_equal(one, other), name
    stands = batch.standing
    for side, amounts_of in (("old", tables[0]), ("new", told)):
        for name in ANNOUNCED:
            fen = amounts_of[stands, RESULT_AMOUNTS.index(name)]
            assert found.groups[0, AT[f"{side}_{name}"]] == fen[fen != UNKNOWN_FEN].sum()
        unknown = amounts_of[stands][:, [RESULT_AMOUNTS.index(name) for name in ANNOUNCED]]
        assert found.groups[0, AT[f"{side}_announced_unknown"]] == (unknown == UNKNOWN_FEN).sum()


@st.composite
def batches(draw: st.DrawFn) -> list[list[Row]]:
    """Return persons, each with adjacent rows."""
    persons = []
    for person in range(draw(st.integers(0, 8))):
        rows: list[Row] = []
        for _ in range(draw(st.integers(1, 4))):
            old = draw(st.lists(FEN, min_size=5, max_size=5))
            stays = draw(st.booleans())
            new = (
                list(old)
                if stays
                else same_in_scope(old, draw(st.lists(FEN, min_size=4, max_size=4)))
            )
            codes = draw(st.sampled_from([(0, 0), (0, 0), (1, 0), (0, 2), (1, 1)]))
            standing = codes == (0, 0) and draw(st.booleans())
            rows.append((person, standing, draw(st.integers(0, 2)), old, new, *codes))
        persons.append(rows)
    return persons


def summed(rows: list[Row]) -> Sums:
    """Return the sums of rows."""
    return sums_of(LAYOUT, paired(rows), CODES)


def flat(persons: list[list[Row]]) -> list[Row]:
    """Return the rows of persons."""
    return [row for rows in persons for row in rows]


@settings(deadline=None)
@given(persons=batches(), cut=st.integers(0, 8))
def test_parts_add_up_to_the_whole(persons: list[list[Row]], cut: int) -> None:
    """However persons are divided, and in whatever order the parts come, the sums are the same."""
    whole = summed(flat(persons))
    parts = total([summed(flat(persons[cut:])), summed(flat(persons[:cut]))])

    assert (parts.groups == whole.groups).all()
    assert (parts.bands == whole.bands).all()
    assert (parts.codes == whole.codes).all()
    assert (deciles(parts.persons) == deciles(whole.persons)).all()


@settings(deadline=None)
@given(persons=batches())
def test_what_persons_bear_more_funds_pay_less(persons: list[list[Row]]) -> None:
    """In each group: losses less gains, the persons' difference, and less from the funds."""
    found = summed(flat(persons))
    for row in (*found.groups,):
        by_name = dict(zip(MEASURES, row.tolist(), strict=True))
        lost = by_name["lost_fen"] - by_name["gained_fen"]
        assert lost == by_name[f"new_{PERSON}"] - by_name[f"old_{PERSON}"]
        assert lost == sum(by_name[f"old_{fund}"] - by_name[f"new_{fund}"] for fund in FUNDS)
    of_all = found.groups[0]
    difference = of_all[AT["lost_fen"]] - of_all[AT["gained_fen"]]
    tenths = dict(zip(DECILE_COLUMNS, deciles(found.persons).sum(axis=0), strict=True))

    assert found.bands[:, 1].sum() == difference == found.persons[:, DIFFERENCE].sum()
    assert tenths["lost_fen"] - tenths["gained_fen"] == difference
    assert tenths["persons"] == of_all[AT["persons"]] == found.bands[:, 0].sum()
    assert found.codes.sum() == len(flat(persons))


@settings(deadline=None)
@given(persons=batches())
def test_groups_are_what_counting_one_by_one_gives(persons: list[list[Row]]) -> None:
    """A dimension's groups, reckoned a row at a time with dicts."""
    expected: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for rows in persons:
        differences: dict[int, int] = {}
        for _, standing, group, old, new, _, _ in rows:
            if not standing:
                continue
            counted = expected[group]
            counted["settlements"] += 1
            counted["changed"] += old != new
            counted["old_announced_unknown"] += 2
            for at, name in enumerate(AMOUNTS):
                counted[f"old_{name}"] += old[at]
                counted[f"new_{name}"] += new[at]
            differences[group] = differences.get(group, 0) + new[-1] - old[-1]
        for group, fen in differences.items():
            expected[group]["persons"] += 1
            expected[group]["gaining"] += fen < 0
            expected[group]["losing"] += fen > 0
    found = summed(flat(persons))
    for group in range(3):
        row = found.groups[LAYOUT.starts[3] + group]
        for name, number in expected[group].items():
            assert row[AT[name]] == number, name


@given(st.lists(st.integers(0, 30), min_size=1, max_size=200))
def test_deciles_part_nobody_who_is_equal(borne: list[int]) -> None:
    """The decile is where the lowest of all equal persons would be, counted by sorting."""
    persons = np.zeros((len(borne), 4), np.int64)
    persons[:, OLD] = borne
    at = np.searchsorted(decile_cuts(persons[:, OLD]), persons[:, OLD], side="left")
    ordered = sorted(borne)

    for fen, decile in zip(borne, at.tolist(), strict=True):
        below = ordered.index(fen)  # persons who bore less
        assert decile == sum(below >= -(-d * len(borne) // 10) for d in range(1, 10))
    assert deciles(persons)[:, 0].sum() == len(borne)


def test_ten_different_persons_are_ten_deciles() -> None:
    """And of one hundred, ten in each."""
    for count in (10, 100):
        persons = np.zeros((count, 4), np.int64)
        persons[:, OLD] = np.arange(count)[::-1]
        assert deciles(persons)[:, 0].tolist() == [count // 10] * 10


def test_nobody_has_no_deciles() -> None:
    """A file without a settlement that stands is told as nothing, not as a fault."""
    assert deciles(np.zeros((0, 4), np.int64)).sum() == 0
    assert summed([]).groups.sum() == 0


@pytest.mark.parametrize(
    ("fen", "band"),
    [(0, 7), (1, 8), (-1, 6), (99_99, 8), (100_00, 9), (-100_00, 5), (10**10, 14), (-(10**10), 0)],
)
def test_bands_have_edges(fen: int, band: int) -> None:
    """The first fen of a band is in it, in the loop as in the table."""
    assert band_of(fen) == loops._band(fen) == band  # noqa: SLF001 the two must say the same
    assert 0 <= band < BANDS


@pytest.mark.parametrize(("age", "band"), [(0, 0), (17, 0), (18, 1), (85, 7), (150, 7), (-1, 8)])
def test_ages_have_bands(age: int, band: int) -> None:
    """What is no age is in the group of those whose age is not known."""
    assert age_band(age) == band


def test_void_and_settlement_are_not_counted() -> None:
    """What does not stand is in no group; a code is counted where it is."""
    row: Any = (1, False, 0, [5, 0, 0, 0, 5], [9, 0, 0, 0, 1], 0, 2)
    found = summed([row])

    assert found.groups.sum() == 0
    assert found.codes[0, 0, 2] == 1
    assert found.persons.shape == (0, 4)
