"""The parts of a policy: what a page or a print shows of a rule book, in one language."""

from typing import Literal

import msgspec

MarkKind = Literal["conflict", "unknown", "own", "low"]
"""Why a figure is doubtful: sources disagree, nobody knows it, no document was seen, one source."""


class Mark(msgspec.Struct, frozen=True):
    """The mark of a doubtful figure: a sign and a word; `path` is the figure's."""

    kind: MarkKind
    sign: str
    text: str
    path: str


class Figure(msgspec.Struct, frozen=True):
    """What stands in one place, and the marks of all figures that it follows from.

    `stated` is what the book itself says, where an adjustment makes `text` of it.
    """

    text: str
    marks: tuple[Mark, ...] = ()
    stated: str = ""


class Line(msgspec.Struct, frozen=True):
    """One figure with its label and, where it has one, a remark in words."""

    label: str
    figure: Figure
    note: str = ""


class GridRow(msgspec.Struct, frozen=True):
    """One row: what it is about (`marks`: its doubts), and a figure for each further column."""

    head: str
    cells: tuple[Figure, ...]
    marks: tuple[Mark, ...] = ()


class GridGroup(msgspec.Struct, frozen=True):
    """Rows under a heading of their own; "" where there is only one group."""

    title: str
    rows: tuple[GridRow, ...]


class Grid(msgspec.Struct, frozen=True):
    """A table; the first column names the rows."""

    caption: str
    columns: tuple[str, ...]
    groups: tuple[GridGroup, ...]


class Other(msgspec.Struct, frozen=True):
    """What another source says of a figure."""

    text: str
    sources: tuple[int, ...]
    remark: str


class Origin(msgspec.Struct, frozen=True):
    """Everything that the book has about one figure. `sources` are numbers of the source list."""

    path: str
    anchor: str
    name: str
    value: str
    marks: tuple[Mark, ...]
    sources: tuple[int, ...]
    confidence: str
    clause: str
    remark: str
    others: tuple[Other, ...]


class Section(msgspec.Struct, frozen=True):
    """One part of the policy: sentences, figures, tables, and where its figures come from."""

    key: str
    title: str
    said: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    grids: tuple[Grid, ...] = ()
    origins: tuple[Origin, ...] = ()


class Example(msgspec.Struct, frozen=True):
    """One bill by the book and by another reading; `differs` is "" where one of them refuses."""

    bill: str
    here: str
    there: str
    differs: str


class Dispute(msgspec.Struct, frozen=True):
    """What sources disagree about, and what it comes to in yuan.

    `later` tells that the amounts are those of covers that pay after the bill. `section` is the
    other reading's own figures, where it has more than the disputed one.
    """

    anchor: str
    link: str
    title: str
    here: str
    here_sources: tuple[int, ...]
    there: str
    there_sources: tuple[int, ...]
    remark: str
    case: str
    later: bool
    examples: tuple[Example, ...]
    verdict: str
    section: Section | None = None


class SourceLine(msgspec.Struct, frozen=True):
    """One source: its number, what it is, where it was read, and addresses that it names."""

    number: int
    what: str
    where: str
    cited: tuple[str, ...]


class Count(msgspec.Struct, frozen=True):
    """How many figures bear a mark."""

    mark: Mark
    count: str
    words: str


class Policy(msgspec.Struct, frozen=True):
    """A whole book. `fault` says why its tables could not be made; its figures still stand."""

    title: str
    about: tuple[tuple[str, str], ...]
    doubts: str
    counts: tuple[Count, ...]
    note: str
    disputes: tuple[Dispute, ...]
    sections: tuple[Section, ...]
    sources: tuple[SourceLine, ...]
    fault: str = ""
