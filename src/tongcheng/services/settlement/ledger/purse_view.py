"""One purse's month in words and rows."""

from litestar import Response

from tongcheng.kernel.calendar import local_text
from tongcheng.kernel.ledger import TRANSFER_KIND
from tongcheng.services.settlement.ledger.purse_data import Movement, PursePage
from tongcheng.services.settlement.ledger.view import LEDGER_PATH, purse_words
from tongcheng.services.settlement.stays_view import STAYS_PATH
from tongcheng.web import Page
from tongcheng.web.console import ENTRIES_PATH
from tongcheng.web.csv_file import download, yuan

PURSE_KEYS = {
    "owed_to_us": "settlement.ledger.purse.owed_to_us",
    "owed_by_us": "settlement.ledger.purse.owed_by_us",
}


def purse(page: Page, view: PursePage) -> Response[str]:
    """Answer with a purse's month: what it comes to, and every movement of it."""
    voice, mine = page.voice, view.line.mine
    place = voice.of(page.console.place_of(view.side.books.peer).short)
    whose = "owed_to_us" if view.line.is_visited else "owed_by_us"
    here = page.href(f"{LEDGER_PATH}/{view.line.name.purse}/{view.line.month}")
    told, difference = view.line.told_fen, view.line.difference_fen
    facts = [
        (page.t("settlement.ledger.purse"), purse_words(page, view.line.name)),
        (page.t("settlement.ledger.settled"), voice.amount(mine.settled_fen)),
        (page.t("settlement.ledger.taken_back"), voice.amount(mine.voided_fen)),
        (page.t("settlement.ledger.told", place=place), "" if told is None else voice.money(told)),
        (
            page.t("settlement.ledger.difference"),
            "" if difference is None else voice.money(difference),
        ),
        (page.t("settlement.ledger.held"), voice.money(view.line.held_fen)),
    ]
    values = {
        "headline": page.t(
            PURSE_KEYS[whose],
            place=place,
            month=page.voice.month(view.line.month),
            amount=voice.money(mine.net_fen),
        ),
        "facts": [(name, value or "—") for name, value in facts],
        "rows": [_row(page, one) for one in view.movements],
        "doubt": not (view.over and view.side.closed),
        "back": f"{page.href(LEDGER_PATH)}?month={view.line.month}",
        "older": f"{here}?before={view.before}" if view.before else "",
        "newest": "" if view.first else here,
        "csv": f"{here}.csv",
    }
    return page.render("settlement/ledger_purse.html", values)


def _row(page: Page, one: Movement) -> dict[str, str]:
    """Return a movement as it is shown; links only where its reader may follow them."""
    voice = page.voice
    stay = proof = posting = ""
    if one.stay_id and page.may("settlement.stay.read"):
        stay = page.href(f"{STAYS_PATH}/{one.stay_id}")
    if page.may("journal.entry.read"):
        posting = page.href(f"{ENTRIES_PATH}/{TRANSFER_KIND}/{one.transfer_id}")
        if one.envelope_id:
            proof = page.href(f"{ENTRIES_PATH}/{one.envelope_id}")
    return {
        "at": voice.moment(one.at),
        "settlement": one.settlement_id,
        "settled": voice.amount(one.amount_fen) if one.amount_fen > 0 else "",
        "voided": voice.amount(-one.amount_fen) if one.amount_fen < 0 else "",
        "stay": stay,
        "proof": proof,
        "posting": posting,
    }


def purse_file(page: Page, view: PursePage) -> Response[str]:
    """Answer with the movements as a file."""
    zone = page.console.region.zone
    rows = [
        (local_text(one.at, zone), one.settlement_id, one.envelope_id, yuan(one.amount_fen))
        for one in view.movements
    ]
    name = f"{view.line.name.purse.replace('/', '-')}-{view.line.month}.csv"
    return download(name, ("at", "settlement_id", "envelope_id", "amount_yuan"), rows)
