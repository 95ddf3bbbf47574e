"""YAML without implicit types."""

from __future__ import annotations

from pathlib import Path

import pytest

from tongcheng.kernel import plain_yaml, yaml_file
from tongcheng.kernel.plain_yaml import Plain


@pytest.mark.parametrize("word", ["012", "0.85", "no", "on", "2026-01-01", "1_000", "0x10", "1e3"])
def test_words_that_yaml_would_change(word: str) -> None:
    """Each of these is a number, a date or a truth value to ordinary YAML; here it is text."""
    assert plain_yaml.parse(f"a: {word}") == {"a": word}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: null", {"a": None}),
        ('a: "null"', {"a": "null"}),
        ("a: ''", {"a": ""}),
        ("[a, [b], {c: d}]", ["a", ["b"], {"c": "d"}]),
        ("", None),
    ],
)
def test_values(text: str, value: Plain) -> None:
    """Bare null is *not known*; a quoted one is a word."""
    assert plain_yaml.parse(text) == value


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3", 3),
        ("a: &x 1\nb: *x", 1),
        ("a: 1\n? [b]\n: 2", 2),
        ("a: 1\nb: ]", 2),
        ("a: 1\nb:", 2),
        ("a: 1\nb: ~", 2),
        ("a: !!int 1", 1),
        ("a: 1\n---\nb: 2", 2),
        ("[" * 40 + "]" * 40, 1),
        ("a: \x00", 1),
    ],
    ids=[
        "key twice",
        "alias",
        "key a list",
        "bracket",
        "empty",
        "tilde",
        "tag",
        "two documents",
        "deep",
        "control",
    ],
)
def test_faults_name_their_line(text: str, line: int) -> None:
    """Whatever lets two readers see two things in one file is a fault."""
    with pytest.raises(plain_yaml.YamlFault) as caught:
        plain_yaml.parse(text)

    assert caught.value.line == line


def test_load(tmp_path: Path) -> None:
    """Files are UTF-8."""
    path = tmp_path / "a.yaml"
    path.write_text("城: 天津", encoding="utf-8")

    assert yaml_file.load(path) == {"城": "天津"}
