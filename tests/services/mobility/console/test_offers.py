"""Which kept places a map takes where nobody chose, and what it says of those that it cannot."""

import hashlib
import html
import io
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

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
    places_entry,
    publish,
    ready_client,
    title_of,
)
from tongcheng.services.mobility import walking
from tongcheng.services.mobility.bundle.files import FileStore
from tongcheng.services.mobility.console import atlas as days
from tongcheng.services.mobility.console import offers, pages
from tongcheng.services.mobility.console.desk import desk_of
from tongcheng.services.mobility.console.query import Asked
from tongcheng.services.mobility.places.reading import read_places

HUGE = b"""id,lon,lat,county,pop
a,117.0,39.0,100001,9000000000
b,117.01,39.0,100001,9000000000
"""
"""More people together than can be added up; no single place has."""
LATER = f"scenario=later&{PLACE}"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient[Litestar]]:
    """A client of a node whose region is ready, and that keeps nothing yet."""
    with ready_client(tmp_path) as opened:
        yield opened


def _offered(page: httpx.Response) -> str:
    """Return where the button of a page of refusal leads to."""
    found = re.search(r'<a class="button button-quiet" href="([^"]*)">Count the region', page.text)
    assert found is not None, page.text[-2000:]
    return html.unescape(found.group(1))


def test_people_beyond_counting_are_passed_over_unasked(
    client: TestClient[Litestar], tmp_path: Path
) -> None:
    """By the circle, by a comparison and by their files; chosen, they are refused by their name."""
    before = title_of(client.get(f"/en/mobility?{PLACE}"))
    keep(client, tmp_path, HUGE, id="a-huge")
    alone = client.get(f"/en/mobility?{PLACE}")
    compared = client.get(f"/en/mobility/compare?{LATER}")
    chosen = client.get(f"/en/mobility?{PLACE}&minutes=50&people=a-huge")
    keep(client, tmp_path)
    both = client.get(f"/zh/mobility?{PLACE}")

    assert title_of(alone) == before
    assert "“tianjin-hsb/a-huge” holds a number below 0, or more" in alone.text
    assert "So the people counted here are others." in alone.text
    assert "tianjin-hsb/a-huge” holds" in compared.text
    assert client.get(f"/en/mobility/reach.csv?{PLACE}").status_code == 200
    assert client.get(f"/en/mobility/compare.csv?{LATER}").status_code == 200
    assert chosen.status_code == 422
    assert "“tianjin-hsb/a-huge” holds" in chosen.text
    assert "minutes=50" in _offered(chosen)
    assert title_of(client.get(_offered(chosen))).endswith("within 50 minutes")
    assert f"{NEAR} 人" in title_of(both) or f"{NEAR}人" in title_of(both)
    assert "因此没有按它计算" in both.text
    assert "因此没有按它计算" not in client.get(f"/zh/mobility?{CHOSEN}").text


def test_a_file_that_goes_missing_leaves_the_map_to_others(
    client: TestClient[Litestar], tmp_path: Path
) -> None:
    """Offered before or not: nothing is published or started anew; back, it is counted by again."""
    keep(client, tmp_path)
    lost = places_entry(tmp_path, client.app.state.node.home, HUGE[:55], id="a-lost")
    publish(client, lost)
    path = FileStore.of(client.app.state.node.home).path(lost.sha256)
    raw = path.read_bytes()
    ground = client.get("/en/mobility/ground.geojson")
    path.unlink()
    page = client.get(f"/en/mobility?{PLACE}")
    path.write_bytes(raw)
    back = client.get(f"/en/mobility?{PLACE}")

    assert ground.status_code == 200
    assert title_of(page).startswith(f"{NEAR} people")
    assert "“tianjin-hsb/a-lost” (a-lost.csv) is not here" in page.text
    assert "BUNDLE_FILE_MISSING" in page.text
    assert title_of(back).startswith("9,000 million people")


def test_a_chosen_file_that_is_missing_is_named(
    client: TestClient[Litestar], tmp_path: Path
) -> None:
    """On the page and instead of its files, with a way back to the cells."""
    entry = places_entry(tmp_path, client.app.state.node.home, ZONES)
    publish(client, entry)
    FileStore.of(client.app.state.node.home).path(entry.sha256).unlink()
    for path in ("", "/reach.csv", "/reach.geojson", "/ground.geojson", "/compare"):
        answer = client.get(f"/en/mobility{path}?people=tianjin-hsb%2Fzones")
        assert answer.status_code == 422
        assert f"“{ZONES_NAME}” (zones.csv) is not here" in answer.text
        assert client.get(_offered(answer)).status_code == 200


def test_bytes_that_were_changed_are_not_taken_unasked(
    client: TestClient[Litestar], tmp_path: Path
) -> None:
    """Where the file was read before too."""
    before = title_of(client.get(f"/en/mobility?{PLACE}"))
    entry = places_entry(tmp_path, client.app.state.node.home, ZONES)
    publish(client, entry)
    path = FileStore.of(client.app.state.node.home).path(entry.sha256)
    client.get("/en/mobility/scenarios/new")
    path.write_bytes(ZONES.replace(b",40", b",41"))
    page = client.get(f"/en/mobility?{PLACE}")

    assert title_of(page) == before
    assert "can not be read (BUNDLE_FILE)" in page.text


def test_places_too_close_together_are_passed_over(
    client: TestClient[Litestar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found out once, not by everybody who opens the page; chosen, they are refused by name."""
    before = title_of(client.get(f"/en/mobility?{PLACE}"))
    made: list[str] = []
    prepared = days.prepared_day

    def counting(atlas: days.Atlas, *given: Any) -> days.Prepared:
        made.append("" if atlas.counted is None else atlas.counted.id)
        return prepared(atlas, *given)

    monkeypatch.setattr(days, "prepared_day", counting)
    monkeypatch.setattr(walking, "LINKS_MAX", 1_500)
    rows = "".join(f"{at},117.0,{39 + at / 1e6:.6f},1\n" for at in range(2_000))
    keep(client, tmp_path, f"id,lon,lat,pop\n{rows}".encode(), id="dense")
    pages = [client.get(f"/en/mobility?{PLACE}&minutes={each}") for each in (60, 50)]
    chosen = client.get(f"/en/mobility?{PLACE}&people=dense")
    compared = client.get(f"/en/mobility/compare?{LATER}")

    assert title_of(pages[0]) == before
    assert all("“tianjin-hsb/dense” has its places so close" in each.text for each in pages)
    assert "“tianjin-hsb/dense” has its places so close" in compared.text
    assert chosen.status_code == 422
    assert "“tianjin-hsb/dense” has its places so close" in chosen.text
    assert client.get(_offered(chosen)).status_code == 200
    assert made.count("dense") == 1


def test_a_scenario_that_is_only_tried_passes_them_over_too(
    client: TestClient[Litestar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on no list: its own two days are what has to be ready."""
    rows = "".join(f"{at},117.0,{39 + at / 1e6:.6f},1\n" for at in range(2_000))
    keep(client, tmp_path, f"id,lon,lat,pop\n{rows}".encode(), id="dense")
    keep(client, tmp_path, HUGE, id="huge")
    monkeypatch.setattr(walking, "LINKS_MAX", 1_500)
    state, call = client.app.state, client.blocking_portal.call
    desk = desk_of(state.node, state.pack_folder)
    atlas = call(desk.ready)
    assert atlas is not None, "the region is ready"
    (scenario,) = atlas.region.scenarios
    made, asked = call(partial(pages.peopled, state.node, desk, atlas, Asked(), scenario))
    codes = [each.code for each in made.passed]
    page = client.get(f"/en/mobility?{PLACE}").text

    assert (asked.people, made.counted) == ("_region", None)
    assert codes == ["MOBILITY_PEOPLE_DENSE", "MOBILITY_COUNTS"]
    assert "1 more can not be used either." in page


def test_too_many_are_refused_by_the_report_alone(
    client: TestClient[Litestar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unasked and chosen: nobody waits for a file to be read that is then refused for its size."""
    keep(client, tmp_path)
    monkeypatch.setattr(offers, "PLACES_MAX", 4)
    monkeypatch.setattr(offers, "read_places", None)
    page = client.get(f"/en/mobility?{PLACE}")
    chosen = client.get(f"/en/mobility?{CHOSEN}")

    assert "“tianjin-hsb/zones” has 5 places, more than the 4" in page.text
    assert chosen.status_code == 422
    assert "has 5 places, more than the 4" in chosen.text


def test_a_file_is_looked_at_once_whatever_else_is_kept(
    client: TestClient[Litestar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another entry has that one read, and no other."""
    read: list[int] = []

    def counting(raw: bytes, form: Any) -> Any:
        read.append(len(raw))
        return read_places(raw, form)

    monkeypatch.setattr(offers, "read_places", counting)
    raws = [f"id,lon,lat,pop\na,117.0,39.0,{'1' * many}\n".encode() for many in (1, 2, 3)]
    for at, raw in enumerate(raws):
        keep(client, tmp_path, raw, id=f"z{at}")
        assert client.get(f"/en/mobility?{PLACE}").status_code == 200

    # The first of them once more, for the map that counts by it.
    assert sorted(read) == [len(raws[0]), *map(len, raws)]


def test_a_report_that_is_none_leaves_the_reader_to_count(
    client: TestClient[Litestar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another member may have signed anything; the file itself is counted all the same."""
    home = client.app.state.node.home
    other = b"\xff no report"
    digest = hashlib.sha256(other).hexdigest()
    home.folder = tmp_path
    FileStore.of(home).put(io.BytesIO(other), digest, len(other))
    entry = places_entry(
        tmp_path, home, ZONES, report_sha256=digest, report_bytes=len(other), verdict="sound"
    )
    publish(client, entry)
    page = client.get(f"/en/mobility?{PLACE}")
    publish(client, places_entry(tmp_path, home, ZONES.replace(b"z5", b"z6")))
    monkeypatch.setattr(offers, "PLACES_MAX", 4)

    assert title_of(page).startswith(f"{NEAR} people")
    assert "has 5 places" in client.get(f"/en/mobility?{PLACE}").text


def test_what_cannot_be_asked_is_offered_and_refused_by_name(
    client: TestClient[Litestar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many places leave the map to the cells; whoever chooses them is told why."""
    monkeypatch.setattr(offers, "PLACES_MAX", 4)
    keep(client, tmp_path)
    page = client.get(f"/en/mobility?{PLACE}")
    chosen = client.get(f"/en/mobility?{CHOSEN}")

    assert '<option value="_region" selected>' in page.text
    assert "People below the county are modelled" in page.text
    assert chosen.status_code == 422
    assert "has 5 places, more than the 4" in chosen.text
