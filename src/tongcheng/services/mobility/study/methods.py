"""How an answer of a study was made, for the file that holds it."""

from __future__ import annotations

from typing import Final

from tongcheng.kernel.canonical import Json
from tongcheng.services.mobility.output.method import Method
from tongcheng.services.mobility.scan.model import Question
from tongcheng.services.mobility.study.model import Ready
from tongcheng.services.mobility.study.reach import RoadReady

KERNEL: Final = "tongcheng-range-scan/1"
"""Counts up whenever the same inputs may give another result."""


def method_of(
    measure: str, definition: str, ready: Ready, question: Question, *, deadlines: bool
) -> Method:
    """Return the method of what was computed from this question's answers."""
    window = question.window
    parameters: dict[str, Json] = {
        **ready.assumed,
        "instants": "arrive by" if deadlines else "depart at",
        "first_s": window.first_s,
        "step_s": window.step_s,
        "count": window.instants,
        "longest_s": question.longest_s,
        "cut_s": question.cut_s,
        "percentiles": list(question.percentiles),
        "rides_max": question.rides_max,
    }
    return Method(measure, definition, parameters, ready.sources, KERNEL)


def road_method_of(
    measure: str, definition: str, roads: RoadReady, longest_s: int, *, deadlines: bool
) -> Method:
    """Return the method of what was computed from rides by car."""
    parameters: dict[str, Json] = {
        **roads.assumed,
        "instants": "any: no congestion",
        "direction": "to the place" if deadlines else "from the place",
        "longest_s": longest_s,
    }
    return Method(measure, definition, parameters, roads.sources, KERNEL)
