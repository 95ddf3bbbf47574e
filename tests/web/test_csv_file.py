"""Files of the console as a spreadsheet would take them."""

from decimal import Decimal

import pytest

from tongcheng.web import csv_file
from tongcheng.web.csv_file import Value, yuan


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("北京", "北京"),
        ("", ""),
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-12.00", "'-12.00"),  # a text that looks like an amount is still somebody's words
        ('a "b", c', '"a ""b"", c"'),
        (-3, "-3"),
        (yuan(0), "0.00"),
        (yuan(5), "0.05"),
        (yuan(-1_200), "-12.00"),
        (yuan(123_456_789), "1234567.89"),
        (Decimal("1.5"), "1.5"),
    ],
)
def test_what_stands_in_a_cell(value: Value, written: str) -> None:
    """Words are never formulas, numbers stay numbers, amounts are yuan with both decimals."""
    assert csv_file.lines([("first", value)]) == f"first,{written}\r\n"


def test_a_download_says_what_it_is() -> None:
    """Spreadsheets need the mark to read UTF-8; the browser saves it under the name."""
    answer = csv_file.download("a.csv", ("x",), [(1,)])

    assert answer.content == "\ufeffx\r\n1\r\n"
    assert answer.media_type == csv_file.MEDIA_TYPE
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a.csv"'
