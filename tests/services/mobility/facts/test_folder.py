"""A region's folder of tables: read whole, tables that refer to each other, faults by line."""

from pathlib import Path

import pytest

from tests.services.mobility.facts.fact_texts import changed, texts
from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts.folder import BYTES_MAX, TABLES, facts_of, load


def _write(folder: Path) -> None:
    for name, text in texts().items():
        (folder / name).write_text(text, "utf-8")


def test_load(tmp_path: Path) -> None:
    """A folder's tables become facts; the digest is of their bytes, so a comment changes it."""
    _write(tmp_path)
    facts = load(tmp_path, "Asia/Shanghai")

    assert sorted(texts()) == list(TABLES)
    assert [city.population.value for city in facts.cities] == [900, 300]
    assert [county.at is None for county in facts.counties] == [False, False, True, False]
    assert [len(line.stops) for line in facts.lines] == [3, 2, 4]
    assert facts.services[0].frequencies[0].trains == 16
    assert facts == load(tmp_path, "Asia/Shanghai")

    (tmp_path / "cities.csv").write_text(texts()["cities.csv"] + "# more\n", "utf-8")
    assert load(tmp_path, "Asia/Shanghai").digest != facts.digest


def test_a_line_has_two_ends() -> None:
    """A line of one station is refused where the line stands."""
    with pytest.raises(Refused) as refused:
        facts_of(changed("line_stops.csv", "bn,n,,,,\n", ""), "Asia/Shanghai", "0" * 64)

    assert (refused.value.facts["file"], refused.value.facts["line"]) == ("lines.csv", 3)


def test_load_refuses_files(tmp_path: Path) -> None:
    """A table that is missing, not text or endless is refused by its name."""
    _write(tmp_path)
    path = tmp_path / "lines.csv"
    path.unlink()
    with pytest.raises(Refused, match=r"FACTS_FILE .*lines\.csv"):
        load(tmp_path, "Asia/Shanghai")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match="not UTF-8"):
        load(tmp_path, "Asia/Shanghai")
    path.write_bytes(b"#" * (BYTES_MAX + 1))
    with pytest.raises(Refused, match="longer than"):
        load(tmp_path, "Asia/Shanghai")


@pytest.mark.parametrize(
    ("file", "before", "after", "code", "line"),
    [
        ("cities.csv", "200000,乙", "100000,乙", "FACTS_TWICE", 4),
        ("cities.csv", ",300,press 2020 high", ",,", "FACTS_VALUE", 4),
        ("counties.csv", "县,Beta County,200000", "县,Beta County,300000", "FACTS_REFERENCE", 5),
        ("systems.csv", "Metro,metro", "Metro,boat", "FACTS_VALUE", 3),
        ("stations.csv", "m1,metro", "m1,tram", "FACTS_REFERENCE", 6),
        ("stations.csv", "117.25,39.00", "117.25,139.00", "FACTS_VALUE", 3),
        ("line_stops.csv", "bn,n,,", "bn,x,,", "FACTS_REFERENCE", 6),
        ("line_stops.csv", "bn,n,,", "bn,m1,,", "FACTS_VALUE", 6),
        ("services.csv", "ab bn,a b n", "ab xx,a b n", "FACTS_REFERENCE", 4),
        ("services.csv", "ab bn,a b n", "ab bn,a b m1", "FACTS_REFERENCE", 4),
        ("services.csv", "ab bn,a b n", "ab bn,*", "FACTS_VALUE", 4),
        ("services.csv", "a b,0 20,", "a,0 20,", "FACTS_VALUE", 2),
        ("services.csv", "0 20 35", "0 20 20", "FACTS_VALUE", 4),
        ("services.csv", "0 20 35", "1 20 35", "FACTS_VALUE", 4),
        ("services.csv", "0 20 35", "0 20 ?", "FACTS_VALUE", 4),
        ("services.csv", "0 20 35", "0 9 20 35", "FACTS_VALUE", 4),
        ("services.csv", "0 20 35", "0 x 35", "FACTS_VALUE", 4),
        ("services.csv", "0 20 35", "0 20 1441", "FACTS_VALUE", 4),
        ("services.csv", "a m,,,", "a m,,press 2020 low,", "FACTS_VALUE", 6),
        ("frequencies.csv", "an,07:00,21:00", "an,21:00,07:00", "FACTS_VALUE", 4),
        ("frequencies.csv", "16,,", "16,5,", "FACTS_VALUE", 2),
        ("frequencies.csv", "16,,", ",,", "FACTS_VALUE", 2),
        ("frequencies.csv", "16,,", "1.5,,", "FACTS_VALUE", 2),
        ("frequencies.csv", ",7.5,", ",900,", "FACTS_VALUE", 9),
        ("frequencies.csv", "09:00,23:00", "08:59,23:00", "FACTS_OVERLAP", None),
        ("road_edges.csv", "r1,G1,na,nb", "r1,G1,na,na", "FACTS_VALUE", 2),
        ("road_edges.csv", "r1,G1,na,nb", "r1,G1,na,nx", "FACTS_REFERENCE", 2),
        ("road_edges.csv", "r2,G2", "r1,G2", "FACTS_TWICE", 3),
        ("road_nodes.csv", "own 2020 low\nnb", "rumour 2020 low\nnb", "FACTS_REFERENCE", 2),
    ],
)
def test_faults_have_lines(file: str, before: str, after: str, code: str, line: int | None) -> None:
    """A fault in any table is refused with the table's name and the line."""
    with pytest.raises(Refused) as refused:
        facts_of(changed(file, before, after), "Asia/Shanghai", "0" * 64)

    facts = refused.value.facts
    assert (refused.value.code, facts["file"], facts.get("line")) == (code, file, line)
