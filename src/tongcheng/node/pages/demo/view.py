"""The demonstration in words: what runs, what is cut and waits, what verification said."""

from typing import Any, Final

import msgspec

from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.node.forgery import TARGETS, Forged, Outcome
from tongcheng.node.pages.demo.desk import DemoDesk
from tongcheng.services.settlement import ages
from tongcheng.services.settlement.desk_page import waiting
from tongcheng.services.settlement.desk_page.model import Waiting
from tongcheng.services.settlement.stays_counts import counts
from tongcheng.web import Badge, Cell, Column, Empty, Page, Row, Table

ROWS_MAX: Final = 8
ID_END: Final = 6
"""So much of a settlement's id tells it apart on this page; the whole stands on its own."""


class Now(msgspec.Struct, frozen=True):
    """What stands in the store now: stays by state, and the settlements that wait, oldest first."""

    in_hospital: int
    settled: int
    pending: int
    waiting: tuple[Waiting, ...]
    now_at: int


def read(snapshot: Snapshot, home: Home, now_at: int) -> Now:
    """Read what the page shows of this node."""
    found = counts(snapshot)
    return Now(
        in_hospital=found["admitted"],
        settled=found["settled"],
        pending=found["pending"] + found["voiding"],
        waiting=waiting.rows(snapshot, home, now_at, ROWS_MAX),
        now_at=now_at,
    )


def values(page: Page, desk: DemoDesk, now: Now) -> dict[str, Any]:
    """Return what the template shows of the region, its lines and its books."""
    cut = desk.cut.all()
    cut_at = min((cut[line] for line in desk.lines if line in cut), default=None)
    return {
        "place": page.voice.of(page.console.place_of(desk.cut_off).short),
        "headline": _headline(page, desk, now, is_cut=cut_at is not None),
        "now": now,
        "cut_at": cut_at,
        "lines": [_line(page, desk, line, cut.get(line), now.now_at) for line in desk.lines],
        "table": _table(page, now),
        "more": max(0, now.pending - len(now.waiting)),
        "books": _books(page, desk, now, is_cut=bool(cut)),
    }


def forging(page: Page, desk: DemoDesk) -> dict[str, Any]:
    """Return what the template shows of the forgery."""
    stage, done, total = desk.progress
    return {
        "targets": TARGETS,
        "chosen": desk.outcome.target if desk.outcome else TARGETS[0],
        "is_forging": desk.is_forging,
        "stage": f"{stage} {page.voice.number(done)}/{page.voice.number(total)}" if stage else "",
        "refused": desk.refused and page.console.errors.render(desk.refused, page.language),
        "outcome": desk.outcome,
        "verdict": _verdict(page, desk.outcome) if desk.outcome else None,
    }


def _headline(page: Page, desk: DemoDesk, now: Now, *, is_cut: bool) -> str:
    place = page.voice.of(page.console.place_of(desk.cut_off).short)
    if is_cut and now.pending:
        return page.voice.tn("node.demo.title.waits", now.pending, place=place)
    if is_cut:
        return page.t("node.demo.title.cut", place=place)
    return page.t("node.demo.title")


def _line(
    page: Page, desk: DemoDesk, line: tuple[str, str], since_at: int | None, now_at: int
) -> dict[str, Any]:
    other = next(member for member in line if member != desk.cut_off)
    places = [page.console.place_of(member) for member in (desk.cut_off, other)]
    badge = Badge(page.t("node.demo.line.whole"), "good")
    if since_at is not None:
        age = page.voice.age(now_at - since_at)
        badge = Badge(page.t("node.demo.line.cut", age=age), "bad")
    return {
        "places": [(page.voice.of(place.short), place.colour) for place in places],
        "badge": badge,
    }


def _table(page: Page, now: Now) -> Table:
    return Table(
        caption=page.t("node.demo.waiting"),
        columns=(
            Column(page.t("node.demo.settlement"), "code"),
            Column(page.t("node.demo.insured"), main=True),
            Column(page.t("node.demo.held"), "money"),
            Column(page.t("node.demo.waits"), "state"),
        ),
        rows=tuple(_row(page, one, now.now_at) for one in now.waiting),
        empty=Empty(page.t("node.demo.empty.title"), page.t("node.demo.empty.text")),
    )


def _row(page: Page, one: Waiting, now_at: int) -> Row:
    age_ms = now_at - one.since_at
    tone = ages.BAND_TONES[ages.band_of(age_ms)]
    return Row(
        key=one.settlement_id,
        cells=(
            Cell(f"…{one.settlement_id[-ID_END:]}"),
            Cell(page.voice.of(page.console.place_of(one.insured_member).short)),
            Cell(page.voice.amount(one.held_fen)),
            Cell(badge=Badge(page.voice.age(age_ms), tone)),
        ),
    )


def _books(page: Page, desk: DemoDesk, now: Now, *, is_cut: bool) -> dict[str, Any]:
    """Say how far the healing is: cut, settling, comparing, or compared and how."""
    if is_cut:
        return {"state": "cut"}
    healed_at = desk.cut.changed_at() or 0
    if any(one.since_at < healed_at for one in now.waiting):
        return {"state": "settling"}
    desk.freshen(healed_at)
    found = desk.compared
    if found is None or found.begun_at <= healed_at:
        return {"state": "comparing"}
    names = [page.voice.of(page.console.place_of(member).short) for member in found.members]
    return {
        "state": "differs" if found.one_sided else "even",
        "headline": page.t("node.demo.one_sided", count=found.one_sided),
        "text": page.voice.tn(
            "node.demo.compared",
            found.entries,
            names=page.t("web.list").join(names),
            time=page.voice.time(found.begun_at),
        ),
    }


BESIDES_SHOWN = 5
"""Of what contradicts besides the forged row: enough to see where, with their number below."""


def _verdict(page: Page, outcome: Outcome) -> dict[str, Any]:
    key = "named" if outcome.named else "unsealed" if outcome.target == "audit" else "unnamed"
    if outcome.found and not outcome.named:
        key = "others"
    return {
        "tone": "good" if outcome.named and outcome.untouched else "bad",
        "title": page.t(f"node.demo.verdict.{key}"),
        "text": page.t(f"node.demo.verdict.{key}.text"),
        "time": page.t(
            "node.demo.verdict.time",
            rows=page.voice.number(outcome.rows),
            seconds=f"{outcome.seconds:.1f}",
        ),
        "besides": len(outcome.besides),
        "said": (*outcome.found, *outcome.besides[:BESIDES_SHOWN]),
        "sides": [
            (page.t("node.demo.before"), *_value(page, outcome.forged, outcome.forged.before)),
            (page.t("node.demo.after"), *_value(page, outcome.forged, outcome.forged.after)),
        ],
    }


def _value(page: Page, forged: Forged, value: str) -> tuple[str, str]:
    """Return a stored value as it is, and an amount in yuan besides."""
    return value, page.voice.money(int(value)) if forged.column.endswith("_fen") else ""
