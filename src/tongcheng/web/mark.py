"""The mark of the product: the region's places as abutting shapes, one of them its own."""

from tongcheng.kernel.region import RegionPack

MUTED_OPACITY = "0.38"


def mark_svg(region: RegionPack, place_id: str) -> str:
    """Return the mark as an SVG document of its own (the icon of the page).

    The place whose node this is stands out; the others are muted. Only presentation
    attributes are used, because an inline style would need a weaker content policy.
    """
    shapes = "".join(
        f'<path d="{place.shape}" fill="{place.colour}"'
        + ("" if place.id == place_id else f' fill-opacity="{MUTED_OPACITY}"')
        + "/>"
        for place in region.jurisdictions
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">{shapes}</svg>\n'
