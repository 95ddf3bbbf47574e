"""Refusals and the catalogue that puts them into words."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import tongcheng
from tongcheng.kernel.errors import Catalogue, Refused

SOURCE = Path(tongcheng.__file__).parent
CATALOGUE = Catalogue.load(*sorted(SOURCE.rglob("errors.yaml")))

ENTRY = """
BED_TAKEN:
  status: 409
  what: {zh: "床位 {bed} 已占用。", en: "Bed {bed} is taken."}
  why: {zh: "原因。", en: "Why."}
  do: {zh: "办法。", en: "Do."}
"""


def _written(folder: Path, text: str) -> Path:
    path = folder / "errors.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("language", "what"), [("zh", "床位 12 已占用。"), ("en", "Bed 12 is taken.")]
)
def test_render(tmp_path: Path, language: str, what: str) -> None:
    """A refusal is put into the reader's language with its facts filled in."""
    catalogue = Catalogue.load(_written(tmp_path, ENTRY))

    rendered = catalogue.render(Refused("BED_TAKEN", bed=12), language)

    assert (rendered.code, rendered.status, rendered.what) == ("BED_TAKEN", 409, what)


def test_facts_are_not_templates(tmp_path: Path) -> None:
    """What a stranger sent is shown as it is, braces and all."""
    catalogue = Catalogue.load(_written(tmp_path, ENTRY))

    rendered = catalogue.render(Refused("BED_TAKEN", bed="{bed.__class__}"), "en")

    assert rendered.what == "Bed {bed.__class__} is taken."


@pytest.mark.parametrize("refused", [Refused("BED_TAKEN"), Refused("NO_SUCH_CODE", bed=1)])
def test_our_own_omissions_are_bugs(tmp_path: Path, refused: Refused) -> None:
    """A code without an entry or a template without its fact is our bug, not a refusal."""
    catalogue = Catalogue.load(_written(tmp_path, ENTRY))

    with pytest.raises(AssertionError):
        catalogue.render(refused, "en")


@pytest.mark.parametrize(
    "text",
    [
        ENTRY.replace("409", "200"),
        ENTRY.replace(', en: "Why."', ""),
        ENTRY.replace("why:", "reason:"),
        "- BED_TAKEN",
    ],
    ids=["a status of success", "one language missing", "unknown part", "not a mapping"],
)
def test_faulty_catalogues(tmp_path: Path, text: str) -> None:
    """A catalogue with a hole in it does not load."""
    with pytest.raises(AssertionError):
        Catalogue.load(_written(tmp_path, text))


def test_one_code_one_meaning(tmp_path: Path) -> None:
    """Two packages may not define the same code."""
    path = _written(tmp_path, ENTRY)

    with pytest.raises(AssertionError, match="BED_TAKEN"):
        Catalogue.load(path, path)


def test_str_names_code_and_facts() -> None:
    """A traceback or log line tells which refusal it was."""
    assert str(Refused("BED_TAKEN", bed="12")) == "BED_TAKEN (bed='12')"
    assert str(Refused("BED_TAKEN")) == "BED_TAKEN"


def _refusals() -> Iterator[tuple[str, str, set[str]]]:
    """Every `Refused("CODE", fact=...)` in the source, unless its facts are passed as **facts."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id="Refused"), args=[ast.Constant(value=str(code))], keywords=kws
                ) if all(kw.arg for kw in kws):
                    yield f"{path.name}:{node.lineno}", code, {kw.arg for kw in kws if kw.arg}


def _fields(code: str) -> set[str]:
    entry = CATALOGUE.entry(code)
    templates = [text for part in (entry.what, entry.why, entry.do) for text in part.values()]
    return {
        field for text in templates for _, field, _, _ in string.Formatter().parse(text) if field
    }


def test_every_refusal_brings_its_facts() -> None:
    """Each template of the catalogue finds its facts at every place that refuses under the code."""
    known = set(CATALOGUE.codes())
    missing = [
        f"{where} {code} lacks {sorted(_fields(code) - facts)}"
        for where, code, facts in _refusals()
        if code in known and _fields(code) - facts
    ]

    assert missing == []


def test_kernel_catalogue_is_sorted() -> None:
    """Sorted by code, so that two people who add one rarely meet on the same line."""
    lines = (SOURCE / "kernel" / "errors.yaml").read_text(encoding="utf-8").splitlines()
    codes = [line.partition(":")[0] for line in lines if line[:1].isupper()]

    assert codes == sorted(codes)
