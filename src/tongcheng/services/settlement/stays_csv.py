"""The list of stays as a file: the shown filters, bounded, written in parts, no person in it."""

from collections.abc import AsyncIterator
from functools import partial

import msgspec

from tongcheng.kernel.calendar import local_text
from tongcheng.kernel.running import RunningNode
from tongcheng.services.settlement.stay_tables import STATE_KEYS
from tongcheng.services.settlement.stays_data import stay_rows
from tongcheng.services.settlement.views import StayRow, StaysQuery
from tongcheng.web import Page
from tongcheng.web.csv_file import BYTE_ORDER_MARK, Value, yuan
from tongcheng.web.csv_file import lines as csv_lines

ROWS_MAX = 10_000
CHUNK_ROWS = 500

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
    yield (BYTE_ORDER_MARK + csv_lines([COLUMNS])).encode()
    left, asked = ROWS_MAX, query
    while left > 0:
        limit = min(CHUNK_ROWS, left)
        rows = await node.read(partial(stay_rows, home=node.home, query=asked, limit=limit))
        yield csv_lines(_values(page, row) for row in rows).encode()
        if len(rows) < limit:
            return
        left -= limit
        asked = msgspec.structs.replace(query, before=(rows[-1].at, rows[-1].stay_id))


def _values(page: Page, row: StayRow) -> tuple[Value, ...]:
    voice = page.voice
    amounts = (row.total_fen, row.fund_fen, row.person_fen)
    return (
        row.stay_id,
        local_text(row.at, page.console.region.zone),
        page.t(STATE_KEYS[row.state]),
        voice.of(row.hospital),
        voice.of(page.console.place_of(row.visited_member).short),
        voice.of(row.insured_area),
        *("" if fen is None else yuan(fen) for fen in amounts),
        int(row.draft),
    )
