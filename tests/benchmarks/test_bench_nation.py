"""What the benchmark of a nation's year calls kept."""

from pathlib import Path

import pytest

from benchmarks.bench_nation import SECONDS_MAX, Answered, changed_book, rows_of
from benchmarks.engine_claims import SHAPE_BOOK, books
from tongcheng.kernel.rulebook import parse


def test_the_whole_command_is_promised_not_its_own_clock() -> None:
    """The best of several runs; starting and compiling are a part of what a person waits for."""
    slow, quick = (Answered(SECONDS_MAX + at, 9.0, 3.0 - at, "numba") for at in (1, 0))
    promised, told = rows_of(1_000, 2**21, [slow, quick], [slow], 2.5)
    missed, _ = rows_of(1_000, 2**21, [slow], [slow], 2.5)

    assert (promised.figure, promised.ratio, promised.holds) == (SECONDS_MAX, 2.0, True)
    assert promised.note == (
        "3.0 s of it is the what-if, by numba; 9.0 s of CPU on all cores; the claims are 2 MiB"
    )
    assert not missed.holds
    assert missed.missed_by == pytest.approx(1 / SECONDS_MAX)
    assert (told.holds, told.reference_figure) == (None, SECONDS_MAX)


def test_the_new_book_is_the_old_one_with_another_cap(tmp_path: Path) -> None:
    """A benchmark of two equal sets of rules would compare nothing."""
    new = parse(changed_book(tmp_path).read_text("utf-8"))
    [old] = books(SHAPE_BOOK)

    assert new.book_id == old.book_id
    assert new.digest != old.digest
