"""Mobility's sums as figures beside the joint plan, in words, each with the page that shows it."""

from collections.abc import Mapping
from typing import Final

from tongcheng.kernel.words import Words
from tongcheng.services.mobility.console.figures import Told
from tongcheng.services.plan.model import Figure

ACTION: Final = "mobility.read"
HOUR_MIN: Final = 60
BY_CAR: Final = Words("人口为模型，按设计车速", "people modelled, at design speed")
BY_TYPICAL: Final = Words("人口为模型，班次为典型值", "people modelled, trains typical")
PEOPLE: Final = Words("人口为模型", "people modelled")
COUNTED_BY_CAR: Final = Words("按设计车速", "at design speed")
COUNTED_BY_TYPICAL: Final = Words("班次为典型值", "trains typical")


def mobility_figures(told: Mapping[str, Told | None]) -> dict[str, Figure | None]:
    """Return a figure for each sum; None is not computed yet."""
    return {key: None if each is None else _figure(key, each) for key, each in told.items()}


def _figure(key: str, told: Told) -> Figure:
    return Figure(
        key=key,
        value=told.people,
        measure="count",
        name=_reached(told) if told.scenario is None else _gained(told, told.scenario),
        evidence=Words("看地图和各区县", "See the map and its counties"),
        evidence_path=told.path,
        evidence_action=ACTION,
        mark=_mark(told),
    )


def _mark(told: Told) -> Words | None:
    if not told.is_modelled:
        if told.by_car:
            return COUNTED_BY_CAR
        return COUNTED_BY_TYPICAL if told.is_typical else None
    if told.by_car:
        return BY_CAR
    return BY_TYPICAL if told.is_typical else PEOPLE


def _reached(told: Told) -> Words:
    within, place = _within(told.minutes), told.place
    if told.by_car:
        return Words(
            f"人由公路{within.zh}可到{place.zh}",
            f"people reach the {place.en} {within.en} by road",
        )
    return Words(f"人{within.zh}可到{place.zh}", f"people reach {place.en} {within.en}")


def _gained(told: Told, scenario: Words) -> Words:
    within, place = _within(told.minutes), told.place
    if told.is_best:
        return Words(
            f"人赶最合适的一班{within.zh}新可到{place.zh}：{scenario.zh}",
            f"more people reach {place.en} {within.en} by the best-timed trip: {scenario.en}",
        )
    return Words(
        f"人{within.zh}新可到{place.zh}：{scenario.zh}",
        f"more people reach {place.en} {within.en}: {scenario.en}",
    )


def _within(minutes: int) -> Words:
    if minutes == HOUR_MIN:
        return Words("一小时内", "within an hour")
    return Words(f" {minutes} 分钟内", f"within {minutes} minutes")
