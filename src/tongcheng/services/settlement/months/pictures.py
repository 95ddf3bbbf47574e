"""The month as pictures: what is owed either way, by purse and day by day (plain SVG)."""

from collections.abc import Sequence

import msgspec
from markupsafe import Markup, escape

from tongcheng.services.settlement.months.data import Day

ROW_HEIGHT = 44  # px: a line of words and a bar
BAR_HEIGHT = 14
WORDS_HEIGHT = 22
CHART_HEIGHT = 160
AXIS_HEIGHT = 22
WIDEST_PERCENT = 100


class Bar(msgspec.Struct, frozen=True):
    """One purse: its name, what it comes to (fen), and in words."""

    label: str
    amount_fen: int
    words: str
    to_us: bool


def purse_bars(bars: Sequence[Bar], title: str) -> Markup:
    """Draw a bar for each purse: what we are owed in one colour, what we owe in another."""
    widest = max([1, *(bar.amount_fen for bar in bars)])
    rows = [_purse_bar(bar, number * ROW_HEIGHT, widest) for number, bar in enumerate(bars)]
    return _svg("month-bars", len(bars) * ROW_HEIGHT, title, rows)


def _purse_bar(bar: Bar, top: int, widest: int) -> Markup:
    name = "month-in" if bar.to_us else "month-out"
    # A purse from which more was taken back than settled has words and no bar.
    width = round(WIDEST_PERCENT * max(0, bar.amount_fen) / widest, 3)
    return Markup(
        '<text class="month-label" x="0" y="{y}">{label}</text>'
        '<text class="month-amount" x="100%" y="{y}" text-anchor="end">{words}</text>'
        '<rect class="{name}" x="0" y="{bar}" width="{width}%" height="{height}"></rect>'
    ).format(
        y=top + WORDS_HEIGHT - 6,
        label=escape(bar.label),
        words=escape(bar.words),
        name=name,
        bar=top + WORDS_HEIGHT,
        width=width,
        height=BAR_HEIGHT,
    )


def day_columns(days: Sequence[Day], title: str) -> Markup:
    """Draw two columns for each day of the month, both from one base line."""
    highest = max((max(one.owed_to_us_fen, one.owed_by_us_fen) for one in days), default=0) or 1
    step = WIDEST_PERCENT / max(1, len(days))
    parts = []
    for number, one in enumerate(days):
        left = number * step
        for at, (name, fen) in enumerate(
            (("month-in", one.owed_to_us_fen), ("month-out", one.owed_by_us_fen))
        ):
            height = CHART_HEIGHT * fen / highest
            if fen:
                parts.append(_column(name, left + step * (0.12 + 0.38 * at), step * 0.36, height))
        if number % 5 == 0:
            parts.append(_day_number(left + step / 2, one.on[8:].lstrip("0")))
    base = Markup('<line class="month-base" x1="0" x2="100%" y1="{}" y2="{}"></line>').format(
        CHART_HEIGHT, CHART_HEIGHT
    )
    return _svg("month-days", CHART_HEIGHT + AXIS_HEIGHT, title, [*parts, base])


def _column(name: str, x: float, width: float, height: float) -> Markup:
    return Markup('<rect class="{}" x="{}%" y="{}" width="{}%" height="{}"></rect>').format(
        name, round(x, 3), round(CHART_HEIGHT - height, 2), round(width, 3), round(height, 2)
    )


def _day_number(x: float, text: str) -> Markup:
    return Markup('<text class="month-day" x="{}%" y="{}" text-anchor="middle">{}</text>').format(
        round(x, 3), CHART_HEIGHT + AXIS_HEIGHT - 6, text
    )


def _svg(name: str, height: int, title: str, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="{name}" role="img" width="100%" height="{height}" aria-label="{title}">'
        "{parts}</svg>"
    ).format(name=name, height=height, title=title, parts=Markup("").join(parts))
