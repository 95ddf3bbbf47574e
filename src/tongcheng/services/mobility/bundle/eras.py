"""Which days the kept feeds are for: timetables of two eras do not mix in silence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.bundle.model import Entry
from tongcheng.services.mobility.bundle.records import KeptEntry

_BEFORE_ALL, _AFTER_ALL = date.min.isoformat(), date.max.isoformat()


def common_days(entries: Iterable[Entry]) -> tuple[str, str] | None:
    """Return the first and last day within the spans of all entries; None where there is none."""
    spanned = [(each.valid_from or _BEFORE_ALL, each.valid_to or _AFTER_ALL) for each in entries]
    if not spanned:
        return None
    first, last = max(each[0] for each in spanned), min(each[1] for each in spanned)
    return (first, last) if first <= last else None


def check_eras(feeds: Sequence[KeptEntry], day: date) -> None:
    """Refuse BUNDLE_ERAS, with the spans of all, where one of the feeds does not span the day."""
    if not all(each.entry.holds_on(day) for each in feeds):
        raise Refused("BUNDLE_ERAS", day=day.isoformat(), spans=spans(feeds))


def spans(feeds: Iterable[KeptEntry]) -> str:
    """Return feeds with their spans, for people."""
    return "; ".join(
        f"{each.member_id}/{each.entry.id} {each.entry.valid_from} – {each.entry.valid_to}"
        for each in feeds
    )
