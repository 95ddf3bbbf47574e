"""What a what-if answers: the sums in words and structures, for a terminal, JSON and the page."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement import overlay, rules
from tongcheng.services.settlement.batch.codes import CODES
from tongcheng.services.settlement.batch.columns import EVENTS
from tongcheng.services.settlement.what_if.measures import (
    ANNOUNCED,
    BAND_FROM_FEN,
    DIMENSIONS,
    FUNDS,
    MEASURES,
    PERSON,
)
from tongcheng.services.settlement.what_if.sums import DECILE_COLUMNS, Layout, Sums, deciles

PAYERS: Final = (*FUNDS, PERSON)
KINDS: Final = (rules.KIND, overlay.KIND)
"""Kinds of book that decide what is paid."""


class Amount(msgspec.Struct, frozen=True):
    """One payer under both rules, in fen; a payer is named as a column of results."""

    payer: str
    old_fen: int
    new_fen: int

    @property
    def difference_fen(self) -> int:
        """How much more it pays under the new rules."""
        return self.new_fen - self.old_fen


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Some settlements that stand, and their persons.

    A person who gains bears less in all settlements of the group together; one who is in two groups
    (stayed in two cities) is counted in both. `key` is empty where the group is not known.
    """

    key: str
    settlements: int
    changed: int
    direct: int
    persons: int
    gaining: int
    gained_fen: int
    losing: int
    lost_fen: int
    amounts: tuple[Amount, ...]

    @property
    def even(self) -> int:
        """Persons for whom nothing changes in sum."""
        return self.persons - self.gaining - self.losing

    @property
    def old_fund_fen(self) -> int:
        """What all funds pay at discharge under the old rules."""
        return sum(each.old_fen for each in self.amounts if each.payer != PERSON)

    @property
    def new_fund_fen(self) -> int:
        """What they pay under the new ones."""
        return sum(each.new_fen for each in self.amounts if each.payer != PERSON)

    @property
    def cost_fen(self) -> int:
        """What the new rules cost all funds: as much as persons bear less."""
        return self.new_fund_fen - self.old_fund_fen


class Band(msgspec.Struct, frozen=True):
    """Persons by what they would bear more or, negative, less; amounts in fen, both inclusive.

    None has no end on that side.
    """

    from_fen: int | None
    to_fen: int | None
    persons: int
    difference_fen: int


class Decile(msgspec.Struct, frozen=True):
    """A tenth of the persons, the first are those who bore least under the old rules."""

    number: int
    persons: int
    gaining: int
    gained_fen: int
    losing: int
    lost_fen: int
    settlements: int
    old_person_fen: int
    new_person_fen: int
    old_fund_fen: int
    new_fund_fen: int


class NotJudged(msgspec.Struct, frozen=True):
    """Rows of one kind that one of the rules, or both, refuse; a code is empty where it does not.

    None of them is in any sum.
    """

    event: str
    old_code: str
    new_code: str
    rows: int


class Book(msgspec.Struct, frozen=True):
    """A version of a rule book that was asked, as it names itself; a draft is nobody's law yet."""

    book_id: str
    digest: str
    status: str
    effective_from: str
    effective_to: str | None
    title: dict[str, str]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """All that is told. `order` is by what a person's events were put in order.

    `causes` tells whether changes were told apart as direct and consequences; `old_books` are the
    versions that hold under the old rules only, `new_books` under the new ones only.
    """

    rows: int
    judged: dict[str, int]
    order: str
    causes: bool
    all: Group
    announced: tuple[Amount, ...]
    announced_unknown: tuple[int, int]
    groups: dict[str, tuple[Group, ...]]
    bands: tuple[Band, ...]
    deciles: tuple[Decile, ...]
    not_judged: tuple[NotJudged, ...]
    old_books: tuple[Book, ...]
    new_books: tuple[Book, ...]
    drafts: tuple[Book, ...]


def answer(
    layout: Layout,
    sums: Sums,
    books: tuple[list[RuleBook], list[RuleBook]],
    *,
    order: str,
    causes: bool,
) -> Answer:
    """Return the sums as an answer; `books` are those of the old and of the new rules."""
    by_dimension = dict(zip(DIMENSIONS, _groups(layout, sums), strict=True))
    whole = by_dimension.pop("all")
    row = dict(zip(MEASURES, sums.groups[0].tolist(), strict=True))
    old, new = (_books(each) for each in books)
    known = {**old, **new}
    everything = _empty(layout.keys[0][0]) if not whole else whole[0]
    return Answer(
        rows=int(sums.codes.sum()),
        judged={event: int(sums.codes[at, 0, 0]) for at, event in enumerate(EVENTS)},
        order=order,
        causes=causes,
        all=everything,
        announced=tuple(_amount(row, name) for name in ANNOUNCED),
        announced_unknown=(row["old_announced_unknown"], row["new_announced_unknown"]),
        groups=by_dimension,
        bands=tuple(_bands(sums)),
        deciles=tuple(_deciles(sums)),
        not_judged=tuple(_not_judged(sums)),
        old_books=tuple(old[key] for key in sorted(old) if new.get(key) != old[key]),
        new_books=tuple(new[key] for key in sorted(new) if old.get(key) != new[key]),
        drafts=tuple(known[key] for key in sorted(known) if known[key].status == "draft"),
    )


def _groups(layout: Layout, sums: Sums) -> Iterator[tuple[Group, ...]]:
    for keys, start in zip(layout.keys, layout.starts, strict=True):
        rows = sums.groups[start : start + len(keys)].tolist()
        yield tuple(
            _group(key, dict(zip(MEASURES, row, strict=True)))
            for key, row in zip(keys, rows, strict=True)
            if any(row)
        )


def _group(key: str, row: dict[str, int]) -> Group:
    counts = {name: row[name] for name in Group.__struct_fields__ if name in row}
    return Group(key=key, **counts, amounts=tuple(_amount(row, name) for name in PAYERS))


def _empty(key: str) -> Group:
    return _group(key, dict.fromkeys(MEASURES, 0))


def _amount(row: dict[str, int], name: str) -> Amount:
    return Amount(name, row[f"old_{name}"], row[f"new_{name}"])


def _bands(sums: Sums) -> Iterator[Band]:
    middle = len(BAND_FROM_FEN)
    for at, (persons, fen) in enumerate(sums.bands.tolist()):
        steps = abs(at - middle)
        first = BAND_FROM_FEN[steps - 1] if steps else 0
        last = (BAND_FROM_FEN[steps] - 1 if steps < middle else None) if steps else 0
        if at >= middle:
            yield Band(first, last, persons, fen)
        else:
            yield Band(None if last is None else -last, -first, persons, fen)


def _deciles(sums: Sums) -> Iterator[Decile]:
    for number, row in enumerate(deciles(sums.persons).tolist(), 1):
        yield Decile(number, **dict(zip(DECILE_COLUMNS, row, strict=True)))


def _not_judged(sums: Sums) -> Iterator[NotJudged]:
    for event, by_old in zip(EVENTS, sums.codes.tolist(), strict=True):
        for old_code, by_new in zip(CODES, by_old, strict=True):
            for new_code, rows in zip(CODES, by_new, strict=True):
                if rows and (old_code or new_code):
                    yield NotJudged(event, old_code, new_code, rows)


def _books(books: Iterable[RuleBook]) -> dict[tuple[str, str, str], Book]:
    """Return the books that decide, by what tells versions and their days apart."""
    found = {}
    for book in books:
        if book.kind in KINDS:
            ends = book.effective_to
            told = Book(
                book.book_id,
                book.digest,
                book.status,
                book.effective_from.isoformat(),
                None if ends is None else ends.isoformat(),
                book.title,
            )
            found[told.book_id, told.effective_from, told.digest] = told
    return found
