"""The months over two running nodes: each way by itself, voids apart, doubt until both agree."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.settlement import two_cities
from tests.services.settlement.test_ledger_pages import get
from tests.services.settlement.test_statements import state, to_day
from tests.services.settlement.two_cities import INSURED, VISITED, Running
from tongcheng.services.settlement.months import pictures
from tongcheng.services.settlement.months.data import Day
from tongcheng.services.settlement.months.pictures import Bar

MONTH = "/en/settlement/months/2026-11"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Two cities on a loop that runs only while the test lets it."""
    with two_cities.running(tmp_path) as started:
        yield started


def lines(text: str) -> list[dict[str, str]]:
    """Return the rows of a file as a clerk's spreadsheet has them."""
    return list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))


def fen(rows: list[dict[str, str]], column: str) -> int:
    """Return the sum of a column of yuan, in fen."""
    return sum(int(row[column].replace(".", "")) for row in rows)


def test_both_sides_show_the_same_month(running: Running) -> None:
    """What one is owed the other owes: settled, less what was taken back."""
    first = running.run(running.cities.settled(0))
    second = running.run(running.cities.settled(1))
    running.run(running.cities.desk.void(running.cities.caller, first.settlement_id))
    running.run(running.cities.quiet())

    for member, direction in ((VISITED, "owed_to_us"), (INSURED, "owed_by_us")):
        status, page = get(running, member, MONTH)
        rows = lines(get(running, member, f"{MONTH}.csv")[1])
        assert status == 200
        assert {row["direction"] for row in rows} == {direction}
        assert fen(rows, "settled_yuan") == first.fund_fen + second.fund_fen
        assert fen(rows, "taken_back_yuan") == first.fund_fen
        assert "2 settlements" in page
        assert "1 taken back" in page
        owed = f"¥{second.fund_fen // 100:,}.{second.fund_fen % 100:02}"
        title = page.split("<h1>")[1].split("</h1>")[0]
        assert owed in title
        assert owed in get(running, member, "/en/settlement/months")[1].split("</h1>")[0]
        _, ledger = get(running, member, "/en/ledger")
        assert f'<span class="pair-amount">{owed}' in ledger
        assert "Provisional: the month is not over" in page
        assert "The accord offsets no purse" in page


def test_an_agreed_month_is_without_doubt(running: Running) -> None:
    """Provisional until the statement of a month that is over is agreed by both."""
    running.run(running.cities.settled(0))
    running.run(running.cities.quiet())
    to_day(running.cities, "2026-12-01")

    before = get(running, VISITED, MONTH)[1]
    running.run(state(running.cities))
    after = get(running, VISITED, MONTH)[1]
    listed = get(running, INSURED, "/en/settlement/months")[1]

    assert "Provisional: not agreed by both yet" in before
    assert "No statement yet" in before
    assert "Provisional" not in after
    assert "Agreed by both" in after
    assert "1 of 1 agreed" in listed


def test_the_picture_comes_without_scripts_and_the_page_is_light(running: Running) -> None:
    """The chart is in the page itself; what scripts add is loaded beside it, from here."""
    running.run(running.cities.settled(0))
    _, text = get(running, VISITED, MONTH)

    assert 'class="month-days"' in text
    assert 'class="month-bars"' in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert len(text.encode()) < 100_000


@pytest.mark.parametrize("month", ["2026-13", "november", "1999-01", "2026-11x"])
def test_what_is_no_month_is_said(running: Running, month: str) -> None:
    """An address that names no month is answered in words."""
    status, text = get(running, VISITED, f"/en/settlement/months/{month}")

    assert status == 404
    assert "MONTH_UNKNOWN" in text


def test_an_empty_month_is_a_page(running: Running) -> None:
    """A month in which nothing was booked says so."""
    status, text = get(running, VISITED, "/en/settlement/months/2025-01")

    assert status == 200
    assert "Nothing was booked in this month" in text


# pictures


def test_bars_are_as_wide_as_their_amounts() -> None:
    """The widest bar is the whole width, the others in proportion; a name is never markup."""
    bars = [Bar("<b>", 200, "2", to_us=True), Bar("other", 50, "0.5", to_us=False)]
    drawn = str(pictures.purse_bars(bars, "title"))

    assert 'width="100.0%"' in drawn
    assert 'width="25.0%"' in drawn
    assert "<b>" not in drawn


def test_a_purse_that_gave_back_more_than_it_settled_has_no_bar() -> None:
    """A void of a month that is agreed is booked in the next one: no width is below zero."""
    drawn = str(pictures.purse_bars([Bar("purse", -200, "-2", to_us=True)], "title"))

    assert 'width="0.0%"' in drawn
    assert "-2" in drawn


def test_columns_stand_on_the_base_line() -> None:
    """The highest day is as high as the picture; a day without anything has no column."""
    days = [Day("2026-11-01", 100, 50), Day("2026-11-02")]
    drawn = str(pictures.day_columns(days, "title"))

    assert drawn.count("<rect") == 2
    assert f'height="{pictures.CHART_HEIGHT}.0"' in drawn
