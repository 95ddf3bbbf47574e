"""A port: gates that the roads reach, trains whose time is known, reckoned or unknown."""

import pytest

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.facts.port import Port, rail_s, read

TEXT = """port_id: p
name: {zh: 港, en: Port}
gates:
- id: g
  name: {zh: 门, en: Gate}
  node: na
  lon: {value: "117.7", source: own, year: "2020", confidence: low}
  lat: {value: "39.0", source: own, year: "2020", confidence: low}
rail_yards:
- id: y
  name: {zh: 场, en: Yard}
  lon: {value: "117.7", source: own, year: "2020", confidence: low}
  lat: {value: "39.0", source: own, year: "2020", confidence: low}
  opened: {value: "2016-06-28", source: own, year: "2016", confidence: low}
  branch_km: {value: null, source: own, year: "2020", confidence: low}
rail_freight:
  average_kmh: {value: "40", source: own, year: "2020", confidence: low}
  ways:
  - division: "100000"
    place: {zh: 甲, en: Alpha}
    yard: y
    running_min: {value: "270", source: own, year: "2020", confidence: low}
    length_km: {value: "190", source: own, year: "2020", confidence: low}
  - division: "200000"
    place: {zh: 乙, en: Beta}
    yard: y
    running_min: {value: null, source: own, year: "2020", confidence: low}
    length_km: {value: "100", source: own, year: "2020", confidence: low}
  - division: "300000"
    place: {zh: 丙, en: Gamma}
    yard: y
    running_min: {value: null, source: own, year: "2020", confidence: low}
    length_km: {value: null, source: own, year: "2020", confidence: low}
terminal_s:
  road: {value: null, source: own, year: "2020", confidence: low}
  rail: {value: null, source: own, year: "2020", confidence: low}
"""


LON = """  node: na
  lon: {value: "117.7","""


def _port(text: str = TEXT) -> Port:
    return read("port.yaml", text, {"na"}, {"own"})


def test_rail_times() -> None:
    """A train that ran goes before a reckoned time, and what nobody knows stays unknown."""
    port = _port()

    assert [rail_s(port, way) for way in port.rail_freight.ways] == [16_200, 9_000, None]


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("node: na", "node: nowhere", 6),
        ("zh: 乙, en: Beta}\n    yard: y", "zh: 乙, en: Beta}\n    yard: z", 26),
        (LON, LON.replace("117.7", "1e3"), 7),
        ('value: "40", source: own', 'value: "40", source: rumour', 17),
        ('value: "40", source: own, year: "2020"', 'value: "40", source: own, year: "20"', 17),
        ("port_id: p", "port_id: p\nextra: x", 1),
    ],
)
def test_faults_have_lines(before: str, after: str, line: int) -> None:
    """A gate at no node, a way to no yard, a value that is no number: each with its line."""
    assert TEXT.count(before) == 1
    with pytest.raises(Refused) as refused:
        _port(TEXT.replace(before, after))

    assert (refused.value.code, refused.value.facts["line"]) == ("FACTS_DOCUMENT", line)
