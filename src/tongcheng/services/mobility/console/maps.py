"""The pictures of these pages: what is drawn, with scripts and without, from the same answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from tongcheng.services.mobility.console.atlas import Atlas, Prepared
from tongcheng.services.mobility.console.picture import (
    LABEL_PX,
    SMALL_LABEL_PX,
    Band,
    Frame,
    Label,
    Picture,
    drawn,
    frame_of,
)
from tongcheng.services.mobility.console.words import name_of
from tongcheng.services.mobility.isochrones import Isochrone
from tongcheng.services.mobility.shapes.geometry import MICRO, MultiPolygon, bounds, geojson
from tongcheng.services.mobility.study.reach import Spot
from tongcheng.web import Page

Box = tuple[float, float, float, float]
AROUND: Final = 0.2
"""Degrees that a map shows around a spot from which nothing is reached."""


def box_of(shapes: Sequence[MultiPolygon | None], spot: Spot) -> Box:
    """Return the box around a spot and what is reached from it."""
    boxes = [bounds(shape) for shape in shapes if shape is not None]
    west, south = spot.lon - AROUND, spot.lat - AROUND
    east, north = spot.lon + AROUND, spot.lat + AROUND
    for box in boxes:
        west, south = min(west, box[0] / MICRO), min(south, box[1] / MICRO)
        east, north = max(east, box[2] / MICRO), max(north, box[3] / MICRO)
    return west, south, east, north


def labels_of(page: Page, atlas: Atlas, prepared: Prepared) -> Iterator[Label]:
    """Return the names of a map: cities, then the day's railway stations; by car cities alone."""
    for city in atlas.cities:
        yield Label(name_of(page, city.name), city.at.lon, city.at.lat, "city")
    if prepared.roads is not None:
        return
    stops = prepared.ready.timetable.stops
    open_today = set(stops.names)
    for each in atlas.named:
        if each.kind == "rail" and each.name.zh in open_today:
            yield Label(name_of(page, each.name), each.spot.lon, each.spot.lat, "rail")


def map_of(
    page: Page,
    atlas: Atlas,
    prepared: Prepared,
    *,
    title: str,
    bands: Sequence[Band],
    spot: Label | None,
    frame: Frame,
    is_small: bool = False,
) -> Markup:
    """Return a map as SVG; one that `is_small` is shown at half its size."""
    picture = Picture(
        title,
        atlas.outline,
        tuple(bands),
        prepared.lines,
        tuple(labels_of(page, atlas, prepared)),
        spot,
        page.t("mobility.console.scale", km="{km}"),
        SMALL_LABEL_PX if is_small else LABEL_PX,
    )
    return drawn(picture, frame)


def frame_around(box: Box) -> Frame:
    """Return the frame of a map around a box."""
    return frame_of(box)


def reach_features(bands: Sequence[Isochrone], spot: Spot, name: str) -> list[dict[str, Any]]:
    """Return bands and spot as GeoJSON features, the widest band first, to lie below the others."""
    found: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "properties": {"band": number, **band.properties()},
            "geometry": None if band.shape is None else geojson(band.shape),
        }
        for number, band in reversed(list(enumerate(bands, 1)))
    ]
    return [*found, _spot_feature(spot, name)]


def ground_features(page: Page, atlas: Atlas, prepared: Prepared) -> list[dict[str, Any]]:
    """Return what lies under a circle: the outline, the lines of the day, names."""
    found: list[dict[str, Any]] = [
        {"type": "Feature", "properties": {"kind": "land"}, "geometry": geojson(each)}
        for each in atlas.outline
    ]
    found += [
        {
            "type": "Feature",
            "properties": {"kind": line.kind},
            "geometry": {
                "type": "LineString",
                "coordinates": [[round(x, 5), round(y, 5)] for x, y in line.points],
            },
        }
        for line in prepared.lines
    ]
    found += [
        {
            "type": "Feature",
            "properties": {"kind": label.kind, "name": label.text, "order": order},
            "geometry": {"type": "Point", "coordinates": [label.lon, label.lat]},
        }
        for order, label in enumerate(labels_of(page, atlas, prepared))
    ]
    return found


def change_features(
    shapes: Mapping[str, MultiPolygon | None], spot: Spot, name: str
) -> list[dict[str, Any]]:
    """Return the shapes of a comparison by what they are, and the spot, as GeoJSON features."""
    found: list[dict[str, Any]] = [
        {"type": "Feature", "properties": {"change": change}, "geometry": geojson(shape)}
        for change, shape in shapes.items()
        if shape is not None
    ]
    return [*found, _spot_feature(spot, name)]


def _spot_feature(spot: Spot, name: str) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"spot": True, "name": name},
        "geometry": {"type": "Point", "coordinates": [spot.lon, spot.lat]},
    }
