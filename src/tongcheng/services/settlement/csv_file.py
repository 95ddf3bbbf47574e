"""A table as a file that a spreadsheet opens: amounts in yuan, text that is never a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from litestar import Response

from tongcheng.services.settlement.stays_csv import BYTE_ORDER_MARK, FORMULA_SIGNS


def download(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[str | int]]
) -> Response[str]:
    """Answer with a file; integers are amounts in fen and are written as yuan."""
    written = io.StringIO(BYTE_ORDER_MARK)
    written.seek(0, io.SEEK_END)
    writer = csv.writer(written)
    writer.writerow(columns)
    writer.writerows([_plain(value) for value in row] for row in rows)
    return Response(
        written.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _plain(value: str | int) -> str:
    if isinstance(value, int):
        yuan, fen = divmod(abs(value), 100)
        return f"{'-' if value < 0 else ''}{yuan}.{fen:02}"
    return f"'{value}" if value.startswith(FORMULA_SIGNS) else value
