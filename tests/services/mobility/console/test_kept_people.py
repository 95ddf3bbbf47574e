"""The map of a node that keeps places: their people are counted, and nobody else's."""

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.services.mobility.console.kept_files import (
    CHOSEN,
    NEAR,
    PLACE,
    ZONES,
    ZONES_NAME,
    keep,
    ready_client,
    title_of,
)

REGION = f"{PLACE}&people=_region"
SQUARE = [[116.99, 38.99], [117.02, 38.99], [117.02, 39.02], [116.99, 39.02], [116.99, 38.99]]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient[Litestar]]:
    """A client of a node whose region is ready, and that keeps nothing yet."""
    with ready_client(tmp_path) as opened:
        yield opened


def _rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text[:2000]
    rows = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    return [row for row in rows if row["people"]]


def test_kept_places_stand_for_the_cells(client: TestClient[Litestar], tmp_path: Path) -> None:
    """Title, table, files and method are theirs; what was modelled is so no longer."""
    before = client.get(f"/en/mobility?{PLACE}").text
    keep(client, tmp_path)
    page = client.get(f"/en/mobility?{PLACE}")
    rows = _rows(client.get(f"/en/mobility/reach.csv?{PLACE}"))
    found = client.get(f"/en/mobility/reach.geojson?{PLACE}").json()
    bands = [each["properties"] for each in found["features"] if "band" in each["properties"]]
    places = [each for each in found["method"]["sources"] if each["kind"] == "places"]

    assert "People below the county are modelled" in before
    assert 'name="people"' not in before
    assert title_of(page) == f"{NEAR} people reach Alpha station within an hour"
    assert "modelled" not in re.sub(r"<select.*?</select>", "", page.text, flags=re.DOTALL)
    assert "People as in “zones” (Census of Alpha)." in html.unescape(page.text)
    assert "People: Census of Alpha (CC0-1.0)." in page.text
    assert [(row["county_id"], row["people"], row["p50_60_min"]) for row in rows] == [
        ("100001", "45", "45"),
        ("100071", "7", "7"),
        ("200001", "1000", "0"),
        ("elsewhere", "3", "3"),
    ]
    assert sum(each["people"] for each in bands) == NEAR
    assert {each["cell_shape"] for each in bands} == {"assumed squares of 400 m"}
    assert [(each["id"], len(each["digest"])) for each in places] == [("zones", 64)]
    assert "as counted by who published it: zones.csv" in found["method"]["parameters"]["people"]
    assert '<svg class="geo"' in page.text
    assert 'class="geo-band-1"' in page.text


def test_one_may_go_back_to_the_cells(client: TestClient[Litestar], tmp_path: Path) -> None:
    """The choice stands in the address and in all that leads on, and gives the figure of before."""
    before = title_of(client.get(f"/en/mobility?{PLACE}"))
    keep(client, tmp_path)
    page = client.get(f"/en/mobility?{REGION}")
    kept = client.get(f"/en/mobility?{PLACE}").text

    assert title_of(page) == before
    assert '<option value="_region" selected>' in page.text
    assert "People below the county are modelled" in page.text
    for path in ("reach.geojson", "reach.csv", "ground.geojson"):
        (query,) = set(re.findall(rf'="/en/mobility/{path}\?([^"]*)"', page.text))
        assert "people=_region" in query
    assert f'<option value="{ZONES_NAME}" selected>' in kept
    links = re.findall(r'href="(/en/mobility\?[^"]*)"', kept)
    assert links
    assert all("people=tianjin-hsb%2Fzones" in each for each in links if "lang" not in each)


def test_a_link_means_the_same_when_there_are_others(
    client: TestClient[Litestar], tmp_path: Path
) -> None:
    """Another entry becomes a choice; those of before are asked for by name, as they were."""
    keep(client, tmp_path)
    link = client.get(f"/en/mobility?{CHOSEN}")
    keep(client, tmp_path, b"id,lon,lat,pop\na,117.0,39.0,9\n", id="another")
    page = client.get(f"/en/mobility?{PLACE}")

    assert title_of(link) == title_of(client.get(f"/en/mobility?{CHOSEN}"))
    assert title_of(page).startswith("9 people")
    assert page.text.count("tianjin-hsb/") == 2
    assert title_of(client.get(f"/en/mobility?{PLACE}&people=zones")) == title_of(link)


def test_what_a_model_made_goes_last_and_says_so(
    client: TestClient[Litestar], tmp_path: Path
) -> None:
    """Counted places are taken before it; chosen, it has a mark of its own."""
    keep(client, tmp_path, b"id,lon,lat,pop\na,117.0,39.0,9\n", id="a-model", modelled=True)
    alone = client.get(f"/en/mobility?{PLACE}")
    keep(client, tmp_path)
    both = client.get(f"/en/mobility?{PLACE}")

    assert "People are modelled by who published them" in alone.text
    assert "that a model made it" in alone.text
    assert title_of(both).startswith(f"{NEAR} people")


def test_areas_are_drawn_by_their_borders(client: TestClient[Litestar], tmp_path: Path) -> None:
    """A zone with a polygon is that polygon, on the page and in the file."""
    zone = {
        "type": "Feature",
        "properties": {"id": "z", "pop": 12},
        "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
    }
    raw = json.dumps({"type": "FeatureCollection", "features": [zone]}).encode()
    keep(client, tmp_path, raw, form="geojson")
    found = client.get(f"/en/mobility/reach.geojson?{PLACE}").json()
    bands = [each for each in found["features"] if each["properties"].get("people")]

    assert [each["properties"]["cell_shape"] for each in bands] == ["given"]
    assert sorted(bands[0]["geometry"]["coordinates"][0][0]) == sorted(SQUARE)


def test_areas_that_rounding_breaks_are_drawn_all_the_same(
    client: TestClient[Litestar], tmp_path: Path
) -> None:
    """A spike of 2 cm, sound as the file has it, is less than a map can show."""
    east = [[117.02, 38.99], [117.022, 39.0000001], [117.02, 39.0000002]]
    rings = [[*SQUARE[:2], *east, *SQUARE[2:]], [[x + 0.03, y] for x, y in SQUARE]]
    features = [
        {
            "type": "Feature",
            "properties": {"id": str(at), "pop": 5},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for at, ring in enumerate(rings)
    ]
    raw = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    keep(client, tmp_path, raw, form="geojson")

    assert title_of(client.get(f"/en/mobility?{PLACE}")).startswith("10 people reach Alpha station")


def test_the_nearest_of_an_area_is_that_of_its_nearest_place(
    client: TestClient[Litestar], tmp_path: Path
) -> None:
    """Whatever order its places are in, and whatever lies in another."""
    near, far = "117.000,39.000", "117.030,39.000"
    places = [("both", far), ("near", near), ("both", near), ("far", far), ("both", far)]
    lines = [f"{at},{where},{area},5" for at, (area, where) in enumerate(places)]
    keep(client, tmp_path, "\n".join(["id,lon,lat,county,pop", *lines]).encode())
    page = html.unescape(client.get(f"/en/mobility?{PLACE}").text)
    rows = re.findall(r'<tr role="row" class="leads">(.*?)</tr>', page, re.DOTALL)
    cells = [re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL) for row in rows]
    nearest = {re.sub(r"<.*?>", "", row[0]).strip(): row[4] for row in cells}

    assert set(nearest) == {"both", "near", "far"}
    assert nearest["both"] == nearest["near"] != nearest["far"]


def test_a_comparison_counts_the_same_people(client: TestClient[Litestar], tmp_path: Path) -> None:
    """Before and after, by county and by city, on the page and in its file."""
    raw = ZONES.replace(b"117.900,39.900", b"117.500,39.000")
    keep(client, tmp_path, raw)
    query = f"scenario=later&minutes=60&regime=best&{PLACE}"
    page = client.get(f"/en/mobility/compare?{query}")
    rows = _rows(client.get(f"/en/mobility/compare.csv?{query}"))

    assert page.status_code == 200
    assert "modelled" not in re.sub(r"<select.*?</select>", "", page.text, flags=re.DOTALL)
    assert f'<option value="{ZONES_NAME}" selected>' in page.text
    assert "Of 5 places" in page.text
    assert {row["county_id"]: row["people"] for row in rows}.get("200001", "1000") == "1000"
    cities = page.text.split('<h2 id="cities">')[1].split("</section>")[0]
    assert ">52<" in cities, "a city has the people of the file's counties in it, not its census"


def test_a_tried_scenario_and_the_board_take_them_too(
    client: TestClient[Litestar], tmp_path: Path
) -> None:
    """What lies under the map is the same day."""
    keep(client, tmp_path)
    ground = client.get("/en/mobility/ground.geojson?people=tianjin-hsb%2Fzones")

    assert {each["properties"]["kind"] for each in ground.json()["features"]} >= {"land", "rail"}


@pytest.mark.parametrize(
    ("people", "status", "said"),
    [
        ("nobody", 404, "tianjin-hsb/jobs, tianjin-hsb/zones"),
        ("beijing-hsb%2Fzones", 404, "tianjin-hsb/zones"),
        ("%3Cb%3E" + "x" * 500, 404, "tianjin-hsb/zones"),
        ("jobs", 422, "has no people"),
    ],
)
def test_people_whom_nobody_has_are_refused(
    client: TestClient[Litestar], tmp_path: Path, people: str, status: int, said: str
) -> None:
    """By a page that names those that there are; files are refused the same way."""
    keep(client, tmp_path, b"id,lon,lat,jobs\na,117,39,2\n", id="jobs")
    keep(client, tmp_path)
    page = client.get(f"/en/mobility?{PLACE}&people={people}")
    file = client.get(f"/en/mobility/reach.csv?{PLACE}&people={people}")

    assert (page.status_code, file.status_code) == (status, status)
    assert said in page.text
    assert "<b>" not in page.text
    assert len(page.text) < 20_000


def test_places_without_people_change_nothing(client: TestClient[Litestar], tmp_path: Path) -> None:
    """Nor is there a choice where there is nothing to choose."""
    before = title_of(client.get(f"/en/mobility?{PLACE}"))
    keep(client, tmp_path, b"id,lon,lat,jobs\na,117,39,2\n", id="jobs")
    page = client.get(f"/en/mobility?{PLACE}")

    assert title_of(page) == before
    assert 'name="people"' not in page.text
