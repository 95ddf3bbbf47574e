"""What a rule book says of one figure, with everything that a reader needs to judge it (pure)."""

import re
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from tongcheng.kernel.rulebook import RuleBook, RuleValue

Books = Mapping[str, RuleBook]
"""Rule books that this node has, by digest."""

_STEP: Final = re.compile(r"\.?([a-z_]+)|\[(\d{1,4})\]")
_STEPS_MAX: Final = 16


class _Named(msgspec.Struct, frozen=True):
    """A fund as a book names it."""

    fund: str
    title: dict[str, str]


class SourceWords(msgspec.Struct, frozen=True):
    """Where a figure was read."""

    what: str
    where: str | None


class OtherValue(msgspec.Struct, frozen=True):
    """What another source says about the same figure; `value` None: that it is something else."""

    value: str | None
    sources: tuple[SourceWords, ...]
    remark: str | None


class RuleWords(msgspec.Struct, frozen=True, kw_only=True):
    """One rule by which an amount came about.

    `title` and all that follows it is empty where the book is not on this node (`here` False) or
    does not have the rule. `section` is the part of the book that the rule stands in. `persons`
    are those whom its row is about, empty for everybody.
    """

    book_digest: str
    path: str
    here: bool
    section: str = ""
    book_id: str | None = None
    title_zh: str | None = None
    title_en: str | None = None
    from_on: str | None = None
    to_on: str | None = None
    status: Literal["draft", "adopted"] | None = None
    value: str | None = None
    clause: str | None = None
    sources: tuple[SourceWords, ...] = ()
    confidence: str | None = None
    doubtful: bool = False
    conflicts: tuple[OtherValue, ...] = ()
    remark: str | None = None
    persons: tuple[str, ...] = ()


def rule_words(books: Books, digest: str, path: str) -> RuleWords:
    """Return what a book says under a path; a peer wrote both, and either may be unknown here."""
    book = books.get(digest)
    section = path.removeprefix("rules.").partition("[")[0].partition(".")[0]
    if book is None:
        return RuleWords(book_digest=digest, path=path, here=False, section=section)
    words = RuleWords(
        book_digest=digest,
        path=path,
        here=True,
        section=section,
        book_id=book.book_id,
        title_zh=book.title["zh"],
        title_en=book.title["en"],
        from_on=book.effective_from.isoformat(),
        to_on=None if book.effective_to is None else book.effective_to.isoformat(),
        status=book.status,
    )
    nodes = _nodes_to(book, path)
    try:
        value = msgspec.convert(nodes[-1], RuleValue)
    except msgspec.ValidationError:
        return msgspec.structs.replace(words, doubtful=True)
    return msgspec.structs.replace(
        words,
        value=value.value,
        clause=value.clause,
        sources=_sources(book, value.source_keys),
        confidence=value.confidence,
        doubtful=value.doubtful,
        conflicts=tuple(
            OtherValue(
                each.value,
                _sources(book, (each.source,) if isinstance(each.source, str) else each.source),
                each.remark,
            )
            for each in value.conflicts
        ),
        remark=value.remark,
        persons=_persons(nodes),
    )


def _nodes_to(book: RuleBook, path: str) -> list[object]:
    """Return every node on the way to a path, the last one None where there is no such way."""
    node: object = book.document
    nodes: list[object] = [node]
    steps = list(_STEP.finditer(path))
    if "".join(step.group() for step in steps) != path or len(steps) > _STEPS_MAX:
        return [None]
    for step in steps:
        key, index = step.group(1), step.group(2)
        if key is not None and isinstance(node, dict):
            node = node.get(key)
        elif index is not None and isinstance(node, list) and int(index) < len(node):
            node = node[int(index)]
        else:
            node = None
        nodes.append(node)
    return nodes


def _sources(book: RuleBook, keys: tuple[str, ...]) -> tuple[SourceWords, ...]:
    found = (book.sources.get(key) for key in keys)
    return tuple(SourceWords(each.what, each.where) for each in found if each is not None)


def _persons(nodes: list[object]) -> tuple[str, ...]:
    """Return whom the innermost row on the way names."""
    for node in reversed(nodes):
        if isinstance(node, dict) and isinstance(named := node.get("persons"), list):
            # The book's own list of everybody is no selector.
            return () if "funds" in node else tuple(str(each) for each in named)
    return ()


def fund_titles(books: Books, digest: str) -> dict[str, dict[str, str]]:
    """Return the names of a book's funds by language; empty where the book is not here."""
    book = books.get(digest)
    rules = None if book is None else book.document.get("rules")
    funds = rules.get("funds") if isinstance(rules, dict) else None
    try:
        named = msgspec.convert(funds or [], list[_Named])
    except msgspec.ValidationError:
        return {}
    return {each.fund: each.title for each in named}
