"""The page that holds two versions of a rule book side by side, in words where there are words."""

from collections.abc import Iterator, Mapping
from typing import Final

from litestar import Response

from tongcheng.kernel import rulebook
from tongcheng.kernel.rulebook import Change, RuleBook, RuleValue
from tongcheng.services.settlement.policy import build
from tongcheng.services.settlement.policy.links import anchor, book_path
from tongcheng.services.settlement.policy.view import DIGEST_SHOWN, Version, badge, place_name
from tongcheng.services.settlement.policy.words import FIELD_KEYS, Names, listed, said
from tongcheng.services.settlement.readings import steps_of
from tongcheng.web import Cell, Column, Empty, Page, Row, Table

_BESIDE: Final = ("source", "confidence", "clause", "remark", "conflicts")
_NOTHING: Final = frozenset({None, "[]", "{}"})
_DAYS: Final = frozenset({"effective.from", "effective.to"})


def diff(page: Page, before: Version, after: Version) -> Response[str]:
    """Answer with the figures that differ between two versions, and then with what else does."""
    figures = tuple(_figure_rows(page, before.book, after.book))
    others = tuple(_other_rows(page, before.book, after.book))
    headline = page.t("settlement.policy.diff.headline.none")
    if figures:
        headline = page.voice.tn("settlement.policy.diff.headline", len(figures))
    sides = [
        (
            page.t(key),
            build.days(page.voice, each.book),
            each.book.digest[:DIGEST_SHOWN],
            page.href(book_path(each.book.digest)),
            badge(page, each),
        )
        for key, each in (
            ("settlement.policy.diff.before", before),
            ("settlement.policy.diff.after", after),
        )
    ]
    return page.render(
        "settlement/rulebook_diff.html",
        {
            "headline": headline,
            "title": after.book.title.get(page.language, after.book.book_id),
            "sides": sides,
            "figures": _table(page, page.t("settlement.policy.diff.figures"), figures),
            "others": _table(page, page.t("settlement.policy.diff.others"), others),
            "book_path": page.href(book_path(after.book.digest)),
        },
    )


def _table(page: Page, caption: str, rows: tuple[Row, ...]) -> Table:
    return Table(
        caption=caption,
        columns=(
            Column(page.t("settlement.policy.diff.what"), main=True),
            Column(page.t("settlement.policy.diff.before")),
            Column(page.t("settlement.policy.diff.after")),
        ),
        rows=rows,
        empty=Empty(
            page.t("settlement.policy.diff.same"), page.t("settlement.policy.diff.same.text")
        ),
    )


def _figure_rows(page: Page, before: RuleBook, after: RuleBook) -> Iterator[Row]:
    """Return a row for each figure that is not the same in everything that is said of it."""
    old, new = dict(rulebook.rule_values(before)), dict(rulebook.rule_values(after))
    for path in dict.fromkeys((*old, *new)):
        was, will_be = old.get(path), new.get(path)
        if was == will_be:
            continue
        book = before if will_be is None else after
        name = Names(page.voice, book.document).of(path)
        yield Row(
            key=anchor(path),
            link=page.href(f"{book_path(book.digest)}#{anchor(path)}"),
            cells=(
                Cell(name[:1].upper() + name[1:], note=_beside(page, was, will_be)),
                Cell(_value(page, path, was)),
                Cell(_value(page, path, will_be)),
            ),
        )


def _value(page: Page, path: str, value: RuleValue | None) -> str:
    if value is None:
        return page.t("settlement.policy.diff.absent")
    return said(page.voice, path, value.value)


def _beside(page: Page, was: RuleValue | None, will_be: RuleValue | None) -> str:
    """Return what differs beside the value itself, in words."""
    if was is None or will_be is None:
        return ""
    fields = [each for each in _BESIDE if getattr(was, each) != getattr(will_be, each)]
    if not fields:
        return ""
    words = listed(page.voice, [page.t(FIELD_KEYS[each]) for each in fields])
    if was.value == will_be.value:
        return page.t("settlement.policy.diff.only", fields=words)
    return page.t("settlement.policy.diff.also", fields=words)


def _other_rows(page: Page, before: RuleBook, after: RuleBook) -> Iterator[Row]:
    """Return a row for each difference that is in no figure: days, sources, selectors, notes."""
    figures = {path for book in (before, after) for path, _ in rulebook.rule_values(book)}
    changes = [
        each
        for each in rulebook.diff(before, after)
        if not any(each.path.startswith((f"{path}.", f"{path}[")) for path in figures)
    ]
    if any(each.path in _DAYS for each in changes):
        days = (Cell(build.days(page.voice, each)) for each in (before, after))
        yield Row("days", (Cell(page.t("settlement.policy.about.days")), *days))
    yield from _source_rows(page, before, after, changes)
    for number, each in enumerate(changes):
        if each.path in _DAYS or each.path.startswith("sources."):
            continue
        if {each.before, each.after} <= _NOTHING:
            continue  # an empty list, or none: the same
        name = _name(page, after if each.after is not None else before, each.path)
        texts = (Cell(_plain(page, each.path, text)) for text in (each.before, each.after))
        yield Row(f"other-{number}", (Cell(name), *texts))


def _source_rows(
    page: Page, before: RuleBook, after: RuleBook, changes: list[Change]
) -> Iterator[Row]:
    keys = {each.path.split(".")[1] for each in changes if each.path.startswith("sources.")}
    for key in sorted(keys):
        texts = []
        for book in (before, after):
            found = book.sources.get(key)
            what = page.t("settlement.policy.diff.absent")
            if found is not None:
                what = found.what
            texts.append(Cell(what))
        name = page.t("settlement.policy.diff.source", name=key)
        yield Row(f"source-{key}", (Cell(name), *texts))


def _name(page: Page, book: RuleBook, path: str) -> str:
    """Return the name of what is no figure: its field, or the field of the list it is in."""
    steps = list(steps_of(path))
    while isinstance(steps[-1], int):
        steps.pop()
    trimmed = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in steps)
    name = Names(page.voice, book.document).of(trimmed.lstrip("."))
    if steps[0] == "effective":
        about = page.t("settlement.policy.about.days")
        name = page.t("settlement.policy.name", about=about, field=name)
    return name[:1].upper() + name[1:]


def _plain(page: Page, path: str, text: str | None) -> str:
    if text is not None and ".between[" in path:
        return place_name(page, text)
    words: Mapping[str | None, str] = {
        None: page.t("settlement.policy.diff.absent"),
        "null": page.t("settlement.policy.diff.nothing"),
        "[]": page.t("settlement.policy.diff.nothing"),
    }
    return words.get(text, str(text))
