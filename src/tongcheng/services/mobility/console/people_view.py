"""Whose people a map counts, in words: of the region's cells, or of places that the node keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tongcheng.services.mobility.console.query import REGION_PEOPLE
from tongcheng.web import Page

if TYPE_CHECKING:
    from tongcheng.services.mobility.console.atlas import Atlas


def modelled(page: Page, atlas: Atlas) -> str:
    """Return the mark of people whom nobody counted where they are, "" of others."""
    if not atlas.is_modelled:
        return ""
    if atlas.counted is None:
        return page.t("mobility.console.modelled")
    return page.t("mobility.console.modelled.kept")


def credits_of(atlas: Atlas) -> str:
    """Return whose places the people are of, "" of the region's own."""
    entry = atlas.counted
    return "" if entry is None else f"{entry.attribution or entry.source} ({entry.licence})"


def note(page: Page, atlas: Atlas) -> str:
    """Return what stands below a table of counties."""
    if atlas.counted is None:
        return page.t("mobility.console.counties.note")
    return page.t("mobility.console.counties.note.counted")


def passed(page: Page, atlas: Atlas) -> str:
    """Return which places would be counted by, and why they are not; "" where there are none."""
    if not atlas.passed:
        return ""
    first = page.console.errors.render(atlas.passed[0], page.language).what
    more = len(atlas.passed) - 1
    if more:
        first = page.voice.tn("mobility.console.people.passed.more", more, what=first)
    return page.t("mobility.console.people.passed", what=first)


def left_out(page: Page, atlas: Atlas) -> Iterator[str]:
    """Yield what is not known of the people of a map."""
    from tongcheng.services.mobility.zones import SquareCells, ZoneCells  # noqa: PLC0415 an extra

    if atlas.counted is None:
        yield page.t("mobility.console.left_out.people")
        return
    if atlas.counted.modelled:
        yield page.t("mobility.console.left_out.people.kept")
    yield page.t("mobility.console.left_out.people.elsewhere")
    if isinstance(atlas.cells, SquareCells):
        yield page.t("mobility.console.left_out.squares", metres=atlas.cells.width_m)
    elif isinstance(atlas.cells, ZoneCells) and atlas.cells.simpler_m:
        yield page.t("mobility.console.left_out.borders", metres=atlas.cells.simpler_m)


def offered(page: Page, atlas: Atlas) -> Iterator[tuple[str, str]]:
    """Yield whose people one can choose; nothing where there is no choice."""
    if not atlas.offered:
        return
    # What can be chosen first, in the order in which a map takes it.
    for each in sorted(atlas.offered, key=lambda one: one.refused is not None):
        entry = each.kept.entry
        key = "mobility.console.people.kept"
        if entry.modelled:
            key = "mobility.console.people.kept.modelled"
        name = entry.id if each.is_own else each.name
        yield each.name, page.t(key, name=name, source=entry.source)
    yield REGION_PEOPLE, page.t("mobility.console.people.region")
