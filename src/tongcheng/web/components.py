"""The parts pages are made of, as plain data: tables, badges, steps of a chain.

A page says *what* is in a table; the templates under `templates/web/` say how it looks, once.
"""

from typing import Literal

import msgspec

Tone = Literal["good", "waiting", "bad", "quiet", "draft"]
Kind = Literal["text", "money", "number", "entry", "code", "state"]


class Badge(msgspec.Struct, frozen=True):
    """A state in words; the tone adds a sign and a colour, never colour alone."""

    text: str
    tone: Tone


class Column(msgspec.Struct, frozen=True):
    """A column: its heading, and whether its cells are words, amounts, codes or states.

    "entry" is a column of a ledger that mixes amounts and codes, set right like amounts.
    `main` marks the column that names the row; it carries the row's link.
    """

    title: str
    kind: Kind = "text"
    main: bool = False


class Cell(msgspec.Struct, frozen=True):
    """What stands in one cell; `colour` is a place's, shown beside it."""

    text: str = ""
    note: str = ""
    badge: Badge | None = None
    colour: str = ""


class Row(msgspec.Struct, frozen=True):
    """One row: as many cells as the table has columns, and where it leads."""

    key: str
    cells: tuple[Cell, ...]
    link: str = ""


class Empty(msgspec.Struct, frozen=True):
    """What a table says when it has no rows: why, and what would fill it."""

    title: str
    text: str


class Table(msgspec.Struct, frozen=True):
    """A table with its caption, which screen readers announce and eyes need not see."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    empty: Empty
    totals: tuple[Cell, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            assert len(row.cells) == len(self.columns), f"row {row.key} has a cell too many or few"
        assert not self.totals or len(self.totals) == len(self.columns), "totals per column"


class Step(msgspec.Struct, frozen=True):
    """One step of a chain (a timeline whose order is evidence)."""

    title: str
    when: str
    badge: Badge
    facts: tuple[tuple[str, str], ...] = ()
    colour: str = ""
    link: str = ""
    link_text: str = ""
