"""One way to say no: a stable code, its facts, and a catalogue that turns them into words.

A refusal is a value: it is stored, signed, sent to a peer and shown to a clerk, so its code and
facts are public interface. `assert` is for our own bugs and never for what others send us.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import msgspec

from tongcheng.kernel import yaml_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LANGUAGES = ("zh", "en")
_STATUSES = range(400, 600)
_PARTS = ("what", "why", "do")


class Refused(Exception):
    """A request is refused under `code`, which a catalogue explains; `facts` fill its templates.

    Facts must not carry personal data: they are logged and they travel to the other side.
    """

    def __init__(self, code: str, /, **facts: str | int) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        if not self.facts:
            return self.code
        return f"{self.code} ({', '.join(f'{k}={v!r}' for k, v in self.facts.items())})"


class ErrorEntry(msgspec.Struct, frozen=True):
    """One code as the catalogue holds it: templates per language, filled by `str.format`."""

    code: str
    status: int
    what: dict[str, str]
    why: dict[str, str]
    do: dict[str, str]


class RenderedError(msgspec.Struct, frozen=True):
    """One refusal in one language; `status` is the HTTP status."""

    code: str
    status: int
    what: str
    why: str
    do: str


class Catalogue:
    """Every code a node can answer with. A code that is missing here is a bug of ours."""

    def __init__(self, entries: Iterable[ErrorEntry]) -> None:
        self._entries: dict[str, ErrorEntry] = {}
        for entry in entries:
            assert entry.code not in self._entries, f"two packages define {entry.code}"
            self._entries[entry.code] = entry

    @classmethod
    def load(cls, *paths: Path) -> Catalogue:
        """Read one `errors.yaml` per package; a fault in them is an AssertionError."""
        return cls(entry for path in paths for entry in _read(path))

    def codes(self) -> tuple[str, ...]:
        """All codes, sorted."""
        return tuple(sorted(self._entries))

    def entry(self, code: str) -> ErrorEntry:
        """Return the entry of `code`, which must exist."""
        entry = self._entries.get(code)
        assert entry is not None, f"no errors.yaml explains {code}"
        return entry

    def render(self, refused: Refused, language: str) -> RenderedError:
        """Put a refusal into words; `language` is one of LANGUAGES."""
        assert language in LANGUAGES, language
        entry = self.entry(refused.code)
        try:
            what, why, do = (
                getattr(entry, part)[language].format_map(refused.facts) for part in _PARTS
            )
        except (KeyError, IndexError, ValueError) as missing:
            message = f"{refused.code} was refused without the fact {missing} of its templates"
            raise AssertionError(message) from missing
        return RenderedError(entry.code, entry.status, what, why, do)


@functools.cache
def _read(path: Path) -> tuple[ErrorEntry, ...]:
    # Read once: the files ship with the program and do not change while it runs.
    return tuple(_entries(path))


def _entries(path: Path) -> Iterator[ErrorEntry]:
    document = yaml_file.load(path)
    assert isinstance(document, dict), f"{path}: expected a mapping of codes"
    for code, given in document.items():
        where = f"{path}: {code}"
        assert isinstance(given, dict), f"{where}: expected status, what, why, do"
        assert set(given) == {"status", *_PARTS}, f"{where}: has {sorted(given)}"
        # Not strict, because the file holds the status as text.
        entry = msgspec.convert({"code": code, **given}, ErrorEntry, strict=False)
        for part in _PARTS:
            words = getattr(entry, part)
            assert set(words) == set(LANGUAGES), f"{where}: {part} is not in {LANGUAGES}"
        assert entry.status in _STATUSES, f"{where}: status {entry.status}"
        yield entry
