"""The journal's pictures: how far the others vouch for it, and the way from a leaf to the root.

Each stands beside a table with the same figures.
"""

from collections.abc import Sequence

from markupsafe import Markup

from tongcheng.kernel.merkle import Rung

BAR_HEIGHT = 12
RUNG_HEIGHT = 36  # px from one level of the tree to the next
WIDTH = 360
MIDDLE = WIDTH // 2
ASIDE = 84  # from the way up to a sibling
RADIUS = 5
TOP = 24
HASH_SHOWN = 8


def reach_bar(first: int, size: int, whole: int, colour: str) -> Markup:
    """Draw the end of a journal, from entry `first` to `whole`, as far as `size` is vouched for."""
    assert 0 <= first < whole, (first, whole)
    done = 100 * max(0, size - first) / (whole - first)
    rest = Markup('<rect class="reach-rest" width="100%" height="{}"></rect>').format(BAR_HEIGHT)
    part = Markup('<rect width="{}%" height="{}" fill="{}"></rect>').format(
        round(done, 2), BAR_HEIGHT, colour
    )
    return Markup(
        '<svg class="reach-bar" width="100%" height="{}" aria-hidden="true" focusable="false">'
        "{}{}</svg>"
    ).format(BAR_HEIGHT, rest, part)


def first_shown(whole: int, sizes: Sequence[int]) -> int:
    """Return from which entry on the end is drawn: so that what is missing can be seen."""
    behind = whole - min(sizes, default=whole)
    return max(0, whole - max(20, 4 * behind))


def ladder(leaf: str, rungs: Sequence[Rung], title: str) -> Markup:
    """Draw the way up: the root on top, the leaf at the foot, each sibling on its own side."""
    height = TOP + RUNG_HEIGHT * len(rungs) + TOP
    foot = height - TOP
    shapes = []
    for level, rung in enumerate(rungs):
        y = foot - RUNG_HEIGHT * level
        shapes.append(_rung(rung, y))
    shapes.append(_node(foot, "ladder-own"))
    shapes += [
        _node(foot - RUNG_HEIGHT * level, "ladder-own") for level in range(1, len(rungs) + 1)
    ]
    shapes.append(_label(MIDDLE, foot + 18, "middle", leaf))
    if rungs:
        shapes.append(_label(MIDDLE, TOP - 12, "middle", rungs[-1].result.hex()))
    return Markup(
        '<svg class="ladder" role="img" viewBox="0 0 {} {}" aria-label="{}">{}</svg>'
    ).format(WIDTH, height, title, Markup("").join(shapes))


def _rung(rung: Rung, y: int) -> Markup:
    side = -1 if rung.on_left else 1
    x = MIDDLE + side * ASIDE
    parent = y - RUNG_HEIGHT
    lines = Markup('<path class="ladder-way" d="M{0} {1}V{2}"></path>').format(MIDDLE, y, parent)
    lines += Markup('<path class="ladder-line" d="M{} {}L{} {}"></path>').format(
        x, y, MIDDLE, parent
    )
    anchor = "end" if rung.on_left else "start"
    label = _label(x + side * 12, y + 4, anchor, rung.sibling.hex())
    return lines + _node(y, "ladder-sibling", x) + label


def _node(y: int, name: str, x: int = MIDDLE) -> Markup:
    return Markup('<circle class="{}" cx="{}" cy="{}" r="{}"></circle>').format(name, x, y, RADIUS)


def _label(x: int, y: int, anchor: str, digest: str) -> Markup:
    return Markup('<text class="ladder-hash" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        x, y, anchor, digest[:HASH_SHOWN]
    )
