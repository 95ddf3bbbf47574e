"""Texts: every word a person reads, written in zh and en, under a key that the code uses.

A `texts.yaml` per package maps a key to its `zh` and `en`; the words in braces are filled by
`str.format`. A missing key is a bug of ours, found by a test, and never shown to a reader.
"""

from __future__ import annotations

import functools
from pathlib import Path

from tongcheng.kernel import yaml_file
from tongcheng.kernel.errors import LANGUAGES


@functools.cache
def load_texts(path: Path) -> dict[str, dict[str, str]]:
    """Read one `texts.yaml` as {key: {"zh": ..., "en": ...}}; a fault trips an assert.

    Once: the files ship with the program and do not change while it runs.
    """
    document = yaml_file.load(path)
    assert isinstance(document, dict), f"{path}: expected a mapping of keys"
    texts: dict[str, dict[str, str]] = {}
    for key, given in document.items():
        assert isinstance(given, dict), f"{path}: {key}: expected zh and en"
        assert set(given) == set(LANGUAGES), f"{path}: {key}: has {sorted(given)}"
        texts[key] = {}
        for language, words in given.items():
            assert isinstance(words, str), f"{path}: {key}: {language} is empty"
            texts[key][language] = words
    return texts


class Texts:
    """The texts of several packages together."""

    def __init__(self, texts: dict[str, dict[str, str]]) -> None:
        self._texts = texts

    @classmethod
    def load(cls, *paths: Path) -> Texts:
        """Read one `texts.yaml` per package; the same key in two of them is an AssertionError."""
        merged: dict[str, dict[str, str]] = {}
        for path in paths:
            texts = load_texts(path)
            both = merged.keys() & texts.keys()
            assert not both, f"{path}: {sorted(both)} stand in another package too"
            merged |= texts
        return cls(merged)

    def keys(self) -> tuple[str, ...]:
        """All keys, sorted."""
        return tuple(sorted(self._texts))

    def has(self, key: str) -> bool:
        """Tell whether there are words: for names that come from a peer or from later software."""
        return key in self._texts

    def get(self, key: str, language: str, /, **values: object) -> str:
        """Return the text in one of LANGUAGES, its braces filled from `values`."""
        assert language in LANGUAGES, language
        words = self._texts.get(key)
        assert words is not None, f"no texts.yaml has {key}"
        try:
            return words[language].format_map(values)
        except (KeyError, IndexError, ValueError) as missing:
            message = f"the text {key} ({language}) was used without the value {missing}"
            raise AssertionError(message) from missing
