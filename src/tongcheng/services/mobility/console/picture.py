"""The map that needs no script: plain SVG, drawn from the same figures as the one with scripts.

Plain plate carrée, its degrees of longitude shortened by the cosine of the middle latitude: over a
region of some hundred kilometres no border may be read off it, and distances are true to 2 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby, islice, pairwise
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from markupsafe import Markup

from tongcheng.services.mobility.shapes.geometry import MICRO, MultiPolygon, bounds

WIDTH: Final = 720
HEIGHT: Final = 540
KM_A_DEGREE: Final = 111.2
"""Of latitude: π · 6,371.0088 km / 180."""
SCALES_KM: Final = (5, 10, 20, 50, 100, 200)
MARGIN: Final = 0.06
"""Around what is framed, as a share of it."""
LEAST_DEGREES: Final = 0.35
"""No map shows less: nobody would see where it is."""
FOOT_PX: Final = 36
"""At the foot of a map, where its scale stands and what it warns of."""
LABEL_PX: Final = 13
SMALL_LABEL_PX: Final = 20
"""Of a map that is shown at half its size; the style sheet says the same."""
LABELS_MAX: Final = 26
STEPS_KEPT: Final = 4_096
"""Cells of one size have few different edges, and a map some thousands of them."""
CJK_FROM: Final = 0x2E80
"""From this code point on a letter is as wide as it is high."""

Way: TypeAlias = Sequence[tuple[int, int]]
"""Points of a map in tenths of a pixel, from its left and upper edge."""


class Frame(NamedTuple):
    """What part of the world a map shows, degrees, and how it lies on WIDTH × `height`."""

    west: float
    north: float
    scale_x: float
    scale_y: float
    width: int
    height: int

    def at(self, lon: float, lat: float) -> tuple[float, float]:
        """Return where a point lies on the map."""
        return (lon - self.west) * self.scale_x, (self.north - lat) * self.scale_y

    def shows(self, x: float, y: float, beyond: float = 0.0) -> bool:
        """Say whether a point of the map can be seen, or lies not far beyond its edge."""
        return -beyond <= x <= self.width + beyond and -beyond <= y <= self.height + beyond

    @property
    def east(self) -> float:
        """The longitude of the right edge."""
        return self.west + self.width / self.scale_x

    @property
    def south(self) -> float:
        """The latitude of the lower edge."""
        return self.north - self.height / self.scale_y


def frame_of(
    box: tuple[float, float, float, float], *, width: int = WIDTH, height: int = HEIGHT
) -> Frame:
    """Return the frame around west, south, east and north, in the picture's own proportions."""
    west, south, east, north = box
    middle_lon, middle_lat = (west + east) / 2, (south + north) / 2
    shrink = math.cos(math.radians(middle_lat))
    wide = max((east - west) * shrink, LEAST_DEGREES * width / height) * (1 + 2 * MARGIN)
    high = max(north - south, LEAST_DEGREES) * (1 + 2 * MARGIN)
    free = height - FOOT_PX
    scale = min(width / wide, free / high)
    return Frame(
        middle_lon - width / (2 * scale * shrink),
        middle_lat + free / (2 * scale),
        scale * shrink,
        scale,
        width,
        height,
    )


class Line(NamedTuple):
    """A line of the day with the places it calls at, in order; `kind` is rail, metro or road."""

    kind: str
    points: tuple[tuple[float, float], ...]


class Label(NamedTuple):
    """A name on a map; the earlier ones of a list go first where there is little room."""

    text: str
    lon: float
    lat: float
    kind: str


class Band(NamedTuple):
    """A shape with the class it is drawn in (`band-1` is the nearest) and what it is."""

    style: str
    shape: MultiPolygon
    title: str


class Picture(NamedTuple):
    """Everything a map shows, from the ground up."""

    title: str
    outline: tuple[MultiPolygon, ...]
    bands: tuple[Band, ...]
    lines: tuple[Line, ...]
    labels: tuple[Label, ...]
    spot: Label | None
    scale_words: str
    label_px: int = LABEL_PX


def drawn(picture: Picture, frame: Frame) -> Markup:
    """Return a map as SVG."""
    parts = list(_land(picture.outline, frame))
    parts += [_shape(f"geo-{each.style}", each.shape, frame, each.title) for each in picture.bands]
    parts += _lines(picture.lines, frame)
    parts.append(_names(picture, frame))
    parts.append(_scale(frame, picture.scale_words))
    return Markup(
        '<svg class="geo" role="img" viewBox="0 0 {} {}" aria-label="{}" '
        'data-west="{:.6f}" data-north="{:.6f}" data-east="{:.6f}" data-south="{:.6f}">{}</svg>'
    ).format(
        frame.width,
        frame.height,
        picture.title,
        frame.west,
        frame.north,
        frame.east,
        frame.south,
        Markup("").join(parts),
    )


def _land(outline: Sequence[MultiPolygon], frame: Frame) -> Iterator[Markup]:
    for each in outline:
        west, south, east, north = (edge / MICRO for edge in bounds(each))
        if west < frame.east and east > frame.west and south < frame.north and north > frame.south:
            yield _shape("geo-land", each, frame, "")


def _shape(style: str, shape: MultiPolygon, frame: Frame, title: str) -> Markup:
    rings = [ring[:-1] for polygon in shape.polygons for ring in polygon]
    way = "".join(f"{_path(each)}Z" for each in _laid(rings, frame, MICRO))
    named = Markup("<title>{}</title>").format(title) if title else ""
    return Markup('<path class="{}" fill-rule="evenodd" d="{}">{}</path>').format(style, way, named)


def _lines(lines: Sequence[Line], frame: Frame) -> Iterator[Markup]:
    """Yield the lines that are seen, as many as follow on each other of a kind in one path."""
    kinds = (each.kind for each in lines)
    laid = zip(kinds, _laid([each.points for each in lines], frame), strict=True)
    for kind, some in groupby(laid, key=itemgetter(0)):
        seen = "".join(_path(way) for _, way in some if _is_near(way, frame))
        if seen:
            yield Markup('<path class="geo-{}" d="{}"></path>').format(kind, seen)


def _is_near(way: Way, frame: Frame) -> bool:
    return any(frame.shows(x / 10, y / 10, beyond=frame.width / 2) for x, y in way)


def _laid(
    ways: Sequence[Sequence[tuple[float, float]]], frame: Frame, unit: int = 1
) -> Iterator[Way]:
    """Yield where ways of longitudes and latitudes lie on the map; `unit` makes a degree of them.

    All at once: one by one, they took half of a page's time.
    """
    corners = np.array([each for way in ways for each in way], np.float64).reshape(-1, 2) / unit
    x = np.rint((corners[:, 0] - frame.west) * frame.scale_x * 10).astype(np.int64)
    y = np.rint((frame.north - corners[:, 1]) * frame.scale_y * 10).astype(np.int64)
    tenths = zip(x.tolist(), y.tolist(), strict=True)
    return (list(islice(tenths, len(way))) for way in ways)


def _path(way: Way) -> str:
    """Return whole steps in tenths of a pixel, each from the point before: short, and exact."""
    steps = (_step(x - at_x, y - at_y) for (at_x, at_y), (x, y) in pairwise(way))
    return f"M{_pair(*way[0])}{''.join(steps)}"


@lru_cache(maxsize=STEPS_KEPT)
def _step(x: int, y: int) -> str:
    """Return a step in SVG's words; one along an edge of cells needs one number alone."""
    if x and y:
        return f"l{_pair(x, y)}"
    if x:
        return f"h{_tenths(x)}"
    return f"v{_tenths(y)}" if y else ""


def _pair(x: int, y: int) -> str:
    """Write two numbers; a minus parts them as well as a space does."""
    return f"{_tenths(x)}{'' if y < 0 else ' '}{_tenths(y)}"


def _tenths(value: int) -> str:
    whole, tenth = divmod(abs(value), 10)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole or ''}.{tenth}" if tenth else f"{sign}{whole}"


def _names(picture: Picture, frame: Frame) -> Markup:
    """Write the names that have room, on the right of their place or on its left."""
    labels: Iterable[Label] = picture.labels
    spot, size = picture.spot, picture.label_px
    half = size * 0.7
    taken: list[tuple[float, float, float, float]] = []
    parts: list[Markup] = []
    if spot is not None:
        x, y = frame.at(spot.lon, spot.lat)
        parts.append(_spot((x, y)))
        taken.append((x - 12, y - 12, x + 12, y + 12))
        labels = (spot, *labels) if spot.text else labels
    for label in labels:
        x, y = frame.at(label.lon, label.lat)
        if not frame.shows(x, y) or len(parts) >= LABELS_MAX:
            continue
        if label is spot:
            taken.clear()
        wide = sum(size if ord(each) > CJK_FROM else size * 0.56 for each in label.text)
        gap = 14 if label is spot else 7
        for left, anchor, from_x in ((x + gap, "start", x + gap), (x - gap - wide, "end", x - gap)):
            box = (left - 2, y - half, left + wide + 2, y + half)
            if _has_room(box, taken, frame):
                dot = 12 if label is spot else 4
                taken += [box, (x - dot, y - dot, x + dot, y + dot)]
                parts.append(_name(label, x, y, anchor, from_x))
                break
    return Markup("").join(parts)


def _has_room(
    box: tuple[float, float, float, float],
    taken: Iterable[tuple[float, float, float, float]],
    frame: Frame,
) -> bool:
    left, top, right, bottom = box
    if left < 0 or top < 0 or right > frame.width or bottom > frame.height - FOOT_PX:
        return False
    return all(
        right < other[0] or left > other[2] or bottom < other[1] or top > other[3]
        for other in taken
    )


def _name(label: Label, x: float, y: float, anchor: str, from_x: float) -> Markup:
    if label.kind == "spot":
        return Markup(
            '<text class="geo-name geo-name-spot" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
        ).format(from_x, y + 4.5, anchor, label.text)
    return Markup(
        '<circle class="geo-dot geo-dot-{}" cx="{:.1f}" cy="{:.1f}" r="3"></circle>'
        '<text class="geo-name geo-name-{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
    ).format(label.kind, x, y, label.kind, from_x, y + 4.5, anchor, label.text)


def _spot(at: tuple[float, float]) -> Markup:
    return Markup(
        '<g class="geo-spot"><circle cx="{0:.1f}" cy="{1:.1f}" r="9"></circle>'
        '<circle cx="{0:.1f}" cy="{1:.1f}" r="3"></circle></g>'
    ).format(*at)


def _scale(frame: Frame, words: str) -> Markup:
    """Draw the bar of a round number of kilometres, at most a quarter of the map."""
    px_a_km = frame.scale_y / KM_A_DEGREE
    fitting = [each for each in SCALES_KM if each * px_a_km <= frame.width / 4]
    km = fitting[-1] if fitting else SCALES_KM[0]
    x, y = 14, frame.height - 14
    return Markup(
        '<g class="geo-scale"><path d="M{0} {1}v6h{2:.1f}v-6"></path>'
        '<text x="{0}" y="{3}">{4}</text></g>'
    ).format(x, y - 6, km * px_a_km, y - 12, words.format(km=km))
