"""The region's small map: its places as the mark draws them, and what flows between them.

It is a sign, not a map. Everything is drawn in the units of the mark; the picture is cut to the
region, so that it fills its width. A picture stands beside a table with the same figures.

A page may lay layers of its own between the shapes and the names::

    region_map(region, own_id, language, title, *layers)

with `Arc` as the way from one place to another: each way bends to its own left, so the two
directions between two places never lie on each other.
"""

import math

import msgspec
from markupsafe import Markup

from tongcheng.kernel.region import Jurisdiction, RegionPack
from tongcheng.kernel.words import Language

MARGIN = 1.5  # around the shapes
DOT_RADIUS = 0.75
GAP = 1.6  # between the point of a place and the end of a line, and more before a wide one
BOW = 0.09  # how far a line bends, as a share of its length
LANE = 0.2  # between the two directions, where they end
WIDTH_MAX = 2.2  # of the largest flow
WIDTH_MIN = 0.3  # of the smallest: it can still be seen
HEAD_SPREAD = 0.7  # how far the head of an arrow stands out on either side
LABEL_GAP = 2.3  # between the point of a place and its name

Point = tuple[float, float]


class Flow(msgspec.Struct, frozen=True):
    """What goes from one place to another: `amount` > 0 in any unit, one for all flows of a map.

    `text` says it in words, to whoever points at the arrow.
    """

    source_id: str
    target_id: str
    amount: int
    text: str


class Arc(msgspec.Struct, frozen=True):
    """A bent line between two points; `control` is that of a quadratic curve."""

    start: Point
    control: Point
    end: Point

    def at(self, share: float) -> Point:
        """Return the point after a share of the way, from 0 to 1."""
        rest = 1 - share
        return (
            rest * rest * self.start[0]
            + 2 * rest * share * self.control[0]
            + share * share * self.end[0],
            rest * rest * self.start[1]
            + 2 * rest * share * self.control[1]
            + share * share * self.end[1],
        )


def arc(region: RegionPack, source_id: str, target_id: str, width: float = 0) -> Arc:
    """Return the way from a place to another, `width` units wide, clear of the way back."""
    start, end = place_of(region, source_id).at, place_of(region, target_id).at
    across = _left_of(start, end)
    length = math.dist(start, end)
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    bend = width / 2 + LANE + BOW * length
    control = _moved(middle, across, 2 * bend - width / 2 - LANE)
    return Arc(_end(start, control, across, width), control, _end(end, control, across, width))


def place_of(region: RegionPack, place_id: str) -> Jurisdiction:
    """Return a place of the region by its code; one that is not there is our bug."""
    return next(place for place in region.jurisdictions if place.id == place_id)


def flow_map(
    region: RegionPack, own_id: str, language: Language, title: str, flows: tuple[Flow, ...]
) -> Markup:
    """Draw flows as arrows: as wide as their amount, in the colour of the place they come from."""
    largest = max((flow.amount for flow in flows), default=0)
    # The widest lies lowest, so that it hides no narrow one.
    drawn = sorted(flows, key=lambda flow: flow.amount, reverse=True)
    arrows = Markup("").join(_arrow(region, flow, _width(flow.amount, largest)) for flow in drawn)
    layer = Markup('<g class="map-flows">{}</g>').format(arrows)
    return region_map(region, own_id, language, title, layer)


def region_map(
    region: RegionPack, own_id: str, language: Language, title: str, *layers: Markup
) -> Markup:
    """Draw the region with one place picked out, the layers over it, and the names on top."""
    left, top, width, height = _frame(region)
    return Markup(
        '<svg class="map" role="img" viewBox="{} {} {} {}" aria-label="{}">{}{}{}</svg>'
    ).format(
        left,
        top,
        width,
        height,
        title,
        _shapes(region, own_id),
        Markup("").join(layers),
        _names(region, own_id, language),
    )


def _frame(region: RegionPack) -> tuple[float, float, float, float]:
    corners = [corner for place in region.jurisdictions for corner in place.outline]
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    return (
        left - MARGIN,
        top - MARGIN,
        right - left + 2 * MARGIN,
        bottom - top + 2 * MARGIN,
    )


def _shapes(region: RegionPack, own_id: str) -> Markup:
    # The own place last: its outline lies over its neighbours'.
    places = sorted(region.jurisdictions, key=lambda place: place.id == own_id)
    return Markup("").join(
        Markup('<path class="{}" d="{}" fill="{}" stroke="{}"></path>').format(
            "map-own" if place.id == own_id else "map-place",
            place.shape,
            place.colour,
            place.colour,
        )
        for place in places
    )


def _names(region: RegionPack, own_id: str, language: Language) -> Markup:
    return Markup("").join(_name(region, place, own_id, language) for place in region.jurisdictions)


def _name(region: RegionPack, place: Jurisdiction, own_id: str, language: Language) -> Markup:
    x, y, anchor, shift = label_of(region, place)
    dot = Markup('<circle class="map-dot" cx="{}" cy="{}" r="{}" fill="{}"></circle>')
    text = Markup('<text class="{}" x="{}" y="{}" dy="{}em" text-anchor="{}">{}</text>')
    return dot.format(*place.at, DOT_RADIUS, place.colour) + text.format(
        "map-name map-name-own" if place.id == own_id else "map-name",
        _short(x),
        _short(y),
        shift,
        anchor,
        place.short.of(language),
    )


def label_of(region: RegionPack, place: Jurisdiction) -> tuple[float, float, str, float]:
    """Return where a place's name stands: x, y, its anchor, and its shift in heights of a line.

    It stands on the side that looks away from the other places, where no line goes.
    """
    points = [each.at for each in region.jurisdictions]
    away_x = place.at[0] - sum(x for x, _ in points) / len(points)
    away_y = place.at[1] - sum(y for _, y in points) / len(points)
    x, y = place.at
    if abs(away_x) > abs(away_y):
        return (x + LABEL_GAP, y, "start", 0.35) if away_x > 0 else (x - LABEL_GAP, y, "end", 0.35)
    return (x, y + LABEL_GAP, "middle", 0.8) if away_y > 0 else (x, y - LABEL_GAP, "middle", 0)


def _width(amount: int, largest: int) -> float:
    assert amount > 0, "a flow of nothing"
    return max(WIDTH_MIN, WIDTH_MAX * amount / largest)


def _arrow(region: RegionPack, flow: Flow, width: float) -> Markup:
    return Markup('<path class="map-flow" d="{}" fill="{}"><title>{}</title></path>').format(
        _outline(arc(region, flow.source_id, flow.target_id, width), width),
        place_of(region, flow.source_id).colour,
        flow.text,
    )


def _outline(way: Arc, width: float) -> str:
    """Return the path around an arrow: along its one side, around its head, and back."""
    length = math.dist(way.start, way.end)
    neck = 1 - min(0.5, (0.9 * width + 1.1) / length)
    base = way.at(neck)
    # The curve up to the neck is a quadratic again (de Casteljau).
    control = (
        way.start[0] + neck * (way.control[0] - way.start[0]),
        way.start[1] + neck * (way.control[1] - way.start[1]),
    )
    sides = (
        _left_of(way.start, control),
        _left_of(way.start, base),
        _left_of(control, base),
    )
    half, spread = width / 2, width / 2 + HEAD_SPREAD
    corners = (
        _moved(way.start, sides[0], half),
        _moved(control, sides[1], half),
        _moved(base, sides[2], half),
        _moved(base, sides[2], spread),
        way.end,
        _moved(base, sides[2], -spread),
        _moved(base, sides[2], -half),
        _moved(control, sides[1], -half),
        _moved(way.start, sides[0], -half),
    )
    return "M{} Q{} {} L{} {} {} {} Q{} {}Z".format(*(_written(corner) for corner in corners))


def _end(point: Point, control: Point, across: Point, width: float) -> Point:
    """Return where a line ends near a place: a gap before its point, in its own lane."""
    beside = _moved(point, across, width / 2 + LANE)
    distance = math.dist(beside, control)
    share = min(0.4, (GAP + 0.55 * width) / distance)
    return (
        beside[0] + share * (control[0] - beside[0]),
        beside[1] + share * (control[1] - beside[1]),
    )


def _left_of(start: Point, end: Point) -> Point:
    """Return the direction to the left of whoever goes from start to end (y grows downwards)."""
    length = math.dist(start, end)
    return ((end[1] - start[1]) / length, (start[0] - end[0]) / length)


def _moved(point: Point, direction: Point, distance: float) -> Point:
    return (point[0] + direction[0] * distance, point[1] + direction[1] * distance)


def _written(point: Point) -> str:
    return f"{_short(point[0])} {_short(point[1])}"


def _short(value: float) -> float:
    return round(value, 2)
