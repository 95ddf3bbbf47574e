"""The list of stays as a file: the shown filters, bounded, written in parts, no person in it."""

import csv
import io
from collections.abc import AsyncIterator
from functools import partial

import msgspec

from tongcheng.kernel.calendar import local_text
from tongcheng.kernel.running import RunningNode
from tongcheng.services.settlement.stay_tables import STATE_KEYS
from tongcheng.services.settlement.stays_data import stay_rows
from tongcheng.services.settlement.views import StayRow, StaysQuery
from tongcheng.web import Page

ROWS_MAX = 10_000
CHUNK_ROWS = 500
BYTE_ORDER_MARK = "\ufeff"
"""Spreadsheet programs read a CSV without it in the system's own encoding: GBK, for most here."""
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")

COLUMNS = (
    "stay_id",
    "changed_at",
    "state",
    "hospital",
    "visited_in",
    "insured_in",
    "bill_yuan",
    "funds_yuan",
    "person_yuan",
    "draft_rules",
)


async def lines(page: Page, node: RunningNode, query: StaysQuery) -> AsyncIterator[bytes]:
    """Yield the file, at most ROWS_MAX rows, latest change first.

    Each part is read from a snapshot of its own: a stay that changes meanwhile stands where it was.
    """
    yield (BYTE_ORDER_MARK + _line(COLUMNS)).encode()
    left, asked = ROWS_MAX, query
    while left > 0:
        limit = min(CHUNK_ROWS, left)
        rows = await node.read(partial(stay_rows, home=node.home, query=asked, limit=limit))
        yield "".join(_line(_values(page, row)) for row in rows).encode()
        if len(rows) < limit:
            return
        left -= limit
        asked = msgspec.structs.replace(query, before=(rows[-1].at, rows[-1].stay_id))


def _values(page: Page, row: StayRow) -> tuple[str, ...]:
    voice = page.voice
    amounts = (row.total_fen, row.fund_fen, row.person_fen)
    return (
        row.stay_id,
        local_text(row.at, page.console.region.zone),
        page.t(STATE_KEYS[row.state]),
        voice.of(row.hospital),
        voice.of(page.console.place_of(row.visited_member).short),
        voice.of(row.insured_area),
        *("" if fen is None else f"{fen // 100}.{fen % 100:02}" for fen in amounts),
        "1" if row.draft else "0",
    )


def _line(values: tuple[str, ...]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([_plain(value) for value in values])
    return written.getvalue()


def _plain(value: str) -> str:
    """Return a value that a spreadsheet takes for text: a peer chose some of these words."""
    return f"'{value}" if value.startswith(FORMULA_SIGNS) else value
