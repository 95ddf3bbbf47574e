"""Streets out of an extract: ways that one may go along, gaps, and files of no use."""

import os
import sys
from contextlib import suppress
from pathlib import Path

import osmium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.streets import extract
from tongcheng.services.mobility.streets.extract import WayTable, read_ways

Way = tuple[list[int], dict[str, str]]
NODES = {number: (117.0 + number / 1000, 39.0) for number in range(1, 8)}


def write(path: Path, ways: list[Way], nodes: dict[int, tuple[float, float]] = NODES) -> Path:
    """Write an extract of these nodes and ways."""
    with osmium.SimpleWriter(osmium.io.File(str(path), "pbf")) as writer:
        for number, place in nodes.items():
            writer.add_node(osmium.osm.mutable.Node(id=number, location=place))
        for number, (refs, tags) in enumerate(ways, start=1):
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=refs, tags=tags))
    return path


def refs(ways: WayTable) -> list[list[int]]:
    """Return the nodes of each way."""
    return [
        ways.node[begin:end].tolist()
        for begin, end in zip(ways.start[:-1], ways.start[1:], strict=True)
    ]


STREETS: list[Way] = [
    ([1, 2, 3], {"highway": "residential", "oneway": "yes"}),
    ([3, 4], {"highway": "motorway"}),
    ([4, 5], {"waterway": "river"}),
    ([5, 6], {"highway": "footway"}),
]


def test_ways_of_each_profile(tmp_path: Path) -> None:
    """On foot both ways, by car in the direction that is allowed, at its speed."""
    path = write(tmp_path / "streets.osm.pbf", STREETS)
    walked, driven = read_ways(path, "foot"), read_ways(path, "car")

    assert refs(walked) == [[1, 2, 3], [5, 6]]
    assert walked.backward.tolist() == walked.forward.tolist() == [True, True]
    assert refs(driven) == [[1, 2, 3], [3, 4]]
    assert (driven.forward.tolist(), driven.backward.tolist()) == ([True, True], [False, False])
    assert driven.speed_km_per_h.tolist() == [30, 100]
    assert walked.lon.tolist() == pytest.approx([117.001, 117.002, 117.003, 117.005, 117.006])
    assert len(walked.digest) == 64
    assert walked.digest == driven.digest


def test_a_way_with_nodes_elsewhere_is_cut_there(tmp_path: Path) -> None:
    """What lies beyond the extract is no straight street from end to end."""
    ways: list[Way] = [
        ([1, 2, 99, 3, 98, 4, 5], {"highway": "path"}),
        ([97, 6], {"highway": "path"}),
    ]
    found = read_ways(write(tmp_path / "x.osm.pbf", ways), "foot")

    assert refs(found) == [[1, 2], [4, 5]]
    assert found.lon.tolist() == pytest.approx([117.001, 117.002, 117.004, 117.005])


def test_an_extract_without_streets_is_refused(tmp_path: Path) -> None:
    """A river is no way to walk."""
    with pytest.raises(Refused, match="STREETS_NONE"):
        read_ways(write(tmp_path / "x.osm.pbf", STREETS[2:3]), "foot")


@pytest.mark.parametrize("kept", [0, 10, 100, -1])
def test_a_broken_extract_is_refused(tmp_path: Path, kept: int) -> None:
    """Cut anywhere, it is refused, also where all ways were read already."""
    whole = write(tmp_path / "x.osm.pbf", STREETS).read_bytes()
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(whole[:kept])
    with pytest.raises(Refused) as refusal:
        read_ways(broken, "foot")

    assert refusal.value.code == "STREETS_BROKEN"


@pytest.mark.parametrize("content", [b"\0" * 1_000, b"<osm/>", b"\xff" * 1_000])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever its name says."""
    path = tmp_path / "x.osm.pbf"
    path.write_bytes(content)
    with pytest.raises(Refused, match="STREETS_BROKEN"):
        read_ways(path, "foot")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """By name, as a broken one."""
    with pytest.raises(Refused, match="STREETS_BROKEN"):
        read_ways(tmp_path / "none.osm.pbf", "foot")


@pytest.mark.parametrize(
    ("limit", "what"),
    [("BYTES_MAX", "bytes"), ("UNPACKED_BYTES_MAX", "bytes"), ("POINTS_MAX", "points")],
)
def test_a_large_extract_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, what: str
) -> None:
    """By its size, packed or unpacked, or once it has more points than are taken."""
    monkeypatch.setattr(extract, limit, 4)
    with pytest.raises(Refused) as refusal:
        read_ways(write(tmp_path / "x.osm.pbf", STREETS), "foot")

    assert (refusal.value.code, refusal.value.facts["what"]) == ("STREETS_TOO_LARGE", what)


def test_without_osmium_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that settles bills has no need of it."""
    path = write(tmp_path / "x.osm.pbf", STREETS)
    monkeypatch.setitem(sys.modules, "osmium", None)
    with pytest.raises(Refused) as refusal:
        read_ways(path, "foot")

    assert (refusal.value.code, refusal.value.facts) == ("MOBILITY_EXTRA", {"package": "osmium"})


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=5))
def test_no_bytes_make_the_reading_fail(tmp_path: Path, changes: list[tuple[float, int]]) -> None:
    """An extract with bytes changed gives ways or a refusal, and nothing else."""
    whole, broken = tmp_path / "x.osm.pbf", tmp_path / "broken.osm.pbf"
    if not whole.exists():
        write(whole, STREETS)
    raw = bytearray(whole.read_bytes())
    for place, byte in changes:
        raw[int(place * (len(raw) - 1))] = byte
    broken.write_bytes(raw)
    with suppress(Refused):
        found = read_ways(broken, "foot")
        assert len(found.node) == found.start[-1]


def test_a_pipe_is_no_extract(tmp_path: Path) -> None:
    """It might never end: nobody waits for what it brings."""
    os.mkfifo(tmp_path / "x.osm.pbf")

    with pytest.raises(Refused, match="STREETS_BROKEN"):
        read_ways(tmp_path / "x.osm.pbf", "foot")
