"""The bar of bands: an area is money, and no mark-up of ours carries an inline style."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tongcheng.web.charts import BAR_HEIGHT, Stretch, band_bar

STRETCHES = st.lists(
    st.integers(0, 10**9).flatmap(
        lambda width: st.builds(Stretch, st.just("1"), st.just(width), st.integers(0, width))
    ),
    min_size=1,
    max_size=12,
).filter(lambda found: sum(each.width for each in found) > 0)


def _areas(svg: str, name: str) -> float:
    found = re.findall(
        rf'class="{name}" x="[^"]+" y="[^"]+" width="([\d.e-]+)%" height="([^"]+)"', svg
    )
    return sum(float(width) * float(height) for width, height in found)


@given(STRETCHES)
def test_the_filled_area_is_the_funds_share(stretches: list[Stretch]) -> None:
    """Of the whole rectangle, the filled part is what the funds pay (within what a pixel shows)."""
    svg = band_bar(tuple(stretches), "title")
    whole = sum(each.width for each in stretches)
    share = sum(each.part for each in stretches) / whole

    assert abs(_areas(svg, "bar-part") / (100 * BAR_HEIGHT) - share) < 0.002
    assert abs(_areas(svg, "bar-part") + _areas(svg, "bar-rest") - 100 * BAR_HEIGHT) < 20


def test_words_are_escaped_and_styles_are_not_inline() -> None:
    """A title is text, whatever it holds; the content policy forbids a style attribute."""
    svg = band_bar((Stretch("<1>", 10, 5, "50%"),), 'a "title" <b>')

    assert "<b>" not in svg
    assert "&lt;1&gt;" in svg
    assert "style=" not in svg
