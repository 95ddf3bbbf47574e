"""Scenario documents for tests: `document` puts changes under the same heading."""

HEAD = """scenario_id: test
title: {zh: 试验, en: Test}
status: {value: proposal}
base: {facts_on: "2016-03-09"}
changes:
"""
HEAD_LINES = 5
CHANGES = {
    "from_facts": "- change: add_line\n  from_facts: [ab-fast, an]\n",
    "add_line": """- change: add_line
  line: new
  name: New line
  mode: metro
  calls: [甲站, {name: X, lon: "117.1", lat: "39.01"}, b]
  minutes: ["0", null, "12.5"]
  dwell_s: "30"
  start: "07:00"
  end: "10:00"
  headway_min: "7.5"
""",
    "trains": """- change: add_line
  mode: rail
  calls: [a, b]
  minutes: ["0", "20"]
  start: "07:00"
  end: "10:00"
  trains: "3"
""",
    "remove_line": "- change: remove_line\n  services: [ab-fast]\n",
    "reroute": """- change: reroute
  service: ab-fast
  calls: [a, m, b]
  minutes: ["0", "24"]
""",
    "headway_factor": '- change: headway\n  services: [ab-fast]\n  factor: "0.5"\n',
    "headway_span": """- change: headway
  lines: [loop]
  headway_min: "2.5"
  start: "07:00"
  end: "09:00"
""",
    "speed": '- change: speed\n  lines: [ab]\n  factor: "4/5"\n',
    "dwell": '- change: dwell\n  lines: [ab]\n  dwell_s: "45"\n',
    "close_stop": "- change: close_stop\n  stations: [m, 甲站]\n",
    "process": """- change: process
  modes: [rail]
  stations: null
  enter_s: {from: "900", to: "300"}
""",
    "road_facts": "- change: add_road\n  from_facts: [r2]\n",
    "add_road": """- change: add_road
  start: na
  end: {name: Y, lon: "117.2", lat: "39.2"}
  length_km: "30.125"
  design_kmh: "120"
""",
}


def document(*changes: str) -> str:
    """Return a scenario of these changes, texts as in CHANGES."""
    return HEAD + "".join(changes)
