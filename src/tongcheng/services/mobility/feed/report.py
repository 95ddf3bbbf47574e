"""What reading a feed came to, for people and machines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from tongcheng.kernel.texts import Texts
from tongcheng.services.mobility.feed.datum import Evidence
from tongcheng.services.mobility.feed.days import Days
from tongcheng.services.mobility.feed.findings import Finding

Verdict = Literal["sound", "repaired", "doubtful", "incomplete"]
"""Incomplete: something was left out. Doubtful: all is there, with warnings. Repaired: all is there
after repairs that are safe. Sound: as it came."""


class Counts(msgspec.Struct, frozen=True):
    """How much was read and can be used; of `calls` so many had their time filled in."""

    stops: int
    platforms: int
    stations: int
    entrances: int
    routes: int
    trips: int
    calls: int
    calls_interpolated: int
    services: int
    frequencies: int
    transfers: int
    transfers_special: int
    pathways: int


class Report(msgspec.Struct, frozen=True):
    """What was read of a feed, and what was found in it.

    `version` is the feed's own name of its version (feed_info.txt), "" if it says none.
    """

    feed_id: str
    digest: str
    zone: str
    version: str
    verdict: Verdict
    datum: Evidence
    days: Days
    counts: Counts
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """How many things were left out."""
        return sum(each.count for each in self.findings if each.severity == "error")


def verdict_of(findings: tuple[Finding, ...]) -> Verdict:
    """Return the verdict that the gravest finding makes."""
    severities = {each.severity for each in findings}
    if "error" in severities:
        return "incomplete"
    if "warning" in severities:
        return "doubtful"
    return "repaired" if "repaired" in severities else "sound"


def words(report: Report, texts: Texts, language: str) -> list[str]:
    """Return the report as lines for a terminal, the verdict last."""

    def say(key: str, /, **values: object) -> str:
        return texts.get(f"mobility.feed.{key}", language, **values)

    counts = msgspec.structs.asdict(report.counts)
    version = say("version", version=report.version) if report.version else ""
    lines = [
        say("head", feed=report.feed_id, zone=report.zone, digest=report.digest) + version,
        say("counts", **counts),
        _days(report.days, say),
        say(f"datum.{report.datum.datum or 'unknown'}") + _evidence(report.datum, say),
    ]
    for each in report.findings:
        column = f" {each.column}" if each.column else ""
        what = say(f"finding.{each.code}")
        severity = say(f"severity.{each.severity}")
        where = f"{each.file}{column}: ".removeprefix(": ")
        lines.append(f"{severity} {where}{what} × {each.count} [{each.code}]")
        shown = [
            (f"{example.line}: " if example.line else "") + example.value
            for example in each.examples
        ]
        lines.append(f"    {'; '.join(shown)}" + (" …" if each.count > len(shown) else ""))
    lines.append(say(f"verdict.{report.verdict}", errors=report.errors))
    return lines


def _days(days: Days, say: Callable[..., str]) -> str:
    if days.first_on is None or days.last_on is None:
        return say("days.none")
    first, last = days.first_on.isoformat(), days.last_on.isoformat()
    return say("days", first=first, last=last, count=days.count)


def _evidence(evidence: Evidence, say: Callable[..., str]) -> str:
    asked = "" if evidence.asked == "detect" else say("asked")
    if evidence.share is None:
        return asked
    return asked + say(
        "evidence",
        matches=evidence.matches,
        raw=evidence.raw_m,
        converted=evidence.converted_m,
        percent=round(evidence.share * 100),
    )
