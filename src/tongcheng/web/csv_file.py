"""Tables as files that a spreadsheet opens: every download of the console is written here."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from litestar import Response

Value = str | int | Decimal
"""What stands in a cell. Numbers are written as they are; an amount is first made `yuan`."""

BYTE_ORDER_MARK: Final = "\ufeff"
"""Spreadsheet programs read a CSV without it in the system's own encoding: GBK, for most here."""
MEDIA_TYPE: Final = "text/csv"
"""The framework adds the charset, UTF-8."""
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")


def download(name: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> Response[str]:
    """Answer with a table as a file of this name; texts in it are never taken for formulas."""
    written = BYTE_ORDER_MARK + lines([columns, *rows])
    return Response(written, media_type=MEDIA_TYPE, headers=saved_as(name))


def saved_as(name: str) -> dict[str, str]:
    """Return the header that makes a browser save an answer under a name."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def lines(rows: Iterable[Sequence[Value]]) -> str:
    """Return rows as lines of CSV (RFC 4180), without the byte-order mark."""
    written = io.StringIO()
    csv.writer(written).writerows([_text(value) for value in row] for row in rows)
    return written.getvalue()


def yuan(fen: int) -> Decimal:
    """Return an amount as it stands in a file: "-12.00" yuan, whatever the language."""
    return Decimal(fen).scaleb(-2)


def _text(value: Value) -> Value:
    """Keep a spreadsheet from taking a stranger's words for a formula."""
    is_formula = isinstance(value, str) and value.startswith(_FORMULA_SIGNS)
    return f"'{value}" if is_formula else value
