"""Lines become columns: what a spreadsheet does to a table is undone, the rest is told."""

import io

import pytest

from tongcheng.kernel.errors import Refused
from tongcheng.services.mobility.feed.findings import EXAMPLES_MAX, Findings, printable
from tongcheng.services.mobility.feed.rows import Table, Wanted, read_table

WANTED = Wanted(("a",), ("b", "c"))


def _read(text: str) -> tuple[Table, dict[str, tuple[int, int]]]:
    findings = Findings()
    table = read_table("t.txt", iter(io.StringIO(text, newline="")), WANTED, findings)
    return table, {each.code: (each.count, each.line) for each in findings.listed()}


@pytest.mark.parametrize(
    ("text", "rows", "found"),
    [
        ("a,b\n1,2\n", [("1", "2")], {}),
        ("\n a , b\r\n 1 ,2\r\n", [("1", "2")], {}),
        ("a,b\n1,2", [("1", "2")], {}),
        ("a,b\r1,2\r", [("1", "2")], {}),
        ("b,a\n2,1\n", [("1", "2")], {}),
        ("a,b,\n1,2,\n", [("1", "2")], {}),
        ("a\n1\n", [("1", "")], {}),
        ("a,b\n1\n3,4\n", [("1", ""), ("3", "4")], {"row_short": (1, 2)}),
        ("a,b\n1,2,,\n", [("1", "2")], {"row_trailing": (1, 2)}),
        ("a,b\n1,2,3\n4,5\n", [("4", "5")], {"row_long": (1, 2)}),
        ("a,b\n\n,\n1,2\n", [("1", "2")], {"row_blank": (2, 2)}),
        ('a,b\n"1\n1",2\n3,4,5\n', [("1\n1", "2")], {"row_long": (1, 4)}),
        ('a,b\n1,"2"x\n3,4\n', [("3", "4")], {"row_malformed": (1, 2)}),
        ('a,b\n1,"2\n3,4\n', [], {"row_malformed": (1, 2)}),
        ("a,b\n,2\n", [("", "2")], {}),
        ('a,b\n1,"x""y"\n', [("1", 'x"y')], {}),
        ("a,z,y\n1,2,3\n", [("1", "")], {"columns_ignored": (2, 1)}),
        ("a,b\n1," + "x" * 5_000 + "\n3,4\n", [("3", "4")], {"value_long": (1, 2)}),
        ("a,b\n1," + "x" * 200_000 + "\n3,4\n", [("3", "4")], {"row_malformed": (1, 2)}),
    ],
)
def test_tables(text: str, rows: list[tuple[str, str]], found: dict[str, tuple[int, int]]) -> None:
    """The rows that are kept, and what is said of the others, with how often and the first line."""
    table, told = _read(text)

    assert list(zip(table.texts("a"), table.texts("b"), strict=True)) == rows
    assert told == found


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "FEED_EMPTY_FILE"), ("\n\n", "FEED_EMPTY_FILE"), ("b,c\n", "a"), ("a,b,b\n", "twice")],
)
def test_refused(text: str, code: str) -> None:
    """A table without the columns it needs is none."""
    with pytest.raises(Refused, match=code):
        _read(text)


def test_many_rows_and_few_examples() -> None:
    """Rows come in blocks; a fault is counted as often as it occurs, and shown a few times."""
    text = "a,b\n" + "1,2\n,\n" * 3_000

    table, told = _read(text)
    findings = Findings()
    findings.rows("value_wrong", table, table.blank("c"), "a")

    assert table.rows == 3_000
    assert table.lines[-1] == 6_000
    assert told == {"row_blank": (3_000, 3)}
    assert findings.listed()[0].count == 3_000
    assert len(findings.listed()[0].examples) == EXAMPLES_MAX


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a\x1b[31m\n", "a\ufffd[31m\ufffd"), ("北京", "北京"), ("x" * 500, "x" * 79 + "…")],
)
def test_examples_are_printable(text: str, expected: str) -> None:
    """What a feed says does nothing to the terminal that shows it, and does not fill it."""
    findings = Findings()
    findings.add("value_wrong", "t.txt", 2, text)

    assert printable(text) == expected
    assert findings.listed()[0].examples[0].value == expected
