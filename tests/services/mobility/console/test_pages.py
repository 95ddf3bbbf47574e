"""Mobility's first page on a region of two towns: words, map, tables, files, refusals."""

import csv
import io
import re
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.services.mobility.console.small_pack import app_in
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.bundle.model import Entry
from tongcheng.services.mobility.bundle.records import KeptEntry
from tongcheng.services.mobility.console.atlas import Kept, day_of_feeds
from tongcheng.services.mobility.console.words import era_said

EVERYBODY = 1_200
"""People of the small region's two cities."""
HOSTILE = (
    ("lon=nan&lat=39", 422),
    ("lon=inf&lat=39", 422),
    ("lon=117&lat=91", 422),
    ("lon=117", 422),
    ("lon=0&lat=0", 422),
    ("minutes=-1", 422),
    ("minutes=100000", 422),
    ("minutes=１２", 422),
    ("from=540&until=420", 422),
    ("from=0&until=1440", 422),
    ("from=0x10", 422),
    ("direction=sideways", 422),
    ("regime=%3Cscript%3E", 422),
    ("place=%3Cb%3Enowhere", 404),
    ("place=" + "x" * 5000, 404),
    ("scenario=none", 404),
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient[Litestar]]:
    """A client of a node whose region is ready."""
    with app_in(tmp_path_factory.mktemp("mobility")) as app, TestClient(app) as opened:
        until = time.monotonic() + 120
        while "geo-still" not in (page := opened.get("/en/mobility")).text:
            assert page.status_code == 200
            assert time.monotonic() < until, "the region is prepared"
            time.sleep(0.05)
        yield opened


def _title(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text[:2000]
    found = re.search(r"<h1>(.*?)</h1>", answer.text)
    assert found is not None
    return found.group(1)


def _people(title: str) -> int:
    found = re.match(r"[0-9,]+", title)
    assert found is not None, title
    return int(found.group().replace(",", ""))


def test_the_title_is_the_answer(client: TestClient[Litestar]) -> None:
    """Who reaches the station of Alpha within the hour, in both languages; two hours hold more."""
    chinese = _title(client.get("/zh/mobility", params={"place": "甲"}))
    english = _title(client.get("/en/mobility", params={"place": "甲站"}))
    longer = _title(client.get("/en/mobility", params={"place": "Alpha station", "minutes": 120}))

    people = _people(english)
    assert english == f"{people} people reach Alpha station within an hour"
    assert chinese == f"{people}人一小时内可到甲站"
    assert longer.endswith("reach Alpha station within 120 minutes")
    assert 0 < people < _people(longer) <= EVERYBODY


def test_the_other_way_and_the_other_regime(client: TestClient[Litestar]) -> None:
    """Each is an address of its own, and the form stands as the address has it."""
    page = client.get("/en/mobility?place=Beta&direction=from&regime=best&minutes=90").text

    assert "From Beta station one reaches" in page
    assert re.search(r'name="direction" value="from" checked', page)
    assert re.search(r'name="regime" value="best" checked', page)
    assert 'value="90"' in page


def test_a_table_adds_up_to_its_title(client: TestClient[Litestar]) -> None:
    """The file's counties are all of them, and those within are as many as the title says."""
    answer = client.get("/en/mobility/reach.csv?place=%E7%94%B2")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    counties = [row for row in rows if row["county_id"].isdigit()]

    assert [row["name_zh"] for row in counties] == ["东区", "西区", "乙县"]
    assert sum(int(row["people"]) for row in counties) == EVERYBODY
    title = _title(client.get("/en/mobility?place=%E7%94%B2"))
    assert sum(int(row["p50_60_min"]) for row in counties) == _people(title)
    assert '"kernel":' in answer.text.replace('""', '"')


def test_geojson_holds_bands_spot_and_method(client: TestClient[Litestar]) -> None:
    """The bands hold the same people as the page, and name what they were made of."""
    found = client.get("/en/mobility/reach.geojson?place=%E7%94%B2").json()
    bands = [each["properties"] for each in found["features"] if "band" in each["properties"]]

    assert [each["band"] for each in bands] == [3, 2, 1]
    title = _title(client.get("/en/mobility?place=%E7%94%B2"))
    assert sum(each["people"] for each in bands) == _people(title)
    assert {each["kind"] for each in found["method"]["sources"]} >= {"feed", "places", "facts"}
    assert found["features"][-1]["properties"] == {"spot": True, "name": "Alpha station"}


def test_the_ground_has_land_lines_and_names(client: TestClient[Litestar]) -> None:
    """What lies under a circle comes from this node alone."""
    found = client.get("/zh/mobility/ground.geojson").json()
    kinds = {each["properties"]["kind"] for each in found["features"]}

    assert kinds == {"land", "rail", "metro", "city"}


def test_what_is_modelled_is_marked(client: TestClient[Litestar]) -> None:
    """People below the county, typical trains, years that do not match, whose points they are."""
    page = client.get("/en/mobility").text

    for words in (
        "People below the county are modelled",
        "Trains are typical figures, no timetable",
        ", not all of 2026",
        "© OpenStreetMap contributors",
        "Natural Earth",
        "How it was made",
    ):
        assert words in page, words


def test_a_click_is_named_by_the_station_it_hits(client: TestClient[Litestar]) -> None:
    """Within some hundred metres it is that station; elsewhere its coordinates say it."""
    assert "Alpha station" in _title(client.get("/en/mobility?lon=117.003&lat=39.001"))
    assert "(117.120, 39.050)" in _title(client.get("/en/mobility?lon=117.12&lat=39.05"))


def test_a_scenario_can_be_seen_as_if_it_were(client: TestClient[Litestar]) -> None:
    """Its day, its name in the form, its limits in the method."""
    page = client.get("/en/mobility?scenario=later").text

    assert '<option value="later" selected>' in page
    assert "1 Jun 2021" in page
    assert "A test." in page


@pytest.mark.parametrize(("query", "status"), HOSTILE)
def test_what_cannot_be_asked_is_refused(
    client: TestClient[Litestar], query: str, status: int
) -> None:
    """By a page with what, why and what to do; nothing of a stranger's words is markup."""
    answer = client.get(f"/en/mobility?{query}")

    assert answer.status_code == status
    assert '<dl class="error-facts">' in answer.text
    assert "<script>" not in answer.text
    assert "<b>nowhere" not in answer.text
    assert len(answer.text) < 20_000


def test_a_region_without_geography_says_so(tmp_path: Path) -> None:
    """A page of its own, and files that are refused; no fault."""
    with app_in(tmp_path, geography=False) as app, TestClient(app) as client:
        until = time.monotonic() + 60
        page = client.get("/en/mobility")
        while "prepared" in page.text and time.monotonic() < until:
            time.sleep(0.05)
            page = client.get("/en/mobility")
        file = client.get("/en/mobility/reach.csv")

    assert "This region has no geography yet" in page.text
    assert (page.status_code, file.status_code) == (200, 503)


def _kept(feed_id: str, first: str, last: str) -> KeptEntry:
    """Return a feed that a node keeps, which runs from one day to another."""
    entry = Entry(
        kind="feed",
        id=feed_id,
        sha256="0" * 64,
        bytes=1,
        name="feed.zip",
        form="gtfs",
        datum="wgs84",
        valid_from=first,
        valid_to=last,
        report_sha256="0" * 64,
        report_bytes=1,
        verdict="sound",
        source="test",
        licence="CC0-1.0",
        attribution="",
        modelled=False,
    )
    return KeptEntry("tianjin-hsb", entry)


@pytest.mark.parametrize(
    ("on", "day"),
    [
        ("2016-02-10", "2016-02-10"),
        ("2016-02-13", "2016-02-12"),
        ("2026-11-22", "2016-03-31"),
        ("2015-01-01", "2016-01-04"),
    ],
)
def test_feeds_that_are_kept_are_shown_on_a_day_on_which_they_run(on: str, day: str) -> None:
    """On a working day of theirs, the nearest: 2016-01-02 was a Saturday, 2016-03-31 a Thursday."""
    feeds = (_kept("rail", "2016-01-02", "2016-04-30"), _kept("metro", "2015-01-01", "2016-03-31"))

    assert day_of_feeds(feeds, date.fromisoformat(on)) == date.fromisoformat(day)


def test_a_feed_that_is_read_otherwise_is_another_state() -> None:
    """The same bytes taken for another datum, or credited to others, are prepared anew."""
    feed = _kept("rail", "2016-01-02", "2016-04-30")
    others = [
        feed._replace(entry=msgspec.structs.replace(feed.entry, **changed))
        for changed in ({"datum": "gcj02"}, {"attribution": "others"}, {"id": "other"})
    ]
    home: Any = None

    assert len({Kept((each,), home).digests for each in (feed, *others)}) == 4


@pytest.mark.parametrize(
    ("years", "said"),
    [
        ((), ""),
        ((2026,), ""),
        ((2016,), "mobility.console.era 2016 2026"),
        ((2025, 2026), "mobility.console.era 2025–2026 2026"),
    ],
)
def test_figures_of_other_years_are_marked(years: tuple[int, ...], said: str) -> None:
    """Also where all are of one other year, or of the year before, as `check` says it."""
    page: Any = SimpleNamespace(t=lambda key, years, year: f"{key} {years} {year}")
    day: Any = SimpleNamespace(years=years, day=date(2026, 3, 9))

    assert era_said(page, day, day) == said


def test_feeds_of_two_eras_are_refused() -> None:
    """Rail of 2016 and a metro of 2026 are on no map together, and both are named."""
    feeds = (_kept("rail", "2016-01-02", "2016-04-30"), _kept("metro", "2026-07-01", "2026-12-31"))

    with pytest.raises(Refused, match="BUNDLE_ERAS") as refused:
        day_of_feeds(feeds, date(2026, 11, 22))
    assert "rail 2016-01-02" in str(refused.value.facts["spans"])
    assert "metro 2026-07-01" in str(refused.value.facts["spans"])
