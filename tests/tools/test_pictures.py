"""The README's pictures: each that is named is there, is drawn by the script, and is light."""

import re
import struct

import pytest

from tests.tidy import ROOT
from tools import pictures

SHOWN = re.compile(r"!\[([^\]]+)\]\(docs/pictures/([^)]+)\)")


@pytest.mark.parametrize(("page", "language"), [("README.md", "en"), ("README.zh.md", "zh")])
def test_a_readme_shows_every_picture_in_its_language(page: str, language: str) -> None:
    """No more and no fewer than the script draws, each with words for who cannot see it."""
    text = (ROOT / page).read_text("utf-8")
    found = SHOWN.findall(text)

    assert sorted(name for _, name in found) == [
        name for name in pictures.names() if f".{language}." in name
    ]
    assert [words for words, _ in found if len(words) < 10] == []
    assert "`make pictures`" in text


def test_the_folder_holds_what_the_script_draws() -> None:
    """A picture that no script draws would grow old unnoticed."""
    assert sorted(file.name for file in pictures.FOLDER.glob("*.*")) == pictures.names()


@pytest.mark.parametrize("picture", pictures.PICTURES, ids=lambda each: each.name)
def test_a_picture_is_light_and_of_its_size(picture: pictures.Picture) -> None:
    """Somebody with a slow line reads the README too."""
    for file in pictures.FOLDER.glob(f"{picture.name}.*.png"):
        raw = file.read_bytes()
        assert len(raw) <= pictures.BYTES_MAX
        assert raw.startswith(b"\x89PNG")
        assert struct.unpack(">II", raw[16:24]) == picture.size
