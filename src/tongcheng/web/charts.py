"""Pictures drawn on the server: plain SVG that needs no script and prints.

Widths are percentages, so that a bar is as wide as its page while its lettering keeps its size.
Every picture stands beside a table with the same figures; it is never the only way to read them.
"""

import msgspec
from markupsafe import Markup, escape

BAR_HEIGHT = 132  # px: the column of a band
SHARE_HEIGHT = 16  # px: the bar of a limit
LABEL_HEIGHT = 20  # px: the line of band numbers above, and of amounts below
BALANCE_HEIGHT = 48  # px: a line of words, and a bar either side of zero
NUMBER_PERCENT_MIN = 2.5  # a narrower band is numbered in the table only
RATE_PERCENT_MIN = 9  # room for "97.5%" on a phone


class Stretch(msgspec.Struct, frozen=True):
    """One band of a bar: `width` out of the bar's whole, `part` of `width` that is filled.

    Both in the same unit (fen). `inside` is written into the filled part when there is room.
    """

    label: str
    width: int
    part: int
    inside: str = ""


def band_bar(stretches: tuple[Stretch, ...], title: str) -> Markup:
    """Draw bands side by side: width is the amount, the filled height is who pays how much.

    So an area is money: of the whole rectangle (the bill), the filled area is the funds'.
    """
    whole = sum(stretch.width for stretch in stretches)
    assert whole > 0, "a bar of nothing"
    parts: list[Markup] = []
    start = 0
    for stretch in stretches:
        assert 0 <= stretch.part <= stretch.width, stretch
        if stretch.width:
            parts.append(_column(stretch, start, whole))
        start += stretch.width
    height = BAR_HEIGHT + LABEL_HEIGHT
    return Markup(
        '<svg class="bar" role="img" width="100%" height="{height}" aria-label="{title}">'
        "{parts}</svg>"
    ).format(height=height, title=title, parts=Markup("").join(parts))


class Column(msgspec.Struct, frozen=True):
    """One column of a chart: what it is about, and how much. Labels that are empty take no room."""

    label: str
    value: int


def column_chart(columns: tuple[Column, ...], title: str) -> Markup:
    """Draw columns of counts side by side, the highest as high as there is room, and numbered."""
    most = max(column.value for column in columns)
    assert most > 0, "a chart of nothing"
    width = 100 / len(columns)
    parts: list[Markup] = []
    for index, column in enumerate(columns):
        height = BAR_HEIGHT * column.value / most
        top = LABEL_HEIGHT + BAR_HEIGHT - height
        middle = (index + 0.5) * width
        parts.append(_rect("bar-part", (index + 0.1) * width, 0.8 * width, top, height))
        if column.value == most:
            parts.append(_text("bar-label", middle, top - 6, str(column.value)))
        if column.label:
            parts.append(
                _text("bar-label", middle, BAR_HEIGHT + 2 * LABEL_HEIGHT - 4, column.label)
            )
    base = _rect("bar-rest", 0, 100, LABEL_HEIGHT + BAR_HEIGHT, 2)
    return Markup(
        '<svg class="bar" role="img" width="100%" height="{height}" aria-label="{title}">'
        "{parts}</svg>"
    ).format(
        height=BAR_HEIGHT + 2 * LABEL_HEIGHT, title=title, parts=Markup("").join((base, *parts))
    )


def share_bar(before: int, now: int, whole: int) -> Markup:
    """Draw how much of a limit is used: before, and by what the page is about.

    It says nothing that the text beside it does not, so readers of the screen skip it.
    """
    assert whole > 0, "a limit of nothing"
    first = min(before, whole)
    second = min(now, whole - first)
    x, width = 100 * first / whole, 100 * second / whole
    parts = (
        _rect("bar-rest", 0, 100, 0, SHARE_HEIGHT),
        _rect("bar-before", 0, x, 0, SHARE_HEIGHT) if first else Markup(""),
        _rect("bar-part", x, width, 0, SHARE_HEIGHT) if second else Markup(""),
    )
    return Markup(
        '<svg class="bar" width="100%" height="{height}" aria-hidden="true" focusable="false">'
        "{parts}</svg>"
    ).format(height=SHARE_HEIGHT, parts=Markup("").join(parts))


class Balance(msgspec.Struct, frozen=True):
    """One row of a balance: what it is about, a number either side of zero, and it in words."""

    label: str
    value: int
    words: str


def balance_bars(rows: tuple[Balance, ...], title: str) -> Markup:
    """Draw bars to the left of zero for less and to the right for more, all to one scale."""
    most = max([1, *(abs(row.value) for row in rows)])
    parts: list[Markup] = []
    for number, row in enumerate(rows):
        top = number * BALANCE_HEIGHT
        width = 50 * abs(row.value) / most
        name = "balance-less" if row.value < 0 else "balance-more"
        parts += [
            Markup('<text class="balance-label" x="0" y="{}">{}</text>').format(
                top + 16, row.label
            ),
            Markup(
                '<text class="balance-words" x="100%" y="{}" text-anchor="end">{}</text>'
            ).format(top + 16, row.words),
            _rect("bar-rest", 0, 100, top + 22 + SHARE_HEIGHT / 2, 1),
            _rect(name, 50 - width if row.value < 0 else 50, width, top + 22, SHARE_HEIGHT)
            if row.value
            else Markup(""),
        ]
    height = len(rows) * BALANCE_HEIGHT
    parts.append(
        Markup('<line class="balance-zero" x1="50%" x2="50%" y1="18" y2="{}"></line>').format(
            height
        )
    )
    return Markup(
        '<svg class="bar" role="img" width="100%" height="{height}" aria-label="{title}">'
        "{parts}</svg>"
    ).format(height=height, title=title, parts=Markup("").join(parts))


def _column(stretch: Stretch, start: int, whole: int) -> Markup:
    x, width = 100 * start / whole, 100 * stretch.width / whole
    filled = BAR_HEIGHT * stretch.part / stretch.width
    top = LABEL_HEIGHT + BAR_HEIGHT - filled
    middle = x + width / 2
    shapes = [
        _rect("bar-rest", x, width, LABEL_HEIGHT, BAR_HEIGHT - filled),
        _rect("bar-part", x, width, top, filled),
    ]
    if width >= NUMBER_PERCENT_MIN:
        shapes.append(_text("bar-label", middle, LABEL_HEIGHT - 6, stretch.label))
    if stretch.inside and width >= RATE_PERCENT_MIN and filled >= LABEL_HEIGHT:
        shapes.append(_text("bar-inside", middle, top + filled / 2 + 5, stretch.inside))
    return Markup("").join(shapes)


def _rect(name: str, x: float, width: float, y: float, height: float) -> Markup:
    if height <= 0:
        return Markup("")
    return Markup('<rect class="{}" x="{}%" y="{}" width="{}%" height="{}"></rect>').format(
        name, round(x, 3), round(y, 2), round(width, 3), round(height, 2)
    )


def _text(name: str, x: float, y: float, text: str) -> Markup:
    return Markup('<text class="{}" x="{}%" y="{}" text-anchor="middle">{}</text>').format(
        name, round(x, 3), round(y, 2), escape(text)
    )
