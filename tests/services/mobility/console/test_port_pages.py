"""The hinterland of a region's port: page, files, refusals."""

import csv
import io
import re
import time
from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.services.mobility.console.small_pack import app_in

EVERYBODY = 1_200


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient[Litestar]]:
    """A client of a node whose region is ready."""
    with app_in(tmp_path_factory.mktemp("port")) as app, TestClient(app) as opened:
        until = time.monotonic() + 120
        while "being prepared" in opened.get("/en/mobility/port").text:
            assert time.monotonic() < until, "the region is prepared"
            time.sleep(0.05)
        yield opened


def test_the_page_says_how_many_are_near(client: TestClient[Litestar]) -> None:
    """More within four hours than within half an hour; the shapes hold the same people."""
    people = {}
    for minutes in (30, 240):
        page = client.get(f"/en/mobility/port?minutes={minutes}").text
        title = re.search(r"<h1>By road, ([0-9,]+) people reach the Harbour", page)
        assert title is not None, page[:2000]
        people[minutes] = int(title[1].replace(",", ""))
        shapes = client.get(f"/en/mobility/port.geojson?minutes={minutes}").json()
        bands = [each["properties"] for each in shapes["features"]][:-1]
        assert sum(each["people"] for each in bands) == people[minutes]

    assert 0 < people[30] < people[240] == EVERYBODY
    assert "a train that ran from 甲货场" in client.get("/en/mobility/port?minutes=240").text
    assert "At design speed, without congestion" in client.get("/en/mobility/port").text


def test_the_file_has_every_county_the_nearest_first(client: TestClient[Litestar]) -> None:
    """By road in seconds; by rail only the one whose train is known."""
    answer = client.get("/zh/mobility/port.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    counties = [row for row in rows if row["county_id"].isdigit()]
    seconds = [int(row["road_s"]) for row in counties]

    assert sorted(seconds) == seconds
    assert counties[0]["name_zh"] == "乙县", "at the harbour itself"
    assert {row["county_id"]: row["rail_s"] for row in counties}["100001"] == str(90 * 60)
    assert [row["rail_s"] for row in counties].count("") == len(counties) - 1


@pytest.mark.parametrize("minutes", ["0", "481", "x", "-60", "６０"])
def test_minutes_out_of_bounds_are_refused(client: TestClient[Litestar], minutes: str) -> None:
    """By name, on the page and for the files."""
    for path in ("port", "port.csv", "port.geojson"):
        answer = client.get(f"/en/mobility/{path}?minutes={minutes}")
        assert answer.status_code == 422
        assert "minutes" in answer.text


def test_a_region_without_a_port_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A page that refuses, and no link to it."""
    folder = tmp_path_factory.mktemp("inland")
    with app_in(folder) as app, TestClient(app) as client:
        (folder / "pack" / "geography" / "port.yaml").unlink()
        until = time.monotonic() + 120
        while "being prepared" in (page := client.get("/en/mobility")).text:
            assert time.monotonic() < until, "the region is prepared"
        answer = client.get("/en/mobility/port")

    assert "/en/mobility/port" not in page.text
    assert answer.status_code == 404
    assert "This region has no port" in answer.text
