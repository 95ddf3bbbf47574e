"""The ledger in words, tables and files, from frozen data."""

from collections.abc import Sequence

from litestar import Response

from tongcheng.kernel.calendar import local_text
from tongcheng.services.settlement.ledger.data import (
    FINDINGS_SHOWN,
    LedgerPage,
    Line,
    Pair,
    Side,
    counts,
)
from tongcheng.services.settlement.pages_view import SCHEME_KEYS
from tongcheng.services.settlement.purse_names import PurseName
from tongcheng.web import Badge, Cell, Column, Empty, Page, Row, Table
from tongcheng.web.csv_file import download, yuan

LEDGER_PATH = "/ledger"
CSV_PATH = "/ledger.csv"

CARD_KEYS = {
    "owed_to_us": "settlement.ledger.card.owed_to_us",
    "owed_by_us": "settlement.ledger.card.owed_by_us",
}
WAITING_KEYS = {
    "silent": "settlement.ledger.badge.silent",
    "not_permitted": "settlement.ledger.badge.not_permitted",
    "refused": "settlement.ledger.badge.refused",
    "never": "settlement.ledger.badge.never",
}
"""Why a mirror was not seen, the first that holds of either direction."""

KIND_KEYS = {
    "amount": "settlement.ledger.kind.amount",
    "in_flight": "settlement.ledger.kind.in_flight",
    "only_here": "settlement.ledger.kind.only_here",
    "only_there": "settlement.ledger.kind.only_there",
    "state": "settlement.ledger.kind.state",
}


def ledger(page: Page, view: LedgerPage, now_at: int) -> Response[str]:
    """Answer with the books of a month and what the mirror shows of them."""
    values = {
        "headline": headline(page, view),
        "view": view,
        "month": page.voice.month(view.month),
        "tabs": _months(page, view),
        "pairs": [_pair(page, view, pair, now_at) for pair in view.pairs],
        "trial": page.t(
            "settlement.ledger.trial" if view.trial_fen == 0 else "settlement.ledger.trial.bad",
            amount=page.voice.money(view.trial_fen),
            accounts=page.voice.number(view.accounts),
        ),
        "csv": f"{page.href(CSV_PATH)}?month={view.month}",
    }
    return page.render("settlement/ledger.html", values)


def headline(page: Page, view: LedgerPage) -> str:
    """Answer in words whether the books agree, the worst first."""
    voice, found = page.voice, counts(view)
    us = voice.of(page.console.place.short)
    silent = [one for one in view.pairs if any(side.state == "silent" for side in one.sides)]
    if found["differ"] and found["one_sided"]:
        return voice.tn("settlement.ledger.title.differ", found["one_sided"])
    if found["open"] and not (found["differ"] or silent or found["unknown"]):
        return voice.tn("settlement.ledger.title.open", found["open"])
    many = len(view.pairs) > 1
    key = "settlement.ledger.title.agree.many" if many else "settlement.ledger.title.agree"
    if any(line.since_fen for pair in view.pairs for side in pair.sides for line in side.lines):
        key = "settlement.ledger.title.agreed"
    if not view.pairs:
        key = "settlement.ledger.title.alone"
    elif found["differ"]:
        key = "settlement.ledger.title.sums"
    elif silent:
        key = "settlement.ledger.title.silent"
    elif found["unknown"]:
        key = "settlement.ledger.title.unknown"
    named = silent if key == "settlement.ledger.title.silent" else view.pairs
    return page.t(key, us=us, places=_places(page, named))


def _places(page: Page, pairs: Sequence[Pair]) -> str:
    names = [page.voice.of(page.console.place_of(one.peer).short) for one in pairs]
    if page.language == "zh" or len(names) < 2:  # noqa: PLR2004 an "and" is between two
        return "、".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def purse_words(page: Page, name: PurseName) -> str:
    """Return a purse's name: area, scheme, fund."""
    voice = page.voice
    scheme = SCHEME_KEYS.get(name.scheme)
    parts = (
        voice.of(name.area),
        name.scheme if scheme is None else page.t(scheme),
        voice.of(name.fund),
    )
    return " · ".join(parts)


def _months(page: Page, view: LedgerPage) -> tuple[dict[str, object], ...]:
    return tuple(
        {
            "text": page.voice.month(month),
            "count": "",
            "link": f"{page.href(LEDGER_PATH)}?month={month}",
            "here": month == view.month,
        }
        for month in view.months
    )


def _pair(page: Page, view: LedgerPage, pair: Pair, now_at: int) -> dict[str, object]:
    voice, place = page.voice, page.console.place_of(pair.peer)
    return {
        "name": voice.of(place.short),
        "colour": place.colour,
        "badge": pair_badge(page, pair),
        "as_of": as_of(page, pair),
        "cards": [_card(page, side) for side in pair.sides],
        "doubt": "" if view.over and all(one.closed for one in pair.sides) else _doubt(page, view),
        "table": lines_table(page, pair),
        "findings": findings_table(page, pair, now_at),
        "has_findings": any(one.findings for one in pair.sides),
    }


def _doubt(page: Page, view: LedgerPage) -> str:
    return page.t("settlement.ledger.not_agreed" if view.over else "settlement.ledger.not_over")


def _card(page: Page, side: Side) -> dict[str, str]:
    whose = "owed_to_us" if side.books.is_visited else "owed_by_us"
    voice = page.voice
    place = voice.of(page.console.place_of(side.books.peer).short)
    return {
        "title": page.t(CARD_KEYS[whose], place=place),
        "amount": voice.money(side.owed_fen),
        "note": page.t(
            "settlement.ledger.card.voided",
            settled=voice.money(side.gross_fen),
            amount=voice.money(side.voided_fen),
        ),
    }


def pair_badge(page: Page, pair: Pair) -> Badge:
    """Return what the mirror last showed of a pair, in a word."""
    states = [side.state for side in pair.sides]
    if any(side.seen_at is not None and not side.agrees for side in pair.sides):
        return Badge(page.t("settlement.ledger.badge.differs"), "bad")
    for state, key in WAITING_KEYS.items():
        if state in states:
            return Badge(page.t(key), "waiting")
    if any(side.open_count or side.findings for side in pair.sides):
        return Badge(page.t("settlement.ledger.badge.open"), "waiting")
    return Badge(page.t("settlement.ledger.badge.equal"), "good")


def as_of(page: Page, pair: Pair) -> str:
    """Return since when the mirror shows this, or why it shows nothing."""
    voice = page.voice
    silent = [side.silent_since_at for side in pair.sides if side.silent_since_at is not None]
    heard = [side.seen_at for side in pair.sides if side.seen_at is not None]
    words = [page.t("settlement.ledger.as_of", moment=voice.moment(min(heard)))] if heard else []
    if silent:
        words.append(page.t("settlement.ledger.silent", moment=voice.moment(min(silent))))
    if any(side.state == "not_permitted" for side in pair.sides):
        words.append(page.t("settlement.ledger.not_permitted"))
    if any(side.state == "refused" for side in pair.sides):
        words.append(page.t("settlement.ledger.refused"))
    return page.t("settlement.ledger.join").join(words) or page.t("settlement.ledger.never")


def lines_table(page: Page, pair: Pair) -> Table:
    """Return the purses of a pair: ours, the mirror's, the difference, what is in flight."""
    place = page.voice.of(page.console.place_of(pair.peer).short)
    rows = [_line(page, line) for side in pair.sides for line in side.lines]
    return Table(
        caption=page.t("settlement.ledger.caption", place=place),
        columns=(
            Column(page.t("settlement.ledger.purse"), main=True),
            Column(page.t("settlement.ledger.due_from", place=place), "money"),
            Column(page.t("settlement.ledger.due_to", place=place), "money"),
            Column(page.t("settlement.ledger.told", place=place), "money"),
            Column(page.t("settlement.ledger.difference"), "money"),
            Column(page.t("settlement.ledger.in_flight"), "money"),
            Column(page.t("settlement.ledger.held"), "money"),
        ),
        rows=tuple(rows),
        empty=Empty(page.t("settlement.ledger.empty"), page.t("settlement.ledger.empty.text")),
    )


def _line(page: Page, line: Line) -> Row:
    voice = page.voice
    since = ""
    if line.since_fen:
        since = page.t("settlement.ledger.since", amount=signed(page, line.since_fen))
    net = Cell(voice.amount(line.mine.net_fen), note=since)
    told = (line.told_fen, line.difference_fen, line.in_flight_fen)
    return Row(
        key=line.name.purse.replace("/", "-"),
        link=page.href(f"{LEDGER_PATH}/{line.name.purse}/{line.month}"),
        cells=(
            Cell(
                purse_words(page, line.name),
                colour=page.console.place_of(line.name.member).colour if line.name.member else "",
            ),
            net if line.is_visited else Cell(),
            Cell() if line.is_visited else net,
            *(Cell("" if fen is None else voice.amount(fen)) for fen in told),
            Cell(voice.amount(line.held_fen) if line.held_fen else ""),
        ),
    )


def signed(page: Page, fen: int) -> str:
    """Return an amount with its sign, also a positive one."""
    return f"{'+' if fen > 0 else ''}{page.voice.amount(fen)}"


def findings_table(page: Page, pair: Pair, now_at: int) -> Table:
    """Return the settlements between the two books: in flight with their age, or different."""
    voice = page.voice
    rows = []
    for side in pair.sides:
        aged = now_at - (side.seen_at or now_at)
        for row in (*side.differences, *side.in_flight)[:FINDINGS_SHOWN]:
            flying = row.kind == "in_flight"
            here, there = row.here_fen, row.there_fen
            if not side.books.is_visited:
                here, there = there, here
            rows.append(
                Row(
                    key=f"finding-{row.settlement_id}",
                    cells=(
                        Cell(row.settlement_id),
                        Cell(
                            badge=Badge(
                                page.t(KIND_KEYS[_kind(side, row.kind)]),
                                "waiting" if flying else "bad",
                            )
                        ),
                        Cell(voice.amount(here)),
                        Cell(voice.amount(there)),
                        Cell(voice.age(row.age_ms + aged) if flying else ""),
                    ),
                )
            )
    place = voice.of(page.console.place_of(pair.peer).short)
    return Table(
        caption=page.t("settlement.ledger.findings", place=place),
        columns=(
            Column(page.t("settlement.ledger.settlement"), "code", main=True),
            Column(page.t("settlement.ledger.finding"), "state"),
            Column(page.t("settlement.ledger.ours"), "money"),
            Column(page.t("settlement.ledger.theirs", place=place), "money"),
            Column(page.t("settlement.ledger.age"), "number"),
        ),
        rows=tuple(rows),
        empty=Empty("", ""),
    )


def _kind(side: Side, kind: str) -> str:
    """Say "here" and "there" from this node's side: the comparison says it from the visited one."""
    if side.books.is_visited or kind not in {"only_here", "only_there"}:
        return kind
    return "only_there" if kind == "only_here" else "only_here"


def ledger_file(page: Page, view: LedgerPage) -> Response[str]:
    """Answer with the shown lines as a file."""
    zone = page.console.region.zone
    rows = [
        (
            view.month,
            pair.peer,
            "due_from" if line.is_visited else "due_to",
            line.name.purse,
            yuan(line.mine.settled_fen),
            yuan(line.mine.voided_fen),
            yuan(line.mine.net_fen),
            *("" if fen is None else yuan(fen) for fen in told_of(line)),
            yuan(line.held_fen),
            "" if side.seen_at is None else local_text(side.seen_at, zone),
            "0" if view.over and side.closed else "1",
        )
        for pair in view.pairs
        for side in pair.sides
        for line in side.lines
    ]
    return download(f"ledger-{view.month}.csv", COLUMNS, rows)


def told_of(line: Line) -> tuple[int | None, ...]:
    """Return the figures of the last look."""
    return line.told_fen, line.difference_fen, line.in_flight_fen


COLUMNS = (
    "month",
    "member",
    "account",
    "purse",
    "settled_yuan",
    "taken_back_yuan",
    "net_yuan",
    "mirror_net_yuan",
    "difference_yuan",
    "in_flight_yuan",
    "held_yuan",
    "mirror_as_of",
    "provisional",
)
