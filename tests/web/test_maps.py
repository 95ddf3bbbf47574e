"""The small map: arrows as wide as their amount, in their payer's colour, never over a name."""

import math
import re
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from tongcheng.kernel import region
from tongcheng.kernel.words import LANGUAGES, Language
from tongcheng.web import maps
from tongcheng.web.maps import Flow, arc, flow_map, label_of, region_map

PACK = region.load("jingjinji")
PLACES = [place.id for place in PACK.jurisdictions]
LETTER_UNITS = {"zh": 2.1, "en": 1.3}  # at the largest size of the style sheet
WAYS = list(permutations(PLACES, 2))
FLOWS = st.dictionaries(st.sampled_from(WAYS), st.integers(1, 10**12), min_size=1).map(
    lambda found: tuple(Flow(source, target, n, "words") for (source, target), n in found.items())
)


def _arrows(svg: str) -> list[tuple[str, list[tuple[float, float]]]]:
    """Return each arrow as its colour and the points of its path."""
    found = re.findall(r'<path class="map-flow" d="([^"]+)" fill="([^"]+)">', svg)
    return [
        (colour, [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)])
        for path, colour in found
    ]


def _boxes(language: Language) -> list[tuple[float, float, float, float]]:
    """Return where the names stand: left, top, right, bottom."""
    boxes = []
    for place in PACK.jurisdictions:
        x, y, anchor, shift = label_of(PACK, place)
        width = LETTER_UNITS[language] * len(place.short.of(language))
        left = x - {"start": 0, "middle": 0.5, "end": 1}[anchor] * width
        base = y + shift * 2.1
        boxes.append((left, base - 1.7, left + width, base + 0.4))
    return boxes


@pytest.mark.parametrize("language", LANGUAGES)
@given(flows=FLOWS)
def test_no_arrow_covers_a_name(language: Language, flows: tuple[Flow, ...]) -> None:
    """Whatever flows where: each arrow lies in the hull of its points, clear of every name."""
    for _, points in _arrows(flow_map(PACK, "tianjin", language, "title", flows)):
        sampled = [
            (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))
            for a, b in [*pairwise(points), (points[-1], points[0])]
            for share in (0, 0.25, 0.5, 0.75)
        ]
        covered = [
            (point, box)
            for point in sampled
            for box in _boxes(language)
            if box[0] < point[0] < box[2] and box[1] < point[1] < box[3]
        ]
        assert covered == []


@given(flows=FLOWS)
def test_an_arrow_is_as_wide_as_its_amount(flows: tuple[Flow, ...]) -> None:
    """The widest first; each in proportion, but never too thin to be seen."""
    arrows = _arrows(flow_map(PACK, "tianjin", "zh", "title", flows))
    amounts = sorted((flow.amount for flow in flows), reverse=True)

    for (_, points), amount in zip(arrows, amounts, strict=True):
        width = math.dist(points[0], points[-1])
        expected = max(maps.WIDTH_MIN, maps.WIDTH_MAX * amount / amounts[0])
        assert width == pytest.approx(expected, abs=0.03)


def test_an_arrow_has_the_colour_of_the_place_it_comes_from() -> None:
    """Money from Beijing is Beijing's red, wherever it goes."""
    flows = (Flow("beijing", "tianjin", 9, "a < b"), Flow("tianjin", "beijing", 3, "back"))
    svg = flow_map(PACK, "tianjin", "zh", 'a "title"', flows)

    assert [colour for colour, _ in _arrows(svg)] == ["#b3402e", "#2d6fa3"]
    assert "<title>a &lt; b</title>" in svg
    assert 'role="img"' in svg
    assert 'aria-label="a &#34;title&#34;"' in svg
    assert "style=" not in svg


@pytest.mark.parametrize(("there", "back"), [way for way in WAYS if way[0] < way[1]])
def test_the_two_directions_never_cross(there: str, back: str) -> None:
    """Each keeps to its left: at the widest, the ways there and back stay apart."""
    width = maps.WIDTH_MAX
    first, second = arc(PACK, there, back, width), arc(PACK, back, there, width)
    shares = [number / 20 for number in range(21)]

    assert min(math.dist(first.at(a), second.at(b)) for a in shares for b in shares) >= width


@pytest.mark.parametrize("own", PLACES)
def test_its_own_place_is_picked_out(own: str) -> None:
    """One shape and one name stand out; every place has its name, in the page's language."""
    svg = region_map(PACK, own, "en", "title")
    place = maps.place_of(PACK, own)

    assert svg.count('class="map-own"') == 1
    assert f'class="map-own" d="{place.shape}"' in svg
    assert re.findall(r'class="map-name map-name-own"[^>]*>([^<]+)<', svg) == [place.short.en]
    assert svg.count("<text") == len(PLACES)


def test_layers_lie_between_the_shapes_and_the_names() -> None:
    """A page's own lines cover no name."""
    svg = region_map(PACK, "tianjin", "zh", "title", Markup("<g>lines</g>"))

    assert svg.index("map-place") < svg.index("<g>lines</g>") < svg.index("<text")
