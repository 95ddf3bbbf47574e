"""Rows of fact tables: what a cell may say, and that every fault names its line."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts.figures import Figure, Origin
from tongcheng.services.mobility.facts.reading import Row, rows

COLUMNS = ("x", "x_by")


def _row(**cells: str) -> Row:
    return Row("t.csv", 7, cells, {"press"})


def test_rows_carry_their_lines() -> None:
    """Comments and blank lines are passed over and counted; the columns may come in any order."""
    found = list(rows("t.csv", "# why\n\nx_by,x\r\n,1\n\n,2\n", COLUMNS))

    assert [(row.line, row.text("x")) for row in found] == [(4, "1"), (6, "2")]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "FACTS_COLUMNS", None),
        ("x\n1\n", "FACTS_COLUMNS", None),
        ("x,x_by,y\n", "FACTS_COLUMNS", None),
        ("x,x,x_by\n", "FACTS_COLUMNS", None),
        ("x,x_by\n1\n", "FACTS_ROW", 2),
        ("x,x_by\n1,2,3\n", "FACTS_ROW", 2),
        ('x,x_by\n1,2\n"a,b\n', "FACTS_ROW", 3),
        ("x,x_by\n1, 2\n", "FACTS_ROW", 2),
    ],
)
def test_rows_refuse(text: str, code: str, line: int | None) -> None:
    """What is no table of these columns is refused, with the line where one can be named."""
    with pytest.raises(Refused) as refused:
        list(rows("t.csv", text, COLUMNS))

    assert (refused.value.code, refused.value.facts.get("line")) == (code, line)


def test_figure() -> None:
    """A figure has a value and an origin; both blank is not known."""
    assert _row(x="1.5", x_by="press 2020 high").figure("x", 0, 9) == Figure(
        1.5, Origin("press", 2020, "high")
    )
    assert _row(x="", x_by="").figure("x", 0, 9) is None


@pytest.mark.parametrize(
    ("value", "origin", "code"),
    [
        ("1", "", "FACTS_VALUE"),
        ("", "press 2020 high", "FACTS_VALUE"),
        ("1e3", "press 2020 high", "FACTS_VALUE"),
        ("nan", "press 2020 high", "FACTS_VALUE"),
        ("１", "press 2020 high", "FACTS_VALUE"),
        ("10", "press 2020 high", "FACTS_VALUE"),
        ("1", "press 2020", "FACTS_VALUE"),
        ("1", "press 20 high", "FACTS_VALUE"),
        ("1", "press ２０２０ high", "FACTS_VALUE"),
        ("1", "press 2020 sure", "FACTS_VALUE"),
        ("1", "rumour 2020 high", "FACTS_REFERENCE"),
    ],
)
def test_figure_refused(value: str, origin: str, code: str) -> None:
    """A figure without a listed source, a year and a confidence is none."""
    with pytest.raises(Refused) as refused:
        _row(x=value, x_by=origin).figure("x", 0, 9)

    assert refused.value.code == code
    assert refused.value.facts["line"] == 7


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2016", date(2016, 12, 31)),
        ("2016-02", date(2016, 2, 29)),
        ("2016-03-09", date(2016, 3, 9)),
    ],
)
def test_days(text: str, day: date) -> None:
    """Of a year or a month alone it is the last day: before, nobody knows."""
    assert _row(x=text).plain_day("x") == day


@pytest.mark.parametrize("text", ["16", "2016-13", "2016-02-30", "2016-2-1", "1066", "٢٠١٦"])
def test_days_refused(text: str) -> None:
    """What is no day of the calendar is refused."""
    with pytest.raises(Refused, match="FACTS_VALUE"):
        _row(x=text).plain_day("x")


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("id", "A b"),
        ("id", ""),
        ("ids", "a  b"),
        ("ids", ""),
        ("text", ""),
        ("clock_s", "7:00"),
        ("clock_s", "30:00"),
    ],
)
def test_cells_refused(method: str, text: str) -> None:
    """Ids, texts and times have their form."""
    with pytest.raises(Refused, match="FACTS_VALUE"):
        getattr(_row(x=text), method)("x")


def test_cells() -> None:
    """What has the form is taken: times may pass midnight."""
    row = _row(x="25:30", y="a b-2", z="12")

    assert row.clock_s("x") == 25 * 3600 + 30 * 60
    assert row.ids("y") == ("a", "b-2")
    assert row.whole("z", 0, 12) == 12


def test_whole_number_refused() -> None:
    """Half a train is none."""
    with pytest.raises(Refused, match="no whole number"):
        _row(x="1.5").whole("x", 0, 9)


@given(st.text(max_size=60))
def test_any_text_is_rows_or_refused(text: str) -> None:
    """Whatever a file holds, it is read or refused, never a traceback."""
    lines: list[int] = []
    with suppress(Refused):
        lines += [row.line for row in rows("t.csv", "x,x_by\n" + text, COLUMNS)]

    assert all(1 < line <= text.count("\n") + 2 for line in lines)
