"""Rule books: dated data with a source and a confidence for every number.

A rule book is a YAML document read without implicit types. Its digest is that of the document's
canonical JSON, so comments and layout may change and it stays the same book. What the keys under
`rules` mean is the business of the service whose `kind` the book names; here stands what all kinds
share: who says so, how sure we are, from when to when, and what differs between two versions.

A file can never call itself adopted. Adoption is a signed record kept elsewhere; the `Shelf` is
told which digests have one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from tongcheng.kernel import canonical, versions
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.plain_yaml import Kind, Plain, YamlFault
from tongcheng.kernel.plain_yaml import parse as parse_yaml

CONFIDENCES: Final = ("high", "medium", "low", "own")
"""high: rule text quoted, or reproduced by a real case. medium: two sources agree. low: one
secondary source, or sources in conflict. own: general knowledge, no document seen."""

TEXT_CHARACTERS_MAX: Final = 1_048_576

_FAULTS: Final[dict[Kind, tuple[str, str]]] = {
    "yaml": ("RULE_BOOK_YAML", "fault"),
    "key": ("RULE_BOOK_KEY", "key"),
    "duplicate_key": ("RULE_BOOK_DUPLICATE_KEY", "key"),
    "anchor": ("RULE_BOOK_ANCHOR", "name"),
    "tag": ("RULE_BOOK_TAG", "tag"),
    "empty_value": ("RULE_BOOK_EMPTY_VALUE", "value"),
    "depth": ("RULE_BOOK_DEPTH", "most"),
}
"""What is wrong with the YAML → the refusal, and what it calls the thing found."""

_KEY = re.compile(r"[a-z0-9_]+")
_NONE_ADOPTED: Final[Mapping[str, date | None]] = MappingProxyType({})
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_REQUIRED: Final = frozenset(
    {"book_id", "kind", "title", "admdvs", "scheme", "effective", "sources", "rules"}
)
_OPTIONAL: Final = frozenset({"note", "status"})


class Conflict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What another source says about the same number."""

    value: str | None
    source: str | tuple[str, ...]
    remark: str | None = None


class RuleValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One number (or word) of a rule book, with its origin. `value` None is unknown."""

    value: str | None
    source: str | tuple[str, ...]
    confidence: Literal["high", "medium", "low", "own"]
    clause: str | None = None
    remark: str | None = None
    conflicts: tuple[Conflict, ...] = ()

    def need(self, rule: str, book_id: str) -> str:
        """Return the value, or refuse RULE_UNKNOWN naming the number and the book."""
        if self.value is None:
            raise Refused("RULE_UNKNOWN", rule=rule, book=book_id)
        return self.value

    @property
    def source_keys(self) -> tuple[str, ...]:
        """The keys into the book's `sources`."""
        return (self.source,) if isinstance(self.source, str) else self.source

    @property
    def doubtful(self) -> bool:
        """Whether the figure must be marked wherever it is shown."""
        return self.value is None or self.confidence in ("low", "own") or bool(self.conflicts)


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a number was read; `cited` are addresses that it names and nobody here could open."""

    what: str
    where: str | None = None
    cited: tuple[str, ...] = ()


class RuleBook(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one rule book. Dates are local dates of the region, both inclusive."""

    book_id: str
    kind: str
    title: dict[str, str]
    admdvs: str
    scheme: str
    effective_from: date
    effective_to: date | None
    status: Literal["draft", "adopted"]
    digest: str
    sources: dict[str, Source]
    document: dict[str, Plain]

    def covers(self, on: date) -> bool:
        """Whether this version is in force on that day."""
        return self.effective_from <= on and (self.effective_to is None or on <= self.effective_to)


class Problem(msgspec.Struct, frozen=True):
    """A fault that `check` found: `code` is stable, `path` leads to the place."""

    path: str
    code: str
    detail: str = ""


class Change(msgspec.Struct, frozen=True):
    """One leaf that differs. `None` means absent; an unknown value shows as `null`."""

    path: str
    before: str | None
    after: str | None


def read(text: str) -> dict[str, Plain]:
    """Return the mapping that the text holds, as plain YAML (`plain_yaml`).

    Refuses, each with its line: RULE_BOOK_YAML, RULE_BOOK_DEPTH, RULE_BOOK_KEY (canonical bytes
    want [a-z0-9_]+), RULE_BOOK_DUPLICATE_KEY, RULE_BOOK_ANCHOR, RULE_BOOK_TAG,
    RULE_BOOK_EMPTY_VALUE; and RULE_BOOK_TOO_LARGE.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        raise Refused("RULE_BOOK_TOO_LARGE", most=TEXT_CHARACTERS_MAX)
    try:
        root = parse_yaml(text, _KEY)
    except YamlFault as fault:
        code, name = _FAULTS[fault.kind]
        raise Refused(code, line=fault.line, **{name: fault.found}) from None
    if not isinstance(root, dict):
        raise Refused("RULE_BOOK_YAML", line=1, fault="not a mapping of keys to values")
    return root


def parse(text: str) -> RuleBook:
    """Read a rule book. The result is always a draft, whatever the file says of itself.

    Raises:
        Refused: RULE_BOOK_… for what `read` refuses; RULE_BOOK_FIELD for a missing,
            unknown or misshapen field; RULE_BOOK_DATE; CANONICAL_… for text that has no bytes.
    """
    return from_document(read(text))


def from_document(document: dict[str, Plain]) -> RuleBook:
    """Return the book that a document is; it comes from a file, or from a node's store.

    Raises:
        Refused: as `parse`.
    """
    for name in sorted(document.keys() ^ _REQUIRED):
        if name not in _OPTIONAL:
            fault = "missing" if name in _REQUIRED else "unknown"
            raise Refused("RULE_BOOK_FIELD", field=name, fault=fault)
    effective = _mapping(document, "effective")
    begins, ends = _date(effective, "from"), _date(effective, "to")
    if begins is None:
        raise Refused("RULE_BOOK_DATE", field="effective.from", value="null")
    if ends is not None and ends < begins:
        raise Refused("RULE_BOOK_DATE", field="effective.to", value=ends.isoformat())
    title = {key: _text(_mapping(document, "title"), key, "title.") for key in ("zh", "en")}
    return RuleBook(
        book_id=_text(document, "book_id"),
        kind=_text(document, "kind"),
        title=title,
        admdvs=_text(document, "admdvs"),
        scheme=_text(document, "scheme"),
        effective_from=begins,
        effective_to=ends,
        status="draft",
        digest=canonical.digest(canonical.encode(document)),
        sources=_sources(document),
        document=document,
    )


def _mapping(document: Mapping[str, Plain], field: str) -> dict[str, Plain]:
    value = document[field]
    if not isinstance(value, dict):
        raise Refused("RULE_BOOK_FIELD", field=field, fault="not a mapping")
    return value


def _text(mapping: Mapping[str, Plain], field: str, prefix: str = "") -> str:
    value = mapping.get(field)
    if not isinstance(value, str) or not value:
        raise Refused("RULE_BOOK_FIELD", field=prefix + field, fault="not a text")
    return value


def _date(effective: Mapping[str, Plain], field: str) -> date | None:
    if field not in effective:
        raise Refused("RULE_BOOK_FIELD", field=f"effective.{field}", fault="missing")
    value = effective[field]
    if value is None:
        return None
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise Refused("RULE_BOOK_DATE", field=f"effective.{field}", value=str(value))
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Refused("RULE_BOOK_DATE", field=f"effective.{field}", value=value) from None


def _sources(document: Mapping[str, Plain]) -> dict[str, Source]:
    try:
        return msgspec.convert(_mapping(document, "sources"), dict[str, Source])
    except msgspec.ValidationError as fault:
        raise Refused("RULE_BOOK_FIELD", field="sources", fault=str(fault)) from fault


def check(book: RuleBook) -> list[Problem]:
    """List what is wrong with the origins: no source, an unknown source, an unknown confidence.

    Every mapping that has a `value` is a number with an origin; so is `effective`.
    """
    problems: list[Problem] = []
    used: set[str] = set()
    for path, node in _nodes(book.document):
        if path == "effective" or "value" in node:
            problems += _check_origin(book, path, node, used)
    problems += [
        Problem(f"sources.{key}", "SOURCE_UNUSED") for key in book.sources if key not in used
    ]
    if book.document.get("status", "draft") != "draft":
        problems.append(Problem("status", "STATUS_CLAIMED", str(book.document["status"])))
    return problems


def _check_origin(
    book: RuleBook, path: str, node: Mapping[str, Plain], used: set[str]
) -> Iterator[Problem]:
    source = node.get("source")
    keys = source if isinstance(source, list) else [source]
    if not keys or keys == [None]:
        yield Problem(path, "SOURCE_MISSING")
    for key in keys:
        if isinstance(key, str) and key in book.sources:
            used.add(key)
        elif key is not None:
            yield Problem(path, "SOURCE_UNKNOWN", str(key))
    if "confidence" not in node and ".conflicts[" in path:
        return  # the other value: its confidence is that of the conflict
    if node.get("confidence") not in CONFIDENCES:
        yield Problem(path, "CONFIDENCE_UNKNOWN", str(node.get("confidence")))


def _nodes(value: Plain, path: str = "") -> Iterator[tuple[str, dict[str, Plain]]]:
    """Every mapping of the document in its order, with its path (`a.b[0].c`)."""
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from _nodes(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _nodes(item, f"{path}[{index}]")


def rule_values(book: RuleBook) -> Iterator[tuple[str, RuleValue]]:
    """Every number under `rules` that has a well-formed origin, with its path."""
    for path, node in _nodes(book.document["rules"], "rules"):
        if "value" in node and "conflicts[" not in path:
            try:
                yield path, msgspec.convert(node, RuleValue)
            except msgspec.ValidationError:
                continue  # `check` and the service's schema name it


def _leaves(value: Plain, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    else:
        yield path, "null" if value is None else str(value)


def diff(before: RuleBook, after: RuleBook) -> list[Change]:
    """List the leaves that differ, in the order of the older document, then what is new."""
    old, new = dict(_leaves(before.document)), dict(_leaves(after.document))
    return [
        Change(path, old.get(path), new.get(path))
        for path in (*old, *(path for path in new if path not in old))
        if old.get(path) != new.get(path)
    ]


class Shelf:
    """The rule books that a node knows, by id and day.

    `versions` says which is in force when; `find` knows every one by its digest.

    Args:
        books: any number of versions; two of one id in force on one day are refused
            (RULE_BOOK_OVERLAP).
        adopted: digests that have a signed adoption record, each with the last day on which the
            version is in force, None for the book's own.
        allow_drafts: whether `at` may hand out a draft (a demonstration may; real money may not).
    """

    def __init__(
        self,
        books: Iterable[RuleBook],
        *,
        adopted: Mapping[str, date | None] = _NONE_ADOPTED,
        allow_drafts: bool = False,
    ) -> None:
        self._allow_drafts = allow_drafts
        self._known = [
            msgspec.structs.replace(book, status="adopted" if book.digest in adopted else "draft")
            for book in books
        ]
        self._books = versions.in_force(self._known, adopted)

    def __iter__(self) -> Iterator[RuleBook]:
        """Every version that is in force on some day, by id and first day."""
        for book_id in sorted(self._books):
            yield from self._books[book_id]

    def find(self, digest: str) -> RuleBook | None:
        """Return the version with this digest, in force or not; None if it is not known here."""
        return next((book for book in self._known if book.digest == digest), None)

    def holding(self, books: Iterable[RuleBook], adopted: Mapping[str, date | None]) -> Shelf:
        """Return this shelf with more versions on it and these adoptions in place of its own."""
        known = {book.digest for book in self._known}
        more = [book for book in books if book.digest not in known]
        return Shelf([*self._known, *more], adopted=adopted, allow_drafts=self._allow_drafts)

    def at(self, book_id: str, on: date) -> RuleBook:
        """Return the version in force on that day.

        Raises:
            Refused: RULE_BOOK_MISSING; RULE_BOOK_DRAFT if it is a draft and none is allowed.
        """
        for book in self._books.get(book_id, ()):
            if book.covers(on):
                if book.status == "draft" and not self._allow_drafts:
                    raise Refused("RULE_BOOK_DRAFT", book=book_id, digest=book.digest)
                return book
        raise Refused("RULE_BOOK_MISSING", book=book_id, on=on.isoformat())
