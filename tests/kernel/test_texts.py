"""Texts in two languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tongcheng.kernel.texts import Texts, load_texts

WRITTEN = """
stay.title: {zh: "住院 {stay_id}", en: "Stay {stay_id}"}
no: {zh: "否", en: "No"}
"""


def _written(folder: Path, text: str) -> Path:
    path = folder / "texts.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_load_texts(tmp_path: Path) -> None:
    """Keys and words are what stands in the file, even where YAML has other ideas (no)."""
    texts = load_texts(_written(tmp_path, WRITTEN))

    assert texts["no"] == {"zh": "否", "en": "No"}
    assert Texts(texts).keys() == ("no", "stay.title")


@pytest.mark.parametrize(("language", "words"), [("zh", "住院 7"), ("en", "Stay 7")])
def test_get(tmp_path: Path, language: str, words: str) -> None:
    """The same values fill either language."""
    texts = Texts.load(_written(tmp_path, WRITTEN))

    assert texts.get("stay.title", language, stay_id=7) == words


def test_omissions_are_bugs(tmp_path: Path) -> None:
    """An unknown key, a missing value or a third language is found by a test, not a reader."""
    texts = Texts.load(_written(tmp_path, WRITTEN))

    for key, language in (("stay", "en"), ("stay.title", "en"), ("no", "fr")):
        with pytest.raises(AssertionError):
            texts.get(key, language)


@pytest.mark.parametrize(
    "text", ["a: {zh: 甲}", "a: {zh: 甲, en: null}", "a: words", "- a", "a: {zh: [甲], en: A}"]
)
def test_faulty_files(tmp_path: Path, text: str) -> None:
    """Both languages or none."""
    with pytest.raises(AssertionError):
        load_texts(_written(tmp_path, text))


def test_one_key_one_text(tmp_path: Path) -> None:
    """Two packages may not write the same key."""
    path = _written(tmp_path, WRITTEN)

    with pytest.raises(AssertionError, match=r"stay\.title"):
        Texts.load(path, path)
