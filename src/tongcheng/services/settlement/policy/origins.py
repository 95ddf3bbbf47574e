"""Where every figure of a book comes from, and the marks of the doubtful ones."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from tongcheng.kernel.rulebook import Conflict, RuleBook, RuleValue, rule_values
from tongcheng.services.settlement.policy.links import anchor
from tongcheng.services.settlement.policy.model import (
    Count,
    Figure,
    Line,
    Mark,
    MarkKind,
    Origin,
    Other,
    SourceLine,
)
from tongcheng.services.settlement.policy.words import Names, said
from tongcheng.web.voice import Voice

SIGNS: Final[Mapping[MarkKind, tuple[str, str]]] = {
    "conflict": ("≠", "settlement.policy.mark.conflict"),
    "unknown": ("?", "settlement.policy.mark.unknown"),
    "own": ("○", "settlement.policy.mark.own"),
    "low": ("△", "settlement.policy.mark.low"),
}
"""Kind of doubt → its sign and its word, the gravest first."""
_SAID: Final[Mapping[MarkKind, str]] = {
    "conflict": "settlement.policy.count.conflict",
    "unknown": "settlement.policy.count.unknown",
    "own": "settlement.policy.count.own",
    "low": "settlement.policy.count.low",
}
_CONFIDENCES: Final[Mapping[str, str]] = {
    "high": "settlement.policy.confidence.high",
    "medium": "settlement.policy.confidence.medium",
    "low": "settlement.policy.confidence.low",
    "own": "settlement.policy.confidence.own",
}


def confidence_said(voice: Voice, confidence: str) -> str:
    """Return how sure a figure is, in words; a word that we do not know as it is written."""
    return voice.t(_CONFIDENCES[confidence]) if confidence in _CONFIDENCES else confidence


def kinds_of(value: RuleValue) -> tuple[MarkKind, ...]:
    """Return why a figure is doubtful; () where it is not.

    A weak source goes without saying where sources disagree or nobody knows.
    """
    kinds: list[MarkKind] = ["conflict"] if value.conflicts else []
    if value.value is None:
        kinds.append("unknown")
    if kinds:
        return tuple(kinds)
    if value.confidence == "own":
        return ("own",)
    return ("low",) if value.confidence == "low" else ()


class Origins:
    """The figures of one book with their origins, in one language."""

    def __init__(self, voice: Voice, book: RuleBook) -> None:
        self._voice = voice
        self.values = dict(rule_values(book))
        self.names = Names(voice, book.document)
        self._numbers = {key: at for at, key in enumerate(book.sources, 1)}
        self._sources = book.sources

    def numbers(self, keys: Iterable[str]) -> tuple[int, ...]:
        """Return the numbers of sources in the list; a key that the book lacks has none."""
        return tuple(self._numbers[key] for key in keys if key in self._numbers)

    def marks(self, *paths: str) -> tuple[Mark, ...]:
        """Return the marks of what follows from some figures: each kind once, gravest first."""
        found: dict[MarkKind, Mark] = {}
        for path in paths:
            value = self.values.get(path)
            for kind in () if value is None else kinds_of(value):
                found.setdefault(kind, self._mark(kind, path))
        return tuple(found[kind] for kind in SIGNS if kind in found)

    def _mark(self, kind: MarkKind, path: str) -> Mark:
        sign, key = SIGNS[kind]
        return Mark(kind, sign, self._voice.t(key), anchor(path))

    def figure(self, path: str, *more: str) -> Figure:
        """Return a figure as the book says it; `more` are figures whose doubts it shares."""
        return Figure(self.said(path), self.marks(path, *more))

    def said(self, path: str) -> str:
        """Return what the book says of a figure, in words."""
        return said(self._voice, path, self.values[path].value)

    def line(self, path: str, *more: str, label: str = "") -> Line:
        """Return a figure with its name in its section."""
        return Line(label or self.names.of(path, inside=True), self.figure(path, *more))

    def under(self, *prefixes: str, but: Callable[[str], bool] | None = None) -> tuple[str, ...]:
        """Return the paths of figures below some places of the book, in its order."""
        return tuple(
            path
            for path in self.values
            if _below(path, prefixes) and not (but is not None and but(path))
        )

    def of(self, paths: Iterable[str]) -> tuple[Origin, ...]:
        """Return what the book has about some figures."""
        return tuple(self._origin(path, self.values[path]) for path in paths)

    def _origin(self, path: str, value: RuleValue) -> Origin:
        return Origin(
            path=path,
            anchor=anchor(path),
            name=self.names.of(path),
            value=said(self._voice, path, value.value),
            marks=self.marks(path),
            sources=self.numbers(value.source_keys),
            confidence=confidence_said(self._voice, value.confidence),
            clause=value.clause or "",
            remark=value.remark or "",
            others=tuple(self._other(path, other) for other in value.conflicts),
        )

    def _other(self, path: str, other: Conflict) -> Other:
        keys = (other.source,) if isinstance(other.source, str) else other.source
        return Other(said(self._voice, path, other.value), self.numbers(keys), other.remark or "")

    def counts(self) -> tuple[Count, ...]:
        """Return how many figures bear each mark, those of other readings included."""
        found: list[Count] = []
        for kind in SIGNS:
            count = sum(kind in kinds_of(value) for value in self.values.values())
            if count:
                words = self._voice.tn(_SAID[kind], count)
                found.append(Count(self._mark(kind, ""), self._voice.number(count), words))
        return tuple(found)

    def source_lines(self) -> tuple[SourceLine, ...]:
        """Return the list of sources, numbered as everywhere on the page."""
        return tuple(
            SourceLine(self._numbers[key], source.what, source.where or "", source.cited)
            for key, source in self._sources.items()
        )


def _below(path: str, prefixes: Sequence[str]) -> bool:
    return any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in prefixes)
