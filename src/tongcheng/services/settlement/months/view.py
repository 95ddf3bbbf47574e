"""The months in words, tables, pictures and files, from frozen data."""

from datetime import date

from litestar import Response

from tongcheng.services.settlement.ledger.view import CARD_KEYS, LEDGER_PATH, purse_words
from tongcheng.services.settlement.months import pictures
from tongcheng.services.settlement.months.data import Direction, MonthLine, MonthPage, is_to_us
from tongcheng.services.settlement.months.pictures import Bar
from tongcheng.web import Badge, Cell, Column, Empty, Page, Row, Table, Tone
from tongcheng.web.csv_file import download, yuan

MONTHS_PATH = "/settlement/months"
STATEMENT_KEYS = {
    "agreed": "settlement.month.statement.agreed",
    "disputed": "settlement.month.statement.disputed",
    "none": "settlement.month.statement.none",
    "receiving": "settlement.month.statement.receiving",
    "refused": "settlement.month.statement.refused",
    "sent": "settlement.month.statement.sent",
}
TONES: dict[str, Tone] = {
    "agreed": "good",
    "disputed": "bad",
    "refused": "bad",
    "sent": "waiting",
    "receiving": "waiting",
    "none": "quiet",
}


def months(page: Page, lines: list[MonthLine]) -> Response[str]:
    """Answer with every month, latest first."""
    voice = page.voice
    open_ones = sum(1 for one in lines if one.over and one.agreed < one.statements)
    this = next((one for one in lines if not one.over), None)
    headline = page.t("settlement.months.none")
    if lines:
        headline = voice.tn("settlement.months.title", len(lines))
    if this is not None:
        headline = page.t(
            "settlement.months.title.this",
            to_us=voice.money(this.owed_to_us_fen),
            by_us=voice.money(this.owed_by_us_fen),
        )
    values = {
        "headline": headline,
        "open": voice.tn("settlement.months.open", open_ones) if open_ones else "",
        "table": _months_table(page, lines),
        "csv": page.href(f"{MONTHS_PATH}.csv"),
    }
    return page.render("settlement/months.html", values)


def _months_table(page: Page, lines: list[MonthLine]) -> Table:
    voice = page.voice
    return Table(
        caption=page.t("settlement.months.caption"),
        columns=(
            Column(page.t("settlement.months.month"), main=True),
            Column(page.t("settlement.months.to_us"), "money"),
            Column(page.t("settlement.months.by_us"), "money"),
            Column(page.t("settlement.months.voided"), "money"),
            Column(page.t("settlement.months.state"), "state"),
        ),
        rows=tuple(
            Row(
                key=f"month-{one.month}",
                link=page.href(f"{MONTHS_PATH}/{one.month}"),
                cells=(
                    Cell(page.voice.month(one.month)),
                    Cell(voice.amount(one.owed_to_us_fen)),
                    Cell(voice.amount(one.owed_by_us_fen)),
                    Cell(voice.amount(one.voided_fen)),
                    Cell(badge=_month_badge(page, one)),
                ),
            )
            for one in lines
        ),
        empty=Empty(page.t("settlement.months.none"), page.t("settlement.months.none.text")),
    )


def _month_badge(page: Page, one: MonthLine) -> Badge:
    if not one.over:
        return Badge(page.t("settlement.months.running"), "draft")
    if not one.statements:
        return Badge(page.t("settlement.months.undrawn"), "draft")
    words = page.t("settlement.months.agreed", agreed=one.agreed, drawn=one.statements)
    return Badge(words, "good" if one.agreed == one.statements else "draft")


def months_file(lines: list[MonthLine]) -> Response[str]:
    """Answer with the months as a file."""
    columns = ("month", "owed_to_us_yuan", "owed_by_us_yuan", "taken_back_yuan", "agreed", "drawn")
    rows = [
        (
            one.month,
            yuan(one.owed_to_us_fen),
            yuan(one.owed_by_us_fen),
            yuan(one.voided_fen),
            one.agreed,
            one.statements,
        )
        for one in lines
    ]
    return download("months.csv", columns, rows)


def month(page: Page, view: MonthPage) -> Response[str]:
    """Answer with one month: the answer, the pictures, their tables."""
    voice = page.voice
    values = {
        "headline": page.t(
            "settlement.month.title",
            month=page.voice.month(view.month),
            to_us=voice.money(view.owed_fen(to_us=True)),
            by_us=voice.money(view.owed_fen(to_us=False)),
        ),
        "doubt": _doubt(page, view),
        "month": page.voice.month(view.month),
        "net": _net(page, view),
        "directions": [_direction(page, one) for one in view.directions],
        "bars": pictures.purse_bars(_bars(page, view), page.t("settlement.month.picture.purses")),
        "purses": purses_table(page, view),
        "columns": pictures.day_columns(view.days, page.t("settlement.month.picture.days")),
        "days": [
            {
                "on": one.on,
                "words": voice.day(date.fromisoformat(one.on)),
                "to_us_fen": one.owed_to_us_fen,
                "by_us_fen": one.owed_by_us_fen,
                "to_us": voice.amount(one.owed_to_us_fen),
                "by_us": voice.amount(one.owed_by_us_fen),
            }
            for one in view.days
        ],
        "hospitals": hospitals_table(page, view),
        "member": voice.of(page.console.member.name),
        "csv": page.href(f"{MONTHS_PATH}/{view.month}.csv"),
        "back": page.href(MONTHS_PATH),
        "ledger": f"{page.href(LEDGER_PATH)}?month={view.month}"
        if page.may("settlement.ledger.read")
        else "",
    }
    return page.render("settlement/month.html", values)


def _doubt(page: Page, view: MonthPage) -> str:
    if not view.provisional:
        return ""
    return page.t("settlement.ledger.not_agreed" if view.over else "settlement.ledger.not_over")


def _net(page: Page, view: MonthPage) -> str:
    if not view.net:
        return page.t("settlement.month.gross")
    purses = ", ".join(f"{scheme}/{fund}" for scheme, fund in view.net)
    return page.t("settlement.month.net", purses=purses)


def _direction(page: Page, one: Direction) -> dict[str, object]:
    voice, books = page.voice, one.side.books
    place = page.console.place_of(books.peer)
    state = "none" if one.statement is None else one.statement.state
    whose = "owed_to_us" if is_to_us(one) else "owed_by_us"
    return {
        "colour": place.colour,
        "title": page.t(CARD_KEYS[whose], place=voice.of(place.short)),
        "amount": voice.money(one.side.owed_fen),
        "stays": voice.tn("settlement.month.stays", one.stays),
        "voids": page.t(
            "settlement.month.voids",
            count=voice.number(one.voids),
            amount=voice.money(one.side.voided_fen),
        ),
        "badge": Badge(page.t(STATEMENT_KEYS[state]), TONES[state]),
        "doubt": not one.agreed,
    }


def _bars(page: Page, view: MonthPage) -> list[Bar]:
    return [
        Bar(
            label=purse_words(page, line.name),
            amount_fen=line.mine.net_fen,
            words=page.voice.money(line.mine.net_fen),
            to_us=is_to_us(one),
        )
        for one in view.directions
        for line in one.side.lines
    ]


def purses_table(page: Page, view: MonthPage) -> Table:
    """Return the month by purse, gross both ways, with how many were settled and taken back."""
    voice = page.voice
    rows = []
    for one in view.directions:
        for line in one.side.lines:
            mine, place = line.mine, page.console.place_of(one.side.books.peer)
            amounts = (Cell(voice.amount(mine.net_fen)), Cell())
            path = page.href(f"{LEDGER_PATH}/{line.name.purse}/{view.month}")
            rows.append(
                Row(
                    key=f"{one.side.books.peer}-{line.name.purse.replace('/', '-')}",
                    link=path if page.may("settlement.ledger.read") else "",
                    cells=(
                        Cell(purse_words(page, line.name)),
                        Cell(voice.of(place.short), colour=place.colour),
                        *(amounts if is_to_us(one) else amounts[::-1]),
                        Cell(voice.number(mine.settled_count)),
                        Cell(voice.amount(mine.voided_fen)),
                        Cell(voice.number(mine.voided_count)),
                    ),
                )
            )
    return Table(
        caption=page.t("settlement.month.purses"),
        columns=(
            Column(page.t("settlement.ledger.purse"), main=True),
            Column(page.t("settlement.month.with")),
            Column(page.t("settlement.months.to_us"), "money"),
            Column(page.t("settlement.months.by_us"), "money"),
            Column(page.t("settlement.month.count"), "number"),
            Column(page.t("settlement.months.voided"), "money"),
            Column(page.t("settlement.month.void_count"), "number"),
        ),
        rows=tuple(rows),
        empty=Empty(page.t("settlement.ledger.empty"), page.t("settlement.ledger.empty.text")),
        totals=(
            Cell(page.t("settlement.month.sum")),
            Cell(),
            Cell(voice.amount(view.owed_fen(to_us=True))),
            Cell(voice.amount(view.owed_fen(to_us=False))),
            Cell(),
            Cell(voice.amount(view.voided_fen(to_us=True) + view.voided_fen(to_us=False))),
            Cell(),
        ),
    )


def hospitals_table(page: Page, view: MonthPage) -> Table:
    """Return what our hospitals settled, by whose persons."""
    voice = page.voice
    return Table(
        caption=page.t("settlement.month.hospitals"),
        columns=(
            Column(page.t("settlement.column.hospital"), main=True),
            Column(page.t("settlement.month.insured")),
            Column(page.t("settlement.month.count"), "number"),
            Column(page.t("settlement.column.total"), "money"),
            Column(page.t("settlement.column.funds"), "money"),
        ),
        rows=tuple(
            Row(
                key=f"{one.institution_id}-{one.insured_member}",
                cells=(
                    Cell(voice.of(one.name)),
                    Cell(
                        voice.of(page.console.place_of(one.insured_member).short),
                        colour=page.console.place_of(one.insured_member).colour,
                    ),
                    Cell(voice.number(one.stays)),
                    Cell(voice.amount(one.total_fen)),
                    Cell(voice.amount(one.fund_fen)),
                ),
            )
            for one in view.hospitals
        ),
        empty=Empty(
            page.t("settlement.month.no_hospital"), page.t("settlement.month.no_hospital.text")
        ),
    )


def month_file(view: MonthPage) -> Response[str]:
    """Answer with the month by purse as a file."""
    rows = [
        (
            view.month,
            one.side.books.peer,
            "owed_to_us" if is_to_us(one) else "owed_by_us",
            line.name.purse,
            yuan(line.mine.settled_fen),
            line.mine.settled_count,
            yuan(line.mine.voided_fen),
            line.mine.voided_count,
            "none" if one.statement is None else one.statement.state,
            "0" if view.over and one.agreed else "1",
        )
        for one in view.directions
        for line in one.side.lines
    ]
    return download(f"month-{view.month}.csv", COLUMNS, rows)


COLUMNS = (
    "month",
    "member",
    "direction",
    "purse",
    "settled_yuan",
    "settled",
    "taken_back_yuan",
    "taken_back",
    "statement",
    "provisional",
)
